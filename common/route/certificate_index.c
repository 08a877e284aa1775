/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups in an index that has been checked (certificate_index_check).
 */
#include "common/route/certificate_index.h"

#include <string.h>
#include <sys/mman.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/route/certificate_index_check.h"
#include "common/route/certificate_index_parts.h"

struct certificate_index {
	unsigned int references;
	void *memory;
	size_t size;
	struct index_sections sections;
};

bool
index_layout_compute(const struct index_header *header,
		     struct index_layout *layout)
{
	uint64_t at = sizeof(*header);

	layout->sets = at;
	at += (uint64_t)header->set_count * sizeof(struct indexed_set);
	layout->certificates = at;
	at += (uint64_t)header->certificate_count *
	      sizeof(struct indexed_certificate);
	layout->blobs = at;
	at += (uint64_t)header->blob_count * sizeof(struct index_blob);
	layout->names = at;
	at += (uint64_t)header->name_count * sizeof(struct index_name);
	layout->members = at;
	at += (uint64_t)header->member_count * sizeof(uint32_t);
	layout->slots = at;
	at += (uint64_t)header->slot_count * sizeof(uint32_t);
	layout->links = at;
	at += (uint64_t)header->link_count * sizeof(uint32_t);
	layout->text = at;
	at += header->text_size;
	layout->der = at;
	layout->size = at + header->der_size;
	return header->der_size <= UINT64_MAX / 2;
}

uint32_t
index_home(const struct index_header *header, uint32_t slot_count,
	   const char *name, size_t length)
{
	return (uint32_t)hash_siphash13(name, length, header->hash_key[0],
					header->hash_key[1]) &
	       (slot_count - 1);
}

struct certificate_index *
certificate_index_open(int descriptor, struct error *error)
{
	struct certificate_index *index = mem_alloc(sizeof(*index));

	index->references = 1;
	index->memory = sealed_map(descriptor, &index->size, error);
	if (index->memory &&
	    certificate_index_check(index->memory, index->size,
				    &index->sections, error) == 0)
		return index;
	error_prefix(error, "the certificate index: ");
	certificate_index_unref(index);
	return NULL;
}

struct certificate_index *
certificate_index_ref(struct certificate_index *index)
{
	index->references++;
	return index;
}

void
certificate_index_unref(struct certificate_index *index)
{
	if (!index || --index->references > 0)
		return;
	if (index->memory)
		munmap(index->memory, index->size);
	mem_free(index);
}

size_t
certificate_index_set_count(const struct certificate_index *index)
{
	return index->sections.header->set_count;
}

const struct indexed_set *
certificate_index_set(const struct certificate_index *index, size_t number)
{
	return &index->sections.sets[number];
}

const struct indexed_certificate *
certificate_index_certificate(const struct certificate_index *index,
			      const struct indexed_set *set, size_t number)
{
	return &index->sections.certificates[set->first_certificate + number];
}

const char *
certificate_index_source(const struct certificate_index *index,
			 const struct indexed_certificate *certificate)
{
	return index->sections.text + certificate->source;
}

size_t
certificate_index_find(const struct certificate_index *index,
		       const struct indexed_set *set, const char *name,
		       const uint32_t **members)
{
	const struct index_sections *sections = &index->sections;
	const uint32_t *slots = sections->slots + set->first_slot;
	size_t length = strlen(name);
	uint32_t at;

	if (set->slot_count == 0)
		return 0;
	at = index_home(sections->header, set->slot_count, name, length);
	for (unsigned int i = 0; i < INDEX_PROBES_MAX && slots[at] != 0; i++) {
		const struct index_name *there =
			&sections->names[set->first_name + slots[at] - 1];

		if (there->length == length &&
		    memcmp(sections->text + there->text, name, length) == 0) {
			*members = sections->members + there->first_member;
			return there->member_count;
		}
		at = (at + 1) & (set->slot_count - 1);
	}
	return 0;
}

const char *
certificate_index_first_name(const struct certificate_index *index,
			     const struct indexed_set *set,
			     const struct indexed_certificate *certificate)
{
	const struct index_sections *sections = &index->sections;

	if (certificate->first_name == INDEX_NONE)
		return NULL;
	return sections->text +
	       sections->names[set->first_name + certificate->first_name].text;
}

static const unsigned char *
find_der(const struct certificate_index *index, uint32_t number, size_t *length)
{
	const struct index_blob *blob = &index->sections.blobs[number];

	*length = blob->length;
	return index->sections.der + blob->offset;
}

const unsigned char *
certificate_index_leaf(const struct certificate_index *index,
		       const struct indexed_certificate *certificate,
		       size_t *length)
{
	return find_der(index, certificate->leaf, length);
}

const unsigned char *
certificate_index_issuer(const struct certificate_index *index,
			 const struct indexed_certificate *certificate,
			 size_t *length)
{
	*length = 0;
	return certificate->issuer == INDEX_NONE
		       ? NULL
		       : find_der(index, certificate->issuer, length);
}

static X509 *
decode(const struct index_sections *sections, uint32_t number)
{
	const struct index_blob *blob = &sections->blobs[number];
	const unsigned char *bytes = sections->der + blob->offset;
	const unsigned char *at = bytes;
	X509 *made = d2i_X509(NULL, &at, (long)blob->length);

	if (made && at == bytes + blob->length)
		return made;
	X509_free(made);
	return NULL;
}

static bool
decode_all(const struct index_sections *sections,
	   const struct indexed_certificate *from, struct certificate *to)
{
	to->leaf = decode(sections, from->leaf);
	to->chain = sk_X509_new_null();
	if (!to->leaf || !to->chain)
		return false;
	for (uint32_t i = 0; i < from->link_count; i++) {
		X509 *link =
			decode(sections, sections->links[from->first_link + i]);

		if (!link || !sk_X509_push(to->chain, link)) {
			X509_free(link);
			return false;
		}
	}
	return true;
}

struct certificate *
certificate_index_decode(const struct certificate_index *index,
			 const struct indexed_certificate *certificate,
			 struct error *error)
{
	struct certificate *made = mem_alloc(sizeof(*made));

	made->references = 1;
	made->source = mem_strdup(certificate_index_source(index, certificate));
	made->type = (enum certificate_type)certificate->type;
	made->is_default = certificate->is_default;
	made->not_before_ms = certificate->not_before_ms;
	made->not_after_ms = certificate->not_after_ms;
	memcpy(made->key_id, certificate->key_id, sizeof(made->key_id));
	memcpy(made->digest, certificate->digest, sizeof(made->digest));
	if (decode_all(&index->sections, certificate, made))
		return made;
	ERR_clear_error();
	error_set(error,
		  "the certificate %s in the certificate index cannot be "
		  "decoded",
		  made->source);
	certificate_unref(made);
	return NULL;
}
