/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any certificate, or any content of a subjectAltName: its names are taken
 * out, in memory that its size bounds, found at every host they might be for,
 * and shown without a byte that is not fit to be read.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/openssl_auto.h"
#include "common/verify/peer_names.h"
#include "common/verify/public_suffix.h"
#include "common/verify/verify_name.h"
#include "common/verify/verify_scheme.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Every byte is looked at: AddressSanitizer knows whose they are. */
static size_t
touch(const struct peer_name *name)
{
	size_t sum = 0;
	char text[80];

	for (size_t i = 0; i < name->length; i++)
		sum += (unsigned char)name->bytes[i];
	peer_name_format(name, text, sizeof(text));
	assert(strlen(text) < sizeof(text));
	for (const char *at = text; *at; at++)
		assert(*at >= ' ' && *at <= '~');
	return sum;
}

static void
compare(const struct peer_names *names, const char *host)
{
	const struct verify_scheme *scheme = verify_scheme_find("default");
	const struct peer_name *matched;
	char why[128];

	if (verify_name_check(scheme, NULL, names, host, &matched))
		assert(matched);
	else
		verify_name_explain(scheme, NULL, names, host, why,
				    sizeof(why));
}

/* Each name of an input takes a byte of it at least; a byte of a CN becomes
 * two in UTF-8 at most (T61String), or is a fourth of what becomes six; what
 * is of another kind has a word of ours. */
static void
check(struct peer_names *names, size_t length)
{
	size_t total = 0;

	assert(peer_names_count(names) <= length + 1);
	for (size_t i = 0; i < peer_names_count(names); i++) {
		const struct peer_name *name = peer_names_at(names, i);

		touch(name);
		assert(peer_name_kind_word(name->kind));
		if (name->kind != PEER_NAME_OTHER &&
		    name->kind != PEER_NAME_UNREADABLE)
			total += name->length;
		if (name->kind == PEER_NAME_IP)
			assert(name->length == 4 || name->length == 16);
	}
	assert(total <= 2 * length);
	compare(names, "web.example");
	compare(names, "192.0.2.1");
	compare(names, "2001:db8::1");
	peer_names_free(names);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const unsigned char *at = bytes;
	AUTO_OPENSSL(x509) X509 *certificate = NULL;
	AUTO_OPENSSL(general_names) GENERAL_NAMES *alternatives = NULL;

	if (length > 1 << 20)
		return 0;
	certificate = d2i_X509(NULL, &at, (long)length);
	at = bytes;
	alternatives = d2i_GENERAL_NAMES(NULL, &at, (long)length);
	ERR_clear_error();
	if (certificate)
		check(peer_names_new(certificate), length);
	if (alternatives)
		check(peer_names_of_alternatives(alternatives), length);
	assert(ERR_peek_error() == 0);
	return 0;
}
