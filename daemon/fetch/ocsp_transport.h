/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OCSP requests to their responders and answers back, on a libevent loop,
 * without a thread and without waiting: names by c-ares, HTTP by libcurl. What
 * an answer says is not looked at here.
 *
 * So many go on at once in all, and to one responder; the others wait for
 * their turn, for which there is no limit: the limit on time begins with it.
 * There is no limit either on how many wait; that is the callers'.
 */
#ifndef SEALOCK_FETCH_OCSP_TRANSPORT_H
#define SEALOCK_FETCH_OCSP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OCSP_TRANSPORT_MS 10000

struct conf_resolver;
struct error;
struct event_base;
struct ocsp_exchange;
struct ocsp_transport;

/* To be made before a sandbox is entered. NULL with a sentence: this program
 * was built without libcurl, or there are no descriptors. */
struct ocsp_transport *
ocsp_transport_new(struct event_base *base, struct error *error);

/* No exchange is left. NULL is legal. */
void
ocsp_transport_free(struct ocsp_transport *transport);

/* Resolve names like this from now on; before the first time nothing begins.
 * -1 with a sentence, and it stays as it was. */
int
ocsp_transport_resolve_by(struct ocsp_transport *transport,
			  const struct conf_resolver *settings,
			  struct error *error)
	__attribute__((warn_unused_result));

/* How to ask. A GET is for short requests, others are sent by POST in any case;
 * a responder has to take a POST, and a GET if it likes. */
enum ocsp_method {
	OCSP_BY_POST,
	OCSP_BY_GET,    /* refused, it is a failure */
	OCSP_BY_EITHER, /* by GET; refused, by POST at once */
};

/* What is to be asked; copied. Who is sent elsewhere goes there at once, three
 * times at most and nowhere twice. */
struct ocsp_question {
	const char *url;
	const char *proxy;   /* http://HOST:PORT, HOST:PORT; "", NULL: none */
	const void *request; /* DER */
	size_t length;
	enum ocsp_method method;
	bool is_first;    /* its turn is before that of all who wait */
	int64_t limit_ms; /* 0: OCSP_TRANSPORT_MS */
};

struct ocsp_reply {
	const char *failure;    /* a sentence with nothing of the peer's in it
				 * that is not escaped; NULL: there is an answer
				 */
	long status;            /* HTTP's; 0: there was no answer at all */
	bool is_method_refused; /* the other one may do */
	const unsigned char *bytes;
	size_t length;
};

/* The end of an exchange that was not freed, from the loop (or from
 * ocsp_transport_resolve_by()); it is freed afterwards. The reply is lent. The
 * transport stays, other exchanges may begin and be freed in it. */
typedef void
ocsp_exchange_told(void *argument, const struct ocsp_reply *reply);

/* Ask. An address that cannot be used is told as a failure like others. */
struct ocsp_exchange *
ocsp_transport_ask(struct ocsp_transport *transport,
		   const struct ocsp_question *question,
		   ocsp_exchange_told *told, void *argument);

/* Nobody wants to know any more. NULL is legal. */
void
ocsp_exchange_free(struct ocsp_exchange *exchange);

#endif
