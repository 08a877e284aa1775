/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memfd_create(2) and its seals.
 */
#include "common/base/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"

/* Neither its bytes nor its length change, for ever. */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int
sealed_begin(const char *name)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
#ifdef MFD_NOEXEC_SEAL
	/* Kernels from 6.3 on warn without it, and may refuse. */
	int descriptor = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (descriptor >= 0 || errno != EINVAL)
		return descriptor;
#endif
	return memfd_create(name, flags);
}

int
sealed_end(int descriptor)
{
	return fcntl(descriptor, F_ADD_SEALS, SEALS);
}

static int
fill(int descriptor, const unsigned char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(descriptor, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

int
sealed_new(const char *name, const void *bytes, size_t length)
{
	int descriptor = sealed_begin(name);
	int failure;

	if (descriptor < 0)
		return -1;
	if (fill(descriptor, bytes, length) == 0 && sealed_end(descriptor) == 0)
		return descriptor;
	failure = errno;
	close(descriptor);
	errno = failure;
	return -1;
}

int
sealed_length(int descriptor, size_t *length)
{
	int seals = fcntl(descriptor, F_GET_SEALS);
	struct stat status;

	if (seals < 0 || (seals & SEALS) != SEALS ||
	    fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) ||
	    status.st_size < 0)
		return -1;
	*length = (size_t)status.st_size;
	return 0;
}

void *
sealed_map(int descriptor, size_t *size, struct error *error)
{
	void *memory;

	if (sealed_length(descriptor, size) != 0) {
		error_set(error, "it is not sealed");
		return NULL;
	}
	if (*size == 0) {
		error_set(error, "it is empty");
		return NULL;
	}
	/* Before Linux 6.7 a shared mapping of what is sealed is refused, even
	 * one to read from. Nothing is written: no page is copied. */
	memory = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (memory != MAP_FAILED)
		return memory;
	error_set(error, "it cannot be mapped: %s", strerror(errno));
	return NULL;
}

int
sealed_read(int descriptor, void *bytes, size_t length)
{
	unsigned char *to = bytes;
	size_t got = 0;

	while (got < length) {
		ssize_t n =
			pread(descriptor, to + got, length - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		got += (size_t)n;
	}
	return 0;
}
