/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings of ticket keys of all generations that live: made, brought on by
 * the clock, sent to every worker before anybody needs them, and those that are
 * made by chance kept for whoever comes after this process.
 */
#ifndef SEALOCK_KEEPER_TICKET_MAKER_H
#define SEALOCK_KEEPER_TICKET_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/route/ticket_sources.h"

struct event_base;
struct message;
struct state_pair;
struct ticket_maker;

/* In place of a worker's number: all of them. */
#define TICKET_MAKER_ALL UINT32_MAX

/* tell sends a message, which is borrowed, to a worker or all; it returns how
 * many had no room for it, who will be told again. */
struct ticket_maker *
ticket_maker_new(struct event_base *base,
		 size_t (*tell)(uint32_t worker, const struct message *message,
				void *argument),
		 void *argument);

/* NULL is legal. */
void
ticket_maker_free(struct ticket_maker *maker);

/* Go on from what is in there, and keep in it what comes; before the first
 * generation. It becomes the maker's. */
void
ticket_maker_set_state(struct ticket_maker *maker, struct state_pair *state);

/* A generation's sources, which become the maker's, so that its workers can be
 * given its rings. Those that other generations have, too, do not change. */
void
ticket_maker_prepare(struct ticket_maker *maker, uint64_t number,
		     struct ticket_sources *sources);

/* The one that was prepared is in force: its files and secrets count. */
void
ticket_maker_commit(struct ticket_maker *maker);

/* It never will be. Nothing happens when there is none. */
void
ticket_maker_abort(struct ticket_maker *maker);

/* No worker uses a generation below that one. */
void
ticket_maker_release(struct ticket_maker *maker, uint64_t number);

/* A worker has come: give it all rings. */
void
ticket_maker_welcome(struct ticket_maker *maker, uint32_t worker);

/* Have the next keys of all rings that are made by chance come into force.
 * False: there are none. */
bool
ticket_maker_rotate(struct ticket_maker *maker);

/* Names and times, a line each, for people; at most `most` bytes. mem_free().
 */
char *
ticket_maker_show(const struct ticket_maker *maker, size_t most);

#endif
