/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a keeper that was taken over could say to a worker, while handshakes
 * begin and are abandoned. The input is a sequence of steps, each a byte: what
 * happens, in its upper three bits, and to which of the callers or requests, in
 * the others. Whatever comes, each caller is told at most once, and nobody has
 * more under way than the window.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/ipc/message.h"
#include "common/tls/key_operation.h"
#include "common/tls/remote_key_parts.h"
#include "common/tls/sign_message.h"
#include "common/tls/ticket_keys.h"
#include "daemon/worker/key_client.h"

#define CALLERS 32
#define ROOM    80

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum step {
	STEP_START,
	STEP_ABANDON,
	STEP_SIGN,   /* a u8 length and the signature, to a request */
	STEP_REFUSE, /* a request */
	STEP_SAY,    /* a u16 length and a packet */
	STEP_ATTACH,
	STEP_FLOOD, /* fill the window */
	STEP_TURN,
};

struct caller {
	struct key_operation operation;
	unsigned char signature[ROOM];
};

struct scene {
	struct key_client *client;
	int keeper; /* -1: none */
	uint64_t heard[CALLERS];
	size_t heard_count;
	struct caller callers[CALLERS];
	struct caller flood[KEY_CLIENT_WINDOW];
};

static struct event_base *base;

static void
on_accused(uint32_t number, const char *why, void *argument)
{
	const struct scene *scene = argument;

	(void)number;
	if (why[0] == '\0' || key_client_under_way(scene->client) > 0)
		abort();
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
	const struct caller *caller = argument;

	if (operation->state == KEY_OPERATION_PENDING ||
	    (operation->state == KEY_OPERATION_ANSWERED &&
	     (operation->length == 0 || operation->length > ROOM)) ||
	    operation != &caller->operation)
		abort();
	operation->is_paused = false;
}

static void
say(struct scene *scene, const void *bytes, size_t length)
{
	/* What does not fit, or is not heard any more, is lost. */
	if (scene->keeper >= 0)
		(void)!send(scene->keeper, bytes, length,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
attach(struct scene *scene)
{
	static const unsigned char hello[] = {0, MESSAGE_HELLO, 0, 0,
					      0, IPC_PROTOCOL};
	int sockets[2];

	if (scene->keeper >= 0)
		close(scene->keeper);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		abort();
	scene->keeper = sockets[1];
	scene->heard_count = 0;
	key_client_attach(scene->client, 0, sockets[0]);
	say(scene, hello, sizeof(hello));
}

static void
start(struct caller *caller)
{
	static const unsigned char key_id[KEY_ID_SIZE] = {1};
	static const struct sign_request request = {
		0x0403, (const unsigned char *)"message", 7};
	struct key_operation *operation = &caller->operation;

	if (operation->state == KEY_OPERATION_PENDING)
		return;
	operation->ready = on_ready;
	operation->argument = caller;
	if (!key_operation_begin(operation, caller->signature, ROOM))
		abort();
	operation->is_paused = true;
	if (remote_key_functions()->start(operation, key_id, &request) != 0)
		key_operation_lose(operation->number);
}

static void
abandon(struct caller *caller)
{
	if (caller->operation.state != KEY_OPERATION_PENDING)
		return;
	caller->operation.is_paused = false;
	key_operation_lose(caller->operation.number);
}

/* Learn the numbers of requests. */
static void
hear(struct scene *scene)
{
	unsigned char packet[512];
	struct sign_message read;
	struct error error;
	ssize_t length;

	while (scene->keeper >= 0 &&
	       (length = recv(scene->keeper, packet, sizeof(packet),
			      MSG_DONTWAIT)) > 0) {
		if (packet[1] == MESSAGE_HELLO)
			continue;
		if (length < 2 || packet[1] != MESSAGE_SIGN ||
		    sign_message_read(packet + 2, (size_t)length - 2, -1, &read,
				      &error) != 0)
			abort();
		scene->heard[scene->heard_count++ % CALLERS] = read.number;
	}
}

static void
answer(struct scene *scene, size_t which, struct buf_reader *input)
{
	unsigned char packet[2 + 8 + UINT8_MAX] = {0};
	struct buf_writer writer;
	const unsigned char *signature = NULL;
	size_t length = 0;

	if (input) {
		length = buf_read_u8(input);
		signature = buf_read_bytes(input, length);
		if (!signature)
			return;
	}
	buf_write_init(&writer, packet, sizeof(packet));
	buf_write_u16(&writer, input ? MESSAGE_SIGNED : MESSAGE_REFUSED);
	buf_write_u64(&writer, scene->heard[which]);
	if (length > 0)
		buf_write_bytes(&writer, signature, length);
	say(scene, packet, writer.length);
}

static void
take_step(struct scene *scene, struct buf_reader *input)
{
	uint8_t step = buf_read_u8(input);
	struct caller *caller = &scene->callers[step % CALLERS];
	const unsigned char *packet;
	size_t length;

	switch ((enum step)(step / CALLERS)) {
	case STEP_START:
		start(caller);
		break;
	case STEP_ABANDON:
		abandon(caller);
		break;
	case STEP_SIGN:
		answer(scene, step % CALLERS, input);
		break;
	case STEP_REFUSE:
		answer(scene, step % CALLERS, NULL);
		break;
	case STEP_SAY:
		length = buf_read_u16(input);
		packet = buf_read_bytes(input, length);
		if (packet)
			say(scene, packet, length);
		break;
	case STEP_ATTACH:
		attach(scene);
		break;
	case STEP_FLOOD:
		for (size_t i = 0; i < KEY_CLIENT_WINDOW; i++)
			start(&scene->flood[i]);
		break;
	case STEP_TURN:
		event_base_loop(base, EVLOOP_NONBLOCK);
		hear(scene);
		break;
	}
	if (key_client_under_way(scene->client) > KEY_CLIENT_WINDOW)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct scene scene;
	struct buf_reader input;
	struct error error;

	log_configure(NULL, 0);
	if (!base)
		base = event_base_new();
	memset(&scene, 0, sizeof(scene));
	scene.keeper = -1;
	scene.client = key_client_new(base, 60000, &key_client_events, &scene);
	if (key_client_install(scene.client, &error) != 0)
		abort();
	buf_read_init(&input, bytes, length);
	while (input.length > 0)
		take_step(&scene, &input);
	event_base_loop(base, EVLOOP_NONBLOCK);
	key_operation_lose_all();
	if (key_operation_count() != 0 || key_client_waiting(scene.client) != 0)
		abort();
	key_client_free(scene.client);
	ticket_keys_drop_all();
	if (scene.keeper >= 0)
		close(scene.keeper);
	return 0;
}
