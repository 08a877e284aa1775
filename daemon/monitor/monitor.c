/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's life: start, signals, the results of reloads, and the end.
 */
#include "daemon/monitor/monitor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "daemon/monitor/admin.h"
#include "daemon/monitor/children.h"
#include "daemon/monitor/confinement.h"
#include "daemon/monitor/daemonize.h"
#include "daemon/monitor/listeners.h"
#include "daemon/monitor/notify.h"
#include "daemon/monitor/plan.h"
#include "daemon/monitor/reload.h"
#include "daemon/monitor/spawn.h"
#include "daemon/monitor/state_files.h"
#include "daemon/monitor/watch.h"
#include "daemon/process/admin_protocol.h"
#include "daemon/process/generation.h"
#include "daemon/process/privileges.h"

/* How long children may take beyond their grace before they are killed. */
#define DRAIN_MARGIN_MS 4000

/* How long they have to end at once. */
#define NOW_LIMIT_S 1

/* How often a syslog that was started again is looked for. */
#define SYSLOG_WATCH_S 5

static const int handled[] = {SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1};

struct monitor {
	const struct monitor_options *options;
	struct event_base *base;
	struct event *signals[ARRAY_SIZE(handled)];
	struct event *syslog_watch;
	struct event *drain_limit;
	struct listeners *listeners;
	struct children *children;
	struct admin *admin;
	struct reload *reload;
	struct watch *watch;
	int executable;
	int report; /* daemonize: -1 when there is nobody to tell any more */
	bool is_stopping;
	int status;
};

/* The end. */

/* Connections end with a record and, where their end is not a proper one, with
 * a reset; a process that was killed could give them neither. */
static void
end_now(struct monitor *monitor)
{
	static const struct timeval limit = {.tv_sec = NOW_LIMIT_S};

	children_drain(monitor->children, 0);
	event_add(monitor->drain_limit, &limit);
}

static void
stop(struct monitor *monitor, bool is_now)
{
	const struct plan *plan = reload_current(monitor->reload);
	int64_t grace_ms = 0, limit_ms;
	struct timeval limit;

	if (monitor->is_stopping) {
		log_info("stopping at once", NULL);
		end_now(monitor);
		return;
	}
	if (plan && !is_now)
		grace_ms = plan->generation->conf->global.shutdown_grace_ms;
	log_info("stopping", "grace_ms=%lld", (long long)grace_ms);
	notify_stopping();
	monitor->is_stopping = true;
	reload_stop(monitor->reload);
	reload_close_sockets(monitor->reload);
	if (is_now) {
		end_now(monitor);
		return;
	}
	children_drain(monitor->children, grace_ms);
	limit_ms = grace_ms + DRAIN_MARGIN_MS;
	limit.tv_sec = limit_ms / 1000;
	limit.tv_usec = limit_ms % 1000 * 1000;
	event_add(monitor->drain_limit, &limit);
}

static void
on_drain_limit(evutil_socket_t descriptor, short what, void *argument)
{
	struct monitor *monitor = argument;

	(void)descriptor;
	(void)what;
	log_warn("children did not end in time", NULL);
	children_kill(monitor->children);
}

static void
on_children_gone(void *argument)
{
	struct monitor *monitor = argument;

	if (reload_current(monitor->reload))
		log_info("stopped", NULL);
	event_base_loopbreak(monitor->base);
}

/* Reloads. */

static void
log_sentences(enum log_level level, const char *sentence,
	      const struct error_list *list)
{
	char text[1024];

	for (size_t i = 0; i < list->count; i++)
		log_event(level, sentence, "%s",
			  error_format(&list->errors[i], text, sizeof(text)));
}

/* The first configuration did not come into force: there is no daemon. */
static void
fail_start(struct monitor *monitor, const struct reload_result *result)
{
	/* One that was stopped meanwhile ends as it was asked to. */
	if (monitor->is_stopping)
		return;
	error_list_show(result->problems, "");
	monitor->status = result->status;
	monitor->is_stopping = true;
	children_drain(monitor->children, 0);
	children_kill(monitor->children);
}

static void
start_syslog_watch(struct monitor *monitor)
{
	static const struct timeval interval = {.tv_sec = SYSLOG_WATCH_S};

	if (reload_current(monitor->reload)->logs.has_syslog)
		event_add(monitor->syslog_watch, &interval);
	else
		event_del(monitor->syslog_watch);
}

static void
on_syslog_watch(evutil_socket_t descriptor, short what, void *argument)
{
	struct monitor *monitor = argument;

	(void)descriptor;
	(void)what;
	if (log_outputs_are_stale(&reload_current(monitor->reload)->logs))
		reload_reopen_logs(monitor->reload);
}

/* A daemon has no standard error. */
static void
warn_of_lost_logs(const struct conf_global *global)
{
	for (size_t i = 0; i < global->log_count; i++) {
		if (global->logs[i].target != CONF_LOG_STDERR)
			continue;
		fprintf(stderr,
			"sealock: `log` says stderr, which ends here with "
			"--daemonize: nothing is logged there any more\n");
		return;
	}
}

