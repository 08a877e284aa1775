/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificates of one gate, found by server name. Several may stand under
 * one name, one for each type of key: the client's abilities decide between
 * them, in OpenSSL. (Which are there is the operator's `certificates`; which
 * could be loaded is said in the lists given.)
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_SET_H
#define SEALOCK_ROUTE_CERTIFICATE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/tls/certificate.h"

struct certificate_set;
struct error_list;
struct file_set;
struct tls_settings;

/* Load every entry of settings->certificates. What cannot be loaded is added
 * to broken; if previous (may be NULL) has a copy from the same entry, that is
 * served on and the sentence says so. Warnings: expired, not yet valid, two
 * certificates of one type for one name. Counted; never NULL. */
struct certificate_set *
certificate_set_new(const struct tls_settings *settings,
		    const struct file_set *files,
		    const struct certificate_set *previous,
		    struct error_list *broken, struct error_list *warnings);
struct certificate_set *
certificate_set_ref(struct certificate_set *set);
void
certificate_set_unref(struct certificate_set *set);

bool
certificate_set_is_empty(const struct certificate_set *set);

/* The certificates for a normalized name, at most one of a type, borrowed:
 * of each type the one that names it exactly, else a wildcard's. Returns how
 * many; 0: none has that name. */
size_t
certificate_set_find(const struct certificate_set *set, const char *name,
		     struct certificate *chosen[CERTIFICATE_TYPE_COUNT]);

/* Those for clients that name nothing that is there: the ones marked as
 * default, else the first one with those of other types for its name. */
size_t
certificate_set_default(const struct certificate_set *set,
			struct certificate *chosen[CERTIFICATE_TYPE_COUNT]);

/* The first one of each type that is valid now: what a client has to offer,
 * whose server decides by type. */
size_t
certificate_set_each_type(const struct certificate_set *set,
			  struct certificate *chosen[CERTIFICATE_TYPE_COUNT]);

#endif
