/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is not in the table is not signed: no SHA-224, which nobody needs, and
 * SHA-1 and MD5 only as TLS 1.0 and 1.1 want them.
 */
#include "common/tls/signature_scheme.h"

#include <assert.h>
#include <stddef.h>
#include <strings.h>

#include "common/base/mem.h"

#define LEGACY SIGNATURE_TLS_LEGACY
#define TLS12  SIGNATURE_TLS_1_2
#define TLS13  SIGNATURE_TLS_1_3

#define NONE  SIGNATURE_PADDING_NONE
#define PKCS1 SIGNATURE_PADDING_PKCS1
#define PSS   SIGNATURE_PADDING_PSS

#define MD5_SHA1 SIGNATURE_DIGEST_MD5_SHA1
#define SHA1     SIGNATURE_DIGEST_SHA1
#define SHA256   SIGNATURE_DIGEST_SHA256
#define SHA384   SIGNATURE_DIGEST_SHA384
#define SHA512   SIGNATURE_DIGEST_SHA512

static const struct signature_scheme schemes[] = {
	{0x0403, "ecdsa_secp256r1_sha256", CERTIFICATE_ECDSA, NONE, SHA256,
	 TLS12 | TLS13, "prime256v1"},
	{0x0503, "ecdsa_secp384r1_sha384", CERTIFICATE_ECDSA, NONE, SHA384,
	 TLS12 | TLS13, "secp384r1"},
	{0x0603, "ecdsa_secp521r1_sha512", CERTIFICATE_ECDSA, NONE, SHA512,
	 TLS12 | TLS13, "secp521r1"},
	{0x0807, "ed25519", CERTIFICATE_ED25519, NONE, SIGNATURE_DIGEST_NONE,
	 TLS12 | TLS13, NULL},
	{0x0808, "ed448", CERTIFICATE_ED448, NONE, SIGNATURE_DIGEST_NONE,
	 TLS12 | TLS13, NULL},
	{0x0804, "rsa_pss_rsae_sha256", CERTIFICATE_RSA, PSS, SHA256,
	 TLS12 | TLS13, NULL},
	{0x0805, "rsa_pss_rsae_sha384", CERTIFICATE_RSA, PSS, SHA384,
	 TLS12 | TLS13, NULL},
	{0x0806, "rsa_pss_rsae_sha512", CERTIFICATE_RSA, PSS, SHA512,
	 TLS12 | TLS13, NULL},
	{0x0809, "rsa_pss_pss_sha256", CERTIFICATE_RSA_PSS, PSS, SHA256,
	 TLS12 | TLS13, NULL},
	{0x080a, "rsa_pss_pss_sha384", CERTIFICATE_RSA_PSS, PSS, SHA384,
	 TLS12 | TLS13, NULL},
	{0x080b, "rsa_pss_pss_sha512", CERTIFICATE_RSA_PSS, PSS, SHA512,
	 TLS12 | TLS13, NULL},
	{0x0401, "rsa_pkcs1_sha256", CERTIFICATE_RSA, PKCS1, SHA256, TLS12,
	 NULL},
	{0x0501, "rsa_pkcs1_sha384", CERTIFICATE_RSA, PKCS1, SHA384, TLS12,
	 NULL},
	{0x0601, "rsa_pkcs1_sha512", CERTIFICATE_RSA, PKCS1, SHA512, TLS12,
	 NULL},
	{SIGNATURE_RSA_PKCS1_MD5_SHA1, "rsa_pkcs1_md5_sha1", CERTIFICATE_RSA,
	 PKCS1, MD5_SHA1, LEGACY, NULL},
	{0x0203, "ecdsa_sha1", CERTIFICATE_ECDSA, NONE, SHA1, LEGACY, NULL},
};

_Static_assert(ARRAY_SIZE(schemes) == SIGNATURE_SCHEME_COUNT,
	       "the count is the table's");

struct digest {
	const char *name;
	unsigned int size;
};

static const struct digest digests[] = {
	[SIGNATURE_DIGEST_NONE] = {NULL, 0},
	[MD5_SHA1] = {"MD5-SHA1", 36},
	[SHA1] = {"SHA1", 20},
	[SHA256] = {"SHA256", 32},
	[SHA384] = {"SHA384", 48},
	[SHA512] = {"SHA512", 64},
};

struct digest_name {
	const char *name;
	enum signature_digest digest;
};

/* The providers' names and aliases, and those of OBJ_nid2sn(). */
static const struct digest_name digest_names[] = {
	{"SHA2-256", SHA256},   {"SHA256", SHA256}, {"SHA-256", SHA256},
	{"SHA2-384", SHA384},   {"SHA384", SHA384}, {"SHA-384", SHA384},
	{"SHA2-512", SHA512},   {"SHA512", SHA512}, {"SHA-512", SHA512},
	{"SHA1", SHA1},         {"SHA-1", SHA1},    {"SSL3-SHA1", SHA1},
	{"MD5-SHA1", MD5_SHA1},
};

const struct signature_scheme *
signature_scheme_at(unsigned int index)
{
	assert(index < ARRAY_SIZE(schemes));
	return &schemes[index];
}

unsigned int
signature_scheme_index(const struct signature_scheme *scheme)
{
	return (unsigned int)(scheme - schemes);
}

const struct signature_scheme *
signature_scheme_by_code(uint16_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (schemes[i].code == code)
			return &schemes[i];
	return NULL;
}

const struct signature_scheme *
signature_scheme_find(enum certificate_type key_type,
		      enum signature_padding padding,
		      enum signature_digest digest)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (schemes[i].key_type == key_type &&
		    schemes[i].padding == padding &&
		    schemes[i].digest == digest)
			return &schemes[i];
	return NULL;
}

int
signature_digest_parse(const char *name, enum signature_digest *digest)
{
	if (!name || !*name) {
		*digest = SIGNATURE_DIGEST_NONE;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(digest_names); i++) {
		if (strcasecmp(name, digest_names[i].name) == 0) {
			*digest = digest_names[i].digest;
			return 0;
		}
	}
	return -1;
}

const char *
signature_digest_name(enum signature_digest digest)
{
	return digests[digest].name;
}

unsigned int
signature_digest_size(enum signature_digest digest)
{
	return digests[digest].size;
}
