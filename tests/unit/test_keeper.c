/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper as a process of its own, as the monitor starts it: the test is
 * its monitor and its workers.
 */
#include "daemon/keeper/keeper.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <event2/event.h>
#include <openssl/evp.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/route/certificate_index.h"
#include "common/tls/sign_message.h"
#include "daemon/process/channel.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/log_message.h"
#include "daemon/process/sandbox.h"
#include "tests/lib/in_child.h"
#include "tests/lib/keeper_fixture.h"
#include "tests/lib/remote_fixture.h"
#include "tests/lib/sandbox_message.h"
#include "tests/lib/sign_text.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/wait_for.h"
#include "tests/unit/unit.h"

#define DEADLINE_S 20

/* Made once. */
static struct test_identity *first, *second;

struct scene {
	struct event_base *base;
	pid_t keeper;
	struct channel *channel;
	struct generation_sender *sender;
	struct generation_parcel *parcel;
	struct generation *generation;
	enum message_type answer; /* READY or FAILED, the last one */
	uint64_t offered;
	char sentence[512];
	uint64_t live;
	uint64_t indexed;
	size_t set_count;
	char accusation[256];
	bool is_closed;
	int workers[2];
};

static void
take_index(struct scene *scene, struct message *message, uint64_t number)
{
	int descriptor = message_take_fd(message, 0);
	struct certificate_index *index;
	struct error error = {0};

	index = certificate_index_open(descriptor, &error);
	CU_ASSERT_STRING_EQUAL(error.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	if (number == scene->offered) {
		CU_ASSERT_EQUAL(scene->answer, MESSAGE_HELLO);
		scene->set_count = certificate_index_set_count(index);
		scene->indexed = number;
	}
	certificate_index_unref(index);
}

static void
take_accusation(struct scene *scene, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint8_t accused = buf_read_u8(&reader);
	uint32_t number = buf_read_u32(&reader);
	AUTO_FREE char *why = buf_read_string(&reader);

	snprintf(scene->accusation, sizeof(scene->accusation), "%s %u: %s",
		 ipc_role_name(accused), number, why ? why : "");
}

static void
take_answer(struct scene *scene, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	struct error_list sentences = {0};

	/* Others have crossed an ABORT. */
	if (buf_read_u64(&reader) != scene->offered)
		return;
	scene->answer = message->type;
	CU_ASSERT_EQUAL(generation_problems_read(&reader, &sentences), 0);
	scene->sentence[0] = '\0';
	if (sentences.count > 0)
		memcpy(scene->sentence, sentences.errors[0].text,
		       sizeof(scene->sentence));
	error_list_clear(&sentences);
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct scene *scene = argument;
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);

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
		take_index(scene, message, number);
		break;
	case MESSAGE_ACCUSE:
		take_accusation(scene, message);
		break;
	default:
		take_answer(scene, message);
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
run_keeper(int descriptor)
{
	/* As the monitor does: the channel is 3 and nothing else is open. */
	if (dup2(descriptor, 3) == 3)
		_exit(keeper_main(0));
	_exit(127);
}

static void
begin_in(struct scene *scene, const struct sandbox_options *options)
{
	static const struct channel_events events = {on_message, on_closed};
	static const struct ipc_side side = {IPC_MONITOR, IPC_KEEPER};
	int ends[2];

	if (!first)
		first = test_leaf("p256", "first.example", NULL);
	if (!second)
		second = test_leaf("p256", "second.example", NULL);
	memset(scene, 0, sizeof(*scene));
	log_configure(NULL, 0);
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	fflush(NULL);
	scene->keeper = fork();
	CU_ASSERT_FATAL(scene->keeper >= 0);
	if (scene->keeper == 0)
		run_keeper(ends[1]);
	close(ends[1]);
	scene->base = event_base_new();
	scene->channel =
		channel_new(scene->base, ends[0], side, &events, scene);
	channel_send(scene->channel, log_message_new(NULL, 0));
	channel_send(scene->channel, sandbox_message_new(options));
}

static void
begin(struct scene *scene)
{
	const struct sandbox_options options = sandbox_options_harmless();

	begin_in(scene, &options);
}

static void
drop_offer(struct scene *scene)
{
	generation_sender_free(TAKE(scene->sender));
	generation_parcel_free(TAKE(scene->parcel));
	generation_free(TAKE(scene->generation));
}

/* The exit status. */
static int
end(struct scene *scene)
{
	int status = -1;

	drop_offer(scene);
	channel_free(scene->channel);
	event_base_free(scene->base);
	for (size_t i = 0; i < ARRAY_SIZE(scene->workers); i++)
		if (scene->workers[i] > 0)
			close(scene->workers[i]);
	CU_ASSERT_EQUAL(waitpid(scene->keeper, &status, 0), scene->keeper);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
send_number(struct scene *scene, enum message_type type, uint64_t number)
{
	struct message *message = message_new(type);

	buf_write_u64(&message->body, number);
	channel_send(scene->channel, message);
}

/* A role that comes to have something signed. */
static int
add_peer(struct scene *scene, enum ipc_role role, uint32_t number)
{
	struct message *message = message_new(MESSAGE_PEER);
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	buf_write_u8(&message->body, (uint8_t)role);
	buf_write_u32(&message->body, number);
	CU_ASSERT_TRUE(message_add_fd(message, ends[1]));
	channel_send(scene->channel, message);
	keeper_fixture_greet(ends[0]);
	return ends[0];
}

static void
add_worker(struct scene *scene, uint32_t number)
{
	scene->workers[number] = add_peer(scene, IPC_WORKER, number);
}

/* A configuration: what is global, a service with certificates, as the YAML for
 * them; the files are there, both identities with chain and key each. */
static void
send_configuration(struct scene *scene, uint64_t number, const char *global,
		   const char *certificates)
{
	const struct generation_share share = {.extent = GENERATION_SECRETS};
	AUTO_FREE char *text =
		mem_format("global: %s\n"
			   "services: {s: {accept: {address: 127.0.0.1:1, tls: "
			   "{certificates: %s}}, connect: 127.0.0.1:2}}\n",
			   global, certificates);
	struct {
		const char *name;
		char *pem;
	} files[] = {
		{"/t/first.pem", test_pem_certificate(first)},
		{"/t/first.key", test_pem_key(first, NULL)},
		{"/t/second.pem", test_pem_certificate(second)},
		{"/t/second.key", test_pem_key(second, NULL)},
	};

	drop_offer(scene);
	scene->answer = MESSAGE_HELLO;
	scene->offered = number;
	scene->indexed = 0;
	scene->generation = generation_new(number);
	conf_documents_add(&scene->generation->documents, "/t/test.yaml", text,
			   strlen(text));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		test_file_set_add(scene->generation->files, files[i].name,
				  files[i].pem, strlen(files[i].pem));
		mem_free(files[i].pem);
	}
	scene->parcel = generation_parcel_new(scene->generation, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->parcel);
	scene->sender =
		generation_sender_new(scene->channel, scene->parcel, &share);
}

static void
send_offer(struct scene *scene, uint64_t number, const char *certificates)
{
	send_configuration(scene, number, "{}", certificates);
}

#define FIRST  "[{chain: /t/first.pem, key: /t/first.key}]"
#define SECOND "[{chain: /t/second.pem, key: /t/second.key}]"

static enum message_type
offer(struct scene *scene, uint64_t number, const char *certificates)
{
	send_offer(scene, number, certificates);
	WAIT_FOR(scene, scene->answer != MESSAGE_HELLO);
	if (scene->answer == MESSAGE_READY) {
		CU_ASSERT_EQUAL(scene->indexed, number);
		CU_ASSERT_EQUAL(scene->set_count, 1);
	} else {
		CU_ASSERT_EQUAL(scene->indexed, 0);
	}
	return scene->answer;
}

static void
commit(struct scene *scene, uint64_t number)
{
	send_number(scene, MESSAGE_COMMIT, number);
	WAIT_FOR(scene, scene->live == number);
}

/* Does it sign for a worker by that identity's key? */
static bool
does_sign(struct scene *scene, uint32_t worker,
	  const struct test_identity *identity)
{
	static uint64_t number;
	struct sign_request request = {.scheme = 0x0403};
	unsigned char key_id[KEY_ID_SIZE];
	struct packet packet = {0};
	struct error error = {0};
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct sign_text text;

	sign_text_init(&text);
	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	request.message = text.bytes;
	request.length = text.writer.length;
	remote_fixture_key_id(identity->key, key_id);
	keeper_fixture_send(
		scene->workers[worker],
		sign_message_new(++number, key_id, &request, &error));
	CU_ASSERT_TRUE_FATAL(
		keeper_fixture_receive(scene->workers[worker], &packet));
	if (packet.type == MESSAGE_REFUSED)
		return false;
	CU_ASSERT_EQUAL(packet.type, MESSAGE_SIGNED);
	CU_ASSERT_EQUAL(EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL,
						NULL, identity->key, NULL),
			1);
	CU_ASSERT_EQUAL(EVP_DigestVerify(context, packet.body + 8,
					 packet.length - 8, text.bytes,
					 text.writer.length),
			1);
	return true;
}

