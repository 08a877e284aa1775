/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a worker that was taken over could send to the keeper: a byte with the
 * uses of the key, then a request. Keys are made when it starts; the first
 * byte of the request's key id says which one is meant. Whatever is signed
 * must be a form, must have no bytes to spare, and must verify.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/local_keys.h"
#include "common/tls/sign_form.h"
#include "common/tls/signature_scheme.h"
#include "common/tls/signer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *const curves[] = {NULL, "P-256", "P-384"};

static EVP_PKEY *keys[ARRAY_SIZE(curves)];
static struct local_keys *table;

static void
make_keys(void)
{
	table = local_keys_new();
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		const unsigned char id[KEY_ID_SIZE] = {(unsigned char)i};
		struct error error;

		keys[i] = curves[i] ? EVP_PKEY_Q_keygen(NULL, NULL, "EC",
							curves[i])
				    : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		if (!keys[i] ||
		    local_keys_add(table, id, keys[i], 0, &error) != 0)
			abort();
	}
}

static void
check(const struct sign_request *request, EVP_PKEY *key,
      const unsigned char *signature, size_t length)
{
	const struct signature_scheme *scheme =
		signature_scheme_by_code(request->scheme);
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *context = EVP_MD_CTX_new();
	AUTO_FREE unsigned char *longer = mem_alloc(request->length + 1);
	struct sign_form form, other;
	const char *reason;

	memcpy(longer, request->message, request->length);
	if (sign_form_read(longer, request->length, &form, &reason) != 0)
		abort();
	if (sign_form_read(longer, request->length + 1, &other, &reason) == 0 &&
	    other.kind == form.kind)
		abort();
	if (sign_form_read(longer, request->length - 1, &other, &reason) == 0 &&
	    other.kind == form.kind)
		abort();
	if (EVP_DigestVerifyInit_ex(context, NULL,
				    signature_digest_name(scheme->digest), NULL,
				    NULL, key, NULL) != 1 ||
	    EVP_DigestVerify(context, signature, length, request->message,
			     request->length) != 1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t signature_length = sizeof(signature);
	const unsigned char *key_id;
	struct sign_request request;
	struct buf_reader reader;
	struct signer_key *key;
	unsigned int uses, table_uses;
	struct error error = {0};

	if (!table)
		make_keys();
	buf_read_init(&reader, bytes, length);
	uses = buf_read_u8(&reader);
	if (sign_request_read(&reader, &key_id, &request) != 0)
		return 0;
	key = local_keys_find(table, key_id, &table_uses);
	if (!key)
		return 0;
	if (signer_sign(key, uses, &request, signature, &signature_length,
			&error) == 0)
		check(&request, keys[key_id[0]], signature, signature_length);
	else if (error.text[0] == '\0')
		abort();
	return 0;
}
