/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The role itself: generations come and go, connections are counted and
 * buried, the wheel of timers turns.
 */
#include "daemon/worker/worker.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <unistd.h>
#include <event2/event.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "common/tls/session_ids.h"
#include "common/tls/staple_table.h"
#include "common/tls/ticket_keys.h"
#include "common/tls/tls_engine.h"
#include "daemon/process/child.h"
#include "daemon/process/generation.h"
#include "daemon/worker/accept.h"
#include "daemon/worker/authorize_json.h"
#include "daemon/worker/backend_sessions.h"
#include "daemon/worker/broker_client.h"
#include "daemon/worker/builtin.h"
#include "daemon/worker/helper_link.h"
#include "daemon/worker/key_client.h"
#include "daemon/worker/names.h"
#include "daemon/worker/ocsp_client.h"
#include "daemon/worker/snapshot.h"
#include "daemon/worker/ticket_wait.h"

/* How long farewells may take once the grace is over. */
#define FAREWELL_LIMIT_MS 500

/* How long handshakes wait for a keeper that is not there. One that is replaced
 * has to read all keys first. */
#define KEEPER_PATIENCE_MS 5000

/* For attempts at several addresses at once, the acceptor, peers. */
#define DESCRIPTORS_SPARE 8

static void
free_connection(struct connection *connection)
{
	mem_free(connection->server_name);
	mem_free(connection->backend);
	tls_engine_free(connection->refused);
	mem_free(connection);
}

static void
on_reap(evutil_socket_t descriptor, short what, void *argument)
{
	struct worker *worker = argument;
	struct connection *connection;

	(void)descriptor;
	(void)what;
	while ((connection = TAILQ_FIRST(&worker->ended))) {
		TAILQ_REMOVE(&worker->ended, connection, entries);
		free_connection(connection);
	}
}

static void
report_live(struct worker *worker)
{
	const struct snapshot *oldest = TAILQ_FIRST(worker->snapshots);

	if (!oldest || oldest->number == worker->reported_live)
		return;
	worker->reported_live = oldest->number;
	child_report_live(worker->child, oldest->number);
}

void
worker_connection_ended(struct worker *worker, struct connection *connection)
{
	TAILQ_REMOVE(&worker->lists[connection->state], connection, entries);
	if (TAILQ_EMPTY(&worker->ended))
		event_active(worker->reaper, EV_TIMEOUT, 1);
	TAILQ_INSERT_TAIL(&worker->ended, connection, entries);
	worker->connection_count--;
	if (snapshot_unref(worker->snapshots, connection->snapshot)) {
		report_live(worker);
		backend_sessions_sweep(worker->current->sessions,
				       worker->snapshots);
	}
	connection->snapshot = NULL;
	connection->service = NULL;
	acceptor_resume(worker->acceptor);
	if (worker->is_draining && worker->connection_count == 0)
		child_exit(worker->child, 0);
}

static void
on_timer(struct timer *timer, void *argument)
{
	struct connection *connection =
		(struct connection *)(void *)((char *)timer -
					      offsetof(struct connection,
						       timer));

	(void)argument;
	connection_expired(connection);
}

static struct timeval
after(int64_t milliseconds)
{
	struct timeval time = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_usec = (suseconds_t)(milliseconds % 1000 * 1000),
	};

	return time;
}

/* The wheel is turned when a timer is to be looked at, and not before: who has
 * thousands of connections that are idle for minutes sleeps for seconds. */
static void
arm_tick(struct worker *worker, int64_t due_ms, int64_t now_ms)
{
	int64_t delay_ms = due_ms > now_ms ? due_ms - now_ms : 1;
	struct timeval delay = after(delay_ms);

	event_add(worker->tick, &delay);
	worker->tick_due_ms = due_ms;
}

static void
on_tick(evutil_socket_t descriptor, short what, void *argument)
{
	struct worker *worker = argument;
	int64_t now_ms = clock_monotonic_ms(), due_ms;

	(void)descriptor;
	(void)what;
	/* Deadlines that are set meanwhile are in the wheel all the same. */
	worker->tick_due_ms = INT64_MIN;
	timer_wheel_advance(&worker->wheel, now_ms, on_timer, worker);
	worker->tick_due_ms = 0;
	due_ms = timer_wheel_due(&worker->wheel);
	if (due_ms >= 0)
		arm_tick(worker, due_ms, now_ms);
}

