/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's children, real processes of stub roles: offers in two steps,
 * deaths at every moment, what is let go, accusations.
 */
#include "daemon/monitor/children.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/monitor/confinement.h"
#include "daemon/monitor/listeners.h"
#include "daemon/monitor/plan.h"
#include "daemon/monitor/spawn.h"
#include "daemon/monitor/state_files.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "tests/unit/unit.h"

#define DEADLINE_MS 30000

#define PLANS_MAX 8

struct scene {
	struct event_base *base;
	struct children *children;
	struct confinement *confinement;
	struct state_files *state;
	struct listeners *listeners;
	struct log_sink sink;
	struct log_outputs logs;
	int executable;
	struct plan *plans[PLANS_MAX]; /* generation N at N - 1 */
	int files[PLANS_MAX];          /* their /index */
	size_t count;
	struct error_list sentences; /* of the last verdict */
	char verdict;                /* 'r', 'f' or 0 */
	int status;
	unsigned int changes;
	char told[64]; /* about tickets: "NUMBER TEXT" */
	bool is_gone;
};

static void
keep_sentences(struct scene *scene, const struct error_list *list)
{
	error_list_clear(&scene->sentences);
	for (size_t i = 0; i < list->count; i++)
		error_list_add(&scene->sentences, &list->errors[i]);
}

static void
on_ready(const struct error_list *warnings, void *argument)
{
	struct scene *scene = argument;

	scene->verdict = 'r';
	keep_sentences(scene, warnings);
}

static void
on_failed(const struct error_list *problems, int status, void *argument)
{
	struct scene *scene = argument;

	scene->verdict = 'f';
	scene->status = status;
	keep_sentences(scene, problems);
}

static void
on_outdated(const char *why, void *argument)
{
	struct scene *scene = argument;

	CU_ASSERT_TRUE(why && *why);
	scene->changes++;
}

static void
on_tickets(uint64_t number, bool is_done, const char *text, void *argument)
{
	struct scene *scene = argument;
	size_t used = strlen(scene->told);

	CU_ASSERT(text || !is_done);
	snprintf(scene->told + used, sizeof(scene->told) - used, "%u %s%s;",
		 (unsigned int)number, text && !is_done ? "not " : "",
		 text ? text : "nothing");
}

static void
on_gone(void *argument)
{
	struct scene *scene = argument;

	scene->is_gone = true;
}

static struct conf *
load(struct conf_documents *documents, const char *text)
{
	struct error_list problems = {0};
	struct conf *conf;

	conf_documents_add(documents, "a", text, strlen(text));
	conf = conf_load(documents, &problems, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conf);
	return conf;
}

/* They give up what root has, and no more; what they keep is in memory. */
static void
settle_processes(struct scene *scene)
{
	struct conf_documents documents = {0};
	struct error_list problems = {0};
	struct conf *conf =
		load(&documents, "global: {sandbox: off, chroot: off}\n"
				 "services: {s: {accept: 127.0.0.1:1, connect: "
				 "127.0.0.1:2}}\n");

	scene->confinement = confinement_new(conf, &problems);
	scene->state = state_files_new(conf, false, &problems);
	CU_ASSERT_FATAL(scene->confinement && scene->state);
	conf_free(conf);
	conf_documents_clear(&documents);
	children_set_confinement(scene->children, scene->confinement);
	children_set_state(scene->children, scene->state);
}

static void
open_scene(struct scene *scene)
{
	static const struct children_events events = {
		.ready = on_ready,
		.failed = on_failed,
		.outdated = on_outdated,
		.tickets = on_tickets,
		.gone = on_gone,
	};
	struct error error = {0};

	memset(scene, 0, sizeof(*scene));
	scene->executable = spawn_open_executable(&error);
	CU_ASSERT_FATAL(scene->executable >= 0);
	scene->base = event_base_new();
	scene->listeners = listeners_new();
	scene->sink = (struct log_sink){
		.descriptor = memfd_create("log", MFD_CLOEXEC),
		.level = LOG_LEVEL_INFO,
		.is_for_events = true,
	};
	CU_ASSERT_FATAL(scene->sink.descriptor >= 0);
	CU_ASSERT_EQUAL(fcntl(scene->sink.descriptor, F_SETFL, O_APPEND), 0);
	scene->logs = (struct log_outputs){.sinks = &scene->sink, .count = 1};
	scene->children = children_new(scene->base, scene->executable, true,
				       &events, scene);
	children_set_logs(scene->children, &scene->logs);
	settle_processes(scene);
	log_configure(&scene->sink, 0);
}

