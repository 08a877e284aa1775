/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/tls/ticket_keys.h"
#include "common/tls/ticket_ring.h"
#include "common/tls/tls_settings.h"
#include "tests/unit/unit.h"

static const unsigned char id_one[TICKET_RING_ID_SIZE] = "one";
static const unsigned char id_two[TICKET_RING_ID_SIZE] = "two";

static struct ticket_key
key_of(unsigned char name, int64_t from, int64_t until)
{
	struct ticket_key key = {.aes_length = 32, .hmac_length = 32};

	memset(key.name, name, sizeof(key.name));
	memset(key.aes, name + 1, key.aes_length);
	memset(key.hmac, name + 2, key.hmac_length);
	key.from = from;
	key.until = until;
	return key;
}

static void
add(struct ticket_ring *ring, unsigned char name, int64_t from, int64_t until)
{
	const struct ticket_key key = key_of(name, from, until);

	CU_ASSERT(ticket_ring_add(ring, &key));
}

static unsigned char
name_of(const struct ticket_key *key)
{
	return key ? key->name[0] : 0;
}

static void
test_order(void)
{
	struct ticket_ring *ring = ticket_ring_new(id_one);
	const struct ticket_key again = key_of('b', 400, 500);
	unsigned char name[TICKET_KEY_NAME_SIZE];

	CU_ASSERT_PTR_NULL(ticket_ring_current(ring, 0));
	CU_ASSERT_PTR_NULL(ticket_ring_next(ring, 0));
	add(ring, 'b', 200, 400);
	add(ring, 'a', 100, 300);
	add(ring, 'c', 300, 500);
	CU_ASSERT_FALSE(ticket_ring_add(ring, &again));
	CU_ASSERT_EQUAL(ring->count, 3);
	CU_ASSERT_EQUAL(name_of(ticket_ring_current(ring, 100)), 'a');
	CU_ASSERT_EQUAL(name_of(ticket_ring_next(ring, 100)), 'b');
	CU_ASSERT_EQUAL(name_of(ticket_ring_current(ring, 199)), 'a');
	CU_ASSERT_EQUAL(name_of(ticket_ring_current(ring, 200)), 'b');
	CU_ASSERT_EQUAL(name_of(ticket_ring_next(ring, 299)), 'c');
	CU_ASSERT_EQUAL(name_of(ticket_ring_current(ring, 499)), 'c');
	CU_ASSERT_PTR_NULL(ticket_ring_next(ring, 300));
	/* A clock that was set back, one that is too late. */
	CU_ASSERT_EQUAL(name_of(ticket_ring_current(ring, 5)), 'a');
	CU_ASSERT_EQUAL(name_of(ticket_ring_next(ring, 5)), 'b');
	CU_ASSERT_PTR_NULL(ticket_ring_current(ring, 500));
	memset(name, 'a', sizeof(name));
	CU_ASSERT_EQUAL(name_of(ticket_ring_find(ring, name, 299)), 'a');
	CU_ASSERT_PTR_NULL(ticket_ring_find(ring, name, 300));
	memset(name, 'x', sizeof(name));
	CU_ASSERT_PTR_NULL(ticket_ring_find(ring, name, 100));
	ticket_ring_free(ring);
	ticket_ring_free(NULL);
}

static void
test_reserve(void)
{
	struct ticket_ring *ring = ticket_ring_new(id_one);
	struct ticket_key key = key_of('r', 0, INT64_MAX);

	key.is_reserve = true;
	CU_ASSERT(ticket_ring_add(ring, &key));
	CU_ASSERT_PTR_NULL(ticket_ring_current(ring, 1));
	add(ring, 'a', 0, INT64_MAX);
	CU_ASSERT_EQUAL(name_of(ticket_ring_current(ring, 1)), 'a');
	CU_ASSERT_EQUAL(name_of(ticket_ring_find(ring, key.name, 1)), 'r');
	ticket_ring_free(ring);
}

