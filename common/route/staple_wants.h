/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which certificates of a configuration want a staple, an OCSP answer to be
 * sent along, who has it, and what an answer is worth: for the process that
 * fetches them, and for `sealock check`.
 */
#ifndef SEALOCK_ROUTE_STAPLE_WANTS_H
#define SEALOCK_ROUTE_STAPLE_WANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/verify/ocsp_answer.h"

struct certificate_index;
struct conf;
struct indexed_certificate;

struct staple_want {
	const struct indexed_certificate *certificate; /* the index's */
	const char *source;                            /* the same */
	struct position at; /* where its certificates are configured */
	char *file;         /* where the answer is; NULL: it is fetched */
	char *responder;    /* whom to ask; NULL: nobody */
	bool is_must;       /* by the configuration or the certificate */
	bool is_way_given;  /* file or responder: by the configuration */
};

/* Each certificate once, in the order of the configuration, as workers have one
 * staple for it, wherever it is used. Of several places that have it one is
 * enough to insist; `at` is the first that does. A file or responder that is
 * given at any of them comes before the one that the certificate names, and
 * the first that is given before others. */
struct staple_wants {
	struct certificate_index *index; /* a reference */
	struct staple_want *wants;
	size_t count;
};

/* Those of all accept gates; conflicts: of files and responders that are given
 * and not used, as the same certificate has another one before. There is none
 * for a certificate that names no responder, if nobody insists and there is no
 * file; some have neither file nor responder, where somebody does. The index is
 * of the same configuration. */
void
staple_wants_find(const struct conf *conf, struct certificate_index *index,
		  struct staple_wants *wants, struct error_list *conflicts);

/* Zeroed ones are legal. */
void
staple_wants_clear(struct staple_wants *wants);

/* A request for one (mem_free()). NULL with a sentence when there is none to be
 * made: the certificate's issuer is not known. */
unsigned char *
staple_want_request(const struct staple_wants *wants,
		    const struct staple_want *want, size_t *length,
		    struct error *error);

/* What an answer says, now being seconds since 1970. Only one that is good is a
 * staple, of which *judgement says until when (valid_until, which is after
 * now). Of others the sentence says why they are none; one that is revoked is
 * told as such. */
enum ocsp_status
staple_want_judge(const struct staple_wants *wants,
		  const struct staple_want *want, const void *der,
		  size_t length, int64_t now, struct ocsp_judgement *judgement);

#endif
