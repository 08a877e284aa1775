/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer of the certificate index.
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_INDEX_WRITE_H
#define SEALOCK_ROUTE_CERTIFICATE_INDEX_WRITE_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct certificate_record;

/* What stands in a set, in the order of the configuration. */
struct index_source {
	struct certificate_record *const *certificates;
	const uint32_t *entries; /* each one's, by their numbers */
	size_t count;
};

/* Write an index of these sets: the descriptor of a new sealed memfd, the
 * caller's. -1 with a sentence when there is no memory for it, or too much to
 * be counted. */
int
certificate_index_write(const struct index_source *sets, size_t count,
			struct error *error)
	__attribute__((warn_unused_result));

#endif
