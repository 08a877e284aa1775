/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses: from the operator's text, and to the kernel's form.
 */
#include "common/net/address.h"

#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/net/hostname.h"

#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* What is behind the prefix, or NULL. Capitals count as small letters: FD:3
 * must not be the port 3 of a host, which is written fd:3 as well. */
static const char *
skip_prefix(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncasecmp(text, prefix, length) == 0 ? text + length : NULL;
}

static int
parse_unix(const char *path, struct address *address, struct error *error)
{
	bool is_abstract = path[0] == '@';

	if (is_abstract)
		path++;
	if (is_abstract ? path[0] == '\0' : path[0] != '/') {
		error_set(error, is_abstract
					 ? "unix:@ needs a name behind the @"
					 : "the path of a UNIX socket must be "
					   "absolute: unix:/run/name.sock");
		return -1;
	}
	if (strlen(path) > UNIX_PATH_MAX) {
		error_set(error,
			  "the path of a UNIX socket has at most %zu bytes",
			  UNIX_PATH_MAX);
		return -1;
	}
	address->kind = is_abstract ? ADDRESS_ABSTRACT : ADDRESS_UNIX;
	address->host = mem_strdup(path);
	return 0;
}

static int
parse_descriptor(const char *text, enum address_use use,
		 struct address *address, struct error *error)
{
	uint64_t number;

	if (use == ADDRESS_TO_CONNECT) {
		error_set(error, "a descriptor can be listened on but not "
				 "connected to: write HOST:PORT or unix:/PATH");
		return -1;
	}
	if (text_parse_unsigned(text, &number) != 0 || number > INT_MAX) {
		error_set(error,
			  "\"%s\" is no descriptor: write its number, as in "
			  "fd:3",
			  text);
		return -1;
	}
	address->kind = ADDRESS_FD;
	address->descriptor = (int)number;
	return 0;
}

static int
parse_builtin(const char *word, enum address_use use, struct address *address,
	      struct error *error)
{
	if (use == ADDRESS_TO_LISTEN) {
		error_set(error, "a builtin can be connected to but not "
				 "listened on: write an address, as in :443");
		return -1;
	}
	if (strcmp(word, "echo") != 0 && strcmp(word, "whoami") != 0) {
		error_set(error,
			  "there is no builtin \"%s\": there are builtin:echo "
			  "and builtin:whoami",
			  word);
		return -1;
	}
	address->kind = ADDRESS_BUILTIN;
	address->host = mem_strdup(word);
	return 0;
}

/* What an address is read for, and who knows ports by their names. */
struct parsing {
	enum address_use use;
	address_find_port *find_port;
	void *argument;
};

static int
ask_system(const char *service, void *nothing)
{
	const struct servent *found = getservbyname(service, "tcp");

	(void)nothing;
	return found ? ntohs((uint16_t)found->s_port) : -1;
}

static int
parse_port(const char *text, const struct parsing *parsing, uint16_t *port,
	   struct error *error)
{
	uint64_t number;
	int found;

	if (text[0] == '\0') {
		error_set(error, "a port is missing behind the colon");
		return -1;
	}
	if (text_parse_unsigned(text, &number) == 0) {
		if (number > UINT16_MAX) {
			error_set(
				error,
				"port %s is out of range: there are 1 to 65535",
				text);
			return -1;
		}
		if (number == 0 && parsing->use == ADDRESS_TO_CONNECT) {
			error_set(error, "port 0 cannot be connected to: write "
					 "the backend's port");
			return -1;
		}
		*port = (uint16_t)number;
		return 0;
	}
	found = parsing->find_port(text, parsing->argument);
	if (found < 0 || found > UINT16_MAX) {
		error_set(error,
			  "\"%s\" is neither a port number nor the name of a "
			  "TCP service",
			  text);
		return -1;
	}
	*port = (uint16_t)found;
	return 0;
}

/* An IPv4 or IPv6 literal in its canonical spelling, a zone kept; NULL when
 * it is none. */
