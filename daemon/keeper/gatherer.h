/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates and keys are gathered on a thread of their own, while the event
 * loop and those who sign go on, one gathering at a time. In between it checks
 * private keys against certificates, which is slower than all the rest.
 */
#ifndef SEALOCK_KEEPER_GATHERER_H
#define SEALOCK_KEEPER_GATHERER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct certificate_gathering;
struct event_base;
struct gatherer;
struct generation;

/* What came of a generation. */
struct gathered {
	uint64_t number;
	struct certificate_gathering *gathering; /* NULL: problems */
	struct error_list problems;
	struct error_list warnings;
};

/* Called on the event loop. */
struct gatherer_events {
	/* The gathering is the callee's when it takes it out, the lists are
	 * lent. */
	void (*gathered)(struct gathered *gathered, void *argument);

	/* A gathering was checked: so many private keys are not those of
	 * their certificates. */
	void (*checked)(size_t wrong, void *argument);
};

/* Without a thread as yet. events is copied. NULL with errno when the system
 * has no descriptor left. */
struct gatherer *
gatherer_new(struct event_base *base, const struct gatherer_events *events,
	     void *argument);

/* Waits for what is under way. NULL is legal. */
void
gatherer_free(struct gatherer *gatherer);

/* Gather for a generation, which is the gatherer's from now on; previous (may
 * be NULL) gets a reference. -1 with a sentence when there is no thread to do
 * it; the generation is freed then as well. */
int
gatherer_begin(struct gatherer *gatherer, struct generation *generation,
	       struct certificate_gathering *previous, struct error *error)
	__attribute__((warn_unused_result));

/* Check the pairs of a gathering, which gets a reference, when there is nothing
 * to gather; instead of what else there may be to check. */
void
gatherer_check(struct gatherer *gatherer,
	       struct certificate_gathering *gathering);

/* Nobody wants to know what comes of those that were begun. */
void
gatherer_cancel(struct gatherer *gatherer);

#endif
