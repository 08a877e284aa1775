/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A certificate with its chain and its private key, from whatever an operator
 * has: PEM, DER or PKCS#12, told apart by content, the key in the same file or
 * in another one, the chain in any order.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_H
#define SEALOCK_TLS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>
#include <openssl/x509v3.h>

struct certificate_spec;
struct error;
struct error_list;
struct file_set;
struct unit_loading;

/* What the key is for TLS: an SSL_CTX holds one certificate of each. */
enum certificate_type {
	CERTIFICATE_RSA,
	CERTIFICATE_RSA_PSS,
	CERTIFICATE_ECDSA,
	CERTIFICATE_ED25519,
	CERTIFICATE_ED448,
	CERTIFICATE_TYPE_COUNT,
};

/* SHA-256 over the DER of the subject public key info: names a key. */
#define KEY_ID_SIZE 32

/* Counted: certificate_new… and certificate_ref() give a reference,
 * certificate_unref() returns it. All fields are read-only after loading. */
struct certificate {
	unsigned int references;
	char *source; /* for messages: the file or files it came from */
	X509 *leaf;
	STACK_OF(X509) *chain; /* the issuers to send, leaf's issuer first,
				* without a self-signed root */
	X509 *issuer;          /* the leaf's, when a root is all that is known
				* of its issuers; else NULL */
	EVP_PKEY *key;         /* the private key; NULL: none was asked for */
	enum certificate_type type;
	char **names; /* normalized DNS names (SAN, else CN), or those of the
		       * spec; names that are no host names are left out */
	size_t name_count;
	bool is_default;
	int64_t not_before_ms; /* since 1970 */
	int64_t not_after_ms;
	unsigned char key_id[KEY_ID_SIZE];
	unsigned char digest[32]; /* SHA-256 of the leaf's DER */
	bool is_chain_repaired;   /* order mended or foreign ones dropped */
	bool is_self_issued;      /* made by self_signed */
	bool is_stapled; /* a context with it sends its OCSP answer along */
};

/* A growing array of references. */
struct certificate_list {
	struct certificate **certificates;
	size_t count;
};

void
certificate_list_add(struct certificate_list *list,
		     struct certificate *certificate);
void
certificate_list_clear(struct certificate_list *list);

/* Load what one entry of `certificates` names and append it to the list: one
 * certificate, or for a directory each one in it (a directory with
 * fullchain.pem and privkey.pem, as certbot's, is one; in others every file
 * that holds a certificate with its key is one, X.crt or X.pem with X.key
 * beside it too, and files that hold neither are passed over: see
 * certificate_directory.h). A file with several pairs gives several.
 *
 * What cannot be loaded does not stop the rest: each such certificate leaves
 * one sentence in problems, with the entry's position, that names the files
 * and the cause (unreadable, empty, no certificate in it, no key, key and
 * certificate do not match - both files named -, wrong or missing
 * pass-phrase, an RSA key under 2048 bits ...). Secrets never stand in a
 * sentence. Returns how many were appended. */
size_t
certificate_load(const struct certificate_spec *spec,
		 const struct file_set *files, struct certificate_list *list,
		 struct error_list *problems);

/* The same into records, of what has changed since an earlier loading, or is
 * new: see certificate_unit.h. loading->digest is set here. */
size_t
certificate_load_records(const struct certificate_spec *spec,
			 const struct file_set *files,
			 struct unit_loading *loading,
			 struct error_list *problems);

/* Only the public part of a file: its certificates in the order found, for
 * `sealock cert show`; bytes are PEM, DER or PKCS#12 (pass-phrase may be
 * NULL). NULL and a sentence when there is none. The caller frees the stack
 * with its elements. */
STACK_OF(X509) *
certificate_parse_all(const void *bytes, size_t length, const char *passphrase,
		      struct error *error);

struct certificate *
certificate_ref(struct certificate *certificate);
void
certificate_unref(struct certificate *certificate);

/* The names a leaf can be asked for by: DNS names of the SAN, the common name
 * when there is no SAN of type DNS; normalized, those that are none left out.
 * The array and its strings are the caller's (mem_free()). */
size_t
certificate_names(X509 *leaf, char ***names);

/* The same for the content of a SAN. */
size_t
certificate_names_in(const GENERAL_NAMES *alternatives, char ***names);

/* A time in milliseconds since 1970; -1: it is none. */
int
certificate_time(const ASN1_TIME *when, int64_t *milliseconds)
	__attribute__((warn_unused_result));

/* From when and to when a certificate is valid, in milliseconds since 1970.
 * -1: it holds no times that can be read. */
int
certificate_validity(const X509 *certificate, int64_t *not_before_ms,
		     int64_t *not_after_ms) __attribute__((warn_unused_result));

/* "RSA 2048", "ECDSA P-256", "Ed25519"; returns buffer. */
const char *
certificate_key_format(EVP_PKEY *key, char *buffer, size_t size);

#endif
