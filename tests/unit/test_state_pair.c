/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two files of which one is always whole, whatever becomes of the other.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"

#define HEADER_SIZE 64

struct files {
	int ours[2]; /* the test's own descriptors of the same files */
	struct state_pair *pair;
};

static void
take_files(struct files *files, enum state_kind kind)
{
	files->pair =
		state_pair_new(fcntl(files->ours[0], F_DUPFD_CLOEXEC, 3),
			       fcntl(files->ours[1], F_DUPFD_CLOEXEC, 3), kind);
}

static void
open_files(struct files *files)
{
	files->ours[0] = memfd_create("state 0", MFD_CLOEXEC);
	files->ours[1] = memfd_create("state 1", MFD_CLOEXEC);
	CU_ASSERT_FATAL(files->ours[0] >= 0 && files->ours[1] >= 0);
	take_files(files, STATE_TICKETS);
}

static void
close_files(struct files *files)
{
	state_pair_free(files->pair);
	close(files->ours[0]);
	close(files->ours[1]);
}

/* As the successor of a process finds it. */
static void
replace(struct files *files)
{
	state_pair_free(files->pair);
	take_files(files, STATE_TICKETS);
}

static void
write_text(struct files *files, const char *text)
{
	struct error error = {0};

	CU_ASSERT_EQUAL(
		state_pair_write(files->pair, text, strlen(text), &error), 0);
	CU_ASSERT_STRING_EQUAL(error.text, "");
}

/* NULL: nothing. */
static void
expect(struct files *files, const char *text)
{
	size_t length = 77;
	char *content = state_pair_read(files->pair, &length);

	CU_ASSERT_EQUAL(!content, !text);
	CU_ASSERT_EQUAL(length, text ? strlen(text) : 0);
	if (content && text && length == strlen(text))
		CU_ASSERT_EQUAL(memcmp(content, text, length), 0);
	state_pair_forget(content, length);
}

static void
test_state_pair(void)
{
	struct files files;

	open_files(&files);
	expect(&files, NULL);
	CU_ASSERT_FALSE(state_pair_is_damaged(files.pair));
	write_text(&files, "one");
	CU_ASSERT_FALSE(state_pair_is_damaged(files.pair));
	expect(&files, "one");
	write_text(&files, "the second");
	expect(&files, "the second");
	replace(&files);
	expect(&files, "the second");
	write_text(&files, "");
	expect(&files, "");
	replace(&files);
	/* Written without having been read. */
	write_text(&files, "4th");
	replace(&files);
	expect(&files, "4th");
	close_files(&files);
	state_pair_free(NULL);
	state_pair_forget(NULL, 0);
}

/* They take turns, and what was longer is cut off. */
static void
test_turns(void)
{
	struct stat status;
	struct files files;

	open_files(&files);
	write_text(&files, "something long");
	write_text(&files, "b");
	write_text(&files, "c");
	CU_ASSERT_EQUAL(fstat(files.ours[0], &status), 0);
	CU_ASSERT_EQUAL(status.st_size, HEADER_SIZE + 1);
	CU_ASSERT_EQUAL(ftruncate(files.ours[0], 0), 0);
	expect(&files, "b");
	/* It is known again which one has to stay. */
	write_text(&files, "d");
	CU_ASSERT_EQUAL(ftruncate(files.ours[1], 0), 0);
	expect(&files, "d");
	close_files(&files);
}

/* Ended at any byte of a write: there is what was there before, or what was
 * written. */
static void
test_torn_at_any_byte(void)
{
	static const char before[] = "what was there", after[] = "what comes";
	unsigned char old[HEADER_SIZE + sizeof(before)];
	unsigned char whole[HEADER_SIZE + sizeof(after)];
	const size_t total = HEADER_SIZE + strlen(after);
	struct files files;

	open_files(&files);
	write_text(&files, "older still");
	write_text(&files, before);
	write_text(&files, after); /* over the first */
	CU_ASSERT_EQUAL(pread(files.ours[0], whole, total, 0), (ssize_t)total);
	memset(old, 0xa5, sizeof(old));
	for (size_t length = 0; length < total; length++) {
		CU_ASSERT_EQUAL(ftruncate(files.ours[0], (off_t)length), 0);
		expect(&files, before);
		/* With what was there behind it, as it is overwritten. */
		CU_ASSERT_EQUAL(pwrite(files.ours[0], old, total - length,
				       (off_t)length),
				(ssize_t)(total - length));
		expect(&files, before);
		CU_ASSERT_EQUAL(pwrite(files.ours[0], whole, total, 0),
				(ssize_t)total);
	}
	expect(&files, after);
	close_files(&files);
}

static void
test_any_bit_wrong(void)
{
	unsigned char bytes[HEADER_SIZE + 3];
	struct files files;

	open_files(&files);
	write_text(&files, "abc");
	CU_ASSERT_EQUAL(pread(files.ours[0], bytes, sizeof(bytes), 0),
			(ssize_t)sizeof(bytes));
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		CU_ASSERT_EQUAL(pwrite(files.ours[0], bytes, sizeof(bytes), 0),
				(ssize_t)sizeof(bytes));
		expect(&files, NULL);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(pwrite(files.ours[0], bytes, sizeof(bytes), 0),
			(ssize_t)sizeof(bytes));
	/* More behind it is no harm. */
	CU_ASSERT_EQUAL(pwrite(files.ours[0], "xyz", 3, sizeof(bytes)), 3);
	expect(&files, "abc");
	close_files(&files);
}

