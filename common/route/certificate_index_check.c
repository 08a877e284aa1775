/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pass goes through the sections side by side: what each element should
 * begin with is where the one before it ended.
 */
#include "common/route/certificate_index_check.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/error.h"
#include "common/net/hostname.h"
#include "common/route/certificate_index.h"
#include "common/route/certificate_index_parts.h"

/* How far each section has been read. */
struct progress {
	uint32_t certificate;
	uint32_t name;
	uint32_t member;
	uint32_t slot;
	uint32_t link;
	uint32_t text;
};

/* Does a section go on with count elements from `first`? Moves on. */
static bool
takes(uint32_t *at, uint32_t total, uint32_t first, uint32_t count)
{
	if (first != *at || count > total - *at)
		return false;
	*at += count;
	return true;
}

/* The same for a text, its NUL, and no other NUL in it. */
static bool
takes_text(const struct index_sections *sections, uint32_t *at, uint32_t first,
	   uint32_t length)
{
	const char *text = sections->text + *at;

	return length < sections->header->text_size &&
	       takes(at, sections->header->text_size, first, length + 1) &&
	       memchr(text, '\0', length + 1) == text + length;
}

static bool
is_power_of_two(uint32_t number)
{
	return number > 0 && (number & (number - 1)) == 0;
}

static const char *
find_sections(const void *memory, size_t size, struct index_sections *sections)
{
	const unsigned char *bytes = memory;
	const struct index_header *header = memory;
	struct index_layout layout;

	if (size < sizeof(*header))
		return "it is too short";
	if (header->magic != INDEX_MAGIC)
		return "it is none";
	if (!index_layout_compute(header, &layout) || header->size != size ||
	    layout.size != size)
		return "its size is not what its counts come to";
	*sections = (struct index_sections){
		.header = header,
		.sets = (const void *)(bytes + layout.sets),
		.certificates = (const void *)(bytes + layout.certificates),
		.blobs = (const void *)(bytes + layout.blobs),
		.names = (const void *)(bytes + layout.names),
		.members = (const void *)(bytes + layout.members),
		.slots = (const void *)(bytes + layout.slots),
		.links = (const void *)(bytes + layout.links),
		.text = (const char *)(bytes + layout.text),
		.der = bytes + layout.der,
	};
	return NULL;
}

static const char *
check_blobs(const struct index_sections *sections)
{
	const struct index_header *header = sections->header;
	uint64_t at = 0;

	for (uint32_t i = 0; i < header->blob_count; i++) {
		const struct index_blob *blob = &sections->blobs[i];

		if (blob->offset != at || blob->length == 0 ||
		    blob->length > INDEX_DER_MAX || blob->unused != 0 ||
		    blob->length > header->der_size - at)
			return "the place of a DER is wrong";
		at += blob->length;
	}
	return at == header->der_size ? NULL : "there is DER that nobody has";
}

/* A normalized name, that stands where it is looked for. */
static bool
is_name_right(const struct index_sections *sections,
	      const struct indexed_set *set, uint32_t number)
{
	const struct index_name *name =
		&sections->names[set->first_name + number];
	const uint32_t *slots = sections->slots + set->first_slot;
	const char *text = sections->text + name->text;
	uint32_t mask = set->slot_count - 1, at, distance;
	char normalized[HOSTNAME_MAX + 1];

	if (hostname_pattern_normalize(text, name->length, normalized) != 0 ||
	    strcmp(text, normalized) != 0)
		return false;
	if (name->slot >= set->slot_count || slots[name->slot] != number + 1)
		return false;
	at = index_home(sections->header, set->slot_count, text, name->length);
	distance = (name->slot - at) & mask;
	if (distance >= INDEX_PROBES_MAX)
		return false;
	for (; at != name->slot; at = (at + 1) & mask) {
		const struct index_name *other;

		if (slots[at] == 0 || slots[at] > set->name_count)
			return false;
		other = &sections->names[set->first_name + slots[at] - 1];
		if (other->length == name->length &&
		    memcmp(sections->text + other->text, text, name->length) ==
			    0)
			return false;
	}
	return true;
}

