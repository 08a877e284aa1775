/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counted certificate, lists of them, and the names of a leaf. How one is
 * loaded stands in certificate_load.c.
 */
#include "common/tls/certificate.h"

#include <assert.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/asn1_seconds.h"
#include "common/base/mem.h"
#include "common/net/hostname.h"
#include "common/verify/peer_names.h"

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
	X509_free(certificate->issuer);
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

int
certificate_time(const ASN1_TIME *when, int64_t *milliseconds)
{
	int64_t seconds;

	if (asn1_seconds(when, &seconds) != 0)
		return -1;
	*milliseconds = seconds * 1000;
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

/* The array is as large as can be needed, and not there without a name. */
static void
add_name(const struct peer_name *name, size_t room, char ***names,
	 size_t *count)
{
	char host[HOSTNAME_MAX + 1];

	if (hostname_pattern_normalize(name->bytes, name->length, host) != 0)
		return;
	if (*count == 0)
		*names = mem_array(room, sizeof(**names));
	(*names)[(*count)++] = mem_strdup(host);
}

static size_t
alternative_names(const struct peer_names *found, char ***names)
{
	size_t total = peer_names_count(found), count = 0;

	*names = NULL;
	for (size_t i = 0; i < total; i++)
		if (peer_names_at(found, i)->kind == PEER_NAME_DNS)
			add_name(peer_names_at(found, i), total, names, &count);
	return count;
}

size_t
certificate_names_in(const GENERAL_NAMES *alternatives, char ***names)
{
	struct peer_names *found = peer_names_of_alternatives(alternatives);
	size_t count = alternative_names(found, names);

	peer_names_free(found);
	return count;
}

size_t
certificate_names(X509 *leaf, char ***names)
{
	struct peer_names *found = peer_names_new(leaf);
	const struct peer_name *common = peer_names_common_name(found);
	size_t count = alternative_names(found, names);

	if (!peer_names_has(found, PEER_NAME_DNS) && common)
		add_name(common, 1, names, &count);
	peer_names_free(found);
	return count;
}
