/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions with backends, to be resumed: those of one process and one gate (or
 * of several gates that share them), at most so many, at most four with one
 * backend. A backend is whoever has the same identity, a hash of everything
 * that must be alike for a session to be resumed; what it is made of is for
 * others to say.
 *
 * A TLS 1.3 session is used once (RFC 8446 C.4), those of older versions again
 * and again until they expire.
 */
#ifndef SEALOCK_TLS_SESSION_STORE_H
#define SEALOCK_TLS_SESSION_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>

#include "common/base/framed_hash.h"

/* With one backend. */
#define SESSION_STORE_EACH_MAX 4

struct session_store;
struct session_backend;

/* A store without sessions that takes none, counted. */
struct session_store *
session_store_new(void);
struct session_store *
session_store_ref(struct session_store *store);
/* NULL is legal. Its backends may outlive it, and keep nothing any more. */
void
session_store_unref(struct session_store *store);

/* How many sessions there may be, and for how long after they came; those that
 * are too many go, the ones that were of no use for the longest time first. */
void
session_store_set_limits(struct session_store *store, size_t size,
			 int64_t timeout_ms);

size_t
session_store_count(const struct session_store *store);

/* Sessions whose policy nobody names any more go. */
void
session_store_sweep(struct session_store *store,
		    bool (*is_living)(const unsigned char *policy,
				      const void *argument),
		    const void *argument);

/* The backend of an identity under a policy (which is part of it); the caller's
 * reference. */
struct session_backend *
session_store_backend(struct session_store *store,
		      const unsigned char identity[FRAMED_HASH_SIZE],
		      const unsigned char policy[FRAMED_HASH_SIZE]);
struct session_backend *
session_backend_ref(struct session_backend *backend);
void
session_backend_unref(struct session_backend *backend);

/* A session to resume, the newest there is; the caller's, SSL_SESSION_free().
 * NULL: there is none that could be. */
SSL_SESSION *
session_backend_take(struct session_backend *backend);

/* Keep a copy of a session until the store's timeout, the end that its server
 * has named, or this one (seconds since 1970), whatever comes first. */
void
session_backend_keep(struct session_backend *backend,
		     const SSL_SESSION *session, int64_t valid_until);

/* Let go of all sessions with it: it does not take them well. */
void
session_backend_forget(struct session_backend *backend);

#endif
