/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index of revocation lists as a worker gets it: what is accepted can be
 * asked for any certificate.
 *
 * Seeds: SEALOCK_CRL_INDEX_SEED=FILE tests/unit/unit crl_index
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/tls/certificate_create.h"
#include "common/verify/crl_index.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* An issuer of the name that the seeds have, and what it issued. */
static struct {
	X509 *issuer;
	X509 *certificate;
} made;

static void
make(void)
{
	static const char *const name = "leaf.example";
	const struct certificate_request issuer = {
		.common_name = "CRL Root",
		.purpose = CERTIFICATE_FOR_CA,
		.days = 30,
	};
	const struct certificate_request leaf = {
		.names = &name,
		.name_count = 1,
		.purpose = CERTIFICATE_FOR_SERVER,
		.days = 30,
		.crl_uri = "http://crl.example/1",
	};
	EVP_PKEY *key = certificate_create_key("p256", NULL);

	made.issuer = certificate_create(&issuer, key, NULL, NULL, NULL);
	made.certificate =
		certificate_create(&leaf, key, made.issuer, key, NULL);
	assert(made.issuer && made.certificate);
	EVP_PKEY_free(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	int descriptor = sealed_new("lists", bytes, length);
	struct crl_index *index;
	struct crl_finding finding;
	struct error error = {0};

	if (!made.issuer)
		make();
	assert(descriptor >= 0);
	index = crl_index_open(descriptor, &error);
	close(descriptor);
	/* One or the other. */
	assert(!index == (error.text[0] != '\0'));
	for (size_t i = 0; index && i < crl_index_count(index); i++) {
		char *issuer;

		crl_index_describe(index, i, &finding, &issuer);
		assert(finding.source && issuer);
		mem_free(issuer);
	}
	if (index) {
		/* Nobody has that key: what it says is never believed. */
		enum crl_answer answer = crl_index_check(
			&index, 1, made.certificate, made.issuer,
			INT64_C(1900000000), true, &finding);

		assert(answer == CRL_MISSING || answer == CRL_BAD_SIGNATURE);
	}
	crl_index_unref(index);
	return 0;
}
