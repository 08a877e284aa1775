/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * THE table of the signatures that we make in TLS handshakes: the code points
 * of RFC 8446 4.2.3, what each is in OpenSSL's terms, and which versions of
 * TLS may use it with which keys.
 */
#ifndef SEALOCK_TLS_SIGNATURE_SCHEME_H
#define SEALOCK_TLS_SIGNATURE_SCHEME_H

#include <stdint.h>

#include "common/tls/certificate.h"

enum signature_digest {
	SIGNATURE_DIGEST_NONE, /* EdDSA takes the message itself */
	SIGNATURE_DIGEST_MD5_SHA1,
	SIGNATURE_DIGEST_SHA1,
	SIGNATURE_DIGEST_SHA256,
	SIGNATURE_DIGEST_SHA384,
	SIGNATURE_DIGEST_SHA512,
};

enum signature_padding {
	SIGNATURE_PADDING_NONE, /* not RSA */
	SIGNATURE_PADDING_PKCS1,
	SIGNATURE_PADDING_PSS, /* MGF1 of the same digest, salt of its size */
};

/* The versions of TLS that a scheme is for, as a set. */
enum signature_version {
	SIGNATURE_TLS_LEGACY = 1 << 0, /* 1.0 and 1.1 */
	SIGNATURE_TLS_1_2 = 1 << 1,
	SIGNATURE_TLS_1_3 = 1 << 2,
};

struct signature_scheme {
	uint16_t code;
	const char *name; /* as in RFC 8446 */
	enum certificate_type key_type;
	enum signature_padding padding;
	enum signature_digest digest;
	unsigned int versions;
	const char *group; /* ECDSA: the key's curve in TLS 1.3, where the
			    * scheme names it; earlier any of ours will do */
};

/* TLS 1.0 and 1.1 have no code point for RSA over MD5 and SHA-1 together:
 * one of the private range stands for it. */
#define SIGNATURE_RSA_PKCS1_MD5_SHA1 0xff01

enum {
	SIGNATURE_SCHEME_COUNT = 16,
};

/* The scheme with that index, below SIGNATURE_SCHEME_COUNT. */
const struct signature_scheme *
signature_scheme_at(unsigned int index);
unsigned int
signature_scheme_index(const struct signature_scheme *scheme);

/* The scheme with that code point; NULL: none that we make. */
const struct signature_scheme *
signature_scheme_by_code(uint16_t code);

/* The scheme that such a key makes with that padding (NONE for what is not
 * RSA) and digest; NULL: none. */
const struct signature_scheme *
signature_scheme_find(enum certificate_type key_type,
		      enum signature_padding padding,
		      enum signature_digest digest);

/* From any of OpenSSL's names ("SHA2-256", "sha256"; NULL and "" are NONE).
 * Returns -1 for a digest that we never sign with. */
int
signature_digest_parse(const char *name, enum signature_digest *digest)
	__attribute__((warn_unused_result));

/* OpenSSL's name, NULL for NONE; and the size in bytes. */
const char *
signature_digest_name(enum signature_digest digest);
unsigned int
signature_digest_size(enum signature_digest digest);

#endif
