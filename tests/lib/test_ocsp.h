/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OCSP answers for tests, made when they run. What cannot be made ends the test
 * program with a sentence.
 *
 *	struct test_ocsp_single single = {
 *		.about = leaf, .this_update = now - 60, .next_update = now + 60,
 *	};
 *	struct test_ocsp answer = {
 *		.signer = ca, .singles = &single, .single_count = 1,
 *	};
 *	unsigned char *der = test_ocsp_der(&answer, &length);
 */
#ifndef SEALOCK_TESTS_TEST_OCSP_H
#define SEALOCK_TESTS_TEST_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

struct test_identity;

enum test_ocsp_status {
	TEST_OCSP_GOOD,
	TEST_OCSP_REVOKED,
	TEST_OCSP_UNKNOWN,
};

/* What is said of one certificate. */
struct test_ocsp_single {
	const struct test_identity *about;
	const struct test_identity *issuer; /* NULL: the one that it has */
	const char *digest;                 /* NULL: SHA1 */
	enum test_ocsp_status status;
	int64_t this_update;
	int64_t next_update; /* 0: is not said */
	int64_t revoked_at;
	int reason;       /* of REVOKED; -1: none */
	bool is_critical; /* with a critical extension that nobody knows */
};

struct test_ocsp {
	int response; /* OCSPResponseStatus; 0: successful */
	const struct test_ocsp_single *singles;
	size_t single_count;
	const struct test_identity *signer;
	const struct test_identity *named; /* as whose answer; NULL: signer's */
	bool is_by_key;                    /* named by its key */
	const char *digest;                /* NULL: SHA256 */
	/* Sent along with it. */
	const struct test_identity *const *certificates;
	size_t certificate_count;
	const void *nonce; /* NULL: none */
	size_t nonce_length;
	bool is_critical; /* as above */
};

/* The answer in DER, in own memory (mem_free()). */
unsigned char *
test_ocsp_der(const struct test_ocsp *answer, size_t *length);

/* A responder's certificate; or what is wanted in its place. Freed by
 * test_identity_free(). */
struct test_ocsp_responder {
	const char *name; /* common name */
	const char *kind; /* of key; NULL: p256 */
	const struct test_identity *issuer;
	const char *extended_key_usage; /* OpenSSL's words; NULL: none */
	const char *key_usage;          /* NULL: none */
	const char *digest;             /* NULL: SHA256 */
	int64_t not_before;             /* 0: an hour ago */
	int64_t not_after;              /* 0: tomorrow */
};
struct test_identity *
test_ocsp_responder(const struct test_ocsp_responder *responder);

#endif
