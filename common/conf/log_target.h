/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a log goes, as text: stderr, file:PATH, syslog or syslog:FACILITY.
 * Private to common/conf.
 */
#ifndef SEALOCK_CONF_LOG_TARGET_H
#define SEALOCK_CONF_LOG_TARGET_H

#include <stdbool.h>

struct conf_facts;
struct conf_log;
struct position;

bool
log_target_is_valid(const char *text);

/* A valid one with its path made absolute, the caller's (mem_free()). */
char *
log_target_absolute(struct conf_facts *facts, const struct position *at,
		    const char *text);

/* Fill the target, path and facility of a log from a valid, absolute one. */
void
log_target_store(const char *text, struct conf_log *log);

#endif
