/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * THE table of messages: who may send what to whom, how large, with how many
 * descriptors. A message that is not in the table for its channel ends the
 * sender's role.
 */
#ifndef SEALOCK_IPC_MSGTABLE_H
#define SEALOCK_IPC_MSGTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sent first by both ends of every channel; goes up when a message changes. */
#define IPC_PROTOCOL 1

enum ipc_role {
	IPC_MONITOR,
	IPC_WORKER,
	IPC_HELPER,
	IPC_LOADER, /* reads the configuration's files for the monitor */
	IPC_KEEPER, /* holds the private keys and signs */
	IPC_BROKER, /* connects to the paths of UNIX sockets */
	IPC_ROLE_COUNT,
};

/* In CONNECT, in place of an address: the service's authorizer. */
#define IPC_AUTHORIZER UINT32_MAX

/* What is asked of the keeper about the keys of session tickets. */
enum ipc_tickets {
	IPC_TICKETS_SHOW = 1,
	IPC_TICKETS_ROTATE, /* those made by chance: the next ones come into
			     * force, and all are shown */
};

/* Which end of which channel we are. */
struct ipc_side {
	enum ipc_role self;
	enum ipc_role other;
};

enum message_type {
	MESSAGE_HELLO = 1, /* u32 protocol number */

	/* The monitor to a child, in this order: a generation. The loader
	 * sends the first three of them to the monitor. */
	MESSAGE_PREPARE, /* u64 generation, u32 descriptors to come */
	MESSAGE_ITEMS,   /* documents, files, listeners; see generation.h */
	MESSAGE_BUILD,   /* u64 generation: that was all of it */
	MESSAGE_COMMIT,  /* u64 generation */
	MESSAGE_ABORT,   /* u64 generation */

	/* The monitor to a child. */
	MESSAGE_LOGS,    /* the log's sinks, a descriptor each */
	MESSAGE_PEER,    /* u8 role, u32 number; the descriptor of a channel */
	MESSAGE_DRAIN,   /* u64 grace in milliseconds: finish and exit */
	MESSAGE_SANDBOX, /* what to give up, see sandbox.h; before the first
			  * PREPARE; the directory to be shut in */
	MESSAGE_STATE,   /* u8 what for (state_pair.h); the two files: before
			  * the first PREPARE */
	MESSAGE_PING,    /* u64 number: give a sign of life */
	MESSAGE_RELEASE, /* u64 the lowest generation that any worker uses:
			  * what only older ones named may go */

	/* A child to the monitor (the first: whoever receives items). */
	MESSAGE_ITEMS_ACK, /* u64 generation: PREPARE or ITEMS was read */
	MESSAGE_READY,     /* u64 generation, then warnings */
	MESSAGE_FAILED,    /* u64 generation, then problems */
	MESSAGE_LIVE,      /* u64 the lowest generation still in use */
	MESSAGE_PONG,      /* u64 number, of the PING that was read */

	/* A worker to the monitor, before READY: services without any
	 * certificate, which do not start. */
	MESSAGE_DOWN, /* u64 generation, then u32 indexes of services */

	/* The keeper to the monitor, before READY. */
	MESSAGE_INDEX, /* u64 generation; the certificate index */

	/* The keeper to the monitor, after COMMIT: another gathering of the
	 * same files would come to another certificate index. */
	MESSAGE_STALE, /* u64 generation */

	/* The monitor to the keeper and back, in the order in which it asks. */
	MESSAGE_TICKETS_ASK,  /* u8 enum ipc_tickets */
	MESSAGE_TICKETS_TOLD, /* u8 is_done, string text: lines to be shown, or
			       * why it was not done */

	/* A child to the monitor: a peer of it has broken the rules. */
	MESSAGE_ACCUSE, /* u8 role, u32 number, string why */

	/* A worker to the keeper and back. */
	MESSAGE_SIGN,    /* u64 number, a request (signer.h); a message that is
			  * too long for it comes as a sealed memfd */
	MESSAGE_SIGNED,  /* u64 number, the signature */
	MESSAGE_REFUSED, /* u64 number */

	/* The keeper to a worker: the keys of session tickets. */
	MESSAGE_TICKETS, /* a ring (ticket_ring.h) in place of the one with its
			  * id; the id alone: it is needed no longer */

	/* A worker to the broker and back. */
	MESSAGE_CONNECT,   /* u64 number, u64 generation, u32 service, u32
			    * address or IPC_AUTHORIZER */
	MESSAGE_CONNECTED, /* u64 number, u32 errno; when 0 the socket */

	/* A worker to the helper and back. */
	MESSAGE_OCSP_ASK,  /* u64 number, a question (ocsp_talk.h) */
	MESSAGE_OCSP_DROP, /* u64 number: nobody wants to know any more; the
			    * answer may be on its way */
	MESSAGE_OCSP_TOLD, /* u64 number, an outcome for each certificate */

	/* The helper to a worker: the digest of a leaf (SHA-256), u64 until
	 * when, milliseconds since 1970, the staple; or none of it. */
	MESSAGE_STAPLE,

	/* The helper to a worker. */
	MESSAGE_ADDRESSES, /* what a name resolves to; see resolution.h */

	MESSAGE_TYPE_COUNT,
};

struct message_rule {
	enum message_type type;
	unsigned int from; /* roles, each as 1 << role */
	unsigned int to;
	size_t min_body;
	size_t max_body;
	size_t max_fds;
	const char *name;
};

/* The rule for a message that self receives from other; NULL: not permitted. */
const struct message_rule *
msgtable_find(struct ipc_side side, unsigned int type);

/* The most descriptors that any message brings which self receives from other.
 */
size_t
msgtable_fds_max(struct ipc_side side);

/* "PREPARE", for logs; "?" when there is none. */
const char *
msgtable_name(unsigned int type);

/* The largest body that any rule permits for a type; 0: no such type. */
size_t
msgtable_body_max(unsigned int type);

/* Is there anything in its body that must not be left in memory? */
bool
msgtable_is_secret(unsigned int type);

/* "monitor", "worker", "helper", "loader", "keeper", "broker". */
const char *
ipc_role_name(enum ipc_role role);

#endif
