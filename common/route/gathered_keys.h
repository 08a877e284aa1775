/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The private keys of a gathering, each once, with all that any gate may have
 * it sign.
 */
#ifndef SEALOCK_ROUTE_GATHERED_KEYS_H
#define SEALOCK_ROUTE_GATHERED_KEYS_H

#include <stddef.h>

struct certificate_record;
struct local_keys;

struct gathered_key {
	const struct certificate_record *certificate; /* one that has it */
	unsigned int uses;                            /* enum key_use */
};

struct gathered_keys {
	struct gathered_key *keys;
	size_t count;
	size_t *slots;     /* by key id: a number plus one, 0: free */
	size_t slot_count; /* a power of two, at most half of it used */
};

/* The certificate is lent. */
void
gathered_keys_add(struct gathered_keys *keys,
		  const struct certificate_record *certificate,
		  unsigned int uses);
void
gathered_keys_clear(struct gathered_keys *keys);

/* Put all into a table, and take them out again. */
void
gathered_keys_give(const struct gathered_keys *keys, struct local_keys *to);
void
gathered_keys_take(const struct gathered_keys *keys, struct local_keys *from);

#endif
