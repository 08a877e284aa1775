/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that a role needs to know of one configuration: its documents,
 * the files it names as descriptors, the listening sockets. The monitor makes
 * and sends it, a child receives it and reads the same structs from it.
 */
#ifndef SEALOCK_PROCESS_GENERATION_H
#define SEALOCK_PROCESS_GENERATION_H

#include <stddef.h>
#include <stdint.h>

#include "common/conf/conf.h"

struct error_list;
struct file_set;

/* One listening socket that a worker is lent. Each address of a service is
 * one; with reuse_port each worker gets a socket of its own. */
struct generation_listener {
	size_t service; /* index in conf->services */
	size_t address; /* index in its accept.addresses */
	uint64_t id;    /* the same socket has the same id in every
			 * generation */
	int descriptor;
};

/* A document as it was before its secrets were blanked. */
struct generation_original {
	size_t document; /* its number */
	int descriptor;  /* a sealed memfd, of the same length */
};

struct generation {
	uint64_t number;
	struct conf_documents documents;
	struct generation_original *originals; /* by number */
	size_t original_count;
	struct file_set *files;
	struct conf *conf;
	struct generation_listener *listeners;
	size_t listener_count;
	int index; /* the certificate index, a sealed memfd; -1: none. A worker
		    * has it where keys are isolated, the helper where there
		    * is a gate that serves TLS */
	int sessions; /* the memory that workers share sessions in, see
		       * session_cache.h; -1: none, or taken out */
};

/* Without anything but an empty file set. */
struct generation *
generation_new(uint64_t number);

/* Frees all of it and closes its descriptors (the files and the listeners
 * that are not -1). NULL is legal. */
void
generation_free(struct generation *generation);

/* Blank the secrets in the documents (conf_blank.h); those that hold any are
 * kept as originals, which nobody needs to read to pass them on. -1 with
 * problems. */
int
generation_blank(struct generation *generation, struct error_list *problems)
	__attribute__((warn_unused_result));

/* How many CPUs this process may run on. */
unsigned int
generation_cpu_count(void);

/* How many workers that configuration asks for; `auto` is one for each CPU
 * that this process may run on. Never more than there may be connections. */
unsigned int
generation_worker_count(const struct conf *conf);

#endif
