/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever an earlier process has left of staples: what is taken from it is
 * written and taken once more, and is the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "daemon/helper/staple_store.h"

#define NOW  INT64_C(1800000000000)
#define MOST ((size_t)1 << 22)

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct staple_store first, second;
	int64_t asking_ms[2];
	unsigned char *written;
	size_t size;

	staple_store_init(&first);
	staple_store_init(&second);
	if (staple_store_decode(&first, bytes, length, NOW, &asking_ms[0]) ==
	    0) {
		written =
			staple_store_encode(&first, asking_ms[0], MOST, &size);
		assert(staple_store_decode(&second, written, size, NOW,
					   &asking_ms[1]) == 0);
		assert(asking_ms[0] == asking_ms[1] &&
		       first.count == second.count);
		mem_free(written);
		staple_store_tidy(&first, NOW);
		assert(first.count <= second.count);
	} else {
		assert(first.count == 0);
	}
	staple_store_clear(&second);
	staple_store_clear(&first);
	return 0;
}
