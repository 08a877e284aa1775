/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper's transport and judge, on a loop that ends with the last answer.
 */
#include "daemon/cli/check_staples.h"

#include <assert.h>
#include <stdio.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/certificate_index.h"
#include "common/route/route_findings.h"
#include "common/route/staple_wants.h"
#include "daemon/fetch/ocsp_transport.h"

struct asking {
	struct staple_wants wants;
	const struct route_findings *findings;
	struct event_base *base;
	struct ocsp_transport *transport; /* NULL: not needed yet */
	size_t under_way;
};

/* One that a responder is asked for. */
struct asked {
	struct asking *asking;
	const struct staple_want *want;
};

static void
complain(const struct asking *asking, const struct staple_want *want,
	 const char *why)
{
	error_list_addf(want->is_must ? asking->findings->problems
				      : asking->findings->warnings,
			&want->at, "%s for %s: %s",
			want->is_must ? "there must be a staple, and is none"
				      : "no staple",
			want->source, why);
}

static void
judge(const struct asking *asking, const struct staple_want *want,
      const void *bytes, size_t length)
{
	struct ocsp_judgement judgement;

	if (staple_want_judge(&asking->wants, want, bytes, length,
			      clock_real_s(), &judgement) != OCSP_GOOD)
		complain(asking, want, judgement.sentence);
}

static void
check_file(const struct asking *asking, const struct staple_want *want,
	   const struct file_set *files)
{
	AUTO_BLOB struct blob blob = {0};
	struct error error = {0};

	if (file_set_read_most(files, want->file, OCSP_ANSWER_MAX, &blob,
			       &error) != 0)
		complain(asking, want, error.text);
	else
		judge(asking, want, blob.bytes, blob.length);
}

static void
on_reply(void *argument, const struct ocsp_reply *reply)
{
	struct asked *asked = argument;
	struct asking *asking = asked->asking;

	if (reply->failure)
		complain(asking, asked->want, reply->failure);
	else
		judge(asking, asked->want, reply->bytes, reply->length);
	asking->under_way--;
	mem_free(asked);
}

static int
prepare_transport(struct asking *asking, const struct conf *conf,
		  struct error *error)
{
	if (asking->transport)
		return 0;
	asking->base = event_base_new();
	assert(asking->base);
	asking->transport = ocsp_transport_new(asking->base, error);
	if (!asking->transport)
		return -1;
	return ocsp_transport_resolve_by(asking->transport,
					 &conf->global.resolver, error);
}

static void
ask(struct asking *asking, const struct staple_want *want,
    const struct conf *conf)
{
	struct ocsp_question question = {
		.url = want->responder,
		.method = OCSP_BY_EITHER,
	};
	struct error error = {0};
	AUTO_FREE unsigned char *request = NULL;
	struct asked *asked;

	if (!want->responder) {
		complain(asking, want,
			 "the certificate names no responder, and there is no "
			 "file");
		return;
	}
	request = staple_want_request(&asking->wants, want, &question.length,
				      &error);
	if (!request || prepare_transport(asking, conf, &error) != 0) {
		complain(asking, want, error.text);
		return;
	}
	question.request = request;
	asked = mem_alloc(sizeof(*asked));
	*asked = (struct asked){asking, want};
	asking->under_way++;
	ocsp_transport_ask(asking->transport, &question, on_reply, asked);
}

/* Of one that may be without: it would never be asked for. */
static void
look_for_issuer(const struct asking *asking, const struct staple_want *want)
{
	AUTO_FREE unsigned char *request = NULL;
	struct error error = {0};
	size_t length;

	request = staple_want_request(&asking->wants, want, &length, &error);
	if (!request)
		complain(asking, want, error.text);
}

void
check_staples(const struct conf *conf, const struct file_set *files, int index,
	      const struct route_findings *findings)
{
	struct asking asking = {.findings = findings};
	struct error error = {0};
	struct certificate_index *opened =
		certificate_index_open(index, &error);

	if (!opened) {
		error_list_add(findings->problems, &error);
		return;
	}
	staple_wants_find(conf, opened, &asking.wants, findings->problems);
	certificate_index_unref(opened);
	for (size_t i = 0; i < asking.wants.count; i++) {
		const struct staple_want *want = &asking.wants.wants[i];

		if (want->file)
			check_file(&asking, want, files);
		else if (want->is_must)
			ask(&asking, want, conf);
		else
			look_for_issuer(&asking, want);
	}
	while (asking.under_way > 0 &&
	       event_base_loop(asking.base, EVLOOP_ONCE) == 0)
		;
	ocsp_transport_free(asking.transport);
	if (asking.base)
		event_base_free(asking.base);
	staple_wants_clear(&asking.wants);
}
