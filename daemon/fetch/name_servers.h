/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name servers of a configuration in c-ares' words.
 */
#ifndef SEALOCK_FETCH_NAME_SERVERS_H
#define SEALOCK_FETCH_NAME_SERVERS_H

#include <stdint.h>

struct conf_resolver;
struct error;

/* Addresses with ports in a list with commas, "": the system's (mem_free()).
 * NULL with a sentence when one is no address. */
char *
name_servers_join(const struct conf_resolver *settings, struct error *error);

/* What c-ares is to wait for the answer to its first datagram, so that all of
 * its patience is the configuration's. */
int64_t
name_servers_patience_ms(const struct conf_resolver *settings);

#endif