/* A configuration has come into force. */
static void
succeed(struct monitor *monitor)
{
	const struct plan *plan = reload_current(monitor->reload);
	const struct generation *generation = plan->generation;

	start_syslog_watch(monitor);
	notify_ready(generation->number, plan->workers,
		     generation->conf->service_count);
	if (monitor->report < 0)
		return;
	warn_of_lost_logs(&generation->conf->global);
	daemonize_ready(monitor->report);
	log_outputs_take_stderr();
	monitor->report = -1;
	/* What led to standard error leads nowhere now, for all. */
	reload_reopen_logs(monitor->reload);
}

static void
answer_clients(struct monitor *monitor, const struct reload_result *result)
{
	AUTO_FREE char *problems = admin_sentences(result->problems);
	AUTO_FREE char *warnings = admin_sentences(result->warnings);
	const struct admin_answer answer = {
		.is_ok = result->generation > 0,
		.generation = result->generation,
		.exit = (unsigned int)result->status,
		.error = problems,
		.warnings = warnings,
	};

	admin_answer_run(monitor->admin, result->run, &answer);
}

static void
on_reload_done(const struct reload_result *result, void *argument)
{
	struct monitor *monitor = argument;

	log_sentences(LOG_LEVEL_WARN,
		      "configuration warning:", result->warnings);
	if (result->generation > 0) {
		succeed(monitor);
	} else if (!reload_current(monitor->reload)) {
		fail_start(monitor, result);
	} else {
		log_sentences(LOG_LEVEL_ERROR,
			      "configuration problem:", result->problems);
		log_error(result->is_renewal
				  ? "renewal refused, nothing has changed"
				  : "reload refused, nothing has changed",
			  NULL);
		if (!monitor->is_stopping && !result->is_renewal)
			notify_refused();
	}
	/* After a renewal that failed, too: what is looked for may have come
	 * into being elsewhere. */
	if (reload_current(monitor->reload))
		watch_set(monitor->watch,
			  reload_current(monitor->reload)->generation,
			  result->begun_ns);
	answer_clients(monitor, result);
}

static void
on_starting(void *argument)
{
	struct monitor *monitor = argument;

	/* Until now a pass-phrase may have been asked for. */
	if (monitor->options->is_daemon)
		daemonize_detach();
}

static void
on_children_ready(const struct error_list *warnings, void *argument)
{
	struct monitor *monitor = argument;

	reload_children_ready(monitor->reload, warnings);
}

static void
on_children_failed(const struct error_list *problems, int status,
		   void *argument)
{
	struct monitor *monitor = argument;

	reload_children_failed(monitor->reload, status, problems);
}

static void
on_children_outdated(const char *why, void *argument)
{
	struct monitor *monitor = argument;

	log_warn("certificates are not up to date, renewing", "reason=\"%s\"",
		 why);
	reload_renew(monitor->reload);
}

static void
on_files_changed(const char *path, void *argument)
{
	struct monitor *monitor = argument;

	log_info("files have changed, renewing", "path=\"%s\"", path);
	reload_renew(monitor->reload);
}

static uint64_t
on_admin_reload(void *argument)
{
	struct monitor *monitor = argument;

	return reload_request(monitor->reload);
}

static void
on_admin_stop(bool is_now, void *argument)
{
	struct monitor *monitor = argument;

	if (!monitor->is_stopping || is_now)
		stop(monitor, is_now);
}

static uint64_t
on_admin_tickets(enum admin_command command, void *argument)
{
	struct monitor *monitor = argument;

	return children_ask_tickets(monitor->children,
				    command == ADMIN_TICKETS_ROTATE
					    ? IPC_TICKETS_ROTATE
					    : IPC_TICKETS_SHOW);
}

static void
on_tickets_told(uint64_t number, bool is_done, const char *text, void *argument)
{
	struct monitor *monitor = argument;
	AUTO_FREE char *copy =
		mem_strdup(text ? text : "the keeper does not answer");
	const struct admin_answer answer = {
		.is_ok = is_done,
		.text = is_done ? copy : NULL,
		.error = is_done ? NULL : copy,
		.exit = is_done ? 0 : 1,
	};

	admin_answer_tickets(monitor->admin, number, &answer);
}

/* Signals. */

static void
reap(struct monitor *monitor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!children_reaped(monitor->children, pid, status))
			reload_reaped(monitor->reload, pid);
}

static void
on_signal(evutil_socket_t number, short what, void *argument)
{
	struct monitor *monitor = argument;

	(void)what;
	switch (number) {
	case SIGCHLD:
		reap(monitor);
		break;
	case SIGHUP:
		reload_request(monitor->reload);
		break;
	case SIGUSR1:
		reload_reopen_logs(monitor->reload);
		log_info("logs reopened", NULL);
		break;
	default:
		log_info("signal", "signal=%d (%s)", (int)number,
			 strsignal((int)number));
		stop(monitor, false);
	}
}

/* The start. */

