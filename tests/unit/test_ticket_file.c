/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/route/ticket_file.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/ticket_ring.h"
#include "tests/unit/unit.h"

static const unsigned char id[TICKET_RING_ID_SIZE] = "ring";

/* A key whose bytes all say where they belong, in nginx's order. */
static size_t
raw(unsigned char name, size_t length, unsigned char bytes[80])
{
	memset(bytes, name, 16);
	if (length == 48) {
		memset(bytes + 16, 'a', 16);
		memset(bytes + 32, 'h', 16);
	} else {
		memset(bytes + 16, 'H', 32);
		memset(bytes + 48, 'A', 32);
	}
	return length;
}

/* A line of base64: the same key in HAProxy's order. */
static size_t
line(unsigned char name, size_t length, char text[120])
{
	unsigned char bytes[80];
	int written;

	raw(name, length, bytes);
	if (length == 80) {
		memset(bytes + 16, 'A', 32);
		memset(bytes + 48, 'H', 32);
	}
	written = EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
	text[written] = '\n';
	text[written + 1] = '\0';
	return (size_t)written + 1;
}

static struct ticket_ring *
parse(const void *bytes, size_t length, bool is_first)
{
	struct ticket_ring *ring = ticket_ring_new(id);
	struct error error = {0};

	if (ticket_file_parse("/k", bytes, length, is_first, ring, &error) == 0)
		return ring;
	fprintf(stderr, "%s\n", error.text);
	ticket_ring_free(ring);
	return NULL;
}

static bool
refuses_bytes(const void *bytes, size_t length, const char *part)
{
	struct ticket_ring *ring = ticket_ring_new(id);
	struct error error = {0};
	/* An exact copy, so that a read past the end is seen. */
	AUTO_FREE char *copy = mem_dup(bytes, length);
	int status = ticket_file_parse("/k", copy, length, true, ring, &error);

	ticket_ring_free(ring);
	if (status == -1 && strstr(error.text, part) &&
	    strncmp(error.text, "/k", 2) == 0)
		return true;
	fprintf(stderr, "%d: %s\n", status, error.text);
	return false;
}

static bool
refuses(const char *text, const char *part)
{
	return refuses_bytes(text, strlen(text), part);
}

