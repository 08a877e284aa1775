/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a configuration takes from the machine beside its own text: the port
 * of a service's name, the system's CA store, the working directory.
 * conf_load() notes what it was told, so that a process without a view of the
 * files can be handed the answers and comes to the same result.
 */
#ifndef SEALOCK_CONF_CONF_FACTS_H
#define SEALOCK_CONF_CONF_FACTS_H

#include <stddef.h>

struct conf_facts;

struct conf_fact {
	char *question; /* "port:https", "system_ca", "directory" */
	char *answer;   /* "443", a path; "": there is none */
};

/* Open ones: the machine is asked for what is not among them. */
struct conf_facts *
conf_facts_new(void);

/* NULL is legal. */
void
conf_facts_free(struct conf_facts *facts);

/* Nothing more is asked: what is not among them is not there. */
void
conf_facts_close(struct conf_facts *facts);

/* A question that has an answer keeps it. */
void
conf_facts_add(struct conf_facts *facts, const char *question,
	       const char *answer);
size_t
conf_facts_count(const struct conf_facts *facts);
const struct conf_fact *
conf_facts_at(const struct conf_facts *facts, size_t index);

/* The port of a TCP service; -1: there is none. */
int
conf_facts_port(struct conf_facts *facts, const char *service);

/* The path of the system's CA store (conf_system_ca_path()); NULL: there is
 * none. Valid until something is added. */
const char *
conf_facts_system_ca(struct conf_facts *facts);

/* Where relative names start; NULL: nobody knows. The same. */
const char *
conf_facts_directory(struct conf_facts *facts);

#endif
