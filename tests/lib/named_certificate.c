/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings are set and not parsed, so that they can hold anything.
 */
#include "tests/lib/named_certificate.h"

#include <stdlib.h>
#include <openssl/x509v3.h>

#include "common/base/openssl_auto.h"
#include "common/verify/peer_names.h"

static const int types[PEER_NAME_KIND_COUNT] = {
	[PEER_NAME_DNS] = GEN_DNS,       [PEER_NAME_IP] = GEN_IPADD,
	[PEER_NAME_EMAIL] = GEN_EMAIL,   [PEER_NAME_URI] = GEN_URI,
	[PEER_NAME_OTHER] = GEN_DIRNAME,
};

static void
add_alternative(GENERAL_NAMES *alternatives, const struct peer_name *name)
{
	GENERAL_NAME *added = GENERAL_NAME_new();

	if (name->kind == PEER_NAME_OTHER) {
		GENERAL_NAME_set0_value(added, GEN_DIRNAME, X509_NAME_new());
	} else {
		ASN1_STRING *value = ASN1_STRING_type_new(
			name->kind == PEER_NAME_IP ? V_ASN1_OCTET_STRING
						   : V_ASN1_IA5STRING);

		ASN1_STRING_set(value, name->bytes, (int)name->length);
		GENERAL_NAME_set0_value(added, types[name->kind], value);
	}
	if (!sk_GENERAL_NAME_push(alternatives, added))
		abort();
}

/* Added by its number and then given its bytes: what adds one would check
 * them. */
static void
add_to_subject(X509_NAME *subject, const struct peer_name *name)
{
	X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_NID(
		NULL,
		name->kind == PEER_NAME_CN ? NID_commonName
					   : NID_organizationalUnitName,
		V_ASN1_UTF8STRING, (const unsigned char *)"x", 1);

	ASN1_STRING_set(X509_NAME_ENTRY_get_data(entry), name->bytes,
			(int)name->length);
	if (!X509_NAME_add_entry(subject, entry, -1, 0))
		abort();
	X509_NAME_ENTRY_free(entry);
}

X509 *
named_certificate(const struct peer_name *names, size_t count)
{
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *alternatives = GENERAL_NAMES_new();
	X509_NAME *subject = X509_NAME_new();
	X509 *certificate = X509_new();

	if (!alternatives || !subject || !certificate)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (names[i].kind == PEER_NAME_CN ||
		    names[i].kind == PEER_NAME_OU)
			add_to_subject(subject, &names[i]);
		else
			add_alternative(alternatives, &names[i]);
	}
	if (!X509_set_subject_name(certificate, subject))
		abort();
	if (sk_GENERAL_NAME_num(alternatives) > 0 &&
	    X509_add1_ext_i2d(certificate, NID_subject_alt_name, alternatives,
			      0, X509V3_ADD_DEFAULT) != 1)
		abort();
	X509_NAME_free(subject);
	return certificate;
}