static char *
canonical_ip(const char *text, int family)
{
	const char *zone = strchr(text, '%');
	char spelling[INET6_ADDRSTRLEN];
	struct in6_addr bytes;
	AUTO_FREE char *bare = NULL;

	if (zone && (family == AF_INET || !hostname_is_ip(text)))
		return NULL;
	bare = zone ? mem_strndup(text, (size_t)(zone - text))
		    : mem_strdup(text);
	if (inet_pton(family, bare, &bytes) != 1)
		return NULL;
	inet_ntop(family, &bytes, spelling, sizeof(spelling));
	return mem_format("%s%s", spelling, zone ? zone : "");
}

static int
parse_inet6(const char *text, const struct parsing *parsing,
	    struct address *address, struct error *error)
{
	const char *end = strchr(text, ']');
	AUTO_FREE char *literal = NULL;
	AUTO_FREE char *host = NULL;

	if (!end || end[1] != ':') {
		error_set(error, "an IPv6 address is written [ADDRESS]:PORT");
		return -1;
	}
	literal = mem_strndup(text + 1, (size_t)(end - text) - 1);
	host = canonical_ip(literal, AF_INET6);
	if (!host) {
		error_set(error, "\"%s\" is no IPv6 address", literal);
		return -1;
	}
	if (parse_port(end + 2, parsing, &address->port, error) != 0)
		return -1;
	address->kind = ADDRESS_INET;
	address->host = TAKE(host);
	return 0;
}

static int
parse_any(const char *port, const struct parsing *parsing,
	  struct address *address, struct error *error)
{
	if (parsing->use == ADDRESS_TO_CONNECT) {
		error_set(error,
			  "\":%s\" names no host to connect to: write "
			  "127.0.0.1:%s for a backend on this machine",
			  port, port);
		return -1;
	}
	address->kind = ADDRESS_ANY;
	return parse_port(port, parsing, &address->port, error);
}

static int
parse_named(const char *name, enum address_use use, struct address *address,
	    struct error *error)
{
	char normalized[HOSTNAME_MAX + 1];

	if (strcmp(name, "*") == 0) {
		error_set(error, use == ADDRESS_TO_LISTEN
					 ? "every local address is written "
					   ":PORT, without a star"
					 : "a star names no host to connect "
					   "to: write HOST:PORT");
		return -1;
	}
	if (hostname_normalize(name, strlen(name), normalized) != 0) {
		error_set(error,
			  "\"%s\" is neither an IP address nor a host name",
			  name);
		return -1;
	}
	if (use == ADDRESS_TO_LISTEN) {
		error_set(error,
			  "\"%s\" is a name: to listen, write an address, as "
			  "in 127.0.0.1:443, or :443 for all of them",
			  name);
		return -1;
	}
	address->kind = ADDRESS_HOST;
	address->host = mem_strdup(normalized);
	return 0;
}

static int
parse_host_port(const char *text, const struct parsing *parsing,
		struct address *address, struct error *error)
{
	enum address_use use = parsing->use;
	const char *colon = strchr(text, ':');
	AUTO_FREE char *host = NULL;

	if (!colon) {
		error_set(error,
			  "\"%s\" has no port: write HOST:PORT, [IPV6]:PORT, "
			  "%sunix:/PATH",
			  text,
			  use == ADDRESS_TO_LISTEN
				  ? ":PORT for every local address, "
				  : "");
		return -1;
	}
	if (strchr(colon + 1, ':')) {
		error_set(error,
			  hostname_is_ip(text)
				  ? "an IPv6 address is written in "
				    "brackets, with a port: [%s]:443"
				  : "\"%s\" has too many colons: an "
				    "IPv6 address is written "
				    "[ADDRESS]:PORT",
			  text);
		return -1;
	}
	host = mem_strndup(text, (size_t)(colon - text));
	address->host = canonical_ip(host, AF_INET);
	address->kind = ADDRESS_INET;
	if (!address->host && parse_named(host, use, address, error) != 0)
		return -1;
	return parse_port(colon + 1, parsing, &address->port, error);
}

