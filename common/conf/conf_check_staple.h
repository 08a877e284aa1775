/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules across the keys of `staple`.
 */
#ifndef SEALOCK_CONF_CONF_CHECK_STAPLE_H
#define SEALOCK_CONF_CONF_CHECK_STAPLE_H

struct conf_reader;
struct tls_settings;

/* Of an accept gate (NULL: it has no TLS), its hosts and its certificates. */
void
conf_check_staple(struct conf_reader *reader,
		  const struct tls_settings *settings);

#endif
