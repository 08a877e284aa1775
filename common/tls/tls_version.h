/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protocol versions: the words of the configuration and the grammar of the
 * manual's SSL_version ("SSLv23:!SSLv3:!TLSv1_1").
 */
#ifndef SEALOCK_TLS_TLS_VERSION_H
#define SEALOCK_TLS_TLS_VERSION_H

#include <stddef.h>

struct error;

/* A set of versions. */
enum tls_version {
	TLS_VERSION_SSL2 = 1 << 0,
	TLS_VERSION_SSL3 = 1 << 1,
	TLS_VERSION_1_0 = 1 << 2,
	TLS_VERSION_1_1 = 1 << 3,
	TLS_VERSION_1_2 = 1 << 4,
	TLS_VERSION_1_3 = 1 << 5,
	TLS_VERSION_ALL = (1 << 6) - 1,
};

/* One version: TLSv1.2, TLSv12, TLSv1_2, TLSv1, SSLv3 ... without case; 0 if
 * it is none. */
unsigned int
tls_version_parse_one(const char *word);

/* The manual's grammar, SSL_version in IO::Socket::SSL: words separated by
 * colons (a blank after one is allowed). SSLv23 or TLS stands for every
 * version, a word for that version alone, several words for all of them, and
 * !word takes one away; only exclusions means all but those. The result is
 * what was asked for, not yet cut to what this OpenSSL speaks. An empty
 * result or an unknown word is an error that names the words there are. */
int
tls_version_parse(const char *text, unsigned int *versions, struct error *error)
	__attribute__((warn_unused_result));

/* What the linked OpenSSL can speak. */
unsigned int
tls_version_available(void);

/* OpenSSL's number for a single version (TLS1_2_VERSION); 0 for SSLv2. */
int
tls_version_number(unsigned int version);

/* "TLSv1.2", for a single version. */
const char *
tls_version_name(unsigned int version);

/* "TLSv1.2, TLSv1.3"; returns buffer. */
const char *
tls_version_format(unsigned int versions, char *buffer, size_t size);

#endif
