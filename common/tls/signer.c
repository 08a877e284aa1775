/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks first, then the signature. Setting up an operation (fetching
 * algorithms, setting parameters) costs OpenSSL a fifth of what a P-256
 * signature does: each key keeps one that is set up for each scheme, and
 * signing begins with a copy of it.
 */
#include "common/tls/signer.h"

#include <stdatomic.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_key.h"
#include "common/tls/private_key.h"
#include "common/tls/sign_form.h"
#include "common/tls/signature_scheme.h"

/* What there is once the key is decoded. */
struct signer {
	EVP_PKEY *key; /* the private key's, as long as that lives */
	enum certificate_type type;
	char group[32]; /* ECDSA, else "" */
	size_t size;    /* of the longest signature */
	/* For each scheme a context that is ready to sign: NULL until it is
	 * first needed, then the same until the end, only copied from. */
	_Atomic(EVP_MD_CTX *) prepared[SIGNATURE_SCHEME_COUNT];
};

struct signer_key {
	struct private_key *private_key;
	_Atomic(struct signer *) signer; /* NULL: nobody has signed yet */
};

void
sign_request_write_head(struct buf_writer *writer,
			const unsigned char key_id[KEY_ID_SIZE],
			const struct sign_request *request)
{
	buf_write_bytes(writer, key_id, KEY_ID_SIZE);
	buf_write_u16(writer, request->scheme);
	buf_write_u32(writer, (uint32_t)request->length);
}

void
sign_request_write(struct buf_writer *writer,
		   const unsigned char key_id[KEY_ID_SIZE],
		   const struct sign_request *request)
{
	sign_request_write_head(writer, key_id, request);
	buf_write_bytes(writer, request->message, request->length);
}

int
sign_request_read_head(struct buf_reader *reader, const unsigned char **key_id,
		       struct sign_request *request)
{
	*key_id = buf_read_bytes(reader, KEY_ID_SIZE);
	request->scheme = buf_read_u16(reader);
	request->length = buf_read_u32(reader);
	request->message = NULL;
	return reader->failed || request->length > SIGN_MESSAGE_MAX ? -1 : 0;
}

int
sign_request_read(struct buf_reader *reader, const unsigned char **key_id,
		  struct sign_request *request)
{
	if (sign_request_read_head(reader, key_id, request) != 0)
		return -1;
	request->message = buf_read_bytes(reader, request->length);
	return reader->failed ? -1 : 0;
}

static int
describe(struct signer *signer, struct error *error)
{
	int size = EVP_PKEY_get_size(signer->key);

	if (certificate_key_type(signer->key, &signer->type, error) != 0)
		return -1;
	if (size <= 0 || size > SIGNATURE_MAX ||
	    (signer->type == CERTIFICATE_ECDSA &&
	     EVP_PKEY_get_group_name(signer->key, signer->group,
				     sizeof(signer->group), NULL) != 1)) {
		error_set(error, "OpenSSL does not know its own key");
		return -1;
	}
	signer->size = (size_t)size;
	return 0;
}

static void
signer_free(struct signer *signer)
{
	if (!signer)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(signer->prepared); i++)
		EVP_MD_CTX_free(atomic_load(&signer->prepared[i]));
	mem_free(signer);
}

/* Threads that come at once may make one each: the first one's is kept. */
static struct signer *
get_signer(struct signer_key *key, struct error *error)
{
	struct signer *there = atomic_load(&key->signer), *made;
	EVP_PKEY *decoded;

	if (there)
		return there;
	decoded = private_key_get(key->private_key, error);
	if (!decoded)
		return NULL;
	made = mem_alloc(sizeof(*made));
	made->key = decoded;
	if (describe(made, error) != 0) {
		ERR_clear_error();
		signer_free(made);
		return NULL;
	}
	if (atomic_compare_exchange_strong(&key->signer, &there, made))
		return made;
	signer_free(made);
	return there;
}

struct signer_key *
signer_key_new_late(struct private_key *private_key)
{
	struct signer_key *key = mem_alloc(sizeof(*key));

	key->private_key = private_key_ref(private_key);
	return key;
}

struct signer_key *
signer_key_new(EVP_PKEY *decoded, struct error *error)
{
	struct signer_key *key = mem_alloc(sizeof(*key));

	key->private_key = private_key_new(decoded);
	if (get_signer(key, error))
		return key;
	signer_key_free(key);
	return NULL;
}

void
signer_key_free(struct signer_key *key)
{
	if (!key)
		return;
	signer_free(atomic_load(&key->signer));
	private_key_unref(key->private_key);
	mem_free(key);
}

