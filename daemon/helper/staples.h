/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Staples for all accept gates: OCSP answers about our own certificates, asked
 * of their responders or read from files, judged, kept, and told to workers.
 * What is told is good; the last good answer counts to the end of its time,
 * whatever comes after it, unless that says that the certificate is revoked.
 */
#ifndef SEALOCK_HELPER_STAPLES_H
#define SEALOCK_HELPER_STAPLES_H

#include <stdbool.h>
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

/* transport NULL: nobody can be asked. It must outlive them. news: there is
 * something to tell, called from within whatever has found it. */
struct staples *
staples_new(struct event_base *base, struct ocsp_transport *transport,
	    void (*news)(void *argument), void *argument);

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

/* Tell one whatever there is that he has not been told yet, each thing once, as
 * it is by now; *told is how far he is, 0 in the beginning. It ends early when
 * he takes no more (false): what he did not take is told the next time. */
void
staples_tell_news(const struct staples *staples, uint64_t *told,
		  bool (*take)(const struct staple_told *told, void *argument),
		  void *argument);

#endif
