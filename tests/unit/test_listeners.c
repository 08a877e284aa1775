/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening sockets over generations: opened once, kept, closed, refused.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/net/address.h"
#include "daemon/monitor/listeners.h"

/* A set of listeners, and the options of one. */
struct stage {
	struct listeners *listeners;
	struct address address;
	struct listener_options options;
	char directory[64];
};

static void
set_up(struct stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	log_configure(NULL, 0);
	stage->listeners = listeners_new();
	stage->address.descriptor = -1;
	stage->options = (struct listener_options){
		.address = &stage->address,
		.backlog = 16,
		.mode = 0660,
	};
	strcpy(stage->directory, "/tmp/sealock-unit-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(stage->directory));
}

static void
tear_down(struct stage *stage)
{
	static const struct log_sink standard_error = {
		.descriptor = STDERR_FILENO,
		.level = LOG_LEVEL_INFO,
		.is_for_events = true,
	};

	address_clear(&stage->address);
	listeners_free(stage->listeners);
	CU_ASSERT_EQUAL(rmdir(stage->directory), 0);
	log_configure(&standard_error, 1);
}

static void
set_address(struct stage *stage, const char *text)
{
	struct error error = {0};

	address_clear(&stage->address);
	CU_ASSERT_EQUAL_FATAL(
		address_parse(text, ADDRESS_TO_LISTEN, &stage->address, &error),
		0);
}

static void
set_path(struct stage *stage, const char *name)
{
	char text[128];

	snprintf(text, sizeof(text), "unix:%s/%s", stage->directory, name);
	set_address(stage, text);
}

/* What a generation does. */
static struct listener *
open_one(struct stage *stage, struct error *error)
{
	listeners_begin(stage->listeners);
	listener_name(stage->listeners, &stage->options);
	return listener_open(stage->listeners, &stage->options, error);
}

static struct listener *
must_open(struct stage *stage)
{
	struct error error = {0};
	struct listener *listener = open_one(stage, &error);

	if (!listener)
		fprintf(stderr, "%s\n", error.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(listener);
	return listener;
}

static void
must_not_open(struct stage *stage, const char *why)
{
	struct error error = {0};
	struct listener *listener = open_one(stage, &error);

	CU_ASSERT_PTR_NULL(listener);
	if (!strstr(error.text, why))
		fprintf(stderr, "refused for: %s\n", error.text);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, why));
	listener_release(stage->listeners, listener);
}

static in_port_t
port_of(int descriptor)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	CU_ASSERT_EQUAL(
		getsockname(descriptor, (struct sockaddr *)&address, &length),
		0);
	if (address.ss_family == AF_INET6)
		return ntohs(
			((struct sockaddr_in6 *)(void *)&address)->sin6_port);
	return ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
}

/* A port that is free just now. */
static in_port_t
free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	in_port_t port;

	CU_ASSERT_EQUAL(
		bind(descriptor, (struct sockaddr *)&address, sizeof(address)),
		0);
	port = port_of(descriptor);
	close(descriptor);
	return port;
}

static int
option(int descriptor, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	CU_ASSERT_EQUAL(getsockopt(descriptor, level, name, &value, &length),
			0);
	return value;
}

static bool
can_connect(const char *host, in_port_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_port = htons(port)};
	bool is_v6 = inet_pton(AF_INET, host, &in.sin_addr) != 1;
	int descriptor;
	bool is_connected;

	if (is_v6)
		inet_pton(AF_INET6, host, &in6.sin6_addr);
	descriptor = socket(is_v6 ? AF_INET6 : AF_INET,
			    SOCK_STREAM | SOCK_CLOEXEC, 0);
	is_connected = connect(descriptor,
			       is_v6 ? (struct sockaddr *)&in6
				     : (struct sockaddr *)&in,
			       is_v6 ? sizeof(in6) : sizeof(in)) == 0;
	close(descriptor);
	return is_connected;
}