/* It is told so, and does it in its time. */
static void
wait_unsigned(struct scene *scene, const struct test_identity *identity)
{
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_S * 1000;
	bool is_signed = true;

	while (is_signed && clock_monotonic_ms() < deadline_ms) {
		is_signed = does_sign(scene, 0, identity);
		/* And let messages leave. */
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
	}
	CU_ASSERT_FALSE(is_signed);
}

static void
live(struct scene *scene)
{
	add_worker(scene, 0);
	CU_ASSERT_EQUAL(offer(scene, 1, FIRST), MESSAGE_READY);
	CU_ASSERT_STRING_EQUAL(scene->sentence, "");
	/* Before COMMIT, which a worker may know earlier. */
	CU_ASSERT_TRUE(does_sign(scene, 0, first));
	CU_ASSERT_FALSE(does_sign(scene, 0, second));
	commit(scene, 1);
	CU_ASSERT_EQUAL(offer(scene, 2, SECOND), MESSAGE_READY);
	CU_ASSERT_TRUE(does_sign(scene, 0, first));
	CU_ASSERT_TRUE(does_sign(scene, 0, second));
	commit(scene, 2);
	send_number(scene, MESSAGE_RELEASE, 1);
	add_worker(scene, 1);
	CU_ASSERT_TRUE(does_sign(scene, 1, first));
	CU_ASSERT_TRUE(does_sign(scene, 1, second));
	send_number(scene, MESSAGE_RELEASE, 2);
	wait_unsigned(scene, first);
	CU_ASSERT_TRUE(does_sign(scene, 1, second));
	/* The same key in two generations stays for the one. */
	CU_ASSERT_EQUAL(offer(scene, 3, SECOND), MESSAGE_READY);
	commit(scene, 3);
	send_number(scene, MESSAGE_RELEASE, 3);
	CU_ASSERT_EQUAL(offer(scene, 4, FIRST), MESSAGE_READY);
	CU_ASSERT_TRUE(does_sign(scene, 0, second));
	send_number(scene, MESSAGE_DRAIN, 0);
	WAIT_FOR(scene, scene->is_closed);
}

