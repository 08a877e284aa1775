/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a configuration: the main file and what it includes.
 */
#include "common/conf/conf_documents.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/conf/conf_facts.h"
#include "common/conf/yaml_tree.h"

/* More than libyaml is given, so that what is too long is seen to be so. */
#define READ_MAX (YAML_TREE_BYTES_MAX + 1)

static int
compare_names(const void *one, const void *other)
{
	return strcmp(one, other);
}

const char *
conf_document_name(const char *name)
{
	static void *names;
	char *copy = mem_strdup(name);
	char **found = tsearch(copy, &names, compare_names);

	if (!found)
		abort();
	if (*found != copy)
		mem_free(copy);
	return *found;
}

static char *
working_directory(struct conf_facts *facts)
{
	const char *known;

	if (!facts)
		return getcwd(NULL, 0);
	known = conf_facts_directory(facts);
	return known ? mem_strdup(known) : NULL;
}

char *
conf_path_absolute(struct conf_facts *facts, const struct position *at,
		   const char *path)
{
	const char *file = at->file ? at->file : "";
	const char *slash = strrchr(file, '/');
	AUTO_FREE char *directory = NULL;

	if (path[0] == '/')
		return mem_strdup(path);
	while (strncmp(path, "./", 2) == 0)
		for (path++; *path == '/';)
			path++;
	if (file[0] != '/')
		directory = working_directory(facts);
	return mem_format("%s%s%.*s/%s", directory ? directory : "",
			  directory && slash ? "/" : "",
			  slash ? (int)(slash - file) : 0, file, path);
}

void
conf_documents_add(struct conf_documents *documents, const char *name,
		   const void *bytes, size_t length)
{
	struct conf_document *document;

	documents->documents =
		mem_resize(documents->documents, documents->count + 1,
			   sizeof(*documents->documents));
	document = &documents->documents[documents->count++];
	document->name = mem_strdup(name);
	document->bytes = mem_dup(bytes, length);
	document->length = length;
}

void
conf_documents_clear(struct conf_documents *documents)
{
	for (size_t i = 0; i < documents->count; i++) {
		struct conf_document *document = &documents->documents[i];

		if (document->length > 0)
			mem_wipe(document->bytes, document->length);
		mem_free(document->bytes);
		mem_free(document->name);
	}
	mem_free(documents->documents);
	conf_facts_free(documents->facts);
	*documents = (struct conf_documents){0};
}

/* 0, or the errno of what went wrong. */
static int
read_bytes(int descriptor, char **bytes, size_t *length)
{
	size_t capacity = 0;

	for (;;) {
		ssize_t got;

		if (*length == capacity) {
			capacity = capacity ? 2 * capacity : 16384;
			*bytes = mem_resize(*bytes, capacity, 1);
		}
		got = read(descriptor, *bytes + *length, capacity - *length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		*length += (size_t)got;
		if (got == 0 || *length > READ_MAX)
			return 0;
	}
}

/* Append the content of a file under the given name. A pipe is read as well:
 * `sealock check -c /dev/stdin`. */
static int
read_document(const char *path, const char *name,
	      struct conf_documents *documents, const struct position *at,
	      struct error_list *problems)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO_FREE char *bytes = NULL;
	size_t length = 0;
	int result = descriptor < 0 ? errno
				    : read_bytes(descriptor, &bytes, &length);

	if (descriptor >= 0)
		close(descriptor);
	if (result != 0) {
		error_list_addf(problems, at, "cannot read %s: %s", path,
				strerror(result));
		return -1;
	}
	conf_documents_add(documents, name, bytes, length);
	return 0;
}

static bool
is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/* A pattern made absolute: in the directory that it is taken from, stars are
 * stars. */
static char *
pattern_absolute(struct conf_facts *facts, const struct position *at,
		 const char *pattern)
{
	AUTO_FREE char *directory = conf_path_absolute(facts, at, "");
	AUTO_FREE char *escaped = mem_alloc(2 * strlen(directory) + 1);
	char *to = escaped;

	if (pattern[0] == '/')
		return mem_strdup(pattern);
	for (const char *from = directory; *from; from++) {
		if (strchr("*?[]\\", *from))
			*to++ = '\\';
		*to++ = *from;
	}
	return mem_format("%s%s", escaped, pattern);
}

static void
read_pattern(const struct yaml_node *item, struct conf_documents *documents,
	     struct error_list *problems)
{
	AUTO_FREE char *pattern =
		pattern_absolute(documents->facts, &item->at, item->text);
	glob_t found = {0};
	int result = glob(pattern, GLOB_ERR, NULL, &found);

	if (result != 0 && result != GLOB_NOMATCH)
		error_list_addf(problems, &item->at, "cannot read %s: %s",
				item->text, strerror(errno));
	for (size_t i = 0; result == 0 && i < found.gl_pathc; i++)
		(void)read_document(found.gl_pathv[i], found.gl_pathv[i],
				    documents, &item->at, problems);
	globfree(&found);
}

/* Read what one item of `include` names. */
static void
read_included(const struct yaml_node *item, struct conf_documents *documents,
	      struct error_list *problems)
{
	AUTO_FREE char *path = NULL;

	if (item->kind != YAML_TREE_SCALAR || item->text[0] == '\0')
		return; /* conf_load() says so */
	if (is_pattern(item->text)) {
		read_pattern(item, documents, problems);
		return;
	}
	path = conf_path_absolute(documents->facts, &item->at, item->text);
	(void)read_document(path, path, documents, &item->at, problems);
}

/* The main document is parsed here for its `include` only; whatever is wrong
 * with it conf_load() finds again. */
static void
read_includes(struct conf_documents *documents, struct error_list *problems)
{
	const struct conf_document *main_document = &documents->documents[0];
	struct error_list ignored = {0};
	struct yaml_tree *tree = yaml_tree_parse(
		conf_document_name(main_document->name), main_document->bytes,
		main_document->length, &ignored);
	const struct yaml_pair *include = NULL;

	error_list_clear(&ignored);
	if (tree && tree->root)
		include = yaml_tree_find(tree->root, "include");
	if (include && include->value->kind == YAML_TREE_SCALAR)
		read_included(include->value, documents, problems);
	for (size_t i = 0; include && i < include->value->item_count; i++)
		read_included(include->value->items[i], documents, problems);
	yaml_tree_free(tree);
}

int
conf_documents_read(const char *path, struct conf_documents *documents,
		    struct error_list *problems)
{
	const struct position nowhere = {0};

	if (read_document(path, path, documents, &nowhere, problems) != 0)
		return -1;
	read_includes(documents, problems);
	return 0;
}
