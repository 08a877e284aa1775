/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See the header.
 */
#include "tests/lib/certificate_attempt.h"

#include <stdio.h>
#include <string.h>
#include <CUnit/CUnit.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/base/file_set.h"
#include "tests/lib/test_certificates.h"

char certificate_name[] = "/test/web.pem";
char key_name[] = "/test/web.key";
char passphrase_name[] = "env:PASS";

struct attempt
attempt_new(void)
{
	struct attempt attempt = {
		.spec = {.at = {"sealock.yaml", 7, 3},
			 .source = CERTIFICATE_FILE,
			 .path = certificate_name},
		.files = file_set_new(),
	};

	return attempt;
}

void
attempt_clear(struct attempt *attempt)
{
	certificate_list_clear(&attempt->list);
	error_list_clear(&attempt->problems);
	file_set_free(attempt->files);
}

void
attempt_bytes(struct attempt *attempt, const char *name, const void *bytes,
	      size_t length)
{
	test_file_set_add(attempt->files, name, bytes, length);
	if (strcmp(name, key_name) == 0) {
		attempt->spec.source = CERTIFICATE_PAIR;
		attempt->spec.key = key_name;
	} else if (strcmp(name, passphrase_name) == 0) {
		attempt->spec.passphrase.kind = SECRET_ENVIRONMENT;
		attempt->spec.passphrase.name = passphrase_name;
	}
}

void
attempt_text(struct attempt *attempt, const char *name, const char *text)
{
	attempt_bytes(attempt, name, text, strlen(text));
}

size_t
attempt_load(struct attempt *attempt)
{
	size_t count = certificate_load(&attempt->spec, attempt->files,
					&attempt->list, &attempt->problems);

	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
	CU_ASSERT_EQUAL(count, attempt->list.count);
	return count;
}

void
expect_loaded(struct attempt *attempt, const struct test_identity *identity)
{
	CU_ASSERT_EQUAL(attempt_load(attempt), 1);
	CU_ASSERT_EQUAL(attempt->problems.count, 0);
	if (attempt->problems.count > 0)
		fprintf(stderr, "%s\n", attempt->problems.errors[0].text);
	if (attempt->list.count == 1) {
		const struct certificate *loaded =
			attempt->list.certificates[0];

		CU_ASSERT_EQUAL(X509_cmp(loaded->leaf, identity->certificate),
				0);
		CU_ASSERT_EQUAL(EVP_PKEY_eq(loaded->key, identity->key), 1);
	}
	attempt_clear(attempt);
}

void
expect_refused(struct attempt *attempt, const char *sentence)
{
	CU_ASSERT_EQUAL(attempt_load(attempt), 0);
	CU_ASSERT_EQUAL_FATAL(attempt->problems.count, 1);
	CU_ASSERT_STRING_EQUAL(attempt->problems.errors[0].text, sentence);
	if (strcmp(attempt->problems.errors[0].text, sentence) != 0)
		fprintf(stderr, "got:  %s\nwant: %s\n",
			attempt->problems.errors[0].text, sentence);
	CU_ASSERT_EQUAL(attempt->problems.errors[0].at.line, 7);
	attempt_clear(attempt);
}
