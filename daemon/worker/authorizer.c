/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket is connected to as those of UNIX backends are: by the broker, or
 * directly where nothing keeps this process from it; one whose queue is full
 * is tried again. Then the line is written as far as the socket takes it, and
 * read what comes.
 */
#include "daemon/worker/authorizer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/ipc/msgtable.h"
#include "common/route/route.h"
#include "daemon/process/child.h"
#include "daemon/process/generation.h"
#include "daemon/worker/authorize_answer.h"
#include "daemon/worker/broker_client.h"
#include "daemon/worker/broker_renew.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/snapshot.h"
#include "daemon/worker/worker.h"

/* A socket that cannot be had now is tried again: soon, and then less and less
 * often, as there may be many in the same trouble. */
#define RETRY_FIRST_MS 10
#define RETRY_LAST_MS  160

struct authorizer_question {
	struct worker *worker;
	const struct conf_authorize *authorize; /* the connection's */
	authorizer_decided *decided;
	void *argument;

	struct broker_request request;
	int retry_ms;
	int descriptor; /* -1: not connected yet */
	struct event event;

	char *line;
	size_t length;
	size_t sent;
	struct held answer;
};

static void
try_again(struct authorizer_question *question);

/* The end. */

static void
decide(struct authorizer_question *question, enum authorizer_decision decision,
       const char *detail)
{
	question->decided(question->argument, decision, detail);
	authorizer_question_free(question);
}

static void
fail(struct authorizer_question *question, const char *detail)
{
	decide(question, AUTHORIZER_FAILED, detail);
}

static void
fail_errno(struct authorizer_question *question, const char *what,
	   int error_number)
{
	struct error error = {0};

	error_set(&error, "%s: %s", what, strerror(error_number));
	fail(question, error.text);
}

/* The conversation. */

static void
judge(struct authorizer_question *question)
{
	char detail[AUTHORIZE_DETAIL_MAX];

	decide(question,
	       authorize_answer_read((const char *)question->answer.bytes,
				     question->answer.length, detail),
	       detail);
}

