/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One certificate, its issuer, and all lists there are.
 */
#include "common/verify/crl_index.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/verify/crl_index_own.h"
#include "common/verify/crl_signature.h"

/* A question, and what is asked again and again for it. */
struct question {
	X509 *certificate;
	X509 *issuer;
	const X509_NAME *issuer_name; /* as the certificate has it */
	const unsigned char *name;    /* its DER */
	size_t name_length;
	const ASN1_OCTET_STRING *key_id; /* of the issuer's key, or NULL */
	EVP_PKEY *key;
	uint8_t key_digest[32];
	CRL_DIST_POINTS *points; /* the certificate's, or NULL */
	bool is_ca;
	int64_t now;
};

/* A list, and where it is. */
struct candidate {
	struct crl_index *index;
	const struct crl_list *list;
	struct crl_layout layout;
};

enum validity {
	VALIDITY_FUTURE,
	VALIDITY_PAST,
	VALIDITY_NOW,
};

static bool
begin(struct question *question, X509 *certificate, X509 *issuer, int64_t now)
{
	unsigned char *key = NULL;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &key);
	bool is_good;

	*question = (struct question){
		.certificate = certificate,
		.issuer = issuer,
		.issuer_name = X509_get_issuer_name(certificate),
		.key_id = X509_get0_subject_key_id(issuer),
		.key = X509_get0_pubkey(issuer),
		.is_ca = X509_check_ca(certificate) == 1,
		.points = X509_get_ext_d2i(
			certificate, NID_crl_distribution_points, NULL, NULL),
		.now = now,
	};
	is_good = length > 0 &&
		  EVP_Digest(key, (size_t)length, question->key_digest, NULL,
			     EVP_sha256(), NULL) &&
		  question->key &&
		  X509_NAME_get0_der(question->issuer_name, &question->name,
				     &question->name_length);
	OPENSSL_free(key);
	return is_good;
}

/* Names that differ in capitals or spaces alone are the same (RFC 5280 7.1). */
static bool
is_issuer(const struct candidate *list, const struct question *question)
{
	const unsigned char *bytes = list->index->memory + list->layout.issuer;
	size_t length = list->list->issuer_length;
	X509_NAME *name;
	bool is_same;

	if (length == question->name_length &&
	    memcmp(bytes, question->name, length) == 0)
		return true;
	name = d2i_X509_NAME(NULL, &bytes, (long)length);
	is_same = name && X509_NAME_cmp(name, question->issuer_name) == 0;
	X509_NAME_free(name);
	return is_same;
}

static bool
is_key(const struct candidate *list, const struct question *question)
{
	const ASN1_OCTET_STRING *id = question->key_id;

	if (list->list->key_id_length == 0 || !id)
		return true;
	return (size_t)ASN1_STRING_length(id) == list->list->key_id_length &&
	       memcmp(ASN1_STRING_get0_data(id),
		      list->index->memory + list->layout.key_id,
		      list->list->key_id_length) == 0;
}

static bool
has_name(const struct candidate *list, GENERAL_NAME *name)
{
	struct der_span all = {list->index->memory + list->layout.names,
			       list->list->names_length};
	struct der_span content, whole;
	unsigned char *bytes = NULL;
	int length = i2d_GENERAL_NAME(name, &bytes);
	bool is_found = false;
	unsigned char tag;

	while (!is_found && length > 0 && all.length > 0 &&
	       der_take(&all, &tag, &content, &whole))
		is_found = der_is_equal(&whole, bytes, (size_t)length);
	OPENSSL_free(bytes);
	return is_found;
}

/* A shard covers the certificates that name its distribution point, for all
 * reasons and with no other issuer (RFC 5280 6.3.3 b). */
static bool
is_for_point(const struct candidate *list, const DIST_POINT *point)
{
	const GENERAL_NAMES *names;

	if (point->reasons || point->CRLissuer || !point->distpoint ||
	    point->distpoint->type != 0)
		return false;
	names = point->distpoint->name.fullname;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (has_name(list, sk_GENERAL_NAME_value(names, i)))
			return true;
	return false;
}

