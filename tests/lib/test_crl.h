/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Revocation lists for tests, made when they run. What cannot be made ends the
 * test program with a sentence.
 */
#ifndef SEALOCK_TESTS_TEST_CRL_H
#define SEALOCK_TESTS_TEST_CRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

struct test_identity;

struct test_crl_entry {
	const X509 *certificate; /* or */
	const char *serial;      /* in hexadecimal, perhaps with a minus */
	int reason;              /* -1: none */
	int64_t date;
	const char *issuer; /* its extension, as in openssl.cnf */
};

struct test_crl_extension {
	const char *name;  /* of OpenSSL, or an OID */
	const char *value; /* as in openssl.cnf: "critical,fullname:URI:..." */
};

struct test_crl {
	const struct test_identity *issuer;
	const struct test_identity *signer; /* NULL: the issuer */
	const char *issuer_name;            /* instead of the issuer's CN */
	int64_t this_update;                /* in seconds since 1970 */
	int64_t next_update;                /* 0: none */
	const struct test_crl_entry *entries;
	size_t entry_count;
	const struct test_crl_extension *extensions;
	size_t extension_count;
	const char *digest; /* NULL: SHA-256, or what the key has itself */
	bool is_pss;
};

/* DER in own memory (mem_free()). */
unsigned char *
test_crl_der(const struct test_crl *crl, size_t *length);

/* PEM, a text. */
char *
test_crl_pem(const struct test_crl *crl);

#endif
