/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Revocation lists, as CAs publish them, into an index. This is where foreign
 * bytes are parsed, once, before anybody depends on them.
 */
#ifndef SEALOCK_VERIFY_CRL_INDEX_WRITE_H
#define SEALOCK_VERIFY_CRL_INDEX_WRITE_H

#include <stdbool.h>
#include <stddef.h>

struct crl_index_writer;
struct error;

/* No file may be longer, and all of an index together no longer than the
 * second. */
#define CRL_FILE_MAX  ((size_t)64 << 20)
#define CRL_INDEX_MAX ((size_t)256 << 20)

/* Writes to a descriptor that is empty, such as sealed_begin() makes; it is
 * borrowed. */
struct crl_index_writer *
crl_index_writer_new(int descriptor);
void
crl_index_writer_free(struct crl_index_writer *writer);

/* Every list in a file, PEM (other blocks are passed over) or DER; how many
 * there are. What was added before is not looked at again. -1 with a sentence
 * about the first list that is wrong, and then the index cannot be finished.
 * The name is for messages. */
int
crl_index_writer_add(struct crl_index_writer *writer, const char *name,
		     const void *bytes, size_t length, struct error *error)
	__attribute__((warn_unused_result));

/* All is there. */
int
crl_index_writer_finish(struct crl_index_writer *writer, struct error *error)
	__attribute__((warn_unused_result));

#endif
