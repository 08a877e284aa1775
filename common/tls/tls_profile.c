/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profiles' tables.
 */
#include "common/tls/tls_profile.h"

#include <assert.h>

#include "common/base/mem.h"
#include "common/tls/tls_version.h"

#define CIPHERSUITES                                     \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
	"TLS_CHACHA20_POLY1305_SHA256"

#define CIPHERS_AEAD                                                 \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

#define CIPHERS_CBC                                          \
	"ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:" \
	"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"       \
	"ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:" \
	"ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"

static const char *const groups[] = {
	"?X25519MLKEM768",
	"X25519",
	"P-256",
	"P-384",
};

/* Old is what a client of before 2014 can still be served with. TLS 1.0 and
 * 1.1 are not in it: they cost the security level of every connection, so the
 * operator has to name them (versions). */
static const struct tls_profile_values profiles[] = {
	[TLS_PROFILE_MODERN] =
		{
			.name = "modern",
			.versions = TLS_VERSION_1_3,
			.ciphers = CIPHERS_AEAD,
			.ciphersuites = CIPHERSUITES,
			.groups = groups,
			.group_count = ARRAY_SIZE(groups),
		},
	[TLS_PROFILE_INTERMEDIATE] =
		{
			.name = "intermediate",
			.versions = TLS_VERSION_1_2 | TLS_VERSION_1_3,
			.ciphers = CIPHERS_AEAD,
			.ciphersuites = CIPHERSUITES,
			.groups = groups,
			.group_count = ARRAY_SIZE(groups),
		},
	[TLS_PROFILE_OLD] =
		{
			.name = "old",
			.versions = TLS_VERSION_1_2 | TLS_VERSION_1_3,
			.ciphers = CIPHERS_AEAD ":" CIPHERS_CBC,
			.ciphersuites = CIPHERSUITES,
			.groups = groups,
			.group_count = ARRAY_SIZE(groups),
			.is_server_order = true,
		},
};

const struct tls_profile_values *
tls_profile_values(enum tls_profile profile)
{
	assert(profile < ARRAY_SIZE(profiles));
	return &profiles[profile];
}
