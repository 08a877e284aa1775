/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's end of the way to the keeper, with a keeper at the other end
 * that does as the test says: slow, gone, nonsensical.
 */
#include "daemon/worker/key_client.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/ipc/message.h"
#include "common/tls/key_operation.h"
#include "common/tls/remote_key_parts.h"
#include "common/tls/sign_message.h"
#include "common/tls/tls_engine.h"
#include "tests/lib/remote_fixture.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_pair.h"
#include "tests/unit/unit.h"

#define ROOM 64
#define MANY 200

#define KEEPER 7 /* its number */

/* One that waits for a signature, without any job. */
struct caller {
	struct key_operation operation;
	unsigned char signature[ROOM];
	unsigned int wakes;
};

struct scene {
	struct event_base *base;
	struct key_client *client;
	int keeper; /* its end of the channel; -1: it is gone */
	unsigned int accused;
	char why[128];
	struct caller callers[MANY];
};

/* A request as it came. */
struct asked {
	unsigned char body[MESSAGE_BODY_MAX + 2];
	struct sign_message read;
};

static const unsigned char key_id[KEY_ID_SIZE] = {9, 8, 7};
static const struct sign_request small = {0x0403,
					  (const unsigned char *)"message", 7};

static void
on_accused(uint32_t number, const char *why, void *argument)
{
	struct scene *scene = argument;

	CU_ASSERT_EQUAL(number, KEEPER);
	scene->accused++;
	snprintf(scene->why, sizeof(scene->why), "%s", why);
}

static void
on_tickets(void *argument)
{
	(void)argument;
}

static const struct key_client_events key_client_events = {
	.accuse = on_accused,
	.tickets = on_tickets,
};

static void
on_ready(struct key_operation *operation, void *argument)
{
	struct caller *caller = argument;

	CU_ASSERT_PTR_EQUAL(operation, &caller->operation);
	caller->wakes++;
}

static void
keeper_say(const struct scene *scene, enum message_type type, const void *body,
	   size_t length)
{
	unsigned char packet[4096] = {(unsigned char)((unsigned int)type >> 8),
				      (unsigned char)type};

	assert(length + 2 <= sizeof(packet));
	memcpy(packet + 2, body, length);
	CU_ASSERT_EQUAL(send(scene->keeper, packet, length + 2, MSG_NOSIGNAL),
			(ssize_t)length + 2);
}

static void
keeper_greet(const struct scene *scene)
{
	static const unsigned char protocol[] = {0, 0, 0, IPC_PROTOCOL};

	keeper_say(scene, MESSAGE_HELLO, protocol, sizeof(protocol));
}

static void
turn(const struct scene *scene)
{
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

static void
attach(struct scene *scene)
{
	unsigned char hello[16];
	int sockets[2];

	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets),
		0);
	scene->keeper = sockets[1];
	key_client_attach(scene->client, KEEPER, sockets[0]);
	CU_ASSERT_EQUAL(recv(scene->keeper, hello, sizeof(hello), 0), 6);
	keeper_greet(scene);
	turn(scene);
}

static void
begin_without_keeper(struct scene *scene, int64_t patience_ms)
{
	struct error error;

	/* What the keeper does wrong is logged, which is not tested here. */
	log_configure(NULL, 0);
	memset(scene, 0, sizeof(*scene));
	scene->base = event_base_new();
	scene->keeper = -1;
	scene->client = key_client_new(scene->base, patience_ms,
				       &key_client_events, scene);
	CU_ASSERT_EQUAL_FATAL(key_client_install(scene->client, &error), 0);
	for (size_t i = 0; i < MANY; i++) {
		scene->callers[i].operation.ready = on_ready;
		scene->callers[i].operation.argument = &scene->callers[i];
	}
}

static void
begin(struct scene *scene)
{
	begin_without_keeper(scene, 60000);
	attach(scene);
}

static void
end(struct scene *scene)
{
	static const struct log_sink standard_error = {
		.descriptor = STDERR_FILENO,
		.level = LOG_LEVEL_INFO,
		.is_for_events = true,
	};

	log_configure(&standard_error, 1);
	key_operation_lose_all();
	CU_ASSERT_EQUAL(key_client_waiting(scene->client), 0);
	key_client_free(scene->client);
	if (scene->keeper >= 0)
		close(scene->keeper);
	event_base_free(scene->base);
}

