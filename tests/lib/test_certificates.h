/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates for tests, made when they run: no key stands in the tree. What
 * cannot be made ends the test program with a sentence, so that nobody has to
 * check.
 *
 *	struct test_identity *ca = test_ca("Test CA", NULL);
 *	struct test_identity *web = test_leaf("p256", "web.example", ca);
 *	struct certificate *loaded = test_certificate(web);
 *	...
 *	certificate_unref(loaded);
 *	test_identity_free(web);
 *	test_identity_free(ca);
 */
#ifndef SEALOCK_TESTS_TEST_CERTIFICATES_H
#define SEALOCK_TESTS_TEST_CERTIFICATES_H

#include <stddef.h>
#include <openssl/types.h>

struct certificate;
struct certificate_request;
struct file_set;

/* A certificate and its private key. */
struct test_identity {
	X509 *certificate;
	EVP_PKEY *key;
	const struct test_identity *issuer; /* lent; NULL: self-signed */
};

/* A CA with a P-256 key; issuer NULL makes it a root. Valid for 30 days. */
struct test_identity *
test_ca(const char *common_name, const struct test_identity *issuer);

/* A server's and client's certificate with a key of that kind (see
 * certificate_create_key()) and one name; self-signed when issuer is NULL.
 * Valid for 30 days from the clock's time, which clock_shift() moves. */
struct test_identity *
test_leaf(const char *kind, const char *name,
	  const struct test_identity *issuer);

/* Whatever else is wanted. */
struct test_identity *
test_identity(const char *kind, const struct certificate_request *request,
	      const struct test_identity *issuer);

/* The issuers live on. */
void
test_identity_free(struct test_identity *identity);

/* The certificate, or it and all its issuers up to but without the root; or
 * the key: as PKCS#8, encrypted with AES-256 when there is a pass-phrase. PEM
 * in own memory (mem_free()). */
char *
test_pem_certificate(const struct test_identity *identity);
char *
test_pem_chain(const struct test_identity *identity);
char *
test_pem_key(const struct test_identity *identity, const char *passphrase);

/* An identity as the configuration would have loaded it, with its chain: what
 * TLS tests put into an SSL_CTX. */
struct certificate *
test_certificate(const struct test_identity *identity);

/* Bytes as a file of a set, without a file (a memfd). */
void
test_file_set_add(struct file_set *set, const char *name, const void *bytes,
		  size_t length);

/* A new directory below $TMPDIR or /tmp; gone, with what is in it and its
 * name's memory, by test_directory_remove(). */
char *
test_directory(void);
void
test_directory_remove(char *directory);

/* A file, a directory or a symbolic link in it. Returns its path, valid until
 * the next call. A text may be written with its strlen(). */
const char *
test_directory_write(const char *directory, const char *name, const void *bytes,
		     size_t length);
const char *
test_directory_enter(const char *directory, const char *name);
const char *
test_directory_link(const char *directory, const char *name,
		    const char *target);

#endif
