/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request for a signature on its way to the keeper: MESSAGE_SIGN and how to
 * read it. What is to be signed is in its body or, when it is too long for
 * that, in a sealed file in memory that rides along (common/base/sealed):
 *
 *	u64 number, key id, u16 scheme, u32 length, the message
 *	u64 number, key id, u16 scheme, u32 length		and a descriptor
 *
 * The answers are MESSAGE_SIGNED (u64 number, the signature) and
 * MESSAGE_REFUSED (u64 number).
 */
#ifndef SEALOCK_TLS_SIGN_MESSAGE_H
#define SEALOCK_TLS_SIGN_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/tls/signer.h"

struct error;
struct message;

/* The longest message that is sent in the body. */
#define SIGN_MESSAGE_INLINE_MAX 49152

/* The caller's (message_free()), or a channel's. NULL with a sentence when the
 * system has no descriptor or no memory for one that is long; it is longer
 * than SIGN_MESSAGE_MAX only by a mistake of ours. */
struct message *
sign_message_new(uint64_t number, const unsigned char key_id[KEY_ID_SIZE],
		 const struct sign_request *request, struct error *error)
	__attribute__((warn_unused_result));

struct sign_message {
	uint64_t number;
	const unsigned char *key_id; /* in the body */
	struct sign_request request; /* its message in the body, or below */
	unsigned char *copy;         /* of a sealed file; else NULL */
};

/* From the body, which must stay where it is as long as what was read, and the
 * descriptor that came with it (-1: none), which stays the caller's and is not
 * needed afterwards. Returns -1 with a sentence when it is anything but one of
 * the two forms; nothing is to be cleared then. Neither key nor scheme nor
 * message is judged here: signer_sign() does that. */
int
sign_message_read(const void *body, size_t length, int descriptor,
		  struct sign_message *read, struct error *error)
	__attribute__((warn_unused_result));

/* Free what reading has made; zeroed is legal. */
void
sign_message_clear(struct sign_message *read);

#endif
