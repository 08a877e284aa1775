/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counted certificate, lists of them, and the names of a leaf. How one is
 * loaded stands in certificate_load.c.
 */
#include "common/tls/certificate.h"

#include <assert.h>
#include <time.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/net/hostname.h"

struct certificate *
certificate_ref(struct certificate *certificate)
{
	certificate->references++;
	assert(certificate->references > 1);
	return certificate;
}

void
certificate_unref(struct certificate *certificate)
{
	if (!certificate)
		return;
	assert(certificate->references > 0);
	if (--certificate->references > 0)
		return;
	for (size_t i = 0; i < certificate->name_count; i++)
		mem_free(certificate->names[i]);
	mem_free(certificate->names);
	mem_free(certificate->source);
	X509_free(certificate->leaf);
	sk_X509_pop_free(certificate->chain, X509_free);
	EVP_PKEY_free(certificate->key);
	mem_free(certificate);
}

/* The array grows by doubling; its capacity is the power of two that count
 * has reached. */
void
certificate_list_add(struct certificate_list *list,
		     struct certificate *certificate)
{
	if ((list->count & (list->count - 1)) == 0)
		list->certificates = mem_resize(
			list->certificates, list->count ? 2 * list->count : 1,
			sizeof(struct certificate *));
	list->certificates[list->count++] = certificate;
}

void
certificate_list_clear(struct certificate_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		certificate_unref(list->certificates[i]);
	mem_free(list->certificates);
	*list = (struct certificate_list){0};
}

static size_t
add_name(char **names, size_t count, const unsigned char *bytes, int length)
{
	char name[HOSTNAME_MAX + 1];

	if (length <= 0 ||
	    hostname_pattern_normalize(bytes, (size_t)length, name) != 0)
		return count;
	names[count] = mem_strdup(name);
	return count + 1;
}

/* The most specific common name, which is the last one. */
static size_t
common_name(const X509 *leaf, char ***names)
{
	const X509_NAME *subject = X509_get_subject_name(leaf);
	unsigned char *text = NULL;
	size_t count = 0;
	int index = -1, last = -1, length;

	while ((index = X509_NAME_get_index_by_NID(subject, NID_commonName,
						   index)) >= 0)
		last = index;
	if (last < 0)
		return 0;
	length = ASN1_STRING_to_UTF8(
		&text,
		X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
	*names = mem_array(1, sizeof(**names));
	count = add_name(*names, 0, text, length);
	OPENSSL_free(text);
	return count;
}

int
certificate_time(const ASN1_TIME *when, int64_t *milliseconds)
{
	struct tm parts;

	if (!ASN1_TIME_to_tm(when, &parts)) {
		ERR_clear_error();
		return -1;
	}
	*milliseconds = (int64_t)timegm(&parts) * 1000;
	return 0;
}

int
certificate_validity(const X509 *certificate, int64_t *not_before_ms,
		     int64_t *not_after_ms)
{
	if (certificate_time(X509_get0_notBefore(certificate), not_before_ms) !=
		    0 ||
	    certificate_time(X509_get0_notAfter(certificate), not_after_ms) !=
		    0)
		return -1;
	return 0;
}

/* *has_dns: there are some that ought to be host names. */
static size_t
alternative_names(const GENERAL_NAMES *alternatives, bool *has_dns,
		  char ***names)
{
	int total = sk_GENERAL_NAME_num(alternatives);
	size_t count = 0;

	*has_dns = false;
	*names = NULL;
	for (int i = 0; i < total; i++) {
		const GENERAL_NAME *name =
			sk_GENERAL_NAME_value(alternatives, i);

		if (name->type != GEN_DNS)
			continue;
		if (!*has_dns)
			*names = mem_array((size_t)total, sizeof(**names));
		*has_dns = true;
		count = add_name(*names, count,
				 ASN1_STRING_get0_data(name->d.dNSName),
				 ASN1_STRING_length(name->d.dNSName));
	}
	if (count == 0)
		mem_free(TAKE(*names));
	return count;
}

size_t
certificate_names_in(const GENERAL_NAMES *alternatives, char ***names)
{
	bool has_dns;

	return alternative_names(alternatives, &has_dns, names);
}

size_t
certificate_names(X509 *leaf, char ***names)
{
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *alternatives =
		X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	bool has_dns;
	size_t count = alternative_names(alternatives, &has_dns, names);

	if (!has_dns) {
		count = common_name(leaf, names);
		if (count == 0)
			mem_free(TAKE(*names));
	}
	ERR_clear_error();
	return count;
}
