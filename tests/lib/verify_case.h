/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of a table: is a certificate with these names for that host?
 */
#ifndef SEALOCK_TESTS_VERIFY_CASE_H
#define SEALOCK_TESTS_VERIFY_CASE_H

#include <stdbool.h>
#include <stddef.h>

enum verify_case_suffixes {
	SUFFIXES_BUILTIN,
	SUFFIXES_OFF,
	SUFFIXES_OWN, /* see verify_case.c */
};

/* names are words: d:DNS i:IP e:EMAIL u:URI o:OU c:CN, and x: for a directory
 * name; %XX is a byte. An i: that is no address has the bytes given. */
struct verify_case {
	enum verify_case_suffixes suffixes;
	bool is_for; /* what is expected */
	const char *scheme;
	const char *host;
	const char *names;
	const char *clause; /* of the manual or an RFC, that says so */
};

/* Every line that comes out otherwise fails the test and is printed. */
void
verify_cases_run(const struct verify_case *cases, size_t count);

/* How many lines have been run in this process. */
size_t
verify_cases_count(void);

#define YES(...)                                    \
	{                                           \
		SUFFIXES_BUILTIN, true, __VA_ARGS__ \
	}
#define NO(...)                                      \
	{                                            \
		SUFFIXES_BUILTIN, false, __VA_ARGS__ \
	}
#define YES_OFF(...)                            \
	{                                       \
		SUFFIXES_OFF, true, __VA_ARGS__ \
	}
#define NO_OFF(...)                              \
	{                                        \
		SUFFIXES_OFF, false, __VA_ARGS__ \
	}
#define YES_OWN(...)                            \
	{                                       \
		SUFFIXES_OWN, true, __VA_ARGS__ \
	}
#define NO_OWN(...)                              \
	{                                        \
		SUFFIXES_OWN, false, __VA_ARGS__ \
	}

#endif
