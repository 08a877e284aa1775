/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request is three numbers: which generation, which of its services, which
 * address of that. It is answered at once, as connect(2) to a UNIX socket
 * never has to wait; only answers that a worker does not take are kept, and
 * few of them.
 */
#include "daemon/broker/broker.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/address.h"
#include "daemon/broker/targets.h"
#include "daemon/process/channel.h"
#include "daemon/process/child.h"
#include "daemon/process/generation.h"

/* Bytes of answers behind those that the kernel holds: a worker that keeps to
 * its window of requests never has so many coming. */
#define BACKLOG_MAX 4096

/* A worker. */
struct client {
	LIST_ENTRY(client) entries;
	struct broker *broker;
	uint32_t number;
	struct channel *channel;
};

struct broker {
	struct child *child;
	struct event_base *base;
	struct targets_list generations; /* oldest first, the prepared too */
	struct targets *prepared;        /* between prepare and commit */
	LIST_HEAD(, client) clients;
};

static void
client_free(struct client *client)
{
	LIST_REMOVE(client, entries);
	channel_free(client->channel);
	mem_free(client);
}

__attribute__((cold)) static void
accuse(struct client *client, const char *why)
{
	child_accuse(client->broker->child, IPC_WORKER, client->number, why);
	client_free(client);
}

/* Requests. */

struct request {
	uint64_t number;
	uint64_t generation;
	uint32_t service;
	uint32_t address;
};

__attribute__((cold)) static void
log_refused(const struct client *client, const struct request *request,
	    const char *why)
{
	static struct log_limit limit;

	log_event_limited(&limit, LOG_LEVEL_WARN, "connection refused",
			  "worker=%u generation=%" PRIu64
			  " service=%u address=%u reason=\"%s\"",
			  client->number, request->generation, request->service,
			  request->address, why);
}

static const struct targets *
find_generation(const struct broker *broker, uint64_t number)
{
	const struct targets *targets;

	TAILQ_FOREACH (targets, &broker->generations, entries)
		if (targets->generation == number)
			return targets;
	return NULL;
}

/* One that is to come is waited for, as a full queue is: a broker that was
 * started a moment ago is told later than workers are. */
static bool
is_to_come(const struct broker *broker, uint64_t number)
{
	const struct targets *newest =
		TAILQ_LAST(&broker->generations, targets_list);

	return !newest || number > newest->generation;
}

/* The address, or NULL and an error number. */
static const struct socket_address *
find_target(const struct client *client, const struct request *request,
	    int *error_number)
{
	const struct targets *targets =
		find_generation(client->broker, request->generation);
	const struct socket_address *found;

	if (!targets && is_to_come(client->broker, request->generation)) {
		*error_number = EAGAIN;
		return NULL;
	}
	if (!targets) {
		log_refused(client, request, "the generation has ended");
		*error_number = ESTALE;
		return NULL;
	}
	found = targets_find(targets, request->service, request->address);
	if (!found) {
		log_refused(client, request, "there is no such UNIX socket");
		*error_number = EACCES;
	}
	return found;
}

/* The socket, or -1 and an error number. */
static int
open_target(const struct socket_address *target, int *error_number)
{
	int descriptor =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (descriptor >= 0 &&
	    connect(descriptor, (const struct sockaddr *)&target->storage,
		    target->length) == 0)
		return descriptor;
	*error_number = errno;
	if (descriptor >= 0)
		close(descriptor);
	return -1;
}

static void
on_request(struct channel *channel, struct message *message, void *argument)
{
	struct client *client = argument;
	struct buf_reader reader = message_reader(message);
	struct request request = {0};
	struct message *answer = message_new(MESSAGE_CONNECTED);
	const struct socket_address *target;
	int error_number = 0, descriptor = -1;

	/* The table lets nothing else through, and in this size. */
	assert(message->type == MESSAGE_CONNECT);
	request.number = buf_read_u64(&reader);
	request.generation = buf_read_u64(&reader);
	request.service = buf_read_u32(&reader);
	request.address = buf_read_u32(&reader);

	target = find_target(client, &request, &error_number);
	if (target)
		descriptor = open_target(target, &error_number);
	buf_write_u64(&answer->body, request.number);
	buf_write_u32(&answer->body, (uint32_t)error_number);
	if (descriptor >= 0 && !message_add_fd(answer, descriptor))
		abort();
	channel_send(channel, answer);
	if (channel_backlog(channel) > BACKLOG_MAX)
		accuse(client, "it does not take answers");
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct client *client = argument;

	log_debug("worker's channel closed", "number=%u reason=\"%s\"",
		  client->number, why);
	if (channel_is_broken(channel))
		accuse(client, why);
	else
		client_free(client);
}

