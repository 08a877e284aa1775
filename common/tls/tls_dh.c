/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DH parameters through OpenSSL's decoders.
 */
#include "common/tls/tls_dh.h"

#include <assert.h>
#include <string.h>
#include <openssl/core_dispatch.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/tls_settings.h"

static EVP_PKEY *
decode(const unsigned char *bytes, size_t length, const char *kind)
{
	EVP_PKEY *parameters = NULL;
	OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
		&parameters, NULL, NULL, kind,
		OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS, NULL, NULL);

	if (decoder)
		(void)OSSL_DECODER_from_data(decoder, &bytes, &length);
	OSSL_DECODER_CTX_free(decoder);
	ERR_clear_error();
	return parameters;
}

static int
check(EVP_PKEY *parameters, struct error *error)
{
	AUTO_OPENSSL(evp_pkey_ctx)
	EVP_PKEY_CTX *checker =
		EVP_PKEY_CTX_new_from_pkey(NULL, parameters, NULL);
	int bits = EVP_PKEY_get_bits(parameters);

	if (bits < TLS_DH_BITS_MIN) {
		error_set(error,
			  "Diffie-Hellman parameters of %d bits are too weak: "
			  "%d are the least",
			  bits, TLS_DH_BITS_MIN);
		return -1;
	}
	if (!checker || EVP_PKEY_param_check_quick(checker) != 1) {
		ERR_clear_error();
		error_set(error, "these Diffie-Hellman parameters are unsound");
		return -1;
	}
	return 0;
}

EVP_PKEY *
tls_dh_load(const struct tls_dh *dh, const struct file_set *files,
	    struct error *error)
{
	AUTO_OPENSSL(evp_pkey) EVP_PKEY *parameters = NULL;
	AUTO_BLOB struct blob blob = {0};

	assert(dh->kind == TLS_DH_FILE || dh->kind == TLS_DH_INLINE);
	error->at = dh->at;
	if (dh->kind == TLS_DH_FILE) {
		if (file_set_read(files, dh->text, &blob, error) != 0)
			return NULL;
	} else {
		blob.length = strlen(dh->text);
		blob.bytes = mem_dup(dh->text, blob.length + 1);
	}
	parameters = decode(blob.bytes, blob.length, "DH");
	if (!parameters)
		parameters = decode(blob.bytes, blob.length, "DHX");
	if (!parameters)
		error_set(error,
			  "there are no Diffie-Hellman parameters in it "
			  "(sealock takes what `openssl dhparam` makes)");
	else if (check(parameters, error) == 0)
		return TAKE(parameters);
	if (dh->kind == TLS_DH_FILE)
		error_prefix(error, "%s: ", dh->text);
	return NULL;
}
