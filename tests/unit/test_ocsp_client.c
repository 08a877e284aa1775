/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker's questions about certificates; the test is the helper, which
 * answers in any order, late or not at all, and dies.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include <openssl/x509.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/ipc/message.h"
#include "daemon/process/channel.h"
#include "daemon/worker/ocsp_client.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define ASKED_MAX 512

struct asker {
	struct ocsp_question question;
	unsigned int answers;
	struct ocsp_told told[2];
	struct asker *cancels; /* when it is answered */
};

struct scene {
	struct event_base *base;
	struct ocsp_client *client;
	struct channel *worker; /* our end of it */
	struct channel *helper;
	uint64_t asked[ASKED_MAX]; /* numbers */
	size_t asked_count;
	size_t pairs; /* of the last question */
	bool is_nonce;
	char *proxy;
	size_t dropped_count;
	const char *wrong; /* with what the helper said last */
	struct test_identity *root, *inner, *leaf;
};

static void
on_answered(struct ocsp_question *question, const struct ocsp_told *told,
	    size_t count)
{
	struct asker *asker = question->argument;

	asker->answers++;
	CU_ASSERT_FATAL(count <= ARRAY_SIZE(asker->told));
	memcpy(asker->told, told, count * sizeof(*told));
	if (asker->cancels)
		ocsp_client_cancel(&asker->cancels->question);
}

static void
on_asked(struct channel *channel, struct message *message, void *argument)
{
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);
	struct scene *scene = argument;
	struct ocsp_ask ask;

	(void)channel;
	if (message->type == MESSAGE_OCSP_DROP) {
		scene->dropped_count++;
		return;
	}
	CU_ASSERT_FATAL(scene->asked_count < ASKED_MAX);
	scene->asked[scene->asked_count++] = number;
	CU_ASSERT_EQUAL_FATAL(ocsp_ask_decode(&reader, &ask), 0);
	scene->pairs = ask.count;
	scene->is_nonce = ask.is_nonce;
	mem_free(scene->proxy);
	scene->proxy = mem_strdup(ask.http_proxy);
	CU_ASSERT_EQUAL(
		X509_cmp(ask.pairs[0].certificate, scene->leaf->certificate),
		0);
	CU_ASSERT_EQUAL(
		X509_cmp(ask.pairs[0].issuer, scene->inner->certificate), 0);
	if (ask.count > 1)
		CU_ASSERT_EQUAL(
			X509_cmp(ask.pairs[1].issuer, scene->root->certificate),
			0);
	ocsp_ask_clear(&ask);
}

static void
on_told(struct channel *channel, struct message *message, void *argument)
{
	struct scene *scene = argument;

	(void)channel;
	scene->wrong = ocsp_client_told(scene->client, message);
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	(void)channel;
	(void)why;
	(void)argument;
}

