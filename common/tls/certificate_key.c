/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A key's form is read from its ASN.1, not from its PEM label: labels are
 * wrong in the wild, and DER has none.
 */
#include "common/tls/certificate_key.h"

#include <stdio.h>
#include <string.h>
#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/key_memory.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

/* What OpenSSL has room for when it asks (PEM_BUFSIZE). */
#define PASSPHRASE_MAX 1024

struct curve {
	const char *group; /* OpenSSL's name */
	const char *name;  /* NIST's */
};

static const struct curve curves[] = {
	{"prime256v1", "P-256"},
	{"secp384r1", "P-384"},
	{"secp521r1", "P-521"},
};

void
key_block_clear(struct key_block *block)
{
	OPENSSL_free(block->label);
	OPENSSL_free(block->header);
	OPENSSL_secure_clear_free(block->bytes, (size_t)block->length);
	*block = (struct key_block){0};
}

const char *
certificate_passphrase(struct blob *blob, struct error *error)
{
	unsigned char *bytes = blob->bytes;

	if (blob->length > 0 && bytes[blob->length - 1] == '\n') {
		bytes[--blob->length] = '\0';
		if (blob->length > 0 && bytes[blob->length - 1] == '\r')
			bytes[--blob->length] = '\0';
	}
	if (memchr(bytes, '\0', blob->length)) {
		error_set(error, "there is a NUL byte in it");
		return NULL;
	}
	if (blob->length > PASSPHRASE_MAX) {
		error_set(error, "it is longer than %d bytes", PASSPHRASE_MAX);
		return NULL;
	}
	return (const char *)bytes;
}

/* Did OpenSSL lack an algorithm, rather than the right pass-phrase? */
static bool
was_unsupported(void)
{
	unsigned long code;
	bool is_unsupported = false;

	while ((code = ERR_get_error()) != 0) {
		int reason = ERR_GET_REASON(code);

		switch (ERR_GET_LIB(code)) {
		case ERR_LIB_EVP:
			if (reason == ERR_R_UNSUPPORTED ||
			    reason == EVP_R_UNSUPPORTED_ALGORITHM ||
			    reason == EVP_R_UNSUPPORTED_CIPHER ||
			    reason == EVP_R_UNKNOWN_PBE_ALGORITHM)
				is_unsupported = true;
			break;
		case ERR_LIB_PEM:
			if (reason == PEM_R_UNSUPPORTED_ENCRYPTION)
				is_unsupported = true;
			break;
		default:
			break;
		}
	}
	return is_unsupported;
}

void
certificate_key_decryption_failed(struct error *error, const char *what,
				  const char *passphrase)
{
	if (was_unsupported())
		error_set(error,
			  "%s is encrypted in a way that this OpenSSL does not "
			  "offer by default, an old one most likely; encrypt "
			  "it anew",
			  what);
	else if (!passphrase)
		error_set(error, "%s is encrypted, and no pass-phrase is given",
			  what);
	else
		error_set(error,
			  "%s cannot be decrypted: the pass-phrase is wrong, "
			  "or the file is damaged",
			  what);
}

static int
give_passphrase(char *buffer, int size, int is_writing, void *argument)
{
	const char *passphrase = argument;
	size_t length = strlen(passphrase);

	(void)is_writing;
	if (length > (size_t)size)
		return -1;
	memcpy(buffer, passphrase, length);
	return (int)length;
}

/* OpenSSL's type of a plain key, from PKCS#8's own word or from the label of
 * a traditional one; EVP_PKEY_NONE when neither tells. */
static int
type_of_plain(const char *label, const unsigned char *bytes, long length)
{
	AUTO_OPENSSL(pkcs8)
	PKCS8_PRIV_KEY_INFO *pkcs8 =
		d2i_PKCS8_PRIV_KEY_INFO(NULL, &bytes, length);
	const ASN1_OBJECT *algorithm;

	ERR_clear_error();
	if (pkcs8 && PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, pkcs8))
		return OBJ_obj2nid(algorithm);
	if (strcmp(label, PEM_STRING_RSA) == 0)
		return EVP_PKEY_RSA;
	if (strcmp(label, PEM_STRING_ECPRIVATEKEY) == 0)
		return EVP_PKEY_EC;
	return EVP_PKEY_NONE;
}

