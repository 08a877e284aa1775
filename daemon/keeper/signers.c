/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All sockets are in one epoll set with EPOLLONESHOT: a thread that is woken
 * owns the socket, takes one packet, gives the socket back, which puts it
 * behind all others that are ready, and signs then. What it learns that others
 * should know goes to the event loop, which logs.
 *
 * A worker's struct is the epoll set's until a thread that owns it finds its
 * end and hands it to the loop; each thread that works for it has a reference
 * of its own. To end one that another thread owns, the socket is shut down,
 * which the owner of the next turn then sees.
 */
#include "daemon/keeper/signers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/util.h>

#include "common/base/mem.h"
#include "common/ipc/message.h"
#include "daemon/keeper/sign_turn.h"
#include "daemon/process/packet.h"

/* As much as the answers to a worker's whole window of requests, several
 * times: what the kernel counts for each is a kilobyte or two. */
#define SEND_BUFFER (256 * 1024)

/* OpenSSL's largest numbers and our own packet's descriptors. */
#define STACK_SIZE ((size_t)256 * 1024)

/* Refusals between two turns of the loop. */
#define REFUSALS_MAX 32

#define WHY_SIZE 160

/* A worker. */
struct served {
	LIST_ENTRY(served) entries; /* the loop's */
	STAILQ_ENTRY(served) ended; /* under the lock */
	uint32_t number;
	int socket;
	atomic_uint turn; /* given back so often: what one owner did comes
			   * before what the next one does */
	bool is_greeted;  /* its owner's */
	bool is_replaced; /* the loop's: another has its number */
	atomic_uint references;
	atomic_bool is_over; /* set under the lock, as is why, which does not
			      * change any more then */
	char why[WHY_SIZE];  /* "": it has left */
};

struct refusal {
	uint32_t worker;
	unsigned char key_id[KEY_ID_SIZE];
	char why[WHY_SIZE];
};

struct signers {
	struct key_store *keys;
	struct signers_events events;
	void *argument;
	int epoll;
	int stop; /* readable: threads end */
	int told; /* readable: there is something for the loop */
	struct event *on_told;
	pthread_t *threads;
	unsigned int thread_count;
	LIST_HEAD(, served) workers; /* the loop's */
	size_t worker_count;

	pthread_mutex_t lock; /* of all below */
	STAILQ_HEAD(ended_list, served) ended;
	struct refusal refusals[REFUSALS_MAX];
	size_t refusal_count;
	size_t refusals_lost;
};

static void
served_unref(struct served *served)
{
	if (atomic_fetch_sub(&served->references, 1) > 1)
		return;
	close(served->socket);
	mem_free(served);
}

/* Threads. */

static void
wake_loop(struct signers *signers)
{
	static const uint64_t one = 1;

	/* It cannot fail but by being full, and then the loop wakes as well. */
	(void)!write(signers->told, &one, sizeof(one));
}

/* Who owns it next, finds that it is over. */
static void
cut_off(struct signers *signers, struct served *served, const char *why)
{
	pthread_mutex_lock(&signers->lock);
	if (!atomic_load(&served->is_over)) {
		snprintf(served->why, sizeof(served->why), "%s", why);
		atomic_store(&served->is_over, true);
	}
	pthread_mutex_unlock(&signers->lock);
	shutdown(served->socket, SHUT_RDWR);
}

/* By its owner: the loop has it now. */
static void
end(struct signers *signers, struct served *served)
{
	epoll_ctl(signers->epoll, EPOLL_CTL_DEL, served->socket, NULL);
	pthread_mutex_lock(&signers->lock);
	atomic_store(&served->is_over, true);
	STAILQ_INSERT_TAIL(&signers->ended, served, ended);
	pthread_mutex_unlock(&signers->lock);
	wake_loop(signers);
}

/* By its owner, who has it no longer then. */
static void
give_back(struct signers *signers, struct served *served)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT,
				    .data.ptr = served};

	atomic_fetch_add(&served->turn, 1);
	if (epoll_ctl(signers->epoll, EPOLL_CTL_MOD, served->socket, &event) !=
	    0)
		abort(); /* the socket is in the set */
}

