/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys in the order of their time. There are few, so they are looked at one by
 * one.
 */
#include "common/tls/ticket_ring.h"

#include <string.h>
#include <openssl/evp.h>

#include "common/base/buf.h"
#include "common/base/framed_hash.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/base/secret_memory.h"
#include "common/tls/tls_settings.h"

bool
ticket_ring_id(const struct tls_session *session,
	       unsigned char id[TICKET_RING_ID_SIZE])
{
	const struct tls_tickets *tickets = &session->tickets;
	unsigned char digest[FRAMED_HASH_SIZE];
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = NULL;

	if (!session->is_resumed || tickets->mode == TLS_TICKETS_OFF)
		return false;
	hash = framed_hash_new();
	framed_hash_add_text(hash, "ticket ring");
	framed_hash_add_number(hash, tickets->mode);
	if (tickets->mode == TLS_TICKETS_FILES) {
		for (size_t i = 0; i < tickets->file_count; i++)
			framed_hash_add_text(hash, tickets->files[i]);
	} else {
		framed_hash_add_number(hash, (uint64_t)tickets->rotate_ms);
		framed_hash_add_number(hash, tickets->keep);
	}
	if (tickets->mode == TLS_TICKETS_DERIVED)
		framed_hash_add_text(hash, tickets->secret.name);
	framed_hash_end(hash, digest);
	memcpy(id, digest, TICKET_RING_ID_SIZE);
	return true;
}

struct ticket_ring *
ticket_ring_new(const unsigned char id[TICKET_RING_ID_SIZE])
{
	struct ticket_ring *ring = secret_memory_new(sizeof(*ring));

	memcpy(ring->id, id, sizeof(ring->id));
	return ring;
}

void
ticket_ring_free(struct ticket_ring *ring)
{
	secret_memory_free(ring, sizeof(*ring));
}

void
ticket_ring_copy(struct ticket_ring *to, const struct ticket_ring *from)
{
	memcpy(to, from, sizeof(*to));
}

static bool
is_same_key(const struct ticket_key *one, const struct ticket_key *other)
{
	return memcmp(one->name, other->name, sizeof(one->name)) == 0 &&
	       one->aes_length == other->aes_length &&
	       one->hmac_length == other->hmac_length &&
	       memcmp(one->aes, other->aes, one->aes_length) == 0 &&
	       memcmp(one->hmac, other->hmac, one->hmac_length) == 0 &&
	       one->is_reserve == other->is_reserve &&
	       one->from == other->from && one->until == other->until;
}

bool
ticket_ring_equal(const struct ticket_ring *one,
		  const struct ticket_ring *other)
{
	if (memcmp(one->id, other->id, sizeof(one->id)) != 0 ||
	    one->count != other->count)
		return false;
	for (size_t i = 0; i < one->count; i++)
		if (!is_same_key(&one->keys[i], &other->keys[i]))
			return false;
	return true;
}

bool
ticket_ring_add(struct ticket_ring *ring, const struct ticket_key *key)
{
	size_t at = ring->count;

	if (ring->count == TICKET_RING_KEYS_MAX)
		return false;
	for (size_t i = 0; i < ring->count; i++)
		if (memcmp(ring->keys[i].name, key->name, sizeof(key->name)) ==
		    0)
			return false;
	while (at > 0 && ring->keys[at - 1].from > key->from)
		at--;
	memmove(&ring->keys[at + 1], &ring->keys[at],
		(ring->count - at) * sizeof(*key));
	ring->keys[at] = *key;
	ring->count++;
	return true;
}

const struct ticket_key *
ticket_ring_current(const struct ticket_ring *ring, int64_t now)
{
	const struct ticket_key *oldest = NULL, *found = NULL;

	for (size_t i = 0; i < ring->count; i++) {
		const struct ticket_key *key = &ring->keys[i];

		if (key->is_reserve || key->until <= now)
			continue;
		if (!oldest)
			oldest = key;
		if (key->from <= now)
			found = key;
	}
	return found ? found : oldest;
}

const struct ticket_key *
ticket_ring_next(const struct ticket_ring *ring, int64_t now)
{
	const struct ticket_key *current = ticket_ring_current(ring, now);

	for (size_t i = 0; i < ring->count; i++)
		if (!ring->keys[i].is_reserve && ring->keys[i].from > now &&
		    &ring->keys[i] != current)
			return &ring->keys[i];
	return NULL;
}

const struct ticket_key *
ticket_ring_find(const struct ticket_ring *ring,
		 const unsigned char name[TICKET_KEY_NAME_SIZE], int64_t now)
{
	for (size_t i = 0; i < ring->count; i++)
		if (memcmp(ring->keys[i].name, name, TICKET_KEY_NAME_SIZE) == 0)
			return now < ring->keys[i].until ? &ring->keys[i]
							 : NULL;
	return NULL;
}

void
ticket_ring_write(const struct ticket_ring *ring, struct buf_writer *writer)
{
	buf_write_bytes(writer, ring->id, sizeof(ring->id));
	buf_write_u8(writer, (uint8_t)ring->count);
	for (size_t i = 0; i < ring->count; i++) {
		const struct ticket_key *key = &ring->keys[i];

		buf_write_bytes(writer, key->name, sizeof(key->name));
		buf_write_u8(writer, (uint8_t)key->aes_length);
		buf_write_bytes(writer, key->aes, key->aes_length);
		buf_write_u8(writer, (uint8_t)key->hmac_length);
		buf_write_bytes(writer, key->hmac, key->hmac_length);
		buf_write_u8(writer, key->is_reserve);
		buf_write_u64(writer, (uint64_t)key->from);
		buf_write_u64(writer, (uint64_t)key->until);
	}
}

static void
read_into(struct buf_reader *reader, void *to, size_t length)
{
	const unsigned char *bytes = buf_read_bytes(reader, length);

	if (bytes)
		memcpy(to, bytes, length);
}

static bool
read_key(struct buf_reader *reader, struct ticket_key *key)
{
	uint64_t from, until;

	read_into(reader, key->name, sizeof(key->name));
	key->aes_length = buf_read_u8(reader);
	if (key->aes_length != 16 && key->aes_length != 32)
		return false;
	read_into(reader, key->aes, key->aes_length);
	key->hmac_length = buf_read_u8(reader);
	if (key->hmac_length != 16 && key->hmac_length != 32 &&
	    key->hmac_length != 64)
		return false;
	read_into(reader, key->hmac, key->hmac_length);
	key->is_reserve = buf_read_u8(reader) != 0;
	from = buf_read_u64(reader);
	until = buf_read_u64(reader);
	key->from = (int64_t)from;
	key->until = (int64_t)until;
	return !reader->failed && from <= INT64_MAX && until <= INT64_MAX &&
	       from < until;
}

struct ticket_ring *
ticket_ring_read(struct buf_reader *reader)
{
	static const unsigned char none[TICKET_RING_ID_SIZE];
	struct ticket_ring *ring = ticket_ring_new(none);
	struct ticket_key key = {0};
	bool is_good = true, has_encrypter = false;
	size_t count;

	read_into(reader, ring->id, sizeof(ring->id));
	count = buf_read_u8(reader);
	for (size_t i = 0; is_good && i < count; i++) {
		key = (struct ticket_key){0};
		is_good = read_key(reader, &key) && ticket_ring_add(ring, &key);
		has_encrypter = has_encrypter || !key.is_reserve;
	}
	mem_wipe(&key, sizeof(key));
	if (is_good && has_encrypter && !reader->failed)
		return ring;
	reader->failed = true;
	ticket_ring_free(ring);
	return NULL;
}
