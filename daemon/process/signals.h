/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals are the monitor's business: ^C on a terminal and a service
 * manager's TERM reach every process of the group, and only the monitor acts
 * on them.
 */
#ifndef SEALOCK_PROCESS_SIGNALS_H
#define SEALOCK_PROCESS_SIGNALS_H

#include <signal.h>

/* Hold back all signals, so that a process can be forked without one of them
 * running our handlers in it. */
void
signals_hold(sigset_t *before);

/* Let them through again as before. */
void
signals_release(const sigset_t *before);

/* In a forked process, while signals are held: what was pending and caught
 * there is the system's default again, then signals are let through. */
void
signals_default(void);

/* The same for a child that runs a role: what the monitor handles is ignored,
 * SIGPIPE too. Both last over execve(2). */
void
signals_for_role(void);

#endif
