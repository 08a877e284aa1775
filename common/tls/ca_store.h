/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificate authorities that an operator trusts, as an X509_STORE.
 * Stores are shared by content: a hundred services with the system's
 * authorities hold one copy, and a reload that changes none reads none.
 */
#ifndef SEALOCK_TLS_CA_STORE_H
#define SEALOCK_TLS_CA_STORE_H

#include <stddef.h>
#include <openssl/x509.h>

struct error_list;
struct file_set;
struct position;
struct tls_ca;

struct ca_store;

/* All of these authorities, at least one, in one store: from files (PEM, DER),
 * from every file of a directory, from the configuration's text. What cannot
 * be read and a source without a certificate are problems; a file of a
 * directory is passed over when there is none in it, with a warning (warnings
 * may be NULL) when it cannot be read. NULL when there were problems. */
struct ca_store *
ca_store_open(const struct tls_ca *cas, size_t count,
	      const struct file_set *files, struct error_list *problems,
	      struct error_list *warnings);
struct ca_store *
ca_store_ref(struct ca_store *store);
void
ca_store_unref(struct ca_store *store);

/* Borrowed; whoever keeps it takes a reference of its own. */
X509_STORE *
ca_store_x509(const struct ca_store *store);

/* The subjects of all certificates in it, each once; borrowed. */
const STACK_OF(X509_NAME) *
ca_store_names(const struct ca_store *store);

/* SHA-256 over everything that was read; 32 bytes. */
const unsigned char *
ca_store_digest(const struct ca_store *store);

#endif
