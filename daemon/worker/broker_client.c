/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A window of requests is with the broker, which answers them in turn; the
 * others wait here, where one that is given up leaves no trace. For each that
 * is sent a descriptor is held, so that there is room for its answer: a packet
 * that cannot be taken whole would be the channel's end.
 */
#include "daemon/worker/broker_client.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/process/channel.h"
#include "daemon/process/descriptor_reserve.h"

#define WINDOW 16

/* The kernel's error numbers end here. */
#define ERROR_NUMBER_MAX 4095

TAILQ_HEAD(broker_requests, broker_request);

struct broker_client {
	struct event_base *base;
	void (*accuse)(const char *why, void *argument);
	void *argument;
	struct channel *channel; /* NULL: no broker is there */
	struct descriptor_reserve *reserve;
	struct broker_requests waiting;

	/* With the broker, by number % WINDOW; NULL: given up. */
	struct broker_request *sent[WINDOW];
	uint64_t first; /* the number of the oldest */
	size_t sent_count;
};

struct broker_client *
broker_client_new(struct event_base *base,
		  void (*accuse)(const char *why, void *argument),
		  void *argument)
{
	struct broker_client *client = mem_alloc(sizeof(*client));

	client->base = base;
	client->accuse = accuse;
	client->argument = argument;
	client->reserve = descriptor_reserve_new(0);
	TAILQ_INIT(&client->waiting);
	return client;
}

/* No broker is there: what was with it waits for the next one, in its order
 * and before all others. */
static void
lose(struct broker_client *client)
{
	while (client->sent_count > 0) {
		uint64_t last = client->first + --client->sent_count;
		struct broker_request *request = client->sent[last % WINDOW];

		if (request)
			TAILQ_INSERT_HEAD(&client->waiting, request, entries);
	}
	(void)!descriptor_reserve_expect(client->reserve, 0);
	channel_free(TAKE(client->channel));
}

void
broker_client_free(struct broker_client *client)
{
	if (!client)
		return;
	lose(client);
	assert(TAILQ_EMPTY(&client->waiting));
	descriptor_reserve_free(client->reserve);
	mem_free(client);
}

static bool
has_room(const struct broker_client *client)
{
	return client->channel && client->sent_count < WINDOW;
}

/* False when there is no descriptor for the answer. */
static bool
send_request(struct broker_client *client, struct broker_request *request)
{
	uint64_t number = client->first + client->sent_count;
	struct message *message;

	if (!descriptor_reserve_expect(client->reserve, client->sent_count + 1))
		return false;
	client->sent_count++;
	client->sent[number % WINDOW] = request;
	message = message_new(MESSAGE_CONNECT);
	buf_write_u64(&message->body, number);
	buf_write_u64(&message->body, request->generation);
	buf_write_u32(&message->body, request->service);
	buf_write_u32(&message->body, request->address);
	channel_send(client->channel, message);
	return true;
}

static void
finish(struct broker_request *request, int descriptor, int error_number)
{
	request->client = NULL;
	request->answered(request, descriptor, error_number);
}

static void
send_waiting(struct broker_client *client)
{
	struct broker_request *request;

	while (has_room(client) && (request = TAILQ_FIRST(&client->waiting))) {
		TAILQ_REMOVE(&client->waiting, request, entries);
		if (!send_request(client, request))
			finish(request, -1, EMFILE);
	}
}

/* Channel. */

__attribute__((cold)) static void
accuse(struct broker_client *client, const char *why)
{
	lose(client);
	client->accuse(why, client->argument);
}

/* What is wrong with an answer; NULL: nothing. */
static const char *
judge(const struct broker_client *client, uint64_t number,
      uint32_t error_number, int descriptor)
{
	if (client->sent_count == 0 || number != client->first)
		return "an answer to what was not asked";
	if (error_number > ERROR_NUMBER_MAX)
		return "an error that does not exist";
	if ((error_number == 0) != (descriptor >= 0))
		return "an answer without a socket, or an error with one";
	return NULL;
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct broker_client *client = argument;
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);
	uint32_t error_number = buf_read_u32(&reader);
	int descriptor = message_take_fd(message, 0);
	const char *wrong = judge(client, number, error_number, descriptor);
	struct broker_request *request;

	(void)channel;
	if (wrong) {
		if (descriptor >= 0)
			close(descriptor);
		accuse(client, wrong);
		return;
	}
	request = client->sent[number % WINDOW];
	client->first++;
	client->sent_count--;
	(void)!descriptor_reserve_expect(client->reserve, client->sent_count);
	if (request)
		finish(request, descriptor, (int)error_number);
	else if (descriptor >= 0)
		close(descriptor);
	send_waiting(client);
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct broker_client *client = argument;

	log_debug("the broker's channel closed", "why=\"%s\"", why);
	if (channel_is_broken(channel))
		accuse(client, why);
	else
		lose(client);
}

void
broker_client_attach(struct broker_client *client, int descriptor)
{
	static const struct channel_events events = {on_message, on_closed};
	static const struct ipc_side side = {IPC_WORKER, IPC_BROKER};

	lose(client);
	client->channel =
		channel_new(client->base, descriptor, side, &events, client);
	channel_set_reserve(client->channel, client->reserve);
	send_waiting(client);
}

/* Requests. */

int
broker_client_ask(struct broker_client *client, struct broker_request *request)
{
	assert(!request->client);
	if (!has_room(client) || !TAILQ_EMPTY(&client->waiting))
		TAILQ_INSERT_TAIL(&client->waiting, request, entries);
	else if (!send_request(client, request))
		return EMFILE;
	request->client = client;
	return 0;
}

void
broker_client_cancel(struct broker_request *request)
{
	struct broker_client *client = TAKE(request->client);

	if (!client)
		return;
	for (size_t i = 0; i < client->sent_count; i++) {
		size_t slot = (size_t)((client->first + i) % WINDOW);

		if (client->sent[slot] == request) {
			client->sent[slot] = NULL;
			return;
		}
	}
	TAILQ_REMOVE(&client->waiting, request, entries);
}
