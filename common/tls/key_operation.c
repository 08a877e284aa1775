/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of pending operations. A number is the slot's index and how many
 * operations there were before, so that an answer finds its operation at once
 * and a late one finds another number in the slot.
 */
#include "common/tls/key_operation.h"

#include <assert.h>
#include <string.h>
#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/mem.h"

#define SLOT_BITS 20
#define SLOT_MAX  ((size_t)1 << SLOT_BITS)

struct slot {
	struct key_operation *operation; /* NULL: free */
	size_t next_free;                /* index + 1; 0: the last */
};

static struct {
	struct slot *slots;
	size_t count;
	size_t first_free; /* index + 1; 0: none */
	size_t pending;
	uint64_t begun;
	struct key_operation *current;
} table;

void
key_operation_enter(struct key_operation *operation)
{
	assert(!table.current);
	table.current = operation;
	if (operation)
		operation->entries++;
}

void
key_operation_leave(void)
{
	table.current = NULL;
}

struct key_operation *
key_operation_current(void)
{
	return table.current;
}

size_t
key_operation_count(void)
{
	return table.pending;
}

/* The index of a slot that was free; SLOT_MAX: there is none. */
static size_t
take_slot(void)
{
	size_t index = table.first_free;

	if (index > 0) {
		table.first_free = table.slots[index - 1].next_free;
		return index - 1;
	}
	if (table.count == SLOT_MAX)
		return SLOT_MAX;
	/* Powers of two. */
	if ((table.count & (table.count - 1)) == 0)
		table.slots = mem_resize(table.slots,
					 table.count ? 2 * table.count : 1,
					 sizeof(*table.slots));
	return table.count++;
}

static size_t
slot_of(uint64_t number)
{
	return (size_t)(number % SLOT_MAX);
}

bool
key_operation_begin(struct key_operation *operation, unsigned char *signature,
		    size_t capacity)
{
	size_t index;

	assert(operation->state != KEY_OPERATION_PENDING);
	if (operation->state == KEY_OPERATION_CANCELLED)
		return false;
	index = take_slot();
	if (index == SLOT_MAX) {
		operation->state = KEY_OPERATION_LOST;
		return false;
	}
	table.slots[index] = (struct slot){.operation = operation};
	table.pending++;
	operation->number = ++table.begun << SLOT_BITS | index;
	operation->state = KEY_OPERATION_PENDING;
	operation->signature = signature;
	operation->capacity = capacity;
	operation->length = 0;
	return true;
}

static struct key_operation *
find(uint64_t number)
{
	size_t index = slot_of(number);
	struct key_operation *operation;

	if (index >= table.count)
		return NULL;
	operation = table.slots[index].operation;
	return operation && operation->number == number ? operation : NULL;
}

static void
end(struct key_operation *operation, enum key_operation_state state)
{
	size_t index = slot_of(operation->number);

	assert(operation->state == KEY_OPERATION_PENDING);
	if (operation->cancel)
		TAKE(operation->cancel)(operation);
	table.slots[index] = (struct slot){.next_free = table.first_free};
	table.first_free = index + 1;
	table.pending--;
	operation->state = state;
	operation->signature = NULL;
}

/* End it, and wake the one who waits. */
static bool
finish(struct key_operation *operation, enum key_operation_state state)
{
	if (!operation)
		return false;
	end(operation, state);
	if (operation->is_paused && operation->ready) {
		/* Inside the job of one SSL no other can go on. */
		assert(!table.current);
		operation->ready(operation, operation->argument);
	}
	return true;
}

bool
key_operation_answer(uint64_t number, const unsigned char *signature,
		     size_t length)
{
	struct key_operation *operation = find(number);

	if (!operation)
		return false;
	if (length == 0 || length > operation->capacity) {
		finish(operation, KEY_OPERATION_REFUSED);
		return false;
	}
	memcpy(operation->signature, signature, length);
	operation->length = length;
	return finish(operation, KEY_OPERATION_ANSWERED);
}

bool
key_operation_refuse(uint64_t number)
{
	return finish(find(number), KEY_OPERATION_REFUSED);
}

bool
key_operation_lose(uint64_t number)
{
	return finish(find(number), KEY_OPERATION_LOST);
}

void
key_operation_lose_all(void)
{
	uint64_t last = table.begun;

	/* What is woken may begin anew: that one is not lost. */
	for (size_t i = 0; i < table.count; i++) {
		struct key_operation *operation = table.slots[i].operation;

		if (operation && operation->number >> SLOT_BITS <= last)
			finish(operation, KEY_OPERATION_LOST);
	}
}

bool
key_operation_wait(struct key_operation *operation, size_t *length)
{
	while (operation->state == KEY_OPERATION_PENDING) {
		uint64_t entries = operation->entries;

		operation->is_paused = true;
		/* Returns success, too, when the job must not be paused now;
		 * only a new entry shows that it was. */
		if (ASYNC_pause_job() != 1 || operation->entries == entries)
			end(operation, KEY_OPERATION_LOST);
		operation->is_paused = false;
	}
	*length = operation->length;
	return operation->state == KEY_OPERATION_ANSWERED;
}

void
key_operation_abandon(struct key_operation *operation, SSL *ssl)
{
	if (SSL_waiting_for_async(ssl)) {
		if (operation->state == KEY_OPERATION_PENDING)
			end(operation, KEY_OPERATION_CANCELLED);
		operation->state = KEY_OPERATION_CANCELLED;
		key_operation_enter(operation);
		SSL_do_handshake(ssl);
		key_operation_leave();
		ERR_clear_error();
	}
	assert(operation->state != KEY_OPERATION_PENDING);
}

const char *
key_operation_state_name(enum key_operation_state state)
{
	static const char *const names[] = {
		[KEY_OPERATION_IDLE] = "idle",
		[KEY_OPERATION_PENDING] = "pending",
		[KEY_OPERATION_ANSWERED] = "answered",
		[KEY_OPERATION_REFUSED] = "refused",
		[KEY_OPERATION_LOST] = "lost",
		[KEY_OPERATION_CANCELLED] = "cancelled",
	};

	return names[state];
}
