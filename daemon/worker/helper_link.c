/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the helper has told stays when it dies: its successor tells it anew.
 * What it has been asked is asked anew.
 */
#include "daemon/worker/helper_link.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/tls/staple_table.h"
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

/* NULL, or what is wrong with it. */
static const char *
on_staple(struct worker *worker, const struct message *message)
{
	struct buf_reader reader = message_reader(message);
	const unsigned char *leaf = buf_read_bytes(&reader, STAPLE_DIGEST_SIZE);
	uint64_t until_ms = buf_read_u64(&reader);

	if (reader.failed || until_ms > INT64_MAX ||
	    staple_table_set(worker->staples, leaf, (int64_t)until_ms,
			     reader.bytes, reader.length) != 0)
		return "a staple that is none";
	return NULL;
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct worker *worker = argument;
	const char *wrong = NULL;

	(void)channel;
	if (message->type == MESSAGE_OCSP_TOLD)
		wrong = ocsp_client_told(worker->ocsp, message);
	else if (message->type == MESSAGE_STAPLE)
		wrong = on_staple(worker, message);
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
