/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/stub_role.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"
#include "daemon/process/child.h"
#include "daemon/process/generation.h"

static enum ipc_role role;
static struct child *self;
static char *prepared_name;

static bool
is_called(const char *name)
{
	return prepared_name && strcmp(prepared_name, name) == 0;
}

static void *
start(struct child *child, struct event_base *base)
{
	(void)base;
	self = child;
	return &self;
}

static void
state(void *argument, struct state_pair *pair)
{
	size_t length;
	void *content = state_pair_read(pair, &length);
	struct error error = {0};
	char before = '0';

	(void)argument;
	if (content)
		before = *(const char *)content;
	log_info("state", "before=%c", before);
	state_pair_forget(content, length);
	before++;
	if (state_pair_write(pair, &before, 1, &error) != 0)
		abort();
	state_pair_free(pair);
}

static int
complain(struct error_list *problems, const char *sentence)
{
	struct error error = {0};

	error_set(&error, "%s", sentence);
	error_list_add(problems, &error);
	return -1;
}

static void
report_index(const struct generation *generation)
{
	AUTO_BLOB struct blob blob = {0};
	struct error error = {0};
	int index = memfd_create("index", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (file_set_read(generation->files, "/index", &blob, &error) != 0 ||
	    write(index, blob.bytes, blob.length) != (ssize_t)blob.length)
		abort();
	if (strcmp((const char *)blob.bytes, "die") == 0)
		raise(SIGKILL);
	if (!is_called("keeper_open"))
		fcntl(index, F_ADD_SEALS,
		      F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	child_report_index(self, generation->number, index);
}

static int
prepare_keeper(const struct generation *generation, struct error_list *problems)
{
	if (is_called("keeper_bad"))
		return complain(problems, "the keeper minds");
	if (is_called("keeper_dies"))
		raise(SIGKILL);
	if (!is_called("keeper_bare"))
		report_index(generation);
	return 0;
}

static int
kind_of(const struct generation *generation, const char *name)
{
	const struct file_entry *entry = file_set_find(generation->files, name);

	return entry ? (int)entry->kind : -1;
}

static void
read_index(const struct generation *generation, char *index, size_t size)
{
	ssize_t length = pread(generation->index, index, size - 1, 0);

	index[length > 0 ? length : 0] = '\0';
}

static void
prepare_helper(const struct generation *generation, struct error_list *warnings)
{
	struct error error = {0};
	char index[64];

	if (generation->index < 0)
		return;
	read_index(generation, index, sizeof(index));
	error_set(&error, "helper index=%s", index);
	error_list_add(warnings, &error);
}

static int
prepare_worker(const struct generation *generation, struct error_list *problems,
	       struct error_list *warnings)
{
	struct error error = {0};
	char index[64] = "none";

	if (is_called("worker_bad"))
		return complain(problems, "the worker minds");
	if (generation->index >= 0)
		read_index(generation, index, sizeof(index));
	error_set(&error, "index=%s ca=%d key=%d", index,
		  kind_of(generation, "/ca"), kind_of(generation, "/index"));
	error_list_add(warnings, &error);
	return 0;
}

static int
prepare(void *argument, struct generation *generation,
	struct error_list *problems, struct error_list *warnings)
{
	int result = 0;

	(void)argument;
	mem_free(prepared_name);
	prepared_name = mem_strdup(generation->conf->services[0].name);
	if (role == IPC_KEEPER)
		result = prepare_keeper(generation, problems);
	else if (role == IPC_WORKER)
		result = prepare_worker(generation, problems, warnings);
	else if (role == IPC_HELPER)
		prepare_helper(generation, warnings);
	generation_free(generation);
	return result;
}

static void
commit(void *argument, uint64_t number)
{
	(void)argument;
	log_info("commit", "generation=%" PRIu64, number);
	if (role != IPC_WORKER || !is_called("worker_holds"))
		child_report_live(self, number);
	if (role != IPC_KEEPER)
		return;
	if (is_called("accuse"))
		child_accuse(self, IPC_WORKER, 0, "it said \"no\"");
	for (int i = 0; i < 4 && is_called("slander"); i++)
		child_accuse(self, IPC_WORKER, 0, "it said no");
	if (is_called("nonsense"))
		child_accuse(self, IPC_HELPER, 0, "it said nothing");
}

static void
abort_prepared(void *argument, uint64_t number)
{
	(void)argument;
	log_info("abort", "generation=%" PRIu64, number);
}

static void
release(void *argument, uint64_t number)
{
	(void)argument;
	log_info("release", "generation=%" PRIu64, number);
}

static void
tickets(void *argument, unsigned int command)
{
	(void)argument;
	log_info("tickets", "command=%u", command);
	if (is_called("keeper_mute"))
		return;
	if (command == IPC_TICKETS_SHOW)
		child_tell_tickets(self, true, "a\x1b[1m\nb");
	else
		child_tell_tickets(self, false, "c");
}

static void
drain(void *argument, int64_t grace_ms)
{
	(void)argument;
	log_info("drain", "grace_ms=%" PRId64, grace_ms);
	child_exit(self, 0);
}

static void
peer(void *argument, enum ipc_role of, uint32_t number, int descriptor)
{
	(void)argument;
	log_info("peer", "role=%s number=%" PRIu32, ipc_role_name(of), number);
	close(descriptor);
}

static void
stop(void *argument)
{
	(void)argument;
	mem_free(TAKE(prepared_name));
}

int
stub_role_main(int argc, char **argv)
{
	static struct child_role stub = {
		.start = start,
		.state = state,
		.prepare = prepare,
		.commit = commit,
		.abort = abort_prepared,
		.release = release,
		.tickets = tickets,
		.drain = drain,
		.peer = peer,
		.stop = stop,
	};

	if (argc != 4)
		return 2;
	for (int i = 0; i < IPC_ROLE_COUNT; i++)
		if (strcmp(argv[2], ipc_role_name((enum ipc_role)i)) == 0)
			role = (enum ipc_role)i;
	stub.role = role;
	return child_run(&stub, (uint32_t)strtoul(argv[3], NULL, 10));
}
