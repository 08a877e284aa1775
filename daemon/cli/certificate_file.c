/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read in one go; what is left behind on the way is wiped, as there may be a
 * key in it.
 */
#include "daemon/cli/certificate_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_key.h"

#define READ_MAX ((size_t)16 << 20)

/* Twice the room, and one byte for a NUL; there may be a key in what is left
 * behind. */
static size_t
grow(struct blob *blob, size_t capacity)
{
	size_t larger = capacity ? 2 * capacity : 16384;
	unsigned char *bytes = mem_alloc(larger + 1);

	if (blob->length > 0) {
		memcpy(bytes, blob->bytes, blob->length);
		mem_wipe(blob->bytes, blob->length);
	}
	mem_free(blob->bytes);
	blob->bytes = bytes;
	return larger;
}

/* 0, or the errno of what went wrong. */
static int
read_descriptor(int descriptor, struct blob *blob)
{
	size_t capacity = grow(blob, 0);

	for (;;) {
		ssize_t got = read(descriptor, blob->bytes + blob->length,
				   capacity - blob->length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			return 0;
		blob->length += (size_t)got;
		if (blob->length > READ_MAX)
			return EFBIG;
		if (blob->length == capacity)
			capacity = grow(blob, capacity);
	}
}

int
certificate_file_read(const char *path, struct blob *blob, struct error *error)
{
	bool is_input = strcmp(path, "-") == 0;
	int descriptor =
		is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int problem =
		descriptor < 0 ? errno : read_descriptor(descriptor, blob);

	if (descriptor >= 0 && !is_input)
		close(descriptor);
	if (problem == 0)
		return 0;
	error_set(error, "cannot read %s: %s",
		  is_input ? "standard input" : path, strerror(problem));
	return -1;
}

const char *
certificate_file_passphrase(const char *path, struct blob *blob,
			    struct error *error)
{
	const char *passphrase;

	if (certificate_file_read(path, blob, error) != 0)
		return NULL;
	passphrase = certificate_passphrase(blob, error);
	if (!passphrase)
		error_prefix(error, "%s: ", path);
	return passphrase;
}

STACK_OF(X509) *
certificate_file_parse(const char *path, const char *passphrase,
		       struct error *error)
{
	AUTO_BLOB struct blob blob = {0};
	STACK_OF(X509) *found;

	if (certificate_file_read(path, &blob, error) != 0)
		return NULL;
	found = certificate_parse_all(blob.bytes, blob.length, passphrase,
				      error);
	if (!found)
		error_prefix(error, "%s: ", path);
	return found;
}
