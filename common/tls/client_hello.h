/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ClientHello, read before OpenSSL sees it: server name, ALPN and
 * versions, over any split into records and segments (RFC 8446 4.1.2 and 5.1,
 * RFC 5246 7.4.1.2, RFC 6066 3, RFC 7301 3.1). The route and the policy follow
 * from it, so it must say the same as OpenSSL's own reading.
 */
#ifndef SEALOCK_TLS_CLIENT_HELLO_H
#define SEALOCK_TLS_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/hostname.h"

/* The most bytes of a ClientHello that we wait for, record headers counted. */
#define CLIENT_HELLO_MAX 16384

#define CLIENT_HELLO_ALPN_MAX 16

enum client_hello_result {
	CLIENT_HELLO_COMPLETE,
	CLIENT_HELLO_MORE,      /* so far well-formed, but not whole */
	CLIENT_HELLO_PLAINTEXT, /* not TLS at all */
	CLIENT_HELLO_TOO_LONG,
	CLIENT_HELLO_MALFORMED, /* a TLS record, but no well-formed hello */
};

struct client_hello {
	bool has_server_name;
	bool is_server_name_valid; /* a host name as hostname.h wants it; when
				    * not, server_name is "" and the raw bytes
				    * are in raw_name */
	char server_name[HOSTNAME_MAX + 1]; /* lower case */
	unsigned char raw_name[256];        /* the first bytes, for the log */
	size_t raw_name_length;
	/* The client's order; each name is length bytes of alpn_storage from
	 * offset on, so that the struct can be copied and outlives the bytes
	 * that were read. */
	struct {
		uint16_t offset;
		uint8_t length;
	} alpn[CLIENT_HELLO_ALPN_MAX];
	size_t alpn_count;       /* those beyond the last are left out */
	unsigned int versions;   /* enum tls_version: what the client offers;
				  * up to legacy_version when it has no list */
	uint16_t legacy_version; /* of the hello's body */
	bool has_early_data;
	unsigned char alpn_storage[512];
};

/* Read what has arrived so far (from its first byte each time; what follows
 * the hello is passed over). hello is filled only when the result is COMPLETE.
 * On MALFORMED, PLAINTEXT and TOO_LONG alert is the description of the alert
 * to send (RFC 8446 6). Bounded time: linear in length. */
enum client_hello_result
client_hello_parse(const void *bytes, size_t length, struct client_hello *hello,
		   uint8_t *alert) __attribute__((warn_unused_result));

#endif
