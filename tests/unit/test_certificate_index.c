/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificate index: what is written is found; whatever is wrong in one is
 * refused, or does no harm.
 */
#include "common/route/certificate_index.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/route/certificate_index_parts.h"
#include "common/route/certificate_index_write.h"
#include "common/route/certificate_set.h"
#include "common/tls/certificate_record.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static struct certificate_record *
make(struct test_identity *identity, const char *names)
{
	struct certificate *loaded = test_certificate(identity);
	struct certificate_record *made = certificate_record_of(loaded);
	AUTO_FREE char *copy = mem_strdup(names);
	char *rest = copy, *name;

	for (size_t i = 0; i < made->name_count; i++)
		mem_free(made->names[i]);
	made->name_count = 0;
	made->names = mem_resize(made->names, 8, sizeof(char *));
	while ((name = strsep(&rest, " ")))
		if (name[0] != '\0')
			made->names[made->name_count++] = mem_strdup(name);
	certificate_unref(loaded);
	return made;
}

/* Two sets and an empty one, over two leaves of one issuer. */
struct fixture {
	struct test_identity *root;
	struct test_identity *issuer;
	struct test_identity *leaf;
	struct test_identity *other;
	struct certificate_record *certificates[5];
	int descriptor;
	unsigned char *bytes; /* of the index, to be broken */
	size_t size;
};

static int
write_index(const struct fixture *fixture)
{
	static const uint32_t entries[] = {0, 0, 1, 0, 7};
	const struct index_source sets[] = {
		{fixture->certificates, entries, 3},
		{NULL, NULL, 0},
		{fixture->certificates + 3, entries + 3, 2}};
	struct error error = {0};
	int descriptor = certificate_index_write(sets, 3, &error);

	CU_ASSERT_FATAL(descriptor >= 0);
	return descriptor;
}

static void
setup(struct fixture *fixture)
{
	struct stat status;

	*fixture = (struct fixture){.root = test_ca("Index Root", NULL)};
	fixture->issuer = test_ca("Index Issuer", fixture->root);
	fixture->leaf = test_leaf("p256", "a.example", fixture->issuer);
	fixture->other = test_leaf("ed25519", "b.example", fixture->issuer);
	fixture->certificates[0] =
		make(fixture->leaf, "a.example www.example a.example");
	fixture->certificates[1] = make(fixture->other, "*.example a.example");
	fixture->certificates[2] = make(fixture->leaf, "");
	fixture->certificates[3] = make(fixture->leaf, "c.example");
	fixture->certificates[4] = make(fixture->other, "d.example");
	fixture->certificates[4]->is_default = true;
	fixture->descriptor = write_index(fixture);
	CU_ASSERT_EQUAL_FATAL(fstat(fixture->descriptor, &status), 0);
	fixture->size = (size_t)status.st_size;
	fixture->bytes = mem_alloc(fixture->size);
	CU_ASSERT_EQUAL_FATAL(
		pread(fixture->descriptor, fixture->bytes, fixture->size, 0),
		status.st_size);
}

static void
teardown(struct fixture *fixture)
{
	close(fixture->descriptor);
	mem_free(fixture->bytes);
	for (size_t i = 0; i < ARRAY_SIZE(fixture->certificates); i++)
		certificate_record_unref(fixture->certificates[i]);
	test_identity_free(fixture->leaf);
	test_identity_free(fixture->other);
	test_identity_free(fixture->issuer);
	test_identity_free(fixture->root);
}

static int
sealed(const void *bytes, size_t size, int seals)
{
	int descriptor = memfd_create("index", MFD_ALLOW_SEALING);

	CU_ASSERT_EQUAL_FATAL(write(descriptor, bytes, size), (ssize_t)size);
	CU_ASSERT_EQUAL_FATAL(fcntl(descriptor, F_ADD_SEALS, seals), 0);
	return descriptor;
}

