/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `verify.crl` of a gate comes to: its indexes, opened, in the policy.
 */
#ifndef SEALOCK_TLS_POLICY_CRL_H
#define SEALOCK_TLS_POLICY_CRL_H

#include <stdbool.h>

struct crl_rules;
struct error_list;
struct file_set;
struct tls_verify;

/* The name in the file set of what was made of the lists of a file or
 * directory, "crl:PATH"; the caller's (mem_free()). */
char *
policy_crl_name(const char *path);

/* Fill the rules of a gate whose peers' chains are checked, or not (rules may
 * be NULL then). Problems:
 * settings that would have no effect, indexes that are not there. Warnings (may
 * be NULL): lists that are not valid now. What was filled is cleared by
 * crl_rules_clear(). */
void
policy_crl_choose(const struct tls_verify *verify, bool is_chain_checked,
		  const struct file_set *files, struct crl_rules *rules,
		  struct error_list *problems, struct error_list *warnings);

#endif
