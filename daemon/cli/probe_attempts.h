/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections of a probe, one after the other: to the first address that
 * answers, as a connect gate would by default; when the server chokes on that,
 * in other manners, each of which tells what it may have choked on; at last
 * one for each version.
 */
#ifndef SEALOCK_CLI_PROBE_ATTEMPTS_H
#define SEALOCK_CLI_PROBE_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/net/address.h"
#include "daemon/cli/probe_link.h"
#include "daemon/cli/probe_resolve.h"

struct probe_identity;
struct probe_request;

#define PROBE_ATTEMPTS_MAX 10
#define PROBE_VERSIONS     4

/* An address without an answer. */
struct probe_unreached {
	struct socket_address address;
	char text[128];
};

/* One manner. */
struct probe_attempt {
	const char *word;    /* for programs */
	const char *manner;  /* for people: "without TLS 1.3" */
	const char *meaning; /* when this one works and those before do not;
			      * NULL: of the first */
	enum probe_end end;
	char text[512];
};

struct probe_version {
	unsigned int version; /* enum tls_version */
	bool is_known;        /* false: not asked, or this OpenSSL cannot */
	bool is_spoken;
	char text[512]; /* the cipher's name, or why not */
};

struct probe_attempts {
	struct probe_unreached unreached[PROBE_ADDRESSES_MAX];
	size_t unreached_count;
	struct socket_address address; /* the one that answered */
	bool is_reached;
	struct probe_attempt attempts[PROBE_ATTEMPTS_MAX];
	size_t count;
	struct probe_link *link; /* the one to tell of; NULL: none */
	char problem[512];       /* why nothing could be tried; "" */
	struct probe_version versions[PROBE_VERSIONS];
};

/* Does all of it, which takes its time: progress is told on standard error
 * when that is a terminal. attempts needs no initialization. */
void
probe_attempts_run(struct probe_attempts *attempts,
		   const struct probe_request *request,
		   const struct probe_identity *identity);
void
probe_attempts_clear(struct probe_attempts *attempts);

/* What it means that the handshake failed, or worked in another manner only,
 * and what can be done; NULL: nothing is to be said. */
const char *
probe_attempts_meaning(const struct probe_attempts *attempts,
		       bool has_certificate);

/* For programs: "done", "closed" ... */
const char *
probe_end_word(enum probe_end end);

#endif