/* Told what to expect, OpenSSL decodes four times as fast as when it has to
 * try every kind that it knows. */
static EVP_PKEY *
decode_plain(const char *label, const unsigned char *bytes, long length)
{
	int type = type_of_plain(label, bytes, length);
	const unsigned char *at = bytes;
	EVP_PKEY *key = NULL;

	if (type != EVP_PKEY_NONE)
		key = d2i_PrivateKey(type, NULL, &at, length);
	return key ? key : d2i_AutoPrivateKey(NULL, &bytes, length);
}

/* The encryption of PEM itself, as traditional keys have it. */
static EVP_PKEY *
decode_encrypted_pem(const struct key_block *block, EVP_CIPHER_INFO *cipher,
		     const char *passphrase)
{
	unsigned char *copy =
		OPENSSL_memdup(block->bytes, (size_t)block->length);
	char *argument = mem_strdup(passphrase);
	long length = block->length;
	EVP_PKEY *key = NULL;

	if (copy &&
	    PEM_do_header(cipher, copy, &length, give_passphrase, argument))
		key = decode_plain(block->label, copy, length);
	OPENSSL_clear_free(copy, (size_t)block->length);
	mem_wipe(argument, strlen(argument));
	mem_free(argument);
	return key;
}

static EVP_PKEY *
decode_encrypted_pkcs8(X509_SIG *envelope, const char *passphrase)
{
	AUTO_OPENSSL(pkcs8)
	PKCS8_PRIV_KEY_INFO *plain =
		PKCS8_decrypt(envelope, passphrase, (int)strlen(passphrase));

	return plain ? EVP_PKCS82PKEY(plain) : NULL;
}

/* The key in an encrypted form; *is_plain when it is in none. */
static EVP_PKEY *
decode_encrypted(const struct key_block *block, const char *passphrase,
		 bool *is_plain, struct error *error)
{
	AUTO_OPENSSL(x509_sig) X509_SIG *envelope = NULL;
	const unsigned char *at = block->bytes;
	EVP_CIPHER_INFO cipher;
	EVP_PKEY *key = NULL;
	bool is_pem_encrypted;

	*is_plain = false;
	if (!PEM_get_EVP_CIPHER_INFO(block->header, &cipher)) {
		certificate_key_decryption_failed(error, "its private key", "");
		return NULL;
	}
	is_pem_encrypted = cipher.cipher != NULL;
	if (!is_pem_encrypted) {
		envelope = d2i_X509_SIG(NULL, &at, block->length);
		ERR_clear_error();
		*is_plain = envelope == NULL;
		if (*is_plain)
			return NULL;
	}
	if (passphrase && is_pem_encrypted)
		key = decode_encrypted_pem(block, &cipher, passphrase);
	else if (passphrase)
		key = decode_encrypted_pkcs8(envelope, passphrase);
	if (!key)
		certificate_key_decryption_failed(error, "its private key",
						  passphrase);
	return key;
}

EVP_PKEY *
key_block_decode(const struct key_block *block, const char *passphrase,
		 struct error *error)
{
	EVP_PKEY *key;
	bool is_plain;

	if (!key_memory_has_room()) {
		error_set(error, "there is no room for its private key: the "
				 "memory for keys has the size that was right "
				 "when this process started");
		return NULL;
	}
	ERR_clear_error();
	key = decode_encrypted(block, passphrase, &is_plain, error);
	if (is_plain) {
		key = decode_plain(block->label, block->bytes, block->length);
		if (!key && strcmp(block->label, "OPENSSH PRIVATE KEY") == 0)
			error_set(error, "its private key is in OpenSSH's form;"
					 " convert it to PKCS#8");
		else if (!key)
			error_set(error, "its private key is damaged or of an "
					 "unknown kind");
	}
	ERR_clear_error();
	return key;
}