static void
tell_refusal(struct signers *signers, const struct served *served,
	     const struct sign_turn *turn)
{
	struct refusal *refusal;

	pthread_mutex_lock(&signers->lock);
	if (signers->refusal_count == REFUSALS_MAX) {
		signers->refusals_lost++;
	} else {
		refusal = &signers->refusals[signers->refusal_count++];
		refusal->worker = served->number;
		memcpy(refusal->key_id, sign_turn_key_id(turn), KEY_ID_SIZE);
		snprintf(refusal->why, sizeof(refusal->why), "%s",
			 sign_turn_why(turn));
	}
	pthread_mutex_unlock(&signers->lock);
	wake_loop(signers);
}

static void
answer(struct signers *signers, struct served *served, struct sign_turn *turn)
{
	switch (sign_turn_answer(turn, served->socket)) {
	case SIGN_TURN_REFUSED:
		tell_refusal(signers, served, turn);
		break;
	case SIGN_TURN_STUCK:
		cut_off(signers, served, "its answers find no room");
		break;
	case SIGN_TURN_SIGNED:
	case SIGN_TURN_GONE:
		break;
	}
}

/* By the owner of a socket that can be read. */
static void
serve(struct signers *signers, struct served *served, struct sign_turn *turn)
{
	const char *why = NULL;

	(void)atomic_load(&served->turn);
	if (atomic_load(&served->is_over)) {
		end(signers, served);
		return;
	}
	switch (sign_turn_take(turn, served->socket, &served->is_greeted,
			       &why)) {
	case SIGN_TURN_REQUEST:
		give_back(signers, served);
		answer(signers, served, turn);
		break;
	case SIGN_TURN_NOTHING:
		give_back(signers, served);
		break;
	case SIGN_TURN_LIE:
		cut_off(signers, served, why);
		end(signers, served);
		break;
	case SIGN_TURN_END:
		end(signers, served);
		break;
	}
}

static void *
run(void *argument)
{
	struct signers *signers = argument;
	struct sign_turn *turn = sign_turn_new(signers->keys);
	struct epoll_event event = {0};
	struct served *served;

	for (;;) {
		int count = epoll_wait(signers->epoll, &event, 1, -1);

		assert(count == 1 || (count < 0 && errno == EINTR));
		if (count < 0)
			continue;
		if (!event.data.ptr)
			break;
		served = event.data.ptr;
		atomic_fetch_add(&served->references, 1);
		serve(signers, served, turn);
		served_unref(served);
	}
	sign_turn_free(turn);
	return NULL;
}

unsigned int
signers_start(struct signers *signers, unsigned int count)
{
	pthread_attr_t attributes;
	sigset_t all;
	int error = 0;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setsigmask_np(&attributes, &all);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	assert(signers->thread_count == 0);
	mem_free(signers->threads);
	signers->threads = mem_array(count, sizeof(*signers->threads));
	while (signers->thread_count < count) {
		error = pthread_create(&signers->threads[signers->thread_count],
				       &attributes, run, signers);
		if (error != 0)
			break;
		signers->thread_count++;
	}
	pthread_attr_destroy(&attributes);
	errno = error;
	return signers->thread_count;
}

/* The loop. */

static void
forget(struct signers *signers, struct served *served)
{
	LIST_REMOVE(served, entries);
	signers->worker_count--;
	served_unref(served);
}

static void
tell_refusals(struct signers *signers)
{
	struct refusal refusals[REFUSALS_MAX];
	size_t count, lost;

	pthread_mutex_lock(&signers->lock);
	count = signers->refusal_count;
	lost = signers->refusals_lost;
	memcpy(refusals, signers->refusals, count * sizeof(*refusals));
	signers->refusal_count = 0;
	signers->refusals_lost = 0;
	pthread_mutex_unlock(&signers->lock);
	for (size_t i = 0; i < count; i++)
		signers->events.refused(refusals[i].worker, refusals[i].key_id,
					refusals[i].why, signers->argument);
	if (lost > 0)
		signers->events.refusals_lost(lost, signers->argument);
}

static struct served *
next_ended(struct signers *signers)
{
	struct served *served;

	pthread_mutex_lock(&signers->lock);
	served = STAILQ_FIRST(&signers->ended);
	if (served)
		STAILQ_REMOVE_HEAD(&signers->ended, ended);
	pthread_mutex_unlock(&signers->lock);
	return served;
}

