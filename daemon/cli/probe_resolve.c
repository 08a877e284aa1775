/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * getaddrinfo() knows all that this machine resolves names by, and cannot be
 * told when to stop: it runs on a thread, which is left alone when it is late.
 */
#include "daemon/cli/probe_resolve.h"

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/net/address.h"

/* The thread's, which writes its address into the pipe when it is done. */
struct question {
	char *host;
	char port[8];
	int writer;
	int status;
	struct addrinfo *answers;
};

static void
question_free(struct question *question)
{
	if (question->answers)
		freeaddrinfo(question->answers);
	mem_free(question->host);
	close(question->writer);
	mem_free(question);
}

static void *
ask(void *argument)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct question *question = argument;

	question->status = getaddrinfo(question->host, question->port, &hints,
				       &question->answers);
	/* A pipe takes so few bytes at once; nobody reads them any more when
	 * it was late. */
	if (write(question->writer, &question, sizeof(question)) !=
	    (ssize_t)sizeof(question))
		question_free(question);
	return NULL;
}

/* NULL: nothing in time. */
static struct question *
wait_for_answer(int reader, int64_t timeout_ms)
{
	struct pollfd entry = {.fd = reader, .events = POLLIN};
	struct question *question = NULL;

	if (poll(&entry, 1, (int)timeout_ms) != 1 ||
	    read(reader, &question, sizeof(question)) !=
		    (ssize_t)sizeof(question))
		return NULL;
	return question;
}

static struct question *
ask_in_time(const struct address *address, int64_t timeout_ms)
{
	struct question *question = mem_alloc(sizeof(*question)), *answered;
	pthread_t thread;
	int ends[2];

	if (pipe(ends) != 0) {
		mem_free(question);
		return NULL;
	}
	question->host = mem_strdup(address->host);
	question->writer = ends[1];
	snprintf(question->port, sizeof(question->port), "%u", address->port);
	if (pthread_create(&thread, NULL, ask, question) != 0) {
		question_free(question);
		close(ends[0]);
		return NULL;
	}
	pthread_detach(thread);
	answered = wait_for_answer(ends[0], timeout_ms);
	close(ends[0]);
	return answered;
}

static size_t
copy_answers(const struct addrinfo *answer, struct socket_address *found)
{
	size_t count = 0;

	for (; answer && count < PROBE_ADDRESSES_MAX;
	     answer = answer->ai_next) {
		if (answer->ai_addrlen > sizeof(found[count].storage))
			continue;
		found[count] =
			(struct socket_address){.length = answer->ai_addrlen};
		memcpy(&found[count].storage, answer->ai_addr,
		       answer->ai_addrlen);
		count++;
	}
	return count;
}

static size_t
resolve_host(const struct address *address, int64_t timeout_ms,
	     struct socket_address *found, struct error *error)
{
	struct question *question = ask_in_time(address, timeout_ms);
	size_t count = 0;
	char limit[32];

	if (!question) {
		text_format_duration(timeout_ms, limit, sizeof(limit));
		error_set(error, "%s: the resolver gave no answer within %s",
			  address->host, limit);
		return 0;
	}
	if (question->status != 0)
		error_set(error, "%s cannot be resolved: %s", address->host,
			  gai_strerror(question->status));
	else
		count = copy_answers(question->answers, found);
	if (question->status == 0 && count == 0)
		error_set(error, "%s has no address", address->host);
	question_free(question);
	return count;
}

size_t
probe_resolve(const struct address *address, int64_t timeout_ms,
	      struct socket_address *found, struct error *error)
{
	if (address->kind == ADDRESS_HOST)
		return resolve_host(address, timeout_ms, found, error);
	return address_to_socket(address, found, error) == 0 ? 1 : 0;
}
