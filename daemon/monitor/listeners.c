/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets by address. How one is opened depends on the address: TCP here,
 * UNIX in listeners_unix.c; fd:N is there already.
 */
#include "daemon/monitor/listeners.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/address.h"
#include "daemon/monitor/listen_unix.h"

#define BUCKETS 1024

/* Descriptors that can be handed over. */
#define INHERITED_MAX 1024

struct listener {
	LIST_ENTRY(listener) entries;
	unsigned int references;
	uint64_t id;
	struct address address; /* an own copy */
	unsigned int slot;
	int descriptor;
	bool is_port_shared;     /* SO_REUSEPORT is set */
	bool is_named;           /* by the newest configuration */
	bool is_taken;           /* by an address of it */
	struct listen_path path; /* UNIX */
};

LIST_HEAD(listener_list, listener);

struct listeners {
	struct listener_list buckets[BUCKETS];
	uint64_t last_id;
	bool is_inherited[INHERITED_MAX];
};

struct listeners *
listeners_new(void)
{
	struct listeners *listeners = mem_alloc(sizeof(*listeners));

	for (int i = 0; i < INHERITED_MAX; i++) {
		int flags = fcntl(i, F_GETFD);

		listeners->is_inherited[i] = flags >= 0;
		if (flags >= 0 && i > STDERR_FILENO)
			fcntl(i, F_SETFD, flags | FD_CLOEXEC);
	}
	return listeners;
}

void
listeners_free(struct listeners *listeners)
{
	if (!listeners)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		assert(LIST_EMPTY(&listeners->buckets[i]));
	mem_free(listeners);
}

/* All slots of an address are in the same bucket. */
static struct listener_list *
bucket_of(struct listeners *listeners, const struct address *address)
{
	char text[512];

	address_format(address, text, sizeof(text));
	return &listeners->buckets[hash_bytes(text, strlen(text)) % BUCKETS];
}

static void
set_option(int descriptor, int level, int name, int value)
{
	if (setsockopt(descriptor, level, name, &value, sizeof(value)) != 0)
		log_warn("cannot set a socket option",
			 "level=%d option=%d error=\"%s\"", level, name,
			 strerror(errno));
}

static void
share_port(struct listener *listener, bool is_shared)
{
	if (listener->is_port_shared == is_shared)
		return;
	set_option(listener->descriptor, SOL_SOCKET, SO_REUSEPORT, is_shared);
	listener->is_port_shared = is_shared;
}

static bool
is_tcp(const struct address *address)
{
	return address->kind == ADDRESS_INET || address->kind == ADDRESS_ANY;
}

static struct listener *
find(struct listeners *listeners, const struct address *address,
     unsigned int slot)
{
	struct listener *listener;

	LIST_FOREACH (listener, bucket_of(listeners, address), entries) {
		if (listener->slot == slot &&
		    address_equal(&listener->address, address))
			return listener;
	}
	return NULL;
}

void
listeners_begin(struct listeners *listeners)
{
	struct listener *listener;

	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH (listener, &listeners->buckets[i], entries)
			listener->is_named = listener->is_taken = false;
}

void
listener_name(struct listeners *listeners,
	      const struct listener_options *options)
{
	struct listener *listener =
		find(listeners, options->address, options->slot);

	if (listener)
		listener->is_named = true;
}

/* Does the one stand in the way of the other by right? Two that the same
 * configuration names do, but for slots of one address. */
static bool
is_rival(const struct listener *listener, const struct listener *opened)
{
	return listener->is_named &&
	       !address_equal(&listener->address, &opened->address);
}

/* Let a new socket be bound beside those of ours on that port that will go.
 * False when there are none. */
static bool
make_room(struct listeners *listeners, const struct listener *opened)
{
	struct listener *listener;
	bool is_found = false;

	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH (listener, &listeners->buckets[i], entries) {
			if (!is_tcp(&listener->address) ||
			    listener->address.port != opened->address.port ||
			    is_rival(listener, opened))
				continue;
			share_port(listener, true);
			is_found = true;
		}
	return is_found;
}

