/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the helper has told stays when it dies: its successor tells it anew.
 * What it has been asked is asked anew.
 */
#include "daemon/worker/helper_link.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/process/channel.h"
#include "daemon/process/child.h"
#include "daemon/worker/names.h"
#include "daemon/worker/ocsp_client.h"
#include "daemon/worker/worker.h"

void
helper_link_close(struct worker *worker)
{
	ocsp_client_attach(worker->ocsp, NULL);
	channel_free(TAKE(worker->helper));
}

static void
accuse(struct worker *worker, const char *why)
{
	helper_link_close(worker);
	child_accuse(worker->child, IPC_HELPER, 0, why);
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct worker *worker = argument;
	const char *wrong = NULL;

	(void)channel;
	if (message->type == MESSAGE_OCSP_TOLD)
		wrong = ocsp_client_told(worker->ocsp, message);
	else if (names_told(worker->names, message) != 0)
		wrong = "addresses that cannot be read";
	if (wrong)
		accuse(worker, wrong);
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct worker *worker = argument;

	log_debug("the helper's channel closed", "why=\"%s\"", why);
	if (channel_is_broken(channel))
		accuse(worker, why);
	else
		helper_link_close(worker);
}

void
helper_link_attach(struct worker *worker, int descriptor)
{
	static const struct channel_events events = {on_message, on_closed};
	static const struct ipc_side side = {IPC_WORKER, IPC_HELPER};

	helper_link_close(worker);
	worker->helper =
		channel_new(worker->base, descriptor, side, &events, worker);
	ocsp_client_attach(worker->ocsp, worker->helper);
}
