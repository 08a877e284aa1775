/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options to YAML, and on to the monitor.
 */
#include "daemon/cli/cmd_tunnel.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/net/address.h"
#include "daemon/monitor/monitor.h"

struct tunnel {
	const char *accept;
	const char *accept_tls; /* CERT, CERT,KEY or self-signed; NULL: plain */
	const char *connect;
	bool has_connect_tls;
	const char *verify_name;
	const char *ca;
	bool is_insecure;
	bool is_printed;
};

static void
usage(FILE *to)
{
	fputs("usage: sealock tunnel --accept ADDRESS --connect ADDRESS "
	      "[options]\n"
	      "Run one service without a file, in the foreground; a signal "
	      "ends it.\n"
	      "  --accept ADDRESS         where clients come in\n"
	      "  --accept-tls CERT[,KEY]  TLS there, with this certificate; "
	      "self-signed: a\n"
	      "                           throw-away one for localhost\n"
	      "  --connect ADDRESS        where the backend is\n"
	      "  --connect-tls            TLS towards the backend, verified\n"
	      "  --verify-name NAME       the name its certificate must have; "
	      "default: the host\n"
	      "  --ca PATH                the CA to verify it by; default: the "
	      "system's. This\n"
	      "                           and --verify-name imply "
	      "--connect-tls\n"
	      "  --insecure               TLS towards the backend, not "
	      "verified\n"
	      "  --print                  print the equivalent configuration "
	      "and do not run\n",
	      to);
}

/* A scalar that YAML reads back as the same text: JSON's strings are. */
static void
put_scalar(FILE *to, const char *text, size_t length)
{
	size_t size = 6 * length + 1;
	AUTO_FREE char *escaped = mem_alloc(size);

	text_escape_json(text, length, escaped, size);
	fprintf(to, "\"%s\"", escaped);
}

static void
put_key(FILE *to, const char *key, const char *text)
{
	if (!text)
		return;
	fputs(key, to);
	put_scalar(to, text, strlen(text));
	fputc('\n', to);
}

static void
put_certificates(FILE *to, const char *accept_tls)
{
	const char *comma = strrchr(accept_tls, ',');

	fputs("      tls:\n", to);
	if (strcmp(accept_tls, "self-signed") == 0) {
		fputs("        certificates: {self_signed: [localhost]}\n", to);
		return;
	}
	fputs("        certificates:\n          chain: ", to);
	put_scalar(to, accept_tls,
		   comma ? (size_t)(comma - accept_tls) : strlen(accept_tls));
	fputc('\n', to);
	if (comma)
		put_key(to, "          key: ", comma + 1);
}

static void
put_connect_tls(FILE *to, const struct tunnel *tunnel)
{
	if (tunnel->is_insecure) {
		fputs("      tls: {verify: none}\n", to);
		return;
	}
	if (!tunnel->verify_name && !tunnel->ca) {
		fputs("      tls: true\n", to);
		return;
	}
	fputs("      tls:\n        verify:\n          mode: required\n", to);
	put_key(to, "          ca: ", tunnel->ca);
	put_key(to, "          name: ", tunnel->verify_name);
}

/* The equivalent configuration; the caller's memory (free()). */
static char *
write_yaml(const struct tunnel *tunnel, size_t *length)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, length);

	if (!to)
		return NULL;
	fputs("services:\n  tunnel:\n    accept:\n", to);
	put_key(to, "      address: ", tunnel->accept);
	if (tunnel->accept_tls)
		put_certificates(to, tunnel->accept_tls);
	fputs("    connect:\n", to);
	put_key(to, "      address: ", tunnel->connect);
	if (tunnel->has_connect_tls)
		put_connect_tls(to, tunnel);
	if (fclose(to) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int
parse(int argc, char **argv, struct tunnel *tunnel)
{
	static const struct option options[] = {
		{"accept", required_argument, NULL, 'a'},
		{"accept-tls", required_argument, NULL, 'A'},
		{"connect", required_argument, NULL, 'c'},
		{"connect-tls", no_argument, NULL, 'C'},
		{"verify-name", required_argument, NULL, 'n'},
		{"ca", required_argument, NULL, 'f'},
		{"insecure", no_argument, NULL, 'i'},
		{"print", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			tunnel->accept = optarg;
			break;
		case 'A':
			tunnel->accept_tls = optarg;
			break;
		case 'c':
			tunnel->connect = optarg;
			break;
		case 'C':
			tunnel->has_connect_tls = true;
			break;
		case 'n':
			tunnel->verify_name = optarg;
			break;
		case 'f':
			tunnel->ca = optarg;
			break;
		case 'i':
			tunnel->is_insecure = true;
			break;
		case 'p':
			tunnel->is_printed = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return -1;
		}
	}
	if (tunnel->verify_name || tunnel->ca || tunnel->is_insecure)
		tunnel->has_connect_tls = true;
	return 0;
}

/* The configuration would tell the same, at places that nobody has written.
 * The path of a UNIX socket may be relative there. */
static int
check_address(const char *option, const char *text, enum address_use use)
{
	struct address address = {0};
	struct error error = {0};

	if (strncasecmp(text, "unix:", 5) == 0 && text[5] != '\0' &&
	    text[5] != '@')
		return 0;
	if (address_parse(text, use, &address, &error) != 0) {
		fprintf(stderr, "sealock tunnel: %s: %s\n", option, error.text);
		return -1;
	}
	address_clear(&address);
	return 0;
}

static const char *
find_fault(int argc, const struct tunnel *tunnel)
{
	if (optind < argc)
		return "unexpected arguments behind the options";
	if (!tunnel->accept)
		return "--accept ADDRESS is missing";
	if (!tunnel->connect)
		return "--connect ADDRESS is missing";
	if (tunnel->is_insecure && (tunnel->ca || tunnel->verify_name))
		return "--insecure verifies nothing: it cannot go with --ca "
		       "or --verify-name";
	return NULL;
}

int
cmd_tunnel(int argc, char **argv)
{
	struct tunnel tunnel = {0};
	const char *fault;
	size_t length = 0;
	char *yaml;
	int status;

	if (parse(argc, argv, &tunnel) != 0) {
		usage(stderr);
		return 2;
	}
	fault = find_fault(argc, &tunnel);
	if (fault) {
		fprintf(stderr, "sealock tunnel: %s\n", fault);
		usage(stderr);
		return 2;
	}
	if (check_address("--accept", tunnel.accept, ADDRESS_TO_LISTEN) != 0 ||
	    check_address("--connect", tunnel.connect, ADDRESS_TO_CONNECT) != 0)
		return 2;
	yaml = write_yaml(&tunnel, &length);
	if (!yaml) {
		perror("sealock tunnel");
		return 1;
	}
	if (tunnel.is_printed) {
		status = fputs(yaml, stdout) < 0 || fflush(stdout) != 0;
	} else {
		struct monitor_options options = {
			.path = NULL,
			.document = yaml,
			.document_length = length,
			.document_name = "tunnel",
		};

		status = monitor_main(&options);
	}
	free(yaml);
	return status;
}
