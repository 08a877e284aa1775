/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of a benchmark of handshakes (tests/bench/run starts it), as cheap
 * as they can be, so that what stands between them is measured.
 *
 *	handshakes --connect ADDRESS:PORT --count N [--connections K]
 *	           [--protocol 1.2|1.3]
 *	handshakes --connect ADDRESS:PORT --idle N [--protocol 1.2|1.3]
 *	handshakes --serve PORT
 *
 * The client makes N connections, K at a time: a full handshake, a request of
 * 100 bytes, the same bytes as the answer, close. It prints one line of JSON:
 * how many there were and how many failed, how many tickets servers offered,
 * quantiles of the time from before connect() until the handshake was done, in
 * microseconds, and how long all took. With --idle it opens all of them, says
 * so in that line, and holds them until its input ends. The server sends back
 * what it gets.
 *
 * There is one cipher of TLS 1.2 and one of TLS 1.3, and the group must be
 * X25519, so that all servers do the same work. Nothing is verified and nothing
 * is resumed.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define MESSAGE_SIZE    100
#define CONNECTIONS_MAX 1024
#define EVENTS_MAX      256
#define PATIENCE_S      20
#define SERVER_NAME     "web.test"

/* What all threads of the client share. */
struct client {
	struct sockaddr_in address;
	SSL_CTX *context;
	uint32_t count;
	atomic_uint next;
	atomic_uint failures;
	atomic_uint tickets;
	uint32_t *times; /* of each connection, in us; 0: it failed */
};

__attribute__((format(printf, 1, 2))) static _Noreturn void
die(const char *format, ...)
{
	va_list arguments;

	fputs("handshakes: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t
clock_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static uint32_t
parse_number(const char *text, uint32_t max)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number == 0 ||
	    number > max)
		die("%s is no number from 1 to %" PRIu32, text, max);
	return (uint32_t)number;
}

static struct sockaddr_in
parse_address(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	char host[INET_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		die("%s is no ADDRESS:PORT", text);
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		die("%s is no IPv4 address", host);
	address.sin_port = htons((uint16_t)parse_number(colon + 1, 65535));
	return address;
}

/* The server. */

static void
echo(int descriptor)
{
	char bytes[4096];
	ssize_t size = recv(descriptor, bytes, sizeof(bytes), 0);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* So little fits into any socket: what does not is an error. */
	if (size <= 0 ||
	    send(descriptor, bytes, (size_t)size, MSG_NOSIGNAL) != size)
		close(descriptor);
}

static void
accept_all(int listener, int poll)
{
	struct epoll_event event = {.events = EPOLLIN};
	int one = 1;

	while ((event.data.fd = accept4(listener, NULL, NULL,
					SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &one,
			   sizeof(one));
		if (epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event) != 0)
			die("epoll_ctl: %s", strerror(errno));
	}
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		die("accept: %s", strerror(errno));
}

static _Noreturn void
serve(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr =
					      htonl(INADDR_LOOPBACK)};
	struct epoll_event events[EVENTS_MAX] = {{.events = EPOLLIN}};
	int one = 1;
	int poll = epoll_create1(EPOLL_CLOEXEC);
	int listener =
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	events[0].data.fd = listener;
	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, SOMAXCONN) ||
	    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &events[0]))
		die("port %u: %s", (unsigned)port, strerror(errno));
	for (;;) {
		int count = epoll_wait(poll, events, EVENTS_MAX, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				accept_all(listener, poll);
			else
				echo(events[i].data.fd);
		}
	}
}

/* The client. */

static int
on_ticket(SSL *ssl, SSL_SESSION *session)
{
	struct client *client = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void)session;
	if (SSL_version(ssl) == TLS1_3_VERSION ||
	    SSL_SESSION_has_ticket(session))
		atomic_fetch_add(&client->tickets, 1);
	return 0;
}

static void
make_context(struct client *client, int version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	char groups[] = "X25519:P-256"; /* OpenSSL's macro drops const */

	if (context == NULL ||
	    !SSL_CTX_set_min_proto_version(context, version) ||
	    !SSL_CTX_set_max_proto_version(context, version) ||
	    !SSL_CTX_set1_groups_list(context, groups) ||
	    !SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") ||
	    !SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256:"
					      "ECDHE-RSA-AES128-GCM-SHA256"))
		die("OpenSSL does not take the settings");
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_app_data(context, client);
	SSL_CTX_set_session_cache_mode(
		context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, on_ticket);
	client->context = context;
}

/* P-256 is offered, too, because that allows its certificates in TLS 1.2. */
static void
check_group(SSL *ssl)
{
	EVP_PKEY *key = NULL;

	if (!SSL_get_peer_tmp_key(ssl, &key) ||
	    EVP_PKEY_get_base_id(key) != EVP_PKEY_X25519)
		die("the server does not prefer X25519");
	EVP_PKEY_free(key);
}

