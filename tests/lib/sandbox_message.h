/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a child that a test starts is told to give up.
 */
#ifndef SEALOCK_TESTS_SANDBOX_MESSAGE_H
#define SEALOCK_TESTS_SANDBOX_MESSAGE_H

struct message;
struct sandbox_options;

/* Options that refuse nothing: not to be root is all they ask for. */
struct sandbox_options
sandbox_options_harmless(void);

struct message *
sandbox_message_new(const struct sandbox_options *options);

#endif
