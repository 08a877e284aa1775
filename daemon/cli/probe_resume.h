/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `sealock probe --resume`: with each version that resumes in a way of its own
 * two connections, the second with what the first was given.
 */
#ifndef SEALOCK_CLI_PROBE_RESUME_H
#define SEALOCK_CLI_PROBE_RESUME_H

#include <stdbool.h>
#include <stddef.h>

struct probe_attempts;
struct probe_identity;
struct probe_request;

#define PROBE_RESUME_VERSIONS 2

struct probe_resumed {
	const char *version; /* "TLSv1.3" */
	bool is_resumed;
	const char *by; /* "ticket", "session id"; NULL: no session came */
	char text[600]; /* for people: why not, or how */
};

struct probe_resume {
	struct probe_resumed versions[PROBE_RESUME_VERSIONS];
	size_t count; /* 0: not asked for, or nothing answers */
};

/* Does it when the request is for that, to the address that has answered. */
void
probe_resume_run(struct probe_resume *resume,
		 const struct probe_request *request,
		 const struct probe_identity *identity,
		 const struct probe_attempts *attempts);

#endif
