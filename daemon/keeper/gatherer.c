/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A job goes from the loop to the thread and back. The thread touches nothing
 * but its job, and the loop no job that the thread has.
 */
#include "daemon/keeper/gatherer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/mem.h"
#include "common/route/certificate_gather.h"
#include "common/route/route.h"
#include "common/route/route_findings.h"
#include "daemon/process/generation.h"

/* Decoding nests no deeper than certificates do. */
#define STACK_SIZE ((size_t)1024 * 1024)

struct job {
	STAILQ_ENTRY(job) entries;
	struct generation *generation;
	struct certificate_gathering *previous;
	bool is_cancelled; /* under the lock */
	struct gathered result;
};

STAILQ_HEAD(job_queue, job);

struct gatherer {
	struct gatherer_events events;
	void *argument;
	int told; /* readable: there is something for the loop */
	struct event *on_told;
	pthread_t thread;
	bool is_started;
	atomic_bool is_urgent; /* checking is to stop */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct job_queue waiting;
	struct job *current; /* the thread's */
	struct job_queue finished;
	struct certificate_gathering *unchecked; /* NULL: none */
	bool has_checked;
	size_t wrong; /* of what it has checked */
	bool is_ending;
};

static void
job_free(struct job *job)
{
	if (!job)
		return;
	certificate_gather_free(job->previous);
	certificate_gather_free(job->result.gathering);
	error_list_clear(&job->result.problems);
	error_list_clear(&job->result.warnings);
	/* The last, as sentences are about places in its documents. */
	generation_free(job->generation);
	mem_free(job);
}

/* The thread. */

static void
gather(struct job *job)
{
	struct gathered *result = &job->result;
	const struct route_findings findings = {
		&result->problems, &result->warnings, &result->warnings};

	result->gathering = certificate_gather_new(job->generation->conf,
						   job->generation->files,
						   job->previous, &findings);
	/* No worker will be asked then, so this tells what else is wrong. */
	if (!result->gathering)
		route_table_free(route_table_new(job->generation->conf,
						 job->generation->files, NULL,
						 &findings));
}

static void
wake_loop(struct gatherer *gatherer)
{
	static const uint64_t one = 1;

	/* It cannot fail but by being full, and then the loop wakes as well. */
	(void)!write(gatherer->told, &one, sizeof(one));
}

/* With the lock held, which it gives up meanwhile. */
static void
do_job(struct gatherer *gatherer, struct job *job)
{
	STAILQ_REMOVE_HEAD(&gatherer->waiting, entries);
	gatherer->current = job;
	pthread_mutex_unlock(&gatherer->lock);
	gather(job);
	pthread_mutex_lock(&gatherer->lock);
	gatherer->current = NULL;
	STAILQ_INSERT_TAIL(&gatherer->finished, job, entries);
	wake_loop(gatherer);
}

/* The same. What was interrupted is begun anew, and finds what it did. */
static void
check(struct gatherer *gatherer)
{
	struct certificate_gathering *gathering = TAKE(gatherer->unchecked);
	size_t wrong;

	atomic_store(&gatherer->is_urgent, false);
	pthread_mutex_unlock(&gatherer->lock);
	wrong = certificate_gather_check_pairs(gathering, &gatherer->is_urgent);
	pthread_mutex_lock(&gatherer->lock);
	if (!atomic_load(&gatherer->is_urgent)) {
		gatherer->has_checked = true;
		gatherer->wrong = wrong;
		wake_loop(gatherer);
	} else if (!gatherer->unchecked) {
		gatherer->unchecked = TAKE(gathering);
	}
	certificate_gather_free(gathering);
}

static void *
run(void *argument)
{
	struct gatherer *gatherer = argument;
	struct job *job;

	pthread_mutex_lock(&gatherer->lock);
	while (!gatherer->is_ending) {
		job = STAILQ_FIRST(&gatherer->waiting);
		if (job)
			do_job(gatherer, job);
		else if (gatherer->unchecked)
			check(gatherer);
		else
			pthread_cond_wait(&gatherer->changed, &gatherer->lock);
	}
	pthread_mutex_unlock(&gatherer->lock);
	return NULL;
}

/* The loop. */

static struct job *
next_finished(struct gatherer *gatherer, bool *is_cancelled)
{
	struct job *job;

	pthread_mutex_lock(&gatherer->lock);
	job = STAILQ_FIRST(&gatherer->finished);
	if (job) {
		STAILQ_REMOVE_HEAD(&gatherer->finished, entries);
		*is_cancelled = job->is_cancelled;
	}
	pthread_mutex_unlock(&gatherer->lock);
	return job;
}

static void
tell_checked(struct gatherer *gatherer)
{
	bool has_checked;
	size_t wrong;

	pthread_mutex_lock(&gatherer->lock);
	has_checked = gatherer->has_checked;
	wrong = gatherer->wrong;
	gatherer->has_checked = false;
	pthread_mutex_unlock(&gatherer->lock);
	if (has_checked)
		gatherer->events.checked(wrong, gatherer->argument);
}

