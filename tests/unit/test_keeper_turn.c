/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request of a worker without the threads: what is answered, what is
 * refused, and what is a lie.
 */
#include "daemon/keeper/sign_turn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/tls/sign_message.h"
#include "daemon/keeper/key_store.h"
#include "tests/lib/keeper_fixture.h"
#include "tests/lib/sign_text.h"
#include "tests/unit/unit.h"

struct scene {
	struct key_store *store;
	struct sign_turn *turn;
	int keeper;
	int worker;
	bool is_greeted;
	const char *why;
};

static void
begin(struct scene *scene)
{
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	*scene = (struct scene){
		.store = keeper_fixture_store(),
		.keeper = ends[0],
		.worker = ends[1],
		.is_greeted = true,
	};
	scene->turn = sign_turn_new(scene->store);
}

static void
end(struct scene *scene)
{
	sign_turn_free(scene->turn);
	key_store_free(scene->store);
	close(scene->keeper);
	if (scene->worker >= 0)
		close(scene->worker);
}

static enum sign_turn_taken
take(struct scene *scene)
{
	scene->why = NULL;
	return sign_turn_take(scene->turn, scene->keeper, &scene->is_greeted,
			      &scene->why);
}

static size_t
count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* A request by hand. */
struct text {
	unsigned char bytes[PACKET_MAX + 16];
	struct buf_writer writer;
};

/* Its head: for a key's TLS 1.3 signature, of a message of that length. */
static void
write_head(struct text *text, enum keeper_key key, uint32_t length)
{
	buf_write_init(&text->writer, text->bytes, sizeof(text->bytes));
	buf_write_u16(&text->writer, MESSAGE_SIGN);
	buf_write_u64(&text->writer, 77);
	buf_write_u8(&text->writer, (uint8_t)key);
	for (int i = 1; i < KEY_ID_SIZE; i++)
		buf_write_u8(&text->writer, 'k');
	buf_write_u16(&text->writer, keeper_fixture_scheme(key));
	buf_write_u32(&text->writer, length);
}

static void
say(struct scene *scene, const struct text *text)
{
	keeper_fixture_say(scene->worker, text->bytes, text->writer.length, -1,
			   0);
}

static void
expect_lie(struct scene *scene, const char *why)
{
	CU_ASSERT_EQUAL(take(scene), SIGN_TURN_LIE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->why);
	CU_ASSERT_STRING_EQUAL(scene->why, why);
}

static void
expect_refused(struct scene *scene, const char *part)
{
	struct packet packet = {0};

	CU_ASSERT_EQUAL(take(scene), SIGN_TURN_REQUEST);
	CU_ASSERT_EQUAL(sign_turn_answer(scene->turn, scene->keeper),
			SIGN_TURN_REFUSED);
	if (!strstr(sign_turn_why(scene->turn), part))
		printf("\"%s\" instead of \"%s\"\n", sign_turn_why(scene->turn),
		       part);
	CU_ASSERT_PTR_NOT_NULL(strstr(sign_turn_why(scene->turn), part));
	CU_ASSERT_PTR_NOT_NULL(sign_turn_key_id(scene->turn));
	CU_ASSERT_TRUE(keeper_fixture_receive(scene->worker, &packet));
	CU_ASSERT_EQUAL(packet.type, MESSAGE_REFUSED);
	CU_ASSERT_EQUAL(packet.length, 8);
}

static void
expect_signed(struct scene *scene, enum keeper_key key, uint64_t number)
{
	struct packet packet = {0};

	keeper_fixture_send(scene->worker, keeper_fixture_request(key, number));
	CU_ASSERT_EQUAL(take(scene), SIGN_TURN_REQUEST);
	CU_ASSERT_EQUAL(sign_turn_answer(scene->turn, scene->keeper),
			SIGN_TURN_SIGNED);
	CU_ASSERT_TRUE(keeper_fixture_receive(scene->worker, &packet));
	CU_ASSERT_TRUE(keeper_fixture_is_right(key, number, &packet));
}

static void
test_each_key(void)
{
	struct scene scene;

	begin(&scene);
	for (unsigned int key = 0; key < KEEPER_KEY_COUNT; key++)
		expect_signed(&scene, key, 1000 + key);
	CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_NOTHING);
	close(scene.worker);
	scene.worker = -1;
	CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_END);
	end(&scene);
}

static void
test_greeting(void)
{
	struct scene scene;

	begin(&scene);
	scene.is_greeted = false;
	keeper_fixture_greet(scene.worker);
	CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_NOTHING);
	CU_ASSERT_TRUE(scene.is_greeted);
	expect_signed(&scene, KEEPER_P256, 1);
	keeper_fixture_greet(scene.worker);
	expect_lie(&scene, "a second hello");
	scene.is_greeted = false;
	keeper_fixture_send(scene.worker,
			    keeper_fixture_request(KEEPER_P256, 2));
	expect_lie(&scene, "no hello at the start");
	end(&scene);
}