static struct certificate_index *
open_bytes(const void *bytes, size_t size, struct error *error)
{
	int descriptor = sealed(bytes, size, ALL_SEALS);
	struct certificate_index *index;

	*error = (struct error){0};
	index = certificate_index_open(descriptor, error);
	close(descriptor);
	return index;
}

static size_t
count_under(const struct certificate_index *index, size_t set, const char *name)
{
	const uint32_t *members;

	return certificate_index_find(index, certificate_index_set(index, set),
				      name, &members);
}

/* NULL: there are no bytes. */
static bool
is_der(const unsigned char *bytes, size_t length,
       const struct test_identity *of)
{
	struct der *der;
	bool is;

	if (!of)
		return !bytes && length == 0;
	der = der_of(of->certificate);
	is = bytes && length == der->length &&
	     memcmp(bytes, der->bytes, length) == 0;
	der_unref(der);
	return is;
}

static void
check_ders(const struct certificate_index *index, const struct indexed_set *set,
	   size_t number, const struct test_identity *leaf,
	   const struct test_identity *issuer)
{
	const struct indexed_certificate *certificate =
		certificate_index_certificate(index, set, number);
	const unsigned char *bytes;
	size_t length;

	bytes = certificate_index_leaf(index, certificate, &length);
	CU_ASSERT(is_der(bytes, length, leaf));
	bytes = certificate_index_issuer(index, certificate, &length);
	CU_ASSERT(is_der(bytes, length, issuer));
}

