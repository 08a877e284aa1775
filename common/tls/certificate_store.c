/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store is a list of objects: its certificates are collected first, then
 * each key finds its own.
 */
#include "common/tls/certificate_store.h"

#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate_build.h"
#include "common/tls/openssl_auto.h"
#include "common/tls/tls_settings.h"

/* A URI that names more is one that names a whole token. */
#define OBJECTS_MAX 64
#define KEYS_MAX    8

struct store_content {
	STACK_OF(X509) *certificates;
	EVP_PKEY *keys[KEYS_MAX];
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

/* For OpenSSL, which would ask on the terminal otherwise. */
static int
give_passphrase(char *buffer, int size, int is_writing, void *argument)
{
	const struct certificate_loading *loading = argument;
	size_t length;

	(void)is_writing;
	if (!loading->passphrase)
		return -1;
	length = strlen(loading->passphrase);
	if (length >= (size_t)size)
		return -1;
	memcpy(buffer, loading->passphrase, length + 1);
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
		   content->key_count < KEYS_MAX) {
		EVP_PKEY *key = OSSL_STORE_INFO_get1_PKEY(object);

		if (key)
			content->keys[content->key_count++] = key;
	}
}

/* The reason of the error that began it all: what follows it in the queue is
 * OpenSSL unwinding. */
static void
set_store_error(struct error *error)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	error_set(error, "the store cannot be read: %s",
		  reason ? reason : "OpenSSL does not say why");
	ERR_clear_error();
}

static int
read_store(const struct certificate_loading *loading, const UI_METHOD *prompt,
	   struct store_content *content, struct error *error)
{
	union {
		const struct certificate_loading *loading;
		void *argument;
	} asked = {.loading = loading};
	OSSL_STORE_CTX *store;
	int result = 0;

	ERR_clear_error();
	store = OSSL_STORE_open(loading->spec->path, prompt, asked.argument,
				NULL, NULL);
	if (!store) {
		set_store_error(error);
		return -1;
	}
	for (int i = 0; i < OBJECTS_MAX && !OSSL_STORE_eof(store); i++) {
		OSSL_STORE_INFO *object = OSSL_STORE_load(store);

		if (object)
			take_object(content, object);
		else if (OSSL_STORE_error(store))
			result = -1;
		OSSL_STORE_INFO_free(object);
	}
	if (result != 0)
		set_store_error(error);
	OSSL_STORE_close(store);
	ERR_clear_error();
	return result;
}

void
certificate_store_load(const struct certificate_loading *loading)
{
	const char *uri = loading->spec->path;
	AUTO_FREE char *shown = mem_format("%.*s", (int)strcspn(uri, "?"), uri);
	UI_METHOD *prompt = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
	struct store_content content = {.certificates = sk_X509_new_null()};
	struct error error = {.at = loading->spec->at};
	bool is_read = prompt && content.certificates &&
		       read_store(loading, prompt, &content, &error) == 0;

	if (is_read && sk_X509_num(content.certificates) == 0)
		error_set(&error, "there is no certificate in the store");
	else if (is_read && content.key_count == 0)
		error_set(&error, "there is no private key in the store");
	for (size_t i = 0; error.text[0] == '\0' && i < content.key_count; i++)
		certificate_build(loading, shown, content.certificates, shown,
				  content.keys[i]);
	if (error.text[0] != '\0') {
		error_prefix(&error, "%s: ", shown);
		error_list_add(loading->problems, &error);
	}
	UI_destroy_method(prompt);
	store_content_clear(&content);
}
