/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table itself: what is not here cannot be said.
 */
#include "common/ipc/msgtable.h"

#include "common/base/mem.h"
#include "common/ipc/message.h"

#define MONITOR (1u << IPC_MONITOR)
#define WORKER  (1u << IPC_WORKER)
#define HELPER  (1u << IPC_HELPER)
#define LOADER  (1u << IPC_LOADER)
#define KEEPER  (1u << IPC_KEEPER)
#define BROKER  (1u << IPC_BROKER)

/* Those that are given generations, and those among them that workers talk to.
 */
#define PEERS    (HELPER | KEEPER | BROKER)
#define CHILDREN (WORKER | PEERS)

/* type, from, to, body at least and at most, descriptors at most, name */
static const struct message_rule rules[] = {
	{MESSAGE_HELLO, MONITOR, CHILDREN | LOADER, 4, 4, 0, "HELLO"},
	{MESSAGE_HELLO, CHILDREN | LOADER, MONITOR, 4, 4, 0, "HELLO"},
	{MESSAGE_HELLO, WORKER, PEERS, 4, 4, 0, "HELLO"},
	{MESSAGE_HELLO, PEERS, WORKER, 4, 4, 0, "HELLO"},

	{MESSAGE_PREPARE, MONITOR, CHILDREN, 12, 12, 0, "PREPARE"},
	{MESSAGE_ITEMS, MONITOR, CHILDREN, 1, MESSAGE_BODY_MAX, MESSAGE_FDS_MAX,
	 "ITEMS"},
	{MESSAGE_BUILD, MONITOR, CHILDREN, 8, 8, 0, "BUILD"},
	{MESSAGE_COMMIT, MONITOR, CHILDREN, 8, 8, 0, "COMMIT"},
	{MESSAGE_ABORT, MONITOR, CHILDREN, 8, 8, 0, "ABORT"},

	{MESSAGE_LOGS, MONITOR, CHILDREN, 1, 4096, MESSAGE_FDS_MAX, "LOGS"},
	{MESSAGE_PEER, MONITOR, CHILDREN, 5, 5, 1, "PEER"},
	{MESSAGE_DRAIN, MONITOR, CHILDREN, 8, 8, 0, "DRAIN"},
	{MESSAGE_SANDBOX, MONITOR, CHILDREN, 1, 256, 1, "SANDBOX"},
	{MESSAGE_STATE, MONITOR, KEEPER | HELPER, 1, 1, 2, "STATE"},
	{MESSAGE_PING, MONITOR, HELPER, 8, 8, 0, "PING"},
	{MESSAGE_RELEASE, MONITOR, KEEPER | BROKER, 8, 8, 0, "RELEASE"},

	{MESSAGE_ITEMS_ACK, CHILDREN, MONITOR, 8, 8, 0, "ITEMS_ACK"},
	{MESSAGE_READY, CHILDREN, MONITOR, 8, MESSAGE_BODY_MAX, 0, "READY"},
	{MESSAGE_FAILED, CHILDREN, MONITOR, 8, MESSAGE_BODY_MAX, 0, "FAILED"},
	{MESSAGE_LIVE, CHILDREN, MONITOR, 8, 8, 0, "LIVE"},
	{MESSAGE_PONG, HELPER, MONITOR, 8, 8, 0, "PONG"},
	{MESSAGE_DOWN, WORKER, MONITOR, 12, MESSAGE_BODY_MAX, 0, "DOWN"},

	{MESSAGE_INDEX, KEEPER, MONITOR, 8, 8, 1, "INDEX"},
	{MESSAGE_STALE, KEEPER, MONITOR, 8, 8, 0, "STALE"},
	{MESSAGE_ACCUSE, CHILDREN, MONITOR, 9, 1024, 0, "ACCUSE"},

	{MESSAGE_SIGN, WORKER, KEEPER, 46, MESSAGE_BODY_MAX, 1, "SIGN"},
	{MESSAGE_SIGNED, KEEPER, WORKER, 9, 8 + 1024, 0, "SIGNED"},
	{MESSAGE_REFUSED, KEEPER, WORKER, 8, 8, 0, "REFUSED"},

	{MESSAGE_TICKETS, KEEPER, WORKER, 16, 16384, 0, "TICKETS"},
	{MESSAGE_TICKETS_ASK, MONITOR, KEEPER, 1, 1, 0, "TICKETS_ASK"},
	{MESSAGE_TICKETS_TOLD, KEEPER, MONITOR, 5, MESSAGE_BODY_MAX, 0,
	 "TICKETS_TOLD"},

	{MESSAGE_CONNECT, WORKER, BROKER, 24, 24, 0, "CONNECT"},
	{MESSAGE_CONNECTED, BROKER, WORKER, 12, 12, 1, "CONNECTED"},

	{MESSAGE_OCSP_ASK, WORKER, HELPER, 8, MESSAGE_BODY_MAX, 0, "OCSP_ASK"},
	{MESSAGE_OCSP_DROP, WORKER, HELPER, 8, 8, 0, "OCSP_DROP"},
	{MESSAGE_OCSP_TOLD, HELPER, WORKER, 8, 8192, 0, "OCSP_TOLD"},
	{MESSAGE_STAPLE, HELPER, WORKER, 32 + 8, 32 + 8 + 16384, 0, "STAPLE"},

	{MESSAGE_ADDRESSES, HELPER, WORKER, 1, 4096, 0, "ADDRESSES"},

	{MESSAGE_PREPARE, LOADER, MONITOR, 12, 12, 0, "PREPARE"},
	{MESSAGE_ITEMS, LOADER, MONITOR, 1, MESSAGE_BODY_MAX, MESSAGE_FDS_MAX,
	 "ITEMS"},
	{MESSAGE_BUILD, LOADER, MONITOR, 8, 8, 0, "BUILD"},
	{MESSAGE_FAILED, LOADER, MONITOR, 8, MESSAGE_BODY_MAX, 0, "FAILED"},
	{MESSAGE_ITEMS_ACK, MONITOR, LOADER, 8, 8, 0, "ITEMS_ACK"},
};

const struct message_rule *
msgtable_find(struct ipc_side side, unsigned int type)
{
	unsigned int from = 1u << side.other, to = 1u << side.self;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].type == type && (rules[i].from & from) &&
		    (rules[i].to & to))
			return &rules[i];
	return NULL;
}

const char *
msgtable_name(unsigned int type)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].type == type)
			return rules[i].name;
	return "?";
}

size_t
msgtable_fds_max(struct ipc_side side)
{
	unsigned int from = 1u << side.other, to = 1u << side.self;
	size_t max = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if ((rules[i].from & from) && (rules[i].to & to) &&
		    rules[i].max_fds > max)
			max = rules[i].max_fds;
	return max;
}

size_t
msgtable_body_max(unsigned int type)
{
	size_t max = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].type == type && rules[i].max_body > max)
			max = rules[i].max_body;
	return max;
}

bool
msgtable_is_secret(unsigned int type)
{
	return type == MESSAGE_TICKETS;
}

const char *
ipc_role_name(enum ipc_role role)
{
	static const char *const names[IPC_ROLE_COUNT] = {
		[IPC_MONITOR] = "monitor", [IPC_WORKER] = "worker",
		[IPC_HELPER] = "helper",   [IPC_LOADER] = "loader",
		[IPC_KEEPER] = "keeper",   [IPC_BROKER] = "broker",
	};

	return role < IPC_ROLE_COUNT ? names[role] : "?";
}
