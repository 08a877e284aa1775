/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way from a peer's certificate to a line of a log: the input as a
 * certificate, as the content of a subjectAltName, and as a name in a subject.
 * Whatever it is, what comes out is one line of bounded length, without a
 * control character, in text as in JSON; and a name with a control character
 * in it is nobody's.
 */
#include <assert.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/base/text.h"
#include "common/verify/fingerprint.h"
#include "common/verify/peer_advice.h"
#include "common/verify/peer_names.h"
#include "common/verify/peer_rules.h"
#include "common/verify/peer_verdict.h"
#include "common/verify/peer_words.h"
#include "daemon/worker/access_certificate.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The form that a record gives its texts. */
#define FORM_SIZE 1536

static bool
is_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

/* UTF-8 as RFC 3629 has it, without control characters (C1 included). */
static bool
is_clean(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
		unsigned int more = *at < 0x80    ? 0
				    : *at >= 0xf0 ? 3
				    : *at >= 0xe0 ? 2
						  : 1;
		uint32_t value = *at & (more ? 0x3fU >> more : 0x7fU);

		if (*at >= 0xf8 || (*at >= 0x80 && *at < 0xc0))
			return false;
		for (unsigned int i = 0; i < more; i++) {
			if ((*++at & 0xc0) != 0x80)
				return false;
			value = value << 6 | (*at & 0x3fU);
		}
		at++;
		if (value < least[more] || value > 0x10ffff ||
		    (value >= 0xd800 && value < 0xe000) || value < 0x20 ||
		    (value >= 0x7f && value < 0xa0))
			return false;
	}
	return true;
}

/* Into a record, both forms; nothing ends the string that it stands in. */
static void
log_text(const char *text, size_t most)
{
	char form[FORM_SIZE];
	size_t length = strlen(text);

	assert(length < most && is_clean(text));
	assert(text_escape_quoted(text, length, form, sizeof(form)) <
	       sizeof(form));
	assert(is_clean(form) && !strchr(form, '"'));
	assert(text_escape_json(text, length, form, sizeof(form)) <
	       sizeof(form));
	assert(is_clean(form));
	for (const char *quote = strchr(form, '"'); quote;
	     quote = strchr(quote + 1, '"'))
		assert(quote > form && quote[-1] == '\\');
}

static bool
has_control(const struct peer_name *name)
{
	for (size_t i = 0; i < name->length; i++)
		if ((unsigned char)name->bytes[i] < 0x20 ||
		    name->bytes[i] == 0x7f)
			return true;
	return false;
}

/* The rule that a name would be, if it may be one; it lets itself in. */
static void
try_rule(const struct peer_name *name, const struct peer_names *names)
{
	AUTO_FREE char *text = mem_strndup(name->bytes, name->length);
	struct peer_rules rules = {0};
	struct peer_rule rule;

	if (name->kind == PEER_NAME_OTHER || name->kind == PEER_NAME_IP ||
	    peer_names_has(names, PEER_NAME_UNREADABLE) ||
	    strlen(text) != name->length ||
	    peer_rule_parse(name->kind, text, &rule, NULL) != 0)
		return;
	assert(!has_control(name));
	rules.lists[name->kind].rules = &rule;
	rules.lists[name->kind].count = 1;
	assert(rule.is_wildcard || peer_rules_find(&rules, names, NULL));
	peer_rule_clear(&rule);
}

/* Rules of every kind that nothing of the input is likely to be. */
static void
explain(const struct peer_names *names)
{
	static const char *const texts[PEER_NAME_KIND_COUNT] = {
		[PEER_NAME_DNS] = "*.example.org",
		[PEER_NAME_IP] = "192.0.2.0/24",
		[PEER_NAME_EMAIL] = "jane@example.org",
		[PEER_NAME_URI] = "spiffe://example.org/*",
		[PEER_NAME_CN] = "Jane \"D\xc3\xb6\"",
		[PEER_NAME_OU] = "Locks",
	};
	struct peer_rule list[PEER_NAME_KIND_COUNT];
	struct peer_rules rules = {0};
	enum peer_name_kind kind;
	char text[512], small[16];

	for (unsigned int i = 0; i < PEER_NAME_KIND_COUNT; i++) {
		int status;

		if (!texts[i])
			continue;
		status = peer_rule_parse((enum peer_name_kind)i, texts[i],
					 &list[i], NULL);
		assert(status == 0);
		rules.lists[i].rules = &list[i];
		rules.lists[i].count = 1;
	}
	(void)peer_rules_find(&rules, names, &kind);
	log_text(peer_rules_explain(&rules, names, text, sizeof(text)),
		 sizeof(text));
	peer_rules_explain(&rules, names, small, sizeof(small));
	assert(strlen(small) < sizeof(small));
	for (unsigned int i = 0; i < PEER_NAME_KIND_COUNT; i++)
		if (texts[i])
			peer_rule_clear(&list[i]);
}

