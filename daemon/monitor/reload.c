/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of a run: loader, plan, offer, verdict. Each is started by the
 * one before it from the loop, and every way out is finish().
 */
#include "daemon/monitor/reload.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "daemon/monitor/admin.h"
#include "daemon/monitor/children.h"
#include "daemon/monitor/confinement.h"
#include "daemon/monitor/listeners.h"
#include "daemon/monitor/loader.h"
#include "daemon/monitor/monitor.h"
#include "daemon/monitor/notify.h"
#include "daemon/monitor/plan.h"
#include "daemon/monitor/state_files.h"
#include "daemon/process/generation.h"

/* For reading the files; at the start somebody may be typing a pass-phrase,
 * so there is no limit then. */
#define LOAD_LIMIT_S 60

/* For the children; 50,000 certificates take a worker some 15 s. */
#define PREPARE_LIMIT_S 120

enum phase {
	PHASE_IDLE,
	PHASE_ASKED, /* begins in this turn of the loop */
	PHASE_LOADING,
	PHASE_PREPARING,
};

struct reload {
	struct reload_parts parts;
	enum phase phase;
	uint64_t run;    /* under way, or the last one */
	bool is_renewal; /* of the run */
	bool is_asked_again;
	bool is_renewal_asked_again;
	bool is_stopping;
	struct event *begin;
	struct event *limit;
	struct loader *loader;
	uint64_t last_generation;
	int64_t begun_ms;
	int64_t begun_ns; /* the same, by the calendar */
	struct plan *current;
	struct plan *pending;
	struct confinement *confinement; /* from the first plan on */
	struct state_files *state;       /* the same */
	struct error_list warnings;      /* of the run */
};

static void
set_limit(struct reload *reload, int seconds)
{
	struct timeval limit = {.tv_sec = seconds};

	event_add(reload->limit, &limit);
}

static void
ask(struct reload *reload, bool is_renewal)
{
	reload->run++;
	reload->is_renewal = is_renewal;
	reload->phase = PHASE_ASKED;
	event_active(reload->begin, EV_TIMEOUT, 0);
}

static void
finish(struct reload *reload, uint64_t generation, int status,
       const struct error_list *problems)
{
	struct reload_result result = {
		.run = reload->run,
		.generation = generation,
		.is_renewal = reload->is_renewal,
		.begun_ns = reload->begun_ns,
		.status = status,
		.problems = problems,
		.warnings = &reload->warnings,
	};

	event_del(reload->limit);
	loader_free(TAKE(reload->loader));
	reload->phase = PHASE_IDLE;
	reload->parts.done(&result, reload->parts.argument);
	error_list_clear(&reload->warnings);
	if (reload->phase != PHASE_IDLE)
		return;
	if (reload->is_asked_again || reload->is_renewal_asked_again) {
		bool is_renewal = !reload->is_asked_again;

		reload->is_asked_again = false;
		reload->is_renewal_asked_again = false;
		ask(reload, is_renewal);
	}
}

/* What was begun is undone, and what runs is as it was. */
static void
give_up(struct reload *reload, int status, const struct error_list *problems)
{
	if (reload->phase == PHASE_PREPARING)
		children_abort(reload->parts.children);
	plan_free(TAKE(reload->pending), reload->parts.listeners);
	if (reload->current)
		plan_apply(reload->current);
	finish(reload, 0, status, problems);
}

__attribute__((cold)) static void
give_up_with(struct reload *reload, const struct error *error)
{
	struct error_list problems = {0};

	error_list_add(&problems, error);
	give_up(reload, 1, &problems);
	error_list_clear(&problems);
}

/* The last step. */

static void
use_logs(struct reload *reload, const struct plan *plan)
{
	children_set_logs(reload->parts.children, &plan->logs);
	if (log_outputs_apply(&plan->logs) != 0)
		log_error("cannot use the logs", "error=\"%s\"",
			  strerror(errno));
}

