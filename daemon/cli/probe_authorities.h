/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CAs that a probe judges by.
 */
#ifndef SEALOCK_CLI_PROBE_AUTHORITIES_H
#define SEALOCK_CLI_PROBE_AUTHORITIES_H

struct ca_store;
struct error;
struct probe_request;

struct probe_authorities {
	struct ca_store *store; /* NULL: this machine has none */
	char *what;             /* for people; NULL with the store */
};

/* Those asked for, or the system's. NULL with a sentence when they cannot be
 * read. */
struct probe_authorities *
probe_authorities_new(const struct probe_request *request, struct error *error);
void
probe_authorities_free(struct probe_authorities *authorities);

#endif
