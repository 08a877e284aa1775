/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One side of a connection: a descriptor, TLS or not, and the few bytes that
 * had to be kept. Both gates of a connection are alike; nothing here knows of
 * client or server.
 */
#ifndef SEALOCK_WORKER_GATE_H
#define SEALOCK_WORKER_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <event2/event.h>
#include <event2/event_struct.h>

struct connection;
struct gate;
struct tls_engine;
struct tls_output;

enum io_result {
	IO_DONE,
	IO_AGAIN,     /* nothing there now */
	IO_END,       /* the peer's end, and it was a proper one */
	IO_TRUNCATED, /* TLS ended without close_notify */
	IO_RESET,     /* ECONNRESET, EPIPE and their like */
	IO_FAILED,    /* TLS failed, or the system refused */
};

/* Bytes that had to be kept: a short send's rest, or input that came early. */
struct held {
	unsigned char *bytes;
	size_t start;
	size_t length; /* 0: bytes is NULL */
};

void
held_append(struct held *held, const void *bytes, size_t length);
void
held_clear(struct held *held);

struct span {
	const unsigned char *bytes;
	size_t length;
};

/* What one turn brought. Zeroed is nothing. */
struct received {
	struct span plain; /* in the worker's scratch, valid until the next
			    * call of any stream */
	size_t work;       /* that it was, as bytes of a large transfer */
	bool is_drained;   /* the socket had no more */
};

/* The calls behind which TLS, plain sockets and whatever comes are alike. */
struct stream {
	/* Take what the peer sent, at most limit bytes off the wire. Data may
	 * come with every result. */
	enum io_result (*receive)(struct gate *gate, size_t limit,
				  struct received *received);
	/* Send plaintext: all of it, now or as soon as the peer takes it. */
	enum io_result (*send)(struct gate *gate, const struct span *plain);
	/* Tell the peer that no more comes: a FIN, a close_notify. IO_AGAIN:
	 * it cannot be told yet, call again once the gate is not stuck. */
	enum io_result (*finish)(struct gate *gate);
};

extern const struct stream stream_plain;
extern const struct stream stream_tls;

struct gate {
	struct connection *connection;
	const struct stream *stream;
	struct tls_engine *engine; /* NULL: plain */
	int descriptor;            /* -1: not open */
	short armed;               /* EV_READ, EV_WRITE as registered */
	bool is_tcp;
	bool is_guarded;    /* see gate_guard() */
	bool has_ended;     /* the peer's proper end was read */
	bool has_finished;  /* our end was sent or is behind out */
	bool is_broken;     /* the socket is: no I/O makes sense */
	int queued;         /* CLOSE: bytes in the kernel's queue */
	int64_t stalled_ms; /* since when it is stuck */
	size_t replies;     /* bytes of out that TLS itself answered with */
	struct held in;     /* wire bytes received, not yet looked at */
	struct held out;    /* wire bytes that a short send left behind */
	struct event event;
};

void
gate_init(struct gate *gate, struct connection *connection);

/* The descriptor is the gate's from now on. */
void
gate_open(struct gate *gate, int descriptor, bool is_tcp);

/* Disarm, close, free what is held and the engine. Legal on one that is not
 * open. */
void
gate_close(struct gate *gate);

/* A plain TCP peer takes a FIN for a proper end. Until gate_send_end() the
 * kernel closes this one with a reset, whatever this process dies of. Without
 * effect where the transport has no resets. */
void
gate_guard(struct gate *gate);

/* A FIN, behind all that was sent. */
void
gate_send_end(struct gate *gate);

/* Close; what is guarded with a reset, also behind a FIN. */
void
gate_reset(struct gate *gate);

/* Send wire bytes at once, hold what does not go. IO_DONE, IO_RESET or
 * IO_FAILED. */
enum io_result
gate_write(struct gate *gate, const void *bytes, size_t length);

/* The same with a scratch buffer, which is empty afterwards. */
enum io_result
gate_write_output(struct gate *gate, struct tls_output *output);

/* The socket takes bytes again: send what is held. IO_DONE when nothing is
 * held any more, IO_AGAIN, IO_RESET, IO_FAILED. */
enum io_result
gate_flush(struct gate *gate);

/* recv() into the worker's raw scratch. IO_DONE with the span, IO_AGAIN,
 * IO_END (a FIN), IO_RESET, IO_FAILED. */
enum io_result
gate_recv(struct gate *gate, size_t limit, struct span *wire);

/* Does it take nothing more now? Bytes are held, or TLS waits for the rest of
 * a message of the peer's before it writes again. */
bool
gate_is_stuck(const struct gate *gate);

/* May more be read off the wire, to be sent to the other one? Not behind the
 * peer's end, not while the other one is stuck, and not from a peer that makes
 * TLS answer (KeyUpdate) but does not read the answers. */
bool
gate_may_read(const struct gate *gate, const struct gate *other);

/* Register for exactly these events (EV_READ, EV_WRITE, 0). */
void
gate_arm(struct gate *gate, short wanted);

/* Acknowledge now what has come, where that is worth anything. */
void
gate_acknowledge(struct gate *gate);

/* TCP_NODELAY and keepalive where the transport has them. */
struct conf_keepalive;
void
gate_tune(struct gate *gate, const struct conf_keepalive *keepalive);

#endif
