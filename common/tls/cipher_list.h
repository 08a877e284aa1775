/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an operator's cipher string, suites and groups come to in the linked
 * OpenSSL, with what may never be offered taken out.
 */
#ifndef SEALOCK_TLS_CIPHER_LIST_H
#define SEALOCK_TLS_CIPHER_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* The level of OpenSSL (SSL_CTX_set_security_level(3)) unless something lowers
 * it: 112 bits of strength. */
#define CIPHER_LIST_LEVEL 2

/* The suites to TLS 1.2. */
struct cipher_list {
	char *names;     /* colons between them, in order */
	char *left_out;  /* suites that the string names and that have no
			  * forward secrecy or no authentication; "" if none */
	int level;       /* security level: the string's @SECLEVEL=, else
			  * CIPHER_LIST_LEVEL */
	bool has_legacy; /* can one be used below TLS 1.2? */
	bool has_ecdhe;
	bool has_dhe;
};

/* Select what a string of ciphers(1) names, without anonymous suites, those
 * without encryption, and those without forward secrecy or with pre-shared
 * keys. -1 with a sentence when nothing is left. */
int
cipher_list_select(const char *ciphers, struct cipher_list *list,
		   struct error *error) __attribute__((warn_unused_result));
void
cipher_list_clear(struct cipher_list *list);

/* The suites of TLS 1.3, names with colons between them; each must be known.
 * A copy for mem_free(), or NULL with a sentence that names the culprit. */
char *
ciphersuites_select(const char *ciphersuites, struct error *error);

/* Groups in their order as a list for OpenSSL. One that this OpenSSL does not
 * know is an error, but with a ? in front it is left out. A copy for
 * mem_free(), or NULL with a sentence that names the culprit. */
char *
groups_select(const char *const *groups, size_t count, struct error *error);

#endif
