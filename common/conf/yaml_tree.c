/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libyaml's events to a tree, by recursive descent. Its own document API is
 * not used: that one copies no positions and knows neither bounds nor merge
 * keys.
 */
#include "common/conf/yaml_tree.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/base/mem.h"
#include "common/conf/yaml_pairs.h"
#include "common/conf/yaml_text.h"

/* Of one document; a file that is no configuration at all is told so often
 * enough. */
#define PROBLEMS_MAX 100

struct anchor {
	char *name;
	struct yaml_node *node;
};

struct composer {
	const char *file;
	const unsigned char *text;
	size_t length;
	struct error_list *problems;
	struct yaml_tree *tree;
	yaml_parser_t parser;
	void *anchors; /* a tsearch() tree of struct anchor */
	size_t problem_count;
	size_t event_count;
	size_t expanded;   /* nodes that aliases stand for */
	size_t text_start; /* bytes of the document before text */
	struct {
		size_t characters;
		size_t bytes;
	} cursor; /* how far byte_offset() has counted */
};

static struct position
position_of(const struct composer *composer, const yaml_mark_t *mark)
{
	return (struct position){
		.file = composer->file,
		.line = (unsigned int)mark->line + 1,
		.column = (unsigned int)mark->column + 1,
	};
}

__attribute__((format(printf, 3, 4))) static void
complain(struct composer *composer, const struct position *at,
	 const char *format, ...)
{
	struct error error = {0};
	char sentence[sizeof(error.text)];
	va_list arguments;

	if (++composer->problem_count > PROBLEMS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	error_list_addf(composer->problems, at, "%s", sentence);
}

/* Where a mark is in the document. Marks count characters, and mostly come in
 * their order. */
static size_t
byte_offset(struct composer *composer, const yaml_mark_t *mark)
{
	size_t at = composer->cursor.bytes;

	if (mark->index < composer->cursor.characters) {
		composer->cursor.characters = 0;
		at = 0;
	}
	while (composer->cursor.characters < mark->index &&
	       at < composer->length) {
		at++;
		while (at < composer->length &&
		       (composer->text[at] & 0xc0) == 0x80)
			at++;
		composer->cursor.characters++;
	}
	composer->cursor.bytes = at;
	return composer->text_start + at;
}

static int
compare_anchors(const void *one, const void *other)
{
	return strcmp(((const struct anchor *)one)->name,
		      ((const struct anchor *)other)->name);
}

static void
anchor_free(void *memory)
{
	struct anchor *anchor = memory;

	mem_free(anchor->name);
	mem_free(anchor);
}

/* The entry of that name, which is made when there is none yet. */
static struct anchor *
anchor_of(struct composer *composer, const yaml_char_t *name)
{
	struct anchor *anchor = mem_alloc(sizeof(*anchor));
	struct anchor **found;

	anchor->name = mem_strdup((const char *)name);
	found = tsearch(anchor, &composer->anchors, compare_anchors);
	if (!found)
		abort();
	if (*found != anchor)
		anchor_free(anchor);
	return *found;
}

static struct yaml_node *
node_new(struct composer *composer, enum yaml_kind kind,
	 const yaml_event_t *event, const yaml_char_t *anchor)
{
	struct yaml_node *node = mem_alloc(sizeof(*node));

	node->kind = kind;
	node->at = position_of(composer, &event->start_mark);
	node->weight = 1;
	node->height = 1;
	node->next = composer->tree->nodes;
	composer->tree->nodes = node;
	/* A name may be given anew: from here on it means this node. */
	if (anchor)
		anchor_of(composer, anchor)->node = node;
	return node;
}

/* Is there a tab at the mark? Marks count characters. */
static bool
is_tab(const struct composer *composer, const yaml_mark_t *mark)
{
	size_t count = 0;

	for (size_t i = 0; i < composer->length; i++) {
		if ((composer->text[i] & 0xc0) == 0x80)
			continue;
		if (count++ == mark->index)
			return composer->text[i] == '\t';
	}
	return false;
}

/* What libyaml had to say, in one sentence. */
static void
add_parser_problem(struct composer *composer)
{
	const yaml_parser_t *parser = &composer->parser;
	struct position at = position_of(composer, &parser->problem_mark);
	const char *hint = is_tab(composer, &parser->problem_mark)
				   ? " (a tab: YAML is indented with spaces)"
				   : "";

	if (parser->error == YAML_MEMORY_ERROR)
		abort();
	if (parser->error == YAML_READER_ERROR) {
		/* The reader is ahead of the marks and says an offset only,
		 * which find_bad_character() has looked at before. */
		at = (struct position){composer->file, 1, 1};
		complain(composer, &at, "bad YAML: %s", parser->problem);
	} else if (parser->context &&
		   parser->context_mark.line != parser->problem_mark.line) {
		complain(composer, &at,
			 "bad YAML: %s %s that began in line %zu%s",
			 parser->problem, parser->context,
			 parser->context_mark.line + 1, hint);
	} else {
		complain(composer, &at, "bad YAML: %s%s%s%s", parser->problem,
			 parser->context ? " " : "",
			 parser->context ? parser->context : "", hint);
	}
}

/* The next event, or -1 after a problem; the caller deletes it. */
static int
next_event(struct composer *composer, yaml_event_t *event)
{
	struct position at;

	if (!yaml_parser_parse(&composer->parser, event)) {
		add_parser_problem(composer);
		return -1;
	}
	if (++composer->event_count <= YAML_TREE_EVENTS_MAX)
		return 0;
	at = position_of(composer, &event->start_mark);
	complain(composer, &at,
		 "the document is too long: more than %d YAML events",
		 YAML_TREE_EVENTS_MAX);
	yaml_event_delete(event);
	return -1;
}

/* Tags of the core schema may stand where they are true; whether it is one
 * that makes a string of anything. */
static bool
check_tag(struct composer *composer, const struct yaml_node *node,
	  const yaml_char_t *tag)
{
	static const char core[] = "tag:yaml.org,2002:";
	static const struct {
		const char *name;
		enum yaml_kind kind;
	} known[] = {
		{"str", YAML_TREE_SCALAR},   {"int", YAML_TREE_SCALAR},
		{"float", YAML_TREE_SCALAR}, {"bool", YAML_TREE_SCALAR},
		{"null", YAML_TREE_SCALAR},  {"seq", YAML_TREE_LIST},
		{"map", YAML_TREE_MAP},
	};
	const char *text = (const char *)tag;

	if (!text)
		return false;
	if (strcmp(text, "!") == 0)
		return true;
	if (strncmp(text, core, sizeof(core) - 1) == 0) {
		const char *name = text + sizeof(core) - 1;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (strcmp(name, known[i].name) == 0 &&
			    node->kind == known[i].kind)
				return i == 0;
	}
	complain(composer, &node->at, "unknown tag `%.80s`, leave it out",
		 text);
	return false;
}

static bool
is_null_text(const char *text)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

static struct yaml_node *
compose_scalar(struct composer *composer, const yaml_event_t *event)
{
	struct yaml_node *node = node_new(composer, YAML_TREE_SCALAR, event,
					  event->data.scalar.anchor);
	const char *value = (const char *)event->data.scalar.value;
	bool is_string = check_tag(composer, node, event->data.scalar.tag);

	if (memchr(value, '\0', event->data.scalar.length))
		complain(composer, &node->at, "a value cannot hold a NUL byte");
	node->text = mem_strdup(value);
	node->begin = byte_offset(composer, &event->start_mark);
	node->end = byte_offset(composer, &event->end_mark);
	node->is_null = !is_string &&
			event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			is_null_text(value);
	return node;
}

/* The node that an alias stands for; depth is where the alias stands. */
static struct yaml_node *
resolve_alias(struct composer *composer, const yaml_event_t *event,
	      unsigned int depth)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct position at = position_of(composer, &event->start_mark);
	struct yaml_node *node =
		anchor_of(composer, event->data.alias.anchor)->node;

	if (!node) {
		complain(composer, &at,
			 "there is no anchor `&%.80s` before this alias", name);
		return NULL;
	}
	if (node->is_open) {
		complain(composer, &at,
			 "the alias `*%.80s` stands inside its own "
			 "anchor (line %u)",
			 name, node->at.line);
		return NULL;
	}
	composer->expanded += node->weight;
	if (composer->expanded > YAML_TREE_EXPANDED_MAX) {
		complain(composer, &at, "aliases expand to more than %d nodes",
			 YAML_TREE_EXPANDED_MAX);
		return NULL;
	}
	if (depth + node->height - 1 > YAML_TREE_DEPTH_MAX) {
		complain(composer, &at, "nested deeper than %d levels",
			 YAML_TREE_DEPTH_MAX);
		return NULL;
	}
	return node;
}

