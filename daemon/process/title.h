/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ps shows of a process.
 */
#ifndef SEALOCK_PROCESS_TITLE_H
#define SEALOCK_PROCESS_TITLE_H

#include "common/ipc/msgtable.h"

/* "sealock: worker 0" in place of the command line, as far as it has room, and
 * "sealock-worker" as the short name. The arguments' text is gone after it. */
void
title_set(int argc, char **argv, enum ipc_role role, uint32_t number);

#endif
