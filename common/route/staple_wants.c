/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk over the places of certificates, and over the index beside them.
 */
#include "common/route/staple_wants.h"

#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/conf/conf.h"
#include "common/route/certificate_index.h"
#include "common/route/certificate_places.h"
#include "common/tls/staple_table.h"
#include "common/tls/staple_terms.h"

/* Where leaves that have been met stand among the wants, plus one; 0: free. */
struct seen {
	size_t *slots;
	size_t count; /* a power of two, at most half of it used */
};

/* The slot of a leaf, or the free one where it belongs. */
static size_t *
find(const struct seen *seen, const struct staple_wants *wants,
     const unsigned char *digest)
{
	uint64_t hash;

	memcpy(&hash, digest, sizeof(hash));
	for (;; hash++) {
		size_t *slot = &seen->slots[hash & (seen->count - 1)];

		if (*slot == 0 ||
		    memcmp(wants->wants[*slot - 1].certificate->digest, digest,
			   STAPLE_DIGEST_SIZE) == 0)
			return slot;
	}
}

static void
seen_init(struct seen *seen, const struct certificate_index *index)
{
	size_t certificates = 0;

	for (size_t i = 0; i < certificate_index_set_count(index); i++)
		certificates +=
			certificate_index_set(index, i)->certificate_count;
	for (seen->count = 2; seen->count < 2 * certificates;)
		seen->count *= 2;
	seen->slots = mem_array(seen->count, sizeof(*seen->slots));
}

