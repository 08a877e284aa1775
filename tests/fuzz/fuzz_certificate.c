/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input as a file that an operator named: shown, loaded alone, with a key
 * beside it, as the key beside a certificate, and as the changes to a key and
 * a PKCS#12 box of our own (there is no key in the corpus). Whatever it is, a
 * file is loaded or there is a sentence on it, and no byte of it reaches names
 * or sentences unescaped.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/net/hostname.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_create.h"
#include "common/tls/certificate_der.h"
#include "common/tls/pem_block.h"
#include "common/tls/tls_settings.h"
#include "daemon/cli/certificate_facts.h"
#include "daemon/cli/json_line.h"

#define PATCHED_MAX 4096

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Made once a process. */
static struct {
	unsigned char *certificate;
	unsigned char *key;
	unsigned char *box;
	int certificate_length;
	int key_length;
	int box_length;
} own;

static char input_name[] = "/input";
static char key_name[] = "/key";
static char passphrase_name[] = "env:PASS";
static char passphrase[] = "secret";

static void
make_own(void)
{
	const char *name = "web.example";
	const struct certificate_request request = {
		.names = &name, .name_count = 1, .days = 30};
	AUTO_OPENSSL(evp_pkey)
	EVP_PKEY *key = certificate_create_key("p256", NULL);
	AUTO_OPENSSL(x509)
	X509 *certificate = certificate_create(&request, key, NULL, NULL, NULL);
	AUTO_OPENSSL(pkcs8) PKCS8_PRIV_KEY_INFO *pkcs8 = EVP_PKEY2PKCS8(key);
	AUTO_OPENSSL(pkcs12)
	PKCS12 *box = PKCS12_create(passphrase, NULL, key, certificate, NULL, 0,
				    0, 1, 1, 0);

	own.certificate_length = i2d_X509(certificate, &own.certificate);
	own.key_length = i2d_PKCS8_PRIV_KEY_INFO(pkcs8, &own.key);
	own.box_length = i2d_PKCS12(box, &own.box);
	assert(own.certificate_length > 0 && own.key_length > 0 &&
	       own.box_length > 0);
}

static void
add(struct file_set *files, const char *name, const void *bytes, size_t length)
{
	int descriptor = memfd_create("fuzz", MFD_CLOEXEC);

	assert(descriptor >= 0);
	assert(write(descriptor, bytes, length) == (ssize_t)length);
	file_set_add(files, name, descriptor, FILE_SECRET);
}

static void
check_names(char *const *names, size_t count)
{
	char again[HOSTNAME_MAX + 1];

	for (size_t i = 0; i < count; i++) {
		assert(hostname_pattern_normalize(names[i], strlen(names[i]),
						  again) == 0);
		assert(strcmp(names[i], again) == 0);
	}
}

static void
check_text(const char *text)
{
	assert(text[0] != '\0');
	for (; *text; text++)
		assert(*text >= ' ' && *text <= '~');
}

