/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `sealock probe` was asked for: its command line, read and checked.
 */
#ifndef SEALOCK_CLI_PROBE_REQUEST_H
#define SEALOCK_CLI_PROBE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/address.h"
#include "common/net/hostname.h"
#include "common/verify/verify_scheme.h"

struct error;
struct fingerprint;

struct probe_request {
	const char *target; /* as it was given */
	struct address address;
	bool has_server_name;
	char server_name[HOSTNAME_MAX + 1];
	char verify_name[HOSTNAME_MAX + 1]; /* "": none to check */
	const char *scheme_text;
	struct verify_scheme scheme; /* how names are compared */
	struct fingerprint *pins;
	size_t pin_count;
	const char **alpn;
	size_t alpn_count;
	const char **cas; /* none: the system's */
	size_t ca_count;
	const char *certificate; /* NULL: none */
	const char *key;         /* NULL: in the same file */
	const char *passphrase_file;
	int64_t timeout_ms;
	bool has_versions;      /* ask for each version */
	bool has_ocsp;          /* ask the responders of its certificates */
	bool is_resuming;       /* see whether sessions are resumed */
	const char *http_proxy; /* by way of this; NULL: directly */
	bool is_json;
	bool is_help;
};

/* Returns -1 with a sentence when the words make no sense. What the request
 * holds points into argv. */
int
probe_request_parse(int argc, char **argv, struct probe_request *request,
		    struct error *error) __attribute__((warn_unused_result));
void
probe_request_clear(struct probe_request *request);

#endif