static int
content_file(const char *content)
{
	int descriptor = memfd_create("content", MFD_CLOEXEC);

	CU_ASSERT_FATAL(descriptor >= 0);
	CU_ASSERT_EQUAL(write(descriptor, content, strlen(content)),
			(ssize_t)strlen(content));
	return descriptor;
}

static void
set_content(struct scene *scene, size_t number, const char *content)
{
	CU_ASSERT_EQUAL(ftruncate(scene->files[number - 1], 0), 0);
	CU_ASSERT_EQUAL(
		pwrite(scene->files[number - 1], content, strlen(content), 0),
		(ssize_t)strlen(content));
}

/* A plan whose first service has that name, for two workers; "tls" serves that.
 */
static struct plan *
add_plan(struct scene *scene, const char *name, bool is_isolated)
{
	struct plan *plan = mem_alloc(sizeof(*plan));
	struct generation *generation = generation_new(scene->count + 1);
	struct error error = {0};
	const char *gate = strcmp(name, "tls") == 0
				   ? "{address: 127.0.0.1:1, tls: "
				     "{certificates: /index}}"
				   : "127.0.0.1:1";
	AUTO_FREE char *text = mem_format(
		"global: {isolate_keys: %s, workers: 2}\n"
		"services: {%s: {accept: %s, connect: 127.0.0.1:2}}\n",
		is_isolated ? "true" : "false", name, gate);
	int index = content_file("content");

	CU_ASSERT_FATAL(scene->count < PLANS_MAX);
	generation->conf = load(&generation->documents, text);
	file_set_add(generation->files, "/ca", content_file(""), FILE_PUBLIC);
	file_set_add(generation->files, "/index", index, FILE_SECRET);
	plan->generation = generation;
	plan->index = -1;
	plan->sessions = -1;
	plan->workers = 2;
	plan->parcel = generation_parcel_new(generation, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(plan->parcel);
	scene->files[scene->count] = index;
	scene->plans[scene->count++] = plan;
	return plan;
}

static void
turn(struct scene *scene)
{
	pid_t pid;
	int status;

	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		children_reaped(scene->children, pid, status);
	usleep(500);
}

static char
wait_verdict(struct scene *scene)
{
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

	while (!scene->verdict && clock_monotonic_ms() < deadline_ms)
		turn(scene);
	return scene->verdict;
}

static void
close_scene(struct scene *scene)
{
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

	children_drain(scene->children, 0);
	while (!scene->is_gone && clock_monotonic_ms() < deadline_ms)
		turn(scene);
	CU_ASSERT(scene->is_gone);
	children_free(scene->children);
	confinement_free(scene->confinement);
	state_files_free(scene->state);
	for (size_t i = 0; i < scene->count; i++)
		plan_free(scene->plans[i], scene->listeners);
	listeners_free(scene->listeners);
	event_base_free(scene->base);
	error_list_clear(&scene->sentences);
	log_configure(NULL, 0);
	close(scene->sink.descriptor);
	close(scene->executable);
}

static void
offer(struct scene *scene, const char *name, bool is_isolated)
{
	scene->verdict = '\0';
	children_offer(scene->children, add_plan(scene, name, is_isolated));
}

/* Offer it, expect that verdict, and do what follows from it. */
static void
settle(struct scene *scene, const char *name, bool is_isolated, char expected)
{
	offer(scene, name, is_isolated);
	CU_ASSERT_EQUAL(wait_verdict(scene), expected);
	if (expected == 'r')
		children_commit(scene->children);
	else
		children_abort(scene->children);
}

static bool
has_said(const struct scene *scene, const char *sentence)
{
	for (size_t i = 0; i < scene->sentences.count; i++)
		if (strstr(scene->sentences.errors[i].text, sentence))
			return true;
	return false;
}

/* How often a line of the log has a sentence of that role's. */
static unsigned int
count_log(const struct scene *scene, const char *role, const char *sentence)
{
	AUTO_FREE char *text = mem_alloc(1 << 20);
	unsigned int count = 0;
	char *rest = NULL;

	if (pread(scene->sink.descriptor, text, (1 << 20) - 1, 0) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		size_t length = strlen(line), end = strlen(sentence);

		if (strstr(line, role) && length >= end &&
		    strcmp(line + length - end, sentence) == 0)
			count++;
	}
	return count;
}

static bool
wait_log(struct scene *scene, const char *role, const char *sentence,
	 unsigned int count)
{
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

	while (count_log(scene, role, sentence) < count &&
	       clock_monotonic_ms() < deadline_ms)
		turn(scene);
	return count_log(scene, role, sentence) == count;
}

/* A moment in which nothing must happen. */
static void
pass_time(struct scene *scene)
{
	int64_t until_ms = clock_monotonic_ms() + 100;

	while (clock_monotonic_ms() < until_ms)
		turn(scene);
}

/* The process that wrote the last line of that kind. */
static pid_t
pid_of(const struct scene *scene, const char *role)
{
	AUTO_FREE char *text = mem_alloc(1 << 20);
	AUTO_FREE char *pattern = mem_format(" %s[", role);
	pid_t pid = 0;

	if (pread(scene->sink.descriptor, text, (1 << 20) - 1, 0) < 0)
		return 0;
	for (char *found = strstr(text, pattern); found;
	     found = strstr(found + 1, pattern))
		pid = (pid_t)strtol(found + strlen(pattern), NULL, 10);
	return pid;
}

static void
kill_role(const struct scene *scene, const char *role)
{
	pid_t pid = pid_of(scene, role);

	CU_ASSERT_FATAL(pid > 0);
	kill(pid, SIGKILL);
}

static void
test_two_steps(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "s", true, 'r');
	CU_ASSERT_EQUAL(scene.sentences.count, 2);
	CU_ASSERT(has_said(&scene, "index=content ca=0 key=-1"));
	CU_ASSERT(has_said(&scene, "helper index=content"));
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 1));
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=1", 2));
	CU_ASSERT(wait_log(&scene, "helper[", "commit generation=1", 1));
	/* Each worker knows one keeper and one helper. */
	CU_ASSERT(wait_log(&scene, "worker[", "peer role=keeper number=0", 2));
	CU_ASSERT(wait_log(&scene, "worker[", "peer role=helper number=0", 2));
	CU_ASSERT(wait_log(&scene, "keeper[", "peer role=worker number=1", 1));
	settle(&scene, "s", true, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "release generation=2", 1));
	CU_ASSERT_EQUAL(
		count_log(&scene, "worker[", "peer role=keeper number=0"), 2);
	close_scene(&scene);
}

