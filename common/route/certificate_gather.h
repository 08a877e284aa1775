/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every certificate that a configuration names, read from its files once, for
 * whoever holds the private keys: the keeper, or a process that keeps its own.
 * What comes of it is two things apart: the keys, and an index of everything
 * public (certificate_index.h), which others may have.
 *
 * May be made on a background thread: nothing is logged, nothing is shared but
 * the previous gathering, which only counts.
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_GATHER_H
#define SEALOCK_ROUTE_CERTIFICATE_GATHER_H

#include <stdatomic.h>
#include <stddef.h>

struct certificate_gathering;
struct conf;
struct file_set;
struct local_keys;
struct route_findings;

/* Load every certificate of every gate. conf and files need not outlive it.
 *
 * previous (may be NULL) is the gathering in force: where a certificate cannot
 * be loaded now, its last good copy is served on; what has not changed, by its
 * content, is taken over without being parsed again. It may go at any time
 * after.
 *
 * Findings: what cannot be loaded at an accept gate is quarantined, with the
 * services and hosts that are left without any certificate; at a connect gate
 * it is a problem, as it is when no service at all can start. Warnings: dates,
 * names that stand in two certificates of a type. NULL when there are problems,
 * which what was quarantined is then as well. Each finding is told once. */
struct certificate_gathering *
certificate_gather_new(const struct conf *conf, const struct file_set *files,
		       const struct certificate_gathering *previous,
		       const struct route_findings *findings);

/* Counted, for any thread; what goes last wipes the keys. NULL is legal. */
struct certificate_gathering *
certificate_gather_ref(struct certificate_gathering *gathering);
void
certificate_gather_free(struct certificate_gathering *gathering);

/* The certificate index: the descriptor of a sealed memfd, the gathering's (to
 * be duplicated by whoever keeps it). */
int
certificate_gather_index(const struct certificate_gathering *gathering);

/* How many different private keys there are. */
size_t
certificate_gather_key_count(const struct certificate_gathering *gathering);

/* Add every key to a table, for what its gates may have signed, and take them
 * out again: both or neither, once each. Cheap (no key is decoded here), so
 * that a table's lock may be held over it. */
void
certificate_gather_add_keys(const struct certificate_gathering *gathering,
			    struct local_keys *keys);
void
certificate_gather_remove_keys(const struct certificate_gathering *gathering,
			       struct local_keys *keys);

/* Where there are many new certificates, certificate_gather_new() takes a
 * glance at most of them and does not decode their private keys: they are
 * decoded when somebody first signs with them. This decodes all that are left
 * and compares them with their certificates, which takes about a millisecond
 * each: for one background thread, others may sign meanwhile. *stop ends it
 * early. Returns how many do not match; a gathering that is made with this one
 * as `previous` quarantines them. */
size_t
certificate_gather_check_pairs(struct certificate_gathering *gathering,
			       const atomic_bool *stop);

#endif
