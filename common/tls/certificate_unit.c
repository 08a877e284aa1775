/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table by digest, whose own bytes serve as the hash.
 */
#include "common/tls/certificate_unit.h"

#include <string.h>
#include <sys/stat.h>
#include <openssl/evp.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/framed_hash.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_build.h"
#include "common/tls/certificate_glance.h"
#include "common/tls/certificate_record.h"
#include "common/tls/tls_settings.h"

/* So many new certificates are loaded in full, so that an operator hears at
 * once what is wrong with them; a glance has to do for those beyond. */
#define IN_FULL_MAX 500

/* Times of files are as exact as the kernel's tick, some file systems' are not
 * even that. */
#define STAMP_AGE_MIN_MS 4000

#define SLOTS_MIN 64

struct known_unit {
	unsigned char key[UNIT_DIGEST_SIZE]; /* its digest or its stamp */
	unsigned char digest[UNIT_DIGEST_SIZE];
	int64_t good_until_ms;
	struct record_list records; /* empty: the slot is free */
};

struct certificate_units {
	struct known_unit *slots;
	size_t slot_count; /* a power of two, at most half of it used */
	size_t count;
	size_t loaded_count; /* in full */
};

struct certificate_units *
certificate_units_new(void)
{
	struct certificate_units *units = mem_alloc(sizeof(*units));

	units->slot_count = SLOTS_MIN;
	units->slots = mem_array(SLOTS_MIN, sizeof(*units->slots));
	return units;
}

void
certificate_units_free(struct certificate_units *units)
{
	if (!units)
		return;
	for (size_t i = 0; i < units->slot_count; i++)
		record_list_clear(&units->slots[i].records);
	mem_free(units->slots);
	mem_free(units);
}

/* The slot of that unit, or the free one where it would stand. */
static struct known_unit *
find(const struct certificate_units *units,
     const unsigned char key[UNIT_DIGEST_SIZE])
{
	struct known_unit *slot;
	uint64_t hash;

	memcpy(&hash, key, sizeof(hash));
	for (;; hash++) {
		slot = &units->slots[hash & (units->slot_count - 1)];
		if (slot->records.count == 0 ||
		    memcmp(slot->key, key, UNIT_DIGEST_SIZE) == 0)
			return slot;
	}
}

static void
grow(struct certificate_units *units)
{
	struct known_unit *before = units->slots;
	size_t before_count = units->slot_count;

	units->slot_count *= 2;
	units->slots = mem_array(units->slot_count, sizeof(*units->slots));
	for (size_t i = 0; i < before_count; i++)
		if (before[i].records.count > 0)
			*find(units, before[i].key) = before[i];
	mem_free(before);
}

/* Know these records by that key from now on. */
static void
remember_by(struct certificate_units *units,
	    const unsigned char key[UNIT_DIGEST_SIZE],
	    const struct certificate_unit *unit,
	    struct certificate_record *const *records, size_t count)
{
	struct known_unit *slot;

	if (2 * (units->count + 1) > units->slot_count)
		grow(units);
	slot = find(units, key);
	if (slot->records.count > 0)
		return;
	memcpy(slot->key, key, sizeof(slot->key));
	memcpy(slot->digest, unit->digest, sizeof(slot->digest));
	slot->good_until_ms = unit->good_until_ms;
	for (size_t i = 0; i < count; i++)
		record_list_add(&slot->records,
				certificate_record_ref(records[i]));
	units->count++;
}

static void
remember(struct certificate_units *units, const struct certificate_unit *unit,
	 struct certificate_record *const *records, size_t count)
{
	remember_by(units, unit->digest, unit, records, count);
	if (unit->has_stamp)
		remember_by(units, unit->stamp, unit, records, count);
}

static bool
has_wrong_pair(const struct record_list *records)
{
	for (size_t i = 0; i < records->count; i++)
		if (atomic_load(&records->records[i]->pair) ==
		    RECORD_PAIR_WRONG)
			return true;
	return false;
}

/* Take over what is known by that key, if it is good. */
static bool
recall_from(struct certificate_unit *unit, const struct unit_loading *loading,
	    const struct certificate_units *units,
	    const unsigned char key[UNIT_DIGEST_SIZE])
{
	const struct known_unit *known = find(units, key);

	if (known->records.count == 0 ||
	    clock_real_ms() >= known->good_until_ms ||
	    has_wrong_pair(&known->records))
		return false;
	for (size_t i = 0; i < known->records.count; i++)
		record_list_add(
			loading->list,
			certificate_record_ref(known->records.records[i]));
	memcpy(unit->digest, known->digest, sizeof(unit->digest));
	unit->good_until_ms = known->good_until_ms;
	if (units != loading->units)
		remember(loading->units, unit, known->records.records,
			 known->records.count);
	return true;
}

static bool
recall(struct certificate_unit *unit, const struct unit_loading *loading,
       const unsigned char key[UNIT_DIGEST_SIZE])
{
	return recall_from(unit, loading, loading->units, key) ||
	       (loading->before &&
		recall_from(unit, loading, loading->before, key));
}

/* Was it taken for right at a glance, and found to be wrong? */
static bool
is_known_to_be_wrong(const struct unit_loading *loading,
		     const struct certificate_unit *unit)
{
	return loading->before &&
	       has_wrong_pair(&find(loading->before, unit->digest)->records);
}

