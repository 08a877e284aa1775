/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper: whatever must talk to the network for the daemon itself. It
 * keeps the backends' names resolved and tells the workers.
 */
#ifndef SEALOCK_HELPER_HELPER_H
#define SEALOCK_HELPER_HELPER_H

#include <stdint.h>

/* Run the role; returns the exit status. */
int
helper_main(uint32_t number);

#endif
