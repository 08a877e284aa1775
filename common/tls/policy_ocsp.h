/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From `verify.ocsp` to rules.
 */
#ifndef SEALOCK_TLS_POLICY_OCSP_H
#define SEALOCK_TLS_POLICY_OCSP_H

#include <stdbool.h>
#include <openssl/types.h>

struct error_list;
struct ocsp_rules;
struct tls_ocsp;

/* Fill the rules of a gate whose peers' chains are checked, and add to the hash
 * what decides who is let in. What has no effect is a problem. */
void
policy_ocsp_choose(const struct tls_ocsp *ocsp, bool is_server,
		   struct ocsp_rules *rules, EVP_MD_CTX *hash,
		   struct error_list *problems);

#endif
