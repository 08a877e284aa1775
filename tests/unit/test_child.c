/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a child, in a process of its own: the test is its monitor, which
 * keeps to the rules or does not.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"
#include "daemon/process/channel.h"
#include "daemon/process/child.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/log_message.h"
#include "daemon/process/sandbox.h"
#include "tests/lib/sandbox_message.h"

#define DEADLINE_S 20

/* What the role did, seen from both processes: a letter a call. */
struct trace {
	char calls[64];
	uint64_t prepared;
	uint64_t committed;
	uint64_t aborted;
	uint64_t released;
	uint32_t number;
	int64_t grace_ms;
	size_t files;
};

static struct trace *trace;

/* The child's: what prepare() has put off. */
static struct child *child_itself;
static struct event *later;
static uint64_t later_number;

struct scene {
	struct event_base *base;
	struct channel *channel;
	struct generation *generation;
	struct generation_parcel *parcel;
	struct generation_sender *sender;
	pid_t pid;
	enum message_type answer; /* READY or FAILED, the last one */
	uint64_t answered;        /* its generation */
	uint64_t live;
	uint64_t indexed;
	char accusation[64];
	char sentence[512];
	bool is_closed;
};

/* The role. */

static void
tell_later(evutil_socket_t descriptor, short what, void *argument)
{
	struct error_list problems = {0}, warnings = {0};
	struct error error = {0};

	(void)descriptor;
	(void)what;
	(void)argument;
	error_set(&error, "it was late");
	error_list_add(&warnings, &error);
	child_report_index(child_itself, later_number,
			   open("/dev/null", O_RDONLY | O_CLOEXEC));
	child_prepared(child_itself, later_number, 0, &problems, &warnings);
	error_list_clear(&warnings);
}

static void
note(char call)
{
	size_t length = strlen(trace->calls);

	if (length + 1 < sizeof(trace->calls))
		trace->calls[length] = call;
}

static void *
role_start(struct child *child, struct event_base *base)
{
	note('s');
	trace->number = child_number(child);
	child_itself = child;
	later = event_new(base, -1, 0, tell_later, NULL);
	return child;
}

static bool
is_called(const struct generation *generation, const char *name)
{
	return strcmp(generation->conf->services[0].name, name) == 0;
}

/* A service called "bad" is what it cannot bear, "late" takes a while, and
 * "never" for ever. */
static int
role_prepare(void *argument, struct generation *generation,
	     struct error_list *problems, struct error_list *warnings)
{
	struct error error = {0};
	bool is_bad = is_called(generation, "bad");
	bool is_late = is_called(generation, "late");
	bool is_never = is_called(generation, "never");

	(void)argument;
	note('p');
	trace->prepared = generation->number;
	trace->files = file_set_count(generation->files);
	later_number = generation->number;
	generation_free(generation);
	if (is_late)
		event_add(later, &(struct timeval){.tv_usec = 1000});
	if (is_late || is_never)
		return CHILD_LATER;
	error_set(&error, is_bad ? "it is bad" : "it is odd");
	error_list_add(is_bad ? problems : warnings, &error);
	return is_bad ? -1 : 0;
}

static void
role_commit(void *argument, uint64_t number)
{
	note('c');
	trace->committed = number;
	child_report_live(argument, number);
}

static void
role_abort(void *argument, uint64_t number)
{
	(void)argument;
	note('a');
	trace->aborted = number;
}

static void
role_drain(void *argument, int64_t grace_ms)
{
	note('d');
	trace->grace_ms = grace_ms;
	child_exit(argument, 7);
}

static void
role_peer(void *argument, enum ipc_role role, uint32_t number, int descriptor)
{
	(void)argument;
	note(role == IPC_HELPER && number == 5 &&
			     fcntl(descriptor, F_GETFD) >= 0
		     ? 'h'
		     : '?');
	close(descriptor);
}

/* What the test has put there. */
static void
role_state(void *argument, struct state_pair *pair)
{
	size_t length;
	char *content = state_pair_read(pair, &length);

	(void)argument;
	note(content && length == 4 && memcmp(content, "kept", 4) == 0 ? 'k'
								       : '?');
	state_pair_forget(content, length);
	state_pair_free(pair);
}