static void
come_into_force(struct reload *reload)
{
	struct plan *before = reload->current;
	struct plan *plan = TAKE(reload->pending);
	const uint32_t *down;
	size_t count;

	down = children_down(reload->parts.children, &count);
	for (size_t i = 0; i < count; i++)
		plan_close_service(plan, reload->parts.listeners, down[i]);
	children_commit(reload->parts.children);
	reload->current = plan;
	plan_apply(plan);
	if (before)
		use_logs(reload, plan);
	admin_listen(reload->parts.admin,
		     plan->admin ? listener_descriptor(plan->admin) : -1);
	plan_free(before, reload->parts.listeners);
}

void
reload_children_ready(struct reload *reload, const struct error_list *warnings)
{
	struct error_list none = {0};
	uint64_t generation = reload->pending->generation->number;

	for (size_t i = 0; i < warnings->count; i++)
		error_list_add(&reload->warnings, &warnings->errors[i]);
	come_into_force(reload);
	log_info("configuration is in force",
		 "generation=%" PRIu64 " services=%zu workers=%u ms=%" PRId64,
		 generation, reload->current->generation->conf->service_count,
		 reload->current->workers,
		 clock_monotonic_ms() - reload->begun_ms);
	finish(reload, generation, 0, &none);
}

void
reload_children_failed(struct reload *reload, int status,
		       const struct error_list *problems)
{
	struct error_list copy = {0};

	/* They go with the offer. */
	for (size_t i = 0; i < problems->count; i++)
		error_list_add(&copy, &problems->errors[i]);
	give_up(reload, status, &copy);
	error_list_clear(&copy);
}

/* The steps before. */

/* The first configuration settles who the children are, and what they find. */
static int
settle(struct reload *reload, struct error_list *problems)
{
	const struct conf *conf = reload->pending->generation->conf;

	if (reload->confinement && reload->state) {
		confinement_compare(reload->confinement, conf,
				    &reload->warnings);
		state_files_compare(reload->state, conf, &reload->warnings);
		return 0;
	}
	confinement_free(reload->confinement);
	state_files_free(reload->state);
	reload->confinement = confinement_new(conf, problems);
	reload->state = state_files_new(
		conf, reload->parts.options->path != NULL, problems);
	if (!reload->confinement || !reload->state)
		return -1;
	children_set_confinement(reload->parts.children, reload->confinement);
	children_set_state(reload->parts.children, reload->state);
	return 0;
}

static void
on_loaded(struct generation *generation, const struct error_list *problems,
	  void *argument)
{
	struct reload *reload = argument;
	struct plan_sources sources = {
		.listeners = reload->parts.listeners,
		.previous = reload->current,
		.has_defaults = reload->parts.options->path != NULL,
	};
	struct error_list found = {0};
	int status = 2;

	loader_free(TAKE(reload->loader));
	if (!generation) {
		give_up(reload, status, problems);
		return;
	}
	generation->number = reload->last_generation + 1;
	reload->pending = plan_new(generation, &sources, &found,
				   &reload->warnings, &status);
	if (!reload->pending) {
		give_up(reload, status, &found);
		error_list_clear(&found);
		return;
	}
	reload->last_generation++;
	if (settle(reload, &found) != 0) {
		give_up(reload, 1, &found);
		error_list_clear(&found);
		return;
	}
	if (!reload->current) {
		reload->parts.starting(reload->parts.argument);
		children_set_logs(reload->parts.children,
				  &reload->pending->logs);
	}
	reload->phase = PHASE_PREPARING;
	set_limit(reload, PREPARE_LIMIT_S);
	children_offer(reload->parts.children, reload->pending);
}

