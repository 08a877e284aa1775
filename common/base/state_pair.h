/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process wants to be found again by the one that comes after it: two
 * files, of which one always holds the last content that was written whole. The
 * other is written next, so whatever ends a process, a disk or a machine in the
 * middle of it, there is what was there before.
 *
 * The files come from somebody else, who opened them, and may hold anything:
 * what is torn, of another kind or not ours is passed over.
 */
#ifndef SEALOCK_BASE_STATE_PAIR_H
#define SEALOCK_BASE_STATE_PAIR_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct state_pair;

/* What is in it; a number, as it is written down. */
enum state_kind {
	STATE_TICKETS = 1,
	STATE_OCSP = 2,
};

/* The longest content. */
#define STATE_PAIR_MAX ((size_t)64 << 20)

/* Takes both descriptors: files that can be read and written at any offset.
 * Nobody else may write to them as long as this lives. */
struct state_pair *
state_pair_new(int first, int second, enum state_kind kind);

/* Closes the files; NULL is legal. */
void
state_pair_free(struct state_pair *pair);

/* The content that was written last, by whomever; it is to be freed by
 * state_pair_forget(). NULL, and a length of 0: there is none. An empty content
 * is not NULL. */
void *
state_pair_read(struct state_pair *pair, size_t *length)
	__attribute__((warn_unused_result));

/* Is there something in the files, and nothing of it whole? */
bool
state_pair_is_damaged(struct state_pair *pair);

/* Write at most STATE_PAIR_MAX bytes. From then on another process finds them;
 * they outlive the machine's sudden end when the kernel has written them, which
 * takes half a minute, and what was there before does until then. -1 with a
 * sentence, the disk is full for instance: what was there before is there
 * still. Also -1 when the files were removed: then a successor finds what was
 * written, and nobody else does. */
int
state_pair_write(struct state_pair *pair, const void *content, size_t length,
		 struct error *error) __attribute__((warn_unused_result));

/* Wipes and frees what was read. NULL is legal. */
void
state_pair_forget(void *content, size_t length);

#endif
