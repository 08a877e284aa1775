/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificate index as a worker gets it: what is accepted can be used in
 * every way, and every name in it is found.
 *
 * Seeds: SEALOCK_INDEX_SEED=FILE tests/unit/unit certificate_index
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/route/certificate_index.h"
#include "common/route/certificate_set.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct certificate_index *
open_bytes(const uint8_t *bytes, size_t length)
{
	int descriptor = memfd_create("index", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct certificate_index *index;
	struct error error = {0};

	if (descriptor < 0 ||
	    write(descriptor, bytes, length) != (ssize_t)length ||
	    fcntl(descriptor, F_ADD_SEALS, SEALS) != 0) {
		perror("memfd");
		abort();
	}
	index = certificate_index_open(descriptor, &error);
	close(descriptor);
	/* One or the other. */
	assert(!index == (error.text[0] != '\0'));
	return index;
}

static void
use(const struct certificate_index *index, const struct certificate_set *set,
    const struct indexed_certificate *one)
{
	const char *name = certificate_index_first_name(index, set->set, one);
	const uint32_t *members;
	struct error error = {0};
	struct certificate *decoded;

	if (name) {
		size_t count =
			certificate_index_find(index, set->set, name, &members);

		assert(count > 0);
		for (size_t i = 0; i < count; i++)
			assert(members[i] < set->set->certificate_count);
	}
	decoded = certificate_index_decode(index, one, &error);
	assert(!decoded == (error.text[0] != '\0'));
	certificate_unref(decoded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT];
	struct certificate_index *index = open_bytes(bytes, length);
	struct certificate_set set;

	if (!index)
		return 0;
	for (size_t i = 0; i < certificate_index_set_count(index); i++) {
		certificate_set_init(&set, index, i);
		certificate_set_find(&set, "a.example", chosen);
		certificate_set_find(&set, "none.a.example", chosen);
		certificate_set_each_type(&set, chosen);
		for (size_t j = 0; j < set.set->certificate_count; j++)
			use(index, &set,
			    certificate_index_certificate(index, set.set, j));
	}
	certificate_index_unref(index);
	return 0;
}