static int
start_with(struct scene *scene, size_t index,
	   const struct sign_request *request)
{
	struct caller *caller = &scene->callers[index];
	struct key_operation *operation = &caller->operation;
	int result;

	CU_ASSERT(key_operation_begin(operation, caller->signature, ROOM));
	/* As its job does. */
	operation->is_paused = true;
	result = remote_key_functions()->start(operation, key_id, request);
	if (result != 0)
		key_operation_lose(operation->number);
	return result;
}

static void
start(struct scene *scene, size_t index)
{
	CU_ASSERT_EQUAL(start_with(scene, index, &small), 0);
}

/* Its connection goes away: as key_operation_abandon() without an SSL. */
static void
abandon(struct scene *scene, size_t index)
{
	struct key_operation *operation = &scene->callers[index].operation;

	operation->is_paused = false;
	CU_ASSERT(key_operation_lose(operation->number));
}

/* False: there is no request now. */
static bool
keeper_hear(const struct scene *scene, struct asked *asked)
{
	struct error error = {0};
	ssize_t length = recv(scene->keeper, asked->body, sizeof(asked->body),
			      MSG_DONTWAIT);

	if (length < 0) {
		CU_ASSERT_EQUAL(errno, EAGAIN);
		return false;
	}
	/* A thread of its own may be here: nothing fatal. */
	if (length <= 2 ||
	    sign_message_read(asked->body + 2, (size_t)length - 2, -1,
			      &asked->read, &error) != 0) {
		CU_FAIL("what the keeper hears is no request");
		return false;
	}
	CU_ASSERT_EQUAL(asked->body[0] << 8 | asked->body[1], MESSAGE_SIGN);
	return true;
}

static void
write_u64(unsigned char *bytes, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> (56 - 8 * i));
}

static void
keeper_answer(const struct scene *scene, uint64_t number, const char *signature)
{
	unsigned char body[8 + ROOM];

	write_u64(body, number);
	memcpy(body + 8, signature, strlen(signature));
	keeper_say(scene, MESSAGE_SIGNED, body, 8 + strlen(signature));
}

static void
keeper_refuse(const struct scene *scene, uint64_t number)
{
	unsigned char body[8];

	write_u64(body, number);
	keeper_say(scene, MESSAGE_REFUSED, body, sizeof(body));
}

static void
test_answers(void)
{
	static struct scene scene;
	static struct asked asked;

	begin(&scene);
	start(&scene, 0);
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), 1);
	CU_ASSERT(keeper_hear(&scene, &asked));
	CU_ASSERT_EQUAL(memcmp(asked.read.key_id, key_id, KEY_ID_SIZE), 0);
	CU_ASSERT_EQUAL(asked.read.request.scheme, small.scheme);
	CU_ASSERT_EQUAL(asked.read.request.length, small.length);
	CU_ASSERT_EQUAL(
		memcmp(asked.read.request.message, small.message, small.length),
		0);
	keeper_answer(&scene, asked.read.number, "signed");
	CU_ASSERT_EQUAL(scene.callers[0].wakes, 0);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.callers[0].wakes, 1);
	CU_ASSERT_EQUAL(scene.callers[0].operation.state,
			KEY_OPERATION_ANSWERED);
	CU_ASSERT_EQUAL(scene.callers[0].operation.length, 6);
	CU_ASSERT_EQUAL(memcmp(scene.callers[0].signature, "signed", 6), 0);
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), 0);

	start(&scene, 1);
	CU_ASSERT(keeper_hear(&scene, &asked));
	keeper_refuse(&scene, asked.read.number);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.callers[1].wakes, 1);
	CU_ASSERT_EQUAL(scene.callers[1].operation.state,
			KEY_OPERATION_REFUSED);
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), 0);
	CU_ASSERT_EQUAL(scene.accused, 0);
	end(&scene);
}

