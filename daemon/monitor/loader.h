/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader reads the configuration and opens what it names, in a process of
 * its own: a slow file system, a command that prints a secret and a
 * pass-phrase that is asked for on the terminal may take their time without
 * the monitor's loop standing still.
 *
 * It also renews a generation: opens anew what the documents in force name,
 * whatever has become of the documents' files.
 */
#ifndef SEALOCK_MONITOR_LOADER_H
#define SEALOCK_MONITOR_LOADER_H

#include <stdbool.h>
#include <sys/types.h>

struct error;
struct error_list;
struct event_base;
struct generation;
struct loader;
struct monitor_options;

/* What came of it: documents and files, the callee's from then on, or NULL
 * and why. Documents that make no configuration come without files; loading
 * them tells what is wrong. The loader may be freed in it. */
typedef void
loader_done(struct generation *generation, const struct error_list *problems,
	    void *argument);

/* Fork the process. renewed: the generation whose documents are to be read
 * instead of their files; what was typed for it and made for it (self-signed
 * certificates) is taken over. NULL with a sentence when that failed. */
struct loader *
loader_new(struct event_base *base, const struct monitor_options *options,
	   const struct generation *renewed, loader_done *done, void *argument,
	   struct error *error);

/* Ends the process if it still runs. NULL is legal. */
void
loader_free(struct loader *loader);

/* Was that the loader's process, which has ended? */
bool
loader_reaped(struct loader *loader, pid_t pid);

#endif