static void
on_told(evutil_socket_t descriptor, short what, void *argument)
{
	struct gatherer *gatherer = argument;
	bool is_cancelled;
	struct job *job;
	uint64_t count;

	(void)what;
	(void)!read(descriptor, &count, sizeof(count));
	while ((job = next_finished(gatherer, &is_cancelled))) {
		if (!is_cancelled)
			gatherer->events.gathered(&job->result,
						  gatherer->argument);
		job_free(job);
	}
	tell_checked(gatherer);
}

struct gatherer *
gatherer_new(struct event_base *base, const struct gatherer_events *events,
	     void *argument)
{
	int told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct gatherer *gatherer;

	if (told < 0)
		return NULL;
	gatherer = mem_alloc(sizeof(*gatherer));
	gatherer->events = *events;
	gatherer->argument = argument;
	gatherer->told = told;
	atomic_init(&gatherer->is_urgent, false);
	STAILQ_INIT(&gatherer->waiting);
	STAILQ_INIT(&gatherer->finished);
	pthread_mutex_init(&gatherer->lock, NULL);
	pthread_cond_init(&gatherer->changed, NULL);
	gatherer->on_told =
		event_new(base, told, EV_READ | EV_PERSIST, on_told, gatherer);
	assert(gatherer->on_told);
	event_add(gatherer->on_told, NULL);
	return gatherer;
}

/* Something has changed, and checking can wait. With the lock held. */
static void
hurry(struct gatherer *gatherer)
{
	atomic_store(&gatherer->is_urgent, true);
	pthread_cond_signal(&gatherer->changed);
}

static int
start_thread(struct gatherer *gatherer, struct error *error)
{
	pthread_attr_t attributes;
	sigset_t all;
	int result;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setsigmask_np(&attributes, &all);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	result = pthread_create(&gatherer->thread, &attributes, run, gatherer);
	pthread_attr_destroy(&attributes);
	if (result != 0) {
		error_set(error, "there is no thread to read certificates: %s",
			  strerror(result));
		return -1;
	}
	gatherer->is_started = true;
	return 0;
}

int
gatherer_begin(struct gatherer *gatherer, struct generation *generation,
	       struct certificate_gathering *previous, struct error *error)
{
	struct job *job;

	if (!gatherer->is_started && start_thread(gatherer, error) != 0) {
		generation_free(generation);
		return -1;
	}
	job = mem_alloc(sizeof(*job));
	job->generation = generation;
	job->result.number = generation->number;
	job->previous = previous ? certificate_gather_ref(previous) : NULL;
	pthread_mutex_lock(&gatherer->lock);
	STAILQ_INSERT_TAIL(&gatherer->waiting, job, entries);
	hurry(gatherer);
	pthread_mutex_unlock(&gatherer->lock);
	return 0;
}

void
gatherer_check(struct gatherer *gatherer,
	       struct certificate_gathering *gathering)
{
	struct certificate_gathering *before;

	pthread_mutex_lock(&gatherer->lock);
	before = gatherer->unchecked;
	gatherer->unchecked = certificate_gather_ref(gathering);
	/* What was found about the one before is no news any more. */
	gatherer->has_checked = false;
	hurry(gatherer);
	pthread_mutex_unlock(&gatherer->lock);
	certificate_gather_free(before);
}

static void
free_queue(struct job_queue *queue)
{
	struct job *job;

	while ((job = STAILQ_FIRST(queue))) {
		STAILQ_REMOVE_HEAD(queue, entries);
		job_free(job);
	}
}

void
gatherer_cancel(struct gatherer *gatherer)
{
	struct job_queue waiting = STAILQ_HEAD_INITIALIZER(waiting);
	struct job *job;

	pthread_mutex_lock(&gatherer->lock);
	STAILQ_CONCAT(&waiting, &gatherer->waiting);
	if (gatherer->current)
		gatherer->current->is_cancelled = true;
	STAILQ_FOREACH (job, &gatherer->finished, entries)
		job->is_cancelled = true;
	pthread_mutex_unlock(&gatherer->lock);
	free_queue(&waiting);
}

void
gatherer_free(struct gatherer *gatherer)
{
	if (!gatherer)
		return;
	if (gatherer->is_started) {
		pthread_mutex_lock(&gatherer->lock);
		gatherer->is_ending = true;
		hurry(gatherer);
		pthread_mutex_unlock(&gatherer->lock);
		pthread_join(gatherer->thread, NULL);
	}
	free_queue(&gatherer->waiting);
	free_queue(&gatherer->finished);
	certificate_gather_free(gatherer->unchecked);
	event_free(gatherer->on_told);
	close(gatherer->told);
	pthread_cond_destroy(&gatherer->changed);
	pthread_mutex_destroy(&gatherer->lock);
	mem_free(gatherer);
}