/* As many as the window takes, the others in their order. */
static void
test_window(void)
{
	static struct scene scene;
	static struct asked asked;
	uint64_t numbers[MANY];
	size_t heard = 0;

	begin(&scene);
	for (size_t i = 0; i < MANY; i++)
		start(&scene, i);
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), KEY_CLIENT_WINDOW);
	CU_ASSERT_EQUAL(key_client_waiting(scene.client),
			MANY - KEY_CLIENT_WINDOW);
	while (keeper_hear(&scene, &asked))
		numbers[heard++] = asked.read.number;
	CU_ASSERT_EQUAL_FATAL(heard, KEY_CLIENT_WINDOW);
	/* From the last to the first: each makes room for one. */
	for (size_t i = 0; i < MANY; i++) {
		size_t at =
			i < KEY_CLIENT_WINDOW ? KEY_CLIENT_WINDOW - 1 - i : i;

		keeper_answer(&scene, numbers[at], "x");
		turn(&scene);
		CU_ASSERT_EQUAL(scene.callers[at].wakes, 1);
		CU_ASSERT_EQUAL(scene.callers[at].operation.state,
				KEY_OPERATION_ANSWERED);
		if (keeper_hear(&scene, &asked)) {
			CU_ASSERT_FATAL(heard < MANY);
			numbers[heard++] = asked.read.number;
		}
		CU_ASSERT_FALSE(keeper_hear(&scene, &asked));
	}
	CU_ASSERT_EQUAL(heard, MANY);
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), 0);
	CU_ASSERT_EQUAL(key_operation_count(), 0);
	end(&scene);
}

/* Before it is sent, while it is under way, and when it is answered. */
static void
test_abandoned(void)
{
	static struct scene scene;
	static struct asked asked;
	uint64_t numbers[KEY_CLIENT_WINDOW];

	begin(&scene);
	for (size_t i = 0; i < KEY_CLIENT_WINDOW + 3; i++)
		start(&scene, i);
	for (size_t i = 0; i < KEY_CLIENT_WINDOW; i++) {
		CU_ASSERT_FATAL(keeper_hear(&scene, &asked));
		numbers[i] = asked.read.number;
	}
	/* One that waits in the middle is never sent. */
	CU_ASSERT_EQUAL(key_client_waiting(scene.client), 3);
	abandon(&scene, KEY_CLIENT_WINDOW + 1);
	CU_ASSERT_EQUAL(key_client_waiting(scene.client), 2);
	/* Those that are under way keep their places. */
	abandon(&scene, 0);
	abandon(&scene, 1);
	abandon(&scene, 2);
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), KEY_CLIENT_WINDOW);
	CU_ASSERT_FALSE(keeper_hear(&scene, &asked));
	/* What they are answered is for nobody, but makes room. */
	keeper_answer(&scene, numbers[1], "late");
	turn(&scene);
	CU_ASSERT(keeper_hear(&scene, &asked));
	keeper_refuse(&scene, numbers[0]);
	turn(&scene);
	CU_ASSERT(keeper_hear(&scene, &asked));
	keeper_answer(&scene, numbers[2], "late");
	turn(&scene);
	CU_ASSERT_FALSE(keeper_hear(&scene, &asked));
	CU_ASSERT_EQUAL(key_client_under_way(scene.client),
			KEY_CLIENT_WINDOW - 1);
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(scene.callers[i].wakes, 0);
	CU_ASSERT_EQUAL(scene.accused, 0);
	end(&scene);
}

static void
expect_states(const struct scene *scene, size_t from, size_t to,
	      enum key_operation_state state)
{
	for (size_t i = from; i < to; i++) {
		CU_ASSERT_EQUAL(scene->callers[i].operation.state, state);
		CU_ASSERT_EQUAL(scene->callers[i].wakes,
				state != KEY_OPERATION_PENDING);
	}
}

static void
test_lost(void)
{
	static struct scene scene;
	static struct asked asked;

	begin(&scene);
	for (size_t i = 0; i < KEY_CLIENT_WINDOW + 2; i++)
		start(&scene, i);
	close(scene.keeper);
	/* Not before the loop says so, and with it only what was sent. */
	start(&scene, KEY_CLIENT_WINDOW + 2);
	expect_states(&scene, 0, KEY_CLIENT_WINDOW, KEY_OPERATION_PENDING);
	turn(&scene);
	expect_states(&scene, 0, KEY_CLIENT_WINDOW, KEY_OPERATION_LOST);
	expect_states(&scene, KEY_CLIENT_WINDOW, KEY_CLIENT_WINDOW + 3,
		      KEY_OPERATION_PENDING);
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), 0);
	/* Its successor gets the others, and what began meanwhile. */
	start(&scene, KEY_CLIENT_WINDOW + 3);
	attach(&scene);
	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_FATAL(keeper_hear(&scene, &asked));
		keeper_answer(&scene, asked.read.number, "new");
		turn(&scene);
		CU_ASSERT_EQUAL(scene.callers[KEY_CLIENT_WINDOW + i].wakes, 1);
	}
	expect_states(&scene, KEY_CLIENT_WINDOW, KEY_CLIENT_WINDOW + 4,
		      KEY_OPERATION_ANSWERED);
	CU_ASSERT_EQUAL(scene.accused, 0);
	end(&scene);
}

