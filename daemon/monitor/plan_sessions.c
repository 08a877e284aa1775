/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/monitor/plan_sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "common/base/error.h"
#include "common/conf/conf.h"
#include "common/tls/session_cache.h"
#include "daemon/monitor/plan.h"
#include "daemon/process/generation.h"

static size_t
larger_of(size_t size, const struct tls_settings *tls)
{
	const struct tls_session *session = &tls->session;

	return session->is_resumed && session->cache.size > size
		       ? session->cache.size
		       : size;
}

/* The most sessions that any accept gate wants to be remembered. */
static size_t
session_size(const struct conf *conf)
{
	size_t size = 0;

	for (size_t i = 0; i < conf->service_count; i++) {
		const struct tls_settings *tls = conf->services[i].accept.tls;

		if (!tls)
			continue;
		size = larger_of(size, tls);
		for (size_t j = 0; j < tls->host_count; j++)
			size = larger_of(size, tls->hosts[j].settings);
	}
	return size;
}

int
plan_open_sessions(struct plan *plan, const struct plan *previous,
		   struct error_list *problems)
{
	struct error error = {0};

	plan->session_size = session_size(plan->generation->conf);
	if (plan->session_size == 0)
		return 0;
	if (previous && previous->session_size == plan->session_size) {
		plan->sessions = fcntl(previous->sessions, F_DUPFD_CLOEXEC, 3);
		if (plan->sessions < 0)
			error_set(&error, "no descriptor for the sessions: %s",
				  strerror(errno));
	} else {
		plan->sessions =
			session_cache_create(plan->session_size, &error);
	}
	if (plan->sessions >= 0)
		return 0;
	error_list_add(problems, &error);
	return -1;
}
