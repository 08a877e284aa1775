/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands in a certificate as words of a sentence: short, escaped, cut
 * where they grow long. For people; nothing is decided by them.
 */
#ifndef SEALOCK_VERIFY_PEER_WORDS_H
#define SEALOCK_VERIFY_PEER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <openssl/types.h>

enum peer_words_kind {
	PEER_WORDS_NONE,        /* there are none */
	PEER_WORDS_ALTERNATIVE, /* of the subjectAltName */
	PEER_WORDS_COMMON_NAME, /* no such extension: of the subject */
};

/* CN=example.org, O=Example; first things first. Returns buffer. */
const char *
peer_words_name(const X509_NAME *name, char *buffer, size_t size);

/* The names that a host can be looked for under, DNS names and addresses, the
 * first few and how many more there are. */
enum peer_words_kind
peer_words_names(X509 *certificate, char *buffer, size_t size);

/* 2026-11-22, in UTC. Returns buffer. */
const char *
peer_words_date(time_t when, char *buffer, size_t size);

/* clientAuth, emailProtection ...; false: not limited. */
bool
peer_words_purposes(X509 *certificate, char *buffer, size_t size);

/* ecdsa-with-SHA256. Returns buffer. */
const char *
peer_words_signature(X509 *certificate, char *buffer, size_t size);

/* The first URI from which the issuer's certificate (authorityInfoAccess) or
 * its revocation list can be had; false: the certificate names none. */
bool
peer_words_issuer_place(X509 *certificate, char *buffer, size_t size);
bool
peer_words_crl_place(X509 *certificate, char *buffer, size_t size);

#endif
