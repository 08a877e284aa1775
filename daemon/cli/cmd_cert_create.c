/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked for is checked first, then the CA is read, then the key is
 * made, and only when every byte is there is a file written.
 */
#include "daemon/cli/cmd_cert_create.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/base/text.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_create.h"
#include "common/tls/certificate_key.h"
#include "common/tls/tls_settings.h"
#include "daemon/cli/cert_create_options.h"
#include "daemon/cli/output_file.h"

#define PKCS12_ROUNDS 100000
#define PUBLIC_MODE   (S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)
#define SECRET_MODE   (S_IRUSR | S_IWUSR)
#define OUTPUTS_MAX   4

/* What is made of it. */
struct result {
	struct certificate *ca; /* NULL: self-signed */
	EVP_PKEY *key;
	X509 *certificate;
	struct blob passphrase;
	struct output_file files[OUTPUTS_MAX];
	BIO *contents[OUTPUTS_MAX];
	size_t file_count;
};

/* What is there is found before a key is made in vain. */
static int
check_free(const struct cert_create_options *options, struct error *error)
{
	const char *const paths[] = {options->out, options->key_out,
				     options->bundle, options->pkcs12};
	struct stat status;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && !options->is_forced; i++) {
		if (paths[i] && lstat(paths[i], &status) == 0) {
			error_set(error,
				  "%s is there already; --force would replace "
				  "it",
				  paths[i]);
			return -1;
		}
	}
	return 0;
}

/* The CA is read as the daemon reads its certificates, whatever form it is
 * in. */
static int
read_ca(const struct cert_create_options *options, struct result *result,
	struct error *error)
{
	struct certificate_spec spec = {
		.source = options->ca_key ? CERTIFICATE_PAIR : CERTIFICATE_FILE,
		.path = options->ca,
		.key = options->ca_key,
	};
	struct file_set *files;
	struct certificate_list list = {0};
	struct error_list problems = {0};

	if (!options->ca)
		return 0;
	files = file_set_new();
	file_set_open(files, options->ca, FILE_SECRET, false);
	if (options->ca_key)
		file_set_open(files, options->ca_key, FILE_SECRET, false);
	if (options->ca_passphrase) {
		file_set_open(files, options->ca_passphrase, FILE_SECRET,
			      false);
		spec.passphrase.kind = SECRET_FILE;
		spec.passphrase.name = options->ca_passphrase;
	}
	certificate_load(&spec, files, &list, &problems);
	if (problems.count > 0)
		*error = problems.errors[0];
	else if (X509_check_ca(list.certificates[0]->leaf) != 1)
		error_set(error, "%s is not the certificate of a CA",
			  options->ca);
	else
		result->ca = certificate_ref(list.certificates[0]);
	certificate_list_clear(&list);
	error_list_clear(&problems);
	file_set_free(files);
	return result->ca ? 0 : -1;
}

static int
read_passphrase(const struct cert_create_options *options,
		struct result *result, struct error *error)
{
	struct file_set *files;
	int status;

	if (!options->passphrase)
		return 0;
	files = file_set_new();
	file_set_open(files, options->passphrase, FILE_SECRET, false);
	status = file_set_read(files, options->passphrase, &result->passphrase,
			       error);
	file_set_free(files);
	if (status != 0)
		return -1;
	if (!certificate_passphrase(&result->passphrase, error)) {
		error_prefix(error, "%s: ", options->passphrase);
		return -1;
	}
	return 0;
}

/* Several CAs of one name in one trust store are a puzzle: the default name
 * ends in a piece of the key. */
static const char *
default_ca_name(EVP_PKEY *key, char *buffer, size_t size)
{
	unsigned char *bytes = NULL, digest[32] = {0};
	int length = i2d_PUBKEY(key, &bytes);
	char hex[9];

	if (length > 0)
		EVP_Digest(bytes, (size_t)length, digest, NULL, EVP_sha256(),
			   NULL);
	OPENSSL_free(bytes);
	text_hex(digest, 4, hex);
	snprintf(buffer, size, "sealock CA %s", hex);
	return buffer;
}

static int
make(const struct cert_create_options *options, struct result *result,
     struct error *error)
{
	struct certificate_request wanted = options->certificate;
	bool is_slow =
		strncmp(options->kind, "rsa", 3) == 0 && isatty(STDERR_FILENO);
	char ca_name[32];

	if (is_slow)
		fprintf(stderr, "making an %s key ...", options->kind);
	result->key = certificate_create_key(options->kind, error);
	if (is_slow)
		fputs(" done\n", stderr);
	if (!result->key)
		return -1;
	if (!wanted.common_name && wanted.name_count == 0)
		wanted.common_name =
			default_ca_name(result->key, ca_name, sizeof(ca_name));
	result->certificate = certificate_create(
		&wanted, result->key, result->ca ? result->ca->leaf : NULL,
		result->ca ? result->ca->key : NULL, error);
	return result->certificate ? 0 : -1;
}

/* Those to send with the certificate: the CA and its issuers, without a
 * self-signed root. References of the caller's. */