static void
role_release(void *argument, uint64_t number)
{
	note('r');
	trace->released = number;
	/* Of a generation that was aborted. */
	tell_later(-1, 0, NULL);
	child_accuse(argument, IPC_WORKER, 3, "it lies");
}

static void
role_stop(void *argument)
{
	(void)argument;
	event_free(later);
	note('z');
}

static const struct child_role role = {
	.role = IPC_KEEPER,
	.start = role_start,
	.state = role_state,
	.prepare = role_prepare,
	.commit = role_commit,
	.abort = role_abort,
	.drain = role_drain,
	.release = role_release,
	.peer = role_peer,
	.stop = role_stop,
};

/* The monitor. */

static void
take_accusation(struct scene *scene, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint8_t accused = buf_read_u8(&reader);
	uint32_t number = buf_read_u32(&reader);
	AUTO_FREE char *why = buf_read_string(&reader);

	CU_ASSERT_FALSE(reader.failed);
	snprintf(scene->accusation, sizeof(scene->accusation), "%s %u %s",
		 ipc_role_name(accused), number, why ? why : "");
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct scene *scene = argument;
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);
	struct error_list sentences = {0};

	(void)channel;
	switch ((unsigned int)message->type) {
	case MESSAGE_ITEMS_ACK:
		if (scene->sender)
			CU_ASSERT_EQUAL(generation_sender_acknowledged(
						scene->sender, number, NULL),
					0);
		break;
	case MESSAGE_LIVE:
		scene->live = number;
		break;
	case MESSAGE_INDEX:
		CU_ASSERT_EQUAL(scene->answer, 0);
		CU_ASSERT_EQUAL(message->fd_count, 1);
		scene->indexed = number;
		break;
	case MESSAGE_ACCUSE:
		take_accusation(scene, message);
		break;
	default:
		scene->answer = message->type;
		scene->answered = number;
		CU_ASSERT_EQUAL(generation_problems_read(&reader, &sentences),
				0);
		if (sentences.count > 0)
			memcpy(scene->sentence, sentences.errors[0].text,
			       sizeof(scene->sentence));
		error_list_clear(&sentences);
	}
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct scene *scene = argument;

	(void)channel;
	(void)why;
	scene->is_closed = true;
}

static void
become_child(int descriptor)
{
	/* A child that breaks off says so, which is not what is tested. */
	log_configure(NULL, 0);
	if (dup2(descriptor, 3) != 3)
		_exit(127);
	_exit(child_run(&role, 4));
}