/* What one has written is what the next one finds, each role its own. */
static void
test_state(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "s", true, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "state before=0", 1));
	CU_ASSERT(wait_log(&scene, "helper[", "state before=0", 1));
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 1));
	CU_ASSERT(wait_log(&scene, "helper[", "commit generation=1", 1));
	kill_role(&scene, "keeper");
	CU_ASSERT(wait_log(&scene, "keeper[", "state before=1", 1));
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 2));
	kill_role(&scene, "helper");
	CU_ASSERT(wait_log(&scene, "helper[", "state before=1", 1));
	kill_role(&scene, "keeper");
	CU_ASSERT(wait_log(&scene, "keeper[", "state before=2", 1));
	CU_ASSERT_EQUAL(count_log(&scene, "worker[", "state before=0"), 0);
	close_scene(&scene);
}

static void
wait_told(struct scene *scene, const char *told)
{
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

	while (strlen(scene->told) < strlen(told) &&
	       clock_monotonic_ms() < deadline_ms)
		turn(scene);
	CU_ASSERT_STRING_EQUAL(scene->told, told);
	scene->told[0] = '\0';
}

static void
test_tickets(void)
{
	struct scene scene;

	open_scene(&scene);
	CU_ASSERT_EQUAL(children_ask_tickets(scene.children, IPC_TICKETS_SHOW),
			0);
	settle(&scene, "s", true, 'r');
	CU_ASSERT_EQUAL(children_ask_tickets(scene.children, IPC_TICKETS_SHOW),
			1);
	CU_ASSERT_EQUAL(
		children_ask_tickets(scene.children, IPC_TICKETS_ROTATE), 2);
	/* A terminal is safe from it. */
	wait_told(&scene, "1 a?[1m\nb;2 not c;");
	/* One that dies has not answered, and its successor is asked anew. */
	settle(&scene, "keeper_mute", true, 'r');
	CU_ASSERT_EQUAL(children_ask_tickets(scene.children, IPC_TICKETS_SHOW),
			3);
	CU_ASSERT_EQUAL(children_ask_tickets(scene.children, IPC_TICKETS_SHOW),
			4);
	CU_ASSERT(wait_log(&scene, "keeper[", "tickets command=1", 3));
	CU_ASSERT_STRING_EQUAL(scene.told, "");
	kill_role(&scene, "keeper");
	wait_told(&scene, "3 nothing;4 nothing;");
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=2", 2));
	settle(&scene, "s", true, 'r');
	CU_ASSERT_EQUAL(children_ask_tickets(scene.children, IPC_TICKETS_SHOW),
			5);
	wait_told(&scene, "5 a?[1m\nb;");
	close_scene(&scene);
}

