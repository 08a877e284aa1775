/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PKCS#12 (RFC 7292): certificates and keys in one encrypted box.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_PKCS12_H
#define SEALOCK_TLS_CERTIFICATE_PKCS12_H

struct certificate_content;
struct error;

/* Add what is in the box to the content. A box that was sealed with an empty
 * pass-phrase or with none opens whatever passphrase is; NULL: the operator
 * gave none. -1 with a sentence about "it". */
int
certificate_pkcs12_open(const unsigned char *bytes, long length,
			const char *passphrase,
			struct certificate_content *content,
			struct error *error)
	__attribute__((warn_unused_result));

#endif
