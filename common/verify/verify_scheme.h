/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the names of a certificate are compared with the name that a peer is
 * known by: what each protocol says of it, as rows of one table.
 */
#ifndef SEALOCK_VERIFY_VERIFY_SCHEME_H
#define SEALOCK_VERIFY_VERIFY_SCHEME_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* When is the common name looked at? */
enum verify_cn {
	VERIFY_CN_NEVER,
	VERIFY_CN_WHEN_ONLY, /* without alternative names of type DNS */
	VERIFY_CN_ALWAYS,
};

/* Where may a wildcard stand? In the first of several labels, and once. */
enum verify_wildcards {
	VERIFY_WILDCARDS_NONE,
	VERIFY_WILDCARDS_FULL_LABEL, /* *.example.org */
	VERIFY_WILDCARDS_ANYWHERE,   /* www*.example.org, too */
};

/* May a common name be an IP address? */
enum verify_ip_in_cn {
	VERIFY_IP_IN_CN_NEVER,
	VERIFY_IP_IN_CN_ANY,
	VERIFY_IP_IN_CN_IPV4,
	VERIFY_IP_IN_CN_IPV6,
};

/* Zeroed: alternative names alone, without wildcards. */
struct verify_scheme {
	enum verify_cn check_cn;
	enum verify_wildcards wildcards_in_alt;
	enum verify_wildcards wildcards_in_cn;
	enum verify_ip_in_cn ip_in_cn;
	bool is_none; /* no name is asked for */
};

/* The scheme of a protocol by its name or that of its RFC ("http", "rfc2818"),
 * in capitals or not; NULL: there is none. */
const struct verify_scheme *
verify_scheme_find(const char *name);

/* All names, in the order of the manual; NULL behind the last. */
const char *
verify_scheme_name(size_t index);

/* Set one member by its name, as a configuration writes it:
 *	check_cn          never (0, false), when_only, always
 *	wildcards_in_alt  none (0, false), full_label (leftmost), anywhere
 *	wildcards_in_cn   the same
 *	ip_in_cn          none (0, false), any (1, true), 4, 6
 * -1 with a sentence: no such member, or no such value of it. */
int
verify_scheme_set(struct verify_scheme *scheme, const char *member,
		  const char *value, struct error *error)
	__attribute__((warn_unused_result));

/* A scheme as it is written in one line: a name, or members of its own with
 * commas between them ("check_cn=always,wildcards_in_alt=anywhere"). -1
 * with a sentence. */
int
verify_scheme_parse(const char *text, struct verify_scheme *scheme,
		    struct error *error) __attribute__((warn_unused_result));

/* Are they the same rules? */
bool
verify_scheme_equals(const struct verify_scheme *one,
		     const struct verify_scheme *other);

#endif
