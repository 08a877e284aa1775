/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates are made line by line and never signed: names are all that is
 * looked at.
 */
#include "tests/lib/verify_case.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/verify/peer_names.h"
#include "common/verify/public_suffix.h"
#include "common/verify/verify_name.h"
#include "common/verify/verify_scheme.h"
#include "tests/lib/named_certificate.h"
#include "tests/unit/unit.h"

#define NAMES_MAX 16

static const char own_list[] = "// a list of one's own\n"
			       "org\n"
			       "lan\n"
			       "corp.example.org\n"
			       "*.cloud.org\n"
			       "!open.cloud.org\n";

static size_t total;

static size_t
unescape(char *text)
{
	size_t length = 0;

	for (const char *at = text; *at; at++) {
		if (*at == '%') {
			char digits[3] = {at[1], at[2], '\0'};

			assert(isxdigit((unsigned char)at[1]) &&
			       isxdigit((unsigned char)at[2]));
			text[length++] = (char)strtol(digits, NULL, 16);
			at += 2;
		} else {
			text[length++] = *at;
		}
	}
	return length;
}

/* The address replaces its text, which is longer. */
static size_t
address(char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		memcpy(text, bytes, sizeof(struct in_addr));
		return sizeof(struct in_addr);
	}
	return unescape(text);
}

static struct peer_name
read_word(char *word, char *room)
{
	static const struct {
		char letter;
		enum peer_name_kind kind;
	} kinds[] = {
		{'d', PEER_NAME_DNS},   {'i', PEER_NAME_IP},
		{'e', PEER_NAME_EMAIL}, {'u', PEER_NAME_URI},
		{'o', PEER_NAME_OU},    {'c', PEER_NAME_CN},
		{'x', PEER_NAME_OTHER},
	};
	struct peer_name name = {.bytes = word + 2};
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && kinds[i].letter != word[0])
		i++;
	assert(i < ARRAY_SIZE(kinds) && word[1] == ':');
	name.kind = kinds[i].kind;
	if (name.kind == PEER_NAME_IP &&
	    inet_pton(AF_INET6, word + 2, room) == 1) {
		name.bytes = room;
		name.length = sizeof(struct in6_addr);
	} else {
		name.length = name.kind == PEER_NAME_IP ? address(word + 2)
							: unescape(word + 2);
	}
	return name;
}

static struct peer_names *
read_names(const char *text)
{
	AUTO_FREE char *copy = mem_strdup(text);
	char rooms[NAMES_MAX][sizeof(struct in6_addr)];
	struct peer_name names[NAMES_MAX];
	size_t count = 0;
	char *rest = copy, *word;
	struct peer_names *result;
	X509 *certificate;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (word[0] == '\0')
			continue;
		assert(count < NAMES_MAX);
		names[count] = read_word(word, rooms[count]);
		count++;
	}
	certificate = named_certificate(names, count);
	result = peer_names_new(certificate);
	X509_free(certificate);
	return result;
}

static struct public_suffixes *
make_suffixes(enum verify_case_suffixes which)
{
	switch (which) {
	case SUFFIXES_BUILTIN:
		return public_suffixes_builtin();
	case SUFFIXES_OWN:
		return public_suffixes_parse(own_list, sizeof(own_list) - 1,
					     NULL);
	case SUFFIXES_OFF:
		break;
	}
	return NULL;
}

static void
run(const struct verify_case *one)
{
	struct public_suffixes *suffixes = make_suffixes(one->suffixes);
	struct peer_names *names = read_names(one->names);
	const struct peer_name *matched;
	struct verify_scheme scheme;
	struct error error = {0};
	char why[256] = "";
	bool is_for;

	CU_ASSERT_EQUAL(verify_scheme_parse(one->scheme, &scheme, &error), 0);
	is_for = verify_name_check(&scheme, suffixes, names, one->host,
				   &matched);
	CU_ASSERT_EQUAL(is_for, one->is_for);
	if (is_for != one->is_for)
		fprintf(stderr, "%s, %s of %s: %s, against %s\n", one->scheme,
			one->host, one->names, is_for ? "yes" : "no",
			one->clause);
	/* A yes has its name, and a no its reason. */
	CU_ASSERT_EQUAL(matched != NULL, is_for && !scheme.is_none);
	if (!is_for)
		verify_name_explain(&scheme, suffixes, names, one->host, why,
				    sizeof(why));
	CU_ASSERT_EQUAL(why[0] != '\0', !is_for);
	peer_names_free(names);
	public_suffixes_unref(suffixes);
	total++;
}

void
verify_cases_run(const struct verify_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run(&cases[i]);
}

size_t
verify_cases_count(void)
{
	return total;
}