static void
test_what_is_written_is_found(void)
{
	struct certificate_index *index;
	const struct indexed_certificate *found;
	const struct indexed_set *set;
	struct certificate *decoded;
	const uint32_t *members;
	struct error error = {0};
	struct fixture fixture;

	setup(&fixture);
	index = certificate_index_open(fixture.descriptor, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(certificate_index_set_count(index), 3);
	set = certificate_index_set(index, 0);
	CU_ASSERT_EQUAL(set->certificate_count, 3);
	CU_ASSERT_EQUAL_FATAL(
		certificate_index_find(index, set, "a.example", &members), 2);
	CU_ASSERT_EQUAL(members[0], 0);
	CU_ASSERT_EQUAL(members[1], 1);
	CU_ASSERT_EQUAL(count_under(index, 0, "www.example"), 1);
	CU_ASSERT_EQUAL(count_under(index, 0, "*.example"), 1);
	CU_ASSERT_EQUAL(count_under(index, 0, "c.example"), 0);
	CU_ASSERT_EQUAL(count_under(index, 0, "a.exampl"), 0);
	CU_ASSERT_EQUAL(count_under(index, 0, ""), 0);
	CU_ASSERT_EQUAL(count_under(index, 1, "a.example"), 0);
	CU_ASSERT_EQUAL(count_under(index, 2, "c.example"), 1);
	found = certificate_index_certificate(index, set, 0);
	CU_ASSERT_STRING_EQUAL(certificate_index_first_name(index, set, found),
			       "a.example");
	CU_ASSERT_PTR_NULL(certificate_index_first_name(
		index, set, certificate_index_certificate(index, set, 2)));
	CU_ASSERT_STRING_EQUAL(certificate_index_source(index, found),
			       fixture.certificates[0]->source);
	CU_ASSERT_EQUAL(found->entry, 0);
	CU_ASSERT_EQUAL(certificate_index_certificate(index, set, 2)->entry, 1);
	check_ders(index, set, 0, fixture.leaf, fixture.issuer);
	decoded = certificate_index_decode(index, found, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(decoded);
	CU_ASSERT_EQUAL(X509_cmp(decoded->leaf, fixture.leaf->certificate), 0);
	CU_ASSERT_EQUAL_FATAL(sk_X509_num(decoded->chain), 1);
	CU_ASSERT_EQUAL(X509_cmp(sk_X509_value(decoded->chain, 0),
				 fixture.issuer->certificate),
			0);
	CU_ASSERT_EQUAL(decoded->type, CERTIFICATE_ECDSA);
	CU_ASSERT_EQUAL(decoded->not_after_ms,
			fixture.certificates[0]->not_after_ms);
	CU_ASSERT_EQUAL(memcmp(decoded->key_id, fixture.certificates[0]->key_id,
			       KEY_ID_SIZE),
			0);
	CU_ASSERT_PTR_NULL(decoded->key);
	certificate_unref(decoded);
	/* The memfd may go, the mapping stays. */
	certificate_index_unref(certificate_index_ref(index));
	certificate_index_unref(index);
	certificate_index_unref(NULL);
	teardown(&fixture);
}

static void
test_choosing(void)
{
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT];
	struct certificate_index *index;
	struct certificate_set set;
	struct error error = {0};
	struct fixture fixture;

	setup(&fixture);
	index = certificate_index_open(fixture.descriptor, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	certificate_set_init(&set, index, 0);
	CU_ASSERT_FALSE(certificate_set_is_empty(&set));
	CU_ASSERT_EQUAL(certificate_set_find(&set, "a.example", chosen), 2);
	CU_ASSERT_EQUAL(certificate_set_find(&set, "x.example", chosen), 1);
	CU_ASSERT_EQUAL(chosen[0]->type, CERTIFICATE_ED25519);
	CU_ASSERT_EQUAL(certificate_set_find(&set, "a.b.example", chosen), 0);
	CU_ASSERT_EQUAL(certificate_set_find(&set, "example", chosen), 0);
	CU_ASSERT_EQUAL(certificate_set_default(&set, chosen), 2);
	CU_ASSERT_EQUAL(certificate_set_each_type(&set, chosen), 2);
	certificate_set_init(&set, index, 1);
	CU_ASSERT(certificate_set_is_empty(&set));
	CU_ASSERT_EQUAL(certificate_set_default(&set, chosen), 0);
	certificate_set_init(&set, index, 2);
	CU_ASSERT_EQUAL_FATAL(certificate_set_default(&set, chosen), 1);
	CU_ASSERT_EQUAL(chosen[0]->type, CERTIFICATE_ED25519);
	certificate_index_unref(index);
	teardown(&fixture);
}

/* A seed for the fuzzer, for whoever asks for one. */
static void
test_seed(void)
{
	const char *path = getenv("SEALOCK_INDEX_SEED");
	struct fixture fixture;
	FILE *seed;

	if (!path)
		return;
	setup(&fixture);
	seed = fopen(path, "wb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(seed);
	CU_ASSERT_EQUAL(fwrite(fixture.bytes, 1, fixture.size, seed),
			fixture.size);
	CU_ASSERT_EQUAL(fclose(seed), 0);
	teardown(&fixture);
}

/* Nothing of chance is in it. */
static void
test_the_same_again(void)
{
	struct fixture fixture;
	unsigned char *again;
	int descriptor;

	setup(&fixture);
	descriptor = write_index(&fixture);
	again = mem_alloc(fixture.size + 1);
	CU_ASSERT_EQUAL(pread(descriptor, again, fixture.size + 1, 0),
			(ssize_t)fixture.size);
	CU_ASSERT_EQUAL(memcmp(again, fixture.bytes, fixture.size), 0);
	mem_free(again);
	close(descriptor);
	teardown(&fixture);
}

/* Equal DER is there once: two leaves and their issuer. */
static void
test_der_is_shared(void)
{
	const struct index_header *header;
	struct fixture fixture;

	setup(&fixture);
	header = (const void *)fixture.bytes;
	CU_ASSERT_EQUAL(header->certificate_count, 5);
	CU_ASSERT_EQUAL(header->blob_count, 3);
	CU_ASSERT_EQUAL(header->link_count, 5);
	CU_ASSERT_EQUAL(header->name_count, 5);
	CU_ASSERT_EQUAL(header->member_count, 6);
	teardown(&fixture);
}

static void
test_no_certificates_at_all(void)
{
	struct error error = {0};
	int descriptor = certificate_index_write(NULL, 0, &error);
	struct certificate_index *index =
		certificate_index_open(descriptor, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(certificate_index_set_count(index), 0);
	certificate_index_unref(index);
	close(descriptor);
}

static void
test_many_names(void)
{
	enum {
		MANY = 5000
	};
	struct certificate_record **many =
		mem_array(MANY, sizeof(struct certificate_record *));
	AUTO_FREE uint32_t *entries = mem_array(MANY, sizeof(*entries));
	struct index_source source = {many, entries, MANY};
	struct error error = {0};
	struct certificate_index *index;
	struct fixture fixture;
	int descriptor;

	setup(&fixture);
	for (int i = 0; i < MANY; i++) {
		AUTO_FREE char *name = mem_format("n%d.example", i);

		many[i] = mem_dup(fixture.certificates[0], sizeof(**many));
		many[i]->names = mem_array(1, sizeof(char *));
		many[i]->names[0] = TAKE(name);
		many[i]->name_count = 1;
	}
	descriptor = certificate_index_write(&source, 1, &error);
	index = certificate_index_open(descriptor, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	for (int i = 0; i < MANY; i++) {
		const uint32_t *members;

		CU_ASSERT_EQUAL_FATAL(
			certificate_index_find(index,
					       certificate_index_set(index, 0),
					       many[i]->names[0], &members),
			1);
		CU_ASSERT_EQUAL(members[0], (uint32_t)i);
		mem_free(many[i]->names[0]);
		mem_free(many[i]->names);
		mem_free(many[i]);
	}
	mem_free(many);
	certificate_index_unref(index);
	close(descriptor);
	teardown(&fixture);
}

static void
test_descriptors_refused(void)
{
	struct error error = {0};
	struct fixture fixture;
	int descriptors[2], some;

	setup(&fixture);
	CU_ASSERT_PTR_NULL(certificate_index_open(-1, &error));
	CU_ASSERT_STRING_EQUAL(error.text,
			       "the certificate index: it is not sealed");
	CU_ASSERT_EQUAL_FATAL(pipe(descriptors), 0);
	CU_ASSERT_PTR_NULL(certificate_index_open(descriptors[0], &error));
	close(descriptors[0]);
	close(descriptors[1]);
	for (int missing = F_SEAL_SHRINK; missing <= F_SEAL_WRITE;
	     missing <<= 1) {
		some = sealed(fixture.bytes, fixture.size,
			      ALL_SEALS & ~missing);
		error = (struct error){0};
		CU_ASSERT_PTR_NULL(certificate_index_open(some, &error));
		CU_ASSERT_STRING_EQUAL(
			error.text, "the certificate index: it is not sealed");
		close(some);
	}
	CU_ASSERT_PTR_NULL(open_bytes("", 0, &error));
	CU_ASSERT_STRING_EQUAL(error.text,
			       "the certificate index: it is empty");
	teardown(&fixture);
}

static void
test_every_length_refused(void)
{
	struct error error;
	struct fixture fixture;
	unsigned char *longer;

	setup(&fixture);
	for (size_t size = 1; size < fixture.size; size++) {
		CU_ASSERT_PTR_NULL(open_bytes(fixture.bytes, size, &error));
		CU_ASSERT_NOT_EQUAL(error.text[0], '\0');
	}
	longer = mem_alloc(fixture.size + 8);
	memcpy(longer, fixture.bytes, fixture.size);
	CU_ASSERT_PTR_NULL(open_bytes(longer, fixture.size + 8, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "its size"));
	mem_free(longer);
	teardown(&fixture);
}

/* Where the parts of the fixture's index are. */
struct parts {
	struct index_header *header;
	struct indexed_set *sets;
	struct indexed_certificate *certificates;
	struct index_blob *blobs;
	struct index_name *names;
	uint32_t *members;
	uint32_t *slots;
	uint32_t *links;
	char *text;
};

static struct parts
parts_of(unsigned char *bytes)
{
	struct index_layout layout;

	CU_ASSERT(index_layout_compute((const void *)bytes, &layout));
	return (struct parts){
		.header = (void *)bytes,
		.sets = (void *)(bytes + layout.sets),
		.certificates = (void *)(bytes + layout.certificates),
		.blobs = (void *)(bytes + layout.blobs),
		.names = (void *)(bytes + layout.names),
		.members = (void *)(bytes + layout.members),
		.slots = (void *)(bytes + layout.slots),
		.links = (void *)(bytes + layout.links),
		.text = (char *)(bytes + layout.text),
	};
}

static void
refused(const struct fixture *fixture, const char *why)
{
	struct error error;
	struct certificate_index *index =
		open_bytes(fixture->bytes, fixture->size, &error);

	CU_ASSERT_PTR_NULL(index);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, why));
	if (index || !strstr(error.text, why))
		fprintf(stderr, "expected \"%s\", not \"%s\"\n", why,
			error.text);
	certificate_index_unref(index);
}

/* Break a number, which must be seen, and mend it. */
#define BROKEN(field, value, why)                     \
	do {                                          \
		__typeof__(field) before = (field);   \
		(field) = (__typeof__(field))(value); \
		refused(&fixture, why);               \
		(field) = before;                     \
	} while (0)

static void
test_numbers_refused(void)
{
	struct fixture fixture;
	struct parts at;
	uint32_t free_slot = 0, name_slot;

	setup(&fixture);
	at = parts_of(fixture.bytes);

	BROKEN(at.header->magic, at.header->magic + 1, "it is none");
	BROKEN(at.header->size, fixture.size + 1, "its size");
	BROKEN(at.header->set_count, 2, "its size");
	BROKEN(at.header->set_count, UINT32_MAX, "its size");
	BROKEN(at.header->certificate_count, 6, "its size");
	BROKEN(at.header->blob_count, UINT32_MAX, "its size");
	BROKEN(at.header->name_count, 4, "its size");
	BROKEN(at.header->member_count, 0, "its size");
	BROKEN(at.header->slot_count, UINT32_MAX, "its size");
	BROKEN(at.header->link_count, 6, "its size");
	BROKEN(at.header->text_size, at.header->text_size - 1, "its size");
	BROKEN(at.header->der_size, at.header->der_size + 1, "its size");
	BROKEN(at.header->der_size, UINT64_MAX - 7, "its size");
	/* Names are not where the hash says. */
	BROKEN(at.header->hash_key[0], at.header->hash_key[0] + 1,
	       "cannot be found");

	BROKEN(at.sets[0].first_certificate, 1, "extent of a set");
	BROKEN(at.sets[0].certificate_count, 2, "extent of a set");
	BROKEN(at.sets[0].certificate_count, UINT32_MAX, "extent of a set");
	BROKEN(at.sets[2].certificate_count, 1, "that is not there");
	BROKEN(at.sets[2].first_name, 0, "extent of a set");
	BROKEN(at.sets[2].name_count, 1, "table of names");
	BROKEN(at.sets[2].name_count, UINT32_MAX, "extent of a set");
	BROKEN(at.sets[2].first_slot, 0, "extent of a set");
	BROKEN(at.sets[2].slot_count, 0, "size of a table");
	BROKEN(at.sets[2].slot_count, at.sets[2].slot_count - 1,
	       "size of a table");
	BROKEN(at.sets[2].slot_count, 4, "size of a table");
	BROKEN(at.sets[2].slot_count, UINT32_MAX, "extent of a set");

	BROKEN(at.certificates[0].type, CERTIFICATE_TYPE_COUNT, "the type");
	BROKEN(at.certificates[0].is_default, 2, "the type");
	BROKEN(at.certificates[0].unused[5], 1, "the type");
	BROKEN(at.certificates[0].first_name, 3, "the name of a certificate");
	BROKEN(at.certificates[0].leaf, 3, "the chain");
	BROKEN(at.certificates[1].first_link, 0, "the chain");
	BROKEN(at.certificates[1].link_count, 2, "the chain");
	BROKEN(at.certificates[1].link_count, INDEX_LINKS_MAX + 1, "the chain");
	BROKEN(at.certificates[4].link_count, 0, "nobody has");
	BROKEN(at.certificates[1].source, 0, "the source");
	BROKEN(at.certificates[1].source_length, 0, "the source");
	BROKEN(at.certificates[1].source_length, INDEX_SOURCE_MAX + 1,
	       "the source");
	BROKEN(at.certificates[4].source_length, UINT32_MAX, "the source");
	BROKEN(at.links[2], 3, "the chain");

	BROKEN(at.blobs[0].offset, 1, "place of a DER");
	BROKEN(at.blobs[1].length, 0, "place of a DER");
	BROKEN(at.blobs[1].length, INDEX_DER_MAX + 1, "place of a DER");
	BROKEN(at.blobs[2].length, at.blobs[2].length + 1, "place of a DER");
	BROKEN(at.blobs[2].length, at.blobs[2].length - 1, "DER that nobody");
	BROKEN(at.blobs[2].unused, 1, "place of a DER");

	BROKEN(at.names[1].text, 0, "text of a name");
	BROKEN(at.names[1].length, 3, "text of a name");
	BROKEN(at.names[1].length, UINT32_MAX, "text of a name");
	BROKEN(at.names[1].first_member, 0, "what stands under");
	BROKEN(at.names[1].member_count, 0, "what stands under");
	BROKEN(at.names[1].member_count, UINT32_MAX, "what stands under");
	BROKEN(at.members[0], 3, "that is not there");

	name_slot = at.names[0].slot;
	while (at.slots[free_slot] != 0)
		free_slot++;
	BROKEN(at.names[0].slot, free_slot, "cannot be found");
	BROKEN(at.names[0].slot, UINT32_MAX, "cannot be found");
	BROKEN(at.slots[name_slot], 0, "cannot be found");
	BROKEN(at.slots[name_slot], 99, "cannot be found");
	BROKEN(at.slots[free_slot], 1, "table of names");
	BROKEN(at.slots[free_slot], UINT32_MAX, "table of names");
	teardown(&fixture);
}

static void
test_texts_refused(void)
{
	struct fixture fixture;
	struct parts at;
	unsigned int lost = 0;

	setup(&fixture);
	at = parts_of(fixture.bytes);
	/* "a.example" is the first. */
	CU_ASSERT_STRING_EQUAL_FATAL(at.text, "a.example");
	BROKEN(at.text[0], 'A', "a name is none");
	/* Another name, which stands where only some would be found. */
	for (char letter = 'b'; letter <= 'z'; letter++) {
		struct error error;
		struct certificate_index *index;

		at.text[0] = letter;
		index = open_bytes(fixture.bytes, fixture.size, &error);
		lost += !index && strstr(error.text, "cannot be found");
		certificate_index_unref(index);
	}
	at.text[0] = 'a';
	CU_ASSERT(lost > 0);
	BROKEN(at.text[0], '.', "a name is none");
	BROKEN(at.text[1], ' ', "a name is none");
	BROKEN(at.text[1], '\n', "a name is none");
	BROKEN(at.text[0], '*', "a name is none");
	BROKEN(at.text[1], '*', "a name is none");
	BROKEN(at.text[3], '\0', "text of a name");
	BROKEN(at.text[9], '.', "text of a name");
	BROKEN(at.text[at.certificates[0].source], '\0', "the source");
	BROKEN(at.text[at.header->text_size - 1], 'x', "the source");
	teardown(&fixture);
}

static void
use_all(const struct certificate_index *index)
{
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT];
	struct certificate_set set;

	for (size_t i = 0; i < certificate_index_set_count(index); i++) {
		certificate_set_init(&set, index, i);
		certificate_set_find(&set, "a.example", chosen);
		certificate_set_default(&set, chosen);
		certificate_set_each_type(&set, chosen);
	}
}

/* Every byte that is not DER, in several ways. */
static void
test_broken_bytes_do_no_harm(void)
{
	static const unsigned char masks[] = {0x01, 0x80, 0xff};
	struct index_layout layout;
	struct fixture fixture;
	size_t refusals = 0;

	setup(&fixture);
	CU_ASSERT(index_layout_compute((const void *)fixture.bytes, &layout));
	for (size_t i = 0; i < layout.der; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(masks); j++) {
			struct certificate_index *index;
			struct error error;

			fixture.bytes[i] ^= masks[j];
			index = open_bytes(fixture.bytes, fixture.size, &error);
			fixture.bytes[i] ^= masks[j];
			if (index)
				use_all(index);
			else
				refusals++;
			certificate_index_unref(index);
		}
	}
	/* Digests, dates and sources may be anything. */
	CU_ASSERT(refusals > layout.der);
	teardown(&fixture);
}

static void
test_broken_der(void)
{
	struct certificate_index *index;
	struct index_layout layout;
	struct error error;
	struct fixture fixture;

	setup(&fixture);
	CU_ASSERT(index_layout_compute((const void *)fixture.bytes, &layout));
	fixture.bytes[layout.der] ^= 1;
	index = open_bytes(fixture.bytes, fixture.size, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_PTR_NULL(certificate_index_decode(
		index,
		certificate_index_certificate(
			index, certificate_index_set(index, 0), 0),
		&error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot be decoded"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(error.text, fixture.certificates[0]->source));
	certificate_index_unref(index);
	teardown(&fixture);
}

/* A root that issued the leaf is not sent, but told; and where nobody knows the
 * issuer, there is none. */
static void
test_issuers(void)
{
	struct test_identity *root = test_ca("Index Root", NULL);
	struct test_identity *leaves[] = {
		test_leaf("p256", "a.example", root),
		test_leaf("p256", "b.example", root),
	};
	struct certificate_record *records[2];
	const uint32_t entries[2] = {0};
	const struct index_source source = {records, entries, 2};
	struct error error = {0};
	struct certificate_index *index;
	const struct indexed_set *set;
	int descriptor;

	records[0] = make(leaves[0], "a.example");
	records[0]->issuer = der_of(root->certificate);
	records[1] = make(leaves[1], "b.example");
	CU_ASSERT_EQUAL(records[1]->chain_count, 0);
	descriptor = certificate_index_write(&source, 1, &error);
	index = certificate_index_open(descriptor, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	set = certificate_index_set(index, 0);
	check_ders(index, set, 0, leaves[0], root);
	CU_ASSERT_EQUAL(
		certificate_index_certificate(index, set, 0)->link_count, 0);
	check_ders(index, set, 1, leaves[1], NULL);
	certificate_index_unref(index);
	close(descriptor);
	for (size_t i = 0; i < 2; i++) {
		certificate_record_unref(records[i]);
		test_identity_free(leaves[i]);
	}
	test_identity_free(root);
}

UNIT_SUITE(certificate_index, {"issuers", test_issuers},
	   {"what_is_written_is_found", test_what_is_written_is_found},
	   {"the_same_again", test_the_same_again}, {"choosing", test_choosing},
	   {"der_is_shared", test_der_is_shared},
	   {"no_certificates_at_all", test_no_certificates_at_all},
	   {"many_names", test_many_names},
	   {"descriptors_refused", test_descriptors_refused},
	   {"every_length_refused", test_every_length_refused},
	   {"numbers_refused", test_numbers_refused},
	   {"texts_refused", test_texts_refused},
	   {"broken_bytes_do_no_harm", test_broken_bytes_do_no_harm},
	   {"broken_der", test_broken_der}, {"seed", test_seed});
