/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One end of a connection, plain or TLS, without blocking, and with every way
 * in which a connection can end, the bad ones too. TLS stands directly on the
 * socket: on purpose another way than the daemon's.
 */
#ifndef SEALOCK_TESTS_ORACLE_END_H
#define SEALOCK_TESTS_ORACLE_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

enum end_result {
	END_DONE,
	END_AGAIN,     /* wait for the events named */
	END_CLEAN,     /* FIN, or with TLS the close_notify */
	END_TRUNCATED, /* TLS: FIN without close_notify */
	END_RESET,
	END_FAILED, /* TLS says that something is wrong; see problem */
};

struct end {
	int descriptor;
	SSL *ssl; /* NULL: plain */
	bool is_ready;
	uint32_t read_events; /* what the next read or write waits for */
	uint32_t write_events;
	char problem[256];
};

/* Takes a connected socket that does not block. context NULL: plain. */
void
end_init(struct end *end, int descriptor, SSL_CTX *context, bool is_client);

/* Until DONE once: nothing else may be called before. */
enum end_result
end_handshake(struct end *end);

/* DONE with at least one byte. */
enum end_result
end_read(struct end *end, unsigned char *bytes, size_t size, size_t *got);
enum end_result
end_write(struct end *end, const unsigned char *bytes, size_t length,
	  size_t *put);

/* Are there bytes that the socket does not show? */
bool
end_has_pending(const struct end *end);

/* Send the end of what we send, FIN or close_notify; until DONE once. */
enum end_result
end_finish(struct end *end);

/* TLS: a FIN without close_notify. */
void
end_truncate(struct end *end);

/* TLS 1.3: new keys for what we send, and perhaps for what we receive; not
 * while a write is under way. */
void
end_update_key(struct end *end, bool is_requested);

/* Close; a reset when asked for. Legal twice. */
void
end_close(struct end *end, bool is_reset);

#endif