/* However many there were. */
static void
test_last_number(void)
{
	unsigned char bytes[HEADER_SIZE + 3];
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	struct files files;

	open_files(&files);
	write_text(&files, "abc");
	CU_ASSERT_EQUAL(pread(files.ours[0], bytes, sizeof(bytes), 0),
			(ssize_t)sizeof(bytes));
	memset(bytes + 16, 0xff, 8); /* the sequence */
	CU_ASSERT_EQUAL(EVP_DigestInit_ex(hash, EVP_sha256(), NULL), 1);
	CU_ASSERT_EQUAL(EVP_DigestUpdate(hash, bytes, 32), 1);
	CU_ASSERT_EQUAL(EVP_DigestUpdate(hash, bytes + HEADER_SIZE, 3), 1);
	CU_ASSERT_EQUAL(EVP_DigestFinal_ex(hash, digest, NULL), 1);
	EVP_MD_CTX_free(hash);
	memcpy(bytes + 32, digest, 32);
	CU_ASSERT_EQUAL(pwrite(files.ours[0], bytes, sizeof(bytes), 0),
			(ssize_t)sizeof(bytes));
	replace(&files);
	expect(&files, "abc");
	write_text(&files, "d");
	expect(&files, "d");
	write_text(&files, "e");
	replace(&files);
	expect(&files, "e");
	close_files(&files);
}

static void
test_another_kind(void)
{
	struct files files;

	open_files(&files);
	write_text(&files, "tickets");
	state_pair_free(files.pair);
	take_files(&files, STATE_OCSP);
	expect(&files, NULL);
	write_text(&files, "answers");
	expect(&files, "answers");
	close_files(&files);
}

/* Neither memory nor time is taken for what a header claims. */
static void
test_claims(void)
{
	unsigned char header[HEADER_SIZE];
	struct files files;

	open_files(&files);
	write_text(&files, "abc");
	CU_ASSERT_EQUAL(pread(files.ours[0], header, sizeof(header), 0),
			HEADER_SIZE);
	memset(header + 24, 0xff, 8); /* the length */
	CU_ASSERT_EQUAL(pwrite(files.ours[0], header, sizeof(header), 0),
			HEADER_SIZE);
	expect(&files, NULL);
	CU_ASSERT(state_pair_is_damaged(files.pair));
	memset(header + 24, 0, 8);
	header[28] = 4; /* STATE_PAIR_MAX, in a file that is shorter */
	CU_ASSERT_EQUAL(pwrite(files.ours[0], header, sizeof(header), 0),
			HEADER_SIZE);
	expect(&files, NULL);
	/* As long as it says, and hollow. */
	CU_ASSERT_EQUAL(ftruncate(files.ours[0], HEADER_SIZE + (64 << 20)), 0);
	expect(&files, NULL);
	close_files(&files);
}

static void
test_too_long(void)
{
	struct files files;
	struct error error = {0};
	void *hollow = mmap(NULL, STATE_PAIR_MAX + 1, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CU_ASSERT_FATAL(hollow != MAP_FAILED);
	open_files(&files);
	write_text(&files, "short");
	CU_ASSERT_EQUAL(state_pair_write(files.pair, hollow, STATE_PAIR_MAX + 1,
					 &error),
			-1);
	CU_ASSERT_STRING_EQUAL(error.text,
			       "67108865 bytes are more than may be kept");
	expect(&files, "short");
	close_files(&files);
	munmap(hollow, STATE_PAIR_MAX + 1);
}

/* As with a full disk, as far as we can tell. */
static void
test_no_room(void)
{
	char first[] = "/tmp/sealock-test-XXXXXX";
	char second[] = "/tmp/sealock-test-XXXXXX";
	struct files files = {.ours = {mkstemp(first), mkstemp(second)}};
	struct rlimit before;
	struct error error = {0};

	CU_ASSERT_EQUAL(unlink(first), 0);
	CU_ASSERT_EQUAL(unlink(second), 0);
	take_files(&files, STATE_TICKETS);
	write_text(&files, "first");
	write_text(&files, "second");
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL_FATAL(
		setrlimit(RLIMIT_FSIZE,
			  &(struct rlimit){.rlim_cur = HEADER_SIZE + 6,
					   .rlim_max = before.rlim_max}),
		0);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(state_pair_write(files.pair, "far too long", 12,
						 &error),
				-1);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	CU_ASSERT_STRING_EQUAL(error.text, strerror(EFBIG));
	expect(&files, "second");
	replace(&files);
	expect(&files, "second");
	write_text(&files, "third");
	expect(&files, "third");
	close_files(&files);
}

/* Whatever a descriptor may be. */
static void
test_no_files(void)
{
	int pipes[2];
	struct files files = {0};
	struct error error = {0};

	CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	files.ours[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	files.ours[1] = pipes[1];
	take_files(&files, STATE_TICKETS);
	expect(&files, NULL);
	close_files(&files);
	files.ours[0] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	files.ours[1] = pipes[0];
	take_files(&files, STATE_TICKETS);
	expect(&files, NULL);
	CU_ASSERT_EQUAL(state_pair_write(files.pair, "a", 1, &error), -1);
	CU_ASSERT_STRING_EQUAL(error.text, strerror(EBADF));
	expect(&files, NULL);
	close_files(&files);
}

UNIT_SUITE(state_pair, {"state_pair", test_state_pair}, {"turns", test_turns},
	   {"torn_at_any_byte", test_torn_at_any_byte},
	   {"any_bit_wrong", test_any_bit_wrong},
	   {"another_kind", test_another_kind}, {"claims", test_claims},
	   {"last_number", test_last_number}, {"too_long", test_too_long},
	   {"no_room", test_no_room}, {"no_files", test_no_files});
