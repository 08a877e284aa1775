/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configurations from strings, and what was said about them.
 */
#ifndef SEALOCK_TESTS_CONF_FIXTURE_H
#define SEALOCK_TESTS_CONF_FIXTURE_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/conf/conf.h"

#define CONF_FIXTURE_FILE "/etc/sealock/test.yaml"

/* A service that is nothing but right, for documents that are about something
 * else. */
#define CONF_FIXTURE_SERVICE \
	"services: {s: {accept: \":1\", connect: \"127.0.0.1:2\"}}\n"

struct conf_fixture {
	struct conf_documents documents;
	struct conf *conf; /* NULL: there were problems */
	struct error_list problems;
	struct error_list warnings;
};

/* Load one document under the name above. Zero the fixture first; what an
 * earlier load left in it goes. */
void
conf_fixture_load(struct conf_fixture *fixture, const char *text);

/* Append a document, and load them all. */
void
conf_fixture_add(struct conf_fixture *fixture, const char *name,
		 const char *text);
void
conf_fixture_load_all(struct conf_fixture *fixture);
void
conf_fixture_clear(struct conf_fixture *fixture);

/* Is there exactly one problem, and is it "LINE:COLUMN: ..." with that in it?
 * Shows what there is when it is not. */
bool
conf_fixture_has_only(const struct conf_fixture *fixture, const char *where,
		      const char *part);

/* Is one of a list's errors there, and has it that in it? */
bool
conf_fixture_has(const struct error_list *list, const char *where,
		 const char *part);

/* No problem and no warning. */
bool
conf_fixture_is_good(const struct conf_fixture *fixture);

/* What conf_print() writes; the caller's (free()). */
char *
conf_fixture_print(const struct conf *conf);

#endif
