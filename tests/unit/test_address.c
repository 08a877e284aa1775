/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/address.h"
#include "tests/unit/unit.h"

enum uses {
	LISTEN = 1 << ADDRESS_TO_LISTEN,
	CONNECT = 1 << ADDRESS_TO_CONNECT,
	BOTH = LISTEN | CONNECT,
};

/* The longest path: 107 bytes. */
#define PATH_106                                                             \
	"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdef" \
	"ghijabcdefghijabcdefghijabcdefghijabcdef"

static const struct {
	const char *text;
	enum uses uses;
	enum address_kind kind;
	const char *host;
	uint16_t port;
	const char *canonical;
} good[] = {
	{"192.0.2.1:80", BOTH, ADDRESS_INET, "192.0.2.1", 80, "192.0.2.1:80"},
	{"0.0.0.0:1", BOTH, ADDRESS_INET, "0.0.0.0", 1, "0.0.0.0:1"},
	{"192.0.2.1:http", BOTH, ADDRESS_INET, "192.0.2.1", 80, "192.0.2.1:80"},
	{"[::1]:65535", BOTH, ADDRESS_INET, "::1", 65535, "[::1]:65535"},
	{"[2001:DB8:0:0::1]:443", BOTH, ADDRESS_INET, "2001:db8::1", 443,
	 "[2001:db8::1]:443"},
	{"[::]:443", BOTH, ADDRESS_INET, "::", 443, "[::]:443"},
	{"[::ffff:192.0.2.1]:9", BOTH, ADDRESS_INET, "::ffff:192.0.2.1", 9,
	 "[::ffff:192.0.2.1]:9"},
	{"[fe80::1%lo]:443", BOTH, ADDRESS_INET, "fe80::1%lo", 443,
	 "[fe80::1%lo]:443"},
	{":443", LISTEN, ADDRESS_ANY, NULL, 443, ":443"},
	{":https", LISTEN, ADDRESS_ANY, NULL, 443, ":443"},
	{":0", LISTEN, ADDRESS_ANY, NULL, 0, ":0"},
	{"127.0.0.1:0", LISTEN, ADDRESS_INET, "127.0.0.1", 0, "127.0.0.1:0"},
	{"DB.Example.org:5432", CONNECT, ADDRESS_HOST, "db.example.org", 5432,
	 "db.example.org:5432"},
	{"localhost:8080", CONNECT, ADDRESS_HOST, "localhost", 8080,
	 "localhost:8080"},
	{"unix:/run/x.sock", BOTH, ADDRESS_UNIX, "/run/x.sock", 0,
	 "unix:/run/x.sock"},
	{"unix:/with a space:80", BOTH, ADDRESS_UNIX, "/with a space:80", 0,
	 "unix:/with a space:80"},
	{"unix:/" PATH_106, BOTH, ADDRESS_UNIX, "/" PATH_106, 0,
	 "unix:/" PATH_106},
	{"unix:@name", BOTH, ADDRESS_ABSTRACT, "name", 0, "unix:@name"},
	{"unix:@@/", BOTH, ADDRESS_ABSTRACT, "@/", 0, "unix:@@/"},
	{"fd:3", LISTEN, ADDRESS_FD, NULL, 0, "fd:3"},
	{"FD:3", LISTEN, ADDRESS_FD, NULL, 0, "fd:3"},
	{"Unix:/A", BOTH, ADDRESS_UNIX, "/A", 0, "unix:/A"},
	{"fd:0", LISTEN, ADDRESS_FD, NULL, 0, "fd:0"},
	{"builtin:echo", CONNECT, ADDRESS_BUILTIN, "echo", 0, "builtin:echo"},
	{"builtin:whoami", CONNECT, ADDRESS_BUILTIN, "whoami", 0,
	 "builtin:whoami"},
};

