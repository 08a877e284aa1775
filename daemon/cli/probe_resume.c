/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/cli/probe_resume.h"

#include <stdio.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/tls/tls_engine.h"
#include "common/tls/tls_version.h"
#include "daemon/cli/probe_attempts.h"
#include "daemon/cli/probe_context.h"
#include "daemon/cli/probe_link.h"
#include "daemon/cli/probe_request.h"

/* The newest first. */
static const unsigned int versions[PROBE_RESUME_VERSIONS] = {TLS_VERSION_1_3,
							     TLS_VERSION_1_2};

static bool
is_spoken(const struct probe_attempts *attempts, unsigned int version)
{
	for (size_t i = 0; i < PROBE_VERSIONS; i++)
		if (attempts->versions[i].version == version &&
		    attempts->versions[i].is_known)
			return attempts->versions[i].is_spoken;
	/* It was not asked for. */
	return true;
}

/* Another connection; NULL with a sentence in text. */
static struct probe_link *
visit(const struct probe_request *request, SSL_CTX *context,
      const struct probe_attempts *attempts, SSL_SESSION *session,
      struct probe_resumed *resumed)
{
	struct probe_link *link = probe_link_open(
		context, request->has_server_name ? request->server_name : NULL,
		&attempts->address, session, request->timeout_ms);

	if (link->end == PROBE_DONE)
		return link;
	snprintf(resumed->text, sizeof(resumed->text), "%s%s",
		 session ? "the second connection failed: " : "", link->text);
	probe_link_free(link);
	return NULL;
}

static void
note_nothing(struct probe_resumed *resumed, unsigned int version)
{
	snprintf(resumed->text, sizeof(resumed->text), "%s",
		 version == TLS_VERSION_1_3
			 ? "no ticket came behind the handshake; some servers "
			   "send theirs with their first answer"
			 : "it gives neither a ticket nor a session id");
}

static void
try_version(struct probe_resumed *resumed, const struct probe_request *request,
	    SSL_CTX *context, const struct probe_attempts *attempts,
	    unsigned int version)
{
	struct probe_link *first =
		visit(request, context, attempts, NULL, resumed);
	struct probe_link *second = NULL;

	if (!first)
		return;
	if (first->session) {
		resumed->by = SSL_SESSION_has_ticket(first->session)
				      ? "ticket"
				      : "session id";
		second = visit(request, context, attempts, first->session,
			       resumed);
	} else {
		note_nothing(resumed, version);
	}
	if (second) {
		resumed->is_resumed =
			SSL_session_reused(tls_engine_ssl(second->engine));
		snprintf(resumed->text, sizeof(resumed->text),
			 resumed->is_resumed
				 ? "by %s"
				 : "it gave a %s, and did not take it back",
			 resumed->by);
	}
	probe_link_free(first);
	probe_link_free(second);
}

void
probe_resume_run(struct probe_resume *resume,
		 const struct probe_request *request,
		 const struct probe_identity *identity,
		 const struct probe_attempts *attempts)
{
	*resume = (struct probe_resume){.count = 0};
	if (!request->is_resuming || !attempts->link ||
	    attempts->link->end != PROBE_DONE)
		return;
	for (size_t i = 0; i < PROBE_RESUME_VERSIONS; i++) {
		struct probe_resumed *resumed =
			&resume->versions[resume->count];
		struct error error = {0};
		SSL_CTX *context;

		if (!is_spoken(attempts, versions[i]))
			continue;
		resume->count++;
		resumed->version = tls_version_name(versions[i]);
		context = probe_context_new(request, identity, 0,
					    tls_version_number(versions[i]),
					    &error);
		if (context)
			try_version(resumed, request, context, attempts,
				    versions[i]);
		else
			snprintf(resumed->text, sizeof(resumed->text), "%s",
				 error.text);
		SSL_CTX_free(context);
	}
}
