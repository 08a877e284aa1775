/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of certificates, until it is not.
 */
#include <string.h>

#include "daemon/helper/ocsp_cache.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1000000)

static const unsigned char *
key_of(unsigned int number)
{
	static unsigned char key[OCSP_KEY_SIZE];

	memset(key, 0, sizeof(key));
	memcpy(key, &number, sizeof(number));
	return key;
}

static void
put(struct ocsp_cache *cache, unsigned int number, int64_t until,
    enum ocsp_status status, const char *sentence)
{
	struct ocsp_told told = {.status = status, .valid_until = until};

	strcpy(told.sentence, sentence);
	ocsp_cache_put(cache, key_of(number), NOW, until, &told);
}

static bool
has(struct ocsp_cache *cache, unsigned int number, int64_t now)
{
	struct ocsp_told told;

	return ocsp_cache_find(cache, key_of(number), now, &told);
}

static void
test_kept(void)
{
	struct ocsp_cache *cache = ocsp_cache_new(10);
	struct ocsp_told told;

	CU_ASSERT_FALSE(has(cache, 1, NOW));
	put(cache, 1, NOW + 10, OCSP_GOOD, "");
	put(cache, 2, NOW + 10, OCSP_REVOKED, "since yesterday");
	CU_ASSERT_TRUE_FATAL(ocsp_cache_find(cache, key_of(1), NOW, &told));
	CU_ASSERT_EQUAL(told.status, OCSP_GOOD);
	CU_ASSERT_EQUAL(told.valid_until, NOW + 10);
	CU_ASSERT_STRING_EQUAL(told.sentence, "");
	CU_ASSERT_TRUE_FATAL(ocsp_cache_find(cache, key_of(2), NOW + 9, &told));
	CU_ASSERT_EQUAL(told.status, OCSP_REVOKED);
	CU_ASSERT_STRING_EQUAL(told.sentence, "since yesterday");
	/* In its place. */
	put(cache, 1, NOW + 20, OCSP_UNKNOWN, "x");
	CU_ASSERT_EQUAL(ocsp_cache_count(cache), 2);
	CU_ASSERT_TRUE_FATAL(
		ocsp_cache_find(cache, key_of(1), NOW + 19, &told));
	CU_ASSERT_EQUAL(told.status, OCSP_UNKNOWN);
	ocsp_cache_free(cache);
}

static void
test_ends(void)
{
	struct ocsp_cache *cache = ocsp_cache_new(10);

	put(cache, 1, NOW + 10, OCSP_GOOD, "");
	put(cache, 2, NOW + 10, OCSP_GOOD, "");
	put(cache, 3, NOW, OCSP_GOOD, "");
	CU_ASSERT_FALSE(has(cache, 3, NOW));
	CU_ASSERT_TRUE(has(cache, 1, NOW + 9));
	CU_ASSERT_FALSE(has(cache, 1, NOW + 10));
	/* And is not there any more. */
	CU_ASSERT_FALSE(has(cache, 1, NOW));
	/* A clock that goes back. */
	CU_ASSERT_FALSE(has(cache, 2, NOW - 1));
	CU_ASSERT_EQUAL(ocsp_cache_count(cache), 0);
	ocsp_cache_free(cache);
}

static void
test_size(void)
{
	struct ocsp_cache *cache = ocsp_cache_new(1000);

	for (unsigned int i = 0; i < 1000; i++)
		put(cache, i, NOW + 10, OCSP_GOOD, "x");
	CU_ASSERT_EQUAL(ocsp_cache_count(cache), 1000);
	/* The one that nobody has asked about for the longest time goes. */
	CU_ASSERT_TRUE(has(cache, 0, NOW));
	put(cache, 1000, NOW + 10, OCSP_GOOD, "");
	CU_ASSERT_EQUAL(ocsp_cache_count(cache), 1000);
	CU_ASSERT_TRUE(has(cache, 0, NOW));
	CU_ASSERT_FALSE(has(cache, 1, NOW));
	CU_ASSERT_TRUE(has(cache, 2, NOW));
	ocsp_cache_set_size(cache, 2);
	CU_ASSERT_EQUAL(ocsp_cache_count(cache), 2);
	CU_ASSERT_TRUE(has(cache, 0, NOW));
	CU_ASSERT_TRUE(has(cache, 2, NOW));
	ocsp_cache_set_size(cache, 0);
	put(cache, 1, NOW + 10, OCSP_GOOD, "");
	CU_ASSERT_EQUAL(ocsp_cache_count(cache), 0);
	ocsp_cache_free(cache);
	ocsp_cache_free(NULL);
}

UNIT_SUITE(ocsp_cache, {"kept", test_kept}, {"ends", test_ends},
	   {"size", test_size});