/* Refused, with a word that must be in the sentence. */
static const struct {
	const char *text;
	enum uses uses;
	const char *word;
} bad[] = {
	{"", BOTH, "no port"},
	{"8080", LISTEN, ":PORT"},
	{"8080", CONNECT, "HOST:PORT"},
	{"example.org", BOTH, "no port"},
	{"192.0.2.1", BOTH, "no port"},
	{"192.0.2.1:", BOTH, "port is missing"},
	{":", LISTEN, "port is missing"},
	{":", CONNECT, "names no host"},
	{":80", CONNECT, "127.0.0.1:80"},
	{":0", CONNECT, "names no host"},
	{"127.0.0.1:0", CONNECT, "port 0"},
	{"db:0", CONNECT, "port 0"},
	{"[::1]:0", CONNECT, "port 0"},
	{"127.0.0.1:65536", BOTH, "out of range"},
	{"127.0.0.1:99999999999999999999", BOTH, "neither a port"},
	{"127.0.0.1:-1", BOTH, "neither a port"},
	{"127.0.0.1:+1", BOTH, "neither a port"},
	{"127.0.0.1: 80", BOTH, "neither a port"},
	{"127.0.0.1:80 ", BOTH, "neither a port"},
	{"127.0.0.1:nosuchservice", BOTH, "nosuchservice"},
	{"127.0.0.1:0x50", BOTH, "neither a port"},
	{"localhost:80", LISTEN, "127.0.0.1"},
	{"*:80", LISTEN, ":PORT"},
	{"*:80", CONNECT, "HOST:PORT"},
	{"256.0.0.1:80", BOTH, "neither an IP address"},
	{"127.1:80", BOTH, "neither an IP address"},
	{"0x7f000001:80", BOTH, "neither an IP address"},
	{"127.0.0.1%lo:80", BOTH, "neither an IP address"},
	{"a b:80", BOTH, "neither an IP address"},
	{" 127.0.0.1:80", BOTH, "neither an IP address"},
	{"example.org.:80", BOTH, "neither an IP address"},
	{"http://example.org:80", BOTH, "too many colons"},
	{"::1", BOTH, "[::1]:443"},
	{"::1:80", BOTH, "brackets"},
	{"a:b:c", BOTH, "too many colons"},
	{"[::1]", BOTH, "[ADDRESS]:PORT"},
	{"[::1", BOTH, "[ADDRESS]:PORT"},
	{"[::1]80", BOTH, "[ADDRESS]:PORT"},
	{"[::1]:", BOTH, "port is missing"},
	{"[127.0.0.1]:80", BOTH, "no IPv6 address"},
	{"[]:80", BOTH, "no IPv6 address"},
	{"[localhost]:80", BOTH, "no IPv6 address"},
	{"[fe80::1%]:80", BOTH, "no IPv6 address"},
	{"[fe80::1%an-interface-name]:80", BOTH, "no IPv6 address"},
	{"unix:", BOTH, "absolute"},
	{"unix:relative.sock", BOTH, "absolute"},
	{"unix:@", BOTH, "name behind"},
	{"unix:/" PATH_106 "x", BOTH, "107 bytes"},
	{"unix:@" PATH_106 "xy", BOTH, "107 bytes"},
	{"systemd:web", LISTEN, "no addresses systemd:NAME"},
	{"systemd:web", CONNECT, "neither a port"},
	{"stdio", LISTEN, "no address stdio"},
	{"stdio", CONNECT, "HOST:PORT or unix:/PATH"},
	{"fd:", LISTEN, "no descriptor"},
	{"fd:-1", LISTEN, "no descriptor"},
	{"fd:three", LISTEN, "no descriptor"},
	{"fd:2147483648", LISTEN, "no descriptor"},
	{"fd:3", CONNECT, "not connected to"},
	{"FD:3", CONNECT, "not connected to"},
	{"builtin:echo", LISTEN, "not listened on"},
	{"builtin:", CONNECT, "builtin:whoami"},
	{"builtin:ECHO", CONNECT, "builtin:whoami"},
};

/* Service names are the system's, and not every system has them. */
static bool
needs_services(const char *text)
{
	return strstr(text, "http") && !getservbyname("http", "tcp");
}

