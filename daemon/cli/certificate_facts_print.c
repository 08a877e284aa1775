/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts for people and as JSON. Nothing from a certificate reaches the output
 * but through text_escape(), json_line or OpenSSL's escapes of
 * RFC 4514.
 */
#include "daemon/cli/certificate_facts.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <openssl/x509.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/base/text.h"
#include "daemon/cli/json_line.h"

#define DAY_MS      INT64_C(86400000)
#define LABEL_WIDTH 12
#define PRINTED_MAX 20 /* names for people; programs get all of them */

/* How the lists are called, and whether people see them on one line. */
static const struct {
	const char *label;
	const char *key;
} lists[FACTS_LIST_COUNT] = {
	[FACTS_DNS] = {"names", "dns"},
	[FACTS_IP] = {"addresses", "ip"},
	[FACTS_URI] = {"URIs", "uri"},
	[FACTS_EMAIL] = {"e-mail", "email"},
	[FACTS_OTHER_NAMES] = {"other names", "other_names"},
	[FACTS_KEY_USAGE] = {"usage", "key_usage"},
	[FACTS_EXTENDED_KEY_USAGE] = {"purposes", "extended_key_usage"},
	[FACTS_OCSP] = {"OCSP", "ocsp"},
	[FACTS_CRL] = {"CRL", "crl"},
};

/* A name as RFC 4514 writes it; own memory. flags: with or without escapes
 * for what is not ASCII. */
static char *
name_text(const X509_NAME *name, unsigned long flags)
{
	AUTO_OPENSSL(bio) BIO *out = BIO_new(BIO_s_mem());
	char *bytes;
	long length;

	if (!out || X509_NAME_print_ex(out, name, 0, flags) < 0)
		return mem_strdup("");
	length = BIO_get_mem_data(out, &bytes);
	return mem_strndup(bytes, (size_t)length);
}

static int64_t
days_until(int64_t when_ms)
{
	int64_t left_ms = when_ms - clock_real_ms();

	return (left_ms - (left_ms < 0 ? DAY_MS - 1 : 0)) / DAY_MS;
}

