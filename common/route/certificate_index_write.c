/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small sections grow in memory, DER by reference; then all of it is copied
 * to its place in a memfd.
 */
#include "common/route/certificate_index_write.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/route/certificate_index.h"
#include "common/route/certificate_index_names.h"
#include "common/route/certificate_index_parts.h"
#include "common/tls/certificate_record.h"

/* A section that grows; capacities are doubled. */
struct section {
	unsigned char *bytes;
	size_t size;
	size_t capacity;
};

struct index_writer {
	struct index_header header;
	struct section sets;
	struct section certificates;
	struct section blobs;
	struct section names;
	struct section members;
	struct section slots;
	struct section links;
	struct section name_text; /* and then the sources */
	struct section source_text;
	/* DER by content: a blob's number plus one; 0 is free. */
	uint32_t *blob_slots;
	size_t blob_slot_count;  /* a power of two, at most half of it used */
	const struct der **ders; /* by a blob's number */
	size_t blob_count;
};

/* Room for size bytes more, zeroed. */
static void *
extend(struct section *section, size_t size)
{
	unsigned char *added;

	if (section->capacity - section->size < size) {
		size_t capacity = 2 * section->capacity;

		if (capacity < section->size + size)
			capacity = section->size + size;
		section->bytes = mem_resize(section->bytes, capacity, 1);
		section->capacity = capacity;
	}
	added = section->bytes + section->size;
	memset(added, 0, size);
	section->size += size;
	return added;
}

static uint32_t
count_of(const struct section *section, size_t size)
{
	return (uint32_t)(section->size / size);
}

/* The slot of that DER, or the free one where it would stand. */
static uint32_t *
find_blob(struct index_writer *writer, const struct der *der)
{
	size_t mask = writer->blob_slot_count - 1;
	size_t at = (size_t)hash_bytes(der->bytes, der->length) & mask;

	for (; writer->blob_slots[at]; at = (at + 1) & mask) {
		const struct der *there =
			writer->ders[writer->blob_slots[at] - 1];

		if (there == der ||
		    (there->length == der->length &&
		     memcmp(there->bytes, der->bytes, der->length) == 0))
			break;
	}
	return &writer->blob_slots[at];
}

static void
grow_blobs(struct index_writer *writer)
{
	mem_free(writer->blob_slots);
	writer->blob_slot_count =
		writer->blob_slot_count ? 2 * writer->blob_slot_count : 256;
	writer->blob_slots =
		mem_array(writer->blob_slot_count, sizeof(*writer->blob_slots));
	writer->ders = mem_resize(writer->ders, writer->blob_slot_count / 2,
				  sizeof(struct der *));
	for (size_t i = 0; i < writer->blob_count; i++)
		*find_blob(writer, writer->ders[i]) = (uint32_t)i + 1;
}

/* The number of a DER. */
static uint32_t
add_blob(struct index_writer *writer, const struct der *der)
{
	struct index_blob *blob;
	uint32_t *slot;

	if (2 * writer->blob_count >= writer->blob_slot_count)
		grow_blobs(writer);
	slot = find_blob(writer, der);
	if (*slot)
		return *slot - 1;
	writer->ders[writer->blob_count++] = der;
	*slot = (uint32_t)writer->blob_count;
	blob = extend(&writer->blobs, sizeof(*blob));
	blob->offset = writer->header.der_size;
	blob->length = (uint32_t)der->length;
	writer->header.der_size += der->length;
	return *slot - 1;
}

/* A text with its NUL; where it is in the section. */
static uint32_t
add_text(struct section *section, const char *text, size_t length)
{
	uint32_t at = (uint32_t)section->size;

	memcpy(extend(section, length + 1), text, length);
	return at;
}

static void
append(struct section *section, const void *bytes, size_t size)
{
	if (size > 0)
		memcpy(extend(section, size), bytes, size);
}

