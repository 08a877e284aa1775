/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Issuers are looked up by the hash of their subject, as a bundle may hold
 * thousands of certificates.
 */
#include "daemon/cli/certificate_issuers.h"

#include <stdlib.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"

struct subject {
	unsigned long hash;
	int index;
};

struct certificate_issuers {
	const STACK_OF(X509) *certificates;
	size_t count;
	struct subject *subjects; /* sorted */
};

static int
compare_subjects(const void *one, const void *other)
{
	const struct subject *left = one, *right = other;

	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	return left->index - right->index;
}

struct certificate_issuers *
certificate_issuers_new(const STACK_OF(X509) *certificates)
{
	struct certificate_issuers *issuers = mem_alloc(sizeof(*issuers));
	int count = sk_X509_num(certificates);

	issuers->certificates = certificates;
	issuers->count = count > 0 ? (size_t)count : 0;
	issuers->subjects =
		mem_array(issuers->count, sizeof(*issuers->subjects));
	for (int i = 0; i < count; i++)
		issuers->subjects[i] = (struct subject){
			X509_subject_name_hash(sk_X509_value(certificates, i)),
			i};
	qsort(issuers->subjects, issuers->count, sizeof(*issuers->subjects),
	      compare_subjects);
	return issuers;
}

void
certificate_issuers_free(struct certificate_issuers *issuers)
{
	if (!issuers)
		return;
	mem_free(issuers->subjects);
	mem_free(issuers);
}

static size_t
find_signer(const struct certificate_issuers *issuers, X509 *certificate)
{
	const struct subject *subjects = issuers->subjects;
	size_t count = issuers->count, low = 0, high = count;
	unsigned long hash = X509_issuer_name_hash(certificate);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (subjects[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && subjects[low].hash == hash; low++) {
		X509 *issuer = sk_X509_value(issuers->certificates,
					     subjects[low].index);
		EVP_PKEY *key = X509_get0_pubkey(issuer);

		if (key &&
		    X509_check_issued(issuer, certificate) == X509_V_OK &&
		    X509_verify(certificate, key) == 1)
			return (size_t)subjects[low].index + 1;
	}
	return 0;
}

size_t
certificate_issuers_find(const struct certificate_issuers *issuers, int index)
{
	X509 *certificate = sk_X509_value(issuers->certificates, index);
	size_t found;

	if (X509_self_signed(certificate, 1) == 1)
		found = (size_t)index + 1;
	else
		found = find_signer(issuers, certificate);
	ERR_clear_error();
	return found;
}