static bool
is_filled(const unsigned char *bytes, unsigned char value, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static bool
is_key(const struct ticket_key *key, unsigned char name, size_t length)
{
	size_t half = (length - 16) / 2;

	return is_filled(key->name, name, 16) && key->aes_length == half &&
	       key->hmac_length == half &&
	       is_filled(key->aes, length == 48 ? 'a' : 'A', half) &&
	       is_filled(key->hmac, length == 48 ? 'h' : 'H', half);
}

static void
test_nginx(void)
{
	unsigned char bytes[81];
	struct ticket_ring *ring;

	ring = parse(bytes, raw('n', 48, bytes), true);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
	CU_ASSERT_EQUAL(ring->count, 1);
	CU_ASSERT(is_key(&ring->keys[0], 'n', 48));
	CU_ASSERT_FALSE(ring->keys[0].is_reserve);
	CU_ASSERT_PTR_EQUAL(ticket_ring_current(ring, 1), &ring->keys[0]);
	ticket_ring_free(ring);
	ring = parse(bytes, raw('n', 80, bytes), false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
	CU_ASSERT(is_key(&ring->keys[0], 'n', 80));
	CU_ASSERT(ring->keys[0].is_reserve);
	ticket_ring_free(ring);
	/* Bytes, whatever they look like. */
	memset(bytes, '-', sizeof(bytes));
	ring = parse(bytes, 48, true);
	CU_ASSERT_PTR_NOT_NULL(ring);
	ticket_ring_free(ring);
}

static void
test_haproxy(void)
{
	char text[1000];
	struct ticket_ring *ring;
	size_t length = 0;

	for (unsigned char i = 0; i < 4; i++) {
		/* How many there are decides which one encrypts. */
		static const unsigned char encrypts[] = {'a', 'a', 'b', 'c'};

		length += line('a' + i, i % 2 ? 48 : 80, text + length);
		ring = parse(text, length, true);
		CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
		CU_ASSERT_EQUAL(ring->count, i + 1U);
		CU_ASSERT_EQUAL(ticket_ring_current(ring, 5)->name[0],
				encrypts[i]);
		for (unsigned char k = 0; k < ring->count; k++) {
			CU_ASSERT(is_key(&ring->keys[k], 'a' + k,
					 k % 2 ? 48 : 80));
			CU_ASSERT_EQUAL(ring->keys[k].is_reserve,
					ring->keys[k].name[0] != encrypts[i]);
		}
		ticket_ring_free(ring);
	}
	/* Without the last newline, with blanks, with those of Windows. */
	ring = parse(text, length - 1, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
	CU_ASSERT_PTR_NULL(ticket_ring_current(ring, 5));
	ticket_ring_free(ring);
	length = (size_t)snprintf(text, sizeof(text), "\n  ");
	length += line('x', 48, text + length);
	length += (size_t)snprintf(text + length, sizeof(text) - length,
				   "\r\n\n  \n");
	ring = parse(text, length, true);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
	CU_ASSERT_EQUAL(ring->count, 1);
	CU_ASSERT(is_key(&ring->keys[0], 'x', 48));
	ticket_ring_free(ring);
}

static void
test_haproxy_refused(void)
{
	char text[1000], longer[3000];
	size_t length = line('a', 80, text);

	CU_ASSERT(refuses("", "is empty"));
	CU_ASSERT(refuses(" \n \n", "is empty"));
	CU_ASSERT(refuses("hello\n", "line 1 is no key"));
	CU_ASSERT(refuses_bytes(text, 100, "line 1 is no key"));
	CU_ASSERT(refuses_bytes(text, 79, "(this one has 79)"));
	snprintf(longer, sizeof(longer), "%shello\n", text);
	CU_ASSERT(refuses(longer, "line 2 is no key"));
	snprintf(longer, sizeof(longer), "%s\n%s", text, text);
	CU_ASSERT(refuses(longer, "same name"));
	text[length - 2] = 'A';
	CU_ASSERT(refuses(text, "line 1"));
	line('a', 80, text);
	text[20] = '=';
	CU_ASSERT(refuses(text, "line 1"));
	text[20] = '*';
	CU_ASSERT(refuses(text, "line 1"));
	text[20] = '\0';
	CU_ASSERT(refuses_bytes(text, length, "line 1"));
	line('a', 48, text);
	text[63] = '=';
	CU_ASSERT(refuses(text, "line 1"));
}

static void
test_too_many(void)
{
	AUTO_FREE char *text = mem_alloc(120 * (TICKET_RING_KEYS_MAX + 1));
	size_t length = 0;

	for (unsigned char i = 0; i <= TICKET_RING_KEYS_MAX; i++)
		length += line(i, 80, text + length);
	CU_ASSERT(refuses(text, "more than 96 keys"));
}

#define HEX16 "000102030405060708090a0b0c0d0e0f"
#define HEX32 HEX16 "101112131415161718191a1b1C1D1E1F"
#define HEX64                                                                  \
	HEX32 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e" \
	      "3f"
#define NAME  "- name: 000102030405060708090a0b0c0d0eFF\n"
#define TIMES "  not_before: 100\n  not_after: 199\n"

static void
test_h2o(void)
{
	static const char text[] = NAME
		"  cipher: AES-256-CBC\n  hash: SHA256\n  key: " HEX32 HEX64
		"\n" TIMES
		"- {name: '101112131415161718191a1b1c1d1e1f', cipher: "
		"aes-128-cbc, hash: sha256, key: " HEX16 HEX64
		", not_before: 200, not_after: 299}\n";
	struct ticket_ring *ring = parse(text, sizeof(text) - 1, true);
	const struct ticket_key *key;

	CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
	CU_ASSERT_EQUAL(ring->count, 2);
	key = ticket_ring_current(ring, 150);
	CU_ASSERT_EQUAL(key->name[15], 0xff);
	CU_ASSERT_EQUAL(key->aes_length, 32);
	CU_ASSERT_EQUAL(key->hmac_length, 64);
	CU_ASSERT_EQUAL(key->aes[31], 0x1f);
	CU_ASSERT_EQUAL(key->hmac[0], 0);
	CU_ASSERT_EQUAL(key->hmac[63], 0x3f);
	CU_ASSERT_PTR_NULL(ticket_ring_find(ring, key->name, 200));
	key = ticket_ring_current(ring, 200);
	CU_ASSERT_EQUAL(key->name[15], 0x1f);
	CU_ASSERT_EQUAL(key->aes_length, 16);
	CU_ASSERT_EQUAL(key->hmac[63], 0x3f);
	CU_ASSERT_PTR_NOT_NULL(ticket_ring_current(ring, 299));
	CU_ASSERT_PTR_NULL(ticket_ring_current(ring, 300));
	ticket_ring_free(ring);
	ring = parse(text, sizeof(text) - 1, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
	CU_ASSERT_PTR_NULL(ticket_ring_current(ring, 150));
	ticket_ring_free(ring);
}

static void
test_h2o_refused(void)
{
	static const struct {
		const char *text;
		const char *part;
	} cases[] = {
		{"- [\n", "line 2 is no good YAML"},
		{"--- {}\n", "expected a list"},
		{"[]\n", "expected a list"},
		{"- 5\n", "line 1 is no entry"},
		{"- {cipher: AES-256-CBC}\n", "has no `hash`"},
		{NAME "  cipher: [AES]\n", "has no `cipher`"},
		{NAME "  cipher: AES-256-GCM\n  hash: SHA256\n",
		 "expected AES-256-CBC or AES-128-CBC"},
		{NAME "  cipher: AES-256-CBC\n  hash: SHA1\n",
		 "expected SHA256"},
		{NAME "  cipher: AES-256-CBC\n  hash: SHA256\n",
		 "has no `key`"},
		{NAME "  cipher: AES-256-CBC\n  hash: SHA256\n  key: " HEX64
		      "\n" TIMES,
		 "expected 96 bytes in hex"},
		{NAME "  cipher: AES-128-CBC\n  hash: SHA256\n  key: x" HEX64
		      "\n" TIMES,
		 "expected 80 bytes in hex"},
		{"- name: 00\n  cipher: AES-256-CBC\n  hash: SHA256\n  "
		 "key: " HEX32 HEX64 "\n" TIMES,
		 "expected 16 bytes in hex"},
		{NAME
		 "  cipher: AES-256-CBC\n  hash: SHA256\n  key: " HEX32 HEX64
		 "\n  not_before: 100\n",
		 "has no `not_after`"},
		{NAME
		 "  cipher: AES-256-CBC\n  hash: SHA256\n  key: " HEX32 HEX64
		 "\n  not_before: -1\n  not_after: 5\n",
		 "expected seconds since 1970"},
		{NAME
		 "  cipher: AES-256-CBC\n  hash: SHA256\n  key: " HEX32 HEX64
		 "\n  not_before: 9\n  not_after: 8\n",
		 "not before `not_before`"},
		{NAME
		 "  cipher: AES-256-CBC\n  hash: SHA256\n  key: " HEX32 HEX64
		 "\n  not_before: 9\n  not_after: "
		 "9223372036854775807\n",
		 "expected seconds since 1970"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CU_ASSERT(refuses(cases[i].text, cases[i].part));
}

/* Nothing of what may be a key is in a sentence. */
static void
test_nothing_leaks(void)
{
	static const char *const texts[] = {
		"S3CRETS3CRETS3CRETS3CRET\n",
		"- name: S3CRET\n  S3CRET: [S3CRET\n",
		"- {S3CRET: 1, S3CRET: 2}\n",
		"- !S3CRET x\n",
		"- &a *S3CRET\n",
		"- name: S3CRET\n  cipher: S3CRET\n  hash: S3CRET\n",
		NAME "  cipher: AES-256-CBC\n  hash: SHA256\n  key: S3CRET\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct ticket_ring *ring = ticket_ring_new(id);
		struct error error = {0};

		CU_ASSERT_EQUAL(ticket_file_parse("/k", texts[i],
						  strlen(texts[i]), true, ring,
						  &error),
				-1);
		CU_ASSERT_PTR_NULL(strstr(error.text, "S3CRET"));
		ticket_ring_free(ring);
	}
}

UNIT_SUITE(ticket_file, {"nginx", test_nginx}, {"haproxy", test_haproxy},
	   {"haproxy_refused", test_haproxy_refused},
	   {"too_many", test_too_many}, {"h2o", test_h2o},
	   {"h2o_refused", test_h2o_refused},
	   {"nothing_leaks", test_nothing_leaks});