static void
begin(struct scene *scene)
{
	static const struct channel_events events = {on_message, on_closed};
	static const struct ipc_side side = {IPC_MONITOR, IPC_KEEPER};
	int ends[2];

	memset(scene, 0, sizeof(*scene));
	trace = mmap(NULL, sizeof(*trace), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_TRUE_FATAL(trace != MAP_FAILED);
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	fflush(NULL);
	scene->pid = fork();
	if (scene->pid == 0)
		become_child(ends[1]);
	CU_ASSERT_TRUE_FATAL(scene->pid > 0);
	close(ends[1]);
	scene->base = event_base_new();
	scene->channel =
		channel_new(scene->base, ends[0], side, &events, scene);
}

static void
drop_offer(struct scene *scene)
{
	generation_sender_free(TAKE(scene->sender));
	generation_parcel_free(TAKE(scene->parcel));
	generation_free(TAKE(scene->generation));
}

/* The child's exit status; what it did is left in the trace. */
static int
end(struct scene *scene)
{
	int status = -1;

	drop_offer(scene);
	channel_free(scene->channel);
	event_base_free(scene->base);
	CU_ASSERT_EQUAL(waitpid(scene->pid, &status, 0), scene->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
expect_calls(const char *calls)
{
	if (strcmp(trace->calls, calls) != 0)
		fprintf(stderr, "calls: %s, not %s\n", trace->calls, calls);
	CU_ASSERT_STRING_EQUAL(trace->calls, calls);
	munmap(trace, sizeof(*trace));
}

static bool
wait_answer(struct scene *scene)
{
	struct timeval limit = {.tv_sec = DEADLINE_S};

	event_base_loopexit(scene->base, &limit);
	while (!scene->answer && !scene->is_closed)
		if (event_base_loop(scene->base, EVLOOP_ONCE) != 0 ||
		    event_base_got_exit(scene->base))
			break;
	return scene->answer;
}

static void
wait_closed(struct scene *scene)
{
	while (!scene->is_closed)
		event_base_loop(scene->base, EVLOOP_ONCE);
}

static void
expect_end(struct scene *scene, const char *calls)
{
	wait_closed(scene);
	CU_ASSERT_EQUAL(end(scene), 1);
	expect_calls(calls);
}

/* Until the role has done that much. */
static void
wait_call(struct scene *scene, const char *calls)
{
	struct timeval pause = {.tv_usec = 1000};

	while (strlen(trace->calls) < strlen(calls) && !scene->is_closed) {
		event_base_loopexit(scene->base, &pause);
		event_base_dispatch(scene->base);
	}
}

static void
send_logs(struct scene *scene)
{
	channel_send(scene->channel, log_message_new(NULL, 0));
}

static void
send_sandbox(struct scene *scene, const struct sandbox_options *options)
{
	channel_send(scene->channel, sandbox_message_new(options));
}

static void
send_start(struct scene *scene)
{
	struct sandbox_options options = sandbox_options_harmless();

	send_logs(scene);
	send_sandbox(scene, &options);
}

static void
send_number(struct scene *scene, enum message_type type, uint64_t number)
{
	struct message *message = message_new(type);

	buf_write_u64(&message->body, number);
	channel_send(scene->channel, message);
}

static void
send_prepare(struct scene *scene, uint64_t number, uint32_t descriptors)
{
	struct message *message = message_new(MESSAGE_PREPARE);

	buf_write_u64(&message->body, number);
	buf_write_u32(&message->body, descriptors);
	channel_send(scene->channel, message);
}

/* A generation with one service of that name. */
static void
send_offer(struct scene *scene, uint64_t number, const char *name,
	   const struct generation_listener *listener)
{
	const struct generation_share share = {
		.extent = GENERATION_SECRETS,
		.listeners = listener,
		.listener_count = listener ? 1 : 0,
	};
	AUTO_FREE char *text =
		mem_format("services: {%s: {accept: 127.0.0.1:1, connect: "
			   "127.0.0.1:2}}\n",
			   name);

	drop_offer(scene);
	scene->answer = 0;
	scene->generation = generation_new(number);
	file_set_add(scene->generation->files, "/file",
		     open("/dev/null", O_RDONLY | O_CLOEXEC), FILE_PUBLIC);
	conf_documents_add(&scene->generation->documents, "test.yaml", text,
			   strlen(text));
	scene->parcel = generation_parcel_new(scene->generation, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->parcel);
	scene->sender =
		generation_sender_new(scene->channel, scene->parcel, &share);
}

/* The same, and the answer to it. */
static enum message_type
offer(struct scene *scene, uint64_t number, const char *name,
      const struct generation_listener *listener)
{
	send_offer(scene, number, name, listener);
	CU_ASSERT_TRUE(wait_answer(scene));
	return scene->answer;
}

static void
send_peer(struct scene *scene)
{
	struct message *message = message_new(MESSAGE_PEER);

	buf_write_u8(&message->body, IPC_HELPER);
	buf_write_u32(&message->body, 5);
	CU_ASSERT_TRUE(message_add_fd(message, dup(STDERR_FILENO)));
	channel_send(scene->channel, message);
}

static void
send_state(struct scene *scene, uint8_t kind, size_t count)
{
	struct message *message = message_new(MESSAGE_STATE);
	int files[2] = {memfd_create("0", MFD_CLOEXEC),
			memfd_create("1", MFD_CLOEXEC)};
	struct state_pair *pair =
		state_pair_new(dup(files[0]), dup(files[1]), STATE_TICKETS);

	CU_ASSERT_EQUAL(state_pair_write(pair, "kept", 4, NULL), 0);
	state_pair_free(pair);
	buf_write_u8(&message->body, kind);
	for (size_t i = 0; i < 2; i++)
		if (i >= count || !message_add_fd(message, files[i]))
			close(files[i]);
	channel_send(scene->channel, message);
}

static void
test_life(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	send_state(&scene, STATE_TICKETS, 2);
	send_peer(&scene);
	CU_ASSERT_EQUAL(offer(&scene, 1, "good", NULL), MESSAGE_READY);
	CU_ASSERT_EQUAL(scene.answered, 1);
	CU_ASSERT_STRING_EQUAL(scene.sentence, "it is odd");
	CU_ASSERT_EQUAL(trace->files, 1);
	send_number(&scene, MESSAGE_COMMIT, 1);
	CU_ASSERT_EQUAL(offer(&scene, 2, "good", NULL), MESSAGE_READY);
	CU_ASSERT_EQUAL(scene.live, 1);
	send_number(&scene, MESSAGE_ABORT, 2);
	CU_ASSERT_EQUAL(offer(&scene, 3, "bad", NULL), MESSAGE_FAILED);
	CU_ASSERT_STRING_EQUAL(scene.sentence, "it is bad");
	/* The role has dropped it already. */
	send_number(&scene, MESSAGE_ABORT, 3);
	CU_ASSERT_EQUAL(offer(&scene, 4, "good", NULL), MESSAGE_READY);
	send_number(&scene, MESSAGE_COMMIT, 4);
	send_logs(&scene);
	send_number(&scene, MESSAGE_DRAIN, 1500);
	wait_closed(&scene);
	CU_ASSERT_EQUAL(end(&scene), 7);
	CU_ASSERT_EQUAL(trace->number, 4);
	CU_ASSERT_EQUAL(trace->prepared, 4);
	CU_ASSERT_EQUAL(trace->committed, 4);
	CU_ASSERT_EQUAL(trace->aborted, 2);
	CU_ASSERT_EQUAL(trace->grace_ms, 1500);
	expect_calls("skhpcpappcdz");
}

static void
test_answers_later(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	CU_ASSERT_EQUAL(offer(&scene, 1, "late", NULL), MESSAGE_READY);
	CU_ASSERT_EQUAL(scene.indexed, 1);
	CU_ASSERT_STRING_EQUAL(scene.sentence, "it was late");
	send_number(&scene, MESSAGE_COMMIT, 1);
	/* Aborted before there is an answer: the one that comes with RELEASE
	 * is none. */
	send_offer(&scene, 2, "never", NULL);
	wait_call(&scene, "spcp");
	send_number(&scene, MESSAGE_ABORT, 2);
	send_number(&scene, MESSAGE_RELEASE, 1);
	CU_ASSERT_EQUAL(offer(&scene, 3, "good", NULL), MESSAGE_READY);
	CU_ASSERT_EQUAL(scene.answered, 3);
	CU_ASSERT_STRING_EQUAL(scene.accusation, "worker 3 it lies");
	send_number(&scene, MESSAGE_DRAIN, 0);
	wait_closed(&scene);
	CU_ASSERT_EQUAL(end(&scene), 7);
	CU_ASSERT_EQUAL(trace->aborted, 2);
	CU_ASSERT_EQUAL(trace->released, 1);
	expect_calls("spcparpdz");
}

static void
test_commit_before_the_answer(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	send_offer(&scene, 1, "never", NULL);
	wait_call(&scene, "sp");
	send_number(&scene, MESSAGE_COMMIT, 1);
	expect_end(&scene, "spz");
}

static void
test_monitor_is_lost(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	CU_ASSERT_EQUAL(offer(&scene, 1, "good", NULL), MESSAGE_READY);
	CU_ASSERT_EQUAL(end(&scene), 1);
	expect_calls("spz");
}

static void
test_signals_are_ignored(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	CU_ASSERT_EQUAL(offer(&scene, 1, "good", NULL), MESSAGE_READY);
	kill(scene.pid, SIGINT);
	kill(scene.pid, SIGTERM);
	kill(scene.pid, SIGHUP);
	kill(scene.pid, SIGUSR1);
	send_number(&scene, MESSAGE_COMMIT, 1);
	send_number(&scene, MESSAGE_DRAIN, 0);
	wait_closed(&scene);
	CU_ASSERT_EQUAL(end(&scene), 7);
	expect_calls("spcdz");
}

static void
test_aborted_on_the_way(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	send_prepare(&scene, 1, 3);
	send_number(&scene, MESSAGE_ABORT, 1);
	CU_ASSERT_EQUAL(offer(&scene, 2, "good", NULL), MESSAGE_READY);
	CU_ASSERT_EQUAL(end(&scene), 1);
	expect_calls("spz");
}

static void
test_no_room(void)
{
	struct rlimit before, limit;
	struct scene scene;

	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &limit);
	begin(&scene);
	setrlimit(RLIMIT_NOFILE, &before);
	send_start(&scene);
	send_prepare(&scene, 1, 250);
	CU_ASSERT_TRUE(wait_answer(&scene));
	CU_ASSERT_EQUAL(scene.answer, MESSAGE_FAILED);
	CU_ASSERT_EQUAL(scene.answered, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(scene.sentence, "RLIMIT_NOFILE"));
	send_number(&scene, MESSAGE_ABORT, 1);
	CU_ASSERT_EQUAL(offer(&scene, 2, "good", NULL), MESSAGE_READY);
	CU_ASSERT_EQUAL(end(&scene), 1);
	expect_calls("spz");
}

static void
test_bad_configuration(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	CU_ASSERT_EQUAL(offer(&scene, 1, "x: {}, y", NULL), MESSAGE_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(scene.sentence, "test.yaml:1:"));
	CU_ASSERT_EQUAL(end(&scene), 1);
	expect_calls("sz");
}

static void
test_foreign_listener(void)
{
	struct generation_listener listener = {.service = 1, .descriptor = 2};
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	CU_ASSERT_EQUAL(offer(&scene, 1, "good", &listener), MESSAGE_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(scene.sentence, "no service"));
	listener = (struct generation_listener){.address = 1, .descriptor = 2};
	send_number(&scene, MESSAGE_ABORT, 1);
	CU_ASSERT_EQUAL(offer(&scene, 2, "good", &listener), MESSAGE_FAILED);
	CU_ASSERT_EQUAL(end(&scene), 1);
	expect_calls("sz");
}

/* The rest is refused: the child ends. */

static void
test_no_logs(void)
{
	struct scene scene;

	begin(&scene);
	send_prepare(&scene, 1, 0);
	expect_end(&scene, "");
}

static void
test_prepare_twice(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	send_prepare(&scene, 1, 0);
	send_prepare(&scene, 2, 0);
	expect_end(&scene, "sz");
}

static void
test_prepare_unanswered(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	CU_ASSERT_EQUAL(offer(&scene, 1, "good", NULL), MESSAGE_READY);
	send_prepare(&scene, 2, 0);
	expect_end(&scene, "spz");
}

static void
test_items_unasked(void)
{
	struct scene scene;
	struct message *message = message_new(MESSAGE_ITEMS);

	begin(&scene);
	send_start(&scene);
	buf_write_u8(&message->body, 1);
	channel_send(scene.channel, message);
	expect_end(&scene, "sz");
}

static void
test_items_broken(void)
{
	struct scene scene;
	struct message *message = message_new(MESSAGE_ITEMS);

	begin(&scene);
	send_start(&scene);
	send_prepare(&scene, 1, 0);
	buf_write_u8(&message->body, 99);
	channel_send(scene.channel, message);
	expect_end(&scene, "sz");
}

static void
expect_refusal_of(enum message_type type)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	send_number(&scene, type, 1);
	expect_end(&scene, "sz");
}

static void
test_out_of_order(void)
{
	expect_refusal_of(MESSAGE_BUILD);
	expect_refusal_of(MESSAGE_COMMIT);
	expect_refusal_of(MESSAGE_ABORT);
}

static void
test_build_of_nothing(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	send_prepare(&scene, 1, 0);
	send_number(&scene, MESSAGE_BUILD, 1);
	expect_end(&scene, "sz");
}

static void
test_commit_of_another(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	CU_ASSERT_EQUAL(offer(&scene, 1, "good", NULL), MESSAGE_READY);
	send_number(&scene, MESSAGE_COMMIT, 2);
	expect_end(&scene, "spz");
}

static void
test_commit_of_a_failure(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	CU_ASSERT_EQUAL(offer(&scene, 1, "bad", NULL), MESSAGE_FAILED);
	send_number(&scene, MESSAGE_COMMIT, 1);
	expect_end(&scene, "spz");
}

static void
test_peer_without_channel(void)
{
	struct scene scene;
	struct message *message = message_new(MESSAGE_PEER);

	begin(&scene);
	send_start(&scene);
	buf_write_u8(&message->body, IPC_HELPER);
	buf_write_u32(&message->body, 0);
	channel_send(scene.channel, message);
	expect_end(&scene, "sz");
}

static void
test_state_of_nonsense(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	send_state(&scene, STATE_TICKETS, 1);
	expect_end(&scene, "sz");
	begin(&scene);
	send_start(&scene);
	send_state(&scene, STATE_TICKETS, 0);
	expect_end(&scene, "sz");
	begin(&scene);
	send_start(&scene);
	send_state(&scene, 99, 2);
	expect_end(&scene, "sz");
}

static void
test_state_twice(void)
{
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	send_state(&scene, STATE_TICKETS, 2);
	send_state(&scene, STATE_TICKETS, 2);
	expect_end(&scene, "skz");
}

static void
test_no_sandbox(void)
{
	struct scene scene;

	begin(&scene);
	send_logs(&scene);
	send_prepare(&scene, 1, 0);
	expect_end(&scene, "sz");
}

static void
test_sandbox_before_logs(void)
{
	struct sandbox_options options = sandbox_options_harmless();
	struct scene scene;

	begin(&scene);
	send_sandbox(&scene, &options);
	expect_end(&scene, "");
}

static void
test_sandbox_twice(void)
{
	struct sandbox_options options = sandbox_options_harmless();
	struct scene scene;

	begin(&scene);
	send_start(&scene);
	send_sandbox(&scene, &options);
	expect_end(&scene, "sz");
}

/* It does nothing any more but tell why. */
static void
test_sandbox_refused(void)
{
	struct sandbox_options options = sandbox_options_harmless();
	struct scene scene;

	options.privileges.uid = 0;
	begin(&scene);
	send_logs(&scene);
	send_sandbox(&scene, &options);
	send_number(&scene, MESSAGE_DRAIN, 0);
	send_prepare(&scene, 1, 0);
	CU_ASSERT_TRUE(wait_answer(&scene));
	CU_ASSERT_EQUAL(scene.answer, MESSAGE_FAILED);
	CU_ASSERT_EQUAL(scene.answered, 1);
	CU_ASSERT_STRING_EQUAL(scene.sentence, "refusing to run as root");
	send_number(&scene, MESSAGE_BUILD, 1);
	CU_ASSERT_EQUAL(end(&scene), 1);
	expect_calls("sz");
}

static void
test_sandbox_of_nonsense(void)
{
	struct message *message = message_new(MESSAGE_SANDBOX);
	struct scene scene;

	begin(&scene);
	send_logs(&scene);
	buf_write_u8(&message->body, SANDBOX_OFF + 1);
	channel_send(scene.channel, message);
	send_prepare(&scene, 1, 0);
	CU_ASSERT_TRUE(wait_answer(&scene));
	CU_ASSERT_EQUAL(scene.answer, MESSAGE_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(scene.sentence, "makes no sense"));
	CU_ASSERT_EQUAL(end(&scene), 1);
	expect_calls("sz");
}

UNIT_SUITE(child, {"life", test_life}, {"answers_later", test_answers_later},
	   {"commit_before_the_answer", test_commit_before_the_answer},
	   {"monitor_is_lost", test_monitor_is_lost},
	   {"signals_are_ignored", test_signals_are_ignored},
	   {"aborted_on_the_way", test_aborted_on_the_way},
	   {"no_room", test_no_room},
	   {"bad_configuration", test_bad_configuration},
	   {"foreign_listener", test_foreign_listener},
	   {"no_logs", test_no_logs}, {"prepare_twice", test_prepare_twice},
	   {"prepare_unanswered", test_prepare_unanswered},
	   {"items_unasked", test_items_unasked},
	   {"items_broken", test_items_broken},
	   {"out_of_order", test_out_of_order},
	   {"build_of_nothing", test_build_of_nothing},
	   {"commit_of_another", test_commit_of_another},
	   {"commit_of_a_failure", test_commit_of_a_failure},
	   {"peer_without_channel", test_peer_without_channel},
	   {"state_of_nonsense", test_state_of_nonsense},
	   {"state_twice", test_state_twice}, {"no_sandbox", test_no_sandbox},
	   {"sandbox_before_logs", test_sandbox_before_logs},
	   {"sandbox_twice", test_sandbox_twice},
	   {"sandbox_refused", test_sandbox_refused},
	   {"sandbox_of_nonsense", test_sandbox_of_nonsense});
