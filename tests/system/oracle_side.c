/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/system/oracle_side.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <openssl/ssl.h>

static const struct plan_manners unknown_manners = {
	.write_size = PIECE, .read_size = PIECE, .record_size = 16384};

static const struct plan_manners *
side_manners(const struct side *side)
{
	if (!side->pair)
		return &unknown_manners;
	return side->is_client ? &side->pair->plan.client
			       : &side->pair->plan.server;
}

static bool
side_is_culprit(const struct side *side)
{
	return side->pair &&
	       plan_is_culprit(&side->pair->plan, side->is_client);
}

/* What the other side sends in all; 0: not known. */
static uint64_t
side_expected(const struct side *side)
{
	if (!side->pair)
		return 0;
	return HEADER + (side->is_client ? side->pair->plan.to_client
					 : side->pair->plan.to_server);
}

static void
side_progress(const struct run *run, struct side *side)
{
	if (side->pair)
		side->pair->progress_ms = run->now_ms;
	side->progress_ms = run->now_ms;
}

static uint64_t
stream_seed(const struct run *run, uint64_t number)
{
	return bytes_mix(bytes_mix(run->seed) ^ bytes_mix(number + 1));
}

static void
side_close(struct run *run, struct side *side, bool is_reset)
{
	struct pair *pair = side->pair;
	struct outcome *outcome;

	end_close(&side->end, is_reset);
	TAILQ_REMOVE(&run->sides, side, entry);
	if (side->is_client)
		run->open_clients--;
	if (pair) {
		outcome = side->is_client ? &pair->of_client : &pair->of_server;
		*outcome = (struct outcome){
			.is_over = true,
			.sent = side->sent,
			.received = side->received,
			.sent_digest = digest_value(&side->sent_digest),
			.received_digest = digest_value(&side->received_digest),
		};
		if (side->is_client)
			pair->client = NULL;
		else
			pair->server = NULL;
	} else {
		run->strays++;
	}
	free(side->piece);
	free(side);
}

/* Something is wrong: say what, and give the whole connection up. The side is
 * gone afterwards. */
static void __attribute__((format(printf, 3, 4)))
side_fail(struct run *run, struct side *side, const char *format, ...)
{
	struct pair *pair = side->pair;
	va_list arguments;

	printf("oracle: FAIL ");
	if (pair)
		printf("connection %" PRIu64 " (%s, %" PRIu64
		       " bytes to the server, %" PRIu64 " to the client), ",
		       pair->plan.number, plan_ending_name(pair->plan.ending),
		       pair->plan.to_server, pair->plan.to_client);
	printf("%s: ", side->is_client ? "client" : "server");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("; sent %" PRIu64 " of %" PRIu64 "%s, received %" PRIu64
	       " of %" PRIu64 "\n",
	       side->sent, side->to_send,
	       side->is_finished ? " and the end" : "", side->received,
	       side_expected(side));
	fflush(stdout);
	run->failures++;
	if (pair && pair->client && pair->client != side)
		side_close(run, pair->client, true);
	if (pair && pair->server && pair->server != side)
		side_close(run, pair->server, true);
	side_close(run, side, true);
}

struct side *
side_new(struct run *run, int descriptor, struct pair *pair, uint64_t number)
{
	struct side *side = oracle_allocate(sizeof(*side));
	SSL_CTX *context = pair ? run->client_context : run->server_context;
	bool is_tls12;
	int on = 1;

	setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0)
		oracle_die("fcntl: %s", strerror(errno));
	side->is_client = pair != NULL;
	side->pair = pair;
	side->number = number;
	side->progress_ms = run->now_ms;
	side->to_send = HEADER;
	side->over = END_AGAIN;
	random_seed(&side->writing, stream_seed(run, number) + 1);
	random_seed(&side->reading, stream_seed(run, number) + 2);
	end_init(&side->end, descriptor, context, side->is_client);
	is_tls12 = pair ? pair->plan.client.is_tls12
			: bytes_mix(number ^ run->seed) % 4 == 0;
	if (context && is_tls12)
		SSL_set_max_proto_version(side->end.ssl, TLS1_2_VERSION);
	if (context && pair &&
	    (!SSL_set_tlsext_host_name(side->end.ssl, run->name) ||
	     !SSL_set1_host(side->end.ssl, run->name)))
		oracle_die("a bad name: %s", run->name);
	TAILQ_INSERT_TAIL(&run->sides, side, entry);
	return side;
}

