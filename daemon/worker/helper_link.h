/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channel to the helper, and who gets what it tells.
 */
#ifndef SEALOCK_WORKER_HELPER_LINK_H
#define SEALOCK_WORKER_HELPER_LINK_H

struct worker;

/* A channel to the (new) helper; takes the descriptor. */
void
helper_link_attach(struct worker *worker, int descriptor);

/* Nothing comes from the helper any more. */
void
helper_link_close(struct worker *worker);

#endif
