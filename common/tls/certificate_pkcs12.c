/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The box is unpacked here rather than by PKCS12_parse(), which loses every
 * key but the first, and in OpenSSL 3.0 refuses an encrypted box that has no
 * MAC.
 *
 *	box: a MAC, and safes, each encrypted or not
 *	safe: bags
 *	bag: a certificate, a key, an encrypted key, or more bags
 */
#include "common/tls/certificate_pkcs12.h"

#include <string.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_key.h"
#include "common/tls/certificate_parse.h"

#define DEPTH_MAX 4 /* of bags in bags */

/* A pass-phrase as PKCS#12 sees it: NULL and "" are two different ones. */
struct attempt {
	const char *passphrase;
	int length;
};

static int
take_bags(const STACK_OF(PKCS12_SAFEBAG) *bags, const struct attempt *attempt,
	  struct certificate_content *content, unsigned int depth);

static int
take_certificate(const PKCS12_SAFEBAG *bag, struct certificate_content *content)
{
	X509 *certificate;

	if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate)
		return 0;
	certificate = PKCS12_SAFEBAG_get1_cert(bag);
	if (certificate && sk_X509_push(content->certificates, certificate))
		return 0;
	X509_free(certificate);
	return -1;
}

static int
take_key(const PKCS8_PRIV_KEY_INFO *plain, struct certificate_content *content)
{
	EVP_PKEY *key;

	if (!plain || content->key_count == ARRAY_SIZE(content->keys))
		return -1;
	key = EVP_PKCS82PKEY(plain);
	if (!key)
		return -1;
	content->keys[content->key_count++] = key;
	return 0;
}

static int
take_encrypted_key(const PKCS12_SAFEBAG *bag, const struct attempt *attempt,
		   struct certificate_content *content)
{
	AUTO_OPENSSL(pkcs8)
	PKCS8_PRIV_KEY_INFO *plain =
		PKCS12_decrypt_skey(bag, attempt->passphrase, attempt->length);

	return take_key(plain, content);
}

/* CRLs and secrets may be in a box too: they are none of ours. */
static int
take_bag(const PKCS12_SAFEBAG *bag, const struct attempt *attempt,
	 struct certificate_content *content, unsigned int depth)
{
	switch (PKCS12_SAFEBAG_get_nid(bag)) {
	case NID_certBag:
		return take_certificate(bag, content);
	case NID_keyBag:
		return take_key(PKCS12_SAFEBAG_get0_p8inf(bag), content);
	case NID_pkcs8ShroudedKeyBag:
		return take_encrypted_key(bag, attempt, content);
	case NID_safeContentsBag:
		return take_bags(PKCS12_SAFEBAG_get0_safes(bag), attempt,
				 content, depth + 1);
	default:
		return 0;
	}
}

static int
take_bags(const STACK_OF(PKCS12_SAFEBAG) *bags, const struct attempt *attempt,
	  struct certificate_content *content, unsigned int depth)
{
	if (depth > DEPTH_MAX)
		return -1;
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++)
		if (take_bag(sk_PKCS12_SAFEBAG_value(bags, i), attempt, content,
			     depth) != 0)
			return -1;
	return 0;
}

static int
take_safe(PKCS7 *safe, const struct attempt *attempt,
	  struct certificate_content *content)
{
	STACK_OF(PKCS12_SAFEBAG) *bags;
	int result;

	switch (OBJ_obj2nid(safe->type)) {
	case NID_pkcs7_data:
		bags = PKCS12_unpack_p7data(safe);
		break;
	case NID_pkcs7_encrypted:
		bags = PKCS12_unpack_p7encdata(safe, attempt->passphrase,
					       attempt->length);
		break;
	default:
		return 0;
	}
	if (!bags)
		return -1;
	result = take_bags(bags, attempt, content, 0);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	return result;
}

static void
drop_all(struct certificate_content *content)
{
	X509 *certificate;

	while ((certificate = sk_X509_pop(content->certificates)))
		X509_free(certificate);
	while (content->key_count > 0)
		EVP_PKEY_free(content->keys[--content->key_count]);
}

static int
unpack(const STACK_OF(PKCS7) *safes, const struct attempt *attempt,
       struct certificate_content *content)
{
	for (int i = 0; i < sk_PKCS7_num(safes); i++) {
		if (take_safe(sk_PKCS7_value(safes, i), attempt, content) !=
		    0) {
			drop_all(content);
			return -1;
		}
	}
	return 0;
}

int
certificate_pkcs12_open(const unsigned char *bytes, long length,
			const char *passphrase,
			struct certificate_content *content,
			struct error *error)
{
	AUTO_OPENSSL(pkcs12) PKCS12 *box = d2i_PKCS12(NULL, &bytes, length);
	STACK_OF(PKCS7) *safes = box ? PKCS12_unpack_authsafes(box) : NULL;
	const struct attempt attempts[] = {
		{passphrase, passphrase ? (int)strlen(passphrase) : 0},
		{NULL, 0},
		{"", 0},
	};
	int result = -1;

	ERR_clear_error();
	if (!safes) {
		error_set(error, "it is damaged: its PKCS#12 cannot be "
				 "decoded");
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(attempts) && result != 0; i++) {
		if (PKCS12_mac_present(box) &&
		    !PKCS12_verify_mac(box, attempts[i].passphrase,
				       attempts[i].length))
			continue;
		result = unpack(safes, &attempts[i], content);
	}
	if (result != 0)
		certificate_key_decryption_failed(error, "it", passphrase);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	ERR_clear_error();
	return result;
}