static void
test_not_isolated(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "s", false, 'r');
	CU_ASSERT(has_said(&scene, "index=none ca=0 key=0"));
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=1", 2));
	CU_ASSERT_EQUAL(pid_of(&scene, "keeper"), 0);
	close_scene(&scene);
}

/* The keeper is there for its index, and workers read keys for themselves. */
static void
test_not_isolated_tls(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "tls", false, 'r');
	CU_ASSERT(has_said(&scene, "index=none ca=0 key=0"));
	CU_ASSERT(has_said(&scene, "helper index=content"));
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 1));
	CU_ASSERT(wait_log(&scene, "worker[", "peer role=keeper number=0", 2));
	/* Not before it has come so far itself. */
	CU_ASSERT(wait_log(&scene, "helper[", "commit generation=1", 1));
	kill_role(&scene, "helper");
	CU_ASSERT(wait_log(&scene, "helper[", "commit generation=1", 2));
	/* One comes, one goes. */
	settle(&scene, "s", false, 'r');
	CU_ASSERT(has_said(&scene, "index=none ca=0 key=0"));
	CU_ASSERT_FALSE(has_said(&scene, "helper index="));
	CU_ASSERT(wait_log(&scene, "keeper[", "drain grace_ms=0", 1));
	close_scene(&scene);
}

static void
test_keeper_refuses(void)
{
	static const struct {
		const char *name;
		const char *sentence;
		int status;
	} cases[] = {
		{"keeper_bad", "the keeper minds", 2},
		{"keeper_dies", "died while it prepared", 1},
		{"keeper_bare", "without a certificate index", 1},
		{"keeper_open", "not sealed", 1},
		{"worker_bad", "the worker minds", 2},
	};
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "s", true, 'r');
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		settle(&scene, cases[i].name, true, 'f');
		CU_ASSERT(has_said(&scene, cases[i].sentence));
		CU_ASSERT_EQUAL(scene.status, cases[i].status);
	}
	CU_ASSERT_EQUAL(count_log(&scene, "worker[", "commit generation=1"), 2);
	settle(&scene, "s", true, 'r');
	CU_ASSERT_EQUAL(scene.changes, 0);
	close_scene(&scene);
}

/* The first configuration of all. */
static void
test_keeper_refuses_the_first(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "keeper_dies", true, 'f');
	CU_ASSERT(has_said(&scene, "keeper (pid"));
	close_scene(&scene);
}

