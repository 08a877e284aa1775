/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One HTTP request with an OCSP request in it and what comes back, by libcurl:
 * no redirection is followed, nothing is resolved, no environment is asked,
 * the connection serves this alone.
 */
#ifndef SEALOCK_FETCH_HTTP_EXCHANGE_H
#define SEALOCK_FETCH_HTTP_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <curl/curl.h>

#include "daemon/fetch/ocsp_url.h"

/* The most that an answer may have, and its headers. */
#define HTTP_ANSWER_MAX  ((size_t)64 * 1024)
#define HTTP_HEADERS_MAX ((size_t)64 * 1024)

struct curl_loop;
struct http_exchange;
struct resolution;

/* What is borrowed needs to be there during http_exchange_new() alone, but for
 * the body. */
struct http_request {
	const char *url;
	const struct ocsp_url *proxy;        /* NULL: none */
	const struct ocsp_url *peer;         /* whom to connect to */
	const struct resolution *resolution; /* of the peer; NULL: an address */
	const void *body;                    /* NULL: a GET */
	size_t length;
};

struct http_reply {
	const char *failure; /* a sentence, or NULL: there is an answer */
	long status;
	const char *location; /* elsewhere, a whole address; NULL: no */
	const unsigned char *bytes;
	size_t length;
};

/* The end, from the loop. Lent; the exchange may be freed in it. */
typedef void
http_exchange_told(void *argument, const struct http_reply *reply);

struct http_exchange *
http_exchange_new(struct curl_loop *loop, const struct http_request *request,
		  http_exchange_told *told, void *argument);

/* Breaks it off when it goes on. NULL is legal. */
void
http_exchange_free(struct http_exchange *exchange);

/* For curl_loop_new(). */
void
http_exchange_ended(CURL *transfer, CURLcode result);

#endif
