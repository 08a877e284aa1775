/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The relay oracle: it stands on both sides of a running daemon, as all its
 * clients and as its backend, sends pseudo-random bytes both ways at once over
 * many connections and knows what must arrive.
 *
 *	oracle --mode tls-plain --listen PORT --connect PORT --bytes TOTAL
 *	       [--connections N] [--seed S] [--ca FILE] [--cert FILE --key FILE]
 *	       [--name NAME] [--clean]
 *
 * The mode names both gates, the client's side first. What is checked: every
 * byte, as it arrives, is the one that was sent at that place; a stream that
 * ends cleanly is whole, and the hashes of both ends agree; a connection that
 * one end resets or truncates never ends cleanly at the other; nothing stalls.
 * Everything follows from the seed, which is printed and can be given again.
 */
#include "tests/system/oracle_side.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define EVENTS_MAX   128
#define FAILURES_MAX 10

static int64_t
clock_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void
oracle_die(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fputs("oracle: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	ERR_print_errors_fp(stderr);
	exit(2);
}

void *
oracle_allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		oracle_die("out of memory");
	return memory;
}

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
}

static void
run_launch(struct run *run)
{
	struct sockaddr_in address = loopback(run->connect_port);
	struct pair *pair = oracle_allocate(sizeof(*pair));
	uint64_t number = run->pair_count;
	int descriptor;

	plan_make(&pair->plan, &run->limits, run->seed, number);
	run->pairs = realloc(run->pairs,
			     (run->pair_count + 1) * sizeof(struct pair *));
	if (!run->pairs)
		oracle_die("out of memory");
	run->pairs[run->pair_count++] = pair;
	run->planned += pair->plan.to_server + pair->plan.to_client;
	if (!plan_is_clean(&pair->plan))
		run->bad_endings++;
	descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		oracle_die("socket: %s", strerror(errno));
	side_set_buffers(descriptor, pair->plan.client.socket_buffer);
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) !=
	    0)
		oracle_die("cannot connect to port %u: %s", run->connect_port,
			   strerror(errno));
	pair->progress_ms = run->now_ms;
	pair->client = side_new(run, descriptor, pair, number);
	side_follow(pair->client);
	run->open_clients++;
}