/* True: there is more to come. */
static bool
receive(struct authorizer_question *question)
{
	char bytes[4096];
	ssize_t n;

	do {
		n = recv(question->descriptor, bytes, sizeof(bytes),
			 MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return true;
	if (n < 0) {
		fail_errno(question, "the authorizer's answer cannot be read",
			   errno);
		return false;
	}
	if (n == 0) {
		fail(question, question->answer.length > 0
				       ? "the authorizer closed in the middle "
					 "of its answer"
				       : "the authorizer closed without an "
					 "answer");
		return false;
	}
	if (question->sent < question->length) {
		fail(question, "the authorizer answered before it was asked");
		return false;
	}
	held_append(&question->answer, bytes, (size_t)n);
	if (memchr(bytes, '\n', (size_t)n) ||
	    question->answer.length > AUTHORIZE_ANSWER_MAX) {
		judge(question);
		return false;
	}
	return true;
}

/* True: all of it is sent, or the rest is to be sent later. */
static bool
write_line(struct authorizer_question *question)
{
	while (question->sent < question->length) {
		ssize_t n = send(question->descriptor,
				 question->line + question->sent,
				 question->length - question->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			question->sent += (size_t)n;
		} else if (errno == EAGAIN || errno == ENOBUFS ||
			   errno == ENOMEM) {
			return true;
		} else if (errno != EINTR) {
			fail_errno(question,
				   "the authorizer did not take the question",
				   errno);
			return false;
		}
	}
	mem_free(TAKE(question->line));
	return true;
}

static void
on_socket(evutil_socket_t descriptor, short what, void *argument);

static void
watch(struct authorizer_question *question)
{
	short wanted = EV_READ | EV_PERSIST;

	if (question->sent < question->length)
		wanted |= EV_WRITE;
	event_del(&question->event);
	event_assign(&question->event, question->worker->base,
		     question->descriptor, wanted, on_socket, question);
	event_add(&question->event, NULL);
}

static void
on_socket(evutil_socket_t descriptor, short what, void *argument)
{
	struct authorizer_question *question = argument;

	(void)descriptor;
	/* Reading first: what is there before the last of the question has
	 * left is no answer to it. */
	if ((what & EV_READ) && !receive(question))
		return;
	if (!(what & EV_WRITE) || !write_line(question))
		return;
	if (question->sent == question->length)
		watch(question);
}

static void
connected(struct authorizer_question *question, int descriptor)
{
	question->descriptor = descriptor;
	if (write_line(question))
		watch(question);
}

/* The socket. */

static void
refused(struct authorizer_question *question, int error_number)
{
	switch (error_number) {
	case EAGAIN: /* its queue is full */
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		try_again(question);
		return;
	case ESTALE:
		fail(question, "the authorizer is not configured any more");
		return;
	default:
		fail_errno(question, "the authorizer cannot be reached",
			   error_number);
	}
}

static void
on_brokered(struct broker_request *request, int descriptor, int error_number)
{
	struct authorizer_question *question =
		(struct authorizer_question
			 *)(void *)((char *)request -
				    offsetof(struct authorizer_question,
					     request));
	const struct worker *worker = question->worker;

	if (error_number == ESTALE &&
	    broker_renew(request, &question->authorize->socket,
			 worker->current)) {
		error_number = broker_client_ask(worker->broker, request);
		if (error_number == 0)
			return;
	}
	if (descriptor >= 0)
		connected(question, descriptor);
	else
		refused(question, error_number);
}

static void
reach_directly(struct authorizer_question *question)
{
	struct socket_address socket_address;
	struct error error = {0};
	int descriptor, failure;

	if (address_to_socket(&question->authorize->socket, &socket_address,
			      &error) != 0) {
		fail(question, error.text);
		return;
	}
	descriptor =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0) {
		refused(question, errno);
		return;
	}
	if (connect(descriptor,
		    (const struct sockaddr *)&socket_address.storage,
		    socket_address.length) == 0) {
		connected(question, descriptor);
		return;
	}
	failure = errno;
	close(descriptor);
	refused(question, failure);
}

static void
reach(struct authorizer_question *question)
{
	struct worker *worker = question->worker;
	int failure;

	if (!child_needs_broker(worker->child)) {
		reach_directly(question);
		return;
	}
	failure = broker_client_ask(worker->broker, &question->request);
	if (failure != 0)
		refused(question, failure);
}

static void
on_pause(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	reach(argument);
}

static void
try_again(struct authorizer_question *question)
{
	const struct timeval pause = {0, question->retry_ms * 1000};

	if (question->retry_ms < RETRY_LAST_MS)
		question->retry_ms *= 2;
	event_add(&question->event, &pause);
}

struct authorizer_question *
authorizer_question_new(const struct connection *connection, char *line,
			authorizer_decided *decided, void *argument)
{
	const struct conf_service *service = connection->service->conf;
	const struct snapshot *snapshot = connection->snapshot;
	struct authorizer_question *question = mem_alloc(sizeof(*question));

	question->worker = connection->worker;
	question->authorize = &service->authorize;
	question->decided = decided;
	question->argument = argument;
	question->request = (struct broker_request){
		.generation = snapshot->number,
		.service = (uint32_t)(service -
				      snapshot->generation->conf->services),
		.address = IPC_AUTHORIZER,
		.answered = on_brokered,
	};
	question->retry_ms = RETRY_FIRST_MS;
	question->descriptor = -1;
	event_assign(&question->event, connection->worker->base, -1, 0,
		     on_pause, question);
	question->line = line;
	question->length = strlen(line);
	return question;
}

void
authorizer_question_start(struct authorizer_question *question)
{
	reach(question);
}

void
authorizer_question_free(struct authorizer_question *question)
{
	if (!question)
		return;
	event_del(&question->event);
	broker_client_cancel(&question->request);
	if (question->descriptor >= 0)
		close(question->descriptor);
	mem_free(question->line);
	held_clear(&question->answer);
	mem_free(question);
}

const char *
authorizer_question_lacks(const struct authorizer_question *question)
{
	if (question->descriptor < 0)
		return "the authorizer could not be reached in time";
	if (question->sent < question->length)
		return "the authorizer did not take the question in time";
	return "the authorizer did not answer in time";
}