static void
test_keeper_is_replaced(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "s", true, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 1));
	kill_role(&scene, "keeper");
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 2));
	CU_ASSERT(wait_log(&scene, "worker[", "peer role=keeper number=0", 4));
	CU_ASSERT_EQUAL(count_log(&scene, "worker[", "commit generation=1"), 2);
	CU_ASSERT_EQUAL(scene.changes, 0);
	/* A file is not what it was. */
	set_content(&scene, 1, "other");
	kill_role(&scene, "keeper");
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 3));
	CU_ASSERT_EQUAL(scene.changes, 1);
	/* A new worker gets what the others have. */
	kill_role(&scene, "worker");
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=1", 3));
	close_scene(&scene);
}

static void
test_keeper_dies_when_it_was_ready(void)
{
	struct scene scene;

	open_scene(&scene);
	offer(&scene, "s", true);
	CU_ASSERT_EQUAL(wait_verdict(&scene), 'r');
	kill_role(&scene, "keeper");
	pass_time(&scene);
	children_commit(scene.children);
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 1));
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=1", 2));

	offer(&scene, "s", true);
	CU_ASSERT_EQUAL(wait_verdict(&scene), 'r');
	kill_role(&scene, "keeper");
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 2));
	children_commit(scene.children);
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=2", 1));
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=2", 2));
	CU_ASSERT_EQUAL(scene.changes, 0);
	close_scene(&scene);
}

/* It is awaited, and an offer that is given up leaves it usable. */
static void
test_keeper_is_stopped(void)
{
	struct scene scene;
	char names[64];
	pid_t pid;

	open_scene(&scene);
	settle(&scene, "s", true, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 1));
	pid = pid_of(&scene, "keeper");
	CU_ASSERT_FATAL(pid > 0);
	kill(pid, SIGSTOP);
	offer(&scene, "s", true);
	pass_time(&scene);
	CU_ASSERT_EQUAL(scene.verdict, '\0');
	CU_ASSERT_STRING_EQUAL(
		children_unready(scene.children, names, sizeof(names)),
		"keeper");
	children_abort(scene.children);
	offer(&scene, "s", true);
	pass_time(&scene);
	CU_ASSERT_EQUAL(scene.verdict, '\0');
	kill(pid, SIGCONT);
	CU_ASSERT_EQUAL(wait_verdict(&scene), 'r');
	children_commit(scene.children);
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=3", 1));
	CU_ASSERT_EQUAL(count_log(&scene, "keeper[", "commit generation=2"), 0);
	close_scene(&scene);
}

/* It cannot live with the plan in force any more; another plan helps. */
static void
test_keeper_keeps_dying(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "s", true, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 1));
	set_content(&scene, 1, "die");
	kill_role(&scene, "keeper");
	pass_time(&scene);
	settle(&scene, "s", true, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=2", 1));
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=2", 2));
	close_scene(&scene);
}

/* An offer goes wrong that a keeper was given before the plan in force. */
static void
test_keeper_comes_back_to_the_plan_in_force(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "s", true, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 1));
	set_content(&scene, 1, "die");
	kill_role(&scene, "keeper");
	pass_time(&scene);
	settle(&scene, "worker_bad", true, 'f');
	set_content(&scene, 1, "content");
	CU_ASSERT(wait_log(&scene, "keeper[", "commit generation=1", 2));
	CU_ASSERT_EQUAL(scene.changes, 0);
	close_scene(&scene);
}

/* From keys in the workers to keys in the keeper and back. */
static void
test_isolation_changes(void)
{
	struct scene scene;

	open_scene(&scene);
	for (unsigned int i = 1; i <= 3; i++) {
		settle(&scene, "s", false, 'r');
		CU_ASSERT(has_said(&scene, "index=none ca=0 key=0"));
		if (i > 1)
			CU_ASSERT(wait_log(&scene, "keeper[",
					   "drain grace_ms=0", i - 1));
		settle(&scene, "s", true, 'r');
		CU_ASSERT(has_said(&scene, "index=content ca=0 key=-1"));
	}
	/* One that was started for nothing. */
	settle(&scene, "s", false, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "drain grace_ms=0", 3));
	settle(&scene, "worker_bad", true, 'f');
	close_scene(&scene);
}

