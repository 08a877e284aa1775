/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a worker that was taken over could send to the keeper. The input is a
 * sequence of packets, each a u8 for the descriptor that comes with it, a u16
 * length, and the bytes. What is a request must be taken for one and answered
 * once, under its number; everything else is a lie, and the end.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/tls/local_keys.h"
#include "common/tls/sign_message.h"
#include "daemon/keeper/key_store.h"
#include "daemon/keeper/sign_turn.h"
#include "daemon/process/packet.h"

/* A file that may come with a request: zeros, all of them. */
#define FILE_LENGTH 60000

#define HEAD (8 + SIGN_REQUEST_OVERHEAD)

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum attachment {
	ATTACH_NOTHING,
	ATTACH_FILE,     /* sealed */
	ATTACH_TWO,      /* the same twice */
	ATTACH_UNSEALED, /* a file in memory, of that length */
	ATTACH_SHORT,    /* sealed, with a byte less */
	ATTACH_DEVICE,
	ATTACH_SOCKET,
	ATTACH_COUNT,
};

static int attachments[ATTACH_COUNT];
static struct key_store *store;
static struct sign_turn *turn;

static void
need(bool condition)
{
	if (!condition)
		abort();
}

static void
make_attachments(void)
{
	static unsigned char zeros[FILE_LENGTH];
	int ends[2];

	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	attachments[ATTACH_NOTHING] = -1;
	attachments[ATTACH_FILE] = sealed_new("fuzz", zeros, FILE_LENGTH);
	attachments[ATTACH_TWO] = attachments[ATTACH_FILE];
	attachments[ATTACH_UNSEALED] =
		memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	attachments[ATTACH_SHORT] = sealed_new("fuzz", zeros, FILE_LENGTH - 1);
	attachments[ATTACH_DEVICE] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	attachments[ATTACH_SOCKET] = ends[0];
	need(ftruncate(attachments[ATTACH_UNSEALED], FILE_LENGTH) == 0);
	for (int i = 1; i < ATTACH_COUNT; i++)
		need(attachments[i] >= 0);
}

/* Key 0 signs as a server, key 1 as a client. */
static void
make_keys(void)
{
	struct local_keys *keys;

	store = key_store_new();
	turn = sign_turn_new(store);
	keys = key_store_lock(store);
	for (unsigned int i = 0; i < 2; i++) {
		const unsigned char id[KEY_ID_SIZE] = {(unsigned char)i};
		EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

		need(key && local_keys_add(keys, id, key, 1U << i, NULL) == 0);
		EVP_PKEY_free(key);
	}
	key_store_unlock(store);
}

static bool
send_packet(int socket, const uint8_t *bytes, size_t length,
	    enum attachment attachment)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {
		.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	const int descriptors[2] = {attachments[attachment],
				    attachments[attachment]};
	size_t size = sizeof(int) * (attachment == ATTACH_TWO ? 2 : 1);
	/* An exact copy, so that a read past the end is seen. */
	AUTO_FREE unsigned char *copy = mem_dup(bytes, length);
	struct iovec part = {.iov_base = copy, .iov_len = length};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

	if (attachment != ATTACH_NOTHING) {
		control.header.cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(&control.header), descriptors, size);
		packet.msg_control = control.space;
		packet.msg_controllen = CMSG_SPACE(size);
	}
	return sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* The rules in other words than the keeper's. */
static enum sign_turn_taken
expected(const uint8_t *bytes, size_t length, enum attachment attachment,
	 bool is_greeted)
{
	static const uint8_t hello[] = {0, MESSAGE_HELLO, 0, 0,
					0, IPC_PROTOCOL};
	struct buf_reader reader;
	size_t claimed;

	if (length == 0)
		return SIGN_TURN_END;
	if (length == sizeof(hello) && memcmp(bytes, hello, length) == 0 &&
	    !is_greeted && attachment == ATTACH_NOTHING)
		return SIGN_TURN_NOTHING;
	if (!is_greeted || length < 2 + HEAD || bytes[0] != 0 ||
	    bytes[1] != MESSAGE_SIGN)
		return SIGN_TURN_LIE;
	buf_read_init(&reader, bytes + 2 + HEAD - 4, 4);
	claimed = buf_read_u32(&reader);
	if (attachment == ATTACH_NOTHING
		    ? claimed == length - 2 - HEAD &&
			      claimed <= SIGN_MESSAGE_INLINE_MAX
		    : attachment == ATTACH_FILE && length == 2 + HEAD &&
			      claimed == FILE_LENGTH)
		return SIGN_TURN_REQUEST;
	if (attachment == ATTACH_SHORT && length == 2 + HEAD &&
	    claimed == FILE_LENGTH - 1)
		return SIGN_TURN_REQUEST;
	return SIGN_TURN_LIE;
}

static void
check_answer(int keeper, int worker, const uint8_t *request)
{
	static unsigned char memory[PACKET_MAX];
	enum sign_turn_answered answered = sign_turn_answer(turn, keeper);
	struct packet answer;
	const char *why;

	need(packet_receive(worker, memory, 0, &answer, &why) ==
	     PACKET_RECEIVED);
	need(answer.length >= 8 && memcmp(answer.body, request + 2, 8) == 0);
	if (answered == SIGN_TURN_SIGNED) {
		need(answer.type == MESSAGE_SIGNED && answer.length == 8 + 64);
		return;
	}
	need(answered == SIGN_TURN_REFUSED && answer.type == MESSAGE_REFUSED);
	need(answer.length == 8 && sign_turn_why(turn)[0] != '\0');
	need(memcmp(sign_turn_key_id(turn), request + 10, KEY_ID_SIZE) == 0);
	need(packet_receive(worker, memory, 0, &answer, &why) ==
	     PACKET_NOTHING);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct buf_reader input;
	bool is_greeted = false;
	int ends[2];

	if (!store) {
		make_attachments();
		make_keys();
	}
	need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	buf_read_init(&input, bytes, length);
	while (input.length > 0) {
		enum attachment attachment = buf_read_u8(&input) % ATTACH_COUNT;
		size_t size = buf_read_u16(&input);
		const uint8_t *packet;
		enum sign_turn_taken want, taken;
		const char *why = NULL;

		if (size > input.length)
			size = input.length;
		packet = buf_read_bytes(&input, size);
		if (!packet || !send_packet(ends[1], packet, size, attachment))
			break;
		want = expected(packet, size, attachment, is_greeted);
		taken = sign_turn_take(turn, ends[0], &is_greeted, &why);
		need(taken == want);
		need((taken == SIGN_TURN_LIE) == (why != NULL));
		if (taken == SIGN_TURN_REQUEST)
			check_answer(ends[0], ends[1], packet);
		else if (taken != SIGN_TURN_NOTHING)
			break;
	}
	close(ends[0]);
	close(ends[1]);
	return 0;
}
