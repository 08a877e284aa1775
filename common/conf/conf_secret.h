/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets that are no files: credentials, the environment, what a command
 * says, what somebody types. Private to common/conf.
 */
#ifndef SEALOCK_CONF_CONF_SECRET_H
#define SEALOCK_CONF_CONF_SECRET_H

#include <stddef.h>

struct error;
struct file_set;
struct secret;

/* Open a credential, "credential:NAME", under that name. */
void
conf_credential_open(const char *name, struct file_set *files);

/* Put a secret into the set under its name, as a sealed memfd where it is no
 * file. A name that is in the set already stays: nobody is asked twice. -1
 * with a sentence when a command or a prompt failed. */
int
conf_secret_open(const struct secret *secret, struct file_set *files,
		 struct error *error) __attribute__((warn_unused_result));

/* Put bytes into the set under that name, as a secret: a sealed memfd, which
 * nobody who gets it can change for the others. */
int
conf_secret_add(const char *name, const void *bytes, size_t length,
		struct file_set *files, struct error *error)
	__attribute__((warn_unused_result));

/* What a prompt gives, without its newline; length takes its length. Asks on
 * the controlling terminal with echo off. */
int
conf_secret_prompt(const char *subject, char *buffer, size_t size,
		   size_t *length, struct error *error)
	__attribute__((warn_unused_result));

/* What a command writes to its standard output within 30 s. */
int
conf_secret_command(const struct secret *secret, char *buffer, size_t size,
		    size_t *length, struct error *error)
	__attribute__((warn_unused_result));

#endif
