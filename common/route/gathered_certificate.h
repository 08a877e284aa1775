/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A certificate as whoever holds the keys keeps it: its DER, what the index
 * says of it, and its private key. Small, where an X509 of OpenSSL has some ten
 * kilobytes; shared by the gatherings that have it, on any thread.
 */
#ifndef SEALOCK_ROUTE_GATHERED_CERTIFICATE_H
#define SEALOCK_ROUTE_GATHERED_CERTIFICATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/tls/certificate.h"

struct private_key;

/* The DER of a certificate, counted. */
struct der {
	atomic_uint references;
	size_t length;
	unsigned char bytes[];
};

struct der *
der_new(const unsigned char *bytes, size_t length);
struct der *
der_ref(struct der *der);

/* NULL is legal. */
void
der_unref(struct der *der);

struct gathered_certificate {
	atomic_uint references;
	char *source;
	struct der *leaf;
	struct der **chain;
	size_t chain_count;
	struct private_key *key;
	enum certificate_type type;
	char **names;
	size_t name_count;
	bool is_default;
	int64_t not_before_ms;
	int64_t not_after_ms;
	unsigned char key_id[KEY_ID_SIZE];
	unsigned char digest[32];
};

/* What is worth keeping of a loaded certificate, copied. */
struct gathered_certificate *
gathered_certificate_new(const struct certificate *from);
struct gathered_certificate *
gathered_certificate_ref(struct gathered_certificate *certificate);

/* NULL is legal. */
void
gathered_certificate_unref(struct gathered_certificate *certificate);

#endif