void
worker_need_tick(struct worker *worker, int64_t deadline_ms)
{
	int64_t due_ms = timer_wheel_due_for(deadline_ms);

	if (worker->tick_due_ms == 0 || due_ms < worker->tick_due_ms)
		arm_tick(worker, due_ms, clock_monotonic_ms());
}

/* End connections that have outlived their time: all of them, or those whose
 * generation has expired. */
static void
close_connections(struct worker *worker, bool only_expired, const char *detail)
{
	int64_t now_ms = clock_monotonic_ms();

	for (int state = 0; state < CONNECTION_CLOSE; state++) {
		struct connection *connection, *next;

		for (connection = TAILQ_FIRST(&worker->lists[state]);
		     connection; connection = next) {
			int64_t expires_ms = connection->snapshot->expires_ms;

			next = TAILQ_NEXT(connection, entries);
			if (only_expired &&
			    (expires_ms == 0 || expires_ms > now_ms))
				continue;
			connection->now_ms = now_ms;
			connection_close(connection, REASON_SHUTDOWN, "%s",
					 detail);
		}
	}
}

/* Wake when the next superseded generation expires. */
static void
arm_generation_limit(struct worker *worker)
{
	const struct snapshot *snapshot;
	int64_t now_ms = clock_monotonic_ms();

	TAILQ_FOREACH (snapshot, worker->snapshots, entries) {
		struct timeval delay;

		if (snapshot->expires_ms <= now_ms)
			continue;
		delay = after(snapshot->expires_ms - now_ms);
		evtimer_add(worker->generation_limit, &delay);
		return;
	}
}

static void
on_generation_limit(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	close_connections(argument, true, "limit: reload_grace");
	arm_generation_limit(argument);
}

/* The grace is over: every connection is told, and those whose farewell takes
 * long are cut off. */
static void
on_drain_limit(evutil_socket_t descriptor, short what, void *argument)
{
	struct timeval farewell = after(FAREWELL_LIMIT_MS);
	struct worker *worker = argument;

	(void)descriptor;
	(void)what;
	if (worker->is_grace_over) {
		child_exit(worker->child, 0);
		return;
	}
	worker->is_grace_over = true;
	log_info("closing what is still open",
		 "connections=%zu limit=shutdown_grace",
		 worker->connection_count);
	evtimer_add(worker->drain_limit, &farewell);
	close_connections(worker, false, "limit: shutdown_grace");
}

/* Descriptors are numbered densely: the next one's number tells how many there
 * are. */
static size_t
count_descriptors(void)
{
	int next = dup(STDERR_FILENO);

	if (next < 0)
		return 0;
	close(next);
	return (size_t)next;
}

static void
accuse_broker(const char *why, void *argument)
{
	const struct worker *worker = argument;

	child_accuse(worker->child, IPC_BROKER, 0, why);
}

static void
accuse_keeper(uint32_t number, const char *why, void *argument)
{
	const struct worker *worker = argument;

	child_accuse(worker->child, IPC_KEEPER, number, why);
}

static void
on_tickets(void *argument)
{
	const struct worker *worker = argument;

	ticket_wait_look(worker->ticket_wait);
}

/* The prepared generation has the rings that it names, or goes without. */
static void
on_ticket_wait_over(bool is_complete, void *argument)
{
	struct worker *worker = argument;

	if (!is_complete)
		log_warn("keys of session tickets are missing",
			 "generation=%" PRIu64, worker->prepared->number);
	child_prepared(worker->child, worker->prepared->number, 0, NULL,
		       &worker->warnings);
	error_list_clear(&worker->warnings);
}

