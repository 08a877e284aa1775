/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the message to sandbox_enter().
 */
#include "daemon/process/child_confine.h"

#include <stdlib.h>
#include <unistd.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/ipc/message.h"
#include "daemon/process/sandbox.h"

static enum sandbox_role
sandbox_role(enum ipc_role role)
{
	switch (role) {
	case IPC_WORKER:
		return SANDBOX_WORKER;
	case IPC_KEEPER:
		return SANDBOX_KEEPER;
	case IPC_HELPER:
		return SANDBOX_HELPER;
	case IPC_BROKER:
		return SANDBOX_BROKER;
	case IPC_MONITOR:
	case IPC_LOADER:
	case IPC_ROLE_COUNT:
		break;
	}
	abort(); /* a role of child.h */
	return SANDBOX_ROLE_COUNT;
}

/* OpenSSL reads its configuration, and what it names, when it is first used;
 * and the random numbers' source, which may be a device. */
static void
read_ahead(void)
{
	unsigned char byte;

	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS |
				 OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
			 NULL);
	(void)RAND_bytes(&byte, sizeof(byte));
	(void)RAND_priv_bytes(&byte, sizeof(byte));
}

static int
read_options(struct message *message, struct sandbox_options *options,
	     struct error *error)
{
	struct buf_reader reader = message_reader(message);

	if (sandbox_options_read(&reader, options) != 0 || reader.length > 0) {
		error_set(error, "SANDBOX that makes no sense");
		return -1;
	}
	if (message->fd_count > 0)
		options->privileges.root = message_take_fd(message, 0);
	return 0;
}

static void
tell(bool is_first, const struct privileges *privileges,
     const struct sandbox_report *report)
{
	if (report->missing[0] != '\0')
		log_event(is_first ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG,
			  "sandbox is not complete",
			  "uid=%u gid=%u reached=\"%s\" missing=\"%s\"",
			  privileges->uid, privileges->gid, report->reached,
			  report->missing);
	else
		log_event(is_first ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
			  "sandbox entered", "uid=%u gid=%u reached=\"%s\"",
			  privileges->uid, privileges->gid, report->reached);
}

int
child_confine(enum ipc_role role, uint32_t number, struct message *message,
	      bool *needs_broker, struct error *error)
{
	struct sandbox_options options;
	struct sandbox_report reached;

	if (read_options(message, &options, error) != 0)
		return -1;
	*needs_broker = options.needs_broker;
	read_ahead();
	if (sandbox_enter(sandbox_role(role), &options, &reached, error) != 0)
		return -1;
	tell(number == 0, &options.privileges, &reached);
	return 0;
}
