/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What answers when it is no TLS server.
 */
#ifndef SEALOCK_CLI_PROBE_PLAINTEXT_H
#define SEALOCK_CLI_PROBE_PLAINTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* May these be the first bytes of a TLS server? */
bool
probe_plaintext_is_tls(const unsigned char *bytes, size_t length);

/* "this is no TLS: it answered ..., which is SSH", the bytes escaped. */
void
probe_plaintext_describe(const unsigned char *bytes, size_t length,
			 char *buffer, size_t size);

#endif
