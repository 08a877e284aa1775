/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory that state is kept in: what is made, what is refused, who has
 * it, and what two processes one after the other find.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"
#include "common/conf/conf.h"
#include "common/ipc/message.h"
#include "daemon/monitor/state_files.h"

#define SOMEBODY 65534

struct place {
	char parent[64];
	char path[96]; /* not made yet */
	char file[128];
	struct conf_global *global;
	struct conf conf;
	struct error_list found;
};

static void
make_place(struct place *place)
{
	memset(place, 0, sizeof(*place));
	strcpy(place->parent, "/tmp/sealock-unit-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->parent));
	snprintf(place->path, sizeof(place->path), "%s/state", place->parent);
	place->global = &place->conf.global;
	place->global->state_dir = place->path;
	place->global->state_dir_at = (struct position){"a", 3, 4};
	log_configure(NULL, 0);
}

static const char *
file_in(struct place *place, const char *name)
{
	snprintf(place->file, sizeof(place->file), "%s/%s", place->path, name);
	return place->file;
}

static void
remove_place(struct place *place)
{
	static const char *const names[] = {"tickets.0", "tickets.1", "ocsp.0",
					    "ocsp.1", "other"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(file_in(place, names[i]));
	rmdir(file_in(place, "tickets.1"));
	if (rmdir(place->path) != 0)
		unlink(place->path);
	CU_ASSERT_EQUAL(rmdir(place->parent), 0);
	error_list_clear(&place->found);
}

static struct state_files *
open_place(struct place *place)
{
	error_list_clear(&place->found);
	return state_files_new(&place->conf, true, &place->found);
}

static bool
says(const struct place *place, const char *sentence)
{
	char text[600];

	if (place->found.count != 1)
		return false;
	error_format(&place->found.errors[0], text, sizeof(text));
	if (strncmp(text, "a:3:4: state_dir /tmp/", 22) == 0 &&
	    strstr(text, sentence))
		return true;
	fprintf(stderr, "\nnot in it: %s\n%s\n", sentence, text);
	return false;
}

static struct state_pair *
take_pair(const struct state_files *files, enum ipc_role role,
	  enum state_kind kind)
{
	struct error error = {0};
	struct message *message = state_files_message(files, role, &error);
	struct buf_reader reader;
	struct state_pair *pair;

	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	reader = message_reader(message);
	CU_ASSERT_EQUAL(buf_read_u8(&reader), kind);
	CU_ASSERT_EQUAL(message->fd_count, 2);
	pair = state_pair_new(message_take_fd(message, 0),
			      message_take_fd(message, 1), kind);
	message_free(message);
	return pair;
}

static void
write_text(const struct state_files *files, enum ipc_role role,
	   enum state_kind kind, const char *text)
{
	struct state_pair *pair = take_pair(files, role, kind);

	CU_ASSERT_EQUAL(state_pair_write(pair, text, strlen(text), NULL), 0);
	state_pair_free(pair);
}

static void
expect(const struct state_files *files, enum ipc_role role,
       enum state_kind kind, const char *text)
{
	struct state_pair *pair = take_pair(files, role, kind);
	size_t length;
	char *content = state_pair_read(pair, &length);

	CU_ASSERT_EQUAL(!content, !text);
	if (content && text) {
		CU_ASSERT_EQUAL(length, strlen(text));
		CU_ASSERT_EQUAL(strncmp(content, text, length), 0);
	}
	state_pair_forget(content, length);
	state_pair_free(pair);
}

static void
test_kept(void)
{
	struct state_files *files;
	struct stat status;
	struct place place;

	make_place(&place);
	files = open_place(&place);
	CU_ASSERT_PTR_NOT_NULL_FATAL(files);
	CU_ASSERT_EQUAL(stat(place.path, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 07777, 0700);
	CU_ASSERT_EQUAL(stat(file_in(&place, "tickets.1"), &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 07777, 0600);
	expect(files, IPC_KEEPER, STATE_TICKETS, NULL);
	write_text(files, IPC_KEEPER, STATE_TICKETS, "t1");
	write_text(files, IPC_KEEPER, STATE_TICKETS, "t2");
	write_text(files, IPC_HELPER, STATE_OCSP, "o1");
	expect(files, IPC_KEEPER, STATE_TICKETS, "t2");
	state_files_free(files);
	files = open_place(&place);
	CU_ASSERT_PTR_NOT_NULL_FATAL(files);
	expect(files, IPC_KEEPER, STATE_TICKETS, "t2");
	expect(files, IPC_HELPER, STATE_OCSP, "o1");
	state_files_free(files);
	CU_ASSERT_FALSE(state_files_are_for(IPC_WORKER));
	CU_ASSERT_FALSE(state_files_are_for(IPC_BROKER));
	remove_place(&place);
}

/* The mode is set right, not believed. */
static void
test_mode(void)
{
	struct state_files *files;
	struct stat status;
	struct place place;

	make_place(&place);
	CU_ASSERT_EQUAL(mkdir(place.path, 0755), 0);
	close(open(file_in(&place, "ocsp.0"), O_CREAT | O_WRONLY | O_CLOEXEC,
		   0600));
	CU_ASSERT_EQUAL(chmod(place.file, 0644), 0);
	files = open_place(&place);
	CU_ASSERT_PTR_NOT_NULL_FATAL(files);
	CU_ASSERT_EQUAL(stat(place.file, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 07777, 0600);
	state_files_free(files);
	remove_place(&place);
}

/* The same of a daemon and of `sealock check`. */
static void
expect_refused(struct place *place, const char *sentence, bool is_checked)
{
	CU_ASSERT_PTR_NULL(open_place(place));
	CU_ASSERT(says(place, sentence));
	error_list_clear(&place->found);
	state_files_check(&place->conf, &place->found);
	if (is_checked)
		CU_ASSERT(says(place, sentence));
	if (!is_checked)
		CU_ASSERT_EQUAL(place->found.count, 0);
	unlink(place->file);
	rmdir(place->file);
}

static void
test_refused(void)
{
	struct state_files *files;
	struct place place;
	char other[128];

	make_place(&place);
	files = open_place(&place);
	state_files_free(files);
	snprintf(other, sizeof(other), "%s/other", place.path);

	unlink(file_in(&place, "tickets.1"));
	CU_ASSERT_EQUAL(symlink("/etc/passwd", place.file), 0);
	CU_ASSERT_PTR_NULL(open_place(&place));
	CU_ASSERT(says(&place, "tickets.1: it is a symbolic link"));
	expect_refused(&place, "tickets.1", true);
	CU_ASSERT_EQUAL(mkfifo(place.file, 0600), 0);
	expect_refused(&place, "tickets.1: it is no regular file", true);
	CU_ASSERT_EQUAL(mkdir(place.file, 0700), 0);
	expect_refused(&place, "tickets.1", true);
	close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	CU_ASSERT_EQUAL(link(other, file_in(&place, "tickets.1")), 0);
	expect_refused(&place, "tickets.1: it has other names, too", true);
	if (geteuid() == 0) {
		close(open(file_in(&place, "tickets.1"),
			   O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		CU_ASSERT_EQUAL(chown(place.file, SOMEBODY, SOMEBODY), 0);
		expect_refused(&place, "tickets.1: it belongs to another user",
			       false);
	}
	files = open_place(&place);
	CU_ASSERT_PTR_NOT_NULL(files);
	state_files_free(files);
	CU_ASSERT_EQUAL(chmod(place.path, 0777), 0);
	place.file[0] = '\0';
	expect_refused(&place, "anybody may write in it", true);
	remove_place(&place);
}

static void
test_no_directory(void)
{
	struct place place;

	make_place(&place);
	strcat(place.path, "/deeper");
	expect_refused(&place, "cannot make it: No such file", true);
	*strrchr(place.path, '/') = '\0';
	close(open(place.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	CU_ASSERT_PTR_NULL(open_place(&place));
	CU_ASSERT(says(&place, "cannot open it: Not a directory"));
	error_list_clear(&place.found);
	state_files_check(&place.conf, &place.found);
	CU_ASSERT(says(&place, "it is no directory"));
	remove_place(&place);
}

/* Two of them: the second is refused, until the first is gone. */
static void
test_two(void)
{
	struct state_files *files;
	struct place place;
	int child;

	make_place(&place);
	files = open_place(&place);
	CU_ASSERT_PTR_NOT_NULL_FATAL(files);
	CU_ASSERT_PTR_NULL(open_place(&place));
	CU_ASSERT(says(&place, "cannot lock tickets.0: another daemon uses "
			       "it"));
	/* A child that is still there. */
	child = fcntl(open(file_in(&place, "ocsp.0"), O_RDWR | O_CLOEXEC),
		      F_DUPFD_CLOEXEC, 3);
	state_files_free(files);
	CU_ASSERT_EQUAL(flock(child, LOCK_EX | LOCK_NB), 0);
	CU_ASSERT_PTR_NULL(open_place(&place));
	CU_ASSERT(says(&place, "cannot lock ocsp.0: another daemon uses it"));
	CU_ASSERT_EQUAL(flock(child, LOCK_UN), 0);
	close(child);
	files = open_place(&place);
	CU_ASSERT_PTR_NOT_NULL(files);
	state_files_free(files);
	remove_place(&place);
}

/* A default that cannot be used, or is not to be: memory in its place. */
static void
test_default(void)
{
	struct state_files *files;
	struct place place;

	make_place(&place);
	place.global->is_state_dir_default = true;
	strcat(place.path, "/deeper");
	files = open_place(&place);
	CU_ASSERT_PTR_NOT_NULL_FATAL(files);
	CU_ASSERT_EQUAL(place.found.count, 0);
	write_text(files, IPC_KEEPER, STATE_TICKETS, "t1");
	expect(files, IPC_KEEPER, STATE_TICKETS, "t1");
	expect(files, IPC_HELPER, STATE_OCSP, NULL);
	state_files_free(files);
	*strrchr(place.path, '/') = '\0';
	files = state_files_new(&place.conf, false, &place.found);
	CU_ASSERT_PTR_NOT_NULL_FATAL(files);
	state_files_free(files);
	CU_ASSERT_EQUAL(access(place.path, F_OK), -1);
	remove_place(&place);
}

static void
test_another_later(void)
{
	struct state_files *files;
	struct place place;
	char other[] = "/elsewhere";

	make_place(&place);
	files = open_place(&place);
	CU_ASSERT_PTR_NOT_NULL_FATAL(files);
	state_files_compare(files, &place.conf, &place.found);
	CU_ASSERT_EQUAL(place.found.count, 0);
	place.global->state_dir = other;
	state_files_compare(files, &place.conf, &place.found);
	CU_ASSERT_EQUAL(place.found.count, 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(place.found.errors[0].text, "needs a restart"));
	state_files_free(files);
	place.global->state_dir = place.path;
	remove_place(&place);
}

UNIT_SUITE(state_files, {"kept", test_kept}, {"mode", test_mode},
	   {"refused", test_refused}, {"no_directory", test_no_directory},
	   {"two", test_two}, {"default", test_default},
	   {"another_later", test_another_later});
