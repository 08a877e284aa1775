/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/sandbox_message.h"

#include <stdbool.h>
#include <unistd.h>

#include "common/ipc/message.h"
#include "daemon/process/sandbox.h"

#define SOMEBODY 65534

struct sandbox_options
sandbox_options_harmless(void)
{
	bool is_root = geteuid() == 0;

	return (struct sandbox_options){
		.mode = SANDBOX_OFF,
		.privileges = {is_root ? SOMEBODY : PRIVILEGES_SAME_USER,
			       is_root ? SOMEBODY : PRIVILEGES_SAME_GROUP, -1},
	};
}

struct message *
sandbox_message_new(const struct sandbox_options *options)
{
	struct message *message = message_new(MESSAGE_SANDBOX);

	sandbox_options_write(&message->body, options);
	return message;
}
