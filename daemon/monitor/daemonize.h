/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Into the background, in three steps: a second process is made, it leaves
 * the terminal when it needs it no more, and whoever started it is told how it
 * went when that is known.
 */
#ifndef SEALOCK_MONITOR_DAEMONIZE_H
#define SEALOCK_MONITOR_DAEMONIZE_H

#include <stdbool.h>

struct error;

/* Fork. In the new process: 0, and *report is for daemonize_ready(). In the
 * old one: 1 when the new one has said that it is ready or has ended, and then
 * *status is what to exit with. -1 with a sentence. */
int
daemonize_fork(int *report, int *status, struct error *error);

/* A session of its own, without a terminal. */
void
daemonize_detach(void);

/* Standard input, output and error lead nowhere from now on, and the old
 * process returns. */
void
daemonize_ready(int report);

#endif
