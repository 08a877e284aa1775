/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether what is written is the address of an HTTP server. Who asks there
 * looks closer.
 */
#ifndef SEALOCK_CONF_CONF_HTTP_H
#define SEALOCK_CONF_CONF_HTTP_H

#include <stdbool.h>

/* http://HOST[:PORT][/...], visible ASCII alone. */
bool
conf_http_is_url(const char *text);

/* HOST:PORT, with http:// in front and a slash behind it or without. */
bool
conf_http_is_proxy(const char *text);

#endif
