/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Revocation lists as CAs publish them: whatever is taken, the index of it is
 * right; and of a list that OpenSSL reads as well, we have read the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/verify/crl_index.h"
#include "common/verify/crl_index_write.h"
#include "common/verify/crl_parse.h"

#define REASON_REMOVED 8

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int64_t
seconds_of(const ASN1_TIME *time)
{
	struct tm parts;
	int is_time = ASN1_TIME_to_tm(time, &parts);

	assert(is_time);
	return (int64_t)timegm(&parts);
}

static bool
is_removed(const X509_REVOKED *revoked)
{
	ASN1_ENUMERATED *reason =
		X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);
	bool is_it = reason && ASN1_ENUMERATED_get(reason) == REASON_REMOVED;

	ASN1_ENUMERATED_free(reason);
	return is_it;
}

static void
compare_entry(const struct crl_entry *ours, const X509_REVOKED *theirs)
{
	const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(theirs);
	const ASN1_TIME *date = X509_REVOKED_get0_revocationDate(theirs);
	unsigned char *der = NULL;
	int length = i2d_ASN1_INTEGER(serial, &der);

	/* Short enough to have a head of two bytes. */
	assert(length == 2 + (int)ours->length);
	assert(memcmp(der + 2, ours->serial, ours->length) == 0);
	OPENSSL_free(der);
	/* A leap second or the 31st of June is nothing for it. */
	if (ASN1_TIME_check(date))
		assert(seconds_of(date) == ours->date);
}

/* OpenSSL takes a closer look at what we pass over, and may refuse it. */
static void
compare(const struct crl_parsed *ours, const uint8_t *bytes, size_t length)
{
	X509_CRL *theirs = d2i_X509_CRL(NULL, &bytes, (long)length);
	STACK_OF(X509_REVOKED) *entries =
		theirs ? X509_CRL_get_REVOKED(theirs) : NULL;
	const ASN1_TIME *next;
	size_t count = 0;

	for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);

		if (is_removed(entry))
			continue;
		assert(count < ours->count);
		compare_entry(&ours->entries[count++], entry);
	}
	if (theirs) {
		assert(count == ours->count);
		next = X509_CRL_get0_nextUpdate(theirs);
		assert(!next == (ours->next_update == CRL_NEVER));
		if (next && ASN1_TIME_check(next))
			assert(seconds_of(next) == ours->next_update);
	}
	X509_CRL_free(theirs);
	ERR_clear_error();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	int descriptor = sealed_begin("lists");
	struct crl_index_writer *writer = crl_index_writer_new(descriptor);
	struct error error = {0};
	struct crl_parsed parsed;
	int count;

	assert(descriptor >= 0);
	if (crl_parse(bytes, length, &parsed, &error) == 0)
		compare(&parsed, bytes, length);
	else
		assert(error.text[0] != '\0');
	crl_parsed_clear(&parsed);
	count = crl_index_writer_add(writer, "/lists", bytes, length, &error);
	if (count >= 0 && crl_index_writer_finish(writer, &error) == 0 &&
	    sealed_end(descriptor) == 0) {
		struct crl_index *index = crl_index_open(descriptor, &error);

		assert(index && crl_index_count(index) == (size_t)count);
		crl_index_unref(index);
	}
	crl_index_writer_free(writer);
	close(descriptor);
	return 0;
}
