/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A private key never moves: it is decoded into the secure heap and leaves it
 * when it is freed. Its size is decided once, as OpenSSL cannot change it.
 */
#include "common/tls/key_memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "common/base/error.h"
#include "common/base/mem.h"

/* An RSA key of 4096 bits, decoded or not, and another time as much. */
#define KEY_SIZE   ((size_t)4096)
#define SIZE_MIN   ((size_t)1 << 20)
#define SIZE_LIMIT ((size_t)1 << 32)

/* The smallest block: the private number of a P-256 or Ed25519 key. */
#define BLOCK_MIN 32

/* What a key may take that is to be decoded. */
#define ROOM (2 * KEY_SIZE)

/* Of the heap, what is left for signing. */
#define RESERVE_SHARE 8

static size_t size; /* of the secure heap; 0: there is none */

/* OpenSSL wipes what it knows to be secret. What it does not know, the bytes
 * that a decoder has read, say, is wiped by these. */

static void *
allocate(size_t count, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(count);
}

static void
wipe_and_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	if (memory)
		mem_wipe(memory, malloc_usable_size(memory));
	free(memory);
}

static void *
reallocate(void *memory, size_t count, const char *file, int line)
{
	size_t before = memory ? malloc_usable_size(memory) : 0;
	void *moved;

	if (count == 0) {
		wipe_and_free(memory, file, line);
		return NULL;
	}
	if (count <= before)
		return memory;
	moved = malloc(count);
	if (!moved)
		return NULL;
	if (memory)
		memcpy(moved, memory, before);
	wipe_and_free(memory, file, line);
	return moved;
}

/* Whoever may make it, and however large: a core file without memory. */
static int
empty_core_files(void)
{
	int descriptor =
		open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (descriptor < 0)
		return -1;
	written = write(descriptor, "0", 1);
	close(descriptor);
	return written == 1 ? 0 : -1;
}

static void
permit_locking(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 ||
	    getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* Nobody forks on purpose any more. */
static void
end_fork(void)
{
	_exit(127);
}

int
key_memory_prepare(struct error *error)
{
	int status = 0;

	permit_locking();
	if (empty_core_files() != 0) {
		error_set(error,
			  "core files may have memory in them: "
			  "/proc/self/coredump_filter: %s",
			  strerror(errno));
		status = -1;
	}
	if (CRYPTO_set_mem_functions(allocate, reallocate, wipe_and_free) !=
	    1) {
		error_set(error, "OpenSSL was in use before");
		status = -1;
	}
	return status;
}

/* The power of two at or above, in bounds. */
static size_t
round_up(size_t keys, size_t each)
{
	size_t rounded = SIZE_MIN;

	while (rounded < SIZE_LIMIT && rounded / each < keys)
		rounded *= 2;
	return rounded;
}

static size_t
lockable(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	return (size_t)limit.rlim_cur;
}

int
key_memory_open(size_t keys, struct error *error)
{
	size_t wanted = round_up(keys, 2 * KEY_SIZE);
	size_t needed = round_up(keys, KEY_SIZE);
	int result;

	pthread_atfork(NULL, NULL, end_fork);
	/* Rather locked than with room to spare. */
	while (wanted > needed && wanted > lockable())
		wanted /= 2;
	while ((result = CRYPTO_secure_malloc_init(wanted, BLOCK_MIN)) == 0 &&
	       wanted > SIZE_MIN)
		wanted /= 2;
	if (result == 0) {
		error_set(error,
			  "there is no locked memory for private keys: "
			  "%s",
			  strerror(errno));
		return -1;
	}
	size = wanted;
	if (result == 1)
		return 0;
	error_set(error,
		  "the %zu kB of memory for private keys cannot be locked and "
		  "may be swapped to disk: see RLIMIT_MEMLOCK",
		  size / 1024);
	return -1;
}

bool
key_memory_has_room(void)
{
	void *room;

	if (size == 0)
		return true;
	if (CRYPTO_secure_used() + ROOM > size - size / RESERVE_SHARE)
		return false;
	/* In one piece? */
	room = OPENSSL_secure_malloc(ROOM);
	OPENSSL_secure_free(room);
	return room != NULL;
}
