/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table by digest, whose own bytes serve as the hash. Its bytes: a
 * version, the time, how many; of each the leaf, the schedule, whom, the
 * answer with its times.
 */
#include "daemon/helper/staple_store.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/tls/staple_table.h"

#define SLOTS_MIN 64
#define VERSION   1

/* Of a store, and of a staple without its answer. */
#define HEAD_SIZE   (1 + 8 + 4)
#define STAPLE_SIZE (STAPLE_LEAF_SIZE + 8 + 8 + 4 + 8 + 8 + 8 + 4)

#define FORGET_MS INT64_C(3600000)

/* Times beyond the year 9999 are none. */
#define TIME_MAX_MS INT64_C(253402300800000)

void
staple_store_init(struct staple_store *store)
{
	*store = (struct staple_store){
		.slots = mem_array(SLOTS_MIN, sizeof(*store->slots)),
		.slot_count = SLOTS_MIN,
	};
	TAILQ_INIT(&store->told);
}

static void
forget_telling(struct staple_store *store, struct stored_staple *staple)
{
	if (staple->told > 0)
		TAILQ_REMOVE(&store->told, staple, told_entries);
}

void
staple_store_tell(struct staple_store *store, struct stored_staple *staple)
{
	forget_telling(store, staple);
	staple->told = ++store->last_told;
	TAILQ_INSERT_TAIL(&store->told, staple, told_entries);
}

const struct stored_staple *
staple_store_told_after(const struct staple_store *store, uint64_t number)
{
	const struct stored_staple *staple, *first = NULL;

	/* Who asks has mostly been told all but the last. */
	TAILQ_FOREACH_REVERSE(staple, &store->told, staple_order, told_entries)
	{
		if (staple->told <= number)
			break;
		first = staple;
	}
	return first;
}

void
staple_store_drop(struct staple_store *store, struct stored_staple *staple)
{
	LIST_REMOVE(staple, entries);
	forget_telling(store, staple);
	mem_free(staple->bytes);
	mem_free(staple);
	store->count--;
}

static void
empty(struct staple_store *store)
{
	for (size_t i = 0; i < store->slot_count; i++) {
		struct stored_staple *staple;

		while ((staple = LIST_FIRST(&store->slots[i])))
			staple_store_drop(store, staple);
	}
}

void
staple_store_clear(struct staple_store *store)
{
	empty(store);
	mem_free(store->slots);
	*store = (struct staple_store){0};
}

static struct staple_list *
slot_of(const struct staple_store *store, const unsigned char *leaf)
{
	uint64_t hash;

	memcpy(&hash, leaf, sizeof(hash));
	return &store->slots[hash & (store->slot_count - 1)];
}

static void
grow(struct staple_store *store)
{
	struct staple_list *before = store->slots;
	size_t before_count = store->slot_count;

	store->slot_count *= 2;
	store->slots = mem_array(store->slot_count, sizeof(*store->slots));
	for (size_t i = 0; i < before_count; i++) {
		struct stored_staple *staple;

		while ((staple = LIST_FIRST(&before[i]))) {
			LIST_REMOVE(staple, entries);
			LIST_INSERT_HEAD(slot_of(store, staple->leaf), staple,
					 entries);
		}
	}
	mem_free(before);
}

struct stored_staple *
staple_store_get(struct staple_store *store,
		 const unsigned char leaf[STAPLE_LEAF_SIZE])
{
	struct stored_staple *staple;

	LIST_FOREACH (staple, slot_of(store, leaf), entries)
		if (memcmp(staple->leaf, leaf, STAPLE_LEAF_SIZE) == 0)
			return staple;
	if (store->count == store->slot_count)
		grow(store);
	staple = mem_alloc(sizeof(*staple));
	memcpy(staple->leaf, leaf, STAPLE_LEAF_SIZE);
	LIST_INSERT_HEAD(slot_of(store, leaf), staple, entries);
	store->count++;
	return staple;
}

void
stored_staple_set(struct stored_staple *staple, const void *bytes,
		  size_t length, int64_t begin_ms, int64_t end_ms)
{
	mem_free(staple->bytes);
	staple->bytes = bytes ? mem_dup(bytes, length) : NULL;
	staple->length = bytes ? length : 0;
	staple->begin_ms = bytes ? begin_ms : 0;
	staple->end_ms = bytes ? end_ms : 0;
}

void
staple_store_tidy(struct staple_store *store, int64_t now_ms)
{
	for (size_t i = 0; i < store->slot_count; i++) {
		struct stored_staple *staple, *next;

		for (staple = LIST_FIRST(&store->slots[i]); staple;
		     staple = next) {
			next = LIST_NEXT(staple, entries);
			if (!staple->want && staple->end_ms <= now_ms &&
			    staple->schedule.asked_ms + FORGET_MS <= now_ms)
				staple_store_drop(store, staple);
		}
	}
}

