/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation's documents for those who must not have its secrets.
 */
#include "daemon/process/generation.h"

#include <errno.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/conf/conf_blank.h"
#include "daemon/process/generation_items.h"

static int
add_original(struct generation *generation, size_t document, const void *bytes,
	     size_t length, struct error_list *problems)
{
	struct error error = {0};
	int descriptor = sealed_new("sealock-document", bytes, length);

	if (descriptor < 0) {
		error_set(&error, "cannot keep %s in memory: %s",
			  generation->documents.documents[document].name,
			  strerror(errno));
		error_list_add(problems, &error);
		return -1;
	}
	generation->originals = mem_resize(generation->originals,
					   generation->original_count + 1,
					   sizeof(*generation->originals));
	generation->originals[generation->original_count++] =
		(struct generation_original){document, descriptor};
	return 0;
}

static int
blank_document(struct generation *generation, size_t index,
	       struct error_list *problems)
{
	struct conf_document *document =
		&generation->documents.documents[index];
	size_t length = document->length;
	AUTO_FREE char *original = mem_dup(document->bytes, length);
	int result = conf_document_blank(document, problems);

	if (result > 0)
		result = add_original(generation, index, original, length,
				      problems);
	if (length > 0)
		mem_wipe(original, length);
	return result;
}

int
generation_blank(struct generation *generation, struct error_list *problems)
{
	int result = 0;

	for (size_t i = 0; i < generation->documents.count; i++)
		if (blank_document(generation, i, problems) != 0)
			result = -1;
	return result;
}