static void
test_life(void)
{
	struct scene scene;

	begin(&scene);
	live(&scene);
	CU_ASSERT_EQUAL(end(&scene), 0);
}

static void
test_life_in_sandbox(void)
{
	struct sandbox_options options = sandbox_options_harmless();
	struct scene scene;

	if (IN_CHILD_IS_SANITIZED)
		return;
	options.mode = SANDBOX_AUTO;
	begin_in(&scene, &options);
	live(&scene);
	CU_ASSERT_EQUAL(end(&scene), 0);
}

/* Keys that are not isolated are the workers' own: there is an index, and
 * nothing is signed. */
static void
test_not_isolated(void)
{
	static const char *const global = "{isolate_keys: false}";
	struct scene scene;

	begin(&scene);
	add_worker(&scene, 0);
	send_configuration(&scene, 1, global, FIRST);
	WAIT_FOR(&scene, scene.answer != MESSAGE_HELLO);
	CU_ASSERT_EQUAL(scene.answer, MESSAGE_READY);
	CU_ASSERT_EQUAL(scene.indexed, 1);
	CU_ASSERT_EQUAL(scene.set_count, 1);
	commit(&scene, 1);
	CU_ASSERT_FALSE(does_sign(&scene, 0, first));
	/* From one to the other and back, each goes by its own word. */
	CU_ASSERT_EQUAL(offer(&scene, 2, FIRST), MESSAGE_READY);
	commit(&scene, 2);
	CU_ASSERT_TRUE(does_sign(&scene, 0, first));
	send_configuration(&scene, 3, global, FIRST);
	WAIT_FOR(&scene, scene.answer != MESSAGE_HELLO);
	CU_ASSERT_EQUAL(scene.answer, MESSAGE_READY);
	commit(&scene, 3);
	CU_ASSERT_TRUE(does_sign(&scene, 0, first));
	send_number(&scene, MESSAGE_RELEASE, 3);
	wait_unsigned(&scene, first);
	CU_ASSERT_EQUAL(end(&scene), 1);
}

static void
test_abort(void)
{
	struct scene scene;

	begin(&scene);
	add_worker(&scene, 0);
	CU_ASSERT_EQUAL(offer(&scene, 1, FIRST), MESSAGE_READY);
	CU_ASSERT_TRUE(does_sign(&scene, 0, first));
	send_number(&scene, MESSAGE_ABORT, 1);
	wait_unsigned(&scene, first);
	CU_ASSERT_EQUAL(offer(&scene, 2, SECOND), MESSAGE_READY);
	commit(&scene, 2);
	CU_ASSERT_TRUE(does_sign(&scene, 0, second));
	/* The monitor is gone. */
	CU_ASSERT_EQUAL(end(&scene), 1);
}