static void
test_each_type(void)
{
	struct scene scene;

	begin(&scene);
	for (unsigned int type = 0; type <= 0xffff; type += 0xff) {
		struct text text;

		write_head(&text, KEEPER_P256, 0);
		text.bytes[0] = (unsigned char)(type >> 8);
		text.bytes[1] = (unsigned char)type;
		if (type == MESSAGE_SIGN || type == MESSAGE_HELLO)
			continue;
		say(&scene, &text);
		expect_lie(&scene, "a message that is not permitted here");
	}
	for (unsigned int type = 0; type < MESSAGE_TYPE_COUNT + 3; type++) {
		unsigned char bytes[48] = {0, (unsigned char)type};

		if (type == MESSAGE_SIGN)
			continue;
		keeper_fixture_say(scene.worker, bytes, sizeof(bytes), -1, 0);
		CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_LIE);
	}
	end(&scene);
}

/* A request cut off or drawn out by any number of bytes. */
static void
test_each_length(void)
{
	struct message *message = keeper_fixture_request(KEEPER_ED25519, 5);
	const size_t right = PACKET_HEADER_SIZE + message->body.length;
	unsigned char bytes[512] = {0, MESSAGE_SIGN};
	struct scene scene;

	begin(&scene);
	memcpy(bytes + 2, message->body.bytes, message->body.length);
	message_free(message);
	for (size_t length = 1; length < sizeof(bytes); length++) {
		keeper_fixture_say(scene.worker, bytes, length, -1, 0);
		CU_ASSERT_EQUAL(take(&scene), length == right
						      ? SIGN_TURN_REQUEST
						      : SIGN_TURN_LIE);
	}
	/* A packet of nothing is an end. */
	keeper_fixture_say(scene.worker, bytes, 0, -1, 0);
	CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_END);
	end(&scene);
}

/* A request that says of itself to be of another length. */
static void
test_each_claim(void)
{
	static const uint32_t claims[] = {
		0,
		1,
		129,
		131,
		SIGN_MESSAGE_INLINE_MAX,
		SIGN_MESSAGE_INLINE_MAX + 1,
		SIGN_MESSAGE_MAX,
		SIGN_MESSAGE_MAX + 1,
		0x7fffffff,
		0x80000000,
		0xffffffd2, /* with the head it is 0 in 32 bits */
		0xffffffff,
	};
	struct scene scene;
	struct text text;

	begin(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		write_head(&text, KEEPER_P256, claims[i]);
		for (int j = 0; j < 130; j++)
			buf_write_u8(&text.writer, ' ');
		say(&scene, &text);
		expect_lie(&scene,
			   "a request for a signature that cannot be read");
	}
	end(&scene);
}

static void
test_refusals(void)
{
	struct scene scene;
	struct text text;

	begin(&scene);
	/* Nothing at all, and the longest. */
	write_head(&text, KEEPER_P256, 0);
	say(&scene, &text);
	expect_refused(&scene, "");
	write_head(&text, KEEPER_P256, SIGN_MESSAGE_INLINE_MAX);
	for (int i = 0; i < SIGN_MESSAGE_INLINE_MAX; i++)
		buf_write_u8(&text.writer, ' ');
	say(&scene, &text);
	expect_refused(&scene, "");
	/* No such key, no such scheme, another key's scheme. */
	write_head(&text, KEEPER_P256, 0);
	text.bytes[2 + 8] = KEEPER_KEY_COUNT;
	say(&scene, &text);
	expect_refused(&scene, "no such key");
	write_head(&text, KEEPER_P256, 0);
	text.bytes[42] = 0x77;
	say(&scene, &text);
	expect_refused(&scene, "not one to sign with");
	end(&scene);
}

static void
test_refused_uses(void)
{
	struct message *message;
	struct scene scene;

	begin(&scene);
	/* What a server has signed by the key of a client, and the other way
	 * round. */
	message = keeper_fixture_request(KEEPER_P256, 1);
	message->body.bytes[8] = KEEPER_CLIENT;
	keeper_fixture_send(scene.worker, message);
	expect_refused(&scene, "not for a server's signatures");
	message = keeper_fixture_request(KEEPER_CLIENT, 1);
	message->body.bytes[8] = KEEPER_P256;
	keeper_fixture_send(scene.worker, message);
	expect_refused(&scene, "not for a client's signatures");
	/* Another key of the same kind of scheme. */
	message = keeper_fixture_request(KEEPER_P256, 1);
	message->body.bytes[8] = KEEPER_RSA;
	keeper_fixture_send(scene.worker, message);
	expect_refused(&scene, "another type of key");
	expect_signed(&scene, KEEPER_P256, 2);
	end(&scene);
}

