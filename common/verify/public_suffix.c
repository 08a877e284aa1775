/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libpsl behind a counted struct. What is a suffix is asked of the domains of
 * registries alone: below private ones, as github.io, wildcards are usual.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "common/verify/public_suffix.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#ifdef HAVE_PSL
#include <libpsl.h>
#endif

#include "common/base/error.h"
#include "common/base/mem.h"

struct public_suffixes {
	unsigned int references;
#ifdef HAVE_PSL
	const psl_ctx_t *list; /* NULL: the plain rule */
	psl_ctx_t *own;        /* the same, when it is to be freed */
	int kind;              /* of rules that count */
#endif
};

static struct public_suffixes *
make(void)
{
	struct public_suffixes *suffixes = mem_alloc(sizeof(*suffixes));

	suffixes->references = 1;
	return suffixes;
}

struct public_suffixes *
public_suffixes_ref(struct public_suffixes *suffixes)
{
	if (suffixes) {
		suffixes->references++;
		assert(suffixes->references > 1);
	}
	return suffixes;
}

/* Two labels behind the one that the wildcard stands for. */
static bool
has_two_behind(const char *rest)
{
	return strchr(rest, '.') != NULL;
}

#ifdef HAVE_PSL

struct public_suffixes *
public_suffixes_builtin(void)
{
	struct public_suffixes *suffixes = make();

	suffixes->list = psl_builtin();
	suffixes->kind = PSL_TYPE_ICANN;
	return suffixes;
}

struct public_suffixes *
public_suffixes_parse(const void *bytes, size_t length, struct error *error)
{
	static const char mark[] = "===BEGIN ICANN DOMAINS===";
	AUTO_FREE void *copy = mem_dup(bytes, length);
	struct public_suffixes *suffixes;
	psl_ctx_t *list = NULL;
	FILE *stream = fmemopen(copy, length, "r");

	/* There is none for an empty file. */
	if (stream) {
		list = psl_load_fp(stream);
		fclose(stream);
	}
	if (!list || psl_suffix_count(list) <= 0) {
		psl_free(list);
		error_set(error, "it holds no rule of a list of public "
				 "suffixes (publicsuffix.org)");
		return NULL;
	}
	suffixes = make();
	suffixes->list = suffixes->own = list;
	suffixes->kind = memmem(bytes, length, mark, sizeof(mark) - 1)
				 ? PSL_TYPE_ICANN
				 : PSL_TYPE_ANY;
	return suffixes;
}

void
public_suffixes_unref(struct public_suffixes *suffixes)
{
	if (!suffixes)
		return;
	assert(suffixes->references > 0);
	if (--suffixes->references > 0)
		return;
	psl_free(suffixes->own);
	mem_free(suffixes);
}

bool
public_suffixes_allow_wildcard(const struct public_suffixes *suffixes,
			       const char *host)
{
	const char *rest = strchr(host, '.');

	if (!suffixes)
		return true;
	assert(rest);
	rest++;
	if (!suffixes->list)
		return has_two_behind(rest);
	return !psl_is_public_suffix2(suffixes->list, rest, suffixes->kind) &&
	       !psl_is_public_suffix2(suffixes->list, host, suffixes->kind);
}

bool
public_suffixes_are_known(void)
{
	return psl_builtin() != NULL;
}

const char *
public_suffixes_describe(char *buffer, size_t size)
{
	if (psl_builtin())
		snprintf(buffer, size, "libpsl %s, %d rules", psl_get_version(),
			 psl_suffix_count(psl_builtin()));
	else
		snprintf(buffer, size,
			 "libpsl %s without rules of its own: two labels "
			 "behind a wildcard",
			 psl_get_version());
	return buffer;
}

#else

struct public_suffixes *
public_suffixes_builtin(void)
{
	return make();
}

struct public_suffixes *
public_suffixes_parse(const void *bytes, size_t length, struct error *error)
{
	(void)bytes;
	(void)length;
	error_set(error, "this build has no libpsl to read it with");
	return NULL;
}

void
public_suffixes_unref(struct public_suffixes *suffixes)
{
	if (!suffixes)
		return;
	assert(suffixes->references > 0);
	if (--suffixes->references == 0)
		mem_free(suffixes);
}

bool
public_suffixes_allow_wildcard(const struct public_suffixes *suffixes,
			       const char *host)
{
	const char *rest = strchr(host, '.');

	assert(rest);
	return !suffixes || has_two_behind(rest + 1);
}

bool
public_suffixes_are_known(void)
{
	return false;
}

const char *
public_suffixes_describe(char *buffer, size_t size)
{
	snprintf(buffer, size, "no libpsl: two labels behind a wildcard");
	return buffer;
}

#endif