/* A descriptor that we open must not be taken for one of these. */
static void
fill_standard_descriptors(void)
{
	int null;

	do
		null = open("/dev/null", O_RDWR | O_NOCTTY);
	while (null >= 0 && null <= STDERR_FILENO);
	if (null >= 0)
		close(null);
}

static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warn("cannot raise the limit of open files", "error=\"%s\"",
			 strerror(errno));
}

static int
set_up(struct monitor *monitor, struct error *error)
{
	static const struct children_events children_events = {
		.ready = on_children_ready,
		.failed = on_children_failed,
		.outdated = on_children_outdated,
		.tickets = on_tickets_told,
		.gone = on_children_gone,
	};
	static const struct admin_events admin_events = {
		.reload = on_admin_reload,
		.stop = on_admin_stop,
		.tickets = on_admin_tickets,
	};
	struct reload_parts parts = {
		.options = monitor->options,
		.starting = on_starting,
		.done = on_reload_done,
		.argument = monitor,
	};

	monitor->executable = spawn_open_executable(error);
	if (monitor->executable < 0)
		return -1;
	monitor->base = event_base_new();
	if (!monitor->base) {
		error_set(error, "no event loop: %s", strerror(errno));
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(handled); i++) {
		monitor->signals[i] = evsignal_new(monitor->base, handled[i],
						   on_signal, monitor);
		assert(monitor->signals[i]);
		event_add(monitor->signals[i], NULL);
	}
	monitor->syslog_watch = event_new(monitor->base, -1, EV_PERSIST,
					  on_syslog_watch, monitor);
	monitor->drain_limit =
		event_new(monitor->base, -1, 0, on_drain_limit, monitor);
	assert(monitor->syslog_watch && monitor->drain_limit);
	monitor->children = children_new(monitor->base, monitor->executable,
					 !monitor->options->is_daemon,
					 &children_events, monitor);
	monitor->admin = admin_new(monitor->base, &admin_events, monitor);
	parts.base = monitor->base;
	parts.listeners = monitor->listeners;
	parts.children = monitor->children;
	parts.admin = monitor->admin;
	monitor->reload = reload_new(&parts);
	monitor->watch = watch_new(monitor->base, on_files_changed, monitor);
	return 0;
}

/* Children that are started, and the loader, can do no more than this. */
static int
give_up_privileges(struct error *error)
{
	log_outputs_take_stderr();
	return privileges_limit(false, error) != 0 ||
			       privileges_hide(error) != 0
		       ? -1
		       : 0;
}

static void
tear_down(struct monitor *monitor)
{
	watch_free(monitor->watch);
	admin_free(monitor->admin);
	children_free(monitor->children);
	reload_free(monitor->reload);
	listeners_free(monitor->listeners);
	for (size_t i = 0; i < ARRAY_SIZE(handled); i++)
		if (monitor->signals[i])
			event_free(monitor->signals[i]);
	if (monitor->syslog_watch)
		event_free(monitor->syslog_watch);
	if (monitor->drain_limit)
		event_free(monitor->drain_limit);
	if (monitor->base)
		event_base_free(monitor->base);
	if (monitor->executable >= 0)
		close(monitor->executable);
}

static int
run(const struct monitor_options *options, int report)
{
	struct monitor monitor = {
		.options = options,
		.executable = -1,
		.report = report,
	};
	struct error error = {0};

	fill_standard_descriptors();
	monitor.listeners = listeners_new();
	log_set_role(ipc_role_name(IPC_MONITOR));
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* Whoever asks for an upgrade that way must not end the daemon. */
	signal(SIGUSR2, SIG_IGN);
	raise_limit();
	if (set_up(&monitor, &error) != 0 || give_up_privileges(&error) != 0) {
		fprintf(stderr, "sealock: %s\n", error.text);
		tear_down(&monitor);
		return 1;
	}
	reload_request(monitor.reload);
	event_base_dispatch(monitor.base);
	tear_down(&monitor);
	return monitor.status;
}

/* In the background the working directory is the root, so the file's path
 * must not depend on it. */
static int
run_in_background(const struct monitor_options *options, int report)
{
	struct monitor_options moved = *options;
	AUTO_FREE char *directory = NULL;
	AUTO_FREE char *path = NULL;

	if (options->path && options->path[0] != '/') {
		directory = getcwd(NULL, 0);
		if (!directory) {
			perror("sealock: no working directory");
			return 1;
		}
		path = mem_format("%s/%s", directory, options->path);
		moved.path = path;
	}
	if (chdir("/") != 0) {
		perror("sealock: /");
		return 1;
	}
	return run(&moved, report);
}

int
monitor_main(const struct monitor_options *options)
{
	struct error error = {0};
	int report = -1, status = 1;

	if (!options->is_daemon)
		return run(options, -1);
	switch (daemonize_fork(&report, &status, &error)) {
	case 0:
		return run_in_background(options, report);
	case 1:
		return status;
	default:
		fprintf(stderr, "sealock: %s\n", error.text);
		return 1;
	}
}

void
monitor_check(const struct conf *conf, struct error_list *problems)
{
	confinement_free(confinement_new(conf, problems));
	state_files_check(conf, problems);
}