static void *
start(struct child *child, struct event_base *base)
{
	static const struct key_client_events key_client_events = {
		.accuse = accuse_keeper,
		.tickets = on_tickets,
	};
	struct worker *worker = mem_alloc(sizeof(*worker));

	worker->child = child;
	worker->base = base;
	for (int state = 0; state < CONNECTION_STATE_COUNT; state++)
		TAILQ_INIT(&worker->lists[state]);
	TAILQ_INIT(&worker->ended);
	LIST_INIT(&worker->builtins);
	worker->snapshots = mem_alloc(sizeof(*worker->snapshots));
	TAILQ_INIT(worker->snapshots);
	timer_wheel_init(&worker->wheel, clock_monotonic_ms());
	worker->reaper = event_new(base, -1, 0, on_reap, worker);
	worker->tick = evtimer_new(base, on_tick, worker);
	worker->drain_limit = evtimer_new(base, on_drain_limit, worker);
	worker->generation_limit =
		evtimer_new(base, on_generation_limit, worker);
	assert(worker->reaper && worker->tick && worker->drain_limit &&
	       worker->generation_limit);
	authorize_json_init();
	worker->names = names_new();
	worker->ocsp = ocsp_client_new();
	worker->staples = staple_table_new();
	staple_table_install(worker->staples);
	worker->broker = broker_client_new(base, accuse_broker, worker);
	worker->keys = key_client_new(base, KEEPER_PATIENCE_MS,
				      &key_client_events, worker);
	worker->ticket_wait = ticket_wait_new(base, KEEPER_PATIENCE_MS,
					      on_ticket_wait_over, worker);
	worker->descriptors_at_start = count_descriptors();
	worker->acceptor = acceptor_new(worker);
	return worker;
}

static void
report_down(struct worker *worker, const struct snapshot *snapshot)
{
	const struct route_table *routes = snapshot->routes;
	AUTO_FREE uint32_t *down =
		mem_array(routes->service_count, sizeof(*down));
	size_t count = 0;

	for (size_t i = 0; i < routes->service_count; i++) {
		if (routes->services[i].is_down)
			down[count++] = (uint32_t)i;
	}
	child_report_down(worker->child, snapshot->number, down, count);
}

/* The first client after a start, or after another worker's end, is to find the
 * keys that its ticket is under. */
static int
wait_for_tickets(struct worker *worker, const struct error_list *warnings)
{
	const struct snapshot *prepared = worker->prepared;

	if (!snapshot_is_isolated(prepared) &&
	    !key_client_has_keeper(worker->keys))
		return 0;
	if (ticket_wait_begin(worker->ticket_wait, prepared->generation->conf))
		return 0;
	for (size_t i = 0; i < warnings->count; i++)
		error_list_add(&worker->warnings, &warnings->errors[i]);
	return CHILD_LATER;
}

static int
prepare(void *argument, struct generation *generation,
	struct error_list *problems, struct error_list *warnings)
{
	struct worker *worker = argument;
	struct error error = {0};

	assert(!worker->prepared);
	/* With an index, the keys are the keeper's; else snapshot_new() puts
	 * them into a table of this process. */
	if (generation->index >= 0 &&
	    key_client_install(worker->keys, &error) != 0) {
		error_list_add(problems, &error);
		generation_free(generation);
		return -1;
	}
	worker->prepared = snapshot_new(worker->snapshots, generation,
					worker->current, problems, warnings);
	if (!worker->prepared)
		return -1;
	report_down(worker, worker->prepared);
	return wait_for_tickets(worker, warnings);
}

/* How many connections the limit of open files has room for: clients beyond
 * it are better off in the listener's queue than accepted and refused. */
static size_t
connections_that_fit(struct worker *worker)
{
	const struct conf *conf = worker->current->generation->conf;
	size_t each = 2, others;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	/* A builtin backend lives in here, with the other end of its pair; who
	 * asks about a backend has a third socket. */
	for (size_t i = 0; i < conf->service_count; i++) {
		const struct conf_connect *to = &conf->services[i].connect;

		if (conf->services[i].authorize.is_backend_asked)
			each = 3;
		for (size_t j = 0; j < to->address_count; j++) {
			if (to->addresses[j].address.kind == ADDRESS_BUILTIN)
				each = 3;
		}
	}
	others = worker->descriptors_at_start +
		 worker->current->generation->listener_count +
		 DESCRIPTORS_SPARE;
	if (limit.rlim_cur < others + each)
		return 1;
	return (limit.rlim_cur - others) / each;
}

static void
set_connection_max(struct worker *worker)
{
	const struct conf *conf = worker->current->generation->conf;
	unsigned int workers = generation_worker_count(conf);
	size_t share = conf->global.max_connections / workers;
	size_t fitting = connections_that_fit(worker);

	if (child_number(worker->child) <
	    conf->global.max_connections % workers)
		share++;

	worker->connection_max = share < fitting ? share : fitting;
}

