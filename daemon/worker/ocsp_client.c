/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers are never used twice: an answer to one that has been given up finds
 * nobody.
 */
#include "daemon/worker/ocsp_client.h"

#include <assert.h>
#include <stddef.h>

#include "common/base/mem.h"
#include "common/ipc/message.h"
#include "daemon/process/channel.h"

/* As the helper has it. */
#define WINDOW 256

TAILQ_HEAD(ocsp_questions, ocsp_question);
TAILQ_HEAD(ocsp_batches, ocsp_batch);

/* Questions that are alike: at least one. */
struct ocsp_batch {
	TAILQ_ENTRY(ocsp_batch) entries;
	struct ocsp_questions questions;
	uint64_t number; /* 0: it waits */
};

struct ocsp_client {
	struct channel *channel;
	struct ocsp_batches waiting;
	struct ocsp_batches sent; /* by number */
	size_t sent_count;
	uint64_t last;                /* number */
	struct ocsp_batch *answering; /* on no list; NULL: none */
};

struct ocsp_client *
ocsp_client_new(void)
{
	struct ocsp_client *client = mem_alloc(sizeof(*client));

	TAILQ_INIT(&client->waiting);
	TAILQ_INIT(&client->sent);
	return client;
}

void
ocsp_client_free(struct ocsp_client *client)
{
	if (!client)
		return;
	assert(TAILQ_EMPTY(&client->waiting) && TAILQ_EMPTY(&client->sent));
	mem_free(client);
}

/* Batches. */

static struct message *
write_question(const struct ocsp_question *question, uint64_t number)
{
	struct message *message = message_new(MESSAGE_OCSP_ASK);

	buf_write_u64(&message->body, number);
	if (ocsp_ask_encode(&question->ask, &message->body) == 0)
		return message;
	message_free(message);
	return NULL;
}

static void
join(struct ocsp_batch *batch, struct ocsp_question *question)
{
	TAILQ_INSERT_TAIL(&batch->questions, question, entries);
	question->batch = batch;
}

/* One that has been sent and asks the same; NULL: there is none. */
static struct ocsp_batch *
find_alike(const struct ocsp_client *client,
	   const struct ocsp_question *question)
{
	struct ocsp_batch *batch;

	TAILQ_FOREACH (batch, &client->sent, entries)
		if (ocsp_ask_is_same(&TAILQ_FIRST(&batch->questions)->ask,
				     &question->ask))
			return batch;
	return NULL;
}

/* Take one that waits away; into another, where one has been sent that asks
 * the same. */
static bool
merge(struct ocsp_client *client, struct ocsp_batch *batch)
{
	struct ocsp_question *question = TAILQ_FIRST(&batch->questions);
	struct ocsp_batch *alike = find_alike(client, question);

	TAILQ_REMOVE(&client->waiting, batch, entries);
	if (!alike)
		return false;
	while ((question = TAILQ_FIRST(&batch->questions))) {
		TAILQ_REMOVE(&batch->questions, question, entries);
		join(alike, question);
	}
	mem_free(batch);
	return true;
}

static void
send_waiting(struct ocsp_client *client)
{
	struct ocsp_batch *batch;

	while (client->channel && client->sent_count < WINDOW &&
	       (batch = TAILQ_FIRST(&client->waiting))) {
		struct message *message;

		if (merge(client, batch))
			continue;
		message = write_question(TAILQ_FIRST(&batch->questions),
					 client->last + 1);
		/* That it fits has been seen before. */
		assert(message);
		TAILQ_INSERT_TAIL(&client->sent, batch, entries);
		client->sent_count++;
		batch->number = ++client->last;
		channel_send(client->channel, message);
	}
}

static void
forget_sent(struct ocsp_client *client, struct ocsp_batch *batch)
{
	TAILQ_REMOVE(&client->sent, batch, entries);
	client->sent_count--;
	batch->number = 0;
}

/* The helper. */

void
ocsp_client_attach(struct ocsp_client *client, struct channel *channel)
{
	struct ocsp_batch *batch;

	/* What was with the one before goes first, in its order. */
	while ((batch = TAILQ_LAST(&client->sent, ocsp_batches))) {
		forget_sent(client, batch);
		TAILQ_INSERT_HEAD(&client->waiting, batch, entries);
	}
	client->channel = channel;
	send_waiting(client);
}

static struct ocsp_batch *
find(const struct ocsp_client *client, uint64_t number)
{
	struct ocsp_batch *batch;

	TAILQ_FOREACH (batch, &client->sent, entries)
		if (batch->number == number)
			return batch;
	return NULL;
}

/* Who is answered may cancel others, and ask anew. */
static void
answer(struct ocsp_batch *batch, const struct ocsp_told *told, size_t count)
{
	struct ocsp_question *question;

	while ((question = TAILQ_FIRST(&batch->questions))) {
		TAILQ_REMOVE(&batch->questions, question, entries);
		question->client = NULL;
		question->batch = NULL;
		question->answered(question, told, count);
	}
	mem_free(batch);
}

const char *
ocsp_client_told(struct ocsp_client *client, const struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);
	struct ocsp_batch *batch = find(client, number);
	struct ocsp_told told[OCSP_ASK_MAX];
	size_t count;

	if (number == 0 || number > client->last)
		return "an answer to what was not asked";
	if (!batch)
		return NULL;
	count = TAILQ_FIRST(&batch->questions)->ask.count;
	if (ocsp_told_decode(&reader, told, count) != 0)
		return "an answer on certificates that cannot be read";
	forget_sent(client, batch);
	client->answering = batch;
	answer(batch, told, count);
	client->answering = NULL;
	send_waiting(client);
	return NULL;
}

/* Questions. */

int
ocsp_client_ask(struct ocsp_client *client, struct ocsp_question *question)
{
	struct ocsp_batch *batch = find_alike(client, question);
	struct message *message;

	assert(!question->client && question->ask.count > 0);
	if (!batch) {
		message = write_question(question, 1);
		if (!message)
			return -1;
		message_free(message);
		batch = mem_alloc(sizeof(*batch));
		TAILQ_INIT(&batch->questions);
		TAILQ_INSERT_TAIL(&client->waiting, batch, entries);
	}
	question->client = client;
	join(batch, question);
	send_waiting(client);
	return 0;
}

/* Nobody is left who asks this. */
static void
drop(struct ocsp_client *client, struct ocsp_batch *batch)
{
	struct message *message;

	if (batch->number == 0) {
		TAILQ_REMOVE(&client->waiting, batch, entries);
	} else {
		message = message_new(MESSAGE_OCSP_DROP);
		buf_write_u64(&message->body, batch->number);
		forget_sent(client, batch);
		channel_send(client->channel, message);
		send_waiting(client);
	}
	mem_free(batch);
}

void
ocsp_client_cancel(struct ocsp_question *question)
{
	struct ocsp_client *client = TAKE(question->client);
	struct ocsp_batch *batch = TAKE(question->batch);

	if (!client)
		return;
	TAILQ_REMOVE(&batch->questions, question, entries);
	if (TAILQ_EMPTY(&batch->questions) && batch != client->answering)
		drop(client, batch);
}
