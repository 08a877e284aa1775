/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The matcher of names against a second one, which is slow and plain: it
 * splits names into labels, tries every length for a wildcard, and knows the
 * algorithm of publicsuffix.org for a list of its own. The input is lines: a
 * scheme (or members of one), whether suffixes are asked for (s or -), the
 * host, and then the certificate's names, a letter and a colon before each (d
 * DNS, i IP, e e-mail, x another kind, c CN).
 */
#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/verify/peer_names.h"
#include "common/verify/public_suffix.h"
#include "common/verify/verify_name.h"
#include "common/verify/verify_scheme.h"

#define NAMES_MAX  8
#define LABELS_MAX 130
#define TEXT_MAX   300

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char list_text[] =
	"org\ncom\nuk\nco.uk\n*.ck\n!www.ck\nb.org\n*.c.org\n!d.c.org\n";

static const char *const list_rules[] = {"org",   "com",     "uk",
					 "co.uk", "*.ck",    "!www.ck",
					 "b.org", "*.c.org", "!d.c.org"};

struct line {
	const char *bytes;
	size_t length;
};

/* A name as labels. */
struct labels {
	struct line labels[LABELS_MAX];
	size_t count;
};

struct input {
	struct verify_scheme scheme;
	bool has_suffixes;
	char host[TEXT_MAX];
	struct peer_name names[NAMES_MAX];
	size_t count;
};

static bool
next_line(const char **at, const char *end, struct line *line)
{
	const char *stop;

	if (*at >= end)
		return false;
	stop = memchr(*at, '\n', (size_t)(end - *at));
	line->bytes = *at;
	line->length = (size_t)((stop ? stop : end) - *at);
	*at = stop ? stop + 1 : end;
	return true;
}

static bool
copy_line(const struct line *line, char *text)
{
	if (line->length >= TEXT_MAX || memchr(line->bytes, 0, line->length))
		return false;
	memcpy(text, line->bytes, line->length);
	text[line->length] = '\0';
	return true;
}

static bool
read_name(const struct line *line, struct peer_name *name)
{
	static const char letters[] = "diexc";
	static const enum peer_name_kind kinds[] = {
		PEER_NAME_DNS, PEER_NAME_IP, PEER_NAME_EMAIL, PEER_NAME_OTHER,
		PEER_NAME_CN};
	const char *letter;

	if (line->length < 2 || line->bytes[1] != ':' || !line->bytes[0])
		return false;
	letter = strchr(letters, line->bytes[0]);
	if (!letter)
		return false;
	name->kind = kinds[letter - letters];
	name->bytes = line->bytes + 2;
	name->length = line->length - 2;
	return true;
}

static bool
read_input(const uint8_t *bytes, size_t length, struct input *input)
{
	const char *at = (const char *)bytes, *end = at + length;
	char text[TEXT_MAX];
	struct line line;

	if (!next_line(&at, end, &line) || !copy_line(&line, text) ||
	    verify_scheme_parse(text, &input->scheme, NULL) != 0)
		return false;
	if (!next_line(&at, end, &line) || line.length != 1)
		return false;
	input->has_suffixes = line.bytes[0] == 's';
	if (!next_line(&at, end, &line) || !copy_line(&line, input->host))
		return false;
	while (input->count < NAMES_MAX && next_line(&at, end, &line))
		if (read_name(&line, &input->names[input->count]))
			input->count++;
	return true;
}

/* The certificate. CNs are put in place, as OpenSSL would refuse bytes that
 * are no UTF-8; what cannot be read counts as empty there. */
static struct peer_names *
make_names(const struct input *input)
{
	static const int types[] = {
		[PEER_NAME_DNS] = GEN_DNS,
		[PEER_NAME_IP] = GEN_IPADD,
		[PEER_NAME_EMAIL] = GEN_EMAIL,
	};
	AUTO_OPENSSL(general_names) GENERAL_NAMES *all = GENERAL_NAMES_new();
	AUTO_OPENSSL(x509) X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);

	for (size_t i = 0; i < input->count; i++) {
		const struct peer_name *name = &input->names[i];
		ASN1_STRING *value;
		GENERAL_NAME *added;

		if (name->kind == PEER_NAME_CN) {
			X509_NAME_add_entry_by_NID(
				subject, NID_commonName, V_ASN1_UTF8STRING,
				(const unsigned char *)"x", 1, -1, 0);
			ASN1_STRING_set(
				X509_NAME_ENTRY_get_data(X509_NAME_get_entry(
					subject,
					X509_NAME_entry_count(subject) - 1)),
				name->bytes, (int)name->length);
			continue;
		}
		added = GENERAL_NAME_new();
		if (name->kind == PEER_NAME_OTHER) {
			GENERAL_NAME_set0_value(added, GEN_DIRNAME,
						X509_NAME_new());
		} else {
			value = ASN1_STRING_type_new(
				name->kind == PEER_NAME_IP ? V_ASN1_OCTET_STRING
							   : V_ASN1_IA5STRING);
			ASN1_STRING_set(value, name->bytes, (int)name->length);
			GENERAL_NAME_set0_value(added, types[name->kind],
						value);
		}
		sk_GENERAL_NAME_push(all, added);
	}
	if (sk_GENERAL_NAME_num(all) > 0)
		X509_add1_ext_i2d(certificate, NID_subject_alt_name, all, 0, 0);
	return peer_names_new(certificate);
}

