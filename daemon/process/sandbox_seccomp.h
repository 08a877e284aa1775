/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which system calls a role may make: an allow list for each, by name, so
 * that libseccomp makes of it what this machine needs.
 *
 * Three things can become of a call. It is permitted, perhaps only with some
 * arguments (families of socket(2), requests of ioctl(2), memory that is not
 * executable). Or it is refused quietly, because libraries try it and do
 * well without: libc's search for files (time zone, number of CPUs), its
 * clone3(2), its question whether something is a terminal. Or it is not in the
 * table, and the process is killed: the kernel's log has the number (audit,
 * type=1326), the monitor sees SIGSYS.
 */
#ifndef SEALOCK_PROCESS_SANDBOX_SECCOMP_H
#define SEALOCK_PROCESS_SANDBOX_SECCOMP_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/* Those that run in a sandbox. */
enum sandbox_role {
	SANDBOX_WORKER,
	SANDBOX_KEEPER,
	SANDBOX_HELPER,
	SANDBOX_BROKER,
	SANDBOX_ROLE_COUNT,
};

/* What becomes of a call that is not in the table. */
enum sandbox_answer {
	SANDBOX_KILL,   /* the process, at once */
	SANDBOX_REFUSE, /* it fails with SANDBOX_REFUSED: for the self-test */
	SANDBOX_LOG,    /* it is made, as are those that would be refused
			 * quietly, and is in the kernel's log */
};

/* An error number that none of the calls tried in the self-test has of its
 * own. */
#define SANDBOX_REFUSED ENOANO

struct sandbox_filter {
	enum sandbox_role role;
	enum sandbox_answer answer;
};

/* The filter for an architecture (SCMP_ARCH_NATIVE, SCMP_ARCH_AARCH64, …):
 * libseccomp's scmp_filter_ctx, freed with seccomp_release(). NULL with a
 * sentence. */
void *
sandbox_seccomp_new(const struct sandbox_filter *filter, uint32_t architecture,
		    struct error *error);

/* Load it into this process, for good. A second one is asked as well, and the
 * stricter answer counts. Needs no_new_privs. -1 with a sentence. */
int
sandbox_seccomp_load(const struct sandbox_filter *filter, struct error *error)
	__attribute__((warn_unused_result));

#endif
