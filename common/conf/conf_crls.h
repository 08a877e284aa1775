/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The revocation lists that a configuration names, from files to indexes
 * (common/verify/crl_index): the one place where bytes that somebody else has
 * published are parsed outside a sandbox. So it goes in steps, and the one in
 * the middle needs no right and no other file.
 */
#ifndef SEALOCK_CONF_CONF_CRLS_H
#define SEALOCK_CONF_CONF_CRLS_H

#include <stddef.h>

struct conf;
struct conf_crls;
struct error_list;
struct file_set;
struct tls_crl;

/* Open all of them, each once. What is wrong is told by the next step. Keeps
 * nothing of the configuration but the names in positions. */
struct conf_crls *
conf_crls_open(const struct conf *conf);

/* NULL is legal. */
void
conf_crls_free(struct conf_crls *crls);

/* Distinct files and directories; 0: there is nothing to do. */
size_t
conf_crls_count(const struct conf_crls *crls);

/* Read them and write their indexes; another process that was forked may do it
 * and end then. -1 with problems: what cannot be read, is no list or cannot be
 * obeyed. */
int
conf_crls_write(struct conf_crls *crls, struct error_list *problems)
	__attribute__((warn_unused_result));

/* What was written is final: seal it, and put it into the set for everybody,
 * under policy_crl_name(). */
int
conf_crls_finish(struct conf_crls *crls, struct file_set *files,
		 struct error_list *problems)
	__attribute__((warn_unused_result));

/* All three, in this process. */
int
conf_crls_make(const struct conf *conf, struct file_set *files,
	       struct error_list *problems) __attribute__((warn_unused_result));

/* Every descriptor that writing needs, of files and of what is written; the
 * caller's array (mem_free()); -1: could not be opened. */
int *
conf_crls_descriptors(const struct conf_crls *crls, size_t *count);

#endif
