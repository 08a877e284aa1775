/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of keys made by chance has one key after the current one, and at most
 * `keep` before it.
 */
#include "common/tls/ticket_make.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"

/* Derived keys are for these words and no other use of the same secret. */
#define SALT "sealock session tickets 1"

#define KEY_SIZE 32

/* A key's name, and its two keys. */
#define DERIVED_SIZE (TICKET_KEY_NAME_SIZE + 2 * KEY_SIZE)

OPENSSL_AUTO_FREE(evp_kdf, EVP_KDF, EVP_KDF_free);
OPENSSL_AUTO_FREE(evp_kdf_ctx, EVP_KDF_CTX, EVP_KDF_CTX_free);

static int64_t
end_of(const struct ticket_pace *pace, int64_t from)
{
	return from + pace->rotate * ((int64_t)pace->keep + 1);
}

/* By chance. */

static void
remove_at(struct ticket_ring *ring, size_t at)
{
	ring->count--;
	memmove(&ring->keys[at], &ring->keys[at + 1],
		(ring->count - at) * sizeof(ring->keys[0]));
	mem_wipe(&ring->keys[ring->count], sizeof(ring->keys[0]));
}

static void
add_random(struct ticket_ring *ring, const struct ticket_pace *pace,
	   int64_t from)
{
	struct ticket_key key = {
		.aes_length = KEY_SIZE,
		.hmac_length = KEY_SIZE,
		.from = from,
		.until = end_of(pace, from),
	};

	if (RAND_bytes(key.name, sizeof(key.name)) != 1 ||
	    RAND_priv_bytes(key.aes, KEY_SIZE) != 1 ||
	    RAND_priv_bytes(key.hmac, KEY_SIZE) != 1 ||
	    !ticket_ring_add(ring, &key))
		abort(); /* without chance there is no TLS either */
	mem_wipe(&key, sizeof(key));
}

/* How many keys there are that came into force before the current one. */
static size_t
count_older(const struct ticket_ring *ring, int64_t now)
{
	size_t count = 0;

	while (count + 1 < ring->count && ring->keys[count + 1].from <= now)
		count++;
	return count;
}

static bool
remove_unfit(struct ticket_ring *ring, const struct ticket_pace *pace,
	     int64_t now)
{
	size_t before = ring->count, older;

	for (size_t i = ring->count; i-- > 0;)
		if (ring->keys[i].until <= now ||
		    ring->keys[i].from > now + pace->rotate)
			remove_at(ring, i);
	for (older = count_older(ring, now); older > pace->keep; older--)
		remove_at(ring, 0);
	return ring->count != before;
}

bool
ticket_make_next(struct ticket_ring *ring, const struct ticket_pace *pace,
		 int64_t now)
{
	bool is_changed = remove_unfit(ring, pace, now);

	while (ring->count == 0 || ring->keys[ring->count - 1].from <= now) {
		int64_t from = ring->count == 0
				       ? now
				       : ring->keys[ring->count - 1].from +
						 pace->rotate;

		/* Nobody was there when it was due. */
		add_random(ring, pace,
			   from > now || ring->count == 0 ? from : now);
		is_changed = true;
	}
	return remove_unfit(ring, pace, now) || is_changed;
}

void
ticket_make_rotate(struct ticket_ring *ring, const struct ticket_pace *pace,
		   int64_t now)
{
	struct ticket_key *last;

	(void)ticket_make_next(ring, pace, now);
	last = &ring->keys[ring->count - 1];
	/* After a clock that was set back there may be several. */
	for (size_t i = 0; i < ring->count; i++)
		if (ring->keys[i].from > now)
			ring->keys[i].from = now;
	last->until = end_of(pace, now);
	(void)ticket_make_next(ring, pace, now);
}

/* Derived. */

static void
hkdf(int mode, const void *key, size_t key_length, const void *salt,
     size_t salt_length, const void *text, size_t text_length,
     unsigned char *out, size_t out_length)
{
	AUTO_OPENSSL(evp_kdf) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	AUTO_OPENSSL(evp_kdf_ctx)
	EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	char digest[] = "SHA256";
	OSSL_PARAM parameters[6], *end = parameters;

	/* OpenSSL takes what is not const and leaves it as it is. */
	*end++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	*end++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest,
						  0);
	*end++ = OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key, key_length);
	if (salt)
		*end++ = OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt,
			salt_length);
	if (text)
		*end++ = OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)text,
			text_length);
	*end = OSSL_PARAM_construct_end();
	if (!context ||
	    EVP_KDF_derive(context, out, out_length, parameters) != 1)
		abort(); /* TLS 1.3 itself needs it */
}

void
ticket_secret_extract(const void *secret, size_t length,
		      unsigned char extracted[TICKET_SECRET_SIZE])
{
	hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, secret, length, SALT,
	     sizeof(SALT) - 1, NULL, 0, extracted, TICKET_SECRET_SIZE);
}

static void
derive(const unsigned char secret[TICKET_SECRET_SIZE],
       const struct ticket_pace *pace, int64_t period, struct ticket_key *key)
{
	unsigned char text[2 * sizeof(uint64_t)], derived[DERIVED_SIZE];
	const unsigned char *from = derived;
	struct buf_writer writer;

	buf_write_init(&writer, text, sizeof(text));
	buf_write_u64(&writer, (uint64_t)pace->rotate);
	buf_write_u64(&writer, (uint64_t)period);
	hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, secret, TICKET_SECRET_SIZE, NULL, 0,
	     text, sizeof(text), derived, sizeof(derived));
	*key = (struct ticket_key){
		.aes_length = KEY_SIZE,
		.hmac_length = KEY_SIZE,
		.from = period * pace->rotate,
	};
	key->until = end_of(pace, key->from);
	memcpy(key->name, from, sizeof(key->name));
	memcpy(key->aes, from + sizeof(key->name), KEY_SIZE);
	memcpy(key->hmac, from + sizeof(key->name) + KEY_SIZE, KEY_SIZE);
	mem_wipe(derived, sizeof(derived));
}

void
ticket_make_derived(struct ticket_ring *ring, const struct ticket_pace *pace,
		    const unsigned char *secrets, size_t count, int64_t now)
{
	int64_t period = now / pace->rotate;
	int64_t oldest = period - (int64_t)pace->keep;
	struct ticket_key key = {0};

	assert(count * (pace->keep + 2) <= TICKET_RING_KEYS_MAX);
	mem_wipe(ring->keys, sizeof(ring->keys));
	ring->count = 0;
	for (size_t i = 0; i < count; i++) {
		for (int64_t at = oldest < 0 ? 0 : oldest; at <= period + 1;
		     at++) {
			derive(secrets + i * TICKET_SECRET_SIZE, pace, at,
			       &key);
			key.is_reserve = i > 0;
			if (!ticket_ring_add(ring, &key))
				abort(); /* they are different, and few */
		}
	}
	mem_wipe(&key, sizeof(key));
}