/* As long as a worker uses a generation, its keys stay. */
static void
test_held(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "s", true, 'r');
	settle(&scene, "worker_holds", true, 'r');
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=2", 2));
	pass_time(&scene);
	CU_ASSERT_EQUAL(count_log(&scene, "keeper[", "release generation=2"),
			0);
	settle(&scene, "s", true, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "release generation=3", 1));
	/* Also one that has no place in the plan in force. */
	settle(&scene, "worker_holds", false, 'r');
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=4", 2));
	pass_time(&scene);
	CU_ASSERT_EQUAL(count_log(&scene, "keeper[", "drain grace_ms=0"), 0);
	settle(&scene, "worker_bad", false, 'f');
	CU_ASSERT_EQUAL(count_log(&scene, "keeper[", "drain grace_ms=0"), 0);
	settle(&scene, "s", false, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "drain grace_ms=0", 1));
	close_scene(&scene);
}

/* A dead worker uses nothing. */
static void
test_held_by_the_dead(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "s", true, 'r');
	settle(&scene, "worker_holds", true, 'r');
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=2", 2));
	kill_role(&scene, "worker");
	CU_ASSERT(wait_log(&scene, "worker[", "commit generation=2", 3));
	CU_ASSERT_EQUAL(count_log(&scene, "keeper[", "release generation=2"),
			0);
	settle(&scene, "s", true, 'r');
	CU_ASSERT(wait_log(&scene, "keeper[", "release generation=3", 1));
	close_scene(&scene);
}

static void
test_accusation(void)
{
	struct scene scene;

	open_scene(&scene);
	settle(&scene, "accuse", true, 'r');
	/* Worker 0 comes again, perhaps before it was told to commit. */
	CU_ASSERT(wait_log(&scene, "keeper[", "peer role=worker number=0", 2));
	while (count_log(&scene, "worker[", "commit generation=1") < 2)
		turn(&scene);
	CU_ASSERT_EQUAL(count_log(&scene, "keeper[", "commit generation=1"), 1);
	CU_ASSERT_EQUAL(
		count_log(&scene, "keeper[", "peer role=worker number=1"), 1);
	close_scene(&scene);
}

static void
test_false_accusations(void)
{
	static const char *const names[] = {"slander", "nonsense"};
	struct scene scene;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		pid_t first;

		open_scene(&scene);
		settle(&scene, names[i], true, 'r');
		CU_ASSERT(
			wait_log(&scene, "keeper[", "commit generation=1", 1));
		first = pid_of(&scene, "keeper");
		/* It is ended as well, and so are those after it. */
		while (pid_of(&scene, "keeper") == first)
			turn(&scene);
		CU_ASSERT_EQUAL(
			count_log(&scene, "helper[", "commit generation=1"), 1);
		close_scene(&scene);
	}
}

UNIT_SUITE(children, {"two_steps", test_two_steps}, {"state", test_state},
	   {"tickets", test_tickets}, {"not_isolated", test_not_isolated},
	   {"not_isolated_tls", test_not_isolated_tls},
	   {"keeper_refuses", test_keeper_refuses},
	   {"keeper_refuses_the_first", test_keeper_refuses_the_first},
	   {"keeper_is_replaced", test_keeper_is_replaced},
	   {"keeper_dies_when_it_was_ready",
	    test_keeper_dies_when_it_was_ready},
	   {"keeper_is_stopped", test_keeper_is_stopped},
	   {"keeper_keeps_dying", test_keeper_keeps_dying},
	   {"keeper_comes_back_to_the_plan_in_force",
	    test_keeper_comes_back_to_the_plan_in_force},
	   {"isolation_changes", test_isolation_changes}, {"held", test_held},
	   {"held_by_the_dead", test_held_by_the_dead},
	   {"accusation", test_accusation},
	   {"false_accusations", test_false_accusations});
