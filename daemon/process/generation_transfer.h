/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation across a channel: PREPARE, which tells how many descriptors
 * there are, ITEMS in batches, BUILD. The receiver acknowledges PREPARE, or
 * refuses it when it has no room, and then each batch. A document travels as a
 * sealed memfd, a file and a listening socket as a descriptor; at most two
 * batches are under way, so that 50,000 files need no 50,000 descriptors in
 * the kernel's queues.
 *
 * The body of ITEMS is a sequence of items, each a u8 kind and
 *
 *	document   string name, u64 length; a descriptor
 *	original   u32 number of the document; a descriptor
 *	file       string name, u8 uses; a descriptor
 *	missing    string name, u8 uses, u32 errno
 *	withheld   string name, u8 uses
 *	directory  string name, u8 uses, u8 last, u32 count, count strings; a
 *		   long one comes in pieces, of which the last says so
 *	fact       string question, string answer; see conf_facts.h
 *	listener   u32 service, u32 address, u64 id; a descriptor
 *	index      a descriptor; once at most
 *	sessions   a descriptor; once at most
 *
 * Descriptors belong to items in their order.
 */
#ifndef SEALOCK_PROCESS_GENERATION_TRANSFER_H
#define SEALOCK_PROCESS_GENERATION_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

struct channel;
struct error;
struct error_list;
struct generation;
struct generation_listener;
struct generation_parcel;
struct generation_receiver;
struct generation_sender;
struct message;

/* Pack a generation once for all who get it: its documents and files, which
 * are borrowed. NULL with a sentence when it cannot be sent: a name that is
 * too long, no descriptor left for a document. */
struct generation_parcel *
generation_parcel_new(const struct generation *generation, struct error *error);
void
generation_parcel_free(struct generation_parcel *parcel);

/* How much of what was read and opened a receiver gets. */
enum generation_extent {
	GENERATION_TEXT,    /* the documents without their secrets */
	GENERATION_STAPLES, /* and the files with OCSP answers */
	GENERATION_PUBLIC,  /* the documents and the files with public uses;
			     * here as there, those that may hold a secret, too,
			     * as withheld */
	GENERATION_SECRETS, /* the documents with their secrets, all files */
	GENERATION_ALL,     /* the documents both ways, all files */
};

/* What a receiver gets. The array is copied, the descriptors are borrowed. */
struct generation_share {
	enum generation_extent extent;
	const struct generation_listener *listeners;
	size_t listener_count;
	bool has_index; /* the certificate index, which then is there */
	int index;
	bool has_sessions; /* the cache of sessions, which then is there */
	int sessions;
};

/* Send a parcel: starts with PREPARE. The channel and the parcel must outlive
 * the sender. */
struct generation_sender *
generation_sender_new(struct channel *channel,
		      const struct generation_parcel *parcel,
		      const struct generation_share *share);
void
generation_sender_free(struct generation_sender *sender);

/* The receiver has read PREPARE or a batch of the generation with that number;
 * the next ones leave, and after the last one BUILD. What speaks of another
 * generation is passed over: it crossed an ABORT. -1 with a sentence when there
 * was no descriptor left, and the receiver has a part then that needs an ABORT,
 * or nothing to acknowledge. */
int
generation_sender_acknowledged(struct generation_sender *sender,
			       uint64_t number, struct error *error)
	__attribute__((warn_unused_result));

/* The other end. One receiver is for one PREPARE. */
struct generation_receiver *
generation_receiver_new(uint64_t number);
void
generation_receiver_free(struct generation_receiver *receiver);

uint64_t
generation_receiver_number(const struct generation_receiver *receiver);

/* Take what is in one ITEMS message. The caller acknowledges it. -1 with a
 * sentence when the bytes are no items. */
int
generation_receiver_add(struct generation_receiver *receiver,
			struct message *items, struct error *error)
	__attribute__((warn_unused_result));

/* That was all of it: the generation, without its conf, or NULL with a
 * sentence when something is incomplete. */
struct generation *
generation_receiver_finish(struct generation_receiver *receiver,
			   struct error *error);

/* The sentences of READY and FAILED, as FILE:LINE:COLUMN: text, to the end of
 * the body. When they do not all fit, the last one tells how many there are
 * more. Reading stops at the first that is none; -1 then. */
void
generation_problems_write(struct buf_writer *writer,
			  const struct error_list *problems);
int
generation_problems_read(struct buf_reader *reader, struct error_list *problems)
	__attribute__((warn_unused_result));

#endif
