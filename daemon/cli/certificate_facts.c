/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathering. How facts are shown stands in certificate_facts_print.c.
 */
#include "daemon/cli/certificate_facts.h"

#include <arpa/inet.h>
#include <string.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/tls/certificate.h"
#include "common/verify/fingerprint.h"
#include "common/verify/peer_names.h"

static const struct {
	uint32_t bit;
	const char *word;
} key_usages[] = {
	{KU_DIGITAL_SIGNATURE, "digitalSignature"},
	{KU_NON_REPUDIATION, "nonRepudiation"},
	{KU_KEY_ENCIPHERMENT, "keyEncipherment"},
	{KU_DATA_ENCIPHERMENT, "dataEncipherment"},
	{KU_KEY_AGREEMENT, "keyAgreement"},
	{KU_KEY_CERT_SIGN, "keyCertSign"},
	{KU_CRL_SIGN, "cRLSign"},
	{KU_ENCIPHER_ONLY, "encipherOnly"},
	{KU_DECIPHER_ONLY, "decipherOnly"},
};

static void
add_word(struct facts_words *list, const void *bytes, size_t length)
{
	char *word = mem_alloc(length + 1);

	if (length > 0)
		memcpy(word, bytes, length);
	list->words = mem_resize(list->words, list->count + 1, sizeof(char *));
	list->lengths =
		mem_resize(list->lengths, list->count + 1, sizeof(size_t));
	list->words[list->count] = word;
	list->lengths[list->count++] = length;
}

static void
add_text(struct facts_words *list, const char *text)
{
	add_word(list, text, strlen(text));
}

static void
add_string(struct facts_words *list, const ASN1_STRING *string)
{
	add_word(list, ASN1_STRING_get0_data(string),
		 (size_t)ASN1_STRING_length(string));
}

static void
read_names(struct certificate_facts *facts)
{
	static const enum facts_list lists[PEER_NAME_KIND_COUNT] = {
		[PEER_NAME_DNS] = FACTS_DNS,
		[PEER_NAME_IP] = FACTS_IP,
		[PEER_NAME_EMAIL] = FACTS_EMAIL,
		[PEER_NAME_URI] = FACTS_URI,
		[PEER_NAME_OTHER] = FACTS_OTHER_NAMES,
		[PEER_NAME_UNREADABLE] = FACTS_OTHER_NAMES,
		/* The subject is shown as a whole. */
		[PEER_NAME_CN] = FACTS_LIST_COUNT,
		[PEER_NAME_OU] = FACTS_LIST_COUNT,
	};
	struct peer_names *names = peer_names_new(facts->certificate);
	char address[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < peer_names_count(names); i++) {
		const struct peer_name *name = peer_names_at(names, i);
		enum facts_list list = lists[name->kind];

		if (name->kind == PEER_NAME_IP)
			add_text(&facts->lists[list],
				 peer_name_format(name, address,
						  sizeof(address)));
		else if (list != FACTS_LIST_COUNT)
			add_word(&facts->lists[list], name->bytes,
				 name->length);
	}
	peer_names_free(names);
}

static void
read_usages(struct certificate_facts *facts)
{
	EXTENDED_KEY_USAGE *extended = X509_get_ext_d2i(
		facts->certificate, NID_ext_key_usage, NULL, NULL);
	uint32_t usage = X509_get_key_usage(facts->certificate);
	bool has_usage = (X509_get_extension_flags(facts->certificate) &
			  EXFLAG_KUSAGE) != 0;
	char text[80];

	for (size_t i = 0; has_usage && i < ARRAY_SIZE(key_usages); i++)
		if (usage & key_usages[i].bit)
			add_text(&facts->lists[FACTS_KEY_USAGE],
				 key_usages[i].word);
	for (int i = 0; i < sk_ASN1_OBJECT_num(extended); i++) {
		const ASN1_OBJECT *object = sk_ASN1_OBJECT_value(extended, i);
		int nid = OBJ_obj2nid(object);

		if (nid != NID_undef)
			snprintf(text, sizeof(text), "%s", OBJ_nid2sn(nid));
		else
			OBJ_obj2txt(text, sizeof(text), object, 1);
		add_text(&facts->lists[FACTS_EXTENDED_KEY_USAGE], text);
	}
	EXTENDED_KEY_USAGE_free(extended);
}