static void
add_weight(struct yaml_node *node, const struct yaml_node *child)
{
	node->weight += child->weight;
	if (node->height <= child->height)
		node->height = child->height + 1;
}

static struct yaml_node *
compose(struct composer *composer, const yaml_event_t *event,
	unsigned int depth);

/* The next node, or NULL: *is_end says whether it was the end instead of a
 * problem. */
static struct yaml_node *
compose_next(struct composer *composer, unsigned int depth,
	     yaml_event_type_t end, bool *is_end)
{
	struct yaml_node *node;
	yaml_event_t event;

	*is_end = false;
	if (next_event(composer, &event) != 0)
		return NULL;
	if (event.type == end) {
		yaml_event_delete(&event);
		*is_end = true;
		return NULL;
	}
	node = compose(composer, &event, depth);
	yaml_event_delete(&event);
	return node;
}

/* Room for one more, doubled now and then. */
static void *
grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return mem_resize(array, count ? 2 * count : 1, size);
}

static struct yaml_node *
compose_list(struct composer *composer, const yaml_event_t *event,
	     unsigned int depth)
{
	struct yaml_node *node = node_new(composer, YAML_TREE_LIST, event,
					  event->data.sequence_start.anchor);
	bool is_end;

	(void)check_tag(composer, node, event->data.sequence_start.tag);
	node->is_open = true;
	for (;;) {
		struct yaml_node *item = compose_next(
			composer, depth + 1, YAML_SEQUENCE_END_EVENT, &is_end);

		if (!item)
			break;
		node->items = grow(node->items, node->item_count,
				   sizeof(struct yaml_node *));
		node->items[node->item_count++] = item;
		add_weight(node, item);
	}
	node->is_open = false;
	return is_end ? node : NULL;
}