/* Connect and shake hands; the time of it in *us. NULL: that failed. */
static SSL *
open_connection(struct client *client, uint32_t *us)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	SSL *ssl = SSL_new(client->context);
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char server_name[] = SERVER_NAME;
	int one = 1;
	uint64_t start;

	if (ssl == NULL || descriptor < 0 ||
	    !SSL_set_tlsext_host_name(ssl, server_name) ||
	    !SSL_set_fd(ssl, descriptor))
		die("no connection can be made: %s", strerror(errno));
	setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience,
		   sizeof(patience));
	start = clock_us();
	if (connect(descriptor, (struct sockaddr *)&client->address,
		    sizeof(client->address)) == 0 &&
	    SSL_connect(ssl) == 1) {
		*us = (uint32_t)(clock_us() - start);
		check_group(ssl);
		return ssl;
	}
	SSL_free(ssl);
	close(descriptor);
	return NULL;
}

static void
close_connection(SSL *ssl)
{
	int descriptor = SSL_get_fd(ssl);

	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(descriptor);
}

static bool
exchange(SSL *ssl)
{
	char bytes[MESSAGE_SIZE];
	int done = 0;

	memset(bytes, 'x', sizeof(bytes));
	if (SSL_write(ssl, bytes, sizeof(bytes)) != sizeof(bytes))
		return false;
	while (done < MESSAGE_SIZE) {
		int size = SSL_read(ssl, bytes, MESSAGE_SIZE - done);

		if (size <= 0)
			return false;
		done += size;
	}
	return true;
}

/* One thread's share: the next connection, until all were made. */
static void *
run_client(void *argument)
{
	struct client *client = argument;
	uint32_t i;

	while ((i = atomic_fetch_add(&client->next, 1)) < client->count) {
		SSL *ssl = open_connection(client, &client->times[i]);

		if (ssl == NULL || !exchange(ssl)) {
			client->times[i] = 0;
			atomic_fetch_add(&client->failures, 1);
		}
		if (ssl != NULL)
			close_connection(ssl);
		ERR_clear_error();
	}
	return NULL;
}

static int
compare_times(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

	return (first > second) - (first < second);
}

static void
print_result(struct client *client, uint64_t us)
{
	uint32_t failures = atomic_load(&client->failures);
	uint32_t good = client->count - failures;
	/* The times of those that failed, 0, come first. */
	uint32_t *times = client->times + failures;

	qsort(client->times, client->count, sizeof(*times), compare_times);
	printf("{\"count\": %" PRIu32 ", \"failures\": %" PRIu32
	       ", \"tickets\": %u",
	       client->count, failures, atomic_load(&client->tickets));
	if (good > 0)
		printf(", \"p50_us\": %" PRIu32 ", \"p90_us\": %" PRIu32
		       ", \"p99_us\": %" PRIu32,
		       times[good / 2], times[(uint64_t)good * 90 / 100],
		       times[(uint64_t)good * 99 / 100]);
	printf(", \"wall_s\": %.6f}\n", (double)us / 1e6);
	fflush(stdout);
}

static void
run_threads(struct client *client, uint32_t connections)
{
	pthread_t threads[CONNECTIONS_MAX];
	uint64_t start = clock_us();

	for (uint32_t i = 1; i < connections; i++)
		if (pthread_create(&threads[i], NULL, run_client, client) != 0)
			die("no thread can be made");
	run_client(client);
	for (uint32_t i = 1; i < connections; i++)
		pthread_join(threads[i], NULL);
	print_result(client, clock_us() - start);
}

static void
run_idle(struct client *client)
{
	SSL **open = calloc(client->count, sizeof(SSL *));
	uint64_t start = clock_us();

	if (open == NULL)
		die("out of memory");
	for (uint32_t i = 0; i < client->count; i++) {
		open[i] = open_connection(client, &client->times[i]);
		if (open[i] == NULL || !exchange(open[i])) {
			client->times[i] = 0;
			atomic_fetch_add(&client->failures, 1);
		}
	}
	print_result(client, clock_us() - start);
	while (getchar() != EOF)
		;
	for (uint32_t i = 0; i < client->count; i++)
		if (open[i] != NULL)
			close_connection(open[i]);
	free(open);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"serve", required_argument, NULL, 's'},
		{"connect", required_argument, NULL, 'c'},
		{"count", required_argument, NULL, 'n'},
		{"connections", required_argument, NULL, 'k'},
		{"idle", required_argument, NULL, 'i'},
		{"protocol", required_argument, NULL, 'p'},
		{0},
	};
	struct client client = {.count = 0};
	int version = TLS1_3_VERSION;
	uint32_t connections = 1;
	bool is_idle = false;
	int option;

	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			serve((uint16_t)parse_number(optarg, 65535));
		case 'c':
			client.address = parse_address(optarg);
			break;
		case 'i':
		case 'n':
			is_idle = option == 'i';
			client.count = parse_number(optarg, 10000000);
			break;
		case 'k':
			connections = parse_number(optarg, CONNECTIONS_MAX);
			break;
		case 'p':
			if (strcmp(optarg, "1.2") == 0)
				version = TLS1_2_VERSION;
			else if (strcmp(optarg, "1.3") != 0)
				die("%s is not 1.2 or 1.3", optarg);
			break;
		default:
			return 2;
		}
	}
	if (client.address.sin_port == 0 || client.count == 0)
		die("--connect, and --count or --idle, are needed");
	client.times = calloc(client.count, sizeof(*client.times));
	if (client.times == NULL)
		die("out of memory");
	make_context(&client, version);
	if (is_idle)
		run_idle(&client);
	else
		run_threads(&client, connections);
	SSL_CTX_free(client.context);
	free(client.times);
	return atomic_load(&client.failures) == 0 ? 0 : 1;
}
