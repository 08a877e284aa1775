/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who the children are, and what they are told to give up. It is settled by
 * the first configuration and holds as long as the daemon runs: processes that
 * were started and those that replace them are alike, and there is one answer
 * to the question who sealock is.
 */
#ifndef SEALOCK_MONITOR_CONFINEMENT_H
#define SEALOCK_MONITOR_CONFINEMENT_H

#include <stdbool.h>

#include "common/ipc/msgtable.h"

struct conf;
struct confinement;
struct error;
struct error_list;
struct message;

/* Look up users and groups, and open the directory to be shut in. Defaults
 * that this machine does not have are replaced or left out, as the log is
 * told; NULL with problems when something that was written cannot be had. */
struct confinement *
confinement_new(const struct conf *conf, struct error_list *problems);
void
confinement_free(struct confinement *confinement);

/* What a later configuration asks for otherwise, and will not get before a
 * restart. */
void
confinement_compare(const struct confinement *confinement,
		    const struct conf *conf, struct error_list *warnings);

/* Does anything stand between the workers and UNIX sockets, so that a broker
 * has to connect to them? */
bool
confinement_hides_sockets(const struct confinement *confinement);

/* MESSAGE_SANDBOX for a child of that role; NULL with a sentence when there is
 * no descriptor left. */
struct message *
confinement_message(const struct confinement *confinement, enum ipc_role role,
		    struct error *error);

#endif