static STACK_OF(X509) *
make_chain(const struct result *result)
{
	STACK_OF(X509) *chain = sk_X509_new_null();

	if (!chain || !result->ca ||
	    (X509_get_extension_flags(result->ca->leaf) & EXFLAG_SS))
		return chain;
	if (!X509_add_cert(chain, result->ca->leaf, X509_ADD_FLAG_UP_REF) ||
	    !X509_add_certs(chain, result->ca->chain, X509_ADD_FLAG_UP_REF)) {
		sk_X509_pop_free(chain, X509_free);
		return NULL;
	}
	return chain;
}

static bool
write_certificates(BIO *to, const struct result *result,
		   const STACK_OF(X509) *chain)
{
	if (!PEM_write_bio_X509(to, result->certificate))
		return false;
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (!PEM_write_bio_X509(to, sk_X509_value(chain, i)))
			return false;
	return true;
}

static bool
write_key(BIO *to, const struct result *result)
{
	return PEM_write_bio_PKCS8PrivateKey(to, result->key, NULL, NULL, 0,
					     NULL, NULL) == 1;
}

static bool
write_pkcs12(BIO *to, const struct result *result, STACK_OF(X509) *chain)
{
	AUTO_OPENSSL(pkcs12)
	PKCS12 *box =
		PKCS12_create((const char *)result->passphrase.bytes, NULL,
			      result->key, result->certificate, chain, 0, 0,
			      PKCS12_ROUNDS, PKCS12_ROUNDS, 0);

	return box && i2d_PKCS12_bio(to, box) == 1;
}

/* An empty file of the result to write into; NULL when OpenSSL is out of
 * memory. */
static BIO *
add_file(struct result *result, const char *path, mode_t mode)
{
	BIO *content = BIO_new(BIO_s_secmem());

	if (content) {
		result->files[result->file_count].path = path;
		result->files[result->file_count].mode = mode;
		result->contents[result->file_count++] = content;
	}
	return content;
}

/* The key's file comes first: a certificate without its key is of less use
 * than the other way round. */
static int
encode(const struct cert_create_options *options, struct result *result,
       struct error *error)
{
	AUTO_OPENSSL(x509_stack) STACK_OF(X509) *chain = make_chain(result);
	bool is_done = chain != NULL;
	BIO *to;

	if (is_done && options->key_out) {
		to = add_file(result, options->key_out, SECRET_MODE);
		is_done = to && write_key(to, result);
	}
	if (is_done && options->out) {
		to = add_file(result, options->out, PUBLIC_MODE);
		is_done = to && write_certificates(to, result, chain);
	}
	if (is_done && options->bundle) {
		to = add_file(result, options->bundle, SECRET_MODE);
		is_done = to && write_certificates(to, result, chain) &&
			  write_key(to, result);
	}
	if (is_done && options->pkcs12) {
		to = add_file(result, options->pkcs12, SECRET_MODE);
		is_done = to && write_pkcs12(to, result, chain);
	}
	for (size_t i = 0; i < result->file_count; i++) {
		char *bytes;
		long length = BIO_get_mem_data(result->contents[i], &bytes);

		result->files[i].bytes = bytes;
		result->files[i].length = (size_t)length;
	}
	if (!is_done)
		error_set(error, "OpenSSL cannot encode the result");
	ERR_clear_error();
	return is_done ? 0 : -1;
}

/* A certificate that outlives its CA is no use from then on. */
static void
warn_of_ca(const struct result *result)
{
	int64_t start_ms, end_ms;
	char when[32];

	if (result->ca &&
	    certificate_validity(result->certificate, &start_ms, &end_ms) ==
		    0 &&
	    end_ms > result->ca->not_after_ms)
		fprintf(stderr,
			"sealock cert create: the CA's certificate ends "
			"earlier, at %s\n",
			clock_format(result->ca->not_after_ms, when));
}

static void
result_clear(struct result *result)
{
	for (size_t i = 0; i < result->file_count; i++)
		BIO_free_all(result->contents[i]);
	blob_clear(&result->passphrase);
	X509_free(result->certificate);
	EVP_PKEY_free(result->key);
	certificate_unref(result->ca);
}

static int
create(const struct cert_create_options *options, struct result *result,
       struct error *error)
{
	if (check_free(options, error) != 0 ||
	    read_ca(options, result, error) != 0 ||
	    read_passphrase(options, result, error) != 0 ||
	    make(options, result, error) != 0 ||
	    encode(options, result, error) != 0)
		return -1;
	return output_files_write(result->files, result->file_count,
				  options->is_forced, error);
}

int
cmd_cert_create(int argc, char **argv)
{
	struct cert_create_options options = {0};
	struct result result = {0};
	struct error error = {0};
	int status = cert_create_options_parse(argc, argv, &options);

	if (status < 0) {
		status = 0;
		if (create(&options, &result, &error) == 0) {
			warn_of_ca(&result);
		} else {
			fprintf(stderr, "sealock cert create: %s\n",
				error.text);
			status = 1;
		}
	}
	result_clear(&result);
	cert_create_options_clear(&options);
	return status;
}
