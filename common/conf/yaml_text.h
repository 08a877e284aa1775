/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is it text? Private to common/conf.
 */
#ifndef SEALOCK_CONF_YAML_TEXT_H
#define SEALOCK_CONF_YAML_TEXT_H

#include <stddef.h>

struct position;

/* How many bytes are UTF-8 (RFC 3629) and characters that YAML allows (YAML
 * 1.1, 5.1), as libyaml sees them; line and column are set to where that
 * ends. */
size_t
yaml_text_length(const unsigned char *bytes, size_t length,
		 struct position *at);

#endif
