/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Public suffixes (publicsuffix.org): com, co.uk and whatever else names are
 * registered below, so that a wildcard over one would stand for everybody's
 * names. Where this is spoken of, NULL is legal and means that nobody asks.
 */
#ifndef SEALOCK_VERIFY_PUBLIC_SUFFIX_H
#define SEALOCK_VERIFY_PUBLIC_SUFFIX_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct public_suffixes;

/* Those that libpsl brings along. A build without libpsl, or a libpsl without
 * data, has a plain rule in their place: a wildcard needs two labels behind
 * it. Returns a reference. */
struct public_suffixes *
public_suffixes_builtin(void) __attribute__((returns_nonnull));

/* Those of a file in the list's own format. Where the file tells domains of
 * registries from private ones (===BEGIN ICANN DOMAINS===), as the list itself
 * does, the former count. NULL with a sentence about "it" when there is no
 * rule in it, or without libpsl. Returns a reference. */
struct public_suffixes *
public_suffixes_parse(const void *bytes, size_t length, struct error *error);

struct public_suffixes *
public_suffixes_ref(struct public_suffixes *suffixes);
void
public_suffixes_unref(struct public_suffixes *suffixes);

/* May a wildcard stand for the first label of that name (normalized, of two
 * labels or more)? Not if what is left is a public suffix, nor if the name
 * itself is one. */
bool
public_suffixes_allow_wildcard(const struct public_suffixes *suffixes,
			       const char *host);

/* For `--version` and `check`: "libpsl 0.21.2, 9498 rules", or
 * what there is in its place. Returns buffer. */
const char *
public_suffixes_describe(char *buffer, size_t size);

/* Is there more than the plain rule in this build? */
bool
public_suffixes_are_known(void);

#endif
