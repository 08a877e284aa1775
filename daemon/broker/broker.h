/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The broker: workers in their sandbox cannot make UNIX sockets. It connects
 * to the UNIX backends and authorizers that the configuration names, and to
 * nothing else, and hands them the sockets.
 */
#ifndef SEALOCK_BROKER_BROKER_H
#define SEALOCK_BROKER_BROKER_H

#include <stdint.h>

/* Run the role; returns the exit status. */
int
broker_main(uint32_t number);

#endif
