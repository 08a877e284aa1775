/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory in which workers share the sessions of clients without tickets:
 * the monitor has it, so that it outlives them, and never looks into it.
 */
#ifndef SEALOCK_MONITOR_PLAN_SESSIONS_H
#define SEALOCK_MONITOR_PLAN_SESSIONS_H

struct error_list;
struct plan;

/* As much of it as the plan's configuration asks for: that of the plan before
 * (may be NULL) when it is of the same size, and so the sessions in it. -1 with
 * a problem. */
int
plan_open_sessions(struct plan *plan, const struct plan *previous,
		   struct error_list *problems)
	__attribute__((warn_unused_result));

#endif
