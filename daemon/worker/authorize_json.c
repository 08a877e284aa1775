/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing here but what jansson leaves to its users.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/worker/authorize_json.h"

#ifdef HAVE_JANSSON

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <jansson.h>
#include <openssl/rand.h>

#include "common/base/mem.h"
#include "common/base/text.h"

void
authorize_json_init(void)
{
	size_t seed = 0;

	json_set_alloc_funcs(mem_alloc, mem_free);
	if (RAND_bytes((unsigned char *)&seed, sizeof(seed)) == 1)
		json_object_seed(seed);
}

void
authorize_json_put(json_t *object, const char *name, json_t *value)
{
	int failed = json_object_set_new(object, name, value);

	assert(!failed);
}

void
authorize_json_append(json_t *array, json_t *value)
{
	int failed = json_array_append_new(array, value);

	assert(!failed);
}

static bool
needs_escape(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < ' ' || c == 0x7f || c == '\\')
			return true;
	}
	return false;
}

json_t *
authorize_json_text(const char *bytes, size_t length)
{
	AUTO_FREE char *escaped = NULL;
	json_t *text = NULL;

	/* jansson refuses what is no UTF-8. */
	if (!needs_escape(bytes, length))
		text = json_stringn(bytes, length);
	if (text)
		return text;
	escaped = mem_alloc(4 * length + 1);
	text_escape(bytes, length, escaped, 4 * length + 1);
	return json_string(escaped);
}

char *
authorize_json_line(const json_t *object)
{
	AUTO_FREE char *text = json_dumps(object, JSON_COMPACT);

	assert(text);
	return mem_format("%s\n", text);
}

#else

void
authorize_json_init(void)
{
}

#endif