static void
log_names(struct peer_names *names)
{
	char text[256], small[8];

	for (size_t i = 0; i < peer_names_count(names); i++) {
		const struct peer_name *name = peer_names_at(names, i);

		peer_name_format(name, text, sizeof(text));
		assert(is_printable(text, strlen(text)));
		log_text(text, sizeof(text));
		peer_name_format(name, small, sizeof(small));
		assert(strlen(small) < sizeof(small));
		if (i < 64)
			try_rule(name, names);
	}
	explain(names);
	peer_names_free(names);
}

static void
log_fingerprints(const X509 *certificate)
{
	for (int is_of_key = 0; is_of_key < 2; is_of_key++) {
		char text[FINGERPRINT_TEXT_SIZE];
		struct fingerprint made, again;
		struct fingerprint_set *set;
		int status;

		if (fingerprint_make(certificate, "sha256", is_of_key, &made,
				     NULL) != 0)
			continue;
		fingerprint_format(&made, text, sizeof(text));
		log_text(text, sizeof(text));
		status = fingerprint_parse(text, &again, NULL);
		assert(status == 0 && memcmp(&made, &again, sizeof(made)) == 0);
		set = fingerprint_set_new(&made, 1, NULL);
		assert(set && fingerprint_set_find(set, certificate) == 0);
		fingerprint_set_free(set);
	}
}

static void
log_verdict(X509 *certificate, int error)
{
	const struct peer_case peer = {
		.error = error,
		.leaf = certificate,
		.name = "web.example.org",
		.now = 1800000000,
	};
	struct peer_verdict verdict = {0};
	char text[512], advice[PEER_ADVICE_MAX];

	peer_verdict_note(&verdict, PEER_STEP_CHAIN, error, 0, certificate,
			  NULL);
	log_text(peer_verdict_format(&verdict, text, sizeof(text)),
		 sizeof(text));
	peer_verdict_clear(&verdict);
	log_text(peer_advice(&peer, advice, sizeof(advice)), sizeof(advice));
}

/* What an access record has of a client that was let in. */
static void
log_record(X509 *certificate, int error)
{
	struct peer_verdict verdict = {.is_admitted = true};
	struct access_certificate record;

	if (error != X509_V_OK) {
		peer_verdict_note(&verdict, PEER_STEP_CHAIN, error, 0,
				  certificate, NULL);
		verdict.is_pinned = true;
	}
	access_certificate_read(certificate, &verdict, &record);
	log_text(record.subject, sizeof(record.subject));
	assert(record.name_count <= ACCESS_NAMES_MAX);
	for (size_t i = 0; i < record.name_count; i++)
		log_text(record.names[i], sizeof(record.names[i]));
	log_text(record.fingerprint, sizeof(record.fingerprint));
	log_text(record.verify, sizeof(record.verify));
	peer_verdict_clear(&verdict);
}

static void
log_certificate(X509 *certificate)
{
	char text[256];

	peer_words_name(X509_get_subject_name(certificate), text, sizeof(text));
	log_text(text, sizeof(text));
	peer_words_name(X509_get_issuer_name(certificate), text, sizeof(text));
	log_text(text, sizeof(text));
	log_fingerprints(certificate);
	log_record(certificate, X509_V_OK);
	log_record(certificate, X509_V_ERR_CERT_HAS_EXPIRED);
	log_verdict(certificate, X509_V_ERR_CERT_HAS_EXPIRED);
	log_verdict(certificate, X509_V_ERR_HOSTNAME_MISMATCH);
	log_verdict(certificate, X509_V_ERR_INVALID_PURPOSE);
	log_verdict(certificate, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	log_names(peer_names_new(certificate));
}

static void
try_certificate(const uint8_t *bytes, size_t length)
{
	const unsigned char *at = bytes;
	AUTO_OPENSSL(x509)
	X509 *certificate = d2i_X509(NULL, &at, (long)length);

	ERR_clear_error();
	if (certificate)
		log_certificate(certificate);
}

static void
try_alternatives(const uint8_t *bytes, size_t length)
{
	const unsigned char *at = bytes;
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *found = d2i_GENERAL_NAMES(NULL, &at, (long)length);

	ERR_clear_error();
	if (found)
		log_names(peer_names_of_alternatives(found));
}

static void
try_subject(const uint8_t *bytes, size_t length)
{
	static const int types[] = {V_ASN1_UTF8STRING, V_ASN1_BMPSTRING,
				    V_ASN1_UNIVERSALSTRING, V_ASN1_T61STRING,
				    V_ASN1_PRINTABLESTRING};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		AUTO_OPENSSL(x509) X509 *certificate = X509_new();
		X509_NAME *subject = X509_get_subject_name(certificate);

		X509_NAME_add_entry_by_txt(subject, i % 2 ? "OU" : "CN",
					   types[i], bytes, (int)length, -1, 0);
		ERR_clear_error();
		log_certificate(certificate);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length > 1 << 20)
		return 0;
	try_certificate(bytes, length);
	try_alternatives(bytes, length);
	try_subject(bytes, length < 4096 ? length : 4096);
	assert(ERR_peek_error() == 0);
	return 0;
}
