/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of what a process cannot undo run in a child.
 */
#ifndef SEALOCK_TESTS_IN_CHILD_H
#define SEALOCK_TESTS_IN_CHILD_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdbool.h>

/* AddressSanitizer makes system calls that no role is permitted. */
#if defined(SEALOCK_SANITIZED) || defined(__SANITIZE_ADDRESS__)
#define IN_CHILD_IS_SANITIZED true
#else
#define IN_CHILD_IS_SANITIZED false
#endif

/* Call run in a forked child: what it returned, 0 to 100, or 1000 and the
 * signal that killed it. */
int
in_child(int (*run)(const void *argument), const void *argument);

#define IN_CHILD_KILLED(signal) (1000 + (signal))

/* The same in a child of an ordinary user without capabilities: nobody when
 * the tests run as root. */
int
in_child_as_user(int (*run)(const void *argument), const void *argument);

/* Did the tests start as root, with the capabilities of root? */
bool
is_root_here(void);

/* For run: tell on standard error where it failed, and return 1. */
#define CHECK(condition)                                                 \
	do {                                                             \
		if (!(condition)) {                                      \
			in_child_failed(__FILE__, __LINE__, #condition); \
			return 1;                                        \
		}                                                        \
	} while (0)

void
in_child_failed(const char *file, int line, const char *condition);

#endif
