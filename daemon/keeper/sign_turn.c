/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker that was taken over may send anything here.
 */
#include "daemon/keeper/sign_turn.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/sign_message.h"
#include "common/tls/signer.h"
#include "daemon/keeper/key_store.h"
#include "daemon/process/packet.h"

struct sign_turn {
	struct key_store *keys;
	struct sign_message message; /* in memory, or a copy of a file */
	bool is_short_of_fds;        /* its file found no room here */
	struct error error;          /* why it was refused */
	unsigned char memory[PACKET_MAX];
};

static const struct ipc_side side = {.self = IPC_KEEPER, .other = IPC_WORKER};

struct sign_turn *
sign_turn_new(struct key_store *keys)
{
	struct sign_turn *turn = mem_alloc(sizeof(*turn));

	turn->keys = keys;
	return turn;
}

void
sign_turn_free(struct sign_turn *turn)
{
	if (!turn)
		return;
	sign_message_clear(&turn->message);
	mem_free(turn);
}

/* The head of a request whose file was lost, for the refusal. */
static void
read_without_file(struct sign_turn *turn, const struct packet *packet)
{
	struct buf_reader reader;

	buf_read_init(&reader, packet->body, packet->length);
	turn->message.number = buf_read_u64(&reader);
	turn->message.key_id = buf_read_bytes(&reader, KEY_ID_SIZE);
	turn->is_short_of_fds = true;
}

/* NULL, or what is wrong with it. */
static const char *
read_request(struct sign_turn *turn, const struct packet *packet)
{
	sign_message_clear(&turn->message);
	turn->is_short_of_fds = false;
	if (packet->has_lost_fds && packet->fd_count > 0)
		return "a message with too many descriptors";
	if (packet->has_lost_fds) {
		read_without_file(turn, packet);
		return NULL;
	}
	if (sign_message_read(packet->body, packet->length,
			      packet->fd_count > 0 ? packet->fds[0] : -1,
			      &turn->message, NULL) != 0)
		return "a request for a signature that cannot be read";
	return NULL;
}

enum sign_turn_taken
sign_turn_take(struct sign_turn *turn, int socket, bool *is_greeted,
	       const char **why)
{
	struct packet packet;

	/* One descriptor: no worker's packets leave others without. */
	switch (packet_receive(socket, turn->memory, 1, &packet, why)) {
	case PACKET_RECEIVED:
		break;
	case PACKET_NOTHING:
		return SIGN_TURN_NOTHING;
	case PACKET_END:
		return SIGN_TURN_END;
	case PACKET_FAILED:
		return SIGN_TURN_LIE;
	}
	*why = packet_judge(&packet, side, is_greeted);
	if (!*why && packet.type == MESSAGE_SIGN)
		*why = read_request(turn, &packet);
	packet_close_fds(&packet);
	if (*why)
		return SIGN_TURN_LIE;
	return packet.type == MESSAGE_SIGN ? SIGN_TURN_REQUEST
					   : SIGN_TURN_NOTHING;
}

static int
sign(struct sign_turn *turn, unsigned char *signature, size_t *length)
{
	if (turn->is_short_of_fds) {
		error_set(&turn->error, "no descriptor is left for its file, "
					"see the limit of open files");
		return -1;
	}
	return key_store_sign(turn->keys, turn->message.key_id,
			      &turn->message.request, signature, length,
			      &turn->error);
}

enum sign_turn_answered
sign_turn_answer(struct sign_turn *turn, int socket)
{
	unsigned char signature[SIGNATURE_MAX];
	unsigned char body[8 + SIGNATURE_MAX];
	struct message answer = {.type = MESSAGE_SIGNED};
	size_t length = sizeof(signature);

	turn->error = (struct error){0};
	buf_write_init(&answer.body, body, sizeof(body));
	buf_write_u64(&answer.body, turn->message.number);
	if (sign(turn, signature, &length) == 0)
		buf_write_bytes(&answer.body, signature, length);
	else
		answer.type = MESSAGE_REFUSED;
	if (packet_send(socket, &answer) != 0)
		return errno == EPIPE || errno == ECONNRESET ? SIGN_TURN_GONE
							     : SIGN_TURN_STUCK;
	return answer.type == MESSAGE_SIGNED ? SIGN_TURN_SIGNED
					     : SIGN_TURN_REFUSED;
}

const unsigned char *
sign_turn_key_id(const struct sign_turn *turn)
{
	return turn->message.key_id;
}

const char *
sign_turn_why(const struct sign_turn *turn)
{
	return turn->error.text;
}
