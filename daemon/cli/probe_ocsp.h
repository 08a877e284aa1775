/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What OCSP says of a server's certificates: the answer that it sent along, and
 * with --ocsp those of the responders that the certificates name.
 */
#ifndef SEALOCK_CLI_PROBE_OCSP_H
#define SEALOCK_CLI_PROBE_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/x509.h>

#include "common/verify/ocsp_answer.h"
#include "daemon/cli/probe_verdicts.h"

/* Certificates of a chain that responders are asked about. */
#define PROBE_OCSP_MAX 8

struct probe_authorities;
struct probe_link;
struct probe_request;

struct probe_responder {
	char subject[128];       /* of the certificate, escaped */
	char uri[OCSP_URI_SIZE]; /* "": it names none */
	int64_t ms;              /* how long the answer took, or -1 */
	size_t length;           /* of it, in bytes */
	enum ocsp_status status; /* when uri is there */
	int64_t this_update;     /* seconds since 1970; 0: not known */
	int64_t next_update;     /* the same; or the answer does not say */
	struct probe_verdict verdict;
};

struct probe_ocsp {
	struct probe_verdict staple;
	struct probe_responder responders[PROBE_OCSP_MAX];
	size_t count;
};

/* Judge the staple, and ask the responders when the request is for that: each
 * within its timeout. chain as in probe_verdicts_make(). */
void
probe_ocsp_run(struct probe_ocsp *ocsp, const struct probe_request *request,
	       const struct probe_authorities *authorities,
	       const struct probe_link *link, STACK_OF(X509) *chain);

/* Is there nothing that speaks against the server? */
bool
probe_ocsp_is_good(const struct probe_ocsp *ocsp);

#endif