/* The second matcher. */

static int
lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

static bool
is_same(const char *one, const char *other, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (lower(one[i]) != lower(other[i]))
			return false;
	return true;
}

static bool
is_label(const struct line *one, const struct line *other)
{
	return one->length == other->length &&
	       is_same(one->bytes, other->bytes, one->length);
}

/* false: too many. */
static bool
split(const char *bytes, size_t length, struct labels *labels)
{
	const char *start = bytes;

	labels->count = 0;
	for (size_t i = 0; i <= length; i++) {
		if (i < length && bytes[i] != '.')
			continue;
		if (labels->count == LABELS_MAX)
			return false;
		labels->labels[labels->count].bytes = start;
		labels->labels[labels->count++].length =
			(size_t)(bytes + i - start);
		start = bytes + i + 1;
	}
	return true;
}

/* What sealock calls a host name: RFC 1123 2.1 with underscores, and a last
 * label that is no number. */
static bool
is_host_name(const char *host, const struct labels *labels)
{
	const struct line *last = &labels->labels[labels->count - 1];
	bool is_decimal = true, is_hexadecimal = last->length >= 2;

	if (strlen(host) > 253)
		return false;
	for (size_t i = 0; i < labels->count; i++)
		if (labels->labels[i].length < 1 ||
		    labels->labels[i].length > 63)
			return false;
	for (const char *at = host; *at; at++)
		if (!isascii(*at) ||
		    (!isalnum((unsigned char)*at) && !strchr("-_.", *at)))
			return false;
	for (size_t i = 0; i < last->length; i++) {
		unsigned char byte = (unsigned char)last->bytes[i];

		if (!isdigit(byte))
			is_decimal = false;
		if (i == 0   ? byte != '0'
		    : i == 1 ? lower((char)byte) != 'x'
			     : !isxdigit(byte))
			is_hexadecimal = false;
	}
	return !is_decimal && !is_hexadecimal;
}

/* How many labels at the end of a name are its public suffix. */
static size_t
suffix_length(const struct labels *name, size_t from)
{
	size_t best = 1, count = name->count - from;

	for (size_t i = 0; i < ARRAY_SIZE(list_rules); i++) {
		bool is_exception = list_rules[i][0] == '!';
		const char *rule = list_rules[i] + (is_exception ? 1 : 0);
		struct labels parts;
		bool matches = true;

		split(rule, strlen(rule), &parts);
		if (parts.count > count)
			continue;
		for (size_t k = 1; k <= parts.count; k++) {
			const struct line *part =
				&parts.labels[parts.count - k];

			if (!(part->length == 1 && part->bytes[0] == '*') &&
			    !is_label(part, &name->labels[name->count - k]))
				matches = false;
		}
		if (matches && is_exception)
			return parts.count - 1;
		if (matches && parts.count > best)
			best = parts.count;
	}
	return best;
}

static bool
is_suffix(const struct labels *name, size_t from)
{
	return suffix_length(name, from) == name->count - from;
}

/* In libpsl the parent of a wildcard's rule counts as a suffix. */
static bool
is_parent(const struct labels *name, size_t from)
{
	const char *start = name->labels[from].bytes;

	for (size_t i = 0; i < ARRAY_SIZE(list_rules); i++)
		if (list_rules[i][0] == '*' &&
		    strcasecmp(list_rules[i] + 2, start) == 0)
			return true;
	return false;
}

static bool
matches_star(const struct line *pattern, const struct line *label)
{
	const char *star = memchr(pattern->bytes, '*', pattern->length);
	size_t before = (size_t)(star - pattern->bytes);
	size_t after = pattern->length - before - 1;

	for (size_t stands = 1; stands <= label->length; stands++)
		if (before + stands + after == label->length &&
		    is_same(pattern->bytes, label->bytes, before) &&
		    is_same(star + 1, label->bytes + before + stands, after))
			return true;
	return false;
}

static bool
model_matches(const char *bytes, size_t length, const struct labels *host,
	      enum verify_wildcards allowed, bool has_suffixes)
{
	const struct line *first, *of_host = &host->labels[0];
	struct labels pattern;

