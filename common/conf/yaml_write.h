/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scalars as YAML that reads back as the same text. Private to common/conf.
 */
#ifndef SEALOCK_CONF_YAML_WRITE_H
#define SEALOCK_CONF_YAML_WRITE_H

#include <stdio.h>

/* Plain where that is safe, else in double quotes. */
void
yaml_write_scalar(FILE *out, const char *text);

/* Always in double quotes, with escapes that JSON has too. */
void
yaml_write_quoted(FILE *out, const char *text);

#endif