static void
turn(struct scene *scene)
{
	for (int i = 0; i < 12; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

static void
attach(struct scene *scene)
{
	static const struct channel_events of_worker = {on_told, on_closed};
	static const struct channel_events of_helper = {on_asked, on_closed};
	int pair[2];

	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	scene->worker = channel_new(
		scene->base, pair[0],
		(struct ipc_side){.self = IPC_WORKER, .other = IPC_HELPER},
		&of_worker, scene);
	scene->helper = channel_new(
		scene->base, pair[1],
		(struct ipc_side){.self = IPC_HELPER, .other = IPC_WORKER},
		&of_helper, scene);
	ocsp_client_attach(scene->client, scene->worker);
	turn(scene);
}

static void
detach(struct scene *scene)
{
	ocsp_client_attach(scene->client, NULL);
	channel_free(TAKE(scene->worker));
	channel_free(TAKE(scene->helper));
}

static void
start(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	log_configure(NULL, 0);
	scene->base = event_base_new();
	scene->client = ocsp_client_new();
	scene->root = test_ca("Root", NULL);
	scene->inner = test_ca("Inner", scene->root);
	scene->leaf = test_leaf("p256", "client.example", scene->inner);
}

static void
finish(struct scene *scene)
{
	detach(scene);
	ocsp_client_free(scene->client);
	test_identity_free(scene->leaf);
	test_identity_free(scene->inner);
	test_identity_free(scene->root);
	mem_free(scene->proxy);
	event_base_free(scene->base);
}

/* number: of its kind; 0: the leaf and more of its chain, which others may ask
 * about, too. */
static void
ask_as(struct scene *scene, struct asker *asker, size_t count,
       unsigned int number)
{
	const struct ocsp_pair pairs[] = {
		{scene->leaf->certificate, scene->inner->certificate},
		{scene->inner->certificate, scene->root->certificate},
	};

	memset(asker, 0, sizeof(*asker));
	asker->question.answered = on_answered;
	asker->question.argument = asker;
	if (number > 0)
		asker->question.ask.http_proxy = mem_format("p:%u", number);
	for (size_t i = 0; i < count; i++)
		ocsp_ask_add(&asker->question.ask, &pairs[i]);
	CU_ASSERT_EQUAL(ocsp_client_ask(scene->client, &asker->question), 0);
}

static void
ask(struct scene *scene, struct asker *asker, size_t count)
{
	ask_as(scene, asker, count, 0);
}

static void
say(struct scene *scene, uint64_t number, size_t count, enum ocsp_status status)
{
	const struct ocsp_told told[] = {
		{.status = status, .valid_until = 5, .sentence = "one"},
		{.status = OCSP_GOOD, .valid_until = 6},
	};
	struct message *message = message_new(MESSAGE_OCSP_TOLD);

	buf_write_u64(&message->body, number);
	ocsp_told_encode(told, count, &message->body);
	scene->wrong = NULL;
	channel_send(scene->helper, message);
	turn(scene);
}

static void
test_answers(void)
{
	struct asker one, two;
	struct scene scene;

	start(&scene);
	attach(&scene);
	ask(&scene, &one, 2);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.pairs, 2);
	CU_ASSERT_FALSE(scene.is_nonce);
	CU_ASSERT_STRING_EQUAL(scene.proxy, "");
	ask(&scene, &two, 1);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.pairs, 1);
	/* In any order. */
	say(&scene, scene.asked[1], 1, OCSP_REVOKED);
	CU_ASSERT_EQUAL(two.answers, 1);
	CU_ASSERT_EQUAL(two.told[0].status, OCSP_REVOKED);
	CU_ASSERT_STRING_EQUAL(two.told[0].sentence, "one");
	CU_ASSERT_EQUAL(one.answers, 0);
	say(&scene, scene.asked[0], 2, OCSP_GOOD);
	CU_ASSERT_EQUAL(one.answers, 1);
	CU_ASSERT_EQUAL(one.told[1].valid_until, 6);
	/* Once. */
	say(&scene, scene.asked[0], 2, OCSP_GOOD);
	CU_ASSERT_PTR_NULL(scene.wrong);
	CU_ASSERT_EQUAL(one.answers, 1);
	ocsp_ask_clear(&one.question.ask);
	ocsp_ask_clear(&two.question.ask);
	finish(&scene);
}

static void
test_nonsense(void)
{
	struct asker one;
	struct scene scene;

	start(&scene);
	attach(&scene);
	ask(&scene, &one, 2);
	turn(&scene);
	say(&scene, scene.asked[0], 1, OCSP_GOOD);
	CU_ASSERT_PTR_NOT_NULL(scene.wrong);
	say(&scene, scene.asked[0], 2, (enum ocsp_status)77);
	CU_ASSERT_PTR_NOT_NULL(scene.wrong);
	say(&scene, scene.asked[0] + 1, 2, OCSP_GOOD);
	CU_ASSERT_PTR_NOT_NULL(scene.wrong);
	say(&scene, 0, 2, OCSP_GOOD);
	CU_ASSERT_PTR_NOT_NULL(scene.wrong);
	CU_ASSERT_EQUAL(one.answers, 0);
	ocsp_client_cancel(&one.question);
	ocsp_ask_clear(&one.question.ask);
	finish(&scene);
}

