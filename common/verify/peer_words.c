/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every text of a certificate goes through text_escape().
 */
#include "common/verify/peer_words.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/text.h"

#define NAMES_SHOWN 5

const char *
peer_words_name(const X509_NAME *name, char *buffer, size_t size)
{
	const unsigned long flags = XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV |
				    XN_FLAG_FN_SN | ASN1_STRFLGS_UTF8_CONVERT;
	BIO *out = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	long length = 0;

	if (out && X509_NAME_print_ex(out, name, 0, flags) >= 0)
		length = BIO_get_mem_data(out, &bytes);
	if (length > 0)
		text_escape(bytes, (size_t)length, buffer, size);
	else
		snprintf(buffer, size, "(no name)");
	BIO_free(out);
	ERR_clear_error();
	return buffer;
}

/* One more word of a list, as long as it fits. */
static void
add_word(char *buffer, size_t size, const void *bytes, size_t length)
{
	size_t used = strlen(buffer);
	char word[80];

	text_escape(bytes, length, word, sizeof(word));
	if (used + strlen(word) + sizeof(", and 1000000 more") < size)
		snprintf(buffer + used, size - used, "%s%s",
			 used > 0 ? ", " : "", word);
}

static void
add_string(char *buffer, size_t size, const ASN1_STRING *string)
{
	add_word(buffer, size, ASN1_STRING_get0_data(string),
		 (size_t)ASN1_STRING_length(string));
}

static void
add_alternative(char *buffer, size_t size, const GENERAL_NAME *name)
{
	char text[INET6_ADDRSTRLEN];
	const ASN1_OCTET_STRING *address;

	if (name->type == GEN_DNS) {
		add_string(buffer, size, name->d.dNSName);
		return;
	}
	address = name->d.iPAddress;
	if (inet_ntop(ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6,
		      ASN1_STRING_get0_data(address), text, sizeof(text)))
		add_word(buffer, size, text, strlen(text));
}

static bool
is_host(const GENERAL_NAME *name)
{
	int length;

	if (name->type == GEN_DNS)
		return true;
	if (name->type != GEN_IPADD)
		return false;
	length = ASN1_STRING_length(name->d.iPAddress);
	return length == 4 || length == 16;
}

static int
list_alternatives(X509 *certificate, char *buffer, size_t size)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t used;
	int count = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (is_host(name) && count++ < NAMES_SHOWN)
			add_alternative(buffer, size, name);
	}
	used = strlen(buffer);
	if (count > NAMES_SHOWN)
		snprintf(buffer + used, size - used, " and %d more",
			 count - NAMES_SHOWN);
	GENERAL_NAMES_free(names);
	return count;
}

static int
list_common_names(X509 *certificate, char *buffer, size_t size)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int count = 0, at = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >=
	       0)
		if (count++ < NAMES_SHOWN)
			add_string(buffer, size,
				   X509_NAME_ENTRY_get_data(
					   X509_NAME_get_entry(subject, at)));
	return count;
}

enum peer_words_kind
peer_words_names(X509 *certificate, char *buffer, size_t size)
{
	enum peer_words_kind kind = PEER_WORDS_NONE;

	buffer[0] = '\0';
	if (list_alternatives(certificate, buffer, size) > 0)
		kind = PEER_WORDS_ALTERNATIVE;
	else if (list_common_names(certificate, buffer, size) > 0)
		kind = PEER_WORDS_COMMON_NAME;
	ERR_clear_error();
	return kind;
}

const char *
peer_words_date(time_t when, char *buffer, size_t size)
{
	struct tm parts;

	if (!gmtime_r(&when, &parts) ||
	    strftime(buffer, size, "%Y-%m-%d", &parts) == 0)
		snprintf(buffer, size, "(no date)");
	return buffer;
}

bool
peer_words_purposes(X509 *certificate, char *buffer, size_t size)
{
	EXTENDED_KEY_USAGE *purposes =
		X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool is_limited = purposes != NULL;
	char text[80];

	buffer[0] = '\0';
	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++) {
		const ASN1_OBJECT *object = sk_ASN1_OBJECT_value(purposes, i);
		int nid = OBJ_obj2nid(object);

		if (nid != NID_undef)
			snprintf(text, sizeof(text), "%s", OBJ_nid2sn(nid));
		else if (OBJ_obj2txt(text, sizeof(text), object, 1) <= 0)
			continue;
		add_word(buffer, size, text, strlen(text));
	}
	EXTENDED_KEY_USAGE_free(purposes);
	ERR_clear_error();
	return is_limited;
}

const char *
peer_words_signature(X509 *certificate, char *buffer, size_t size)
{
	const X509_ALGOR *algorithm;
	const ASN1_OBJECT *object;

	X509_get0_signature(NULL, &algorithm, certificate);
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	if (OBJ_obj2txt(buffer, (int)size, object, 0) <= 0)
		snprintf(buffer, size, "an unknown algorithm");
	ERR_clear_error();
	return buffer;
}

static bool
take_uri(const GENERAL_NAME *name, char *buffer, size_t size)
{
	const ASN1_IA5STRING *uri;

	if (buffer[0] || name->type != GEN_URI)
		return false;
	uri = name->d.uniformResourceIdentifier;
	text_escape(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri),
		    buffer, size);
	return buffer[0] != '\0';
}

bool
peer_words_issuer_place(X509 *certificate, char *buffer, size_t size)
{
	AUTHORITY_INFO_ACCESS *access =
		X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);

	buffer[0] = '\0';
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
		const ACCESS_DESCRIPTION *entry =
			sk_ACCESS_DESCRIPTION_value(access, i);

		if (OBJ_obj2nid(entry->method) == NID_ad_ca_issuers &&
		    take_uri(entry->location, buffer, size))
			break;
	}
	AUTHORITY_INFO_ACCESS_free(access);
	ERR_clear_error();
	return buffer[0] != '\0';
}

bool
peer_words_crl_place(X509 *certificate, char *buffer, size_t size)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(
		certificate, NID_crl_distribution_points, NULL, NULL);

	buffer[0] = '\0';
	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT_NAME *place =
			sk_DIST_POINT_value(points, i)->distpoint;
		const GENERAL_NAMES *names =
			place && place->type == 0 ? place->name.fullname : NULL;

		for (int k = 0; k < sk_GENERAL_NAME_num(names); k++)
			(void)take_uri(sk_GENERAL_NAME_value(names, k), buffer,
				       size);
	}
	CRL_DIST_POINTS_free(points);
	ERR_clear_error();
	return buffer[0] != '\0';
}
