/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies, and atomic counts.
 */
#include "common/route/gathered_certificate.h"

#include <assert.h>
#include <string.h>
#include <openssl/x509.h>

#include "common/base/mem.h"
#include "common/tls/private_key.h"

struct der *
der_new(const unsigned char *bytes, size_t length)
{
	struct der *der = mem_alloc(sizeof(*der) + length);

	atomic_init(&der->references, 1);
	der->length = length;
	memcpy(der->bytes, bytes, length);
	return der;
}

struct der *
der_ref(struct der *der)
{
	unsigned int before = atomic_fetch_add(&der->references, 1);

	assert(before > 0);
	return der;
}

void
der_unref(struct der *der)
{
	if (der && atomic_fetch_sub(&der->references, 1) == 1)
		mem_free(der);
}

/* A certificate that was decoded keeps its bytes: this cannot fail but for the
 * end of memory. */
static struct der *
der_of(X509 *certificate)
{
	unsigned char *bytes = NULL;
	int length = i2d_X509(certificate, &bytes);
	struct der *der;

	assert(length > 0);
	der = der_new(bytes, (size_t)length);
	OPENSSL_free(bytes);
	return der;
}

struct gathered_certificate *
gathered_certificate_new(const struct certificate *from)
{
	struct gathered_certificate *made = mem_alloc(sizeof(*made));

	atomic_init(&made->references, 1);
	made->source = mem_strdup(from->source);
	made->leaf = der_of(from->leaf);
	made->chain_count = (size_t)sk_X509_num(from->chain);
	made->chain = mem_array(made->chain_count, sizeof(struct der *));
	for (size_t i = 0; i < made->chain_count; i++)
		made->chain[i] = der_of(sk_X509_value(from->chain, (int)i));
	made->key = private_key_new(from->key);
	made->type = from->type;
	made->name_count = from->name_count;
	made->names = mem_array(made->name_count, sizeof(char *));
	for (size_t i = 0; i < made->name_count; i++)
		made->names[i] = mem_strdup(from->names[i]);
	made->is_default = from->is_default;
	made->not_before_ms = from->not_before_ms;
	made->not_after_ms = from->not_after_ms;
	memcpy(made->key_id, from->key_id, sizeof(made->key_id));
	memcpy(made->digest, from->digest, sizeof(made->digest));
	return made;
}

struct gathered_certificate *
gathered_certificate_ref(struct gathered_certificate *certificate)
{
	unsigned int before = atomic_fetch_add(&certificate->references, 1);

	assert(before > 0);
	return certificate;
}

void
gathered_certificate_unref(struct gathered_certificate *certificate)
{
	if (!certificate || atomic_fetch_sub(&certificate->references, 1) > 1)
		return;
	mem_free(certificate->source);
	der_unref(certificate->leaf);
	for (size_t i = 0; i < certificate->chain_count; i++)
		der_unref(certificate->chain[i]);
	mem_free(certificate->chain);
	private_key_unref(certificate->key);
	for (size_t i = 0; i < certificate->name_count; i++)
		mem_free(certificate->names[i]);
	mem_free(certificate->names);
	mem_free(certificate);
}
