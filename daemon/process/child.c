/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a child: descriptor 3 is the channel to the monitor and all
 * that it brought along. First come the logs and the sandbox, then peers and
 * generations in any number. Whatever comes out of order, and the monitor's
 * end, is the end.
 */
#include "daemon/process/child.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"
#include "daemon/process/channel.h"
#include "daemon/process/child_confine.h"
#include "daemon/process/descriptor_reserve.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/log_message.h"
#include "daemon/process/signals.h"

#define CHANNEL_DESCRIPTOR 3

/* Room for a peer, for logs and for a small generation even when connections
 * have taken everything else. */
#define DESCRIPTOR_RESERVE 16

/* Of the generation that was built last. */
enum pending_state {
	PENDING_NONE,
	PENDING_BUILDING,
	PENDING_READY,
	PENDING_FAILED,
};

struct child {
	const struct child_role *role;
	uint32_t number;
	struct event_base *base;
	struct channel *monitor;
	struct descriptor_reserve *reserve;
	void *argument;
	bool is_started;
	bool is_confined;
	bool has_state;
	bool needs_broker;
	struct error refusal; /* why it is not: to be told, and nothing else
			       * is done */
	struct generation_receiver *receiver; /* from PREPARE to BUILD */
	uint64_t pending; /* its number, from BUILD to COMMIT or ABORT */
	enum pending_state pending_state;
	int status;
};

uint32_t
child_number(const struct child *child)
{
	return child->number;
}

bool
child_needs_broker(const struct child *child)
{
	return child->needs_broker;
}

void
child_exit(struct child *child, int status)
{
	child->status = status;
	event_base_loopbreak(child->base);
}

static void
send_number(struct child *child, enum message_type type, uint64_t number)
{
	struct message *message = message_new(type);

	buf_write_u64(&message->body, number);
	channel_send(child->monitor, message);
}

void
child_report_live(struct child *child, uint64_t number)
{
	send_number(child, MESSAGE_LIVE, number);
}

void
child_report_stale(struct child *child, uint64_t number)
{
	send_number(child, MESSAGE_STALE, number);
}

/* As many indexes as one message takes beside the number. */
#define DOWN_A_MESSAGE ((MESSAGE_BODY_MAX - 8) / 4)

void
child_report_down(struct child *child, uint64_t number,
		  const uint32_t *services, size_t count)
{
	for (size_t i = 0; i < count;) {
		struct message *message = message_new(MESSAGE_DOWN);
		size_t end =
			count - i < DOWN_A_MESSAGE ? count : i + DOWN_A_MESSAGE;

		buf_write_u64(&message->body, number);
		while (i < end)
			buf_write_u32(&message->body, services[i++]);
		channel_send(child->monitor, message);
	}
}

void
child_report_index(struct child *child, uint64_t number, int descriptor)
{
	struct message *message = message_new(MESSAGE_INDEX);

	buf_write_u64(&message->body, number);
	if (!message_add_fd(message, descriptor))
		abort();
	channel_send(child->monitor, message);
}

void
child_tell_tickets(struct child *child, bool is_done, const char *text)
{
	struct message *message = message_new(MESSAGE_TICKETS_TOLD);

	buf_write_u8(&message->body, is_done);
	buf_write_string(&message->body, text);
	channel_send(child->monitor, message);
}

void
child_accuse(struct child *child, enum ipc_role role, uint32_t number,
	     const char *why)
{
	struct message *message = message_new(MESSAGE_ACCUSE);
	char sentence[256];

	/* Cut, if need be, to what the message has room for. */
	snprintf(sentence, sizeof(sentence), "%s", why);
	buf_write_u8(&message->body, (uint8_t)role);
	buf_write_u32(&message->body, number);
	buf_write_string(&message->body, sentence);
	channel_send(child->monitor, message);
}