static void
encode_staple(const struct stored_staple *staple, size_t most,
	      struct buf_writer *writer)
{
	const struct staple_schedule *schedule = &staple->schedule;
	bool has_room = writer->length + STAPLE_SIZE + staple->length <= most;

	buf_write_bytes(writer, staple->leaf, sizeof(staple->leaf));
	buf_write_u64(writer, (uint64_t)schedule->asked_ms);
	buf_write_u64(writer, (uint64_t)schedule->due_ms);
	buf_write_u32(writer, schedule->failures);
	buf_write_u64(writer, staple->asked_whom);
	buf_write_u64(writer, (uint64_t)staple->begin_ms);
	buf_write_u64(writer, (uint64_t)staple->end_ms);
	buf_write_u32(writer, has_room ? (uint32_t)staple->length : 0);
	if (has_room)
		buf_write_bytes(writer, staple->bytes, staple->length);
}

unsigned char *
staple_store_encode(const struct staple_store *store, int64_t asking_ms,
		    size_t most, size_t *length)
{
	size_t size = HEAD_SIZE, fitting = (most - HEAD_SIZE) / STAPLE_SIZE;
	struct buf_writer writer;
	unsigned char *bytes;
	uint32_t written = 0, count;
	const struct stored_staple *staple;

	for (size_t i = 0; i < store->slot_count; i++)
		LIST_FOREACH (staple, &store->slots[i], entries)
			size += STAPLE_SIZE + staple->length;
	if (size > most)
		size = most;
	count = (uint32_t)(store->count < fitting ? store->count : fitting);
	bytes = mem_alloc(size);
	buf_write_init(&writer, bytes, size);
	buf_write_u8(&writer, VERSION);
	buf_write_u64(&writer, (uint64_t)asking_ms);
	buf_write_u32(&writer, count);
	for (size_t i = 0; i < store->slot_count; i++) {
		LIST_FOREACH (staple, &store->slots[i], entries) {
			if (written == count)
				break;
			written++;
			/* Those to come have their places, too. */
			encode_staple(staple,
				      size - (count - written) * STAPLE_SIZE,
				      &writer);
		}
	}
	*length = writer.length;
	return bytes;
}

static bool
is_time(uint64_t milliseconds)
{
	return milliseconds <= TIME_MAX_MS;
}

static bool
decode_staple(struct staple_store *store, struct buf_reader *reader)
{
	const unsigned char *leaf = buf_read_bytes(reader, STAPLE_LEAF_SIZE);
	uint64_t asked_ms = buf_read_u64(reader);
	uint64_t due_ms = buf_read_u64(reader);
	uint32_t failures = buf_read_u32(reader);
	uint64_t asked_whom = buf_read_u64(reader);
	uint64_t begin_ms = buf_read_u64(reader);
	uint64_t end_ms = buf_read_u64(reader);
	uint32_t length = buf_read_u32(reader);
	const unsigned char *bytes = buf_read_bytes(reader, length);
	struct stored_staple *staple;

	if (reader->failed || length > STAPLE_SIZE_MAX || !is_time(asked_ms) ||
	    !is_time(due_ms) || !is_time(begin_ms) || !is_time(end_ms))
		return false;
	staple = staple_store_get(store, leaf);
	staple->schedule = (struct staple_schedule){
		.asked_ms = (int64_t)asked_ms,
		.due_ms = (int64_t)due_ms,
		.failures = failures,
	};
	staple->asked_whom = asked_whom;
	stored_staple_set(staple, length > 0 ? bytes : NULL, length,
			  (int64_t)begin_ms, (int64_t)end_ms);
	return true;
}

static void
take_for_asked(struct staple_store *store, int64_t asking_ms, int64_t now_ms)
{
	int64_t last_ms = asking_ms < now_ms ? asking_ms : now_ms;

	for (size_t i = 0; i < store->slot_count; i++) {
		struct stored_staple *staple;

		LIST_FOREACH (staple, &store->slots[i], entries)
			if (staple->schedule.due_ms <= last_ms)
				staple_schedule_asked(&staple->schedule,
						      last_ms);
	}
}

int
staple_store_decode(struct staple_store *store, const void *bytes,
		    size_t length, int64_t now_ms, int64_t *asking_ms)
{
	struct buf_reader reader;
	uint64_t asking;
	uint32_t count;

	buf_read_init(&reader, bytes, length);
	if (buf_read_u8(&reader) != VERSION)
		return -1;
	asking = buf_read_u64(&reader);
	count = buf_read_u32(&reader);
	if (reader.failed || !is_time(asking) ||
	    count > reader.length / STAPLE_SIZE)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		if (decode_staple(store, &reader))
			continue;
		empty(store);
		return -1;
	}
	if (reader.length > 0) {
		empty(store);
		return -1;
	}
	*asking_ms = (int64_t)asking;
	take_for_asked(store, *asking_ms, now_ms);
	return 0;
}
