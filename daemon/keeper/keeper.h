/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The role that holds the private keys: it reads every certificate that the
 * configuration names, gives the monitor an index of what is public about
 * them, and signs for workers.
 */
#ifndef SEALOCK_KEEPER_KEEPER_H
#define SEALOCK_KEEPER_KEEPER_H

#include <stdint.h>

int
keeper_main(uint32_t number);

#endif