/* The role. */

static void *
start(struct child *child, struct event_base *base)
{
	struct broker *broker = mem_alloc(sizeof(*broker));

	broker->child = child;
	broker->base = base;
	TAILQ_INIT(&broker->generations);
	LIST_INIT(&broker->clients);
	return broker;
}

static int
prepare(void *argument, struct generation *generation,
	struct error_list *problems, struct error_list *warnings)
{
	struct broker *broker = argument;

	(void)problems;
	(void)warnings;
	assert(!broker->prepared);
	broker->prepared = targets_new(generation->number, generation->conf);
	/* A worker may be told of COMMIT, and ask, before we are. */
	TAILQ_INSERT_TAIL(&broker->generations, broker->prepared, entries);
	generation_free(generation);
	return 0;
}

static void
drop(struct broker *broker, struct targets *targets)
{
	TAILQ_REMOVE(&broker->generations, targets, entries);
	targets_free(targets);
}

static void
commit(void *argument, uint64_t number)
{
	struct broker *broker = argument;

	broker->prepared = NULL;
	child_report_live(broker->child, number);
}

static void
abort_prepared(void *argument, uint64_t number)
{
	struct broker *broker = argument;

	(void)number;
	drop(broker, TAKE(broker->prepared));
}

static void
release(void *argument, uint64_t number)
{
	struct broker *broker = argument;
	struct targets *oldest;

	while ((oldest = TAILQ_FIRST(&broker->generations)) &&
	       oldest->generation < number && oldest != broker->prepared)
		drop(broker, oldest);
}

/* Who has its socket needs us no more, and there is nobody to come. */
static void
drain(void *argument, int64_t grace_ms)
{
	struct broker *broker = argument;

	(void)grace_ms;
	child_exit(broker->child, 0);
}

static void
peer(void *argument, enum ipc_role role, uint32_t number, int descriptor)
{
	static const struct channel_events events = {.message = on_request,
						     .closed = on_closed};
	static const struct ipc_side side = {.self = IPC_BROKER,
					     .other = IPC_WORKER};
	struct broker *broker = argument;
	struct client *client, *next;

	if (role != IPC_WORKER) {
		log_error("a peer that makes no sense", "role=%s",
			  ipc_role_name(role));
		close(descriptor);
		return;
	}
	/* The worker that had this number is dead: nobody else is to be accused
	 * of what it said last. */
	for (client = LIST_FIRST(&broker->clients); client; client = next) {
		next = LIST_NEXT(client, entries);
		if (client->number == number)
			client_free(client);
	}
	client = mem_alloc(sizeof(*client));
	client->broker = broker;
	client->number = number;
	client->channel =
		channel_new(broker->base, descriptor, side, &events, client);
	LIST_INSERT_HEAD(&broker->clients, client, entries);
}

static void
stop(void *argument)
{
	struct broker *broker = argument;
	struct targets *targets;
	struct client *client;

	while ((client = LIST_FIRST(&broker->clients)))
		client_free(client);
	while ((targets = TAILQ_FIRST(&broker->generations)))
		drop(broker, targets);
	mem_free(broker);
}

int
broker_main(uint32_t number)
{
	static const struct child_role role = {
		.role = IPC_BROKER,
		.start = start,
		.prepare = prepare,
		.commit = commit,
		.abort = abort_prepared,
		.release = release,
		.drain = drain,
		.peer = peer,
		.stop = stop,
	};

	return child_run(&role, number);
}