__attribute__((cold)) static void
refuse(struct child *child, const char *why)
{
	log_error("monitor broke the rules", "reason=\"%s\"", why);
	child_exit(child, 1);
}

static void
answer(struct child *child, enum message_type type, uint64_t number,
       const struct error_list *sentences)
{
	struct message *message = message_new(type);

	buf_write_u64(&message->body, number);
	generation_problems_write(&message->body, sentences);
	channel_send(child->monitor, message);
}

/* Generations. */

/* Without room for all that would come, nothing needs to come. */
static void
refuse_generation(struct child *child, uint64_t number, uint32_t descriptors)
{
	struct error_list problems = {0};
	struct error error = {0};
	struct rlimit limit = {0};

	getrlimit(RLIMIT_NOFILE, &limit);
	error_set(&error,
		  "the configuration needs %u descriptors more, and of the %ju "
		  "that a process may have (RLIMIT_NOFILE) fewer are left",
		  descriptors, (uintmax_t)limit.rlim_cur);
	error_list_add(&problems, &error);
	child->pending = number;
	child->pending_state = PENDING_FAILED;
	answer(child, MESSAGE_FAILED, number, &problems);
	error_list_clear(&problems);
}

/* In place of whatever comes: the monitor asks for a generation, and hears why
 * there will be none. */
static void
tell_refusal(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	struct error_list problems = {0};

	if (message->type != MESSAGE_PREPARE)
		return;
	error_list_add(&problems, &child->refusal);
	answer(child, MESSAGE_FAILED, buf_read_u64(&reader), &problems);
	error_list_clear(&problems);
}

static void
on_prepare(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);
	uint32_t descriptors = buf_read_u32(&reader);

	if (child->receiver || child->pending || number == 0) {
		refuse(child, "PREPARE at the wrong time");
		return;
	}
	if (!descriptor_reserve_expect(child->reserve, descriptors)) {
		refuse_generation(child, number, descriptors);
		return;
	}
	child->receiver = generation_receiver_new(number);
	send_number(child, MESSAGE_ITEMS_ACK, number);
}

/* No more of it comes. */
static void
end_receiving(struct child *child)
{
	generation_receiver_free(TAKE(child->receiver));
	(void)!descriptor_reserve_expect(child->reserve, 0);
}

static void
on_items(struct child *child, struct message *message)
{
	struct error error = {0};

	if (!child->receiver) {
		refuse(child, "ITEMS at the wrong time");
		return;
	}
	if (generation_receiver_add(child->receiver, message, &error) != 0) {
		refuse(child, error.text);
		return;
	}
	send_number(child, MESSAGE_ITEMS_ACK,
		    generation_receiver_number(child->receiver));
}

/* Do the listeners name what is in the configuration? */
static bool
is_consistent(const struct generation *generation)
{
	const struct conf *conf = generation->conf;

	for (size_t i = 0; i < generation->listener_count; i++) {
		const struct generation_listener *listener =
			&generation->listeners[i];

		if (listener->service >= conf->service_count ||
		    listener->address >= conf->services[listener->service]
						 .accept.address_count)
			return false;
	}
	return true;
}

/* Takes the generation. */
static int
build(struct child *child, struct generation *generation,
      struct error_list *problems, struct error_list *warnings)
{
	struct error error = {0};

	/* The monitor has told the configuration's own warnings. */
	generation->conf = conf_load(&generation->documents, problems, NULL);
	if (!generation->conf) {
		generation_free(generation);
		return -1;
	}
	if (!is_consistent(generation)) {
		error_set(&error, "listeners that no service has");
		error_list_add(problems, &error);
		generation_free(generation);
		return -1;
	}
	return child->role->prepare(child->argument, generation, problems,
				    warnings);
}