/* What others of its kind have as an address, and sealock does not. */
static bool
is_unknown_here(const char *text, enum address_use use, struct error *error)
{
	if (use == ADDRESS_TO_LISTEN && skip_prefix(text, "systemd:")) {
		error_set(error, "sealock has no addresses systemd:NAME: write "
				 "the number of the descriptor, as in fd:3");
		return true;
	}
	if (strcasecmp(text, "stdio") == 0) {
		error_set(error, "sealock has no address stdio: write %s",
			  use == ADDRESS_TO_LISTEN
				  ? "HOST:PORT, :PORT, unix:/PATH or fd:N"
				  : "HOST:PORT or unix:/PATH");
		return true;
	}
	return false;
}

static int
parse(const char *text, const struct parsing *parsing, struct address *address,
      struct error *error)
{
	enum address_use use = parsing->use;
	const char *rest;

	if (is_unknown_here(text, use, error))
		return -1;
	if ((rest = skip_prefix(text, "unix:")))
		return parse_unix(rest, address, error);
	if ((rest = skip_prefix(text, "fd:")))
		return parse_descriptor(rest, use, address, error);
	if ((rest = skip_prefix(text, "builtin:")))
		return parse_builtin(rest, use, address, error);
	if (text[0] == '[')
		return parse_inet6(text, parsing, address, error);
	if (text[0] == ':' && !strchr(text + 1, ':'))
		return parse_any(text + 1, parsing, address, error);
	return parse_host_port(text, parsing, address, error);
}

int
address_parse_with(const char *text, enum address_use use,
		   address_find_port *find_port, void *argument,
		   struct address *address, struct error *error)
{
	const struct parsing parsing = {use, find_port, argument};

	*address = (struct address){.descriptor = -1};
	if (parse(text, &parsing, address, error) == 0)
		return 0;
	address_clear(address);
	return -1;
}

int
address_parse(const char *text, enum address_use use, struct address *address,
	      struct error *error)
{
	return address_parse_with(text, use, ask_system, NULL, address, error);
}

void
address_clear(struct address *address)
{
	mem_free(address->host);
	*address = (struct address){.descriptor = -1};
}

const char *
address_format(const struct address *address, char *buffer, size_t size)
{
	switch (address->kind) {
	case ADDRESS_INET:
		snprintf(buffer, size,
			 strchr(address->host, ':') ? "[%s]:%u" : "%s:%u",
			 address->host, address->port);
		break;
	case ADDRESS_ANY:
		snprintf(buffer, size, ":%u", address->port);
		break;
	case ADDRESS_HOST:
		snprintf(buffer, size, "%s:%u", address->host, address->port);
		break;
	case ADDRESS_UNIX:
		snprintf(buffer, size, "unix:%s", address->host);
		break;
	case ADDRESS_ABSTRACT:
		snprintf(buffer, size, "unix:@%s", address->host);
		break;
	case ADDRESS_FD:
		snprintf(buffer, size, "fd:%d", address->descriptor);
		break;
	case ADDRESS_BUILTIN:
		snprintf(buffer, size, "builtin:%s", address->host);
		break;
	}
	return buffer;
}

bool
address_equal(const struct address *one, const struct address *other)
{
	return one->kind == other->kind && one->port == other->port &&
	       one->descriptor == other->descriptor &&
	       !one->host == !other->host &&
	       (!one->host || strcmp(one->host, other->host) == 0);
}

static int
inet_to_socket(const struct address *address, struct socket_address *socket,
	       struct error *error)
{
	const char *zone = strchr(address->host, '%');
	AUTO_FREE char *bare = NULL;
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(address->port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_port = htons(address->port)};

	if (inet_pton(AF_INET, address->host, &in.sin_addr) == 1) {
		memcpy(&socket->storage, &in, sizeof(in));
		socket->length = sizeof(in);
		return 0;
	}
	bare = zone ? mem_strndup(address->host, (size_t)(zone - address->host))
		    : mem_strdup(address->host);
	if (zone) {
		uint64_t index = if_nametoindex(zone + 1);

		if (index == 0 && (text_parse_unsigned(zone + 1, &index) != 0 ||
				   index == 0 || index > UINT32_MAX)) {
			error_set(error, "no interface is called \"%s\"",
				  zone + 1);
			return -1;
		}
		in6.sin6_scope_id = (uint32_t)index;
	}
	if (inet_pton(AF_INET6, bare, &in6.sin6_addr) != 1) {
		error_set(error, "\"%s\" is no IP address", address->host);
		return -1;
	}
	memcpy(&socket->storage, &in6, sizeof(in6));
	socket->length = sizeof(in6);
	return 0;
}

