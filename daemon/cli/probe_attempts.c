/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of manners, from what costs the least to what should not be needed.
 */
#include "daemon/cli/probe_attempts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/tls_engine.h"
#include "common/tls/tls_version.h"
#include "daemon/cli/probe_context.h"
#include "daemon/cli/probe_request.h"

/* A server that hangs is not waited for as long again and again. */
#define RETRY_MAX_MS 3000

#define CHOKES "the server, or a box on the way, chokes on "

static const struct manner {
	const char *word;
	const char *text;
	unsigned int manner;
	const char *meaning;
} manners[] = {
	{"default", "as sealock connects", 0, NULL},
	{"classic_groups", "without post-quantum groups", PROBE_CLASSIC_GROUPS,
	 CHOKES "a first message that does not fit into one packet, as the "
		"group X25519MLKEM768 makes it: update it; until then groups: "
		"[X25519, P-256, P-384] gets through"},
	{"no_server_name", "without the server name",
	 PROBE_CLASSIC_GROUPS | PROBE_NO_NAME,
	 CHOKES "the server name (SNI) that is sent: it knows no such name, "
		"or no names at all; server_name: \"\" sends none"},
	{"no_tls13", "without TLS 1.3", PROBE_CLASSIC_GROUPS | PROBE_NO_TLS13,
	 CHOKES "the offer of TLS 1.3, where it should choose TLS 1.2 (RFC "
		"8446 4.1.2): update it; until then versions: TLSv1.2 gets "
		"through"},
	{"no_tls13_no_server_name", "without TLS 1.3 and the server name",
	 PROBE_CLASSIC_GROUPS | PROBE_NO_TLS13 | PROBE_NO_NAME,
	 CHOKES "both the offer of TLS 1.3 and the server name (SNI): update "
		"it; until then versions: TLSv1.2 and server_name: \"\" get "
		"through"},
	{"few_extensions", "TLS 1.2 with few extensions",
	 PROBE_NO_TLS13 | PROBE_NO_NAME | PROBE_FEW_EXTENSIONS,
	 CHOKES "extensions that every client sends today (ALPN, tickets, "
		"extended master secret): it must be updated, nothing here "
		"can be set to get through"},
	{"anything", "with every version and cipher",
	 PROBE_CLASSIC_GROUPS | PROBE_NO_TLS13 | PROBE_ANYTHING,
	 "the server speaks only versions or ciphers that are not safe any "
	 "more: update it; until then name in versions and ciphers what it "
	 "has, if it is in sealock.yaml(5)"},
	{"anything_plain", "with every version and cipher, few extensions",
	 PROBE_NO_TLS13 | PROBE_NO_NAME | PROBE_FEW_EXTENSIONS | PROBE_ANYTHING,
	 "the server speaks only versions or ciphers that are not safe any "
	 "more, and chokes on extensions: it must be updated"},
};

_Static_assert(ARRAY_SIZE(manners) <= PROBE_ATTEMPTS_MAX, "room for all");

static const unsigned int versions[PROBE_VERSIONS] = {
	TLS_VERSION_1_0, TLS_VERSION_1_1, TLS_VERSION_1_2, TLS_VERSION_1_3};

const char *
probe_end_word(enum probe_end end)
{
	static const char *const words[] = {
		[PROBE_DONE] = "done",
		[PROBE_REFUSED] = "certificate_refused",
		[PROBE_UNREACHED] = "unreached",
		[PROBE_PLAINTEXT] = "plaintext",
		[PROBE_CLOSED] = "closed",
		[PROBE_SILENT] = "silent",
		[PROBE_ALERT] = "alert",
		[PROBE_FAILED] = "failed",
	};

	assert(end < ARRAY_SIZE(words));
	return words[end];
}

static void
show_progress(const char *text)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s%s", text, text[0] ? " ..." : "");
}