void
unit_loading_begin(struct unit_loading *loading,
		   const struct certificate_spec *spec, const char *passphrase)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();
	const uint64_t numbers[] = {spec->is_default, spec->source,
				    spec->name_count, passphrase != NULL};

	framed_hash_add(hash, numbers, sizeof(numbers));
	framed_hash_add_text(hash, passphrase);
	for (size_t i = 0; i < spec->name_count; i++)
		framed_hash_add_text(hash, spec->names[i]);
	framed_hash_end(hash, loading->digest);
}

static void
make_digest(struct certificate_unit *unit, const struct unit_loading *loading)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();

	framed_hash_add(hash, loading->digest, sizeof(loading->digest));
	framed_hash_add_text(hash, unit->name);
	framed_hash_add(hash, unit->bytes.bytes, unit->bytes.length);
	framed_hash_add_text(hash, unit->key_name);
	framed_hash_add(hash, unit->key_bytes.bytes, unit->key_bytes.length);
	framed_hash_end(hash, unit->digest);
}

/* What tells that a file is the one it was: enough, if it has not been changed
 * within the last seconds, and so might be once more without its time showing
 * it. */
static bool
hash_stamp(EVP_MD_CTX *hash, const struct file_set *files, const char *name)
{
	const struct file_entry *file = file_set_find(files, name);
	struct stat status;

	if (!file || file->kind != FILE_KIND_FILE ||
	    fstat(file->descriptor, &status) != 0 ||
	    clock_real_ms() <
		    status.st_ctim.tv_sec * INT64_C(1000) + STAMP_AGE_MIN_MS)
		return false;
	const uint64_t numbers[] = {
		status.st_dev,
		status.st_ino,
		(uint64_t)status.st_size,
		(uint64_t)status.st_mtim.tv_sec,
		(uint64_t)status.st_mtim.tv_nsec,
		(uint64_t)status.st_ctim.tv_sec,
		(uint64_t)status.st_ctim.tv_nsec,
	};

	framed_hash_add(hash, numbers, sizeof(numbers));
	framed_hash_add_text(hash, name);
	return true;
}

static void
make_stamp(struct certificate_unit *unit, const struct file_set *files,
	   const struct unit_loading *loading)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();

	framed_hash_add_text(hash, "stamp");
	framed_hash_add(hash, loading->digest, sizeof(loading->digest));
	unit->has_stamp =
		hash_stamp(hash, files, unit->name) &&
		(!unit->key_name || hash_stamp(hash, files, unit->key_name));
	if (unit->has_stamp)
		framed_hash_end(hash, unit->stamp);
}

static bool
take_glance(struct certificate_unit *unit,
	    const struct certificate_loading *loading)
{
	struct unit_loading *units = loading->units;
	struct certificate_record *record;

	if (units->units->loaded_count < IN_FULL_MAX ||
	    is_known_to_be_wrong(units, unit))
		return false;
	record = certificate_glance(loading, unit);
	if (!record)
		return false;
	record_list_add(units->list, record);
	remember(units->units, unit, &record, 1);
	return true;
}

static void
clear(struct certificate_unit *unit)
{
	blob_clear(&unit->bytes);
	blob_clear(&unit->key_bytes);
	unit->is_read = false;
}

bool
certificate_unit_begin(struct certificate_unit *unit,
		       const struct certificate_loading *loading,
		       const char *name, const char *key_name)
{
	const struct unit_loading *units = loading->units;

	*unit = (struct certificate_unit){
		.name = name,
		.key_name = key_name,
		.good_until_ms = INT64_MAX,
	};
	if (!units)
		return false;
	unit->first = units->list->count;
	unit->problems = loading->problems->count;
	make_stamp(unit, loading->files, units);
	if (unit->has_stamp && recall(unit, units, unit->stamp))
		return true;
	/* The long way says what is wrong with them. */
	if (file_set_read(loading->files, name, &unit->bytes, NULL) != 0)
		return false;
	if (key_name && file_set_read(loading->files, key_name,
				      &unit->key_bytes, NULL) != 0) {
		clear(unit);
		return false;
	}
	unit->is_read = true;
	make_digest(unit, units);
	if (!recall(unit, units, unit->digest) && !take_glance(unit, loading))
		return false;
	clear(unit);
	return true;
}

void
certificate_unit_note_dates(struct certificate_unit *unit,
			    int64_t not_before_ms, int64_t not_after_ms)
{
	int64_t now = clock_real_ms();

	if (not_before_ms > now && not_before_ms < unit->good_until_ms)
		unit->good_until_ms = not_before_ms;
	if (not_after_ms > now && not_after_ms < unit->good_until_ms)
		unit->good_until_ms = not_after_ms;
}

void
certificate_unit_end(struct certificate_unit *unit,
		     const struct certificate_loading *loading)
{
	const struct unit_loading *units = loading->units;

	if (!units)
		return;
	units->units->loaded_count += units->list->count - unit->first;
	if (unit->is_read && loading->problems->count == unit->problems &&
	    units->list->count > unit->first)
		remember(units->units, unit, units->list->records + unit->first,
			 units->list->count - unit->first);
	clear(unit);
}
