/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An operator writes a host, or a host and a port.
 */
#include "daemon/fetch/name_servers.h"

#include <stddef.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/net/address.h"
#include "common/net/hostname.h"

#define DNS_PORT 53

/* c-ares sends a question twice and doubles its patience the second time: a
 * third of the time for the first makes up the whole. */
#define PATIENCE_PARTS 3

/* The one form that c-ares cannot mistake: with a port, IPv6 in brackets. */
static char *
server_text(const char *server, struct error *error)
{
	struct address address = {.kind = ADDRESS_INET, .port = DNS_PORT};
	char text[128];
	char *result;

	if (hostname_is_ip(server))
		address.host = mem_strdup(server);
	else if (address_parse(server, ADDRESS_TO_CONNECT, &address, NULL) !=
			 0 ||
		 address.kind != ADDRESS_INET) {
		error_set(error, "name server %s is no address", server);
		address_clear(&address);
		return NULL;
	}
	result = mem_strdup(address_format(&address, text, sizeof(text)));
	address_clear(&address);
	return result;
}

/* A list with commas; "" for the system's servers. */
char *
name_servers_join(const struct conf_resolver *settings, struct error *error)
{
	AUTO_FREE char *servers = mem_strdup("");

	for (size_t i = 0; i < settings->server_count; i++) {
		AUTO_FREE char *before = servers;
		AUTO_FREE char *server = NULL;

		servers = NULL;
		server = server_text(settings->servers[i], error);
		if (!server)
			return NULL;
		servers =
			mem_format("%s%s%s", before, i > 0 ? "," : "", server);
	}
	return TAKE(servers);
}

int64_t
name_servers_patience_ms(const struct conf_resolver *settings)
{
	return settings->timeout_ms / PATIENCE_PARTS;
}