void
child_prepared(struct child *child, uint64_t number, int status,
	       const struct error_list *problems,
	       const struct error_list *warnings)
{
	if (child->pending != number)
		return;
	assert(child->pending_state == PENDING_BUILDING);
	if (status == 0) {
		child->pending_state = PENDING_READY;
		answer(child, MESSAGE_READY, number, warnings);
	} else {
		child->pending_state = PENDING_FAILED;
		answer(child, MESSAGE_FAILED, number, problems);
	}
}

/* It is committed or aborted: the next one may come. */
static enum pending_state
end_pending(struct child *child)
{
	enum pending_state state = child->pending_state;

	child->pending = 0;
	child->pending_state = PENDING_NONE;
	return state;
}

static void
on_build(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);
	struct error_list problems = {0}, warnings = {0};
	struct generation *generation;
	struct error error = {0};
	int status;

	if (!child->receiver ||
	    generation_receiver_number(child->receiver) != number) {
		refuse(child, "BUILD at the wrong time");
		return;
	}
	generation = generation_receiver_finish(child->receiver, &error);
	end_receiving(child);
	if (!generation) {
		refuse(child, error.text);
		return;
	}
	child->pending = number;
	child->pending_state = PENDING_BUILDING;
	status = build(child, generation, &problems, &warnings);
	if (status != CHILD_LATER)
		child_prepared(child, number, status, &problems, &warnings);
	error_list_clear(&problems);
	error_list_clear(&warnings);
}

static void
on_commit(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);

	if (child->pending_state != PENDING_READY || child->pending != number) {
		refuse(child, "COMMIT at the wrong time");
		return;
	}
	end_pending(child);
	child->role->commit(child->argument, number);
}

static void
on_abort(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);

	if (child->receiver &&
	    generation_receiver_number(child->receiver) == number) {
		end_receiving(child);
		return;
	}
	if (!child->pending || child->pending != number) {
		refuse(child, "ABORT at the wrong time");
		return;
	}
	if (end_pending(child) != PENDING_FAILED)
		child->role->abort(child->argument, number);
}

/* The rest. */

static void
on_logs(struct child *child, struct message *message)
{
	if (log_message_apply(message) != 0) {
		refuse(child, "LOGS that make no sense");
		return;
	}
	if (child->is_started)
		return;
	child->is_started = true;
	child->argument = child->role->start(child, child->base);
}

/* The role has what it needs of the system, and has read nothing yet. */
static void
on_sandbox(struct child *child, struct message *message)
{
	if (child->is_confined) {
		refuse(child, "SANDBOX at the wrong time");
		return;
	}
	if (child_confine(child->role->role, child->number, message,
			  &child->needs_broker, &child->refusal) == 0)
		child->is_confined = true;
	else
		log_error("sandbox cannot be entered", "reason=\"%s\"",
			  child->refusal.text);
}

static void
on_state(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint8_t kind = buf_read_u8(&reader);
	int files[2] = {message_take_fd(message, 0),
			message_take_fd(message, 1)};

	if (child->role->state && !child->has_state && files[0] >= 0 &&
	    files[1] >= 0 && (kind == STATE_TICKETS || kind == STATE_OCSP)) {
		child->has_state = true;
		child->role->state(child->argument,
				   state_pair_new(files[0], files[1],
						  (enum state_kind)kind));
		return;
	}
	refuse(child, "STATE that makes no sense");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i] >= 0)
			close(files[i]);
}

static void
on_peer(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint8_t role = buf_read_u8(&reader);
	uint32_t number = buf_read_u32(&reader);
	int descriptor = message_take_fd(message, 0);

	if (descriptor < 0 || role >= IPC_ROLE_COUNT || !child->role->peer) {
		refuse(child, "a peer that makes no sense");
		if (descriptor >= 0)
			close(descriptor);
		return;
	}
	child->role->peer(child->argument, (enum ipc_role)role, number,
			  descriptor);
}

static void
on_ping(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);

	send_number(child, MESSAGE_PONG, buf_read_u64(&reader));
}