static char *
copy_text(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

static bool
is_same(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

static void
set_way(struct staple_want *want, const struct tls_staple *staple)
{
	mem_free(want->file);
	mem_free(want->responder);
	want->file = copy_text(staple->file);
	want->responder = want->file ? NULL : copy_text(staple->responder);
	want->is_way_given = true;
}

/* Another place of the same certificate: who insists anywhere insists, what is
 * given comes before what the certificate names. */
static void
merge(struct staple_want *want, const struct tls_staple *staple,
      const struct position *at, bool is_must, struct error_list *conflicts)
{
	if (is_must && !want->is_must) {
		want->is_must = true;
		want->at = *at;
	}
	if (!staple->file && !staple->responder)
		return;
	if (!want->is_way_given)
		set_way(want, staple);
	else if (!is_same(want->file, staple->file) ||
		 !is_same(want->responder, staple->responder))
		error_list_addf(conflicts, at,
				"staple for %s: %s is not used, as it is from "
				"%s at another place of the same certificate",
				want->source,
				staple->file ? staple->file : staple->responder,
				want->file ? want->file : want->responder);
}

static void
append(struct staple_wants *wants, const struct staple_want *want)
{
	if ((wants->count & (wants->count - 1)) == 0)
		wants->wants = mem_resize(wants->wants,
					  wants->count ? 2 * wants->count : 1,
					  sizeof(*wants->wants));
	wants->wants[wants->count++] = *want;
}

static void
add(struct staple_wants *wants, struct seen *seen,
    const struct certificate_place *place,
    const struct indexed_certificate *certificate, struct error_list *conflicts)
{
	const struct tls_staple *staple =
		tls_staple_of(place->settings, certificate->entry);
	struct staple_want want = {
		.certificate = certificate,
		.source = certificate_index_source(wants->index, certificate),
		.at = staple->at.line != 0 ? staple->at : place->settings->at,
	};
	struct staple_terms terms;
	const unsigned char *leaf;
	size_t length, *slot;

	if (staple->mode == TLS_STAPLE_OFF)
		return;
	leaf = certificate_index_leaf(wants->index, certificate, &length);
	staple_terms_read(leaf, length, &terms);
	want.is_must = staple->mode == TLS_STAPLE_MUST || terms.is_must_staple;
	if (!staple->file && !staple->responder && !terms.responder.bytes &&
	    !want.is_must)
		return;
	slot = find(seen, wants, certificate->digest);
	if (*slot != 0) {
		merge(&wants->wants[*slot - 1], staple, &want.at, want.is_must,
		      conflicts);
		return;
	}
	if (staple->file || staple->responder)
		set_way(&want, staple);
	else if (terms.responder.bytes)
		want.responder =
			mem_strndup((const char *)terms.responder.bytes,
				    terms.responder.length);
	append(wants, &want);
	*slot = wants->count;
}

void
staple_wants_find(const struct conf *conf, struct certificate_index *index,
		  struct staple_wants *wants, struct error_list *conflicts)
{
	struct certificate_places places;
	struct seen seen;

	*wants = (struct staple_wants){
		.index = certificate_index_ref(index),
	};
	certificate_places_list(conf, &places);
	seen_init(&seen, index);
	for (size_t i = 0; i < places.count; i++) {
		const struct certificate_place *place = &places.places[i];
		const struct indexed_set *set;

		if (!place->is_server ||
		    place->set >= certificate_index_set_count(index))
			continue;
		set = certificate_index_set(index, place->set);
		for (size_t n = 0; n < set->certificate_count; n++)
			add(wants, &seen, place,
			    certificate_index_certificate(index, set, n),
			    conflicts);
	}
	mem_free(seen.slots);
	certificate_places_clear(&places);
}

void
staple_wants_clear(struct staple_wants *wants)
{
	for (size_t i = 0; i < wants->count; i++) {
		mem_free(wants->wants[i].file);
		mem_free(wants->wants[i].responder);
	}
	mem_free(wants->wants);
	certificate_index_unref(wants->index);
	*wants = (struct staple_wants){0};
}

/* Both certificates decoded; the caller frees them. */
static int
decode(const struct staple_wants *wants, const struct staple_want *want,
       struct ocsp_pair *pair, struct error *error)
{
	const unsigned char *leaf, *issuer;
	size_t leaf_length, issuer_length;

	leaf = certificate_index_leaf(wants->index, want->certificate,
				      &leaf_length);
	issuer = certificate_index_issuer(wants->index, want->certificate,
					  &issuer_length);
	*pair = (struct ocsp_pair){0};
	if (!issuer) {
		error_set(error, "its issuer is not known: add the issuer's "
				 "certificate to the file, behind its own");
		return -1;
	}
	pair->certificate = d2i_X509(NULL, &leaf, (long)leaf_length);
	pair->issuer = d2i_X509(NULL, &issuer, (long)issuer_length);
	if (pair->certificate && pair->issuer)
		return 0;
	ERR_clear_error();
	error_set(error, "it cannot be decoded");
	return -1;
}

static void
clear(struct ocsp_pair *pair)
{
	X509_free(pair->certificate);
	X509_free(pair->issuer);
}

unsigned char *
staple_want_request(const struct staple_wants *wants,
		    const struct staple_want *want, size_t *length,
		    struct error *error)
{
	struct ocsp_pair pair;
	unsigned char *request = NULL;

	if (decode(wants, want, &pair, error) == 0)
		request = ocsp_request_new(&pair, 1, NULL, length);
	clear(&pair);
	return request;
}

static void
refuse(struct ocsp_judgement *judgement, const char *sentence)
{
	judgement->status = OCSP_UNUSABLE;
	snprintf(judgement->sentence, sizeof(judgement->sentence), "%.255s",
		 sentence);
}

enum ocsp_status
staple_want_judge(const struct staple_wants *wants,
		  const struct staple_want *want, const void *der,
		  size_t length, int64_t now, struct ocsp_judgement *judgement)
{
	struct error error = {0};
	struct ocsp_pair pair;

	*judgement = (struct ocsp_judgement){0};
	if (decode(wants, want, &pair, &error) != 0)
		refuse(judgement, error.text);
	else
		ocsp_answer_judge(der, length, &pair, NULL, now, judgement);
	clear(&pair);
	if (judgement->status != OCSP_GOOD)
		return judgement->status;
	/* Those who are sent it are not all as patient about clocks. */
	if (judgement->valid_until <= now)
		refuse(judgement, "the answer has expired");
	else if (length > STAPLE_SIZE_MAX)
		refuse(judgement, "the answer is too long to be sent along");
	return judgement->status;
}
