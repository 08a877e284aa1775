/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a generation owns; how it travels is generation_transfer.
 */
#include "daemon/process/generation.h"

#include <sched.h>
#include <unistd.h>

#include "common/base/file_set.h"
#include "common/base/mem.h"

struct generation *
generation_new(uint64_t number)
{
	struct generation *generation = mem_alloc(sizeof(*generation));

	generation->number = number;
	generation->files = file_set_new();
	generation->index = -1;
	generation->sessions = -1;
	return generation;
}

void
generation_free(struct generation *generation)
{
	if (!generation)
		return;
	if (generation->index >= 0)
		close(generation->index);
	if (generation->sessions >= 0)
		close(generation->sessions);
	for (size_t i = 0; i < generation->original_count; i++)
		close(generation->originals[i].descriptor);
	mem_free(generation->originals);
	for (size_t i = 0; i < generation->listener_count; i++)
		if (generation->listeners[i].descriptor >= 0)
			close(generation->listeners[i].descriptor);
	mem_free(generation->listeners);
	file_set_free(generation->files);
	conf_free(generation->conf);
	conf_documents_clear(&generation->documents);
	mem_free(generation);
}

unsigned int
generation_cpu_count(void)
{
	cpu_set_t set;
	int count;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned int)CPU_COUNT(&set);
	/* More CPUs than the set has room for. */
	count = (int)sysconf(_SC_NPROCESSORS_ONLN);
	return count > 0 ? (unsigned int)count : 1;
}

unsigned int
generation_worker_count(const struct conf *conf)
{
	unsigned int count = conf->global.workers > 0 ? conf->global.workers
						      : generation_cpu_count();

	return count < conf->global.max_connections
		       ? count
		       : conf->global.max_connections;
}