static int
rsa_type(EVP_PKEY *key, struct error *error)
{
	int bits = EVP_PKEY_get_bits(key);

	if (bits < RSA_BITS_MIN) {
		error_set(error,
			  "an RSA key of %d bits is too small: %d are the "
			  "least",
			  bits, RSA_BITS_MIN);
		return -1;
	}
	if (bits > RSA_BITS_MAX) {
		error_set(error,
			  "an RSA key of %d bits is too large: %d are the most",
			  bits, RSA_BITS_MAX);
		return -1;
	}
	return 0;
}

/* The curve's usual name, or OpenSSL's for one that has none here; "" when
 * even OpenSSL has no name for it. */
static void
curve_name(EVP_PKEY *key, char *buffer, size_t size)
{
	size_t length = 0;

	buffer[0] = '\0';
	if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
					    buffer, size, &length)) {
		buffer[0] = '\0';
		ERR_clear_error();
	}
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (strcmp(curves[i].group, buffer) == 0)
			snprintf(buffer, size, "%s", curves[i].name);
}

static bool
is_curve_explicit(EVP_PKEY *key)
{
	int is_explicit = 0;

	if (!EVP_PKEY_get_int_param(
		    key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
		    &is_explicit))
		ERR_clear_error();
	return is_explicit == 1;
}

static int
ec_type(EVP_PKEY *key, struct error *error)
{
	char name[64];

	curve_name(key, name, sizeof(name));
	if (name[0] == '\0' || is_curve_explicit(key)) {
		error_set(error, "a curve with explicit parameters is refused; "
				 "P-256, P-384 and P-521, by name, are not");
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (strcmp(curves[i].name, name) == 0)
			return 0;
	error_set(error,
		  "the curve %s is none for TLS; P-256, P-384 and P-521 "
		  "are",
		  name);
	return -1;
}

int
certificate_key_type(EVP_PKEY *key, enum certificate_type *type,
		     struct error *error)
{
	char text[64];

	if (EVP_PKEY_is_a(key, "RSA")) {
		*type = CERTIFICATE_RSA;
		return rsa_type(key, error);
	}
	if (EVP_PKEY_is_a(key, "RSA-PSS")) {
		*type = CERTIFICATE_RSA_PSS;
		return rsa_type(key, error);
	}
	if (EVP_PKEY_is_a(key, "EC")) {
		*type = CERTIFICATE_ECDSA;
		return ec_type(key, error);
	}
	if (EVP_PKEY_is_a(key, "ED25519")) {
		*type = CERTIFICATE_ED25519;
		return 0;
	}
	if (EVP_PKEY_is_a(key, "ED448")) {
		*type = CERTIFICATE_ED448;
		return 0;
	}
	error_set(error,
		  "a key of the kind %s cannot be used; RSA, ECDSA, Ed25519 "
		  "and Ed448 can",
		  certificate_key_format(key, text, sizeof(text)));
	return -1;
}

const char *
certificate_key_format(EVP_PKEY *key, char *buffer, size_t size)
{
	const char *type = EVP_PKEY_get0_type_name(key);
	char curve[64];

	if (EVP_PKEY_is_a(key, "EC")) {
		curve_name(key, curve, sizeof(curve));
		if (curve[0] == '\0')
			snprintf(buffer, size, "ECDSA %d bits, explicit curve",
				 EVP_PKEY_get_bits(key));
		else
			snprintf(buffer, size, "ECDSA %s", curve);
	} else if (EVP_PKEY_is_a(key, "ED25519")) {
		snprintf(buffer, size, "Ed25519");
	} else if (EVP_PKEY_is_a(key, "ED448")) {
		snprintf(buffer, size, "Ed448");
	} else if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS") ||
		   EVP_PKEY_is_a(key, "DSA")) {
		snprintf(buffer, size, "%s %d", type ? type : "unknown",
			 EVP_PKEY_get_bits(key));
	} else {
		snprintf(buffer, size, "%s", type ? type : "unknown");
	}
	return buffer;
}