static bool
is_covered(const struct candidate *list, const struct question *question)
{
	if ((list->list->scope & CRL_SCOPE_USERS && question->is_ca) ||
	    (list->list->scope & CRL_SCOPE_CAS && !question->is_ca))
		return false;
	if (list->list->names_length == 0)
		return true;
	for (int i = 0; i < sk_DIST_POINT_num(question->points); i++)
		if (is_for_point(list,
				 sk_DIST_POINT_value(question->points, i)))
			return true;
	return false;
}

static bool
verify(const struct candidate *list, const struct question *question)
{
	const unsigned char *memory = list->index->memory;
	struct der_span algorithm = {memory + list->layout.algorithm,
				     list->list->algorithm_length};
	struct der_span message = {memory + list->layout.message,
				   list->list->message_length};
	struct der_span signature = {memory + list->layout.signature,
				     list->list->signature_length};
	struct crl_method method;

	if (crl_method_find(&algorithm, &method, NULL) != 0)
		return false;
	return crl_signature_verify(&method, &message, &signature,
				    question->key);
}

/* Once for each key; a certificate cannot make us do it for each handshake. */
static bool
is_signed(const struct candidate *list, const struct question *question)
{
	struct crl_known *known =
		&list->index->known[list->list - list->index->lists];
	unsigned int place = known->next;

	for (unsigned int i = 0; i < CRL_KNOWN_KEYS; i++)
		if (known->keys[i].is_there &&
		    memcmp(known->keys[i].key, question->key_digest,
			   sizeof(question->key_digest)) == 0)
			return known->keys[i].is_good;
	known->next = (place + 1) % CRL_KNOWN_KEYS;
	memcpy(known->keys[place].key, question->key_digest,
	       sizeof(question->key_digest));
	known->keys[place].is_there = true;
	known->keys[place].is_good = verify(list, question);
	return known->keys[place].is_good;
}

static enum validity
validity(const struct crl_list *list, int64_t now)
{
	if (list->this_update > now)
		return VALIDITY_FUTURE;
	return list->next_update > now ? VALIDITY_NOW : VALIDITY_PAST;
}

static bool
is_number_higher(const struct candidate *one, const struct candidate *other)
{
	uint32_t length = one->list->number_length;

	if (length != other->list->number_length)
		return length > other->list->number_length;
	return memcmp(one->index->memory + one->layout.number,
		      other->index->memory + other->layout.number, length) > 0;
}

static bool
is_better(const struct candidate *one, const struct candidate *than,
	  int64_t now)
{
	enum validity mine = validity(one->list, now), its;

	if (!than->list)
		return true;
	its = validity(than->list, now);
	if (mine != its)
		return mine > its;
	if (one->list->this_update != than->list->this_update)
		return one->list->this_update > than->list->this_update;
	return is_number_higher(one, than);
}

