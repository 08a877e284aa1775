/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names in a certificate, taken out once: everything that compares a
 * peer's names, or shows them, asks here.
 */
#ifndef SEALOCK_VERIFY_PEER_NAMES_H
#define SEALOCK_VERIFY_PEER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>
#include <openssl/x509v3.h>

enum peer_name_kind {
	PEER_NAME_DNS, /* subjectAltName, as they are in the certificate */
	PEER_NAME_IP,  /* 4 or 16 octets */
	PEER_NAME_EMAIL,
	PEER_NAME_URI,
	PEER_NAME_OTHER,      /* an alternative name of a kind that nothing is
			       * compared with: a word of ours that says which */
	PEER_NAME_UNREADABLE, /* alternative names that cannot be read, or an
			       * extension that is there twice: any name may
			       * be among them; a word of ours */
	PEER_NAME_CN,         /* of the subject, in UTF-8 */
	PEER_NAME_OU,
	PEER_NAME_KIND_COUNT,
};

/* The bytes come from outside: NULs, control bytes and what is no UTF-8 may be
 * among them. A subject's name that cannot be read is there without bytes. */
struct peer_name {
	enum peer_name_kind kind;
	const char *bytes;
	size_t length;
};

struct peer_names;

/* All names of a certificate: the alternative ones in their order, then the
 * CNs and OUs of the subject, the most specific last. Time and memory are
 * linear in the certificate's size. OpenSSL's queue is left as it was found. */
struct peer_names *
peer_names_new(const X509 *certificate) __attribute__((returns_nonnull));

/* Of the content of a subjectAltName alone; NULL is an empty one. */
struct peer_names *
peer_names_of_alternatives(const GENERAL_NAMES *alternatives)
	__attribute__((returns_nonnull));

void
peer_names_free(struct peer_names *names);

size_t
peer_names_count(const struct peer_names *names);

/* index is below the count; the name is valid as long as names. */
const struct peer_name *
peer_names_at(const struct peer_names *names, size_t index);

/* The most specific CN, which is the last one, or NULL. */
const struct peer_name *
peer_names_common_name(const struct peer_names *names);

/* Is there an alternative name of that kind? */
bool
peer_names_has(const struct peer_names *names, enum peer_name_kind kind);

/* "dns", "ip", "email", "uri", "other", "unreadable", "cn", "ou". */
const char *
peer_name_kind_word(enum peer_name_kind kind);

/* A name made fit to be read (text_escape(); an address in its usual form), at
 * most size bytes with the NUL; returns buffer. */
const char *
peer_name_format(const struct peer_name *name, char *buffer, size_t size);

#endif