static void
read_responders(struct certificate_facts *facts)
{
	STACK_OF(OPENSSL_STRING) *uris = X509_get1_ocsp(facts->certificate);

	for (int i = 0; i < sk_OPENSSL_STRING_num(uris); i++)
		add_text(&facts->lists[FACTS_OCSP],
			 sk_OPENSSL_STRING_value(uris, i));
	X509_email_free(uris);
}

/* Places by name: one relative to the issuer is nothing to be fetched from. */
static void
read_revocation_lists(struct certificate_facts *facts)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(
		facts->certificate, NID_crl_distribution_points, NULL, NULL);

	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT_NAME *place =
			sk_DIST_POINT_value(points, i)->distpoint;
		const GENERAL_NAMES *names =
			place && place->type == 0 ? place->name.fullname : NULL;

		for (int k = 0; k < sk_GENERAL_NAME_num(names); k++) {
			const GENERAL_NAME *name =
				sk_GENERAL_NAME_value(names, k);

			if (name->type == GEN_URI)
				add_string(&facts->lists[FACTS_CRL],
					   name->d.uniformResourceIdentifier);
		}
	}
	CRL_DIST_POINTS_free(points);
}

static void
read_serial(struct certificate_facts *facts)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(
		X509_get0_serialNumber(facts->certificate), NULL);
	char *hex = number ? BN_bn2hex(number) : NULL;

	facts->serial = mem_strdup(hex ? hex : "");
	OPENSSL_free(hex);
	BN_free(number);
}

static void
read_signature(struct certificate_facts *facts)
{
	const X509_ALGOR *algorithm;
	const ASN1_OBJECT *object;
	char text[80];

	X509_get0_signature(NULL, &algorithm, facts->certificate);
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	if (OBJ_obj2txt(text, sizeof(text), object, 0) <= 0)
		text[0] = '\0';
	facts->signature = mem_strdup(text);
}

static void
read_fingerprint(const X509 *certificate, bool is_of_key, char *buffer,
		 size_t size)
{
	struct fingerprint made;

	if (fingerprint_make(certificate, "sha256", is_of_key, &made, NULL) ==
	    0)
		fingerprint_format(&made, buffer, size);
}

void
certificate_facts_read(struct certificate_facts *facts, X509 *certificate)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);

	*facts = (struct certificate_facts){.certificate = certificate};
	facts->has_validity =
		certificate_validity(certificate, &facts->not_before_ms,
				     &facts->not_after_ms) == 0;
	facts->is_ca = X509_check_ca(certificate) == 1;
	facts->path_length = X509_get_pathlen(certificate);
	if (key)
		certificate_key_format(key, facts->key, sizeof(facts->key));
	else
		snprintf(facts->key, sizeof(facts->key), "unreadable");
	read_fingerprint(certificate, false, facts->sha256,
			 sizeof(facts->sha256));
	read_fingerprint(certificate, true, facts->public_key,
			 sizeof(facts->public_key));
	read_names(facts);
	read_usages(facts);
	read_responders(facts);
	read_revocation_lists(facts);
	read_serial(facts);
	read_signature(facts);
	ERR_clear_error();
}

void
certificate_facts_clear(struct certificate_facts *facts)
{
	for (size_t i = 0; i < FACTS_LIST_COUNT; i++) {
		for (size_t j = 0; j < facts->lists[i].count; j++)
			mem_free(facts->lists[i].words[j]);
		mem_free(facts->lists[i].words);
		mem_free(facts->lists[i].lengths);
	}
	mem_free(facts->serial);
	mem_free(facts->signature);
	*facts = (struct certificate_facts){0};
}
