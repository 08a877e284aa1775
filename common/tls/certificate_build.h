/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From certificates and keys, wherever they came from, to a struct
 * certificate: what every source of certificate_load() ends in.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_BUILD_H
#define SEALOCK_TLS_CERTIFICATE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>
#include <openssl/x509.h>

struct certificate;
struct certificate_cache;
struct certificate_content;
struct certificate_list;
struct certificate_spec;
struct certificate_unit;
struct error;
struct error_list;
struct file_set;
struct unit_loading;

/* One certificate_load() under way. */
struct certificate_loading {
	const struct certificate_spec *spec;
	const struct file_set *files;
	const char *passphrase; /* NULL: none was given */
	struct certificate_cache *cache;
	struct certificate_list *list; /* NULL: it is for records */
	struct unit_loading *units;    /* NULL: it is for the list */
	struct certificate_unit *unit; /* what is being read; NULL: none */
	struct error_list *problems;
};

/* How many are loaded so far. */
size_t
certificate_loading_count(const struct certificate_loading *loading);

/* The names that an entry gives its certificates, normalized; false: none. */
bool
certificate_spec_names(const struct certificate_spec *spec, char ***names,
		       size_t *count);

/* For messages: where certificate and key came from; key_in may be NULL. The
 * caller's. */
char *
certificate_source(const char *found_in, const char *key_in);

/* Append the certificate among found that key belongs to, with its chain.
 * found_in and key_in name where they came from; equal names are one file. The
 * key stays the caller's. -1: nothing was added, and a problem was. */
int
certificate_build(const struct certificate_loading *loading,
		  const char *found_in, const STACK_OF(X509) *found,
		  const char *key_in, EVP_PKEY *key);

/* Read a file of the set and find what is in it; the content must be cleared
 * in any case. -1 with a sentence that names the file. */
int
certificate_read(const struct certificate_loading *loading, const char *name,
		 struct certificate_content *content, struct error *error)
	__attribute__((warn_unused_result));

/* Append what a content that was read from `name` holds, its key in it or in
 * the file `key`. */
void
certificate_load_content(const struct certificate_loading *loading,
			 const char *name,
			 const struct certificate_content *content);
void
certificate_load_with_key(const struct certificate_loading *loading,
			  const char *name,
			  const struct certificate_content *content,
			  const char *key);

/* Read `name` and do the one or the other; key may be NULL. */
void
certificate_load_file(const struct certificate_loading *loading,
		      const char *name, const char *key);

#endif