static void
test_full(void)
{
	struct ticket_ring *ring = ticket_ring_new(id_one);
	struct ticket_key key = key_of(200, 1, 2);

	for (unsigned char i = 0; i < TICKET_RING_KEYS_MAX; i++)
		add(ring, i, 1, 2);
	CU_ASSERT_FALSE(ticket_ring_add(ring, &key));
	ticket_ring_free(ring);
}

static void
test_wire(void)
{
	struct ticket_ring *ring = ticket_ring_new(id_one), *copy;
	AUTO_FREE unsigned char *bytes = mem_alloc(TICKET_RING_WIRE_MAX);
	struct ticket_key key = key_of('z', 5, 50);
	struct buf_writer writer;
	struct buf_reader reader;

	key.hmac_length = 64;
	key.aes_length = 16;
	key.is_reserve = true;
	memset(key.aes, 0, sizeof(key.aes));
	CU_ASSERT(ticket_ring_add(ring, &key));
	for (unsigned char i = 1; i < TICKET_RING_KEYS_MAX; i++)
		add(ring, i, i, 1000);
	buf_write_init(&writer, bytes, TICKET_RING_WIRE_MAX);
	ticket_ring_write(ring, &writer);
	CU_ASSERT_FALSE(writer.failed);
	buf_read_init(&reader, bytes, writer.length);
	copy = ticket_ring_read(&reader);
	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	CU_ASSERT(ticket_ring_equal(ring, copy));
	copy->keys[3].until++;
	CU_ASSERT_FALSE(ticket_ring_equal(ring, copy));
	ticket_ring_copy(copy, ring);
	CU_ASSERT(ticket_ring_equal(ring, copy));
	ticket_ring_free(copy);
	/* Every shorter one is none. */
	for (size_t i = 0; i < writer.length; i++) {
		buf_read_init(&reader, bytes, i);
		CU_ASSERT_PTR_NULL(ticket_ring_read(&reader));
		CU_ASSERT(reader.failed);
	}
	ticket_ring_free(ring);
}

static void
try_wire(size_t at, unsigned char value, bool is_good)
{
	struct ticket_ring *ring = ticket_ring_new(id_one), *copy;
	unsigned char bytes[2000];
	struct buf_writer writer;
	struct buf_reader reader;

	add(ring, 'a', 1, 2);
	buf_write_init(&writer, bytes, sizeof(bytes));
	ticket_ring_write(ring, &writer);
	bytes[at] = value;
	buf_read_init(&reader, bytes, writer.length);
	copy = ticket_ring_read(&reader);
	CU_ASSERT_EQUAL(copy != NULL, is_good);
	ticket_ring_free(copy);
	ticket_ring_free(ring);
}

static void
test_wire_refused(void)
{
	const size_t aes = 17 + 16, hmac = aes + 1 + 32, rest = hmac + 1 + 32;

	try_wire(16, 1, true);
	try_wire(16, 0, false); /* no key */
	try_wire(16, 2, false); /* one more */
	try_wire(aes, 31, false);
	try_wire(hmac, 33, false);
	try_wire(rest, 1, false);       /* nothing encrypts */
	try_wire(rest + 1, 255, false); /* before 1970 */
	try_wire(rest + 8, 2, false);   /* over before it begins */
	try_wire(rest + 9, 128, false);
}