static void
on_release(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);

	if (!child->role->release) {
		refuse(child, "RELEASE of what this role does not hold");
		return;
	}
	child->role->release(child->argument, buf_read_u64(&reader));
}

static void
on_tickets_ask(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);

	if (!child->role->tickets) {
		refuse(child, "a question about keys that this role has not");
		return;
	}
	child->role->tickets(child->argument, buf_read_u8(&reader));
}

static void
on_drain(struct child *child, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint64_t grace_ms = buf_read_u64(&reader);

	if (grace_ms > INT64_MAX)
		grace_ms = INT64_MAX;
	child->role->drain(child->argument, (int64_t)grace_ms);
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	static void (*const takers[MESSAGE_TYPE_COUNT])(struct child *,
							struct message *) = {
		[MESSAGE_PREPARE] = on_prepare,
		[MESSAGE_ITEMS] = on_items,
		[MESSAGE_BUILD] = on_build,
		[MESSAGE_COMMIT] = on_commit,
		[MESSAGE_ABORT] = on_abort,
		[MESSAGE_LOGS] = on_logs,
		[MESSAGE_PEER] = on_peer,
		[MESSAGE_DRAIN] = on_drain,
		[MESSAGE_RELEASE] = on_release,
		[MESSAGE_SANDBOX] = on_sandbox,
		[MESSAGE_STATE] = on_state,
		[MESSAGE_PING] = on_ping,
		[MESSAGE_TICKETS_ASK] = on_tickets_ask,
	};
	struct child *child = argument;

	(void)channel;
	if (!child->is_started && message->type != MESSAGE_LOGS) {
		refuse(child, "something before the logs");
		return;
	}
	if (child->refusal.text[0] != '\0') {
		tell_refusal(child, message);
		return;
	}
	if (!child->is_confined && message->type != MESSAGE_LOGS &&
	    message->type != MESSAGE_SANDBOX) {
		refuse(child, "something before the sandbox");
		return;
	}
	/* The table lets nothing else through. */
	assert(message->type < MESSAGE_TYPE_COUNT && takers[message->type]);
	takers[message->type](child, message);
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	(void)channel;
	log_error("monitor is lost, ending", "reason=\"%s\"", why);
	child_exit(argument, 1);
}

static int
take_channel(void)
{
	int type = 0;
	socklen_t length = sizeof(type);

	if (getsockopt(CHANNEL_DESCRIPTOR, SOL_SOCKET, SO_TYPE, &type,
		       &length) != 0 ||
	    type != SOCK_SEQPACKET) {
		fprintf(stderr, "sealock: --role is for sealock itself, which "
				"starts its processes with it\n");
		return -1;
	}
	return CHANNEL_DESCRIPTOR;
}

int
child_run(const struct child_role *role, uint32_t number)
{
	static const struct channel_events events = {.message = on_message,
						     .closed = on_closed};
	struct ipc_side side = {.self = role->role, .other = IPC_MONITOR};
	struct child child = {.role = role, .number = number};
	int descriptor = take_channel();

	if (descriptor < 0)
		return 2;
	close_range(CHANNEL_DESCRIPTOR + 1, ~0U, 0);
	signals_for_role();
	/* The channel tells it too, but not while something takes long. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	log_set_role(ipc_role_name(role->role));

	child.base = event_base_new();
	if (!child.base) {
		log_error("cannot start", "reason=\"no event loop: %s\"",
			  strerror(errno));
		return 1;
	}
	child.monitor =
		channel_new(child.base, descriptor, side, &events, &child);
	child.reserve = descriptor_reserve_new(DESCRIPTOR_RESERVE);
	channel_set_reserve(child.monitor, child.reserve);
	event_base_dispatch(child.base);

	if (child.is_started && role->stop)
		role->stop(child.argument);
	generation_receiver_free(child.receiver);
	channel_free(child.monitor);
	descriptor_reserve_free(child.reserve);
	event_base_free(child.base);
	return child.status;
}
