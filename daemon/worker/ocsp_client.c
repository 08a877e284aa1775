/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers are never used twice: an answer to one that has been given up finds
 * nobody.
 */
#include "daemon/worker/ocsp_client.h"

#include <assert.h>

#include "common/base/mem.h"
#include "common/ipc/message.h"
#include "daemon/process/channel.h"

/* As the helper has it. */
#define WINDOW 64

TAILQ_HEAD(ocsp_questions, ocsp_question);

struct ocsp_client {
	struct channel *channel;
	struct ocsp_questions waiting;
	struct ocsp_questions sent; /* by number */
	size_t sent_count;
	uint64_t last; /* number */
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
send_waiting(struct ocsp_client *client)
{
	struct ocsp_question *question;

	while (client->channel && client->sent_count < WINDOW &&
	       (question = TAILQ_FIRST(&client->waiting))) {
		struct message *message =
			write_question(question, client->last + 1);

		/* That it fits has been seen before. */
		assert(message);
		TAILQ_REMOVE(&client->waiting, question, entries);
		TAILQ_INSERT_TAIL(&client->sent, question, entries);
		client->sent_count++;
		question->number = ++client->last;
		channel_send(client->channel, message);
	}
}

static void
forget_sent(struct ocsp_question *question)
{
	struct ocsp_client *client = question->client;

	TAILQ_REMOVE(&client->sent, question, entries);
	client->sent_count--;
	question->number = 0;
}

void
ocsp_client_attach(struct ocsp_client *client, struct channel *channel)
{
	struct ocsp_question *question;

	/* What was with the one before goes first, in its order. */
	while ((question = TAILQ_LAST(&client->sent, ocsp_questions))) {
		forget_sent(question);
		TAILQ_INSERT_HEAD(&client->waiting, question, entries);
	}
	client->channel = channel;
	send_waiting(client);
}

static struct ocsp_question *
find(const struct ocsp_client *client, uint64_t number)
{
	struct ocsp_question *question;

	TAILQ_FOREACH (question, &client->sent, entries)
		if (question->number == number)
			return question;
	return NULL;
}

const char *
ocsp_client_told(struct ocsp_client *client, const struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);
	struct ocsp_question *question = find(client, number);
	struct ocsp_told told[OCSP_ASK_MAX];

	if (number == 0 || number > client->last)
		return "an answer to what was not asked";
	if (!question)
		return NULL;
	if (ocsp_told_decode(&reader, told, question->ask.count) != 0)
		return "an answer on certificates that cannot be read";
	forget_sent(question);
	question->client = NULL;
	question->answered(question, told, question->ask.count);
	send_waiting(client);
	return NULL;
}

int
ocsp_client_ask(struct ocsp_client *client, struct ocsp_question *question)
{
	struct message *message = write_question(question, 1);

	assert(!question->client && question->ask.count > 0);
	if (!message)
		return -1;
	message_free(message);
	question->client = client;
	question->number = 0;
	TAILQ_INSERT_TAIL(&client->waiting, question, entries);
	send_waiting(client);
	return 0;
}

void
ocsp_client_cancel(struct ocsp_question *question)
{
	struct ocsp_client *client = question->client;
	struct message *message;

	if (!client)
		return;
	if (question->number == 0) {
		TAILQ_REMOVE(&client->waiting, question, entries);
	} else {
		message = message_new(MESSAGE_OCSP_DROP);
		buf_write_u64(&message->body, question->number);
		forget_sent(question);
		channel_send(client->channel, message);
		send_waiting(client);
	}
	question->client = NULL;
}