static int
unix_to_socket(const struct address *address, struct socket_address *socket,
	       struct error *error)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t length = strlen(address->host);

	if (length > UNIX_PATH_MAX) {
		error_set(error,
			  "the path of a UNIX socket has at most %zu bytes",
			  UNIX_PATH_MAX);
		return -1;
	}
	/* A NUL in front makes it abstract, one behind ends a path; only the
	 * latter need not be counted, but always is. */
	memcpy(un.sun_path + (address->kind == ADDRESS_ABSTRACT), address->host,
	       length);
	memcpy(&socket->storage, &un, sizeof(un));
	socket->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				     length + 1);
	return 0;
}

int
address_to_socket(const struct address *address, struct socket_address *socket,
		  struct error *error)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6,
				   .sin6_port = htons(address->port)};
	char text[HOSTNAME_MAX + 16];

	memset(socket, 0, sizeof(*socket));
	switch (address->kind) {
	case ADDRESS_INET:
		return inet_to_socket(address, socket, error);
	case ADDRESS_ANY:
		memcpy(&socket->storage, &any, sizeof(any));
		socket->length = sizeof(any);
		return 0;
	case ADDRESS_UNIX:
	case ADDRESS_ABSTRACT:
		return unix_to_socket(address, socket, error);
	case ADDRESS_HOST:
	case ADDRESS_FD:
	case ADDRESS_BUILTIN:
		break;
	}
	error_set(error, "%s is no socket address",
		  address_format(address, text, sizeof(text)));
	return -1;
}

static void
format_inet6(const struct sockaddr_in6 *in6, char *buffer, size_t size)
{
	char host[INET6_ADDRSTRLEN];
	char zone[16] = "";

	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, host,
			  sizeof(host));
		snprintf(buffer, size, "%s:%u", host, ntohs(in6->sin6_port));
		return;
	}
	inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	if (in6->sin6_scope_id != 0)
		snprintf(zone, sizeof(zone), "%%%u", in6->sin6_scope_id);
	snprintf(buffer, size, "[%s%s]:%u", host, zone, ntohs(in6->sin6_port));
}

static void
format_unix(const struct socket_address *socket, char *buffer, size_t size)
{
	const size_t start = offsetof(struct sockaddr_un, sun_path);
	struct sockaddr_un un;
	size_t length;
	const char *prefix = "unix:";
	const char *name = un.sun_path;

	memcpy(&un, &socket->storage, sizeof(un));
	length = socket->length > start ? socket->length - start : 0;
	if (length > sizeof(un.sun_path))
		length = sizeof(un.sun_path);
	if (length > 0 && un.sun_path[0] == '\0') {
		prefix = "unix:@";
		name++;
		length--;
	} else {
		length = strnlen(name, length);
	}
	snprintf(buffer, size, "%s", prefix);
	if (strlen(prefix) < size)
		text_escape(name, length, buffer + strlen(prefix),
			    size - strlen(prefix));
}

const char *
socket_address_format(const struct socket_address *socket, char *buffer,
		      size_t size)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	char host[INET_ADDRSTRLEN];

	switch (socket->storage.ss_family) {
	case AF_INET:
		memcpy(&in, &socket->storage, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
		snprintf(buffer, size, "%s:%u", host, ntohs(in.sin_port));
		break;
	case AF_INET6:
		memcpy(&in6, &socket->storage, sizeof(in6));
		format_inet6(&in6, buffer, size);
		break;
	case AF_UNIX:
		format_unix(socket, buffer, size);
		break;
	default:
		snprintf(buffer, size, "unknown");
	}
	return buffer;
}