static void
add_names(struct index_writer *writer, const struct index_names *names,
	  struct indexed_set *set)
{
	uint32_t members = count_of(&writer->members, sizeof(uint32_t));

	set->first_name = count_of(&writer->names, sizeof(struct index_name));
	set->name_count = names->name_count;
	set->first_slot = count_of(&writer->slots, sizeof(uint32_t));
	set->slot_count = names->slot_count;
	for (uint32_t i = 0; i < names->name_count; i++) {
		struct index_name name = names->names[i];

		name.text = add_text(&writer->name_text, names->texts[i],
				     name.length);
		name.first_member += members;
		append(&writer->names, &name, sizeof(name));
	}
	append(&writer->members, names->members,
	       names->member_count * sizeof(uint32_t));
	append(&writer->slots, names->slots,
	       names->slot_count * sizeof(uint32_t));
}

/* The first of the chain, unless that is empty. */
static uint32_t
add_issuer(struct index_writer *writer, const struct certificate_record *from)
{
	if (from->chain_count > 0)
		return add_blob(writer, from->chain[0]);
	return from->issuer ? add_blob(writer, from->issuer) : INDEX_NONE;
}

static void
add_certificate(struct index_writer *writer,
		const struct certificate_record *from, uint32_t entry,
		uint32_t first_name)
{
	struct indexed_certificate to = {
		.not_before_ms = from->not_before_ms,
		.not_after_ms = from->not_after_ms,
		.leaf = add_blob(writer, from->leaf),
		.first_link = count_of(&writer->links, sizeof(uint32_t)),
		.link_count = (uint32_t)from->chain_count,
		.source_length =
			(uint32_t)strnlen(from->source, INDEX_SOURCE_MAX),
		.first_name = first_name,
		.entry = entry,
		.type = (uint8_t)from->type,
		.is_default = from->is_default,
	};

	memcpy(to.key_id, from->key_id, sizeof(to.key_id));
	memcpy(to.digest, from->digest, sizeof(to.digest));
	to.source =
		add_text(&writer->source_text, from->source, to.source_length);
	for (size_t i = 0; i < from->chain_count; i++) {
		uint32_t link = add_blob(writer, from->chain[i]);

		append(&writer->links, &link, sizeof(link));
	}
	to.issuer = add_issuer(writer, from);
	append(&writer->certificates, &to, sizeof(to));
}

static void
add_set(struct index_writer *writer, const struct index_source *source)
{
	struct indexed_set set = {
		.first_certificate =
			count_of(&writer->certificates,
				 sizeof(struct indexed_certificate)),
		.certificate_count = (uint32_t)source->count,
	};
	struct index_names names;

	index_names_make(&writer->header, source, &names);
	add_names(writer, &names, &set);
	for (size_t i = 0; i < source->count; i++)
		add_certificate(writer, source->certificates[i],
				source->entries[i], names.first_names[i]);
	append(&writer->sets, &set, sizeof(set));
	index_names_clear(&names);
}

/* The header's counts, and the sources behind the names. -1: there is more
 * than their numbers can say. */