static void
test_parse(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		for (int use = ADDRESS_TO_LISTEN; use <= ADDRESS_TO_CONNECT;
		     use++) {
			struct address address, again;
			struct error error = {0};
			char text[256];
			int result;

			if (needs_services(good[i].text))
				continue;
			result = address_parse(good[i].text,
					       (enum address_use)use, &address,
					       &error);

			if (!(good[i].uses & 1 << use)) {
				CU_ASSERT_EQUAL(result, -1);
				continue;
			}
			CU_ASSERT_EQUAL_FATAL(result, 0);
			CU_ASSERT_EQUAL(address.kind, good[i].kind);
			CU_ASSERT_EQUAL(address.port, good[i].port);
			CU_ASSERT_EQUAL(!address.host, !good[i].host);
			if (good[i].host)
				CU_ASSERT_STRING_EQUAL(address.host,
						       good[i].host);
			CU_ASSERT_STRING_EQUAL(
				address_format(&address, text, sizeof(text)),
				good[i].canonical);
			CU_ASSERT_EQUAL(address_parse(text,
						      (enum address_use)use,
						      &again, &error),
					0);
			CU_ASSERT_TRUE(address_equal(&address, &again));
			address_clear(&address);
			CU_ASSERT_PTR_NULL(address.host);
			address_clear(&address);
			address_clear(&again);
		}
}

static void
test_refuse(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		for (int use = ADDRESS_TO_LISTEN; use <= ADDRESS_TO_CONNECT;
		     use++) {
			struct address address;
			struct error error = {0};

			if (!(bad[i].uses & 1 << use))
				continue;
			CU_ASSERT_EQUAL(address_parse(bad[i].text,
						      (enum address_use)use,
						      &address, &error),
					-1);
			if (!strstr(error.text, bad[i].word))
				printf("\n%s: %s\n", bad[i].text, error.text);
			CU_ASSERT_PTR_NOT_NULL(strstr(error.text, bad[i].word));
			CU_ASSERT_PTR_NULL(address.host);
			CU_ASSERT_EQUAL(address_parse(bad[i].text,
						      (enum address_use)use,
						      &address, NULL),
					-1);
		}
}

static void
test_equal(void)
{
	static const char *const texts[] = {
		":80",          ":81",      "127.0.0.1:80", "127.0.0.1:81",
		"127.0.0.2:80", "[::1]:80", "unix:/a",      "unix:/b",
		"unix:@a",      "fd:3",     "fd:4",
	};
	struct address one, other;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++) {
			CU_ASSERT_EQUAL(address_parse(texts[i],
						      ADDRESS_TO_LISTEN, &one,
						      NULL),
					0);
			CU_ASSERT_EQUAL(address_parse(texts[k],
						      ADDRESS_TO_LISTEN, &other,
						      NULL),
					0);
			CU_ASSERT_EQUAL(address_equal(&one, &other), i == k);
			address_clear(&one);
			address_clear(&other);
		}
}

static int
to_socket(const char *text, enum address_use use, struct socket_address *socket,
	  struct error *error)
{
	struct address address;
	int result;

	CU_ASSERT_EQUAL_FATAL(address_parse(text, use, &address, NULL), 0);
	result = address_to_socket(&address, socket, error);
	address_clear(&address);
	return result;
}

