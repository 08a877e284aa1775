/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of documents and what they mean for paths. Private to common/conf.
 */
#ifndef SEALOCK_CONF_CONF_DOCUMENTS_H
#define SEALOCK_CONF_CONF_DOCUMENTS_H

#include "common/base/error.h"

struct conf_facts;

/* The name as it stands in positions: one copy for the life of the process,
 * as errors may outlive the configuration that they are about. */
const char *
conf_document_name(const char *name);

/* A path as written in a document, made absolute: relative ones begin at the
 * directory of the file that names them, and where that one's name is
 * relative, at the working directory, which the facts (or, without any, the
 * system) tell. The caller's (mem_free()). */
char *
conf_path_absolute(struct conf_facts *facts, const struct position *at,
		   const char *path);

#endif
