/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last thing that a role does in its start: give up what it does not
 * need. In this order: ids, chroot and capabilities (privileges.h), files and
 * scopes (sandbox_landlock.h), being looked at, a self-test
 * (sandbox_probe.h), system calls (sandbox_seccomp.h).
 *
 *		worker		keeper	helper		broker
 *	chroot	empty		empty	none: c-ares	none: connects to
 *					reads /etc	paths
 *	files	none		none	the resolver's,	none
 *					read only
 *	sockets	accept; to	none	to name		to UNIX backends
 *		backends		servers
 *	threads	no		yes	no		no
 *
 * Descriptors come to a role as messages, before and after. The helper ends
 * itself, to be replaced, when sandbox_landlock_is_outdated().
 */
#ifndef SEALOCK_PROCESS_SANDBOX_H
#define SEALOCK_PROCESS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/process/privileges.h"
#include "daemon/process/sandbox_seccomp.h"

struct buf_reader;
struct buf_writer;
struct error;

enum sandbox_mode {
	SANDBOX_AUTO,     /* as far as the kernel goes */
	SANDBOX_REQUIRED, /* all of it, or no start */
	SANDBOX_OFF,      /* privileges alone */
};

struct sandbox_options {
	enum sandbox_mode mode;

	/* The root of the helper and of the broker is passed over. */
	struct privileges privileges;

	/* A private key is in a store that is no file (pkcs11:): its library
	 * opens what it likes, so that privileges are all there is. */
	bool has_store;

	/* Something stands between a worker and UNIX backends, be it filters,
	 * its directory or its user: the broker connects to them. It alone is
	 * told; nothing is entered differently. */
	bool needs_broker;
};

struct sandbox_report {
	char reached[128]; /* "chroot; landlock 7 (files); seccomp" */
	char missing[700]; /* "": nothing */
};

/* Enter it. -1 with a sentence: the process must end, as privileges are not
 * gone, or something is missing where all is required. report is for the log,
 * and filled in any case. The directory is closed in any case.
 *
 * To be called once, in a process without threads, when logs and channels are
 * open and nothing from outside was read yet. What is opened by path later is
 * refused with EACCES (the helper's files apart), also in libraries, so they
 * must have read what they need: OpenSSL's configuration, say. */
int
sandbox_enter(enum sandbox_role role, struct sandbox_options *options,
	      struct sandbox_report *report, struct error *error)
	__attribute__((warn_unused_result));

/* The options for the body of a message, without the directory, whose
 * descriptor goes with it. Reading gives root -1; -1: they make no sense. */
void
sandbox_options_write(struct buf_writer *writer,
		      const struct sandbox_options *options);
int
sandbox_options_read(struct buf_reader *reader, struct sandbox_options *options)
	__attribute__((warn_unused_result));

/* What this build and this kernel can do, for --version: "seccomp; landlock 7
 * (files, sockets, signals)". */
const char *
sandbox_describe(char *buffer, size_t size);

#endif