static const char *
check_names(const struct index_sections *sections,
	    const struct indexed_set *set, struct progress *at)
{
	const struct index_header *header = sections->header;
	uint32_t used = 0;

	for (uint32_t i = 0; i < set->name_count; i++) {
		const struct index_name *name =
			&sections->names[set->first_name + i];

		if (!takes_text(sections, &at->text, name->text, name->length))
			return "the text of a name is wrong";
		if (name->member_count == 0 ||
		    !takes(&at->member, header->member_count,
			   name->first_member, name->member_count))
			return "what stands under a name is wrong";
		for (uint32_t j = 0; j < name->member_count; j++)
			if (sections->members[name->first_member + j] >=
			    set->certificate_count)
				return "a name is for a certificate that is "
				       "not there";
	}
	for (uint32_t i = 0; i < set->name_count; i++)
		if (!is_name_right(sections, set, i))
			return "a name is none, or cannot be found";
	for (uint32_t i = 0; i < set->slot_count; i++)
		used += sections->slots[set->first_slot + i] != 0;
	return used == set->name_count ? NULL : "the table of names is wrong";
}

static const char *
check_certificate(const struct index_sections *sections,
		  const struct indexed_set *set,
		  const struct indexed_certificate *certificate,
		  struct progress *at)
{
	static const uint8_t unused[sizeof(certificate->unused)];
	const struct index_header *header = sections->header;

	if (certificate->type >= CERTIFICATE_TYPE_COUNT ||
	    certificate->is_default > 1 ||
	    memcmp(certificate->unused, unused, sizeof(unused)) != 0)
		return "the type of a certificate is wrong";
	if (certificate->first_name != INDEX_NONE &&
	    certificate->first_name >= set->name_count)
		return "the name of a certificate is wrong";
	if (certificate->leaf >= header->blob_count ||
	    certificate->link_count > INDEX_LINKS_MAX ||
	    !takes(&at->link, header->link_count, certificate->first_link,
		   certificate->link_count))
		return "the chain of a certificate is wrong";
	for (uint32_t i = 0; i < certificate->link_count; i++)
		if (sections->links[certificate->first_link + i] >=
		    header->blob_count)
			return "the chain of a certificate is wrong";
	if (certificate->issuer != INDEX_NONE &&
	    certificate->issuer >= header->blob_count)
		return "the issuer of a certificate is wrong";
	if (certificate->source_length > INDEX_SOURCE_MAX ||
	    !takes_text(sections, &at->text, certificate->source,
			certificate->source_length))
		return "the source of a certificate is wrong";
	return NULL;
}

/* A set's own numbers: all names' texts come before the first source. */
static const char *
check_set(const struct index_sections *sections, const struct indexed_set *set,
	  struct progress *at)
{
	const struct index_header *header = sections->header;
	bool has_names = set->name_count > 0;

	if (!takes(&at->certificate, header->certificate_count,
		   set->first_certificate, set->certificate_count) ||
	    !takes(&at->name, header->name_count, set->first_name,
		   set->name_count) ||
	    !takes(&at->slot, header->slot_count, set->first_slot,
		   set->slot_count))
		return "the extent of a set is wrong";
	if (has_names ? !is_power_of_two(set->slot_count) ||
				set->slot_count / INDEX_SLOTS_PER_NAME <
					set->name_count
		      : set->slot_count != 0)
		return "the size of a table of names is wrong";
	return NULL;
}

static const char *
check_all(const struct index_sections *sections)
{
	const struct index_header *header = sections->header;
	const char *wrong = check_blobs(sections);
	struct progress at = {0};

	for (uint32_t i = 0; !wrong && i < header->set_count; i++)
		wrong = check_set(sections, &sections->sets[i], &at);
	for (uint32_t i = 0; !wrong && i < header->set_count; i++)
		wrong = check_names(sections, &sections->sets[i], &at);
	for (uint32_t i = 0; !wrong && i < header->set_count; i++) {
		const struct indexed_set *set = &sections->sets[i];

		for (uint32_t j = 0; !wrong && j < set->certificate_count; j++)
			wrong = check_certificate(
				sections, set,
				&sections->certificates[set->first_certificate +
							j],
				&at);
	}
	if (wrong)
		return wrong;
	if (at.certificate != header->certificate_count ||
	    at.name != header->name_count ||
	    at.member != header->member_count ||
	    at.slot != header->slot_count || at.link != header->link_count ||
	    at.text != header->text_size)
		return "there is something in it that nobody has";
	return NULL;
}

int
certificate_index_check(const void *memory, size_t size,
			struct index_sections *sections, struct error *error)
{
	const char *wrong = find_sections(memory, size, sections);

	if (!wrong)
		wrong = check_all(sections);
	if (!wrong)
		return 0;
	error_set(error, "%s", wrong);
	return -1;
}
