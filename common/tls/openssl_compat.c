/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between OpenSSL 3.0 and 3.5. Where the library can be asked it
 * is asked, as the one that runs may be newer than the headers.
 */
#include "common/tls/openssl_compat.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <openssl/err.h>
#include <openssl/opensslv.h>
#include <openssl/ssl.h>

#include "common/base/mem.h"

static bool
takes_groups(const char *groups)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	AUTO_FREE char *list = mem_strdup(groups);
	bool is_taken = context && SSL_CTX_set1_groups_list(context, list) == 1;

	SSL_CTX_free(context);
	ERR_clear_error();
	return is_taken;
}

bool
openssl_compat_has_group(const char *name)
{
	/* 3.5 reads more than names: marks, tuples, and a word for its own
	 * default. */
	if (strcasecmp(name, "DEFAULT") == 0 || name[0] == '\0')
		return false;
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
			return false;
	return isalnum((unsigned char)name[0]) && takes_groups(name);
}

bool
openssl_compat_has_key_share_marks(void)
{
	return takes_groups("*X25519");
}

const char *
openssl_compat_group_name(SSL *ssl)
{
	const char *name = NULL;

	if (!SSL_get0_session(ssl))
		return "";
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
	name = SSL_get0_group_name(ssl);
#else
	name = SSL_group_to_name(ssl, (int)SSL_get_negotiated_group(ssl));
#endif
	if (!name)
		return "";
	/* As operators and the other tools write them. */
	if (strcmp(name, "x25519") == 0)
		return "X25519";
	if (strcmp(name, "x448") == 0)
		return "X448";
	return name;
}

unsigned long long
openssl_compat_options(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
	return SSL_OP_NO_RX_CERTIFICATE_COMPRESSION;
#else
	return 0;
#endif
}
