/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's own SSL_CONF commands (`openssl`), within the rules that
 * always hold.
 */
#ifndef SEALOCK_TLS_TLS_COMMANDS_H
#define SEALOCK_TLS_TLS_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

struct error;
struct tls_command;

/* Run them on a context whose options stand already. A command that has a key
 * of its own (Groups, MinProtocol, VerifyMode ...), one that OpenSSL does not
 * know or whose value it refuses, and one that would undo a rule is an error
 * that names it, with its position. */
int
tls_commands_run(const struct tls_command *commands, size_t count,
		 SSL_CTX *context, bool is_server, struct error *error)
	__attribute__((warn_unused_result));

/* The options (SSL_OP_*) of every context: those always set, and those never
 * set. */
unsigned long long
tls_commands_options_always(void);
unsigned long long
tls_commands_options_never(void);

#endif