/* Whatever the output is made of, it is printable. */
static void
show(X509 *certificate)
{
	struct certificate_facts facts;
	char *text = NULL, **names;
	size_t size = 0, count = certificate_names(certificate, &names);
	FILE *out = open_memstream(&text, &size);
	struct json_line line = {.out = out};

	check_names(names, count);
	for (size_t i = 0; i < count; i++)
		mem_free(names[i]);
	mem_free(names);
	certificate_facts_read(&facts, certificate);
	certificate_facts_print(&facts, 1, 0, "not in this file", out);
	fflush(out);
	for (size_t i = 0; i < size; i++)
		assert(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	certificate_facts_print_json(&facts, "file", 1, 0, &line);
	fclose(out);
	certificate_facts_clear(&facts);
	free(text);
}

static void
show_all(const uint8_t *bytes, size_t length)
{
	struct error error = {0};
	AUTO_OPENSSL(x509_stack)
	STACK_OF(X509) *found =
		certificate_parse_all(bytes, length, passphrase, &error);

	assert(found || error.text[0] != '\0');
	for (int i = 0; i < sk_X509_num(found) && i < 4; i++)
		show(sk_X509_value(found, i));
}

/* key is NULL when it is to be found in the chain's file. */
static void
load(const void *chain, size_t chain_length, const void *key, size_t key_length)
{
	struct certificate_spec spec = {
		.source = key ? CERTIFICATE_PAIR : CERTIFICATE_FILE,
		.path = input_name,
		.key = key ? key_name : NULL,
		.passphrase = {.kind = SECRET_ENVIRONMENT,
			       .name = passphrase_name},
	};
	struct file_set *files = file_set_new();
	struct certificate_list list = {0};
	struct error_list problems = {0};

	add(files, input_name, chain, chain_length);
	if (key)
		add(files, key_name, key, key_length);
	add(files, passphrase_name, passphrase, strlen(passphrase));
	certificate_load(&spec, files, &list, &problems);
	assert(list.count > 0 || problems.count > 0);
	assert(ERR_peek_error() == 0);
	for (size_t i = 0; i < list.count; i++)
		check_names(list.certificates[i]->names,
			    list.certificates[i]->name_count);
	for (size_t i = 0; i < problems.count; i++)
		check_text(problems.errors[i].text);
	certificate_list_clear(&list);
	error_list_clear(&problems);
	file_set_free(files);
}

/* What a glance at a certificate and its key rests on. */
static void
glance_der(const uint8_t *bytes, size_t length)
{
	static const char *const labels[] = {"PRIVATE KEY", "EC PRIVATE KEY",
					     "RSA PRIVATE KEY", "OTHER"};
	struct certificate_der of = {.type = CERTIFICATE_ECDSA}, found;

	if (certificate_der_read(bytes, length, &found)) {
		assert(found.type < CERTIFICATE_TYPE_COUNT);
		assert(found.issuer.bytes > bytes &&
		       found.subject.bytes > found.issuer.bytes &&
		       found.public_key.bytes + found.public_key.length <=
			       bytes + length);
	}
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		certificate_der_is_key(bytes, length, labels[i], &of);
}

static void
glance(const uint8_t *bytes, size_t length)
{
	const char *at = (const char *)bytes, *end = at + length;
	struct pem_block block;

	glance_der(bytes, length);
	while (pem_block_next(&at, end, &block) == PEM_BLOCK) {
		size_t decoded_length;
		unsigned char *decoded =
			pem_block_decode(&block, true, &decoded_length);

		if (decoded)
			glance_der(decoded, decoded_length);
		OPENSSL_secure_clear_free(decoded,
					  decoded ? decoded_length : 0);
	}
	ERR_clear_error();
}

/* Three bytes are one change: where, and what to put there. */
static size_t
patch(unsigned char *to, const unsigned char *from, int from_length,
      const uint8_t *changes, size_t length)
{
	size_t size = (size_t)from_length;

	assert(size <= PATCHED_MAX);
	memcpy(to, from, size);
	for (size_t i = 0; i + 3 <= length && i < 30; i += 3)
		to[((size_t)changes[i] << 8 | changes[i + 1]) % size] =
			changes[i + 2];
	return size;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	unsigned char patched[PATCHED_MAX];
	size_t size;

	if (!own.key)
		make_own();
	show_all(bytes, length);
	glance(bytes, length);
	size = patch(patched, own.certificate, own.certificate_length, bytes,
		     length);
	glance_der(patched, size);
	load(bytes, length, NULL, 0);
	load(bytes, length, own.key, (size_t)own.key_length);
	load(own.certificate, (size_t)own.certificate_length, bytes, length);
	size = patch(patched, own.key, own.key_length, bytes, length);
	load(own.certificate, (size_t)own.certificate_length, patched, size);
	size = patch(patched, own.box, own.box_length, bytes, length);
	load(patched, size, NULL, 0);
	return 0;
}