static const char *
format_time(int64_t when_ms, char *buffer, size_t size)
{
	time_t seconds = (time_t)(when_ms / 1000);
	struct tm parts;

	if (!gmtime_r(&seconds, &parts) ||
	    strftime(buffer, size, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		buffer[0] = '\0';
	return buffer;
}

static void
print_line(const char *label, const char *text, FILE *out)
{
	fprintf(out, "  %-*s %s\n", LABEL_WIDTH, label, text);
}

static void
print_name(const char *label, const X509_NAME *name, FILE *out)
{
	AUTO_FREE char *text = name_text(name, XN_FLAG_RFC2253);

	print_line(label, text[0] ? text : "(empty)", out);
}

static void
print_words(const char *label, const struct facts_words *list, FILE *out)
{
	if (list->count == 0)
		return;
	fprintf(out, "  %-*s", LABEL_WIDTH, label);
	for (size_t i = 0; i < list->count && i < PRINTED_MAX; i++) {
		size_t size = 4 * list->lengths[i] + 1;
		AUTO_FREE char *text = mem_alloc(size);

		text_escape(list->words[i], list->lengths[i], text, size);
		fprintf(out, "%s %s", i == 0 ? "" : ",", text);
	}
	if (list->count > PRINTED_MAX)
		fprintf(out, ", and %zu more", list->count - PRINTED_MAX);
	fputc('\n', out);
}

static void
print_validity(const struct certificate_facts *facts, FILE *out)
{
	int64_t now_ms = clock_real_ms();
	int64_t left = days_until(facts->not_after_ms);
	int64_t days = left < 0 ? -left - 1 : left;
	const char *unit = days == 1 ? "day" : "days";
	char start[32], end[32], state[64];

	if (!facts->has_validity) {
		print_line("valid", "the times cannot be read", out);
		return;
	}
	if (now_ms < facts->not_before_ms)
		snprintf(state, sizeof(state), "NOT YET VALID");
	else if (left < 0)
		snprintf(state, sizeof(state), "EXPIRED %" PRId64 " %s ago",
			 days, unit);
	else
		snprintf(state, sizeof(state), "%" PRId64 " %s left", days,
			 unit);
	format_time(facts->not_before_ms, start, sizeof(start));
	format_time(facts->not_after_ms, end, sizeof(end));
	fprintf(out, "  %-*s %s to %s, %s\n", LABEL_WIDTH, "valid", start, end,
		state);
}

static void
print_issuer(const struct certificate_facts *facts, size_t position,
	     size_t issuer, const char *missing, FILE *out)
{
	char text[64];

	if (issuer == 0)
		snprintf(text, sizeof(text), "%s", missing);
	else if (issuer == position)
		snprintf(text, sizeof(text), "self-signed");
	else
		snprintf(text, sizeof(text), "certificate %zu", issuer);
	print_name("issuer", X509_get_issuer_name(facts->certificate), out);
	print_line("signed by", text, out);
}

void
certificate_facts_print(const struct certificate_facts *facts, size_t position,
			size_t issuer, const char *missing, FILE *out)
{
	fprintf(out, "certificate %zu%s\n", position,
		facts->is_ca ? ", of a CA" : "");
	print_name("subject", X509_get_subject_name(facts->certificate), out);
	print_issuer(facts, position, issuer, missing, out);
	for (size_t i = FACTS_DNS; i <= FACTS_OTHER_NAMES; i++)
		print_words(lists[i].label, &facts->lists[i], out);
	print_validity(facts, out);
	print_line("key", facts->key, out);
	print_line("signature", facts->signature, out);
	print_line("serial", facts->serial, out);
	for (size_t i = FACTS_KEY_USAGE; i < FACTS_LIST_COUNT; i++)
		print_words(lists[i].label, &facts->lists[i], out);
	print_line("fingerprint", facts->sha256, out);
	print_line("public key", facts->public_key, out);
}

static void
json_name(struct json_line *line, const char *key, const X509_NAME *name)
{
	AUTO_FREE char *text = name_text(
		name, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);

	json_line_text(line, key, text);
}

static void
json_words(struct json_line *line, const char *key,
	   const struct facts_words *list)
{
	json_line_open(line, key, '[');
	for (size_t i = 0; i < list->count; i++)
		json_line_bytes(line, NULL, list->words[i], list->lengths[i]);
	json_line_close(line, ']');
}

static void
json_validity(struct json_line *line, const struct certificate_facts *facts)
{
	char text[32];

	if (!facts->has_validity) {
		json_line_null(line, "not_before");
		json_line_null(line, "not_after");
		json_line_null(line, "days_left");
		return;
	}
	json_line_text(line, "not_before",
		       format_time(facts->not_before_ms, text, sizeof(text)));
	json_line_text(line, "not_after",
		       format_time(facts->not_after_ms, text, sizeof(text)));
	json_line_number(line, "days_left", days_until(facts->not_after_ms));
}

static void
json_issuer(struct json_line *line, size_t position, size_t issuer)
{
	json_line_boolean(line, "is_self_signed", issuer == position);
	if (issuer == 0)
		json_line_null(line, "signed_by");
	else
		json_line_number(line, "signed_by", (int64_t)issuer);
}

void
certificate_facts_print_json(const struct certificate_facts *facts,
			     const char *file, size_t position, size_t issuer,
			     struct json_line *line)
{
	json_line_open(line, NULL, '{');
	if (file)
		json_line_text(line, "file", file);
	json_line_number(line, "position", (int64_t)position);
	json_name(line, "subject", X509_get_subject_name(facts->certificate));
	json_name(line, "issuer", X509_get_issuer_name(facts->certificate));
	json_issuer(line, position, issuer);
	for (size_t i = 0; i < FACTS_LIST_COUNT; i++)
		json_words(line, lists[i].key, &facts->lists[i]);
	json_validity(line, facts);
	json_line_boolean(line, "is_ca", facts->is_ca);
	if (facts->path_length < 0)
		json_line_null(line, "path_length");
	else
		json_line_number(line, "path_length", facts->path_length);
	json_line_text(line, "key", facts->key);
	json_line_text(line, "signature", facts->signature);
	json_line_text(line, "serial", facts->serial);
	json_line_text(line, "fingerprint", facts->sha256);
	json_line_text(line, "public_key_fingerprint", facts->public_key);
	json_line_close(line, '}');
}
