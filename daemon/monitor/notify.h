/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the service manager is told. Without systemd, at build time or at run
 * time, nobody is told anything.
 */
#ifndef SEALOCK_MONITOR_NOTIFY_H
#define SEALOCK_MONITOR_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

void
notify_ready(uint64_t generation, unsigned int workers, size_t services);
void
notify_reloading(void);

/* The reload is over and has changed nothing. */
void
notify_refused(void);
void
notify_stopping(void);

#endif