/* A new one before the loop has noticed that the old one is gone. */
static void
test_replaced(void)
{
	static struct scene scene;
	static struct asked asked;
	int old;

	begin(&scene);
	start(&scene, 0);
	CU_ASSERT(keeper_hear(&scene, &asked));
	old = scene.keeper;
	attach(&scene);
	close(old);
	turn(&scene);
	expect_states(&scene, 0, 1, KEY_OPERATION_LOST);
	/* Its answer is not the new one's to give. */
	keeper_answer(&scene, asked.read.number, "x");
	turn(&scene);
	CU_ASSERT_EQUAL(scene.accused, 1);
	end(&scene);
}

/* Nobody comes for too long. */
static void
test_patience(void)
{
	static struct scene scene;
	static struct asked asked;

	begin_without_keeper(&scene, 20);
	start(&scene, 0);
	start(&scene, 1);
	event_base_loop(scene.base, EVLOOP_ONCE);
	expect_states(&scene, 0, 2, KEY_OPERATION_LOST);
	/* What begins now does not wait. */
	CU_ASSERT_EQUAL(start_with(&scene, 2, &small), -1);
	attach(&scene);
	start(&scene, 3);
	CU_ASSERT(keeper_hear(&scene, &asked));
	keeper_answer(&scene, asked.read.number, "there");
	turn(&scene);
	expect_states(&scene, 3, 4, KEY_OPERATION_ANSWERED);
	end(&scene);
}

/* What is answered may begin anew in the same moment. */
static void
start_again(struct key_operation *operation, void *argument)
{
	struct scene *scene = argument;

	operation->is_paused = false;
	start(scene, 1);
}

static void
test_begun_when_woken(void)
{
	static struct scene scene;
	static struct asked asked;

	begin(&scene);
	scene.callers[0].operation.ready = start_again;
	scene.callers[0].operation.argument = &scene;
	start(&scene, 0);
	CU_ASSERT(keeper_hear(&scene, &asked));
	keeper_answer(&scene, asked.read.number, "x");
	turn(&scene);
	CU_ASSERT(keeper_hear(&scene, &asked));
	/* Also in the moment of a loss: that one waits. */
	scene.callers[1].operation.ready = start_again;
	scene.callers[1].operation.argument = &scene;
	close(scene.keeper);
	turn(&scene);
	CU_ASSERT_EQUAL(key_client_waiting(scene.client), 1);
	scene.callers[1].operation.ready = on_ready;
	scene.callers[1].operation.argument = &scene.callers[1];
	attach(&scene);
	CU_ASSERT(keeper_hear(&scene, &asked));
	end(&scene);
}

/* Bodies of every length: only those that are an answer are taken. */
static void
test_lengths(void)
{
	static struct scene scene;
	static struct asked asked;
	static const unsigned char zeros[2048];

	for (size_t i = 0; i < 8 + 1024 + 2; i += i < 100 ? 1 : 37) {
		unsigned char body[2048] = {0};

		begin(&scene);
		start(&scene, 0);
		CU_ASSERT(keeper_hear(&scene, &asked));
		write_u64(body, asked.read.number);
		memset(body + 8, 1, sizeof(body) - 8);
		keeper_say(&scene, MESSAGE_SIGNED, body, i);
		turn(&scene);
		if (i > 8 && i <= 8 + ROOM) {
			expect_states(&scene, 0, 1, KEY_OPERATION_ANSWERED);
			CU_ASSERT_EQUAL(scene.callers[0].operation.length,
					i - 8);
			CU_ASSERT_EQUAL(scene.accused, 0);
		} else {
			expect_states(&scene, 0, 1, KEY_OPERATION_LOST);
			CU_ASSERT_EQUAL(scene.accused, 1);
		}
		end(&scene);

		if (i == 8)
			continue;
		begin(&scene);
		start(&scene, 0);
		CU_ASSERT(keeper_hear(&scene, &asked));
		write_u64(body, asked.read.number);
		keeper_say(&scene, MESSAGE_REFUSED, body, i);
		turn(&scene);
		expect_states(&scene, 0, 1, KEY_OPERATION_LOST);
		CU_ASSERT_EQUAL(scene.accused, 1);
		/* It is not listened to any more. */
		CU_ASSERT_EQUAL(send(scene.keeper, zeros, 8, MSG_NOSIGNAL), -1);
		end(&scene);
	}
}

