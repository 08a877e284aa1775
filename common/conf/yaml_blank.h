/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a scalar's text back to the bytes that it was written with. Private to
 * common/conf.
 */
#ifndef SEALOCK_CONF_YAML_BLANK_H
#define SEALOCK_CONF_YAML_BLANK_H

#include <stdbool.h>

struct yaml_node;

struct yaml_blank {
	const char *original; /* the document that was parsed */
	char *blanked;        /* of the same length */
};

/* Overwrite what the marked bytes of the scalar's text were written with, by
 * as many bytes and characters: letters x, or signs of as many bytes as those
 * beyond ASCII have. White space stays, so the scalar has the same lines and
 * remains a string. A scalar that several aliases stand for may be blanked
 * for each of them. -1: the text was not found. */
int
yaml_blank_scalar(const struct yaml_blank *blank, const struct yaml_node *node,
		  const bool *secret) __attribute__((warn_unused_result));

#endif