/* The first list that could be that issuer's. */
static uint32_t
find_first(const struct crl_index *index, uint32_t hash)
{
	uint32_t low = 0, high = index->header->list_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (index->lists[middle].issuer_hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Of one index: the best list, if it is better than what there is; says whether
 * there was one with another's signature. */
static void
find_best(struct crl_index *index, const struct question *question,
	  uint32_t hash, struct candidate *best, bool *is_any_bad)
{
	for (uint32_t i = find_first(index, hash);
	     i < index->header->list_count &&
	     index->lists[i].issuer_hash == hash;
	     i++) {
		struct candidate one = {.index = index,
					.list = &index->lists[i]};

		crl_layout_compute(one.list, &one.layout);
		if (!is_issuer(&one, question) || !is_key(&one, question) ||
		    !is_covered(&one, question) ||
		    !is_better(&one, best, question->now))
			continue;
		if (is_signed(&one, question))
			*best = one;
		else
			*is_any_bad = true;
	}
}

/* A serial number as the index has it; 0: it is too long for this list. */
static size_t
serial_key(X509 *certificate, unsigned char *key, size_t size)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	unsigned char *bytes = NULL;
	int length = i2d_ASN1_INTEGER(serial, &bytes);
	struct der_span all = {bytes, length > 0 ? (size_t)length : 0};
	struct der_span content;
	size_t used = 0;

	if (length > 0 && der_take_tag(&all, DER_INTEGER, &content, NULL) &&
	    content.length < size) {
		memset(key, 0, size);
		key[0] = (unsigned char)content.length;
		memcpy(key + 1, content.bytes, content.length);
		used = size;
	}
	OPENSSL_free(bytes);
	return used;
}

static const char *
reason_word(uint8_t reason)
{
	static const char *const words[] = {
		"unspecified",        "keyCompromise", "cACompromise",
		"affiliationChanged", "superseded",    "cessationOfOperation",
		"certificateHold",    "unknown",       "removeFromCRL",
		"privilegeWithdrawn", "aACompromise",
	};

	return reason < ARRAY_SIZE(words) ? words[reason] : "unknown";
}

static bool
is_revoked(const struct candidate *list, X509 *certificate,
	   struct crl_finding *finding)
{
	const unsigned char *memory = list->index->memory;
	const size_t size = list->list->serial_size;
	unsigned char key[1 + CRL_SERIAL_MAX];
	uint32_t low = 0, high = list->list->entry_count;

	if (high == 0 || serial_key(certificate, key, size) == 0)
		return false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = memcmp(memory + list->layout.serials +
					   (size_t)middle * size,
				   key, size);

		if (order == 0) {
			memcpy(&finding->revoked_at,
			       memory + list->layout.dates +
				       middle * sizeof(int64_t),
			       sizeof(finding->revoked_at));
			finding->reason = reason_word(
				memory[list->layout.reasons + middle]);
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static enum crl_answer
judge(const struct candidate *best, const struct question *question,
      bool is_expired_good, struct crl_finding *finding)
{
	enum validity when = validity(best->list, question->now);
	struct crl_known *known =
		&best->index->known[best->list - best->index->lists];

	crl_index_fill(best->index, best->list, finding);
	finding->is_expired = when == VALIDITY_PAST;
	if (finding->is_expired && is_expired_good) {
		finding->is_news = !known->is_expiry_told;
		known->is_expiry_told = true;
	}
	if (is_revoked(best, question->certificate, finding))
		return CRL_REVOKED;
	switch (when) {
	case VALIDITY_FUTURE:
		return CRL_NOT_YET_VALID;
	case VALIDITY_PAST:
		return is_expired_good ? CRL_GOOD : CRL_EXPIRED;
	case VALIDITY_NOW:
		return CRL_GOOD;
	}
	abort();
}

static enum crl_answer
answer(struct crl_index *const *indexes, size_t count,
       const struct question *question, bool is_expired_good,
       struct crl_finding *finding)
{
	struct candidate best = {0};
	bool is_any_bad = false;
	int is_hashed = 0;
	uint32_t hash = (uint32_t)X509_NAME_hash_ex(question->issuer_name, NULL,
						    NULL, &is_hashed);

	if (!is_hashed)
		return CRL_MISSING;
	for (size_t i = 0; i < count; i++)
		find_best(indexes[i], question, hash, &best, &is_any_bad);
	if (!best.list)
		return is_any_bad ? CRL_BAD_SIGNATURE : CRL_MISSING;
	/* RFC 5280 6.3.3 f; nothing is said where there is no extension. */
	if (!(X509_get_key_usage(question->issuer) & KU_CRL_SIGN))
		return CRL_BAD_ISSUER;
	return judge(&best, question, is_expired_good, finding);
}

enum crl_answer
crl_index_check(struct crl_index *const *indexes, size_t count,
		X509 *certificate, X509 *issuer, int64_t now,
		bool is_expired_good, struct crl_finding *finding)
{
	enum crl_answer found = CRL_MISSING;
	struct question question;

	*finding = (struct crl_finding){0};
	if (begin(&question, certificate, issuer, now))
		found = answer(indexes, count, &question, is_expired_good,
			       finding);
	CRL_DIST_POINTS_free(question.points);
	ERR_clear_error();
	return found;
}
