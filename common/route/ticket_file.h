/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files with the keys of session tickets, as other servers write them:
 *
 *   nginx    48 bytes: name, AES key, HMAC key; or 80: name, HMAC key, AES key
 *   HAProxy  lines of base64, of as many bytes, and always name, AES key, HMAC
 *            key: the last but one encrypts
 *   h2o      YAML, entries of name, cipher, hash, key, not_before, not_after
 */
#ifndef SEALOCK_ROUTE_TICKET_FILE_H
#define SEALOCK_ROUTE_TICKET_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct ticket_ring;

#define TICKET_FILE_MAX ((size_t)64 * 1024)

/* Add the keys of a file to a ring; is_first: of several files, those of the
 * first encrypt, as far as the file says so, and the others' only decrypt. -1
 * with a sentence, which has nothing of the content in it. */
int
ticket_file_parse(const char *name, const void *bytes, size_t length,
		  bool is_first, struct ticket_ring *ring, struct error *error)
	__attribute__((warn_unused_result));

#endif