void
side_set_buffers(int descriptor, int size)
{
	if (size == 0)
		return;
	setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

void
side_follow(struct side *side)
{
	const struct plan *plan = &side->pair->plan;
	const struct plan_manners *manners = side_manners(side);

	if (side_is_culprit(side))
		side->to_send = HEADER + plan->cut;
	else if (side->is_client)
		side->to_send = HEADER + plan->to_server;
	else
		side->to_send = HEADER + plan->to_client;
	if (side->end.ssl)
		SSL_set_max_send_fragment(side->end.ssl, manners->record_size);
	/* Keys may change only where no close_notify can be under way at the
	 * same time: OpenSSL drops a KeyUpdate that comes after its own. */
	if (plan->ending == PLAN_QUIET || !plan_is_clean(plan))
		side->key_updates = manners->key_updates;
}

/* The first bytes of a stream say whose it is. False: the side is gone. */
static bool
side_identify(struct run *run, struct side *side)
{
	uint64_t number;
	struct pair *pair;

	memcpy(&number, side->header, HEADER);
	number ^= bytes_mix(run->seed);
	side->source = number;
	if (side->is_client) {
		if ((number & SERVER_BIT) &&
		    (number & ~SERVER_BIT) < run->accepted)
			return true;
		side_fail(run, side, "the stream begins with foreign bytes");
		return false;
	}
	if (number >= run->pair_count) {
		side_fail(run, side, "the stream begins with foreign bytes");
		return false;
	}
	pair = run->pairs[number];
	if (pair->server || pair->of_server.is_over) {
		side_fail(run, side,
			  "a second connection with the number of "
			  "the first");
		return false;
	}
	pair->server = side;
	side->pair = pair;
	side_set_buffers(side->end.descriptor, pair->plan.server.socket_buffer);
	side_follow(side);
	return true;
}

/* False: the side is gone. */
static bool
side_take(struct run *run, struct side *side, const unsigned char *bytes,
	  size_t length)
{
	uint64_t expected;
	size_t right;

	while (length && side->received < HEADER) {
		side->header[side->received++] = *bytes++;
		length--;
		if (side->received == HEADER && !side_identify(run, side))
			return false;
	}
	side_progress(run, side);
	if (length == 0)
		return true;
	right = bytes_check(stream_seed(run, side->source),
			    side->received - HEADER, bytes, length);
	if (right < length) {
		side_fail(run, side, "a wrong byte at %" PRIu64,
			  side->received + right);
		return false;
	}
	digest_add(&side->received_digest, bytes, length);
	side->received += length;
	run->moved += length;
	expected = side_expected(side);
	if (expected && side->received > expected) {
		side_fail(run, side, "more bytes than were sent");
		return false;
	}
	return true;
}

static const char *
over_name(enum end_result over)
{
	switch (over) {
	case END_CLEAN:
		return "a clean end";
	case END_TRUNCATED:
		return "an end without close_notify";
	case END_RESET:
		return "a reset";
	case END_DONE:
	case END_AGAIN:
	case END_FAILED:
		break;
	}
	return "a failure";
}

/* The stream has ended in this way: may it? False: the side is gone. */
static bool
side_end(struct run *run, struct side *side, enum end_result over)
{
	struct pair *pair = side->pair;
	const char *problem = side->end.problem;

	side->over = over;
	side_progress(run, side);
	if (!pair) {
		/* Its client has reset before a byte came through. */
		if (over == END_CLEAN)
			side_fail(run, side, "a clean end before any byte");
		else
			side_close(run, side, false);
		return false;
	}
	if (plan_is_clean(&pair->plan)) {
		if (over == END_CLEAN && side->received == side_expected(side))
			return true;
		side_fail(run, side, "%s%s%s", over_name(over),
			  problem[0] ? ": " : "", problem);
		return false;
	}
	if (!side_is_culprit(side) &&
	    (over == END_CLEAN || over == END_FAILED)) {
		side_fail(run, side, "%s although the other end broke off%s%s",
			  over_name(over), problem[0] ? ": " : "", problem);
		return false;
	}
	side_close(run, side, false);
	return false;
}

static bool
side_may_finish(const struct side *side)
{
	const struct pair *pair = side->pair;

	if (!pair || side_is_culprit(side))
		return pair != NULL;
	switch (pair->plan.ending) {
	case PLAN_CLIENT_FIRST:
		return side->is_client || side->over == END_CLEAN;
	case PLAN_SERVER_FIRST:
		return !side->is_client || side->over == END_CLEAN;
	case PLAN_TOGETHER:
		return true;
	case PLAN_QUIET:
		if (!side->is_client)
			return side->over == END_CLEAN;
		return side->received == side_expected(side) && pair->server &&
		       pair->server->received == side_expected(pair->server);
	case PLAN_CLIENT_RESETS:
	case PLAN_SERVER_RESETS:
	case PLAN_CLIENT_TRUNCATES:
	case PLAN_SERVER_TRUNCATES:
		break;
	}
	return false;
}

/* All is sent: end the stream in the way that the plan says. False: the side
 * is gone. */
static bool
side_finish(struct run *run, struct side *side)
{
	enum end_result result;

	if (side_is_culprit(side)) {
		if (side->pair->plan.ending == PLAN_CLIENT_RESETS ||
		    side->pair->plan.ending == PLAN_SERVER_RESETS) {
			side_close(run, side, true);
			return false;
		}
		end_truncate(&side->end);
		side->is_finished = true;
		return true;
	}
	result = end_finish(&side->end);
	if (result == END_AGAIN)
		return true;
	if (result != END_DONE)
		return side_end(run, side, result);
	side->is_finished = true;
	side_progress(run, side);
	return true;
}

/* The next piece to send. */
static void
side_fill(struct run *run, struct side *side)
{
	const struct plan_manners *manners = side_manners(side);
	uint64_t left = side->to_send - side->sent;
	size_t size;

	if (!side->piece)
		side->piece = oracle_allocate(PIECE);
	side->piece_sent = 0;
	if (side->sent < HEADER) {
		uint64_t number = side->number ^ bytes_mix(run->seed);

		memcpy(side->piece, &number, HEADER);
		side->piece_size = HEADER;
		return;
	}
	size = manners->write_size;
	if (!manners->is_steady)
		size = random_size(&side->writing, size);
	if (size > left)
		size = left;
	bytes_fill(stream_seed(run, side->number), side->sent - HEADER,
		   side->piece, size);
	digest_add(&side->sent_digest, side->piece, size);
	side->piece_size = size;
	if (side->key_updates && random_below(&side->writing, 16) == 0) {
		side->key_updates--;
		end_update_key(&side->end,
			       !side->is_client &&
				       random_below(&side->writing, 2));
	}
}

/* Until when; 0: not now. */
static int64_t
choose_pause(const struct side *side, struct random *random,
	     unsigned int *taken, int64_t now_ms)
{
	const struct plan_manners *manners = side_manners(side);

	if (*taken == manners->pauses ||
	    random_below(random, manners->pause_every) != 0)
		return 0;
	++*taken;
	return now_ms + 1 + (int64_t)random_below(random, manners->pause_ms);
}

/* One piece, as far as it goes. False: the side is gone. */
static bool
side_write(struct run *run, struct side *side)
{
	if (side->piece_sent == side->piece_size) {
		if (side->sent == side->to_send)
			return side_finish(run, side);
		side_fill(run, side);
	}
	while (side->piece_sent < side->piece_size) {
		size_t put = 0;
		enum end_result result;

		result = end_write(&side->end, side->piece + side->piece_sent,
				   side->piece_size - side->piece_sent, &put);
		if (result == END_AGAIN)
			return true;
		if (result != END_DONE)
			return side_end(run, side, result);
		side->piece_sent += put;
		side->sent += put;
		side_progress(run, side);
	}
	side->write_at_ms = choose_pause(side, &side->writing,
					 &side->write_pauses, run->now_ms);
	return true;
}

/* False: the side is gone. */
static bool
side_read(struct run *run, struct side *side)
{
	const struct plan_manners *manners = side_manners(side);
	size_t left = manners->read_size;

	if (!manners->is_steady)
		left = random_size(&side->reading, left);
	while (left) {
		size_t got = 0;
		enum end_result result;

		result = end_read(&side->end, run->scratch, left, &got);
		if (result == END_AGAIN)
			break;
		if (result != END_DONE)
			return side_end(run, side, result);
		if (!side_take(run, side, run->scratch, got))
			return false;
		left -= got;
	}
	side->read_at_ms = choose_pause(side, &side->reading,
					&side->read_pauses, run->now_ms);
	return true;
}

bool
side_wants_read(const struct side *side)
{
	return side->over == END_AGAIN;
}

bool
side_wants_write(const struct side *side)
{
	return side->sent < side->to_send ||
	       (!side->is_finished && side_may_finish(side));
}

uint32_t
side_events(const struct run *run, const struct side *side)
{
	uint32_t events = 0;

	if (!side->end.is_ready)
		return side->end.read_events;
	if (side_wants_read(side) && side->read_at_ms <= run->now_ms)
		events |= side->end.read_events;
	if (side_wants_write(side) && side->write_at_ms <= run->now_ms)
		events |= side->end.write_events;
	return events;
}

void
side_turn(struct run *run, struct side *side)
{
	uint32_t ready = side->ready;

	side->ready = 0;
	if (ready & (EPOLLERR | EPOLLHUP))
		ready |= EPOLLIN | EPOLLOUT;
	if (!side->end.is_ready) {
		enum end_result result;

		if (!ready && side->end.ssl)
			return;
		result = end_handshake(&side->end);
		if (result == END_AGAIN)
			return;
		if (result != END_DONE) {
			side_end(run, side, result);
			return;
		}
		side_progress(run, side);
		ready = EPOLLIN | EPOLLOUT;
	}
	if (side_wants_read(side) && side->read_at_ms <= run->now_ms &&
	    ((ready & side->end.read_events) || end_has_pending(&side->end)) &&
	    !side_read(run, side))
		return;
	if (side_wants_write(side) && side->write_at_ms <= run->now_ms &&
	    (ready & side->end.write_events) && !side_write(run, side))
		return;
	if (side->is_finished && side->over != END_AGAIN) {
		side_close(run, side, false);
		return;
	}
	if (run->now_ms -
		    (side->pair ? side->pair->progress_ms : side->progress_ms) >
	    STALL_MS)
		side_fail(run, side, "nothing has moved for %d s",
			  STALL_MS / 1000);
}
