/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people are told of ticket keys: names and times, never a key.
 */
#ifndef SEALOCK_KEEPER_TICKET_TEXT_H
#define SEALOCK_KEEPER_TICKET_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "common/tls/ticket_ring.h"
#include "common/tls/tls_settings.h"

#define TICKET_TEXT_SIZE 320

/* The ring's id. Returns buffer, as does the next. */
const char *
ticket_text_ring(const struct ticket_ring *ring, char buffer[TICKET_TEXT_SIZE]);

/* Fields for the log: ring, mode, current, since, next, at, older,
 * reserve. */
const char *
ticket_text_fields(const struct ticket_ring *ring, enum tls_ticket_mode mode,
		   int64_t now, char buffer[TICKET_TEXT_SIZE]);

/* A line of the ring, and one of each of its keys. */
void
ticket_text_lines(const struct ticket_ring *ring, enum tls_ticket_mode mode,
		  int64_t now, FILE *out);

#endif
