/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl takes the address apart, as it will take it apart again to go there;
 * what it lets pass and we have no use for is refused afterwards.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/fetch/ocsp_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBCURL
#include <curl/curl.h>
#endif
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"

/* The longest address of a GET, and the longest request that may fit. */
#define GET_MAX     255
#define REQUEST_MAX (GET_MAX / 4 * 3)

/* As much of an address as an error tells. */
#define SHOWN_MAX 128

static int
refuse(const char *text, const char *why, struct error *error)
{
	char shown[SHOWN_MAX];

	text_escape(text, strlen(text), shown, sizeof(shown));
	error_set(error, "the address %s is not used: %s", shown, why);
	return -1;
}

#ifdef HAVE_LIBCURL

static bool
is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* One part; "" when it is not there. libcurl's memory. */
static char *
part_of(CURLU *parts, CURLUPart what, unsigned int flags)
{
	char *part = NULL;

	if (curl_url_get(parts, what, &part, flags) != CURLUE_OK)
		return NULL;
	return part;
}

static bool
has_part(CURLU *parts, CURLUPart what)
{
	char *part = part_of(parts, what, 0);

	curl_free(part);
	return part != NULL;
}

/* NULL, or what is wrong. */
static const char *
judge_scheme(CURLU *parts)
{
	char *scheme = part_of(parts, CURLUPART_SCHEME, 0);
	bool is_http = scheme && strcmp(scheme, "http") == 0;

	curl_free(scheme);
	if (!is_http)
		return "responders are asked by http:// alone";
	if (has_part(parts, CURLUPART_USER) ||
	    has_part(parts, CURLUPART_PASSWORD))
		return "it has a user's name or a password";
	if (has_part(parts, CURLUPART_ZONEID))
		return "it is of one link of ours alone";
	return NULL;
}

static const char *
take_host(CURLU *parts, struct ocsp_url *url)
{
	char *host = part_of(parts, CURLUPART_HOST, 0);
	const char *begin = host;
	size_t length;

	if (!host)
		return "it has no host";
	length = strlen(host);
	if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
		begin++;
		length -= 2;
	}
	if (length < sizeof(url->host)) {
		memcpy(url->host, begin, length);
		url->host[length] = '\0';
		url->is_ip = hostname_is_ip(url->host);
	}
	if (!url->is_ip && hostname_normalize(begin, length, url->host) != 0) {
		curl_free(host);
		return "its host is no name and no address";
	}
	curl_free(host);
	return NULL;
}

static const char *
take_rest(CURLU *parts, struct ocsp_url *url)
{
	char *port = part_of(parts, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	char *whole;
	uint64_t number;
	bool is_port = port && text_parse_unsigned(port, &number) == 0 &&
		       number > 0 && number <= UINT16_MAX;

	curl_free(port);
	if (!is_port)
		return "its port is none";
	url->port = (uint16_t)number;
	curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
	whole = part_of(parts, CURLUPART_URL, 0);
	if (!whole)
		return "it is no address";
	url->text = mem_strdup(whole);
	curl_free(whole);
	return NULL;
}

static const char *
take_apart(const char *text, struct ocsp_url *url)
{
	CURLU *parts = curl_url();
	const char *why = NULL;

	if (!parts)
		abort();
	if (curl_url_set(parts, CURLUPART_URL, text,
			 CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		why = "it is no address";
	if (!why)
		why = judge_scheme(parts);
	if (!why)
		why = take_host(parts, url);
	if (!why)
		why = take_rest(parts, url);
	curl_url_cleanup(parts);
	return why;
}

int
ocsp_url_parse(const char *text, struct ocsp_url *url, struct error *error)
{
	const char *why;

	*url = (struct ocsp_url){0};
	if (strlen(text) > OCSP_URL_MAX)
		return refuse(text, "it is too long", error);
	if (!is_printable(text))
		return refuse(text, "it is no printable ASCII", error);
	why = take_apart(text, url);
	if (!why)
		return 0;
	ocsp_url_clear(url);
	return refuse(text, why, error);
}

#else

int
ocsp_url_parse(const char *text, struct ocsp_url *url, struct error *error)
{
	*url = (struct ocsp_url){0};
	return refuse(text, "this sealock was built without libcurl", error);
}

#endif

void
ocsp_url_clear(struct ocsp_url *url)
{
	mem_free(TAKE(url->text));
}

/* What base64 has and an address has a use of its own for. */
static char *
append_encoded(char *end, char character)
{
	switch (character) {
	case '+':
	case '/':
	case '=':
		return end + sprintf(end, "%%%02X", character);
	default:
		*end = character;
		return end + 1;
	}
}

char *
ocsp_url_with_request(const struct ocsp_url *url, const void *request,
		      size_t length)
{
	unsigned char base64[(REQUEST_MAX + 2) / 3 * 4 + 1];
	char encoded[3 * sizeof(base64)], *end = encoded;
	size_t before = strlen(url->text);
	bool is_directory = url->text[before - 1] == '/';

	if (length > REQUEST_MAX || strchr(url->text, '?'))
		return NULL;
	EVP_EncodeBlock(base64, request, (int)length);
	for (const unsigned char *byte = base64; *byte; byte++)
		end = append_encoded(end, (char)*byte);
	*end = '\0';
	if (before + !is_directory + (size_t)(end - encoded) >= GET_MAX)
		return NULL;
	return mem_format("%s%s%s", url->text, is_directory ? "" : "/",
			  encoded);
}
