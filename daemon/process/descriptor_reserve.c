/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reserve is a stack of duplicates of standard input, which leads nowhere
 * in a child.
 */
#include "daemon/process/descriptor_reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/base/mem.h"

struct descriptor_reserve {
	int *held;
	size_t count;
	size_t capacity;
	size_t floor;
	size_t expected;
};

/* True when there are that many. */
static bool
hold(struct descriptor_reserve *reserve, size_t count)
{
	while (reserve->count < count) {
		int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

		if (copy < 0)
			return false;
		if (reserve->count == reserve->capacity) {
			reserve->capacity = 2 * reserve->capacity + 16;
			reserve->held = mem_resize(
				reserve->held, reserve->capacity, sizeof(int));
		}
		reserve->held[reserve->count++] = copy;
	}
	return true;
}

static void
let_go(struct descriptor_reserve *reserve, size_t count)
{
	while (reserve->count > count)
		close(reserve->held[--reserve->count]);
}

struct descriptor_reserve *
descriptor_reserve_new(size_t floor)
{
	struct descriptor_reserve *reserve = mem_alloc(sizeof(*reserve));

	reserve->floor = floor;
	hold(reserve, floor);
	return reserve;
}

void
descriptor_reserve_free(struct descriptor_reserve *reserve)
{
	if (!reserve)
		return;
	let_go(reserve, 0);
	mem_free(reserve->held);
	mem_free(reserve);
}

/* What is announced may use what is held at any time. */
static size_t
target(const struct descriptor_reserve *reserve)
{
	return reserve->expected > reserve->floor ? reserve->expected
						  : reserve->floor;
}

bool
descriptor_reserve_expect(struct descriptor_reserve *reserve, size_t count)
{
	bool is_held = hold(reserve, count);

	if (is_held)
		reserve->expected = count;
	let_go(reserve, target(reserve));
	return is_held;
}

void
descriptor_reserve_lend(struct descriptor_reserve *reserve, size_t count)
{
	let_go(reserve, reserve->count > count ? reserve->count - count : 0);
}

void
descriptor_reserve_restore(struct descriptor_reserve *reserve, size_t arrived)
{
	reserve->expected -=
		arrived < reserve->expected ? arrived : reserve->expected;
	/* What cannot be had now is tried again with the next packet. */
	(void)hold(reserve, target(reserve));
}
