/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words for protocol versions, and sets of them.
 */
#include "common/tls/tls_version.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"

/* The longest word of the grammar is shorter. */
#define WORD_MAX 16

static const struct {
	unsigned int version;
	int number; /* OpenSSL's; 0: none speaks it any more */
	const char *name;
	const char *spellings[3];
} versions_known[] = {
	{TLS_VERSION_SSL2, 0, "SSLv2", {NULL}},
	{TLS_VERSION_SSL3, SSL3_VERSION, "SSLv3", {NULL}},
	{TLS_VERSION_1_0,
	 TLS1_VERSION,
	 "TLSv1",
	 {"TLSv1.0", "TLSv10", "TLSv1_0"}},
	{TLS_VERSION_1_1, TLS1_1_VERSION, "TLSv1.1", {"TLSv11", "TLSv1_1"}},
	{TLS_VERSION_1_2, TLS1_2_VERSION, "TLSv1.2", {"TLSv12", "TLSv1_2"}},
	{TLS_VERSION_1_3, TLS1_3_VERSION, "TLSv1.3", {"TLSv13", "TLSv1_3"}},
};

/* Words that stand for every version. */
static const char *const words_for_all[] = {"SSLv23", "SSLv2/3", "TLS"};

unsigned int
tls_version_parse_one(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions_known); i++) {
		if (strcasecmp(word, versions_known[i].name) == 0)
			return versions_known[i].version;
		for (size_t j = 0; j < ARRAY_SIZE(versions_known[i].spellings);
		     j++) {
			const char *spelling = versions_known[i].spellings[j];

			if (spelling && strcasecmp(word, spelling) == 0)
				return versions_known[i].version;
		}
	}
	return 0;
}

static unsigned int
parse_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(words_for_all); i++)
		if (strcasecmp(word, words_for_all[i]) == 0)
			return TLS_VERSION_ALL;
	return tls_version_parse_one(word);
}

/* The next word, cut out at its colon with the blanks around it; moves text
 * behind the colon, to NULL after the last. */
static size_t
next_word(const char **text, const char **word)
{
	const char *start = *text;
	const char *end = strchr(start, ':');

	*text = end ? end + 1 : NULL;
	if (!end)
		end = start + strlen(start);
	while (start < end && (*start == ' ' || *start == '\t'))
		start++;
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*word = start;
	return (size_t)(end - start);
}

int
tls_version_parse(const char *text, unsigned int *versions, struct error *error)
{
	unsigned int wanted = 0, unwanted = 0;
	bool has_wanted = false;

	for (const char *rest = text; rest;) {
		char copy[WORD_MAX] = "", shown[64];
		const char *word;
		size_t length = next_word(&rest, &word);
		bool is_excluded = length > 0 && word[0] == '!';
		unsigned int version = 0;

		if (is_excluded) {
			word++;
			length--;
		}
		if (length < sizeof(copy)) {
			memcpy(copy, word, length);
			version = parse_word(copy);
		}
		if (!version) {
			text_escape(word, length, shown, sizeof(shown));
			error_set(error,
				  "\"%s\" is no TLS version: SSLv23 (every "
				  "version), SSLv2, SSLv3, TLSv1, TLSv1_1, "
				  "TLSv1_2, TLSv1_3, each with a ! in front to "
				  "leave it out, separated by colons",
				  shown);
			return -1;
		}
		if (is_excluded) {
			unwanted |= version;
		} else {
			wanted |= version;
			has_wanted = true;
		}
	}
	if (!has_wanted)
		wanted = TLS_VERSION_ALL;
	if ((wanted & ~unwanted) == 0) {
		error_set(error,
			  "no version is left; there are SSLv2, SSLv3, TLSv1, "
			  "TLSv1_1, TLSv1_2 and TLSv1_3");
		return -1;
	}
	*versions = wanted & ~unwanted;
	return 0;
}

/* Does the library, held to that one version and with every scruple off, find
 * a suite to offer? */
static bool
is_spoken(int number)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	STACK_OF(SSL_CIPHER) *suites = NULL;
	bool is_found = false;
	SSL *ssl = NULL;

	if (context && SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0") &&
	    SSL_CTX_set_min_proto_version(context, 0) &&
	    SSL_CTX_set_max_proto_version(context, number) &&
	    SSL_CTX_set_min_proto_version(context, number))
		ssl = SSL_new(context);
	if (ssl)
		suites = SSL_get1_supported_ciphers(ssl);
	is_found = sk_SSL_CIPHER_num(suites) > 0;
	sk_SSL_CIPHER_free(suites);
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
	return is_found;
}

unsigned int
tls_version_available(void)
{
	static unsigned int available;

	if (available)
		return available;
	for (size_t i = 0; i < ARRAY_SIZE(versions_known); i++)
		if (versions_known[i].number &&
		    is_spoken(versions_known[i].number))
			available |= versions_known[i].version;
	return available;
}

int
tls_version_number(unsigned int version)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions_known); i++)
		if (versions_known[i].version == version)
			return versions_known[i].number;
	return 0;
}

const char *
tls_version_name(unsigned int version)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions_known); i++)
		if (versions_known[i].version == version)
			return versions_known[i].name;
	return "";
}

const char *
tls_version_format(unsigned int versions, char *buffer, size_t size)
{
	size_t length = 0;

	assert(size > 0);
	buffer[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(versions_known); i++) {
		if (!(versions & versions_known[i].version))
			continue;
		snprintf(buffer + length, size - length, "%s%s",
			 length > 0 ? ", " : "", versions_known[i].name);
		length += strlen(buffer + length);
	}
	return buffer;
}
