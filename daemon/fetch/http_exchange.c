/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever libcurl would do by itself is switched off, and names are given to
 * it with their addresses, so that it never asks for one: it would start a
 * thread for that.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stddef.h>

#ifdef HAVE_LIBCURL

#include "daemon/fetch/http_exchange.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/net/resolution.h"
#include "daemon/fetch/curl_loop.h"

#define CONNECT_MS 3000

#define HEADERS_TOO_LONG "the answer's headers are longer than 64 kB"

/* So many addresses of a host are tried. */
#define ADDRESSES_MAX 8

struct http_exchange {
	struct curl_loop *loop;
	CURL *transfer;
	struct curl_slist *headers;
	struct curl_slist *addresses;
	bool is_under_way;
	unsigned char *bytes;
	size_t length;
	size_t header_bytes;
	const char *excess; /* what there was too much of; NULL: nothing */
	http_exchange_told *told;
	void *argument;
};

/* What comes. */

static size_t
on_bytes(char *bytes, size_t size, size_t count, void *argument)
{
	struct http_exchange *exchange = argument;
	size_t length = size * count;

	if (length > HTTP_ANSWER_MAX - exchange->length) {
		exchange->excess = "the answer is longer than 64 kB";
		return 0;
	}
	exchange->bytes =
		mem_resize(exchange->bytes, exchange->length + length, 1);
	memcpy(exchange->bytes + exchange->length, bytes, length);
	exchange->length += length;
	return length;
}

static size_t
on_header(char *bytes, size_t size, size_t count, void *argument)
{
	struct http_exchange *exchange = argument;
	size_t length = size * count;

	(void)bytes;
	if (length > HTTP_HEADERS_MAX - exchange->header_bytes) {
		exchange->excess = HEADERS_TOO_LONG;
		return 0;
	}
	exchange->header_bytes += length;
	return length;
}

static const struct {
	CURLcode result;
	const char *sentence;
} sentences[] = {
	{CURLE_COULDNT_CONNECT, "no connection to it can be made"},
	{CURLE_OPERATION_TIMEDOUT, "no connection to it can be made in time"},
	{CURLE_FILESIZE_EXCEEDED, "the answer is longer than 64 kB"},
	{CURLE_GOT_NOTHING, "it hung up without an answer"},
	{CURLE_PARTIAL_FILE, "it hung up in the middle of the answer"},
	{CURLE_RECV_ERROR, "it broke the connection off"},
	{CURLE_SEND_ERROR, "it broke the connection off"},
	{CURLE_UNSUPPORTED_PROTOCOL, "what it answers is not HTTP"},
	{CURLE_WEIRD_SERVER_REPLY, "what it answers is not HTTP"},
	/* What older libcurls say of a line above 100 kB, and nothing else
	 * does, as a process without memory ends. */
	{CURLE_OUT_OF_MEMORY, HEADERS_TOO_LONG},
#if LIBCURL_VERSION_NUM >= 0x080600
	{CURLE_TOO_LARGE, HEADERS_TOO_LONG},
#endif
};

static const char *
failure_of(const struct http_exchange *exchange, CURLcode result)
{
	if (exchange->excess)
		return exchange->excess;
	if (result == CURLE_OK)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(sentences); i++)
		if (sentences[i].result == result)
			return sentences[i].sentence;
	return curl_easy_strerror(result);
}

void
http_exchange_ended(CURL *transfer, CURLcode result)
{
	struct http_exchange *exchange = NULL;
	struct http_reply reply = {0};
	char *location = NULL;

	curl_easy_getinfo(transfer, CURLINFO_PRIVATE, &exchange);
	exchange->is_under_way = false;
	curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &reply.status);
	curl_easy_getinfo(transfer, CURLINFO_REDIRECT_URL, &location);
	reply.failure = failure_of(exchange, result);
	reply.location = location;
	reply.bytes = exchange->bytes;
	reply.length = exchange->length;
	exchange->told(exchange->argument, &reply);
}

/* What is asked. */

static struct curl_slist *
append(struct curl_slist *list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(list, text);

	if (!longer)
		abort();
	return longer;
}

/* "+host:port:address,address": known for a while, until it is told anew. */
static struct curl_slist *
addresses_of(const struct http_request *request)
{
	const struct resolution *resolution = request->resolution;
	char text[HOSTNAME_MAX + 16 + ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)];
	size_t used = (size_t)snprintf(text, sizeof(text),
				       "+%s:%u:", request->peer->host,
				       request->peer->port);

	for (size_t i = 0; i < resolution->count && i < ADDRESSES_MAX; i++) {
		bool is_v6 = resolution->addresses[i].family == AF_INET6;
		char address[INET6_ADDRSTRLEN];

		inet_ntop(resolution->addresses[i].family,
			  resolution->addresses[i].bytes, address,
			  sizeof(address));
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s%s%s", i > 0 ? "," : "",
					 is_v6 ? "[" : "", address,
					 is_v6 ? "]" : "");
	}
	assert(used < sizeof(text));
	return append(NULL, text);
}

static void
set_request(struct http_exchange *exchange, const struct http_request *request)
{
	CURL *transfer = exchange->transfer;

	curl_easy_setopt(transfer, CURLOPT_URL, request->url);
	curl_easy_setopt(transfer, CURLOPT_PROXY,
			 request->proxy ? request->proxy->text : "");
	exchange->headers = append(NULL, "Accept: application/ocsp-response");
	if (request->body) {
		curl_easy_setopt(transfer, CURLOPT_POST, 1L);
		curl_easy_setopt(transfer, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(transfer, CURLOPT_POSTFIELDSIZE,
				 (long)request->length);
		exchange->headers =
			append(exchange->headers,
			       "Content-Type: application/ocsp-request");
		exchange->headers = append(exchange->headers, "Expect:");
	}
	curl_easy_setopt(transfer, CURLOPT_HTTPHEADER, exchange->headers);
	if (request->resolution) {
		exchange->addresses = addresses_of(request);
		curl_easy_setopt(transfer, CURLOPT_RESOLVE,
				 exchange->addresses);
	}
}

static void
set_behaviour(struct http_exchange *exchange)
{
	CURL *transfer = exchange->transfer;

	curl_easy_setopt(transfer, CURLOPT_PRIVATE, exchange);
	curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(transfer, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(transfer, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(transfer, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(transfer, CURLOPT_NOPROXY, "");
	curl_easy_setopt(transfer, CURLOPT_USERAGENT, "sealock");
	curl_easy_setopt(transfer, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(transfer, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(transfer, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(transfer, CURLOPT_MAXFILESIZE, (long)HTTP_ANSWER_MAX);
	curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(transfer, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(transfer, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(transfer, CURLOPT_HEADERDATA, exchange);
}

struct http_exchange *
http_exchange_new(struct curl_loop *loop, const struct http_request *request,
		  http_exchange_told *told, void *argument)
{
	struct http_exchange *exchange = mem_alloc(sizeof(*exchange));

	exchange->loop = loop;
	exchange->told = told;
	exchange->argument = argument;
	exchange->transfer = curl_easy_init();
	if (!exchange->transfer)
		abort();
	set_behaviour(exchange);
	set_request(exchange, request);
	exchange->is_under_way = true;
	curl_loop_add(loop, exchange->transfer);
	return exchange;
}

void
http_exchange_free(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	if (exchange->is_under_way)
		curl_loop_remove(exchange->loop, exchange->transfer);
	curl_easy_cleanup(exchange->transfer);
	curl_slist_free_all(exchange->headers);
	curl_slist_free_all(exchange->addresses);
	mem_free(exchange->bytes);
	mem_free(exchange);
}

#endif