static void
test_nonsense(void)
{
	/* Numbers that were not asked, were answered, are of no place. */
	for (size_t i = 0; i < 7; i++) {
		static struct scene scene;
		static struct asked asked;
		uint64_t number;

		begin(&scene);
		start(&scene, 0);
		CU_ASSERT(keeper_hear(&scene, &asked));
		number = asked.read.number;
		switch (i) {
		case 0:
			keeper_answer(&scene, number + 1, "x");
			break;
		case 1:
			keeper_answer(&scene, number + KEY_CLIENT_WINDOW, "x");
			break;
		case 2:
			keeper_answer(&scene, 0, "x");
			break;
		case 3:
			keeper_refuse(&scene, UINT64_MAX);
			break;
		case 4:
			keeper_answer(&scene, number, "x");
			keeper_answer(&scene, number, "x");
			break;
		case 5:
			keeper_greet(&scene);
			break;
		default:
			keeper_say(&scene, MESSAGE_ADDRESSES, "x", 1);
			break;
		}
		turn(&scene);
		CU_ASSERT_EQUAL(scene.accused, 1);
		CU_ASSERT_NOT_EQUAL(scene.why[0], '\0');
		expect_states(&scene, 0, 1,
			      i == 4 ? KEY_OPERATION_ANSWERED
				     : KEY_OPERATION_LOST);
		/* The next one is not made to suffer for it. */
		start(&scene, 1);
		CU_ASSERT_EQUAL(key_client_waiting(scene.client), 1);
		close(scene.keeper);
		attach(&scene);
		CU_ASSERT(keeper_hear(&scene, &asked));
		keeper_answer(&scene, asked.read.number, "x");
		turn(&scene);
		expect_states(&scene, 1, 2, KEY_OPERATION_ANSWERED);
		CU_ASSERT_EQUAL(scene.accused, 1);
		end(&scene);
	}
}

/* Without descriptors nothing long can be sent; what is short goes on. */
static void
test_long(void)
{
	static unsigned char message[SIGN_MESSAGE_MAX + 1];
	const struct sign_request longest = {0x0403, message, SIGN_MESSAGE_MAX};
	const struct sign_request too_long = {0x0403, message,
					      SIGN_MESSAGE_MAX + 1};
	static struct scene scene;
	static struct asked asked;
	struct iovec part = {asked.body, sizeof(asked.body)};
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr packet = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	const struct cmsghdr *rights;
	struct error error;
	ssize_t length;
	int descriptor;

	begin(&scene);
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (unsigned char)(i >> 3);
	CU_ASSERT_EQUAL(start_with(&scene, 0, &longest), 0);
	length =
		recvmsg(scene.keeper, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	CU_ASSERT_FATAL(length > 2);
	rights = CMSG_FIRSTHDR(&packet);
	assert(rights);
	memcpy(&descriptor, CMSG_DATA(rights), sizeof(int));
	CU_ASSERT_EQUAL_FATAL(sign_message_read(asked.body + 2,
						(size_t)length - 2, descriptor,
						&asked.read, &error),
			      0);
	CU_ASSERT_EQUAL(asked.read.request.length, SIGN_MESSAGE_MAX);
	CU_ASSERT_EQUAL(
		memcmp(asked.read.request.message, message, SIGN_MESSAGE_MAX),
		0);
	sign_message_clear(&asked.read);
	close(descriptor);

	CU_ASSERT_EQUAL(start_with(&scene, 1, &too_long), -1);
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), 1);
	start(&scene, 2);
	CU_ASSERT(keeper_hear(&scene, &asked));
	/* One that turns out to be too long when its turn comes. */
	for (size_t i = 3; i < KEY_CLIENT_WINDOW + 1; i++)
		start(&scene, i);
	CU_ASSERT_EQUAL(start_with(&scene, KEY_CLIENT_WINDOW + 1, &too_long),
			0);
	start(&scene, KEY_CLIENT_WINDOW + 2);
	CU_ASSERT_EQUAL(key_client_waiting(scene.client), 2);
	keeper_answer(&scene, asked.read.number, "x");
	turn(&scene);
	CU_ASSERT_EQUAL(key_client_waiting(scene.client), 0);
	expect_states(&scene, KEY_CLIENT_WINDOW + 1, KEY_CLIENT_WINDOW + 2,
		      KEY_OPERATION_LOST);
	expect_states(&scene, KEY_CLIENT_WINDOW + 2, KEY_CLIENT_WINDOW + 3,
		      KEY_OPERATION_PENDING);
	end(&scene);
}