/* NULL with a sentence: OpenSSL cannot do that here. */
static struct probe_link *
open_link(const struct probe_attempts *attempts,
	  const struct probe_request *request,
	  const struct probe_identity *identity, unsigned int manner,
	  int version, int64_t timeout_ms, struct error *error)
{
	SSL_CTX *context =
		probe_context_new(request, identity, manner, version, error);
	bool has_name = request->has_server_name && !(manner & PROBE_NO_NAME);
	struct probe_link *link;

	if (!context)
		return NULL;
	link = probe_link_open(context, has_name ? request->server_name : NULL,
			       &attempts->address, NULL, timeout_ms);
	SSL_CTX_free(context);
	return link;
}

/* Did the server choke on how we began, so that another way may work? */
static bool
is_choked(enum probe_end end)
{
	switch (end) {
	case PROBE_CLOSED:
	case PROBE_SILENT:
	case PROBE_ALERT:
	case PROBE_FAILED:
		return true;
	case PROBE_DONE:
	case PROBE_REFUSED:
	case PROBE_UNREACHED:
	case PROBE_PLAINTEXT:
		return false;
	}
	return false;
}

/* The first one is told of, unless another gets through. */
static void
note(struct probe_attempts *attempts, const struct manner *manner,
     struct probe_link *link)
{
	struct probe_attempt *attempt = &attempts->attempts[attempts->count++];

	attempt->word = manner->word;
	attempt->manner = manner->text;
	attempt->meaning = manner->meaning;
	attempt->end = link->end;
	snprintf(attempt->text, sizeof(attempt->text), "%s", link->text);
	if (attempts->link && link->end != PROBE_DONE &&
	    link->end != PROBE_REFUSED) {
		probe_link_free(link);
		return;
	}
	probe_link_free(attempts->link);
	attempts->link = link;
}

/* The first address that a connection comes about with. */
static int
reach(struct probe_attempts *attempts, const struct probe_request *request,
      const struct probe_identity *identity, struct error *error)
{
	struct socket_address found[PROBE_ADDRESSES_MAX];
	size_t count = probe_resolve(&request->address, request->timeout_ms,
				     found, error);

	if (count == 0)
		return -1;
	for (size_t i = 0; i < count && !attempts->is_reached; i++) {
		struct probe_link *link;

		attempts->address = found[i];
		link = open_link(attempts, request, identity, 0, 0,
				 request->timeout_ms, error);
		if (!link)
			return -1;
		if (link->end == PROBE_UNREACHED) {
			struct probe_unreached *unreached =
				&attempts->unreached
					 [attempts->unreached_count++];

			unreached->address = found[i];
			snprintf(unreached->text, sizeof(unreached->text),
				 "%.*s", (int)sizeof(unreached->text) - 1,
				 link->text);
			probe_link_free(link);
			continue;
		}
		attempts->is_reached = true;
		note(attempts, &manners[0], link);
	}
	return 0;
}

static bool
is_worth_trying(const struct manner *manner,
		const struct probe_request *request, bool has_post_quantum)
{
	if (manner->manner == PROBE_CLASSIC_GROUPS)
		return has_post_quantum;
	/* Without a name these are the same as those before them. */
	if (manner->manner & PROBE_NO_NAME && !request->has_server_name)
		return (manner->manner & PROBE_FEW_EXTENSIONS) != 0;
	return true;
}

static void
retry(struct probe_attempts *attempts, const struct probe_request *request,
      const struct probe_identity *identity)
{
	bool has_post_quantum = openssl_compat_has_group("X25519MLKEM768");
	int64_t timeout_ms = request->timeout_ms < RETRY_MAX_MS
				     ? request->timeout_ms
				     : RETRY_MAX_MS;

	for (size_t i = 1; i < ARRAY_SIZE(manners); i++) {
		struct error ignored = {0};
		struct probe_link *link;

		if (!is_choked(attempts->attempts[attempts->count - 1].end))
			return;
		if (!is_worth_trying(&manners[i], request, has_post_quantum))
			continue;
		show_progress(manners[i].text);
		link = open_link(attempts, request, identity, manners[i].manner,
				 0, timeout_ms, &ignored);
		if (link)
			note(attempts, &manners[i], link);
	}
}