/* What must be configured for a key to sign that form. */
static unsigned int
use_for(enum sign_form_kind kind)
{
	switch (kind) {
	case SIGN_FORM_SERVER_VERIFY:
	case SIGN_FORM_ECDHE:
		return KEY_USE_SERVER;
	case SIGN_FORM_DHE:
		return KEY_USE_SERVER | KEY_USE_DHE;
	case SIGN_FORM_CLIENT_VERIFY:
	case SIGN_FORM_CLIENT_TRANSCRIPT:
		return KEY_USE_CLIENT;
	}
	return ~0U;
}

/* NULL: the scheme is right for this key and a message of these versions;
 * else what is wrong. */
static const char *
check_scheme(const struct signer *signer, const struct signature_scheme *scheme,
	     unsigned int uses, unsigned int versions)
{
	unsigned int common = scheme->versions & versions;

	if (scheme->key_type != signer->type)
		return "is for another type of key";
	if (!(uses & KEY_USE_LEGACY))
		common &= ~(unsigned int)SIGNATURE_TLS_LEGACY;
	if (!common)
		return "is not for this version of TLS";
	if (common == SIGNATURE_TLS_1_3 && scheme->group &&
	    strcmp(scheme->group, signer->group) != 0)
		return "is for another curve";
	return NULL;
}

static int
check(const struct signer *signer, unsigned int uses,
      const struct sign_request *request,
      const struct signature_scheme **scheme, struct error *error)
{
	struct sign_form form;
	unsigned int needed;
	const char *reason;

	*scheme = signature_scheme_by_code(request->scheme);
	if (!*scheme) {
		error_set(error, "scheme 0x%04x is not one to sign with",
			  request->scheme);
		return -1;
	}
	if (request->length > SIGN_MESSAGE_MAX) {
		error_set(error, "a message of %zu bytes", request->length);
		return -1;
	}
	if (sign_form_read(request->message, request->length, &form, &reason) !=
	    0) {
		error_set(error, "%s", reason);
		return -1;
	}
	needed = use_for(form.kind);
	if ((uses & needed) != needed) {
		error_set(error, "the key is not for %s",
			  needed & KEY_USE_CLIENT    ? "a client's signatures"
			  : !(uses & KEY_USE_SERVER) ? "a server's signatures"
						     : "DHE");
		return -1;
	}
	reason = check_scheme(signer, *scheme, uses, form.versions);
	if (reason) {
		error_set(error, "scheme %s %s", (*scheme)->name, reason);
		return -1;
	}
	return 0;
}

static EVP_MD_CTX *
prepare(struct signer *signer, const struct signature_scheme *scheme)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *made = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings;

	if (!made ||
	    EVP_DigestSignInit_ex(made, &settings,
				  signature_digest_name(scheme->digest), NULL,
				  NULL, signer->key, NULL) != 1)
		return NULL;
	if (scheme->padding == SIGNATURE_PADDING_PSS &&
	    (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) <=
		     0 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(settings,
					      RSA_PSS_SALTLEN_DIGEST) <= 0))
		return NULL;
	return TAKE(made);
}

static const EVP_MD_CTX *
get_prepared(struct signer *signer, const struct signature_scheme *scheme)
{
	_Atomic(EVP_MD_CTX *) *slot =
		&signer->prepared[signature_scheme_index(scheme)];
	EVP_MD_CTX *there = atomic_load(slot), *made;

	if (there)
		return there;
	made = prepare(signer, scheme);
	if (made && !atomic_compare_exchange_strong(slot, &there, made)) {
		EVP_MD_CTX_free(made);
		return there;
	}
	return made;
}

int
signer_sign(struct signer_key *key, unsigned int uses,
	    const struct sign_request *request, unsigned char *signature,
	    size_t *length, struct error *error)
{
	const struct signature_scheme *scheme;
	const EVP_MD_CTX *prepared;
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *operation = NULL;
	struct signer *signer = get_signer(key, error);

	if (!signer || check(signer, uses, request, &scheme, error) != 0)
		return -1;
	if (*length < signer->size) {
		error_set(error, "no room for a signature of %zu bytes",
			  signer->size);
		return -1;
	}
	prepared = get_prepared(signer, scheme);
	operation = prepared ? EVP_MD_CTX_new() : NULL;
	if (!operation || EVP_MD_CTX_copy_ex(operation, prepared) != 1 ||
	    EVP_DigestSign(operation, signature, length, request->message,
			   request->length) != 1) {
		error_set(error, "OpenSSL cannot sign with scheme %s",
			  scheme->name);
		ERR_clear_error();
		return -1;
	}
	return 0;
}
