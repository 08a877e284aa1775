/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host names of one generation and what they resolve to, kept fresh by
 * c-ares on libevent. The set of names never changes: the next generation has
 * a resolver of its own, which takes over what this one knows.
 */
#ifndef SEALOCK_HELPER_RESOLVER_H
#define SEALOCK_HELPER_RESOLVER_H

#include "common/net/address.h"

struct conf_resolver;
struct error;
struct event_base;
struct resolution;
struct resolver;

/* A name has its first answer, another answer than before, or (count 0) it
 * has failed and there never was one. Borrowed. */
typedef void
resolver_told(const struct resolution *resolution, void *argument);

/* A resolver without names that asks nothing yet. NULL with a sentence when
 * the settings, or the system's, cannot be used. */
struct resolver *
resolver_new(struct event_base *base, const struct conf_resolver *settings,
	     resolver_told *told, void *argument, struct error *error);

/* NULL is legal. */
void
resolver_free(struct resolver *resolver);

/* Add a name before the start. The same name with another family: both are
 * wanted from then on. */
void
resolver_add(struct resolver *resolver, const char *host,
	     enum address_family family);

/* Begin, with the answers that an earlier resolver (may be NULL) has for the
 * same names; what it does not know, or asked in another way, is asked at
 * once. The earlier one must be freed afterwards. */
void
resolver_start(struct resolver *resolver, const struct resolver *earlier);

/* Call told for every name of which something is known. */
void
resolver_tell_all(const struct resolver *resolver, resolver_told *told,
		  void *argument);

#endif
