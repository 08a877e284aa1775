/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as operators write them: what a gate listens on or connects to.
 */
#ifndef SEALOCK_NET_ADDRESS_H
#define SEALOCK_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct error;

enum address_kind {
	ADDRESS_INET,     /* 192.0.2.1:80, [2001:db8::1]:80; host is the text */
	ADDRESS_ANY,      /* :80, every local address of both families */
	ADDRESS_HOST,     /* db.example.org:5432, to be resolved */
	ADDRESS_UNIX,     /* unix:/path */
	ADDRESS_ABSTRACT, /* unix:@name */
	ADDRESS_FD,       /* fd:3 */
	ADDRESS_BUILTIN,  /* builtin:echo, builtin:whoami; host is the word */
};

enum address_family {
	ADDRESS_FAMILY_ANY,
	ADDRESS_FAMILY_INET,
	ADDRESS_FAMILY_INET6,
};

struct address {
	enum address_kind kind;
	char *host;     /* INET: without brackets; HOST: lower case; UNIX: the
			 * path; ABSTRACT: the name without @; BUILTIN: the word */
	uint16_t port;  /* INET, ANY, HOST */
	int descriptor; /* FD */
};

/* A socket address with its length, as the kernel wants it. */
struct socket_address {
	struct sockaddr_storage storage;
	socklen_t length;
};

enum address_use {
	ADDRESS_TO_LISTEN,
	ADDRESS_TO_CONNECT,
};

/* Parse one address (CONFIG.md, Notation). Service names stand for ports
 * (getservbyname, tcp). Port 0 and a builtin are refused where they make no
 * sense for that use, as is a host name to listen on (write an address) and
 * an ANY to connect to, each with a sentence that says what to write instead.
 * address_clear() frees what is in it. */
int
address_parse(const char *text, enum address_use use, struct address *address,
	      struct error *error) __attribute__((warn_unused_result));
void
address_clear(struct address *address);

/* The same, for who must not ask the system: a service's port, or -1. */
typedef int
address_find_port(const char *service, void *argument);
int
address_parse_with(const char *text, enum address_use use,
		   address_find_port *find_port, void *argument,
		   struct address *address, struct error *error)
	__attribute__((warn_unused_result));

/* The canonical text: what address_parse() would read back as the same.
 * 256 bytes suffice for all but long paths; returns buffer. */
const char *
address_format(const struct address *address, char *buffer, size_t size);
bool
address_equal(const struct address *one, const struct address *other);

/* The socket address of INET, ANY ([::] of the given port), UNIX, ABSTRACT;
 * -1 for the others and for a path that is too long. */
int
address_to_socket(const struct address *address, struct socket_address *socket,
		  struct error *error) __attribute__((warn_unused_result));

/* 192.0.2.1:80, [2001:db8::1]:80, unix:/path, unix:@name, unix: (unnamed)
 * for the log; an IPv4 address mapped into IPv6 is shown as IPv4. Bytes of a
 * UNIX name are escaped. Returns buffer. */
const char *
socket_address_format(const struct socket_address *socket, char *buffer,
		      size_t size);

#endif
