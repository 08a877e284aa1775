/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/conf_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
unload(struct conf_fixture *fixture)
{
	conf_free(fixture->conf);
	fixture->conf = NULL;
	error_list_clear(&fixture->problems);
	error_list_clear(&fixture->warnings);
}

void
conf_fixture_load_all(struct conf_fixture *fixture)
{
	unload(fixture);
	fixture->conf = conf_load(&fixture->documents, &fixture->problems,
				  &fixture->warnings);
}

void
conf_fixture_add(struct conf_fixture *fixture, const char *name,
		 const char *text)
{
	conf_documents_add(&fixture->documents, name, text, strlen(text));
}

void
conf_fixture_load(struct conf_fixture *fixture, const char *text)
{
	conf_documents_clear(&fixture->documents);
	conf_fixture_add(fixture, CONF_FIXTURE_FILE, text);
	conf_fixture_load_all(fixture);
}

void
conf_fixture_clear(struct conf_fixture *fixture)
{
	unload(fixture);
	conf_documents_clear(&fixture->documents);
}

static bool
is_error(const struct error *error, const char *where, const char *part)
{
	char at[32];

	snprintf(at, sizeof(at), "%u:%u", error->at.line, error->at.column);
	return strcmp(at, where) == 0 && strstr(error->text, part);
}

static void
show(const struct error_list *list, const char *where, const char *part)
{
	char text[1024];

	fprintf(stderr, "\nexpected %s: %s\n", where, part);
	for (size_t i = 0; i < list->count; i++)
		fprintf(stderr, "found    %s\n",
			error_format(&list->errors[i], text, sizeof(text)));
}

bool
conf_fixture_has(const struct error_list *list, const char *where,
		 const char *part)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_error(&list->errors[i], where, part))
			return true;
	show(list, where, part);
	return false;
}

bool
conf_fixture_has_only(const struct conf_fixture *fixture, const char *where,
		      const char *part)
{
	const struct error_list *problems = &fixture->problems;

	if (problems->count == 1 &&
	    is_error(&problems->errors[0], where, part) && !fixture->conf)
		return true;
	show(problems, where, part);
	return false;
}

bool
conf_fixture_is_good(const struct conf_fixture *fixture)
{
	if (fixture->problems.count == 0 && fixture->warnings.count == 0 &&
	    fixture->conf)
		return true;
	show(&fixture->problems, "nothing", "");
	show(&fixture->warnings, "nothing", "");
	return false;
}

char *
conf_fixture_print(const struct conf *conf)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		abort();
	conf_print(conf, out);
	fclose(out);
	return text;
}
