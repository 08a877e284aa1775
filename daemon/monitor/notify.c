/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sd_notify(3). RELOADING comes with MONOTONIC_USEC, which Type=notify-reload
 * (systemd 253) needs and older ones pass over.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/monitor/notify.h"

#ifdef HAVE_SYSTEMD

#include <inttypes.h>
#include <time.h>
#include <systemd/sd-daemon.h>

void
notify_ready(uint64_t generation, unsigned int workers, size_t services)
{
	sd_notifyf(0,
		   "READY=1\nSTATUS=Generation %" PRIu64
		   ", %u workers, %zu services",
		   generation, workers, services);
}

void
notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   (uint64_t)now.tv_sec * 1000000 +
			   (uint64_t)now.tv_nsec / 1000);
}

void
notify_refused(void)
{
	sd_notify(0, "READY=1\nSTATUS=The last reload was refused, see the "
		     "log; the configuration before it is in force");
}

void
notify_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Waiting for connections to end");
}

#else

void
notify_ready(uint64_t generation, unsigned int workers, size_t services)
{
	(void)generation;
	(void)workers;
	(void)services;
}

void
notify_reloading(void)
{
}

void
notify_refused(void)
{
}

void
notify_stopping(void)
{
}

#endif