/* The value of a `<<` key: a map, or a list of maps, the first one wins. */
static void
merge(struct composer *composer, struct yaml_pairs *pairs,
      const struct yaml_node *value)
{
	if (value->kind == YAML_TREE_MAP) {
		yaml_pairs_merge(pairs, value);
		return;
	}
	if (value->kind == YAML_TREE_SCALAR)
		complain(composer, &value->at,
			 "`<<` merges a map or a list of maps");
	for (size_t i = 0; i < value->item_count; i++)
		if (value->items[i]->kind == YAML_TREE_MAP)
			yaml_pairs_merge(pairs, value->items[i]);
		else
			complain(composer, &value->items[i]->at,
				 "`<<` merges maps only");
}

static void
complain_duplicate(void *argument, const struct yaml_node *key,
		   const struct yaml_node *first)
{
	complain(argument, &key->at,
		 "duplicate key `%.80s`: it stands in line %u already",
		 key->text, first->at.line);
}

static bool
is_good_key(struct composer *composer, const struct yaml_node *key)
{
	if (key->kind == YAML_TREE_SCALAR && !key->is_null)
		return true;
	complain(composer, &key->at,
		 key->kind == YAML_TREE_SCALAR
			 ? "a key is missing here"
			 : "a key must be one word, not a map or list");
	return false;
}

/* All pairs of a map up to its end; -1 after a problem that ends it all. */
static int
compose_pairs(struct composer *composer, unsigned int depth,
	      struct yaml_pairs *pairs)
{
	const struct yaml_node *merge_key = NULL;
	bool is_end;

	for (;;) {
		struct yaml_pair pair;

		pair.key = compose_next(composer, depth + 1,
					YAML_MAPPING_END_EVENT, &is_end);
		if (!pair.key)
			return is_end ? 0 : -1;
		pair.value = compose_next(composer, depth + 1, YAML_NO_EVENT,
					  &is_end);
		if (!pair.value)
			return -1;
		if (!is_good_key(composer, pair.key))
			continue;
		if (strcmp(pair.key->text, "<<") != 0) {
			yaml_pairs_add(pairs, &pair);
		} else if (merge_key) {
			complain(composer, &pair.key->at,
				 "duplicate key `<<`: it stands in line "
				 "%u already; merge several maps by a "
				 "list of them",
				 merge_key->at.line);
		} else {
			merge_key = pair.key;
			merge(composer, pairs, pair.value);
		}
	}
}

static struct yaml_node *
compose_map(struct composer *composer, const yaml_event_t *event,
	    unsigned int depth)
{
	struct yaml_node *node = node_new(composer, YAML_TREE_MAP, event,
					  event->data.mapping_start.anchor);
	struct yaml_pairs pairs = {0};
	int result;

	(void)check_tag(composer, node, event->data.mapping_start.tag);
	node->is_open = true;
	result = compose_pairs(composer, depth, &pairs);
	node->is_open = false;
	if (result == 0)
		yaml_pairs_finish(&pairs, node, complain_duplicate, composer);
	for (size_t i = 0; i < node->pair_count; i++) {
		add_weight(node, node->pairs[i].key);
		add_weight(node, node->pairs[i].value);
	}
	yaml_pairs_clear(&pairs);
	return result == 0 ? node : NULL;
}

