/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two halves of generation_transfer share: the kinds of items and
 * their bounds. The form itself is described in generation_transfer.h.
 */
#ifndef SEALOCK_PROCESS_GENERATION_ITEMS_H
#define SEALOCK_PROCESS_GENERATION_ITEMS_H

#include <stddef.h>

enum item_kind {
	ITEM_DOCUMENT = 1,
	ITEM_FILE,
	ITEM_MISSING,
	ITEM_DIRECTORY,
	ITEM_LISTENER,
	ITEM_WITHHELD,
	ITEM_ORIGINAL,
	ITEM_INDEX,
	ITEM_FACT,
	ITEM_SESSIONS,
};

/* A message takes at least two of them. */
#define ITEM_NAME_MAX 16384

/* Of enum file_use, all of them. */
#define ITEM_USES_MAX 7

/* The bound of a configuration document, and one byte more: what is too long
 * is for the parser to tell, with its name. */
#define ITEM_DOCUMENT_MAX ((16 << 20) + 1)

#endif