static int
make_socket(int family, struct error *error)
{
	int descriptor =
		socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (descriptor < 0)
		error_set(error, "cannot make a socket: %s", strerror(errno));
	return descriptor;
}

static int
bind_socket(int descriptor, const struct socket_address *address)
{
	return bind(descriptor, (const struct sockaddr *)&address->storage,
		    address->length);
}

__attribute__((cold)) static void
explain_bind(const struct listener *listener, struct error *error)
{
	int error_number = errno;
	char text[512];

	address_format(&listener->address, text, sizeof(text));
	if (error_number == EACCES && listener->address.port < 1024)
		error_set(error,
			  "cannot listen on %s: %s (ports below 1024 need "
			  "CAP_NET_BIND_SERVICE)",
			  text, strerror(error_number));
	else
		error_set(error, "cannot listen on %s: %s", text,
			  strerror(error_number));
}

/* [::] for all addresses of both families, where there is IPv6. */
static int
bind_tcp(struct listener *listener, struct listeners *listeners,
	 const struct socket_address *address, struct error *error)
{
	bool is_any = listener->address.kind == ADDRESS_ANY;

	listener->descriptor = make_socket(address->storage.ss_family, error);
	if (listener->descriptor < 0)
		return -1;
	set_option(listener->descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
	if (address->storage.ss_family == AF_INET6)
		set_option(listener->descriptor, IPPROTO_IPV6, IPV6_V6ONLY,
			   !is_any);
	if (listener->is_port_shared)
		set_option(listener->descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind_socket(listener->descriptor, address) == 0)
		return 0;
	if (errno == EADDRINUSE && listener->address.port != 0 &&
	    make_room(listeners, listener)) {
		share_port(listener, true);
		if (bind_socket(listener->descriptor, address) == 0)
			return 0;
	}
	explain_bind(listener, error);
	return -1;
}

static bool
has_ipv6(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there = probe >= 0 && bind(probe, (const struct sockaddr *)&any,
					   sizeof(any)) == 0;

	if (probe >= 0)
		close(probe);
	return is_there;
}

static int
open_tcp(struct listener *listener, struct listeners *listeners,
	 struct error *error)
{
	struct sockaddr_in any = {.sin_family = AF_INET,
				  .sin_port = htons(listener->address.port)};
	struct socket_address address;

	if (address_to_socket(&listener->address, &address, error) != 0)
		return -1;
	if (listener->address.kind == ADDRESS_ANY && !has_ipv6()) {
		memcpy(&address.storage, &any, sizeof(any));
		address.length = sizeof(any);
	}
	return bind_tcp(listener, listeners, &address, error);
}

static int
open_unix(struct listener *listener, mode_t mode, struct error *error)
{
	struct socket_address address;

	if (address_to_socket(&listener->address, &address, error) != 0)
		return -1;
	listener->descriptor = make_socket(AF_UNIX, error);
	if (listener->descriptor < 0)
		return -1;
	if (listener->address.kind == ADDRESS_UNIX)
		return listen_path_bind(listener->descriptor, &address,
					listener->address.host, mode,
					&listener->path, error);
	if (bind_socket(listener->descriptor, &address) == 0)
		return 0;
	explain_bind(listener, error);
	return -1;
}

/* A descriptor that we were started with. */
static int
take_inherited(struct listener *listener, const struct listeners *listeners,
	       struct error *error)
{
	int descriptor = listener->address.descriptor, is_listening = 0;
	socklen_t length = sizeof(is_listening);

	if (descriptor < 0 || descriptor >= INHERITED_MAX ||
	    !listeners->is_inherited[descriptor]) {
		error_set(error,
			  "descriptor %d was not open when sealock "
			  "was started",
			  descriptor);
		return -1;
	}
	if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &is_listening,
		       &length) != 0 ||
	    !is_listening) {
		error_set(error, "descriptor %d is no listening socket",
			  descriptor);
		return -1;
	}
	fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
	listener->descriptor = descriptor;
	return 0;
}

