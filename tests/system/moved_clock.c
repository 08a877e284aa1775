/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clock that a test moves while the daemon runs. Preloaded (LD_PRELOAD), it
 * adds to the real time, however it is asked for, the milliseconds that stand
 * as an int64_t in a file beside this one: PATH.offset for PATH, so that a
 * test has a copy, or a link, in a directory of its own. The file is mapped at
 * the start of every process, before a sandbox takes such things away.
 *
 * CLOCK_MONOTONIC, by which timers run, goes on as it does, and so do the times
 * that the kernel gives to files, with CLOCK_REALTIME_COARSE.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define NS_IN_S  INT64_C(1000000000)
#define NS_IN_MS INT64_C(1000000)

static const int64_t unmoved;

/* Until the constructor has run, and without a file, nothing is moved. */
static const volatile int64_t *offset_ms = &unmoved;

__attribute__((constructor)) static void
map_offset(void)
{
	char path[PATH_MAX];
	Dl_info self;
	void *mapped = MAP_FAILED;
	int descriptor;

	if (!dladdr((void *)(uintptr_t)map_offset, &self))
		_exit(99);
	snprintf(path, sizeof(path), "%s.offset", self.dli_fname);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor >= 0) {
		mapped = mmap(NULL, sizeof(*offset_ms), PROT_READ, MAP_SHARED,
			      descriptor, 0);
		close(descriptor);
	}
	if (mapped == MAP_FAILED) {
		perror(path);
		_exit(99);
	}
	offset_ms = mapped;
}

int
clock_gettime(clockid_t which, struct timespec *result)
{
	int status = (int)syscall(SYS_clock_gettime, which, result);
	int64_t ns;

	if (status != 0 || which != CLOCK_REALTIME)
		return status;
	ns = result->tv_sec * NS_IN_S + result->tv_nsec + *offset_ms * NS_IN_MS;
	result->tv_sec = (time_t)(ns / NS_IN_S);
	result->tv_nsec = (long)(ns % NS_IN_S);
	return 0;
}

time_t
time(time_t *result)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (result)
		*result = now.tv_sec;
	return now.tv_sec;
}

int
gettimeofday(struct timeval *restrict result, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	result->tv_sec = now.tv_sec;
	result->tv_usec = (suseconds_t)(now.tv_nsec / 1000);
	return 0;
}
