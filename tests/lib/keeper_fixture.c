/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See the header. What cannot be made ends the test program.
 */
#include "tests/lib/keeper_fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_create.h"
#include "common/tls/local_keys.h"
#include "common/tls/sign_message.h"
#include "common/tls/signature_scheme.h"
#include "common/tls/signer.h"
#include "daemon/keeper/key_store.h"
#include "tests/lib/sign_text.h"

#define DEADLINE_MS 20000

#define NEED(condition)                                              \
	do {                                                         \
		if (!(condition)) {                                  \
			fprintf(stderr, "keeper_fixture: %s (%s)\n", \
				#condition, strerror(errno));        \
			abort();                                     \
		}                                                    \
	} while (0)

static const struct {
	const char *kind;
	uint16_t scheme;
	unsigned int uses;
} kinds[KEEPER_KEY_COUNT] = {
	[KEEPER_RSA] = {"rsa2048", 0x0804, KEY_USE_SERVER},
	[KEEPER_RSA_PSS] = {"rsa-pss2048", 0x0809, KEY_USE_SERVER},
	[KEEPER_P256] = {"p256", 0x0403, KEY_USE_SERVER},
	[KEEPER_P384] = {"p384", 0x0503, KEY_USE_SERVER},
	[KEEPER_P521] = {"p521", 0x0603, KEY_USE_SERVER},
	[KEEPER_ED25519] = {"ed25519", 0x0807, KEY_USE_SERVER},
	[KEEPER_ED448] = {"ed448", 0x0808, KEY_USE_SERVER},
	[KEEPER_CLIENT] = {"p256", 0x0403, KEY_USE_CLIENT},
};

static EVP_PKEY *keys[KEEPER_KEY_COUNT];

/* A text instead of a digest; nobody minds. */
static void
key_id(enum keeper_key key, unsigned char id[KEY_ID_SIZE])
{
	memset(id, 'k', KEY_ID_SIZE);
	id[0] = (unsigned char)key;
}

struct key_store *
keeper_fixture_store(void)
{
	struct key_store *store = key_store_new();
	struct local_keys *table = key_store_lock(store);
	unsigned char id[KEY_ID_SIZE];
	struct error error = {0};

	for (unsigned int i = 0; i < KEEPER_KEY_COUNT; i++) {
		if (!keys[i])
			keys[i] = certificate_create_key(kinds[i].kind, &error);
		NEED(keys[i]);
		key_id(i, id);
		NEED(local_keys_add(table, id, keys[i], kinds[i].uses,
				    &error) == 0);
	}
	key_store_unlock(store);
	return store;
}

EVP_PKEY *
keeper_fixture_key(enum keeper_key key)
{
	return keys[key];
}

uint16_t
keeper_fixture_scheme(enum keeper_key key)
{
	return kinds[key].scheme;
}

static void
write_text(struct sign_text *text, enum keeper_key key, uint64_t number)
{
	sign_text_init(text);
	sign_text_verify(
		text,
		key == KEEPER_CLIENT ? SIGN_TEXT_CLIENT : SIGN_TEXT_SERVER, 32);
	memcpy(text->bytes + text->writer.length - sizeof(number), &number,
	       sizeof(number));
}

struct message *
keeper_fixture_request(enum keeper_key key, uint64_t number)
{
	struct sign_request request = {.scheme = kinds[key].scheme};
	unsigned char id[KEY_ID_SIZE];
	struct error error = {0};
	struct message *message;
	struct sign_text text;

	write_text(&text, key, number);
	request.message = text.bytes;
	request.length = text.writer.length;
	key_id(key, id);
	message = sign_message_new(number, id, &request, &error);
	NEED(message);
	return message;
}

static bool
is_valid(enum keeper_key key, const struct sign_text *text,
	 const unsigned char *signature, size_t length)
{
	const struct signature_scheme *scheme =
		signature_scheme_by_code(kinds[key].scheme);
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings;

	NEED(EVP_DigestVerifyInit_ex(context, &settings,
				     signature_digest_name(scheme->digest),
				     NULL, NULL, keys[key], NULL) == 1);
	if (scheme->padding == SIGNATURE_PADDING_PSS)
		NEED(EVP_PKEY_CTX_set_rsa_padding(settings,
						  RSA_PKCS1_PSS_PADDING) == 1);
	return EVP_DigestVerify(context, signature, length, text->bytes,
				text->writer.length) == 1;
}

bool
keeper_fixture_is_right(enum keeper_key key, uint64_t number,
			const struct packet *answer)
{
	struct buf_reader reader;
	struct sign_text text;

	buf_read_init(&reader, answer->body, answer->length);
	if (answer->type != MESSAGE_SIGNED || buf_read_u64(&reader) != number)
		return false;
	write_text(&text, key, number);
	return is_valid(key, &text, reader.bytes, reader.length);
}

void
keeper_fixture_send(int socket, struct message *message)
{
	struct pollfd room = {.fd = socket, .events = POLLOUT};

	while (packet_send(socket, message) != 0) {
		NEED(errno == EAGAIN);
		NEED(poll(&room, 1, DEADLINE_MS) == 1);
	}
	message_free(message);
}

void
keeper_fixture_greet(int socket)
{
	struct message *hello = message_new(MESSAGE_HELLO);

	buf_write_u32(&hello->body, IPC_PROTOCOL);
	keeper_fixture_send(socket, hello);
}

bool
keeper_fixture_receive(int socket, struct packet *packet)
{
	static _Thread_local unsigned char memory[PACKET_MAX];
	struct pollfd answer = {.fd = socket, .events = POLLIN};
	const char *why;

	do {
		if (poll(&answer, 1, DEADLINE_MS) != 1 ||
		    packet_receive(socket, memory, 0, packet, &why) !=
			    PACKET_RECEIVED)
			return false;
	} while (packet->type == MESSAGE_HELLO ||
		 packet->type == MESSAGE_TICKETS);
	return true;
}

void
keeper_fixture_say(int socket, const void *bytes, size_t length, int descriptor,
		   size_t count)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	int descriptors[4];
	/* An exact copy, so that a read past the end is seen. */
	AUTO_FREE unsigned char *copy = mem_dup(bytes, length);
	struct iovec part = {.iov_base = copy, .iov_len = length};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

	if (descriptor >= 0) {
		NEED(count <= 4);
		for (size_t i = 0; i < count; i++)
			descriptors[i] = descriptor;
		memset(&control, 0, sizeof(control));
		packet.msg_control = control.space;
		packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), descriptors,
		       count * sizeof(int));
	}
	NEED(sendmsg(socket, &packet, MSG_NOSIGNAL) == (ssize_t)length);
}