/* A keeper for those who wait in the call, in a thread: what it says to each
 * request is up to the test. */
struct blocking_keeper {
	const struct scene *scene;
	void (*reply)(struct blocking_keeper *keeper, uint64_t number);
	uint64_t before; /* the request before; 0: none */
	size_t expected;
};

static void *
keep_blocking(void *argument)
{
	struct blocking_keeper *keeper = argument;
	static struct asked asked;

	for (size_t i = 0; i < keeper->expected; i++) {
		struct pollfd readable = {keeper->scene->keeper, POLLIN, 0};

		if (poll(&readable, 1, 20000) != 1 ||
		    !keeper_hear(keeper->scene, &asked))
			break;
		keeper->reply(keeper, asked.read.number);
		keeper->before = asked.read.number;
	}
	return NULL;
}

static int
sign_blocking(struct blocking_keeper *keeper, unsigned char *signature,
	      size_t *length)
{
	pthread_t thread;
	int result;

	CU_ASSERT_EQUAL_FATAL(
		pthread_create(&thread, NULL, keep_blocking, keeper), 0);
	result =
		remote_key_functions()->sign(key_id, &small, signature, length);
	pthread_join(thread, NULL);
	return result;
}

static void
reply_signed(struct blocking_keeper *keeper, uint64_t number)
{
	keeper_answer(keeper->scene, number, "signed");
}

static void
reply_refused(struct blocking_keeper *keeper, uint64_t number)
{
	keeper_refuse(keeper->scene, number);
}

static void
reply_nonsense(struct blocking_keeper *keeper, uint64_t number)
{
	keeper_answer(keeper->scene, number + 1, "signed");
}

static void
reply_by_dying(struct blocking_keeper *keeper, uint64_t number)
{
	(void)number;
	shutdown(keeper->scene->keeper, SHUT_RDWR);
}

/* To the one before first. */
static void
reply_in_disorder(struct blocking_keeper *keeper, uint64_t number)
{
	if (!keeper->before)
		return;
	keeper_answer(keeper->scene, keeper->before, "other");
	keeper_answer(keeper->scene, number, "signed");
}

static void
reply_to_all(struct blocking_keeper *keeper, uint64_t number)
{
	if (keeper->before)
		keeper_answer(keeper->scene, number, "each");
	else
		keeper_refuse(keeper->scene, number);
}

static void
test_blocking(void)
{
	static const struct {
		void (*reply)(struct blocking_keeper *keeper, uint64_t number);
		unsigned int accused;
	} failures[] = {
		{reply_refused, 0},
		{reply_nonsense, 1},
		{reply_by_dying, 0},
	};
	unsigned char signature[ROOM];
	static struct scene scene;

	begin(&scene);
	for (size_t i = 0; i < 3; i++) {
		struct blocking_keeper keeper = {
			.scene = &scene, .reply = reply_signed, .expected = 1};
		size_t length = sizeof(signature);

		CU_ASSERT_EQUAL(sign_blocking(&keeper, signature, &length), 0);
		CU_ASSERT_EQUAL(length, 6);
		CU_ASSERT_EQUAL(memcmp(signature, "signed", 6), 0);
		CU_ASSERT_EQUAL(key_client_under_way(scene.client), 0);
	}
	end(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		struct blocking_keeper keeper = {.scene = &scene,
						 .reply = failures[i].reply,
						 .expected = 1};
		size_t length = sizeof(signature);

		begin(&scene);
		CU_ASSERT_EQUAL(sign_blocking(&keeper, signature, &length), -1);
		CU_ASSERT_EQUAL(scene.accused, failures[i].accused);
		CU_ASSERT_EQUAL(key_client_under_way(scene.client), 0);
		end(&scene);
	}
	/* Nobody there at all: no waiting, for nobody can come. */
	begin_without_keeper(&scene, 60000);
	CU_ASSERT_EQUAL(remote_key_functions()->sign(key_id, &small, signature,
						     &(size_t){ROOM}),
			-1);
	end(&scene);
}

