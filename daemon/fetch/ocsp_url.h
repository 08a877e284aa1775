/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address of an OCSP responder, or of a proxy on the way to it. It comes
 * out of a certificate, or out of an answer that sends us elsewhere.
 */
#ifndef SEALOCK_FETCH_OCSP_URL_H
#define SEALOCK_FETCH_OCSP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/hostname.h"

#define OCSP_URL_MAX 2048

struct error;

struct ocsp_url {
	char *text;                  /* as it is asked for */
	char host[HOSTNAME_MAX + 1]; /* IPv6 without brackets */
	uint16_t port;
	bool is_ip;
};

/* http, a host that we would ask a name server about, printable ASCII, no
 * user's name. -1 with a sentence; url needs no ocsp_url_clear() then. */
int
ocsp_url_parse(const char *text, struct ocsp_url *url, struct error *error)
	__attribute__((warn_unused_result));

void
ocsp_url_clear(struct ocsp_url *url);

/* With a request in it, for a GET (RFC 6960 A.1; mem_free()). NULL: it has to
 * be a POST, as that would be too long (RFC 5019 5), or the address has a
 * query of its own. */
char *
ocsp_url_with_request(const struct ocsp_url *url, const void *request,
		      size_t length);

#endif
