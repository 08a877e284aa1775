/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of certificates as commands take them: a path, a pipe, or - for
 * standard input.
 */
#ifndef SEALOCK_CLI_CERTIFICATE_FILE_H
#define SEALOCK_CLI_CERTIFICATE_FILE_H

#include <openssl/types.h>
#include <openssl/x509.h>

struct blob;
struct error;

/* All of a file, at most 16 MiB, with a NUL behind it; the blob is cleared by
 * blob_clear() in any case. -1 with a sentence. */
int
certificate_file_read(const char *path, struct blob *blob, struct error *error)
	__attribute__((warn_unused_result));

/* The first line of a file, which is a pass-phrase, in blob, to which it
 * belongs; NULL with a sentence. */
const char *
certificate_file_passphrase(const char *path, struct blob *blob,
			    struct error *error);

/* The certificates in a file, in the order found: PEM, DER or PKCS#12, for
 * which a pass-phrase may be given. NULL with a sentence; the caller frees the
 * stack with its elements. */
STACK_OF(X509) *
certificate_file_parse(const char *path, const char *passphrase,
		       struct error *error);

#endif