static void
test_to_socket(void)
{
	static const struct {
		const char *text;
		const char *shown;
	} cases[] = {
		{"192.0.2.1:80", "192.0.2.1:80"},
		{"[2001:db8::1]:443", "[2001:db8::1]:443"},
		{":443", "[::]:443"},
		{"[fe80::1%lo]:443", "[fe80::1%1]:443"},
		{"[fe80::1%7]:443", "[fe80::1%7]:443"},
		{"unix:/run/x.sock", "unix:/run/x.sock"},
		{"unix:/" PATH_106, "unix:/" PATH_106},
		{"unix:@name", "unix:@name"},
		{"unix:@" PATH_106 "x", "unix:@" PATH_106 "x"},
	};
	struct socket_address socket;
	struct error error = {0};
	struct sockaddr_un un;
	struct address address = {.kind = ADDRESS_UNIX};
	char text[512], path[200];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CU_ASSERT_EQUAL(to_socket(cases[i].text, ADDRESS_TO_LISTEN,
					  &socket, &error),
				0);
		CU_ASSERT_STRING_EQUAL(
			socket_address_format(&socket, text, sizeof(text)),
			cases[i].shown);
	}
	CU_ASSERT_EQUAL(
		to_socket("unix:@name", ADDRESS_TO_LISTEN, &socket, &error), 0);
	memcpy(&un, &socket.storage, sizeof(un));
	CU_ASSERT_EQUAL(socket.length,
			offsetof(struct sockaddr_un, sun_path) + 5);
	CU_ASSERT_EQUAL(memcmp(un.sun_path, "\0name", 5), 0);

	CU_ASSERT_EQUAL(to_socket("db:1", ADDRESS_TO_CONNECT, &socket, &error),
			-1);
	CU_ASSERT_STRING_EQUAL(error.text, "db:1 is no socket address");
	CU_ASSERT_EQUAL(to_socket("fd:3", ADDRESS_TO_LISTEN, &socket, &error),
			-1);
	CU_ASSERT_EQUAL(
		to_socket("builtin:echo", ADDRESS_TO_CONNECT, &socket, &error),
		-1);
	CU_ASSERT_EQUAL(to_socket("[fe80::1%nosuch0]:80", ADDRESS_TO_CONNECT,
				  &socket, &error),
			-1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "nosuch0"));
	CU_ASSERT_EQUAL(to_socket("[fe80::1%0]:80", ADDRESS_TO_CONNECT, &socket,
				  &error),
			-1);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	address.host = path;
	CU_ASSERT_EQUAL(address_to_socket(&address, &socket, &error), -1);
}

static void
test_socket_format(void)
{
	struct socket_address socket = {0};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_port = htons(80)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char text[512];

	inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr);
	memcpy(&socket.storage, &in6, sizeof(in6));
	socket.length = sizeof(in6);
	CU_ASSERT_STRING_EQUAL(
		socket_address_format(&socket, text, sizeof(text)),
		"192.0.2.1:80");

	/* A client that is not bound; a path that fills the field; bytes. */
	memcpy(&socket.storage, &un, sizeof(un));
	socket.length = sizeof(sa_family_t);
	CU_ASSERT_STRING_EQUAL(
		socket_address_format(&socket, text, sizeof(text)), "unix:");
	memset(un.sun_path, 'x', sizeof(un.sun_path));
	memcpy(&socket.storage, &un, sizeof(un));
	socket.length = sizeof(un);
	CU_ASSERT_EQUAL(
		strlen(socket_address_format(&socket, text, sizeof(text))),
		5 + sizeof(un.sun_path));
	memcpy(un.sun_path, "\0a\n\0\"", 5);
	memcpy(&socket.storage, &un, sizeof(un));
	socket.length = offsetof(struct sockaddr_un, sun_path) + 5;
	CU_ASSERT_STRING_EQUAL(
		socket_address_format(&socket, text, sizeof(text)),
		"unix:@a\\x0a\\x00\\x22");
	memcpy(un.sun_path, "/a\nb", 5);
	memcpy(&socket.storage, &un, sizeof(un));
	socket.length = sizeof(un);
	CU_ASSERT_STRING_EQUAL(
		socket_address_format(&socket, text, sizeof(text)),
		"unix:/a\\x0ab");

	memset(&socket, 0, sizeof(socket));
	CU_ASSERT_STRING_EQUAL(
		socket_address_format(&socket, text, sizeof(text)), "unknown");
	CU_ASSERT_EQUAL(to_socket(":80", ADDRESS_TO_LISTEN, &socket, NULL), 0);
	CU_ASSERT_STRING_EQUAL(socket_address_format(&socket, text, 4), "[::");
}

UNIT_SUITE(address, {"parse", test_parse}, {"refuse", test_refuse},
	   {"equal", test_equal}, {"to_socket", test_to_socket},
	   {"socket_format", test_socket_format});
