/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys of `verify` that others make pointless.
 */
#ifndef SEALOCK_CONF_CHECK_VERIFY_H
#define SEALOCK_CONF_CHECK_VERIFY_H

#include <stdbool.h>

struct conf_reader;
struct tls_settings;
struct yaml_node;

/* Complain of what a gate's own tls map, and those of its hosts, have under
 * `verify` that is never looked at. What comes from defaults is not theirs.
 * tls and settings may be NULL. */
void
conf_check_verify(struct conf_reader *reader, const struct yaml_node *tls,
		  const struct tls_settings *settings, bool is_server);

#endif
