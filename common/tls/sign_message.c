/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nearly all requests are 200 bytes or so. What is long is a TLS 1.2 client's
 * transcript, with two chains and the names of authorities.
 */
#include "common/tls/sign_message.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/ipc/message.h"

#define OVERHEAD (8 + SIGN_REQUEST_OVERHEAD)

_Static_assert(OVERHEAD + SIGN_MESSAGE_INLINE_MAX <= MESSAGE_BODY_MAX,
	       "does not fit into a message");

/* The rest rides along. */
static struct message *
new_with_file(uint64_t number, const unsigned char key_id[KEY_ID_SIZE],
	      const struct sign_request *request, struct error *error)
{
	struct message *message;
	int descriptor =
		sealed_new("sealock-sign", request->message, request->length);

	if (descriptor < 0) {
		error_set(error, "no file for a message of %zu bytes: %s",
			  request->length, strerror(errno));
		return NULL;
	}
	message = message_new_sized(MESSAGE_SIGN, OVERHEAD);
	if (!message_add_fd(message, descriptor))
		abort(); /* there is room for one */
	buf_write_u64(&message->body, number);
	sign_request_write_head(&message->body, key_id, request);
	return message;
}

struct message *
sign_message_new(uint64_t number, const unsigned char key_id[KEY_ID_SIZE],
		 const struct sign_request *request, struct error *error)
{
	struct message *message;

	if (request->length > SIGN_MESSAGE_MAX) {
		error_set(error, "a message of %zu bytes", request->length);
		return NULL;
	}
	if (request->length > SIGN_MESSAGE_INLINE_MAX)
		return new_with_file(number, key_id, request, error);
	message = message_new_sized(MESSAGE_SIGN, OVERHEAD + request->length);
	buf_write_u64(&message->body, number);
	sign_request_write(&message->body, key_id, request);
	return message;
}

/* The request's head in the body, its message in the file. */
static int
read_with_file(struct buf_reader *reader, int descriptor,
	       struct sign_message *read)
{
	AUTO_FREE unsigned char *copy = NULL;
	size_t length;

	if (sign_request_read_head(reader, &read->key_id, &read->request) !=
		    0 ||
	    read->request.length <= SIGN_MESSAGE_INLINE_MAX ||
	    sealed_length(descriptor, &length) != 0 ||
	    length != read->request.length)
		return -1;
	copy = mem_alloc(length);
	if (sealed_read(descriptor, copy, length) != 0)
		return -1;
	read->copy = TAKE(copy);
	read->request.message = read->copy;
	return 0;
}

static int
read_inline(struct buf_reader *reader, struct sign_message *read)
{
	if (sign_request_read(reader, &read->key_id, &read->request) != 0 ||
	    read->request.length > SIGN_MESSAGE_INLINE_MAX)
		return -1;
	return 0;
}

int
sign_message_read(const void *body, size_t length, int descriptor,
		  struct sign_message *read, struct error *error)
{
	struct buf_reader reader;
	int result;

	buf_read_init(&reader, body, length);
	*read = (struct sign_message){.number = buf_read_u64(&reader)};
	result = descriptor < 0 ? read_inline(&reader, read)
				: read_with_file(&reader, descriptor, read);
	if (result == 0 && reader.length == 0)
		return 0;
	sign_message_clear(read);
	error_set(error, "a request for a signature that cannot be read");
	return -1;
}

void
sign_message_clear(struct sign_message *read)
{
	mem_free(TAKE(read->copy));
}
