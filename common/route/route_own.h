/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The routes of a process that keeps its own keys: it gathers its certificates
 * by itself, and signs by itself.
 */
#ifndef SEALOCK_ROUTE_ROUTE_OWN_H
#define SEALOCK_ROUTE_ROUTE_OWN_H

struct conf;
struct file_set;
struct route_findings;

struct route_own {
	struct certificate_gathering *gathering;
	struct local_keys *keys; /* the process's table, lent */
	struct route_table *routes;
};

/* Gather certificates, put their keys into the process's own table
 * (local_keys_own()) for as long as this lives, and build the table. What
 * cannot be loaded now is taken from the previous one (may be NULL). Everything
 * that is wrong is told, of certificates and policies, once. -1 when there are
 * problems; own is good for route_own_clear() then. */
int
route_own_init(struct route_own *own, const struct conf *conf,
	       const struct file_set *files, const struct route_own *previous,
	       const struct route_findings *findings)
	__attribute__((warn_unused_result));

/* Zeroed ones are legal. */
void
route_own_clear(struct route_own *own);

#endif
