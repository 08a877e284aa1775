/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store is a list of objects: its certificates are collected first, then
 * each key finds its own.
 */
#include "common/tls/certificate_store.h"

#include <stdbool.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_build.h"
#include "common/tls/certificate_parse.h"
#include "common/tls/tls_settings.h"

/* A URI that names more is one that names a whole token. */
#define OBJECTS_MAX 64

struct store_content {
	STACK_OF(X509) *certificates;
	EVP_PKEY *keys[CERTIFICATE_KEYS_MAX];
	size_t key_count;
};

static void
store_content_clear(struct store_content *content)
{
	sk_X509_pop_free(content->certificates, X509_free);
	for (size_t i = 0; i < content->key_count; i++)
		EVP_PKEY_free(content->keys[i]);
	*content = (struct store_content){0};
}

/* What OpenSSL's question for a pass-phrase is answered from. */
struct answer {
	const char *passphrase; /* NULL: there is none */
	bool is_asked;
};

/* For OpenSSL, which would ask on the terminal otherwise. */
static int
give_passphrase(char *buffer, int size, int is_writing, void *argument)
{
	struct answer *answer = argument;
	size_t length;

	(void)is_writing;
	answer->is_asked = true;
	if (!answer->passphrase)
		return -1;
	length = strlen(answer->passphrase);
	if (length >= (size_t)size)
		return -1;
	memcpy(buffer, answer->passphrase, length + 1);
	return (int)length;
}

static void
take_object(struct store_content *content, OSSL_STORE_INFO *object)
{
	int type = OSSL_STORE_INFO_get_type(object);

	if (type == OSSL_STORE_INFO_CERT) {
		X509 *certificate = OSSL_STORE_INFO_get1_CERT(object);

		if (certificate &&
		    !sk_X509_push(content->certificates, certificate))
			X509_free(certificate);
	} else if (type == OSSL_STORE_INFO_PKEY &&
		   content->key_count < CERTIFICATE_KEYS_MAX) {
		EVP_PKEY *key = OSSL_STORE_INFO_get1_PKEY(object);

		if (key)
			content->keys[content->key_count++] = key;
	}
}

/* Why nothing came of a URI; empties OpenSSL's queue, the last error of which
 * is the one nearest to the matter. */
static void
set_store_error(struct error *error, const char *what,
		const struct answer *answer)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason;

	if (ERR_SYSTEM_ERROR(code))
		reason = strerror(ERR_GET_REASON(code));
	else if (answer->is_asked && !answer->passphrase)
		reason = "it is encrypted, and no pass-phrase is given";
	else if (answer->is_asked)
		reason = "the pass-phrase may be wrong";
	else if (ERR_GET_LIB(code) == ERR_LIB_OSSL_STORE &&
		 ERR_GET_REASON(code) == ERR_R_UNSUPPORTED)
		reason = "no provider knows it";
	else
		reason = ERR_reason_error_string(code);
	error_set(error, "%s%s%s", what, reason ? ": " : "",
		  reason ? reason : "");
	ERR_clear_error();
}

/* An object that cannot be loaded, or that is of another kind, does not
 * matter as long as the others are enough. */
static void
read_store(const char *uri, const UI_METHOD *prompt, struct answer *answer,
	   struct store_content *content, struct error *error)
{
	OSSL_STORE_CTX *store;

	ERR_clear_error();
	store = OSSL_STORE_open(uri, prompt, answer, NULL, NULL);
	if (!store) {
		set_store_error(error, "the store cannot be opened", answer);
		return;
	}
	ERR_clear_error();
	for (int i = 0; i < OBJECTS_MAX && !OSSL_STORE_eof(store); i++) {
		OSSL_STORE_INFO *object = OSSL_STORE_load(store);

		if (object)
			take_object(content, object);
		OSSL_STORE_INFO_free(object);
	}
	if (sk_X509_num(content->certificates) <= 0)
		set_store_error(error, "there is no certificate in the store",
				answer);
	else if (content->key_count == 0)
		set_store_error(error, "there is no private key in the store",
				answer);
	OSSL_STORE_close(store);
	ERR_clear_error();
}

void
certificate_store_load(const struct certificate_loading *loading)
{
	const char *uri = loading->spec->path;
	AUTO_FREE char *shown = mem_format("%.*s", (int)strcspn(uri, "?"), uri);
	UI_METHOD *prompt = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
	struct store_content content = {.certificates = sk_X509_new_null()};
	struct answer answer = {.passphrase = loading->passphrase};
	struct error error = {.at = loading->spec->at};

	if (prompt && content.certificates)
		read_store(uri, prompt, &answer, &content, &error);
	else
		error_set(&error, "OpenSSL is out of memory");
	if (error.text[0] == '\0') {
		for (size_t i = 0; i < content.key_count; i++)
			certificate_build(loading, shown, content.certificates,
					  shown, content.keys[i]);
	} else {
		error_prefix(&error, "%s: ", shown);
		error_list_add(loading->problems, &error);
	}
	UI_destroy_method(prompt);
	store_content_clear(&content);
}