/* What comes for others meanwhile is told from the loop. */
static void
test_blocking_among_others(void)
{
	struct blocking_keeper keeper = {.reply = reply_in_disorder,
					 .expected = 2};
	unsigned char signature[ROOM];
	size_t length = sizeof(signature);
	static struct scene scene;

	begin(&scene);
	keeper.scene = &scene;
	start(&scene, 0);
	CU_ASSERT_EQUAL(sign_blocking(&keeper, signature, &length), 0);
	CU_ASSERT_EQUAL(memcmp(signature, "signed", 6), 0);
	expect_states(&scene, 0, 1, KEY_OPERATION_PENDING);
	turn(&scene);
	expect_states(&scene, 0, 1, KEY_OPERATION_ANSWERED);
	CU_ASSERT_EQUAL(memcmp(scene.callers[0].signature, "other", 5), 0);
	end(&scene);

	/* Abandoned before it is told, and lost meanwhile. */
	for (size_t i = 0; i < 2; i++) {
		begin(&scene);
		keeper = (struct blocking_keeper){
			.scene = &scene,
			.reply = i ? reply_by_dying : reply_in_disorder,
			.expected = 2};
		start(&scene, 0);
		length = sizeof(signature);
		CU_ASSERT_EQUAL(sign_blocking(&keeper, signature, &length),
				i ? -1 : 0);
		expect_states(&scene, 0, 1, KEY_OPERATION_PENDING);
		if (i == 0)
			abandon(&scene, 0);
		turn(&scene);
		CU_ASSERT_EQUAL(scene.callers[0].wakes, i);
		CU_ASSERT_EQUAL(scene.callers[0].operation.state,
				KEY_OPERATION_LOST);
		end(&scene);
	}
	/* Kept for nobody. */
	begin(&scene);
	keeper = (struct blocking_keeper){
		.scene = &scene, .reply = reply_in_disorder, .expected = 2};
	start(&scene, 0);
	length = sizeof(signature);
	CU_ASSERT_EQUAL(sign_blocking(&keeper, signature, &length), 0);
	end(&scene);
}

/* The window is full: it waits for a place, ahead of those who wait. */
static void
test_blocking_behind_window(void)
{
	struct blocking_keeper keeper = {.reply = reply_to_all,
					 .expected = KEY_CLIENT_WINDOW + 1};
	unsigned char signature[ROOM];
	size_t length = sizeof(signature);
	static struct scene scene;
	static struct asked asked;

	begin(&scene);
	keeper.scene = &scene;
	for (size_t i = 0; i < KEY_CLIENT_WINDOW + 1; i++)
		start(&scene, i);
	CU_ASSERT_EQUAL(sign_blocking(&keeper, signature, &length), 0);
	CU_ASSERT_EQUAL(length, 4);
	CU_ASSERT_EQUAL(memcmp(signature, "each", 4), 0);
	turn(&scene);
	expect_states(&scene, 0, 1, KEY_OPERATION_REFUSED);
	turn(&scene);
	turn(&scene);
	turn(&scene);
	turn(&scene);
	expect_states(&scene, 1, KEY_CLIENT_WINDOW, KEY_OPERATION_ANSWERED);
	CU_ASSERT(keeper_hear(&scene, &asked));
	keeper_answer(&scene, asked.read.number, "last");
	turn(&scene);
	expect_states(&scene, KEY_CLIENT_WINDOW, KEY_CLIENT_WINDOW + 1,
		      KEY_OPERATION_ANSWERED);
	end(&scene);
}

