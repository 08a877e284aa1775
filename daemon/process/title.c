/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The title is written over the arguments, which lie one behind the other.
 */
#include "daemon/process/title.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

void
title_set(int argc, char **argv, enum ipc_role role, uint32_t number)
{
	char name[16], title[64];
	size_t room = 0;

	snprintf(name, sizeof(name), "sealock-%s", ipc_role_name(role));
	prctl(PR_SET_NAME, name);
	if (role == IPC_WORKER)
		snprintf(title, sizeof(title), "sealock: %s %u",
			 ipc_role_name(role), number);
	else
		snprintf(title, sizeof(title), "sealock: %s",
			 ipc_role_name(role));

	for (int i = 0; i < argc && argv[i] == argv[0] + room; i++)
		room += strlen(argv[i]) + 1;
	if (room == 0)
		return;
	memset(argv[0], 0, room);
	memcpy(argv[0], title, strlen(title) < room ? strlen(title) : room - 1);
}
