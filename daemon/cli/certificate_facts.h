/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a certificate says about itself, as text fit to be shown: every byte
 * of it comes from outside. One table of facts serves people and programs.
 */
#ifndef SEALOCK_CLI_CERTIFICATE_FACTS_H
#define SEALOCK_CLI_CERTIFICATE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <openssl/types.h>

struct json_line;

/* A growing list of words, not escaped yet. */
struct facts_words {
	char **words;
	size_t *lengths; /* as there may be a NUL in one */
	size_t count;
};

enum facts_list {
	FACTS_DNS,
	FACTS_IP,
	FACTS_URI,
	FACTS_EMAIL,
	FACTS_OTHER_NAMES,
	FACTS_KEY_USAGE,
	FACTS_EXTENDED_KEY_USAGE,
	FACTS_OCSP,
	FACTS_CRL,
	FACTS_LIST_COUNT,
};

struct certificate_facts {
	X509 *certificate; /* lent */
	struct facts_words lists[FACTS_LIST_COUNT];
	bool has_validity;
	int64_t not_before_ms;
	int64_t not_after_ms;
	bool is_ca;
	long path_length; /* -1: unlimited, or no CA */
	char key[64];
	char *serial;
	char *signature;
	char sha256[128];     /* "sha256$..." */
	char public_key[128]; /* "sha256$pub$..." */
};

/* facts are zeroed and filled; certificate_facts_clear() frees what is in
 * them. */
void
certificate_facts_read(struct certificate_facts *facts, X509 *certificate);
void
certificate_facts_clear(struct certificate_facts *facts);

/* For people. position and issuer count from 1; issuer 0: it is not there,
 * which missing says in words. */
void
certificate_facts_print(const struct certificate_facts *facts, size_t position,
			size_t issuer, const char *missing, FILE *out);

/* For programs: one JSON object; file may be NULL. */
void
certificate_facts_print_json(const struct certificate_facts *facts,
			     const char *file, size_t position, size_t issuer,
			     struct json_line *line);

#endif