static int
open_socket(struct listeners *listeners, struct listener *listener,
	    const struct listener_options *options, struct error *error)
{
	switch (listener->address.kind) {
	case ADDRESS_INET:
	case ADDRESS_ANY:
		if (open_tcp(listener, listeners, error) != 0)
			return -1;
		break;
	case ADDRESS_UNIX:
	case ADDRESS_ABSTRACT:
		if (open_unix(listener, options->mode, error) != 0)
			return -1;
		break;
	case ADDRESS_FD:
		return take_inherited(listener, listeners, error);
	case ADDRESS_HOST:
	case ADDRESS_BUILTIN:
		error_set(error, "this address cannot be listened on");
		return -1;
	}
	if (listen(listener->descriptor, (int)options->backlog) != 0) {
		explain_bind(listener, error);
		return -1;
	}
	return 0;
}

/* The address as the kernel knows it: with the port that it chose. */
static void
tell(const struct listener *listener, const char *sentence)
{
	struct socket_address bound = {.length = sizeof(bound.storage)};
	char text[512];

	if (getsockname(listener->descriptor, (struct sockaddr *)&bound.storage,
			&bound.length) == 0)
		log_info(sentence, "address=%s",
			 socket_address_format(&bound, text, sizeof(text)));
}

/* The copy of an address that outlives the configuration. */
static void
copy_address(struct address *copy, const struct address *address)
{
	*copy = *address;
	if (address->host)
		copy->host = mem_strdup(address->host);
}

static void
listener_free(struct listeners *listeners, struct listener *listener)
{
	listen_path_remove(&listener->path);
	if (listener->address.kind == ADDRESS_FD && listener->descriptor >= 0)
		listeners->is_inherited[listener->descriptor] =
			listener->descriptor <= STDERR_FILENO;
	if (listener->descriptor > STDERR_FILENO)
		close(listener->descriptor);
	address_clear(&listener->address);
	mem_free(listener);
}

struct listener *
listener_open(struct listeners *listeners,
	      const struct listener_options *options, struct error *error)
{
	struct listener *listener =
		find(listeners, options->address, options->slot);

	if (listener && listener->is_taken) {
		error_set(error, "this address is listened on already");
		return NULL;
	}
	if (listener) {
		listener->is_taken = true;
		listener->references++;
		return listener;
	}
	listener = mem_alloc(sizeof(*listener));
	copy_address(&listener->address, options->address);
	listener->slot = options->slot;
	listener->descriptor = -1;
	listener->is_port_shared =
		options->is_port_reused && is_tcp(options->address);
	if (open_socket(listeners, listener, options, error) != 0) {
		listener_free(listeners, listener);
		return NULL;
	}
	listener->references = 1;
	listener->is_named = listener->is_taken = true;
	listener->id = ++listeners->last_id;
	LIST_INSERT_HEAD(bucket_of(listeners, &listener->address), listener,
			 entries);
	tell(listener, "listening");
	listener_apply(listener, options);
	return listener;
}

void
listener_release(struct listeners *listeners, struct listener *listener)
{
	if (!listener || --listener->references > 0)
		return;
	LIST_REMOVE(listener, entries);
	tell(listener, "listening no more");
	listener_free(listeners, listener);
}

void
listener_apply(struct listener *listener,
	       const struct listener_options *options)
{
	/* What was handed to us stays as it was made. */
	if (listener->address.kind == ADDRESS_FD)
		return;
	listen(listener->descriptor, (int)options->backlog);
	if (!is_tcp(&listener->address))
		return;
	share_port(listener, options->is_port_reused);
	set_option(listener->descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT,
		   (int)options->defer_accept);
}

int
listener_descriptor(const struct listener *listener)
{
	return listener->descriptor;
}

uint64_t
listener_id(const struct listener *listener)
{
	return listener->id;
}