static void
on_begin(evutil_socket_t descriptor, short what, void *argument)
{
	struct reload *reload = argument;
	struct error error = {0};
	struct timespec now;

	(void)descriptor;
	(void)what;
	if (reload->is_stopping) {
		error_set(&error, "sealock is being stopped");
		give_up_with(reload, &error);
		return;
	}
	reload->begun_ms = clock_monotonic_ms();
	/* As coarse as the times of files. */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	reload->begun_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	if (reload->current) {
		/* Nobody asked systemd for a renewal. */
		if (!reload->is_renewal)
			notify_reloading();
		log_info(reload->is_renewal ? "renewing" : "reloading", NULL);
		set_limit(reload, LOAD_LIMIT_S);
	}
	reload->phase = PHASE_LOADING;
	reload->loader = loader_new(
		reload->parts.base, reload->parts.options,
		reload->is_renewal ? reload->current->generation : NULL,
		on_loaded, reload, &error);
	if (!reload->loader)
		give_up_with(reload, &error);
}

static void
on_limit(evutil_socket_t descriptor, short what, void *argument)
{
	struct reload *reload = argument;
	struct error error = {0};
	char names[256];

	(void)descriptor;
	(void)what;
	if (reload->phase == PHASE_PREPARING)
		error_set(&error, "not ready after %d seconds: %s",
			  PREPARE_LIMIT_S,
			  children_unready(reload->parts.children, names,
					   sizeof(names)));
	else
		error_set(&error,
			  "the files could not be read within %d seconds",
			  LOAD_LIMIT_S);
	give_up_with(reload, &error);
}

/* From outside. */

uint64_t
reload_request(struct reload *reload)
{
	switch (reload->phase) {
	case PHASE_IDLE:
		ask(reload, false);
		return reload->run;
	case PHASE_ASKED:
		reload->is_renewal = false;
		return reload->run;
	case PHASE_LOADING:
	case PHASE_PREPARING:
		break;
	}
	reload->is_asked_again = true;
	return reload->run + 1;
}

void
reload_renew(struct reload *reload)
{
	if (!reload->current || reload->is_stopping)
		return;
	if (reload->phase == PHASE_IDLE)
		ask(reload, true);
	else if (reload->phase != PHASE_ASKED)
		reload->is_renewal_asked_again = true;
}

void
reload_stop(struct reload *reload)
{
	struct error error = {0};

	reload->is_stopping = true;
	if (reload->phase == PHASE_IDLE || reload->phase == PHASE_ASKED)
		return;
	error_set(&error, "sealock is being stopped");
	give_up_with(reload, &error);
}

const struct plan *
reload_current(const struct reload *reload)
{
	return reload->current;
}

void
reload_close_sockets(struct reload *reload)
{
	if (reload->current)
		plan_close_sockets(reload->current, reload->parts.listeners);
}

void
reload_reopen_logs(struct reload *reload)
{
	struct error_list problems = {0};
	struct log_outputs before;
	char text[1024];

	if (!reload->current)
		return;
	before = reload->current->logs;
	log_outputs_open(&reload->current->generation->conf->global, &before,
			 &reload->current->logs, &problems);
	use_logs(reload, reload->current);
	log_outputs_close(&before);
	for (size_t i = 0; i < problems.count; i++)
		log_error(
			"log not reopened", "reason=\"%s\"",
			error_format(&problems.errors[i], text, sizeof(text)));
	error_list_clear(&problems);
}

bool
reload_reaped(struct reload *reload, pid_t pid)
{
	return loader_reaped(reload->loader, pid);
}

struct reload *
reload_new(const struct reload_parts *parts)
{
	struct reload *reload = mem_alloc(sizeof(*reload));

	reload->parts = *parts;
	reload->begin = event_new(parts->base, -1, 0, on_begin, reload);
	reload->limit = event_new(parts->base, -1, 0, on_limit, reload);
	assert(reload->begin && reload->limit);
	return reload;
}

void
reload_free(struct reload *reload)
{
	if (!reload)
		return;
	loader_free(reload->loader);
	plan_free(reload->pending, reload->parts.listeners);
	plan_free(reload->current, reload->parts.listeners);
	confinement_free(reload->confinement);
	state_files_free(reload->state);
	event_free(reload->begin);
	event_free(reload->limit);
	error_list_clear(&reload->warnings);
	mem_free(reload);
}
