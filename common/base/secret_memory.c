/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of the kernel's.
 */
#include "common/base/secret_memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/mem.h"

void *
secret_memory_new(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	/* A kernel that knows neither has no way to help. */
	(void)madvise(memory, size, MADV_DONTDUMP);
	(void)madvise(memory, size, MADV_WIPEONFORK);
	return memory;
}

void
secret_memory_free(void *memory, size_t size)
{
	if (!memory)
		return;
	mem_wipe(memory, size);
	munmap(memory, size);
}
