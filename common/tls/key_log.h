/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The secrets of TLS connections as Wireshark reads them (`key_log_file`, the
 * NSS key log format): to find out what goes wrong, and never otherwise. The
 * file is opened by who reads the configuration; here it is a descriptor.
 */
#ifndef SEALOCK_TLS_KEY_LOG_H
#define SEALOCK_TLS_KEY_LOG_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct file_set;

struct key_log;

/* What the descriptor of such a file is called in a file set; mem_free(). */
char *
key_log_entry_name(const char *path);

/* The key log of that path, one for all who name the same file, with its own
 * copy of the descriptor; key_log_unref(). NULL in *log: the set has no such
 * file, as whoever checks a configuration opens none. -1 with a sentence. Not
 * for several threads. */
int
key_log_open(const struct file_set *files, const char *path,
	     struct key_log **log, struct error *error)
	__attribute__((warn_unused_result));

struct key_log *
key_log_ref(struct key_log *log);

/* NULL is legal. */
void
key_log_unref(struct key_log *log);

/* Device and inode: what tells one file from another that has taken its
 * name. */
void
key_log_identity(const struct key_log *log, uint64_t identity[2]);

/* Do the file's permissions let others read it? */
bool
key_log_is_exposed(const struct key_log *log);

/* Have every connection of a context write its secrets: a line is one write,
 * to the end of the file, and one that cannot be written is lost. The context
 * holds a reference. -1 when OpenSSL refuses. */
int
key_log_install(SSL_CTX *context, struct key_log *log)
	__attribute__((warn_unused_result));

#endif
