/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sealed files in memory, and whatever else a descriptor may be.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/sealed.h"

static void
test_sealed(void)
{
	char bytes[8] = "";
	size_t length = 0;
	int descriptor = sealed_new("test", "abcdef", 6);

	CU_ASSERT_FATAL(descriptor >= 0);
	CU_ASSERT_EQUAL(sealed_length(descriptor, &length), 0);
	CU_ASSERT_EQUAL(length, 6);
	CU_ASSERT_EQUAL(sealed_read(descriptor, bytes, 6), 0);
	CU_ASSERT_STRING_EQUAL(bytes, "abcdef");
	/* From the start, however often, and no more than there is. */
	CU_ASSERT_EQUAL(sealed_read(descriptor, bytes, 3), 0);
	CU_ASSERT_EQUAL(sealed_read(descriptor, bytes, 7), -1);

	CU_ASSERT_EQUAL(pwrite(descriptor, "x", 1, 0), -1);
	CU_ASSERT_EQUAL(errno, EPERM);
	CU_ASSERT_EQUAL(ftruncate(descriptor, 5), -1);
	CU_ASSERT_EQUAL(ftruncate(descriptor, 7), -1);
	CU_ASSERT_PTR_EQUAL(mmap(NULL, 6, PROT_READ | PROT_WRITE, MAP_SHARED,
				 descriptor, 0),
			    MAP_FAILED);
	CU_ASSERT(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
	close(descriptor);
}

static void
test_large_and_empty(void)
{
	const size_t size = (size_t)1 << 20;
	AUTO_FREE unsigned char *bytes = mem_alloc(size);
	AUTO_FREE unsigned char *got = mem_alloc(size);
	size_t length = 1;
	int descriptor;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(i * 7 >> 3);
	descriptor = sealed_new("large", bytes, size);
	CU_ASSERT_EQUAL(sealed_length(descriptor, &length), 0);
	CU_ASSERT_EQUAL(length, size);
	CU_ASSERT_EQUAL(sealed_read(descriptor, got, size), 0);
	CU_ASSERT_EQUAL(memcmp(bytes, got, size), 0);
	close(descriptor);

	descriptor = sealed_new("empty", "", 0);
	CU_ASSERT_EQUAL(sealed_length(descriptor, &length), 0);
	CU_ASSERT_EQUAL(length, 0);
	CU_ASSERT_EQUAL(sealed_read(descriptor, got, 0), 0);
	CU_ASSERT_EQUAL(sealed_read(descriptor, got, 1), -1);
	close(descriptor);
}

static void
test_others(void)
{
	static const int seals[] = {
		0,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_WRITE,
		F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_WRITE,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
	};
	char path[] = "/tmp/sealock-test-XXXXXX";
	int file = mkstemp(path), pipes[2];
	size_t length;

	CU_ASSERT_EQUAL_FATAL(unlink(path), 0);
	CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC), 0);
	CU_ASSERT_EQUAL(sealed_length(file, &length), -1);
	CU_ASSERT_EQUAL(sealed_length(pipes[0], &length), -1);
	CU_ASSERT_EQUAL(sealed_length(-1, &length), -1);
	close(file);
	close(pipes[0]);
	close(pipes[1]);
	for (size_t i = 0; i < ARRAY_SIZE(seals); i++) {
		int loose =
			memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);

		CU_ASSERT_EQUAL(fcntl(loose, F_ADD_SEALS, seals[i]), 0);
		CU_ASSERT_EQUAL(sealed_length(loose, &length), -1);
		close(loose);
	}
}

UNIT_SUITE(sealed, {"sealed", test_sealed},
	   {"large_and_empty", test_large_and_empty}, {"others", test_others});