static void
ask_for(struct probe_version *version, const struct probe_attempts *attempts,
	const struct probe_request *request,
	const struct probe_identity *identity)
{
	int64_t timeout_ms = request->timeout_ms < RETRY_MAX_MS
				     ? request->timeout_ms
				     : RETRY_MAX_MS;
	struct error error = {0};
	struct probe_link *link;

	show_progress(tls_version_name(version->version));
	link = open_link(attempts, request, identity,
			 PROBE_CLASSIC_GROUPS | PROBE_ANYTHING,
			 tls_version_number(version->version), timeout_ms,
			 &error);
	if (!link)
		return;
	version->is_known = true;
	/* One that asks for a certificate has chosen the version. */
	version->is_spoken =
		link->end == PROBE_DONE || link->is_certificate_asked;
	snprintf(version->text, sizeof(version->text), "%s",
		 version->is_spoken
			 ? SSL_get_cipher_name(tls_engine_ssl(link->engine))
			 : link->text);
	probe_link_free(link);
}

void
probe_attempts_run(struct probe_attempts *attempts,
		   const struct probe_request *request,
		   const struct probe_identity *identity)
{
	struct error error = {0};

	*attempts = (struct probe_attempts){0};
	for (size_t i = 0; i < PROBE_VERSIONS; i++)
		attempts->versions[i].version = versions[i];
	show_progress("connecting");
	if (reach(attempts, request, identity, &error) != 0)
		snprintf(attempts->problem, sizeof(attempts->problem), "%s",
			 error.text);
	if (attempts->is_reached && attempts->link->end != PROBE_PLAINTEXT) {
		retry(attempts, request, identity);
		for (size_t i = 0; request->has_versions && i < PROBE_VERSIONS;
		     i++)
			ask_for(&attempts->versions[i], attempts, request,
				identity);
	}
	show_progress("");
}

/* What it may mean that nothing works. */
static const char *
explain_end(const struct probe_attempts *attempts, bool has_certificate)
{
	switch (attempts->attempts[0].end) {
	case PROBE_REFUSED:
		return has_certificate
			       ? "the server does not accept this client "
				 "certificate: is it of one of the CAs that it "
				 "asks for, is its chain in the file?"
			       : "the server wants a client certificate "
				 "(--cert FILE; certificates at a connect "
				 "gate)";
	case PROBE_CLOSED:
		return "it closes whatever is offered: it may speak something "
		       "else, want other words before TLS (STARTTLS), or let "
		       "only some addresses in";
	case PROBE_SILENT:
		return "it says nothing whatever is offered: it may speak "
		       "something else, want other words before TLS "
		       "(STARTTLS), or a box on the way drops what is sent";
	case PROBE_ALERT:
		return "it refuses whatever is offered; its log tells why";
	case PROBE_FAILED:
		return "what it sends is no TLS that OpenSSL takes";
	case PROBE_DONE:
	case PROBE_UNREACHED:
	case PROBE_PLAINTEXT:
		break;
	}
	return NULL;
}

const char *
probe_attempts_meaning(const struct probe_attempts *attempts,
		       bool has_certificate)
{
	const struct probe_attempt *last;

	if (attempts->count == 0)
		return NULL;
	last = &attempts->attempts[attempts->count - 1];
	if (last->end == PROBE_DONE ||
	    (last->end == PROBE_REFUSED && attempts->count > 1))
		return last->meaning;
	return explain_end(attempts, has_certificate);
}

void
probe_attempts_clear(struct probe_attempts *attempts)
{
	probe_link_free(attempts->link);
	attempts->link = NULL;
}