static void
commit(void *argument, uint64_t number)
{
	struct worker *worker = argument;
	struct snapshot *superseded = worker->current;
	const struct conf_global *global;

	assert(worker->prepared && worker->prepared->number == number);
	worker->current = TAKE(worker->prepared);
	session_ids_use(worker->current->cache);
	set_connection_max(worker);
	global = &worker->current->generation->conf->global;
	if (worker->acceptor)
		acceptor_update(worker->acceptor, worker->current->generation);
	if (superseded && global->reload_grace_ms > 0)
		superseded->expires_ms =
			clock_monotonic_ms() + global->reload_grace_ms;
	snapshot_unref(worker->snapshots, superseded);
	report_live(worker);
	backend_sessions_enforce(worker->current->sessions);
	backend_sessions_sweep(worker->current->sessions, worker->snapshots);
	arm_generation_limit(worker);
}

static void
abort_prepared(void *argument, uint64_t number)
{
	struct worker *worker = argument;

	(void)number;
	ticket_wait_cancel(worker->ticket_wait);
	error_list_clear(&worker->warnings);
	snapshot_unref(worker->snapshots, TAKE(worker->prepared));
}

static void
drain(void *argument, int64_t grace_ms)
{
	struct worker *worker = argument;
	struct timeval grace = after(grace_ms);

	worker->is_draining = true;
	acceptor_free(TAKE(worker->acceptor));
	if (worker->connection_count == 0) {
		child_exit(worker->child, 0);
		return;
	}
	log_info("draining", "connections=%zu grace_ms=%lld",
		 worker->connection_count, (long long)grace_ms);
	if (!worker->is_grace_over)
		evtimer_add(worker->drain_limit, &grace);
}

static void
peer(void *argument, enum ipc_role role, uint32_t number, int descriptor)
{
	struct worker *worker = argument;

	switch ((unsigned int)role) {
	case IPC_HELPER:
		helper_link_attach(worker, descriptor);
		break;
	case IPC_BROKER:
		broker_client_attach(worker->broker, descriptor);
		break;
	case IPC_KEEPER:
		key_client_attach(worker->keys, number, descriptor);
		break;
	default:
		log_error("a peer that makes no sense", "role=%s",
			  ipc_role_name(role));
		close(descriptor);
	}
}

/* Not an end that could pass for a proper one: plain peers get a reset, TLS
 * peers miss their close_notify. */
static void
cut_off(struct connection *connection)
{
	if (!connection->accept.engine)
		gate_reset(&connection->accept);
	if (!connection->connect.engine)
		gate_reset(&connection->connect);
	connection_abandon(connection);
}

/* The process ends: nothing is said to anybody any more. */
static void
stop(void *argument)
{
	struct worker *worker = argument;

	worker->is_draining = false;
	acceptor_free(TAKE(worker->acceptor));
	for (int state = 0; state < CONNECTION_STATE_COUNT; state++) {
		struct connection *connection;

		while ((connection = TAILQ_FIRST(&worker->lists[state])))
			cut_off(connection);
	}
	on_reap(-1, 0, worker);
	builtin_free_all(worker);
	session_ids_use(NULL);
	snapshot_unref(worker->snapshots, worker->prepared);
	snapshot_unref(worker->snapshots, worker->current);
	helper_link_close(worker);
	names_free(worker->names);
	ocsp_client_free(worker->ocsp);
	staple_table_install(NULL);
	staple_table_free(worker->staples);
	broker_client_free(worker->broker);
	key_client_free(worker->keys);
	ticket_wait_free(worker->ticket_wait);
	error_list_clear(&worker->warnings);
	ticket_keys_drop_all();
	event_free(worker->reaper);
	event_free(worker->tick);
	event_free(worker->drain_limit);
	event_free(worker->generation_limit);
	mem_free(worker->raw.bytes);
	mem_free(worker->plain.bytes);
	mem_free(worker->wire.bytes);
	mem_free(worker->snapshots);
	mem_free(worker);
}

int
worker_main(uint32_t number)
{
	static const struct child_role role = {
		.role = IPC_WORKER,
		.start = start,
		.prepare = prepare,
		.commit = commit,
		.abort = abort_prepared,
		.drain = drain,
		.peer = peer,
		.stop = stop,
	};

	return child_run(&role, number);
}
