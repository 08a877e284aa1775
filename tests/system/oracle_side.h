/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two sides of a connection through the daemon, as the relay oracle plays
 * them: what they send, what they must receive, and when something is wrong.
 */
#ifndef SEALOCK_TESTS_ORACLE_SIDE_H
#define SEALOCK_TESTS_ORACLE_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <openssl/types.h>

#include "tests/system/oracle_bytes.h"
#include "tests/system/oracle_end.h"
#include "tests/system/oracle_plan.h"

#define HEADER     8 /* each stream begins with the number of its sender */
#define SERVER_BIT (UINT64_C(1) << 63)
#define PIECE      (1u << 20)
#define STALL_MS   30000

/* What is known of one side when it is over. */
struct outcome {
	bool is_over;
	uint64_t sent;
	uint64_t received;
	uint64_t sent_digest;
	uint64_t received_digest;
};

struct side;

struct pair {
	struct plan plan;
	struct side *client; /* while they are open */
	struct side *server;
	struct outcome of_client;
	struct outcome of_server;
	int64_t progress_ms;
};

struct side {
	TAILQ_ENTRY(side) entry;
	struct end end;
	struct pair *pair; /* NULL: a server that does not know its client */
	bool is_client;
	uint64_t number; /* names the stream that it sends */
	int64_t progress_ms;

	uint64_t to_send; /* in all, as far as is known */
	uint64_t sent;
	unsigned char *piece;
	size_t piece_size;
	size_t piece_sent;
	struct digest sent_digest;
	bool is_finished; /* the end of the stream was sent, too */
	int64_t write_at_ms;
	unsigned int write_pauses;
	unsigned int key_updates;
	struct random writing;

	unsigned char header[HEADER];
	uint64_t source; /* the number of the stream that it receives */
	uint64_t received;
	struct digest received_digest;
	enum end_result over; /* AGAIN: the stream has not ended */
	int64_t read_at_ms;
	unsigned int read_pauses;
	struct random reading;

	uint32_t armed;
	uint32_t ready;
};

struct run {
	const char *mode;
	uint64_t seed;
	uint64_t bytes;
	unsigned int connections;
	uint16_t listen_port;
	uint16_t connect_port;
	const char *ca;
	const char *cert;
	const char *key;
	char *name;
	struct plan_limits limits;

	SSL_CTX *client_context;
	SSL_CTX *server_context;
	int listener;
	int epoll;
	TAILQ_HEAD(, side) sides;
	struct pair **pairs; /* by number */
	size_t pair_count;
	size_t open_clients;
	uint64_t accepted;
	uint64_t planned;
	uint64_t moved;
	uint64_t digest;
	size_t bad_endings;
	size_t strays; /* server sides that never learnt their client */
	unsigned int failures;
	int64_t now_ms;
	unsigned char *scratch;
};

/* A side on a connected socket: a client's of that pair, or with NULL one
 * that the server accepted. Dies when it cannot. */
struct side *
side_new(struct run *run, int descriptor, struct pair *pair, uint64_t number);

/* The side's plan is known: what it has to do. */
void
side_follow(struct side *side);

/* 0: leave the kernel's. */
void
side_set_buffers(int descriptor, int size);

/* What epoll has to wait for now; 0 also during a pause. */
uint32_t
side_events(const struct run *run, const struct side *side);
bool
side_wants_read(const struct side *side);
bool
side_wants_write(const struct side *side);

/* Do what can be done. The side may be gone afterwards, and after a failure
 * the other side of its connection, too. */
void
side_turn(struct run *run, struct side *side);

/* Say it, and exit with 2. */
void
oracle_die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
void *
oracle_allocate(size_t size);

#endif