/* As soon as it has begun, or nearly; what comes of it is nothing. */
static void
test_abort_while_gathering(void)
{
	struct scene scene;

	begin(&scene);
	add_worker(&scene, 0);
	for (uint64_t number = 1; number < 40; number++) {
		send_offer(&scene, number, FIRST);
		/* Until it has all of it, and perhaps is ready. */
		for (int turn = 0; turn < (int)(number % 8); turn++)
			event_base_loop(scene.base,
					EVLOOP_ONCE | EVLOOP_NONBLOCK);
		send_number(&scene, MESSAGE_ABORT, number);
		drop_offer(&scene);
	}
	CU_ASSERT_EQUAL(offer(&scene, 50, SECOND), MESSAGE_READY);
	CU_ASSERT_FALSE(does_sign(&scene, 0, first));
	CU_ASSERT_TRUE(does_sign(&scene, 0, second));
	commit(&scene, 50);
	CU_ASSERT_EQUAL(end(&scene), 1);
}

static void
test_bad_certificates(void)
{
	struct scene scene;

	begin(&scene);
	add_worker(&scene, 0);
	CU_ASSERT_EQUAL(
		offer(&scene, 1, "[{chain: /t/first.pem, key: /t/second.key}]"),
		MESSAGE_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(scene.sentence, "/t/second.key"));
	CU_ASSERT_FALSE(does_sign(&scene, 0, second));
	send_number(&scene, MESSAGE_ABORT, 1);
	/* One of two. */
	CU_ASSERT_EQUAL(offer(&scene, 2,
			      "[{chain: /t/first.pem, key: /t/second.key}, "
			      "{chain: /t/second.pem, key: /t/second.key}]"),
			MESSAGE_READY);
	CU_ASSERT_PTR_NOT_NULL(strstr(scene.sentence, "/t/first.pem"));
	CU_ASSERT_TRUE(does_sign(&scene, 0, second));
	CU_ASSERT_FALSE(does_sign(&scene, 0, first));
	send_number(&scene, MESSAGE_DRAIN, 0);
	WAIT_FOR(&scene, scene.is_closed);
	CU_ASSERT_EQUAL(end(&scene), 0);
}

static void
test_liar_is_accused(void)
{
	struct packet packet;
	struct scene scene;

	begin(&scene);
	add_worker(&scene, 0);
	add_worker(&scene, 1);
	CU_ASSERT_EQUAL(offer(&scene, 1, FIRST), MESSAGE_READY);
	keeper_fixture_say(scene.workers[1], "\0\2", 2, -1, 0);
	WAIT_FOR(&scene, scene.accusation[0] != '\0');
	CU_ASSERT_STRING_EQUAL(
		scene.accusation,
		"worker 1: a message that is not permitted here");
	CU_ASSERT_FALSE(keeper_fixture_receive(scene.workers[1], &packet));
	CU_ASSERT_TRUE(does_sign(&scene, 0, first));
	/* The one that comes for it. */
	close(scene.workers[1]);
	add_worker(&scene, 1);
	event_base_loop(scene.base, EVLOOP_NONBLOCK);
	CU_ASSERT_TRUE(does_sign(&scene, 1, first));
	send_number(&scene, MESSAGE_DRAIN, 0);
	WAIT_FOR(&scene, scene.is_closed);
	CU_ASSERT_EQUAL(end(&scene), 0);
}

static void
test_other_peers(void)
{
	struct packet packet;
	struct scene scene;
	int helper;

	begin(&scene);
	helper = add_peer(&scene, IPC_HELPER, 0);
	event_base_loop(scene.base, EVLOOP_NONBLOCK);
	CU_ASSERT_FALSE(keeper_fixture_receive(helper, &packet));
	close(helper);
	CU_ASSERT_EQUAL(offer(&scene, 1, FIRST), MESSAGE_READY);
	CU_ASSERT_EQUAL(end(&scene), 1);
}

UNIT_SUITE(keeper, {"life", test_life},
	   {"life_in_sandbox", test_life_in_sandbox},
	   {"not_isolated", test_not_isolated}, {"abort", test_abort},
	   {"abort_while_gathering", test_abort_while_gathering},
	   {"bad_certificates", test_bad_certificates},
	   {"liar_is_accused", test_liar_is_accused},
	   {"other_peers", test_other_peers});
