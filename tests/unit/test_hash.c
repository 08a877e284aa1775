/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "tests/unit/unit.h"

/* Made by a second implementation whose SipHash-2-4 gives the paper's vector:
 * the key is 00 01 .. 0f, the input the first 0, 1, 2 .. bytes of 00 01 .. */
static void
test_siphash13(void)
{
	static const uint64_t expected[] = {
		UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93),
		UINT64_C(0x82cb9b024dc7d44d), UINT64_C(0x8bf80ab8e7ddf7fb),
		UINT64_C(0xcf75576088d38328), UINT64_C(0xdef9d52f49533b67),
		UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140),
		UINT64_C(0x369095118d299a8e), UINT64_C(0x25a48eb36c063de4),
		UINT64_C(0x79de85ee92ff097f), UINT64_C(0x70c118c1f94dc352),
		UINT64_C(0x78a384b157b4d9a2), UINT64_C(0x306f760c1229ffa7),
		UINT64_C(0x605aa111c0f95d34), UINT64_C(0xd320d86d2a519956),
		UINT64_C(0xcc4fdd1a7d908b66)};
	unsigned char input[64];

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (unsigned char)i;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		CU_ASSERT_EQUAL(hash_siphash13(input, i,
					       UINT64_C(0x0706050403020100),
					       UINT64_C(0x0f0e0d0c0b0a0908)),
				expected[i]);
}

static void
test_process_key(void)
{
	CU_ASSERT_EQUAL(hash_bytes("name", 4), hash_bytes("name", 4));
	CU_ASSERT_NOT_EQUAL(hash_bytes("name", 4), hash_bytes("nane", 4));
	CU_ASSERT_NOT_EQUAL(hash_bytes("name", 4),
			    hash_siphash13("name", 4, 0, 0));
	CU_ASSERT_EQUAL(hash_bytes("", 0), hash_bytes(NULL, 0));
}

UNIT_SUITE(hash, {"siphash13", test_siphash13},
	   {"process_key", test_process_key});
