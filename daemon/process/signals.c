/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dispositions and the mask around fork.
 */
#include "daemon/process/signals.h"

#include <stddef.h>

#include "common/base/mem.h"

static void
release_all(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
signals_hold(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
}

void
signals_release(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

static void
set_all_default(void)
{
	/* Those that cannot be set, and libc's own, refuse. */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
}

void
signals_default(void)
{
	set_all_default();
	release_all();
}

void
signals_for_role(void)
{
	static const int ignored[] = {SIGHUP,  SIGINT,  SIGTERM, SIGUSR1,
				      SIGUSR2, SIGPIPE, SIGXFSZ};

	set_all_default();
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	release_all();
}