/* Descriptors. */

static void
send_with(struct scene *scene, uint32_t length, int descriptor, size_t count)
{
	struct text text;

	write_head(&text, KEEPER_CLIENT, length);
	keeper_fixture_say(scene->worker, text.bytes, text.writer.length,
			   descriptor, count);
}

/* A TLS 1.2 client's transcript, drawn out by its certificate to be longer
 * than a packet. */
static unsigned char *
long_transcript(size_t *length)
{
	const size_t extra = 100000;
	struct sign_text text;
	unsigned char *bytes;
	size_t at;

	sign_text_init(&text);
	sign_text_transcript(&text, 0x0303);
	/* The server's Certificate stands behind the hellos. */
	at = SIGN_TEXT_CLIENT_HELLO_LENGTH + SIGN_TEXT_SERVER_HELLO_LENGTH;
	CU_ASSERT_EQUAL_FATAL(text.bytes[at], 11);
	bytes = mem_alloc(text.writer.length + extra);
	*length = text.writer.length + extra;
	memcpy(bytes, text.bytes, at + 10);
	memcpy(bytes + at + 10 + extra, text.bytes + at + 10,
	       text.writer.length - at - 10);
	for (int i = 0; i < 3; i++) {
		unsigned char *size = bytes + at + 1 + 3 * i;
		size_t value =
			(size_t)size[0] << 16 | (size_t)size[1] << 8 | size[2];

		value += extra;
		size[0] = (unsigned char)(value >> 16);
		size[1] = (unsigned char)(value >> 8);
		size[2] = (unsigned char)value;
	}
	return bytes;
}

static void
test_long_message(void)
{
	AUTO_FREE unsigned char *bytes = NULL;
	size_t length, before;
	struct packet packet;
	struct scene scene;
	int descriptor;

	begin(&scene);
	bytes = long_transcript(&length);
	before = count_descriptors();
	descriptor = sealed_new("test", bytes, length);
	send_with(&scene, (uint32_t)length, descriptor, 1);
	close(descriptor);
	CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_REQUEST);
	CU_ASSERT_EQUAL(sign_turn_answer(scene.turn, scene.keeper),
			SIGN_TURN_SIGNED);
	CU_ASSERT_STRING_EQUAL(sign_turn_why(scene.turn), "");
	CU_ASSERT_TRUE(keeper_fixture_receive(scene.worker, &packet));
	CU_ASSERT_EQUAL(packet.type, MESSAGE_SIGNED);
	CU_ASSERT_EQUAL(count_descriptors(), before);
	end(&scene);
}

static void
test_each_file_length(void)
{
	static const size_t lengths[] = {
		0,
		1,
		SIGN_MESSAGE_INLINE_MAX,
		SIGN_MESSAGE_INLINE_MAX + 1,
		SIGN_MESSAGE_MAX,
		SIGN_MESSAGE_MAX + 1,
	};
	AUTO_FREE unsigned char *bytes = mem_alloc(SIGN_MESSAGE_MAX + 1);
	size_t before;
	struct scene scene;

	begin(&scene);
	before = count_descriptors();
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		bool is_good = lengths[i] > SIGN_MESSAGE_INLINE_MAX &&
			       lengths[i] <= SIGN_MESSAGE_MAX;
		int descriptor = sealed_new("test", bytes, lengths[i]);

		send_with(&scene, (uint32_t)lengths[i], descriptor, 1);
		if (is_good)
			expect_refused(&scene, "");
		else
			CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_LIE);
		/* One more and one less than there is. */
		send_with(&scene, (uint32_t)lengths[i] + 1, descriptor, 1);
		CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_LIE);
		send_with(&scene, (uint32_t)lengths[i] - 1, descriptor, 1);
		CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_LIE);
		close(descriptor);
	}
	CU_ASSERT_EQUAL(count_descriptors(), before);
	end(&scene);
}

#define FILE_LENGTH 60000

static int
memory_file(int seals)
{
	int descriptor = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CU_ASSERT_EQUAL(ftruncate(descriptor, FILE_LENGTH), 0);
	CU_ASSERT_EQUAL(fcntl(descriptor, F_ADD_SEALS, seals), 0);
	return descriptor;
}

static void
expect_no_file(struct scene *scene, int descriptor)
{
	CU_ASSERT_TRUE_FATAL(descriptor >= 0);
	send_with(scene, FILE_LENGTH, descriptor, 1);
	expect_lie(scene, "a request for a signature that cannot be read");
	close(descriptor);
}