static int
finish(struct index_writer *writer, struct index_layout *layout)
{
	struct index_header *header = &writer->header;
	const uint32_t names = (uint32_t)writer->name_text.size;
	const struct section *sections[] = {
		&writer->sets,  &writer->certificates, &writer->blobs,
		&writer->names, &writer->members,      &writer->slots,
		&writer->links, &writer->name_text,    &writer->source_text,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (sections[i]->size > UINT32_MAX / 2)
			return -1;
	header->magic = INDEX_MAGIC;
	header->set_count = count_of(&writer->sets, sizeof(struct indexed_set));
	header->certificate_count = count_of(
		&writer->certificates, sizeof(struct indexed_certificate));
	header->blob_count = (uint32_t)writer->blob_count;
	header->name_count =
		count_of(&writer->names, sizeof(struct index_name));
	header->member_count = count_of(&writer->members, sizeof(uint32_t));
	header->slot_count = count_of(&writer->slots, sizeof(uint32_t));
	header->link_count = count_of(&writer->links, sizeof(uint32_t));
	header->text_size = names + (uint32_t)writer->source_text.size;
	for (uint32_t i = 0; i < header->certificate_count; i++)
		((struct indexed_certificate *)(void *)
			 writer->certificates.bytes)[i]
			.source += names;
	if (!index_layout_compute(header, layout))
		return -1;
	header->size = layout->size;
	return 0;
}

static void
put(unsigned char **at, const struct section *section)
{
	if (section->size > 0)
		memcpy(*at, section->bytes, section->size);
	*at += section->size;
}

static void
put_all(const struct index_writer *writer, unsigned char *at)
{
	memcpy(at, &writer->header, sizeof(writer->header));
	at += sizeof(writer->header);
	put(&at, &writer->sets);
	put(&at, &writer->certificates);
	put(&at, &writer->blobs);
	put(&at, &writer->names);
	put(&at, &writer->members);
	put(&at, &writer->slots);
	put(&at, &writer->links);
	put(&at, &writer->name_text);
	put(&at, &writer->source_text);
	for (size_t i = 0; i < writer->blob_count; i++) {
		memcpy(at, writer->ders[i]->bytes, writer->ders[i]->length);
		at += writer->ders[i]->length;
	}
}

/* The end of memory ends the process here as it does everywhere. */
static int
write_out(const struct index_writer *writer, size_t size, int descriptor)
{
	void *memory;

	if (ftruncate(descriptor, (off_t)size) != 0)
		return -1;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      descriptor, 0);
	if (memory == MAP_FAILED)
		return -1;
	put_all(writer, memory);
	if (munmap(memory, size) != 0)
		return -1;
	return sealed_end(descriptor);
}

static void
writer_clear(struct index_writer *writer)
{
	mem_free(writer->sets.bytes);
	mem_free(writer->certificates.bytes);
	mem_free(writer->blobs.bytes);
	mem_free(writer->names.bytes);
	mem_free(writer->members.bytes);
	mem_free(writer->slots.bytes);
	mem_free(writer->links.bytes);
	mem_free(writer->name_text.bytes);
	mem_free(writer->source_text.bytes);
	mem_free(writer->blob_slots);
	mem_free(writer->ders);
}

/* Not drawn: the same certificates make the same index, by which a keeper that
 * takes another's place shows that they are the same. */
static void
set_hash_key(struct index_header *header, const struct index_source *sets,
	     size_t count)
{
	uint64_t *key = header->hash_key;

	for (size_t i = 0; i < count; i++)
		for (size_t n = 0; n < sets[i].count; n++) {
			const unsigned char *digest =
				sets[i].certificates[n]->digest;
			const size_t size =
				sizeof(sets[i].certificates[n]->digest);

			key[0] = hash_siphash13(digest, size, key[0], key[1]);
			key[1] = hash_siphash13(digest, size, key[0], key[1]);
		}
}

int
certificate_index_write(const struct index_source *sets, size_t count,
			struct error *error)
{
	struct index_writer writer = {0};
	struct index_layout layout;
	int descriptor = -1;

	set_hash_key(&writer.header, sets, count);
	for (size_t i = 0; i < count; i++)
		add_set(&writer, &sets[i]);
	if (finish(&writer, &layout) != 0) {
		error_set(error, "there are too many certificates");
	} else {
		descriptor = sealed_begin("sealock-certificates");
		if (descriptor < 0 ||
		    write_out(&writer, (size_t)layout.size, descriptor) != 0) {
			error_set(error,
				  "the certificate index cannot be written: "
				  "%s",
				  strerror(errno));
			if (descriptor >= 0)
				close(descriptor);
			descriptor = -1;
		}
	}
	writer_clear(&writer);
	return descriptor;
}