static void
on_told(evutil_socket_t descriptor, short what, void *argument)
{
	struct signers *signers = argument;
	struct served *served;
	uint64_t count;

	(void)what;
	(void)!read(descriptor, &count, sizeof(count));
	tell_refusals(signers);
	while ((served = next_ended(signers))) {
		uint32_t number = served->number;
		char why[WHY_SIZE];
		bool is_cut_off =
			served->why[0] != '\0' && !served->is_replaced;

		memcpy(why, served->why, sizeof(why));
		forget(signers, served);
		signers->events.ended(number, is_cut_off ? why : NULL,
				      signers->argument);
	}
}

static int
open_descriptors(struct signers *signers)
{
	struct epoll_event event = {.events = EPOLLIN};

	signers->epoll = epoll_create1(EPOLL_CLOEXEC);
	signers->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	signers->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signers->epoll < 0 || signers->stop < 0 || signers->told < 0)
		return -1;
	return epoll_ctl(signers->epoll, EPOLL_CTL_ADD, signers->stop, &event);
}

struct signers *
signers_new(struct event_base *base, struct key_store *keys,
	    const struct signers_events *events, void *argument)
{
	struct signers *signers = mem_alloc(sizeof(*signers));

	signers->keys = keys;
	signers->events = *events;
	signers->argument = argument;
	LIST_INIT(&signers->workers);
	STAILQ_INIT(&signers->ended);
	pthread_mutex_init(&signers->lock, NULL);
	if (open_descriptors(signers) != 0) {
		int saved_errno = errno;

		signers_free(signers);
		errno = saved_errno;
		return NULL;
	}
	signers->on_told = event_new(base, signers->told, EV_READ | EV_PERSIST,
				     on_told, signers);
	assert(signers->on_told);
	event_add(signers->on_told, NULL);
	return signers;
}

static void
stop_threads(struct signers *signers)
{
	static const uint64_t one = 1;

	if (signers->thread_count == 0)
		return;
	/* Never read: it wakes one thread after the other. */
	if (write(signers->stop, &one, sizeof(one)) != sizeof(one))
		abort(); /* there is room for one */
	for (unsigned int i = 0; i < signers->thread_count; i++)
		pthread_join(signers->threads[i], NULL);
}

static void
close_if_open(int descriptor)
{
	if (descriptor >= 0)
		close(descriptor);
}

void
signers_free(struct signers *signers)
{
	struct served *served;

	if (!signers)
		return;
	stop_threads(signers);
	while ((served = LIST_FIRST(&signers->workers)))
		forget(signers, served);
	if (signers->on_told)
		event_free(signers->on_told);
	close_if_open(signers->epoll);
	close_if_open(signers->stop);
	close_if_open(signers->told);
	pthread_mutex_destroy(&signers->lock);
	mem_free(signers->threads);
	mem_free(signers);
}

static void
say_hello(int socket)
{
	struct message *hello = message_new(MESSAGE_HELLO);

	buf_write_u32(&hello->body, IPC_PROTOCOL);
	/* If nobody is there, that is found when reading. */
	(void)!packet_send(socket, hello);
	message_free(hello);
}

void
signers_add(struct signers *signers, uint32_t worker, int socket)
{
	struct served *served;
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
	int size = SEND_BUFFER;

	LIST_FOREACH (served, &signers->workers, entries)
		if (served->number == worker)
			served->is_replaced = true;
	evutil_make_socket_nonblocking(socket);
	evutil_make_socket_closeonexec(socket);
	setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	served = mem_alloc(sizeof(*served));
	served->number = worker;
	served->socket = socket;
	atomic_init(&served->turn, 0);
	atomic_init(&served->references, 1);
	atomic_init(&served->is_over, false);
	LIST_INSERT_HEAD(&signers->workers, served, entries);
	signers->worker_count++;
	say_hello(socket);
	event.data.ptr = served;
	if (epoll_ctl(signers->epoll, EPOLL_CTL_ADD, socket, &event) != 0) {
		cut_off(signers, served, "the system cannot wait for it");
		end(signers, served);
	}
}

size_t
signers_tell(struct signers *signers, uint32_t worker,
	     const struct message *message)
{
	const struct served *served;
	size_t behind = 0;

	LIST_FOREACH (served, &signers->workers, entries)
		if ((worker == SIGNERS_ALL || worker == served->number) &&
		    !served->is_replaced && !atomic_load(&served->is_over) &&
		    packet_send(served->socket, message) != 0 &&
		    errno != EPIPE && errno != ECONNRESET)
			behind++; /* no room, or no memory just now */
	return behind;
}

size_t
signers_worker_count(const struct signers *signers)
{
	return signers->worker_count;
}
