/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where keeper and helper keep what their successors want to find: pairs of
 * files (state_pair.h) in `state_dir`, so that it outlives a restart, or in
 * memory, so that it outlives the process. They are opened once, with the first
 * configuration, and handed to every process of the role.
 */
#ifndef SEALOCK_MONITOR_STATE_FILES_H
#define SEALOCK_MONITOR_STATE_FILES_H

#include <stdbool.h>

#include "common/ipc/msgtable.h"

struct conf;
struct error;
struct error_list;
struct message;
struct state_files;

/* Open, and lock, the files. A default that this machine does not have, or with
 * has_defaults unset none at all, is replaced by memory, as the log is told;
 * NULL with a problem when a directory that was written cannot be used. */
struct state_files *
state_files_new(const struct conf *conf, bool has_defaults,
		struct error_list *problems);
void
state_files_free(struct state_files *files);

/* What a later configuration asks for otherwise, and will not get before a
 * restart. */
void
state_files_compare(const struct state_files *files, const struct conf *conf,
		    struct error_list *warnings);

/* Has that role something to keep? */
bool
state_files_are_for(enum ipc_role role);

/* MESSAGE_STATE for a child of such a role; NULL with a sentence when there is
 * no descriptor left. */
struct message *
state_files_message(const struct state_files *files, enum ipc_role role,
		    struct error *error);

/* Would the files be of use to a daemon? Nothing is made, and nothing opened.
 */
void
state_files_check(const struct conf *conf, struct error_list *problems);

#endif
