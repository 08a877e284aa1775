/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sizes first, then what is in them. That lists do not overlap is seen by their
 * sum.
 */
#include "common/verify/crl_index_check.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/error.h"
#include "common/verify/crl_index_parts.h"

void
crl_layout_compute(const struct crl_list *list, struct crl_layout *layout)
{
	layout->dates = list->at;
	layout->reasons =
		layout->dates + (uint64_t)list->entry_count * sizeof(int64_t);
	layout->serials = layout->reasons + list->entry_count;
	layout->issuer = layout->serials +
			 (uint64_t)list->entry_count * list->serial_size;
	layout->key_id = layout->issuer + list->issuer_length;
	layout->number = layout->key_id + list->key_id_length;
	layout->algorithm = layout->number + list->number_length;
	layout->signature = layout->algorithm + list->algorithm_length;
	layout->names = layout->signature + list->signature_length;
	layout->source = layout->names + list->names_length;
	layout->message = layout->source + list->source_length + 1;
	layout->end =
		(layout->message + list->message_length + 7) & ~UINT64_C(7);
}

static bool
is_zero(const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* A later look-up reads no more than what is looked at here. */
static const char *
check_serials(const unsigned char *serials, const struct crl_list *list)
{
	const size_t size = list->serial_size;

	if (list->entry_count == 0)
		return size == 0 ? NULL : "a list has serials without entries";
	if (size < 2 || size > 1 + CRL_SERIAL_MAX)
		return "the size of serials is wrong";
	for (uint32_t i = 0; i < list->entry_count; i++) {
		const unsigned char *serial = serials + i * size;
		size_t length = serial[0];

		if (length == 0 || length >= size ||
		    !is_zero(serial + 1 + length, size - 1 - length))
			return "a serial is wrong";
		if (i > 0 && memcmp(serial - size, serial, size) >= 0)
			return "the order of serials is wrong";
	}
	return NULL;
}

/* Whole elements, one after the other. */
static bool
are_names(const unsigned char *bytes, size_t length)
{
	struct der_span all = {bytes, length}, content;
	unsigned char tag;

	while (all.length > 0)
		if (!der_take(&all, &tag, &content, NULL))
			return false;
	return true;
}

static const char *
check_list(const unsigned char *memory, uint64_t limit,
	   const struct crl_list *list, uint64_t *sum)
{
	struct crl_layout layout;

	if (list->at < sizeof(struct crl_index_header) || list->at % 8 != 0 ||
	    list->at > limit || list->serial_size > 1 + CRL_SERIAL_MAX)
		return "the place of a list is wrong";
	crl_layout_compute(list, &layout);
	if (layout.end > limit)
		return "the size of a list is wrong";
	*sum += layout.end - list->at;
	if ((list->scope & ~(uint32_t)(CRL_SCOPE_USERS | CRL_SCOPE_CAS)) != 0 ||
	    list->issuer_length == 0 || list->algorithm_length == 0 ||
	    list->signature_length == 0 || list->message_length == 0)
		return "a list is incomplete";
	if (list->source_length > CRL_INDEX_SOURCE_MAX ||
	    memchr(memory + layout.source, '\0',
		   (size_t)list->source_length + 1) !=
		    memory + layout.source + list->source_length)
		return "the source of a list is wrong";
	if (!are_names(memory + layout.names, list->names_length))
		return "the names of a list are wrong";
	if (!is_zero(memory + layout.message + list->message_length,
		     (size_t)(layout.end - layout.message) -
			     list->message_length))
		return "the end of a list is wrong";
	return check_serials(memory + layout.serials, list);
}

static bool
is_ordered(const struct crl_list *one, const struct crl_list *next)
{
	if (one->issuer_hash != next->issuer_hash)
		return one->issuer_hash < next->issuer_hash;
	return one->this_update >= next->this_update;
}

static const char *
check(const unsigned char *memory, size_t size)
{
	const struct crl_index_header *header = (const void *)memory;
	const struct crl_list *lists;
	uint64_t sum = sizeof(*header);

	if (size < sizeof(*header))
		return "it is too short";
	if (header->magic != CRL_INDEX_MAGIC || header->unused != 0)
		return "it is none";
	if (header->size != size || header->lists % 8 != 0 ||
	    header->lists < sizeof(*header) || header->lists > size ||
	    header->list_count > CRL_INDEX_LISTS_MAX ||
	    header->list_count * sizeof(*lists) != size - header->lists)
		return "its size is not what its counts come to";
	lists = (const void *)(memory + header->lists);
	for (uint32_t i = 0; i < header->list_count; i++) {
		const char *wrong =
			check_list(memory, header->lists, &lists[i], &sum);

		if (wrong)
			return wrong;
		/* Before more is read than there is. */
		if (sum > header->lists)
			return "its lists overlap";
		if (i > 0 && !is_ordered(&lists[i - 1], &lists[i]))
			return "the order of its lists is wrong";
	}
	return sum == header->lists ? NULL
				    : "there is something in it that no list "
				      "has";
}

int
crl_index_check_all(const void *memory, size_t size, struct error *error)
{
	const char *wrong = check(memory, size);

	if (!wrong)
		return 0;
	error_set(error, "%s", wrong);
	return -1;
}