	if (!split(bytes, length, &pattern) || pattern.count != host->count)
		return false;
	for (size_t i = 1; i < host->count; i++)
		if (!is_label(&pattern.labels[i], &host->labels[i]))
			return false;
	first = &pattern.labels[0];
	if (!memchr(first->bytes, '*', first->length))
		return is_label(first, of_host);
	if (allowed == VERIFY_WILDCARDS_NONE || host->count < 2)
		return false;
	if (first->length > 1 &&
	    (allowed != VERIFY_WILDCARDS_ANYWHERE ||
	     (of_host->length >= 4 && is_same(of_host->bytes, "xn--", 4))))
		return false;
	if (!matches_star(first, of_host))
		return false;
	return !has_suffixes || (!is_suffix(host, 0) && !is_suffix(host, 1) &&
				 !is_parent(host, 1));
}

static bool
model_common_name(const struct input *input, const struct labels *host,
		  const unsigned char *address, size_t address_length,
		  const struct peer_name *common)
{
	unsigned char own[16];
	char text[TEXT_MAX];
	const struct line line = {common->bytes, common->length};
	enum verify_ip_in_cn ip = input->scheme.ip_in_cn;

	for (size_t i = 0; i < input->count; i++)
		if (input->scheme.check_cn == VERIFY_CN_WHEN_ONLY &&
		    (input->names[i].kind == PEER_NAME_DNS ||
		     (address_length > 0 &&
		      input->names[i].kind != PEER_NAME_CN)))
			return false;
	if (address_length == 0)
		return model_matches(common->bytes, common->length, host,
				     input->scheme.wildcards_in_cn,
				     input->has_suffixes);
	if (ip == VERIFY_IP_IN_CN_NEVER ||
	    (ip == VERIFY_IP_IN_CN_IPV4 && address_length != 4) ||
	    (ip == VERIFY_IP_IN_CN_IPV6 && address_length != 16) ||
	    !copy_line(&line, text))
		return false;
	return inet_pton(address_length == 4 ? AF_INET : AF_INET6, text, own) ==
		       1 &&
	       memcmp(own, address, address_length) == 0;
}

/* OpenSSL shows a CN that is UTF-8, and no other. */
static bool
is_utf8(const struct peer_name *name)
{
	unsigned char *text = NULL;
	ASN1_STRING *string = ASN1_STRING_type_new(V_ASN1_UTF8STRING);
	int got;

	ASN1_STRING_set(string, name->bytes, (int)name->length);
	got = ASN1_STRING_to_UTF8(&text, string);
	OPENSSL_free(text);
	ASN1_STRING_free(string);
	ERR_clear_error();
	return got >= 0;
}

static bool
model(const struct input *input)
{
	char host_text[TEXT_MAX];
	const struct peer_name *common = NULL;
	unsigned char address[16];
	size_t address_length = 0;
	struct labels host = {0};
	char *zone;

	if (input->scheme.is_none)
		return true;
	snprintf(host_text, sizeof(host_text), "%s", input->host);
	zone = strchr(host_text, '%');
	if (zone) {
		/* 16 is IF_NAMESIZE. */
		if (strlen(zone) < 2 || strlen(zone) > 16)
			return false;
		*zone = '\0';
	}
	if (!zone && inet_pton(AF_INET, host_text, address) == 1)
		address_length = 4;
	else if (inet_pton(AF_INET6, host_text, address) == 1)
		address_length = 16;
	else if (zone || !split(host_text, strlen(host_text), &host) ||
		 !is_host_name(host_text, &host))
		return false;
	for (size_t i = 0; i < input->count; i++) {
		const struct peer_name *name = &input->names[i];

		if (name->kind == PEER_NAME_CN)
			common = name;
		else if (address_length > 0
				 ? name->kind == PEER_NAME_IP &&
					   name->length == address_length &&
					   memcmp(name->bytes, address,
						  address_length) == 0
				 : name->kind == PEER_NAME_DNS &&
					   model_matches(
						   name->bytes, name->length,
						   &host,
						   input->scheme
							   .wildcards_in_alt,
						   input->has_suffixes))
			return true;
	}
	return common && input->scheme.check_cn != VERIFY_CN_NEVER &&
	       is_utf8(common) &&
	       model_common_name(input, &host, address, address_length, common);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct public_suffixes *list;
	const struct peer_name *matched;
	struct input input = {0};
	struct peer_names *names;
	char why[200];
	bool is_for;

	if (!list)
		list = public_suffixes_parse(list_text, sizeof(list_text) - 1,
					     NULL);
	if (!read_input(bytes, length, &input))
		return 0;
	/* Without libpsl there is no list. */
	input.has_suffixes = input.has_suffixes && list;
	names = make_names(&input);
	is_for = verify_name_check(&input.scheme,
				   input.has_suffixes ? list : NULL, names,
				   input.host, &matched);
	assert(is_for == model(&input));
	assert(input.scheme.is_none ? !matched : is_for == (matched != NULL));
	if (!is_for) {
		verify_name_explain(&input.scheme,
				    input.has_suffixes ? list : NULL, names,
				    input.host, why, sizeof(why));
		assert(why[0] != '\0' && strlen(why) < sizeof(why));
		for (const char *at = why; *at; at++)
			assert(*at >= ' ' && *at <= '~');
	}
	peer_names_free(names);
	return 0;
}