/* Everything that is no sealed file in memory. */
static void
test_each_descriptor(void)
{
	size_t before;
	int ends[2];
	struct scene scene;

	begin(&scene);
	before = count_descriptors();
	expect_no_file(&scene, open("/dev/zero", O_RDWR | O_CLOEXEC));
	expect_no_file(&scene, open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	expect_no_file(&scene, open("/", O_RDONLY | O_CLOEXEC));
	expect_no_file(&scene, open("/", O_PATH | O_CLOEXEC));
	CU_ASSERT_EQUAL(pipe2(ends, O_CLOEXEC), 0);
	expect_no_file(&scene, ends[0]);
	expect_no_file(&scene, ends[1]);
	CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	expect_no_file(&scene, ends[0]);
	expect_no_file(&scene, ends[1]);
	expect_no_file(&scene, memory_file(0));
	expect_no_file(&scene, memory_file(F_SEAL_WRITE | F_SEAL_GROW));
	expect_no_file(&scene, memory_file(F_SEAL_WRITE | F_SEAL_SHRINK));
	expect_no_file(&scene, memory_file(F_SEAL_SHRINK | F_SEAL_GROW));
	CU_ASSERT_EQUAL(count_descriptors(), before);
	end(&scene);
}

static void
test_descriptors_where_none_belong(void)
{
	unsigned char hello[] = {0, MESSAGE_HELLO, 0, 0, 0, IPC_PROTOCOL};
	struct message *message = keeper_fixture_request(KEEPER_P256, 1);
	unsigned char bytes[512] = {0, MESSAGE_SIGN};
	size_t before, length = 2 + message->body.length;
	struct scene scene;
	int descriptor;

	begin(&scene);
	before = count_descriptors();
	memcpy(bytes + 2, message->body.bytes, message->body.length);
	message_free(message);
	keeper_fixture_say(scene.worker, bytes, length, STDERR_FILENO, 1);
	CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_LIE);
	scene.is_greeted = false;
	keeper_fixture_say(scene.worker, hello, sizeof(hello), STDERR_FILENO,
			   1);
	CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_LIE);
	scene.is_greeted = true;
	descriptor = memory_file(F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
	for (size_t count = 2; count <= 4; count++) {
		send_with(&scene, FILE_LENGTH, descriptor, count);
		expect_lie(&scene, "a message with too many descriptors");
	}
	close(descriptor);
	CU_ASSERT_EQUAL(count_descriptors(), before);
	end(&scene);
}

/* That there is no room here is not the worker's fault. */
static void
test_no_room_for_a_descriptor(void)
{
	struct rlimit before, none;
	struct packet packet = {0};
	struct scene scene;
	int descriptor;

	begin(&scene);
	descriptor = memory_file(F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
	send_with(&scene, FILE_LENGTH, descriptor, 1);
	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){.rlim_max = before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_REQUEST);
	setrlimit(RLIMIT_NOFILE, &before);
	CU_ASSERT_EQUAL(sign_turn_answer(scene.turn, scene.keeper),
			SIGN_TURN_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(sign_turn_why(scene.turn), "limit of open files"));
	CU_ASSERT_TRUE(keeper_fixture_receive(scene.worker, &packet));
	CU_ASSERT_EQUAL(packet.type, MESSAGE_REFUSED);
	close(descriptor);
	expect_signed(&scene, KEEPER_P256, 1);
	end(&scene);
}

/* Answers that nobody takes. */
static void
test_answers_left(void)
{
	enum sign_turn_answered answered = SIGN_TURN_SIGNED;
	struct scene scene;
	size_t count = 0;

	begin(&scene);
	while (answered == SIGN_TURN_SIGNED && count < 100000) {
		keeper_fixture_send(
			scene.worker,
			keeper_fixture_request(KEEPER_ED25519, count++));
		CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_REQUEST);
		answered = sign_turn_answer(scene.turn, scene.keeper);
	}
	CU_ASSERT_EQUAL(answered, SIGN_TURN_STUCK);
	/* More than a worker's whole window. */
	CU_ASSERT_TRUE(count > 64);
	keeper_fixture_send(scene.worker,
			    keeper_fixture_request(KEEPER_ED25519, 1));
	close(scene.worker);
	scene.worker = -1;
	CU_ASSERT_EQUAL(take(&scene), SIGN_TURN_REQUEST);
	CU_ASSERT_EQUAL(sign_turn_answer(scene.turn, scene.keeper),
			SIGN_TURN_GONE);
	end(&scene);
}

UNIT_SUITE(keeper_turn, {"each_key", test_each_key},
	   {"greeting", test_greeting}, {"each_type", test_each_type},
	   {"each_length", test_each_length}, {"each_claim", test_each_claim},
	   {"refusals", test_refusals}, {"refused_uses", test_refused_uses},
	   {"long_message", test_long_message},
	   {"each_file_length", test_each_file_length},
	   {"each_descriptor", test_each_descriptor},
	   {"descriptors_where_none_belong",
	    test_descriptors_where_none_belong},
	   {"no_room_for_a_descriptor", test_no_room_for_a_descriptor},
	   {"answers_left", test_answers_left});
