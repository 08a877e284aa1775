/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts for people and as JSON. Nothing from a certificate reaches the output
 * but through text_escape(), text_escape_json() or OpenSSL's escapes of
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
	     size_t issuer, FILE *out)
{
	char text[64];

	if (issuer == 0)
		snprintf(text, sizeof(text), "not in this file");
	else if (issuer == position)
		snprintf(text, sizeof(text), "self-signed");
	else
		snprintf(text, sizeof(text), "certificate %zu", issuer);
	print_name("issuer", X509_get_issuer_name(facts->certificate), out);
	print_line("signed by", text, out);
}

void
certificate_facts_print(const struct certificate_facts *facts, size_t position,
			size_t issuer, FILE *out)
{
	fprintf(out, "certificate %zu%s\n", position,
		facts->is_ca ? ", of a CA" : "");
	print_name("subject", X509_get_subject_name(facts->certificate), out);
	print_issuer(facts, position, issuer, out);
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
json_string(const void *bytes, size_t length, FILE *out)
{
	size_t size = 6 * length + 1;
	AUTO_FREE char *text = mem_alloc(size);

	text_escape_json(bytes, length, text, size);
	fprintf(out, "\"%s\"", text);
}

static void
json_member(const char *key, const char *text, FILE *out)
{
	fprintf(out, ",\"%s\":", key);
	json_string(text, strlen(text), out);
}

static void
json_name(const char *key, const X509_NAME *name, FILE *out)
{
	AUTO_FREE char *text = name_text(
		name, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);

	json_member(key, text, out);
}

static void
json_words(const char *key, const struct facts_words *list, FILE *out)
{
	fprintf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			fputc(',', out);
		json_string(list->words[i], list->lengths[i], out);
	}
	fputc(']', out);
}

static void
json_validity(const struct certificate_facts *facts, FILE *out)
{
	char text[32];

	if (!facts->has_validity) {
		fputs(",\"not_before\":null,\"not_after\":null,"
		      "\"days_left\":null",
		      out);
		return;
	}
	json_member("not_before",
		    format_time(facts->not_before_ms, text, sizeof(text)), out);
	json_member("not_after",
		    format_time(facts->not_after_ms, text, sizeof(text)), out);
	fprintf(out, ",\"days_left\":%" PRId64,
		days_until(facts->not_after_ms));
}

static void
json_issuer(size_t position, size_t issuer, FILE *out)
{
	fprintf(out, ",\"is_self_signed\":%s,\"signed_by\":",
		issuer == position ? "true" : "false");
	if (issuer == 0)
		fputs("null", out);
	else
		fprintf(out, "%zu", issuer);
}

void
certificate_facts_print_json(const struct certificate_facts *facts,
			     const char *file, size_t position, size_t issuer,
			     FILE *out)
{
	fputs("{\"file\":", out);
	json_string(file, strlen(file), out);
	fprintf(out, ",\"position\":%zu", position);
	json_name("subject", X509_get_subject_name(facts->certificate), out);
	json_name("issuer", X509_get_issuer_name(facts->certificate), out);
	json_issuer(position, issuer, out);
	for (size_t i = 0; i < FACTS_LIST_COUNT; i++)
		json_words(lists[i].key, &facts->lists[i], out);
	json_validity(facts, out);
	fprintf(out, ",\"is_ca\":%s,\"path_length\":",
		facts->is_ca ? "true" : "false");
	if (facts->path_length < 0)
		fputs("null", out);
	else
		fprintf(out, "%ld", facts->path_length);
	json_member("key", facts->key, out);
	json_member("signature", facts->signature, out);
	json_member("serial", facts->serial, out);
	json_member("fingerprint", facts->sha256, out);
	json_member("public_key_fingerprint", facts->public_key, out);
	fputc('}', out);
}
