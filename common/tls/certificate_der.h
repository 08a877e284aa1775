/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be known of a certificate, found in its DER: an X509 takes OpenSSL
 * a third of a millisecond, nearly all of it for the public key. What is found
 * here is only where things are; OpenSSL decodes the certificate before it is
 * served.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_DER_H
#define SEALOCK_TLS_CERTIFICATE_DER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/der.h"
#include "common/tls/certificate.h"

struct certificate_der {
	struct der_span issuer; /* whole elements, with their heads */
	struct der_span subject;
	struct der_span not_before;
	struct der_span not_after;
	struct der_span public_key;    /* the subject public key info */
	struct der_span algorithm;     /* the content of its algorithm */
	struct der_span names;         /* the content of the extension */
	struct der_span authority_key; /* the same */
	enum certificate_type type;    /* never RSA_PSS */
};

/* False: it is no version 3 certificate of the usual form with a key of the
 * usual kinds and size. */
bool
certificate_der_read(const unsigned char *bytes, size_t length,
		     struct certificate_der *found);

/* The content of an extension of any version 3 certificate, whatever its key;
 * oid is the identifier's content. Twice or not at all: false. */
bool
certificate_der_extension(const unsigned char *bytes, size_t length,
			  const unsigned char *oid, size_t oid_length,
			  struct der_span *content);

/* Does an unencrypted private key, PKCS#8 (label "PRIVATE KEY") or one of the
 * traditional forms, say that it is of that algorithm? */
bool
certificate_der_is_key(const unsigned char *bytes, size_t length,
		       const char *label, const struct certificate_der *of);

#endif
