/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forked from the loader before that opens any key or asks for a pass-phrase.
 * It answers through a pipe with the problems it found, a byte in front of
 * them.
 */
#include "daemon/monitor/crl_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/conf/conf_crls.h"
#include "daemon/process/account.h"
#include "daemon/process/descriptor_keep.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/privileges.h"

#define ANSWER_MAX 60000
#define ANSWER_BAD 1

/* As the loader's channel, below whatever it has opened since. */
#define ANSWER_DESCRIPTOR 3

/* In place of the default user, as confinement has it. */
#define NOBODY "nobody"

static int
find_ids(const struct conf_global *global, struct privileges *ids,
	 struct error *error)
{
	const struct conf_user *user = &global->user;
	const char *name = user->helper ? user->helper : user->worker;

	*ids = (struct privileges){
		.uid = PRIVILEGES_SAME_USER,
		.gid = PRIVILEGES_SAME_GROUP,
		.root = -1,
	};
	if (geteuid() != 0 ||
	    account_find(name, global->group, &ids->uid, &ids->gid, error) == 0)
		return 0;
	return user->is_default ? account_find(NOBODY, global->group, &ids->uid,
					       &ids->gid, error)
				: -1;
}

/* Keep the standard ones, which lead nowhere that matters, and what is needed;
 * the answer takes the place of the loader's channel, the lowest of all. */
static int
close_others(const struct conf_crls *crls, int answer)
{
	AUTO_FREE int *needed = NULL;
	size_t count;

	if (dup2(answer, ANSWER_DESCRIPTOR) < 0)
		return -1;
	needed = conf_crls_descriptors(crls, &count);
	descriptor_keep(ANSWER_DESCRIPTOR, needed, count);
	return 0;
}

__attribute__((noreturn)) static void
answer(bool is_bad, const struct error_list *problems)
{
	AUTO_FREE unsigned char *bytes = mem_alloc(ANSWER_MAX);
	struct buf_writer writer;

	buf_write_init(&writer, bytes, ANSWER_MAX);
	buf_write_u8(&writer, is_bad ? ANSWER_BAD : 0);
	generation_problems_write(&writer, problems);
	/* Less than a pipe holds. */
	_exit(write(ANSWER_DESCRIPTOR, bytes, writer.length) < 0 ? 1 : 0);
}

__attribute__((noreturn)) static void
run(struct conf_crls *crls, struct generation *generation,
    struct privileges *ids, int descriptor)
{
	struct error_list problems = {0};
	struct error error = {0};
	bool is_bad = true;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	generation_free(generation);
	if (close_others(crls, descriptor) != 0)
		_exit(1);
	if (privileges_drop(ids, &error) != 0)
		error_list_add(&problems, &error);
	else
		is_bad = conf_crls_write(crls, &problems) != 0;
	answer(is_bad, &problems);
}

static size_t
read_answer(int descriptor, unsigned char *bytes)
{
	size_t length = 0;

	while (length < ANSWER_MAX) {
		ssize_t got =
			read(descriptor, bytes + length, ANSWER_MAX - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	return length;
}

static int
await(int descriptor, pid_t pid, struct error_list *problems)
{
	AUTO_FREE unsigned char *bytes = mem_alloc(ANSWER_MAX);
	struct buf_reader reader;
	size_t length = read_answer(descriptor, bytes);
	size_t before = problems->count;
	uint8_t verdict;
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	buf_read_init(&reader, bytes, length);
	verdict = buf_read_u8(&reader);
	if (!reader.failed && verdict == 0)
		return 0;
	if (reader.failed || generation_problems_read(&reader, problems) != 0 ||
	    problems->count == before)
		error_list_addf(problems, &(struct position){0},
				"crl: the process that reads revocation lists "
				"ended without an answer (%s %d)",
				WIFSIGNALED(status) ? "signal" : "status",
				WIFSIGNALED(status) ? WTERMSIG(status)
						    : WEXITSTATUS(status));
	return -1;
}

__attribute__((cold)) static int
fail(struct error_list *problems, const struct error *error)
{
	error_list_add(problems, error);
	return -1;
}

int
crl_process_write(struct conf_crls *crls, struct generation *generation,
		  struct error_list *problems)
{
	struct error error = {0};
	struct privileges ids;
	int ends[2], status;
	pid_t pid;

	if (find_ids(&generation->conf->global, &ids, &error) != 0)
		return fail(problems, &error);
	if (pipe2(ends, O_CLOEXEC) != 0) {
		error_set(&error, "crl: cannot make a pipe: %s",
			  strerror(errno));
		return fail(problems, &error);
	}
	pid = fork();
	if (pid == 0)
		run(crls, generation, &ids, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		error_set(&error, "crl: cannot start a process: %s",
			  strerror(errno));
		status = fail(problems, &error);
	} else {
		status = await(ends[0], pid, problems);
	}
	close(ends[0]);
	return status;
}
