/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys of `session` that need one another, or exclude one another. Private to
 * common/conf.
 */
#ifndef SEALOCK_CONF_CHECK_SESSION_H
#define SEALOCK_CONF_CHECK_SESSION_H

struct conf_reader;
struct tls_settings;
struct yaml_node;

/* The tls map of an accept gate, those of its hosts with it, and what has
 * become of it; both may be NULL. */
void
conf_check_session(struct conf_reader *reader, const struct yaml_node *tls,
		   const struct tls_settings *settings);

#endif