static void
test_id(void)
{
	char file[] = "/k", other_file[] = "/l", *files[] = {file};
	struct tls_session session = {
		.is_resumed = true,
		.tickets = {.mode = TLS_TICKETS_AUTO,
			    .rotate_ms = 1000,
			    .keep = 3,
			    .files = files,
			    .file_count = 1},
	};
	unsigned char one[TICKET_RING_ID_SIZE], other[TICKET_RING_ID_SIZE];

	CU_ASSERT(ticket_ring_id(&session, one));
	session.tickets.lifetime_ms = 5;
	session.tickets.number = 5;
	files[0] = other_file;
	CU_ASSERT(ticket_ring_id(&session, other));
	CU_ASSERT(memcmp(one, other, sizeof(one)) == 0);
	session.tickets.keep = 4;
	CU_ASSERT(ticket_ring_id(&session, other));
	CU_ASSERT(memcmp(one, other, sizeof(one)) != 0);
	session.tickets.mode = TLS_TICKETS_FILES;
	CU_ASSERT(ticket_ring_id(&session, one));
	session.tickets.keep = 5;
	CU_ASSERT(ticket_ring_id(&session, other));
	CU_ASSERT(memcmp(one, other, sizeof(one)) == 0);
	files[0] = file;
	CU_ASSERT(ticket_ring_id(&session, other));
	CU_ASSERT(memcmp(one, other, sizeof(one)) != 0);
	session.tickets.mode = TLS_TICKETS_DERIVED;
	session.tickets.secret.name = file;
	CU_ASSERT(ticket_ring_id(&session, one));
	session.tickets.secret.name = other_file;
	CU_ASSERT(ticket_ring_id(&session, other));
	CU_ASSERT(memcmp(one, other, sizeof(one)) != 0);
	session.is_resumed = false;
	CU_ASSERT_FALSE(ticket_ring_id(&session, one));
	session.is_resumed = true;
	session.tickets.mode = TLS_TICKETS_OFF;
	CU_ASSERT_FALSE(ticket_ring_id(&session, one));
}

static void
test_keys(void)
{
	int64_t now = clock_real_ms() / 1000;
	struct ticket_ring *ring = ticket_ring_new(id_one);
	unsigned char name[TICKET_KEY_NAME_SIZE];
	const struct ticket_key *key;

	CU_ASSERT_PTR_NULL(ticket_keys_current(id_one));
	CU_ASSERT_FALSE(ticket_keys_have(id_one));
	add(ring, 'a', now - 1000, now + 3000);
	add(ring, 'b', now - 100, now + 4000);
	add(ring, 'c', now + 800, now + 5000);
	ticket_keys_put(ring);
	ticket_keys_put(ticket_ring_new(id_two));
	CU_ASSERT(ticket_keys_have(id_one));
	CU_ASSERT_EQUAL(name_of(ticket_keys_current(id_one)), 'b');
	CU_ASSERT_PTR_NULL(ticket_keys_current(id_two));
	memset(name, 'a', sizeof(name));
	CU_ASSERT_EQUAL(ticket_keys_find(id_one, name, &key), TICKET_OLD);
	CU_ASSERT_EQUAL(name_of(key), 'a');
	CU_ASSERT_EQUAL(ticket_keys_find(id_two, name, &key), TICKET_UNKNOWN);
	CU_ASSERT_PTR_NULL(key);
	memset(name, 'b', sizeof(name));
	CU_ASSERT_EQUAL(ticket_keys_find(id_one, name, &key), TICKET_GOOD);
	memset(name, 'c', sizeof(name));
	CU_ASSERT_EQUAL(ticket_keys_find(id_one, name, &key), TICKET_GOOD);
	/* By the clock alone. */
	clock_shift(1000 * 1000);
	CU_ASSERT_EQUAL(name_of(ticket_keys_current(id_one)), 'c');
	memset(name, 'b', sizeof(name));
	CU_ASSERT_EQUAL(ticket_keys_find(id_one, name, &key), TICKET_OLD);
	clock_shift(4500 * 1000);
	CU_ASSERT_EQUAL(ticket_keys_find(id_one, name, &key), TICKET_UNKNOWN);
	clock_shift(0);
	/* A ring takes the place of the one before. */
	ring = ticket_ring_new(id_one);
	add(ring, 'd', now, now + 10);
	ticket_keys_put(ring);
	CU_ASSERT_EQUAL(name_of(ticket_keys_current(id_one)), 'd');
	ticket_keys_drop(id_two);
	ticket_keys_drop(id_two);
	CU_ASSERT(ticket_keys_have(id_one));
	CU_ASSERT_FALSE(ticket_keys_have(id_two));
	ticket_keys_put(ticket_ring_new(id_two));
	ticket_keys_drop_all();
	CU_ASSERT_FALSE(ticket_keys_have(id_one));
}

UNIT_SUITE(ticket_ring, {"order", test_order}, {"reserve", test_reserve},
	   {"full", test_full}, {"wire", test_wire},
	   {"wire_refused", test_wire_refused}, {"id", test_id},
	   {"keys", test_keys});
