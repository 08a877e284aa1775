/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A broker that was started after a reload has never heard of the generations
 * before it: what was asked of its predecessor is looked for in the one that
 * is in force.
 */
#ifndef SEALOCK_WORKER_BROKER_RENEW_H
#define SEALOCK_WORKER_BROKER_RENEW_H

#include <stdbool.h>

struct address;
struct broker_request;
struct snapshot;

/* After ESTALE: point the request at the same socket in the current
 * generation. False when it is not there, or was looked for there already. */
bool
broker_renew(struct broker_request *request, const struct address *wanted,
	     const struct snapshot *current);

#endif
