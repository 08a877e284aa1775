/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that may stand once only, and where each stood first. Private to
 * common/conf.
 */
#ifndef SEALOCK_CONF_NAME_SET_H
#define SEALOCK_CONF_NAME_SET_H

#include "common/base/error.h"

/* Zeroed is valid and empty. */
struct name_set {
	void *root;
};

/* Where that name stood before, or NULL when it is new: then it is added. */
const struct position *
name_set_add(struct name_set *set, const char *name, const struct position *at);

void
name_set_clear(struct name_set *set);

#endif