static size_t
memory_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Clients that come and go: at any stage, nothing is left of them. */
static void
test_abandoned_often(void)
{
	enum {
		TIMES = 20000,
		WARM_UP = 1000,
		GROWTH = 65536
	};
	static struct scene scene;
	static struct asked asked;
	uint64_t numbers[KEY_CLIENT_WINDOW];
	size_t heard = 0, before = 0;

	begin(&scene);
	for (size_t i = 0; i < TIMES; i++) {
		size_t at = i % MANY;

		if (i == WARM_UP)
			before = memory_in_use();
		if (scene.callers[at].operation.state == KEY_OPERATION_PENDING)
			abandon(&scene, at);
		start(&scene, at);
		if (i % 3 == 0)
			abandon(&scene, at);
		while (heard < KEY_CLIENT_WINDOW && keeper_hear(&scene, &asked))
			numbers[heard++] = asked.read.number;
		if (i % 7 < 5 && heard > 0) {
			keeper_answer(&scene, numbers[--heard], "late or not");
			turn(&scene);
		}
	}
	CU_ASSERT(key_client_under_way(scene.client) <= KEY_CLIENT_WINDOW);
	CU_ASSERT(memory_in_use() < before + GROWTH);
	/* And a good one is served. */
	for (size_t i = 0; i < MANY; i++)
		if (scene.callers[i].operation.state == KEY_OPERATION_PENDING)
			abandon(&scene, i);
	while (heard > 0 || keeper_hear(&scene, &asked)) {
		keeper_answer(&scene,
			      heard > 0 ? numbers[--heard] : asked.read.number,
			      "late");
		turn(&scene);
	}
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), 0);
	scene.callers[0].wakes = 0;
	start(&scene, 0);
	CU_ASSERT(keeper_hear(&scene, &asked));
	keeper_answer(&scene, asked.read.number, "good");
	turn(&scene);
	expect_states(&scene, 0, 1, KEY_OPERATION_ANSWERED);
	CU_ASSERT_EQUAL(scene.accused, 0);
	end(&scene);
}

/* Whole handshakes: asked by the job on its small stack, answered by the loop,
 * abandoned with the engine. */

static void
on_engine_ready(struct key_operation *operation, void *argument)
{
	(void)operation;
	*(bool *)argument = true;
}

static void
test_engines(void)
{
	static struct scene scene;
	static struct asked asked;
	const struct test_identity *identity;
	SSL_CTX *server, *client;

	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	identity = remote_fixture_identity("p256", KEY_USE_SERVER);
	server = remote_fixture_context(true, TLS1_3_VERSION, identity, true,
					KEY_USE_SERVER, NULL);
	client = remote_fixture_context(false, TLS1_3_VERSION, NULL, false, 0,
					NULL);
	SSL_CTX_clear_mode(server, SSL_MODE_ASYNC);
	begin(&scene);
	for (size_t i = 0; i < 300; i++) {
		bool is_ready = false;
		struct tls_pair pair;

		tls_pair_init(&pair, client, server);
		tls_engine_set_async(pair.server.engine, on_engine_ready,
				     &is_ready);
		CU_ASSERT_FALSE(tls_pair_handshake(&pair, 0));
		CU_ASSERT_EQUAL(pair.server.result, TLS_WANT_KEY);
		if (i % 3 == 0) {
			tls_pair_clear(&pair);
			CU_ASSERT_EQUAL(key_operation_count(), 0);
			continue;
		}
		turn(&scene);
		while (keeper_hear(&scene, &asked) || !is_ready) {
			if (i % 3 == 1)
				keeper_refuse(&scene, asked.read.number);
			else
				keeper_answer(&scene, asked.read.number, "bad");
			turn(&scene);
		}
		CU_ASSERT_EQUAL(tls_pair_feed_bytes(&pair.server, "", 0),
				i % 3 == 1 ? TLS_FAILED : TLS_WANT_INPUT);
		tls_pair_clear(&pair);
	}
	end(&scene);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
}

UNIT_SUITE(key_client, {"answers", test_answers}, {"window", test_window},
	   {"abandoned", test_abandoned}, {"lost", test_lost},
	   {"replaced", test_replaced}, {"patience", test_patience},
	   {"begun_when_woken", test_begun_when_woken},
	   {"lengths", test_lengths}, {"nonsense", test_nonsense},
	   {"long", test_long}, {"blocking", test_blocking},
	   {"blocking_among_others", test_blocking_among_others},
	   {"blocking_behind_window", test_blocking_behind_window},
	   {"abandoned_often", test_abandoned_often},
	   {"engines", test_engines});
