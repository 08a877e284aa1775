/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a configuration has certificates, in its order: who gathers them and
 * who serves them count the sets in the same way, in different processes.
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_PLACES_H
#define SEALOCK_ROUTE_CERTIFICATE_PLACES_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct conf_service;
struct tls_host;
struct tls_settings;

/* A connect gate without certificates has none. */
#define CERTIFICATE_PLACE_NO_SET ((size_t)-1)

/* A gate with TLS or an entry of its `hosts`. */
struct certificate_place {
	const struct conf_service *service;
	const struct tls_host *host; /* NULL: the gate itself */
	const struct tls_settings *settings;
	bool is_server;
	size_t set; /* a host without certificates of its own has its gate's */
};

/* Services in the order of the documents; of each the accept gate, its hosts,
 * the connect gate. */
struct certificate_places {
	struct certificate_place *places;
	size_t count;
	size_t set_count;
};

/* conf must outlive them. */
void
certificate_places_list(const struct conf *conf,
			struct certificate_places *places);
void
certificate_places_clear(struct certificate_places *places);

#endif