static void
test_given_up(void)
{
	struct asker early, sent, twin;
	struct scene scene;

	start(&scene);
	/* Before anybody could be asked. */
	ask(&scene, &early, 1);
	ocsp_client_cancel(&early.question);
	ocsp_client_cancel(&early.question);
	attach(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, 0);
	ask_as(&scene, &sent, 1, 1);
	ask_as(&scene, &twin, 1, 2);
	turn(&scene);
	ocsp_client_cancel(&sent.question);
	ocsp_ask_clear(&sent.question.ask);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.dropped_count, 1);
	/* What was on its way finds nobody. */
	say(&scene, scene.asked[0], 1, OCSP_REVOKED);
	CU_ASSERT_PTR_NULL(scene.wrong);
	CU_ASSERT_EQUAL(sent.answers, 0);
	CU_ASSERT_EQUAL(twin.answers, 0);
	say(&scene, scene.asked[1], 1, OCSP_GOOD);
	CU_ASSERT_EQUAL(twin.answers, 1);
	ocsp_ask_clear(&early.question.ask);
	ocsp_ask_clear(&twin.question.ask);
	finish(&scene);
}

/* What several ask is asked once, and dropped when the last one goes. */
static void
test_together(void)
{
	struct asker askers[6];
	struct scene scene;

	start(&scene);
	for (size_t i = 0; i < 3; i++)
		ask(&scene, &askers[i], 2);
	attach(&scene);
	for (size_t i = 3; i < ARRAY_SIZE(askers); i++)
		ask(&scene, &askers[i], 2);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, 1);
	ocsp_client_cancel(&askers[0].question);
	ocsp_client_cancel(&askers[4].question);
	/* The first one that is answered takes others along. */
	askers[1].cancels = &askers[5];
	say(&scene, scene.asked[0], 2, OCSP_REVOKED);
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
		CU_ASSERT_EQUAL(askers[i].answers, i > 0 && i < 4);
	CU_ASSERT_EQUAL(scene.dropped_count, 0);
	for (size_t i = 0; i < 2; i++) {
		ocsp_ask_clear(&askers[i].question.ask);
		ask(&scene, &askers[i], 2);
	}
	turn(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, 2);
	/* The last that is left, while it is answered. */
	askers[0].cancels = &askers[1];
	say(&scene, scene.asked[1], 2, OCSP_GOOD);
	CU_ASSERT_EQUAL(askers[0].answers, 1);
	CU_ASSERT_EQUAL(askers[1].answers, 0);
	for (size_t i = 0; i < 2; i++) {
		ocsp_ask_clear(&askers[i].question.ask);
		ask(&scene, &askers[i], 2);
	}
	turn(&scene);
	ocsp_client_cancel(&askers[0].question);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.dropped_count, 0);
	ocsp_client_cancel(&askers[1].question);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.dropped_count, 1);
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
		ocsp_ask_clear(&askers[i].question.ask);
	finish(&scene);
}

