/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection through the lock: two gates, two flows, one state. The life
 * of it:
 *
 *	HELLO		the whole ClientHello is awaited and read (hello.c)
 *	HANDSHAKE	TLS with the client (handshake.c)
 *	AUTHORIZE	others are asked about the client (authorize.c)
 *	CONNECT		name, socket and TLS of the backend (connect.c)
 *	RELAY		bytes both ways (relay.c)
 *	DRAIN		one side has ended, the other goes on
 *	CLOSE		last bytes, alerts and resets leave (close.c)
 *
 * A plain accept gate begins with AUTHORIZE, and where nobody is to be asked
 * that is passed over. connection_close() is the only exit, and
 * connection_update_events() the only place that arms events.
 */
#ifndef SEALOCK_WORKER_CONNECTION_H
#define SEALOCK_WORKER_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <openssl/types.h>

#include "common/base/reason.h"
#include "common/base/timer_wheel.h"
#include "common/tls/tls_settings.h"
#include "daemon/worker/gate.h"

struct authorizing;
struct connecting;
struct route_choice;
struct route_service;
struct snapshot;
struct socket_address;
struct tls_engine;
struct worker;

enum connection_state {
	CONNECTION_HELLO,
	CONNECTION_HANDSHAKE,
	CONNECTION_AUTHORIZE,
	CONNECTION_CONNECT,
	CONNECTION_RELAY,
	CONNECTION_DRAIN,
	CONNECTION_CLOSE,
	CONNECTION_STATE_COUNT,
};

/* One direction. */
struct flow {
	uint64_t bytes;   /* data taken from the source */
	size_t allowance; /* what one turn may take */
};

/* A peer's address in few bytes; UNIX sockets have none worth keeping. */
union peer_address {
	struct sockaddr any;
	struct sockaddr_in inet;
	struct sockaddr_in6 inet6;
};

struct connection {
	TAILQ_ENTRY(connection) entries;
	enum connection_state state;
	enum reason reason; /* CLOSE: why */
	struct worker *worker;
	struct snapshot *snapshot; /* a reference */
	const struct route_service *service;

	struct gate accept;
	struct gate connect;
	struct flow up;   /* client to backend */
	struct flow down; /* backend to client */
	struct timer timer;
	struct authorizing *authorizing; /* while somebody is asked: AUTHORIZE,
					  * CONNECT */
	struct connecting *connecting;   /* CONNECT only */

	/* Monotonic milliseconds. */
	int64_t now_ms; /* this turn */
	int64_t started_ms;
	int64_t state_ms;    /* entered the state */
	int64_t activity_ms; /* data last moved */

	/* For the access record. */
	int32_t handshake_ms; /* -1: none was completed */
	int32_t connect_ms;   /* -1: no backend was reached */
	uint8_t shutdown;     /* enum tls_shutdown of the accept gate */
	union peer_address client;
	union peer_address local;
	char *server_name; /* as the client sent it, escaped; NULL: none */
	char *backend;     /* where we connected to; NULL: nowhere */
	/* That backend's TLS, when it was refused after its handshake: for the
	 * record. NULL: it was not. */
	struct tls_engine *refused;
};

TAILQ_HEAD(connection_list, connection);

/* A new client of a service. Takes the descriptor. */
void
connection_new(struct worker *worker, const struct route_service *service,
	       int descriptor, const struct socket_address *client);

/* Something happened at a gate: EV_READ, EV_WRITE. */
void
connection_event(struct connection *connection, struct gate *gate, short what);

/* Its timer ran out: find the limit that is over, if any. */
void
connection_expired(struct connection *connection);

/* Move on to the next state and its time limit. */
void
connection_enter(struct connection *connection, enum connection_state state);

/* Arm what the state waits for. */
void
connection_update_events(struct connection *connection);

/* Set the timer to the first limit that the state has. */
void
connection_update_timer(struct connection *connection);

/* The only exit: one reason, a detail or NULL, the access record. Until
 * CONNECTION_CLOSE is over the gates may still be open. */
void
connection_close(struct connection *connection, enum reason reason,
		 const char *detail, ...) __attribute__((format(printf, 3, 4)));

/* The process is ending: close everything without a word or a record. */
void
connection_abandon(struct connection *connection);

/* Before the gate's handshake: let it pause for a signature of the keeper's.
 * Meanwhile what the peer sends is kept in the gate's in. */
void
connection_await_keys(struct gate *gate);

/* How the gate's TLS says goodbye. */
enum tls_shutdown
connection_shutdown(const struct gate *gate);

/* For the log: an address and a port, "unix:" for a UNIX socket; returns
 * buffer. */
const char *
peer_address_format(const union peer_address *peer, char *buffer, size_t size);

static inline bool
connection_is_accept(const struct gate *gate)
{
	return gate == &gate->connection->accept;
}

/* The steps, one file each. They return when the connection waits for an
 * event, has moved on, or is closed; callers do not touch it afterwards but
 * through connection_update_events(), which is legal in every state. */
void
hello_read(struct connection *connection);
void
handshake_start(struct connection *connection,
		const struct route_choice *choice, const struct span *input);
void
handshake_continue(struct connection *connection, const struct span *wire);
void
handshake_event(struct connection *connection, short what);
void
authorize_start(struct connection *connection);
void
authorize_event(struct connection *connection, struct gate *gate, short what);
void
authorize_backend(struct connection *connection, const char *name);
void
authorize_cancel(struct connection *connection);
void
connect_start(struct connection *connection);
void
connect_continue(struct connection *connection, const struct span *wire);
void
connect_event(struct connection *connection, short what);
void
connect_finish(struct connection *connection);
void
connect_refused(struct connection *connection, enum reason reason,
		const char *detail);
void
connect_cancel(struct connection *connection);
void
relay_start(struct connection *connection);
void
relay_event(struct connection *connection, struct gate *gate, short what);

/* While somebody is asked: what the peer is listened for, until when, and what
 * the question waits for, in words. */
short
authorize_wants(const struct connection *connection);
int64_t
authorize_deadline(const struct connection *connection);
/* Is it time that the gate's own limit has no say in? */
bool
authorize_has_own_time(const struct connection *connection);
const char *
authorize_lacks(const struct connection *connection);

/* That time is over. False: it is the connection's end. */
bool
authorize_expired(struct connection *connection);

/* Begin the farewell that the reason asks for; frees at once what has nothing
 * to say. */
void
close_start(struct connection *connection, enum connection_state from);
void
close_event(struct connection *connection, struct gate *gate, short what);
void
close_expired(struct connection *connection);

/* Close both gates and let the connection go. */
void
close_finish(struct connection *connection);

/* Write the access record. */
void
access_log_write(const struct connection *connection, const char *detail);

/* What is known of the connection as lines "key: value", for builtin:whoami.
 * Returns memory of the caller's (mem_free()). */
char *
access_log_describe(const struct connection *connection);

#endif