static struct yaml_node *
compose(struct composer *composer, const yaml_event_t *event,
	unsigned int depth)
{
	struct position at = position_of(composer, &event->start_mark);

	if (depth > YAML_TREE_DEPTH_MAX) {
		complain(composer, &at, "nested deeper than %d levels",
			 YAML_TREE_DEPTH_MAX);
		return NULL;
	}
	if (event->type == YAML_ALIAS_EVENT)
		return resolve_alias(composer, event, depth);
	if (event->type == YAML_SCALAR_EVENT)
		return compose_scalar(composer, event);
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return compose_list(composer, event, depth);
	if (event->type == YAML_MAPPING_START_EVENT)
		return compose_map(composer, event, depth);
	/* libyaml gives nothing else where a node may stand. */
	abort();
}

/* Stream start, at most one document, stream end. */
static int
compose_stream(struct composer *composer)
{
	bool has_document = false;

	for (;;) {
		yaml_event_t event;
		yaml_event_type_t type;
		struct position at;
		bool is_end;

		if (next_event(composer, &event) != 0)
			return -1;
		type = event.type;
		at = position_of(composer, &event.start_mark);
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return 0;
		if (type != YAML_DOCUMENT_START_EVENT)
			continue;
		if (has_document) {
			complain(composer, &at,
				 "a second document: one file is one "
				 "document");
			return -1;
		}
		has_document = true;
		composer->tree->root =
			compose_next(composer, 1, YAML_NO_EVENT, &is_end);
		if (!composer->tree->root)
			return -1;
	}
}

/* The bytes before all else: what is no text has a better message than any
 * that libyaml could give. */
static int
check_text(struct composer *composer)
{
	struct position at = {.file = composer->file};
	size_t good = yaml_text_length(composer->text, composer->length, &at);

	if (good == composer->length)
		return 0;
	complain(composer, &at,
		 "byte 0x%02x is not UTF-8 or no character of a text",
		 composer->text[good]);
	return -1;
}

static int
compose_text(struct composer *composer)
{
	int result;

	if (!yaml_parser_initialize(&composer->parser))
		abort();
	yaml_parser_set_encoding(&composer->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&composer->parser, composer->text,
				     composer->length);
	result = compose_stream(composer);
	yaml_parser_delete(&composer->parser);
	tdestroy(composer->anchors, anchor_free);
	return result;
}

struct yaml_tree *
yaml_tree_parse(const char *file, const void *bytes, size_t length,
		struct error_list *problems)
{
	static const unsigned char order_mark[] = {0xef, 0xbb, 0xbf};
	struct composer composer = {
		.file = file,
		.text = bytes,
		.length = length,
		.problems = problems,
	};
	const struct position start = {file, 1, 1};

	if (length > YAML_TREE_BYTES_MAX) {
		error_list_addf(problems, &start,
				"the file is larger than 16 MiB");
		return NULL;
	}
	if (length >= sizeof(order_mark) &&
	    memcmp(bytes, order_mark, sizeof(order_mark)) == 0) {
		composer.text += sizeof(order_mark);
		composer.text_start = sizeof(order_mark);
		composer.length -= sizeof(order_mark);
	}
	if (check_text(&composer) != 0)
		return NULL;
	composer.tree = mem_alloc(sizeof(*composer.tree));
	if (compose_text(&composer) != 0) {
		yaml_tree_free(composer.tree);
		return NULL;
	}
	return composer.tree;
}

void
yaml_tree_free(struct yaml_tree *tree)
{
	struct yaml_node *node, *next;

	if (!tree)
		return;
	for (node = tree->nodes; node; node = next) {
		next = node->next;
		/* It may hold a key. */
		if (node->text)
			mem_wipe(node->text, strlen(node->text));
		mem_free(node->text);
		mem_free(node->items);
		mem_free(node->pairs);
		mem_free(node);
	}
	mem_free(tree);
}

const struct yaml_pair *
yaml_tree_find(const struct yaml_node *map, const char *key)
{
	if (map->kind != YAML_TREE_MAP)
		return NULL;
	for (size_t i = 0; i < map->pair_count; i++)
		if (strcmp(map->pairs[i].key->text, key) == 0)
			return &map->pairs[i];
	return NULL;
}