static void
run_accept(struct run *run)
{
	int descriptor;

	while ((descriptor =
			accept4(run->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		side_new(run, descriptor, NULL, SERVER_BIT | run->accepted++);
	if (errno != EAGAIN && errno != ECONNABORTED)
		oracle_die("accept: %s", strerror(errno));
}

/* Tell epoll of every side's wishes; how long it may wait. */
static int
run_arm(struct run *run)
{
	struct side *side;
	int64_t wait = 1000;

	TAILQ_FOREACH (side, &run->sides, entry) {
		struct epoll_event event = {.data.ptr = side};

		event.events = side_events(run, side);
		if (event.events != side->armed) {
			int verb = side->armed == 0    ? EPOLL_CTL_ADD
				   : event.events == 0 ? EPOLL_CTL_DEL
						       : EPOLL_CTL_MOD;

			if (epoll_ctl(run->epoll, verb, side->end.descriptor,
				      &event) != 0)
				oracle_die("epoll_ctl: %s", strerror(errno));
			side->armed = event.events;
		}
		if (side_wants_read(side)) {
			int64_t pause = side->read_at_ms - run->now_ms;

			if (pause <= 0 && end_has_pending(&side->end))
				wait = 0;
			else if (pause > 0 && pause < wait)
				wait = pause;
		}
		if (side_wants_write(side)) {
			int64_t pause = side->write_at_ms - run->now_ms;

			if (pause > 0 && pause < wait)
				wait = pause;
		}
	}
	return (int)wait;
}

static void
run_turn(struct run *run)
{
	struct epoll_event events[EVENTS_MAX];
	struct side *side, *next;
	int count;

	count = epoll_wait(run->epoll, events, EVENTS_MAX, run_arm(run));
	if (count < 0 && errno != EINTR)
		oracle_die("epoll_wait: %s", strerror(errno));
	run->now_ms = clock_ms();
	for (int i = 0; i < count; i++) {
		side = events[i].data.ptr;
		if (side)
			side->ready |= events[i].events;
		else
			run_accept(run);
	}
	/* A failure closes both sides of a connection: begin again then. */
	for (side = TAILQ_FIRST(&run->sides); side; side = next) {
		unsigned int failures = run->failures;

		next = TAILQ_NEXT(side, entry);
		side_turn(run, side);
		if (run->failures != failures)
			next = TAILQ_FIRST(&run->sides);
	}
}

static SSL_CTX *
make_context(const struct run *run, bool is_client)
{
	SSL_CTX *context = SSL_CTX_new(is_client ? TLS_client_method()
						 : TLS_server_method());

	if (!context)
		oracle_die("SSL_CTX_new");
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, 65536);
	if (is_client) {
		if (!run->ca || SSL_CTX_load_verify_file(context, run->ca) != 1)
			oracle_die("this mode needs --ca FILE");
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	} else if (!run->cert || !run->key ||
		   SSL_CTX_use_certificate_chain_file(context, run->cert) !=
			   1 ||
		   SSL_CTX_use_PrivateKey_file(context, run->key,
					       SSL_FILETYPE_PEM) != 1) {
		oracle_die("this mode needs --cert FILE and --key FILE");
	}
	return context;
}

static void
run_prepare(struct run *run)
{
	struct sockaddr_in address = loopback(run->listen_port);
	struct epoll_event event = {.events = EPOLLIN};
	int on = 1;

	signal(SIGPIPE, SIG_IGN);
	TAILQ_INIT(&run->sides);
	run->now_ms = clock_ms();
	run->scratch = oracle_allocate(PIECE);
	if (run->limits.is_client_tls)
		run->client_context = make_context(run, true);
	if (run->limits.is_server_tls)
		run->server_context = make_context(run, false);
	run->epoll = epoll_create1(EPOLL_CLOEXEC);
	run->listener =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(run->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (run->listener < 0 ||
	    bind(run->listener, (struct sockaddr *)&address, sizeof(address)) !=
		    0 ||
	    listen(run->listener, 1024) != 0)
		oracle_die("cannot listen on port %u: %s", run->listen_port,
			   strerror(errno));
	if (run->epoll < 0 ||
	    epoll_ctl(run->epoll, EPOLL_CTL_ADD, run->listener, &event) != 0)
		oracle_die("epoll: %s", strerror(errno));
}

/* What can only be said of both ends together. */
static void
run_judge(struct run *run)
{
	for (size_t i = 0; i < run->pair_count; i++) {
		const struct pair *pair = run->pairs[i];
		const struct outcome *client = &pair->of_client;
		const struct outcome *server = &pair->of_server;

		if (!plan_is_clean(&pair->plan))
			continue;
		if (!server->is_over) {
			printf("oracle: FAIL connection %zu never reached the "
			       "server\n",
			       i);
			run->failures++;
		} else if (client->sent_digest != server->received_digest ||
			   server->sent_digest != client->received_digest) {
			printf("oracle: FAIL connection %zu: the hashes of "
			       "both ends differ\n",
			       i);
			run->failures++;
		}
		run->digest ^= bytes_mix(client->received_digest + i) ^
			       bytes_mix(server->received_digest - i);
	}
	if (run->strays > run->bad_endings) {
		printf("oracle: FAIL %zu connections came to the server "
		       "without a byte\n",
		       run->strays);
		run->failures++;
	}
}

static int
run_all(struct run *run)
{
	int64_t start_ms;
	double seconds;

	run_prepare(run);
	start_ms = run->now_ms;
	while (run->failures < FAILURES_MAX) {
		while (run->failures == 0 && run->planned < run->bytes &&
		       run->open_clients < run->connections)
			run_launch(run);
		if (TAILQ_EMPTY(&run->sides))
			break;
		run_turn(run);
	}
	seconds = (double)(clock_ms() - start_ms) / 1000 + 1e-3;
	if (run->failures == 0)
		run_judge(run);
	printf("oracle: %s seed %" PRIu64 ": %zu connections, %zu broken off, "
	       "%" PRIu64 " bytes in %.1f s, %.0f MB/s, digest %016" PRIx64
	       ", %u failures\n",
	       run->mode, run->seed, run->pair_count, run->bad_endings,
	       run->moved, seconds, (double)run->moved / 1e6 / seconds,
	       run->digest, run->failures);
	for (size_t i = 0; i < run->pair_count; i++)
		free(run->pairs[i]);
	free(run->pairs);
	free(run->scratch);
	SSL_CTX_free(run->client_context);
	SSL_CTX_free(run->server_context);
	close(run->listener);
	close(run->epoll);
	return run->failures ? 1 : 0;
}

static uint64_t
parse_number(const char *option, const char *text, uint64_t max)
{
	char *end;
	uint64_t number;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || number > max)
		oracle_die("--%s: %s is no number up to %" PRIu64, option, text,
			   max);
	return number;
}

static void
parse_mode(struct run *run, const char *mode)
{
	static const char *const modes[] = {"plain-plain", "tls-plain",
					    "plain-tls", "tls-tls"};

	for (unsigned int i = 0; i < 4; i++) {
		if (strcmp(mode, modes[i]) != 0)
			continue;
		run->mode = modes[i];
		run->limits.is_client_tls = i & 1;
		run->limits.is_server_tls = i & 2;
		return;
	}
	oracle_die("--mode: plain-plain, tls-plain, plain-tls or tls-tls");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"mode", required_argument, NULL, 'm'},
		{"bytes", required_argument, NULL, 'b'},
		{"connections", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 's'},
		{"listen", required_argument, NULL, 'l'},
		{"connect", required_argument, NULL, 'c'},
		{"ca", required_argument, NULL, 'a'},
		{"cert", required_argument, NULL, 'e'},
		{"key", required_argument, NULL, 'k'},
		{"name", required_argument, NULL, 'h'},
		{"clean", no_argument, NULL, 'q'},
		{NULL, 0, NULL, 0},
	};
	static char localhost[] = "localhost";
	struct run run = {
		.bytes = 64 << 20, .connections = 16, .name = localhost};
	int option;

	if (getrandom(&run.seed, sizeof(run.seed), 0) != sizeof(run.seed))
		oracle_die("getrandom: %s", strerror(errno));
	run.seed %= 1000000000;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			parse_mode(&run, optarg);
			break;
		case 'b':
			run.bytes = parse_number("bytes", optarg, UINT64_MAX);
			break;
		case 'n':
			run.connections = (unsigned int)parse_number(
				"connections", optarg, 1000);
			break;
		case 's':
			run.seed = parse_number("seed", optarg, UINT64_MAX);
			break;
		case 'l':
			run.listen_port = (uint16_t)parse_number(
				"listen", optarg, UINT16_MAX);
			break;
		case 'c':
			run.connect_port = (uint16_t)parse_number(
				"connect", optarg, UINT16_MAX);
			break;
		case 'a':
			run.ca = optarg;
			break;
		case 'e':
			run.cert = optarg;
			break;
		case 'k':
			run.key = optarg;
			break;
		case 'h':
			run.name = optarg;
			break;
		case 'q':
			run.limits.is_clean = true;
			break;
		default:
			return 2;
		}
	}
	if (!run.mode || !run.listen_port || !run.connect_port ||
	    !run.connections || optind < argc)
		oracle_die(
			"usage: oracle --mode M --listen PORT --connect PORT "
			"[--bytes N] [--connections N] [--seed S] [--ca FILE] "
			"[--cert FILE --key FILE] [--name NAME] [--clean]");
	printf("oracle: %s seed %" PRIu64 "\n", run.mode, run.seed);
	fflush(stdout);
	return run_all(&run);
}
