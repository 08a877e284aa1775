/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mozilla's server side TLS guidelines as data: versions 5.8 and 6.0 of April
 * and May 2026, without what has no forward secrecy.
 */
#ifndef SEALOCK_TLS_TLS_PROFILE_H
#define SEALOCK_TLS_TLS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/tls/tls_settings.h"

struct tls_profile_values {
	const char *name;
	unsigned int versions;    /* enum tls_version */
	const char *ciphers;      /* to TLS 1.2 */
	const char *ciphersuites; /* TLS 1.3 */
	const char *const *groups;
	size_t group_count;
	bool is_server_order; /* whose order of ciphers counts */
};

const struct tls_profile_values *
tls_profile_values(enum tls_profile profile);

#endif
