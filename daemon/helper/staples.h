/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Staples for all accept gates: OCSP answers about our own certificates, asked
 * of their responders or read from files, judged, kept, and told to workers.
 * What is told is good; the last good answer counts to the end of its time,
 * whatever comes after it, unless that says that the certificate is revoked.
 */
#ifndef SEALOCK_HELPER_STAPLES_H
#define SEALOCK_HELPER_STAPLES_H

#include <stddef.h>
#include <stdint.h>

struct error_list;
struct event_base;
struct generation;
struct ocsp_transport;
struct state_pair;
struct staples;

/* The staple for a leaf (SHA-256 of its DER), good until then (milliseconds
 * since 1970); no bytes: there is none any more. Lent. */
struct staple_told {
	const unsigned char *leaf;
	int64_t until_ms;
	const unsigned char *bytes;
	size_t length;
};
typedef void
staples_tell(const struct staple_told *told, void *argument);

/* transport NULL: nobody can be asked. It must outlive them. */
struct staples *
staples_new(struct event_base *base, struct ocsp_transport *transport,
	    staples_tell *tell, void *argument);

/* Leaves to the state what its successor should know. NULL is legal. */
void
staples_free(struct staples *staples);

/* Keep what is known there, and begin with what an earlier process has left.
 * Once, before the first generation; it must outlive them. */
void
staples_keep(struct staples *staples, struct state_pair *state);

/* Look what a generation wants, and tell what is there for it already, so that
 * its first client is served; warnings: of files without a good answer. Nobody
 * is asked before it is in force. Nothing is kept of it but the index. */
void
staples_prepare(struct staples *staples, const struct generation *generation,
		struct error_list *warnings);
void
staples_commit(struct staples *staples);

/* When nothing is prepared, too. */
void
staples_abort(struct staples *staples);

/* Tell one who has come later everything. */
void
staples_tell_all(const struct staples *staples, staples_tell *tell,
		 void *argument);

#endif