static void
test_helper_dies(void)
{
	struct asker askers[4];
	struct scene scene;
	uint64_t late;

	start(&scene);
	attach(&scene);
	for (unsigned int i = 0; i < ARRAY_SIZE(askers); i++)
		ask_as(&scene, &askers[i], 1, i);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, 4);
	say(&scene, scene.asked[2], 1, OCSP_GOOD);
	late = scene.asked[0];
	detach(&scene);
	ocsp_client_cancel(&askers[1].question);
	attach(&scene);
	/* The two that are open, under new numbers. */
	CU_ASSERT_EQUAL(scene.asked_count, 6);
	CU_ASSERT_EQUAL(scene.dropped_count, 0);
	say(&scene, late, 1, OCSP_REVOKED);
	CU_ASSERT_PTR_NULL(scene.wrong);
	CU_ASSERT_EQUAL(askers[0].answers, 0);
	say(&scene, scene.asked[4], 1, OCSP_GOOD);
	say(&scene, scene.asked[5], 1, OCSP_UNKNOWN);
	CU_ASSERT_EQUAL(askers[0].told[0].status, OCSP_GOOD);
	CU_ASSERT_EQUAL(askers[1].answers, 0);
	CU_ASSERT_EQUAL(askers[3].told[0].status, OCSP_UNKNOWN);
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
		ocsp_ask_clear(&askers[i].question.ask);
	finish(&scene);
}

#define WINDOW 256

static void
test_window(void)
{
	static struct asker askers[WINDOW + 6];
	struct scene scene;

	start(&scene);
	attach(&scene);
	for (unsigned int i = 0; i < ARRAY_SIZE(askers); i++)
		ask_as(&scene, &askers[i], 1, i + 1);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, WINDOW);
	ocsp_client_cancel(&askers[0].question);
	/* One that waits goes when another is answered. */
	askers[1].cancels = &askers[WINDOW + 1];
	turn(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, WINDOW + 1);
	say(&scene, scene.asked[1], 1, OCSP_GOOD);
	CU_ASSERT_EQUAL(scene.asked_count, WINDOW + 2);
	for (size_t i = 0; i < scene.asked_count; i++)
		say(&scene, scene.asked[i], 1, OCSP_GOOD);
	CU_ASSERT_EQUAL(scene.asked_count, WINDOW + 5);
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++) {
		CU_ASSERT_EQUAL(askers[i].answers, i != 0 && i != WINDOW + 1);
		ocsp_ask_clear(&askers[i].question.ask);
	}
	finish(&scene);
}

/* What a worker could say that makes no sense. */
static void
test_questions_refused(void)
{
	struct message *message = message_new(MESSAGE_OCSP_ASK);
	struct buf_reader reader;
	struct ocsp_ask ask = {0};
	struct scene scene;
	struct ocsp_pair pair;

	start(&scene);
	pair = (struct ocsp_pair){scene.leaf->certificate,
				  scene.inner->certificate};
	ocsp_ask_add(&ask, &pair);
	ask.is_nonce = true;
	ask.http_proxy = mem_strdup("http://proxy:3128");
	CU_ASSERT_EQUAL(ocsp_ask_encode(&ask, &message->body), 0);
	ocsp_ask_clear(&ask);
	reader = message_reader(message);
	CU_ASSERT_EQUAL_FATAL(ocsp_ask_decode(&reader, &ask), 0);
	CU_ASSERT_TRUE(ask.is_nonce);
	CU_ASSERT_STRING_EQUAL(ask.http_proxy, "http://proxy:3128");
	ocsp_ask_clear(&ask);
	/* Cut at every place, and with something behind it. */
	for (size_t length = 0; length < message->body.length; length++) {
		buf_read_init(&reader, message->body.bytes, length);
		CU_ASSERT_EQUAL(ocsp_ask_decode(&reader, &ask), -1);
	}
	buf_read_init(&reader, message->body.bytes, message->body.length + 1);
	CU_ASSERT_EQUAL(ocsp_ask_decode(&reader, &ask), -1);
	message->body.bytes[0] = 2;
	reader = message_reader(message);
	CU_ASSERT_EQUAL(ocsp_ask_decode(&reader, &ask), -1);
	message_free(message);
	finish(&scene);
}

UNIT_SUITE(ocsp_client, {"answers", test_answers}, {"nonsense", test_nonsense},
	   {"given_up", test_given_up}, {"helper_dies", test_helper_dies},
	   {"together", test_together}, {"window", test_window},
	   {"questions_refused", test_questions_refused});