static void
test_tcp(void)
{
	struct stage stage;
	struct listener *listener;
	int descriptor;

	set_up(&stage);
	set_address(&stage, "127.0.0.1:0");
	stage.options.defer_accept = 3;
	listener = must_open(&stage);
	descriptor = listener_descriptor(listener);
	CU_ASSERT_EQUAL(option(descriptor, SOL_SOCKET, SO_ACCEPTCONN), 1);
	CU_ASSERT_EQUAL(option(descriptor, SOL_SOCKET, SO_REUSEADDR), 1);
	CU_ASSERT_EQUAL(option(descriptor, SOL_SOCKET, SO_REUSEPORT), 0);
	CU_ASSERT_TRUE(option(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0);
	CU_ASSERT_TRUE(fcntl(descriptor, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_EQUAL(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_TRUE(can_connect("127.0.0.1", port_of(descriptor)));
	stage.options.defer_accept = 0;
	listener_apply(listener, &stage.options);
	CU_ASSERT_EQUAL(option(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	listener_release(stage.listeners, listener);
	CU_ASSERT_EQUAL(fcntl(descriptor, F_GETFD), -1);
	tear_down(&stage);
}

static void
test_both_families(void)
{
	struct stage stage;
	struct listener *listener;
	in_port_t port;

	set_up(&stage);
	set_address(&stage, ":0");
	listener = must_open(&stage);
	port = port_of(listener_descriptor(listener));
	CU_ASSERT_TRUE(can_connect("127.0.0.1", port));
	if (option(listener_descriptor(listener), SOL_SOCKET, SO_DOMAIN) ==
	    AF_INET6)
		CU_ASSERT_TRUE(can_connect("::1", port));
	listener_release(stage.listeners, listener);
	tear_down(&stage);
}

static void
test_kept(void)
{
	struct stage stage;
	struct listener *first, *second, *other;

	set_up(&stage);
	set_address(&stage, "127.0.0.1:0");
	first = must_open(&stage);
	second = must_open(&stage);
	CU_ASSERT_PTR_EQUAL(first, second);
	listener_release(stage.listeners, first);
	CU_ASSERT_TRUE(
		can_connect("127.0.0.1", port_of(listener_descriptor(second))));
	set_address(&stage, "127.0.0.2:0");
	other = must_open(&stage);
	CU_ASSERT_NOT_EQUAL(listener_id(other), listener_id(second));
	listener_release(stage.listeners, second);
	listener_release(stage.listeners, other);
	listener_release(stage.listeners, NULL);
	tear_down(&stage);
}

static void
test_ids_are_new(void)
{
	struct stage stage;
	struct listener *listener;
	uint64_t id;

	set_up(&stage);
	set_address(&stage, "127.0.0.1:0");
	listener = must_open(&stage);
	id = listener_id(listener);
	listener_release(stage.listeners, listener);
	listener = must_open(&stage);
	CU_ASSERT_NOT_EQUAL(listener_id(listener), id);
	listener_release(stage.listeners, listener);
	tear_down(&stage);
}

static void
test_twice(void)
{
	struct stage stage;
	struct listener *listener;
	struct error error = {0};

	set_up(&stage);
	set_address(&stage, "127.0.0.1:0");
	listener = must_open(&stage);
	CU_ASSERT_PTR_NULL(
		listener_open(stage.listeners, &stage.options, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "already"));
	listener_release(stage.listeners, listener);
	tear_down(&stage);
}

static void
test_in_use(void)
{
	struct stage stage, other;
	struct listener *listener;
	char text[32];

	set_up(&stage);
	set_up(&other);
	snprintf(text, sizeof(text), "127.0.0.1:%u", free_port());
	set_address(&stage, text);
	set_address(&other, text);
	listener = must_open(&stage);
	must_not_open(&other, "Address already in use");
	listener_release(stage.listeners, listener);
	tear_down(&other);
	tear_down(&stage);
}

/* 0.0.0.0:N goes and :N comes, both at once for a while. */
static void
test_overlap(void)
{
	struct stage stage;
	struct listener *before, *after;
	in_port_t port = free_port();
	char text[32];

	set_up(&stage);
	snprintf(text, sizeof(text), "0.0.0.0:%u", port);
	set_address(&stage, text);
	before = must_open(&stage);
	snprintf(text, sizeof(text), ":%u", port);
	set_address(&stage, text);
	after = must_open(&stage);
	CU_ASSERT_NOT_EQUAL(listener_id(before), listener_id(after));
	listener_release(stage.listeners, before);
	CU_ASSERT_TRUE(can_connect("127.0.0.1", port));
	CU_ASSERT_EQUAL(
		option(listener_descriptor(after), SOL_SOCKET, SO_REUSEPORT),
		0);
	listener_release(stage.listeners, after);
	tear_down(&stage);
}

/* But not when one configuration names both. */
static void
test_overlap_by_right(void)
{
	struct stage stage;
	struct listener *kept;
	struct address any = {.kind = ADDRESS_ANY, .descriptor = -1};
	struct listener_options options;
	struct error error = {0};
	char text[32];

	set_up(&stage);
	any.port = free_port();
	snprintf(text, sizeof(text), "0.0.0.0:%u", any.port);
	set_address(&stage, text);
	options = stage.options;
	options.address = &any;
	kept = must_open(&stage);
	listeners_begin(stage.listeners);
	listener_name(stage.listeners, &options);
	listener_name(stage.listeners, &stage.options);
	CU_ASSERT_PTR_NULL(listener_open(stage.listeners, &options, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "in use"));
	listener_release(stage.listeners, kept);
	tear_down(&stage);
}

/* A shared socket becomes the first of three, and back. */
static void
test_slots(void)
{
	struct stage stage;
	struct listener *shared, *slots[3];
	char text[32];

	set_up(&stage);
	snprintf(text, sizeof(text), "127.0.0.1:%u", free_port());
	set_address(&stage, text);
	shared = must_open(&stage);
	stage.options.is_port_reused = true;
	listeners_begin(stage.listeners);
	for (unsigned int i = 0; i < 3; i++) {
		stage.options.slot = i;
		listener_name(stage.listeners, &stage.options);
	}
	for (unsigned int i = 0; i < 3; i++) {
		struct error error = {0};

		stage.options.slot = i;
		slots[i] =
			listener_open(stage.listeners, &stage.options, &error);
		CU_ASSERT_PTR_NOT_NULL_FATAL(slots[i]);
		listener_apply(slots[i], &stage.options);
	}
	CU_ASSERT_PTR_EQUAL(slots[0], shared);
	CU_ASSERT_NOT_EQUAL(listener_id(slots[1]), listener_id(slots[2]));
	for (unsigned int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(option(listener_descriptor(slots[i]),
				       SOL_SOCKET, SO_REUSEPORT),
				1);
		listener_release(stage.listeners, slots[i]);
	}
	stage.options.is_port_reused = false;
	listener_apply(shared, &stage.options);
	CU_ASSERT_EQUAL(
		option(listener_descriptor(shared), SOL_SOCKET, SO_REUSEPORT),
		0);
	listener_release(stage.listeners, shared);
	tear_down(&stage);
}

static void
test_unix(void)
{
	struct stage stage;
	struct listener *listener;
	struct stat status;
	const char *path;

	set_up(&stage);
	set_path(&stage, "s");
	path = stage.address.host;
	listener = must_open(&stage);
	CU_ASSERT_EQUAL(stat(path, &status), 0);
	CU_ASSERT_TRUE(S_ISSOCK(status.st_mode));
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0660);
	CU_ASSERT_EQUAL(option(listener_descriptor(listener), SOL_SOCKET,
			       SO_ACCEPTCONN),
			1);
	listener_release(stage.listeners, listener);
	CU_ASSERT_EQUAL(lstat(path, &status), -1);
	tear_down(&stage);
}

/* A socket that a process left behind, as kill -9 does. */
static void
leave_behind(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	CU_ASSERT_EQUAL(
		bind(descriptor, (struct sockaddr *)&address, sizeof(address)),
		0);
	CU_ASSERT_EQUAL(listen(descriptor, 1), 0);
	close(descriptor);
}

static void
test_unix_stale(void)
{
	struct stage stage;

	set_up(&stage);
	set_path(&stage, "s");
	leave_behind(stage.address.host);
	listener_release(stage.listeners, must_open(&stage));
	tear_down(&stage);
}

static void
test_unix_in_use(void)
{
	struct stage stage, other;
	struct listener *listener;

	set_up(&stage);
	set_up(&other);
	set_path(&stage, "s");
	address_clear(&other.address);
	other.options.address = &stage.address;
	listener = must_open(&stage);
	must_not_open(&other, "another process listens");
	listener_release(stage.listeners, listener);
	CU_ASSERT_EQUAL(access(stage.address.host, F_OK), -1);
	tear_down(&other);
	tear_down(&stage);
}

static void
test_unix_other_file(void)
{
	struct stage stage;
	FILE *file;

	set_up(&stage);
	set_path(&stage, "s");
	file = fopen(stage.address.host, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fclose(file);
	must_not_open(&stage, "no socket");
	CU_ASSERT_EQUAL(unlink(stage.address.host), 0);
	tear_down(&stage);
}

/* What stands there in the end is another one's. */
static void
test_unix_replaced(void)
{
	struct stage stage;
	struct listener *listener;

	set_up(&stage);
	set_path(&stage, "s");
	listener = must_open(&stage);
	CU_ASSERT_EQUAL(unlink(stage.address.host), 0);
	leave_behind(stage.address.host);
	listener_release(stage.listeners, listener);
	CU_ASSERT_EQUAL(unlink(stage.address.host), 0);
	tear_down(&stage);
}

static void
test_unix_no_directory(void)
{
	struct stage stage;

	set_up(&stage);
	set_address(&stage, "unix:/no/such/directory/s");
	must_not_open(&stage, "No such file");
	tear_down(&stage);
}

static void
test_abstract(void)
{
	struct stage stage, other;
	struct listener *listener;
	char text[64];

	set_up(&stage);
	set_up(&other);
	snprintf(text, sizeof(text), "unix:@sealock-unit-%d", (int)getpid());
	set_address(&stage, text);
	set_address(&other, text);
	listener = must_open(&stage);
	must_not_open(&other, "in use");
	listener_release(stage.listeners, listener);
	listener = must_open(&other);
	listener_release(other.listeners, listener);
	tear_down(&other);
	tear_down(&stage);
}

static int
listening_socket(void)
{
	int descriptor = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_TRUE_FATAL(descriptor > STDERR_FILENO);
	CU_ASSERT_EQUAL(listen(descriptor, 1), 0);
	return descriptor;
}

static void
test_inherited(void)
{
	int descriptor = listening_socket();
	struct listener *listener;
	struct stage stage;
	char text[32];

	set_up(&stage);
	snprintf(text, sizeof(text), "fd:%d", descriptor);
	set_address(&stage, text);
	listener = must_open(&stage);
	CU_ASSERT_EQUAL(listener_descriptor(listener), descriptor);
	CU_ASSERT_TRUE(fcntl(descriptor, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_EQUAL(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
	listener_release(stage.listeners, listener);
	CU_ASSERT_EQUAL(fcntl(descriptor, F_GETFD), -1);
	/* Once given up it is nobody's, whatever gets its number. */
	must_not_open(&stage, "was not open");
	tear_down(&stage);
}

static void
test_not_inherited(void)
{
	struct stage stage;
	char text[32];
	int descriptor;

	set_up(&stage);
	descriptor = listening_socket();
	snprintf(text, sizeof(text), "fd:%d", descriptor);
	set_address(&stage, text);
	must_not_open(&stage, "was not open");
	close(descriptor);
	set_address(&stage, "fd:100000");
	must_not_open(&stage, "was not open");
	tear_down(&stage);
}

static void
test_no_listening_socket(void)
{
	int ends[2];
	struct stage stage;
	char text[32];

	CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	set_up(&stage);
	snprintf(text, sizeof(text), "fd:%d", ends[0]);
	set_address(&stage, text);
	must_not_open(&stage, "no listening socket");
	CU_ASSERT_TRUE(fcntl(ends[0], F_GETFD) >= 0);
	close(ends[0]);
	close(ends[1]);
	tear_down(&stage);
}

UNIT_SUITE(listeners, {"tcp", test_tcp}, {"both_families", test_both_families},
	   {"kept", test_kept}, {"ids_are_new", test_ids_are_new},
	   {"twice", test_twice}, {"in_use", test_in_use},
	   {"overlap", test_overlap},
	   {"overlap_by_right", test_overlap_by_right}, {"slots", test_slots},
	   {"unix", test_unix}, {"unix_stale", test_unix_stale},
	   {"unix_in_use", test_unix_in_use},
	   {"unix_other_file", test_unix_other_file},
	   {"unix_replaced", test_unix_replaced},
	   {"unix_no_directory", test_unix_no_directory},
	   {"abstract", test_abstract}, {"inherited", test_inherited},
	   {"not_inherited", test_not_inherited},
	   {"no_listening_socket", test_no_listening_socket});
