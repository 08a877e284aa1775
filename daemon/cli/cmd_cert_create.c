/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked for is checked first, then the CA is read, then the key is
 * made, and only when every byte is there is a file written.
 */
#include "daemon/cli/cmd_cert_create.h"

#include <getopt.h>
#include <stdarg.h>
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
#include "common/base/text.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_create.h"
#include "common/tls/certificate_key.h"
#include "common/tls/openssl_auto.h"
#include "common/tls/tls_settings.h"
#include "daemon/cli/output_file.h"

#define DAYS_LEAF     90
#define DAYS_CA       3650
#define DAYS_MAX      36500
#define PKCS12_ROUNDS 100000
#define PUBLIC_MODE   (S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)
#define SECRET_MODE   (S_IRUSR | S_IWUSR)
#define OUTPUTS_MAX   4

/* What the command line says. Strings are argv's. */
struct request {
	struct certificate_request certificate;
	const char *kind;
	const char **names;
	char *ca;
	char *ca_key;
	char *ca_passphrase;
	bool is_self_signed;
	bool is_forced;
	const char *out;
	const char *key_out;
	const char *bundle;
	const char *pkcs12;
	const char *passphrase;
};

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

static const struct {
	const char *name;
	enum certificate_purpose purpose;
} purposes[] = {
	{"server", CERTIFICATE_FOR_SERVER},
	{"client", CERTIFICATE_FOR_CLIENT},
	{"both", CERTIFICATE_FOR_BOTH},
	{"ca", CERTIFICATE_FOR_CA},
};

static void
usage(void)
{
	fputs("usage: sealock cert create --purpose ca --out ca.pem --key-out "
	      "ca.key\n"
	      "       sealock cert create --ca ca.pem --ca-key ca.key --name "
	      "web.example\n"
	      "                           --out web.pem --key-out web.key\n"
	      "       sealock cert create --self-signed --name localhost "
	      "--bundle web.pem\n"
	      "Make a key and a certificate.\n"
	      "\n"
	      "Who signs it:\n"
	      "  --ca FILE                  the CA's certificate\n"
	      "  --ca-key FILE              its key, when it is not in the "
	      "same file\n"
	      "  --ca-passphrase-file FILE  the pass-phrase of that key\n"
	      "  --self-signed              nobody else; a CA is "
	      "self-signed anyway when --ca is not given\n"
	      "\n"
	      "What it is:\n"
	      "  --name NAME                DNS name, IP address, URI or "
	      "e-mail address; any number\n"
	      "  --cn TEXT                  the subject's common name; "
	      "default: the first name\n"
	      "  --purpose WHAT             server (default), client, both, "
	      "ca\n"
	      "  --type KIND                p256 (default), p384, p521, "
	      "ed25519, ed448, rsa2048, rsa3072,\n"
	      "                             rsa4096, rsa-pss2048\n"
	      "  --days N                   how long it is valid; default 90, "
	      "for a CA 3650\n"
	      "  --ocsp-uri URI, --crl-uri URI\n"
	      "                             where its revocation can be asked "
	      "for\n"
	      "\n"
	      "Where it goes:\n"
	      "  --out FILE                 the certificate with its chain, "
	      "PEM\n"
	      "  --key-out FILE             the key, PEM, mode 0600\n"
	      "  --bundle FILE              both in one file, PEM, mode 0600\n"
	      "  --pkcs12 FILE --passphrase-file FILE\n"
	      "                             both as PKCS#12, encrypted, mode "
	      "0600\n"
	      "  --force                    replace files that are there\n",
	      stdout);
}

__attribute__((format(printf, 1, 2))) static int
fail_usage(const char *format, ...)
{
	va_list arguments;

	fputs("sealock cert create: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs(" (see --help)\n", stderr);
	return 2;
}

static int
fail(const struct error *error)
{
	fprintf(stderr, "sealock cert create: %s\n", error->text);
	return 1;
}

enum option_code {
	OPTION_CA = 256,
	OPTION_CA_KEY,
	OPTION_CA_PASSPHRASE,
	OPTION_SELF_SIGNED,
	OPTION_NAME,
	OPTION_CN,
	OPTION_PURPOSE,
	OPTION_TYPE,
	OPTION_DAYS,
	OPTION_OCSP_URI,
	OPTION_CRL_URI,
	OPTION_OUT,
	OPTION_KEY_OUT,
	OPTION_BUNDLE,
	OPTION_PKCS12,
	OPTION_PASSPHRASE,
	OPTION_FORCE,
};

static const struct option options[] = {
	{"ca", required_argument, NULL, OPTION_CA},
	{"ca-key", required_argument, NULL, OPTION_CA_KEY},
	{"ca-passphrase-file", required_argument, NULL, OPTION_CA_PASSPHRASE},
	{"self-signed", no_argument, NULL, OPTION_SELF_SIGNED},
	{"name", required_argument, NULL, OPTION_NAME},
	{"cn", required_argument, NULL, OPTION_CN},
	{"purpose", required_argument, NULL, OPTION_PURPOSE},
	{"type", required_argument, NULL, OPTION_TYPE},
	{"days", required_argument, NULL, OPTION_DAYS},
	{"ocsp-uri", required_argument, NULL, OPTION_OCSP_URI},
	{"crl-uri", required_argument, NULL, OPTION_CRL_URI},
	{"out", required_argument, NULL, OPTION_OUT},
	{"key-out", required_argument, NULL, OPTION_KEY_OUT},
	{"bundle", required_argument, NULL, OPTION_BUNDLE},
	{"pkcs12", required_argument, NULL, OPTION_PKCS12},
	{"passphrase-file", required_argument, NULL, OPTION_PASSPHRASE},
	{"force", no_argument, NULL, OPTION_FORCE},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int
take_purpose(struct request *request, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(purposes); i++) {
		if (strcmp(purposes[i].name, word) == 0) {
			request->certificate.purpose = purposes[i].purpose;
			return 0;
		}
	}
	return fail_usage("%s is no purpose; server, client, both and ca are",
			  word);
}

static int
take_days(struct request *request, const char *word)
{
	uint64_t days;

	if (text_parse_unsigned(word, &days) != 0 || days == 0 ||
	    days > DAYS_MAX)
		return fail_usage("%s is no number of days from 1 to %d", word,
				  DAYS_MAX);
	request->certificate.days = (unsigned int)days;
	return 0;
}

/* One option into the request; the exit status, or 0 to go on. */
static int
take_option(struct request *request, int option, char *value)
{
	switch (option) {
	case OPTION_CA:
		request->ca = value;
		break;
	case OPTION_CA_KEY:
		request->ca_key = value;
		break;
	case OPTION_CA_PASSPHRASE:
		request->ca_passphrase = value;
		break;
	case OPTION_SELF_SIGNED:
		request->is_self_signed = true;
		break;
	case OPTION_NAME:
		request->names[request->certificate.name_count++] = value;
		break;
	case OPTION_CN:
		request->certificate.common_name = value;
		break;
	case OPTION_PURPOSE:
		return take_purpose(request, value);
	case OPTION_TYPE:
		if (!certificate_has_key_kind(value))
			return fail_usage("%s is no kind of key", value);
		request->kind = value;
		break;
	case OPTION_DAYS:
		return take_days(request, value);
	case OPTION_OCSP_URI:
		request->certificate.ocsp_uri = value;
		break;
	case OPTION_CRL_URI:
		request->certificate.crl_uri = value;
		break;
	case OPTION_OUT:
		request->out = value;
		break;
	case OPTION_KEY_OUT:
		request->key_out = value;
		break;
	case OPTION_BUNDLE:
		request->bundle = value;
		break;
	case OPTION_PKCS12:
		request->pkcs12 = value;
		break;
	case OPTION_PASSPHRASE:
		request->passphrase = value;
		break;
	default: /* OPTION_FORCE */
		request->is_forced = true;
		break;
	}
	return 0;
}

static int
check_signer(const struct request *request)
{
	bool is_ca = request->certificate.purpose == CERTIFICATE_FOR_CA;

	if (request->ca && request->is_self_signed)
		return fail_usage("--ca and --self-signed exclude one another");
	if (!request->ca && (request->ca_key || request->ca_passphrase))
		return fail_usage("--ca-key and --ca-passphrase-file go with "
				  "--ca");
	if (!request->ca && !request->is_self_signed && !is_ca)
		return fail_usage("who signs it? --ca with --ca-key, or "
				  "--self-signed");
	return 0;
}

static int
check_names(const struct request *request)
{
	const struct certificate_request *certificate = &request->certificate;

	bool is_unnamed =
		certificate->name_count == 0 && !certificate->common_name;
	struct error error = {0};

	if (is_unnamed && certificate->purpose == CERTIFICATE_FOR_CLIENT)
		return fail_usage("a client's certificate needs a --name or a "
				  "--cn");
	if (certificate->name_count == 0 &&
	    (certificate->purpose == CERTIFICATE_FOR_SERVER ||
	     certificate->purpose == CERTIFICATE_FOR_BOTH))
		return fail_usage("a server's certificate needs a --name");
	if (!is_unnamed && certificate_request_check(certificate, &error) != 0)
		return fail_usage("%s", error.text);
	return 0;
}

static int
check_outputs(const struct request *request)
{
	const char *const paths[] = {request->out, request->key_out,
				     request->bundle, request->pkcs12};
	bool has_key = request->key_out || request->bundle || request->pkcs12;
	bool has_certificate =
		request->out || request->bundle || request->pkcs12;

	if (!has_key && !has_certificate)
		return fail_usage("where does it go? --out and --key-out, "
				  "--bundle or --pkcs12");
	if (!has_key)
		return fail_usage("the key needs a place too: --key-out, "
				  "--bundle or --pkcs12");
	if (!has_certificate)
		return fail_usage("the certificate needs a place too: --out, "
				  "--bundle or --pkcs12");
	if (request->pkcs12 && !request->passphrase)
		return fail_usage("--pkcs12 needs a --passphrase-file");
	if (request->passphrase && !request->pkcs12)
		return fail_usage("--passphrase-file goes with --pkcs12");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		for (size_t j = 0; j < i; j++)
			if (paths[i] && paths[j] &&
			    strcmp(paths[i], paths[j]) == 0)
				return fail_usage("%s is named twice; --bundle "
						  "puts both into one file",
						  paths[i]);
	return 0;
}

/* The exit status, or -1 to go on. */
static int
parse(int argc, char **argv, struct request *request)
{
	int option, status = 0;

	optind = 0;
	opterr = 0;
	while (status == 0 &&
	       (option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (option == 'h') {
			usage();
			return 0;
		}
		if (option == ':')
			return fail_usage("%s needs a value", argv[optind - 1]);
		if (option == '?')
			return fail_usage("unknown option %s",
					  argv[optind - 1]);
		status = take_option(request, option, optarg);
	}
	if (status != 0)
		return status;
	if (optind < argc)
		return fail_usage("unexpected argument %s", argv[optind]);
	request->certificate.names = request->names;
	status = check_signer(request);
	if (status == 0)
		status = check_names(request);
	if (status == 0)
		status = check_outputs(request);
	return status == 0 ? -1 : status;
}

/* What is there is found before a key is made in vain. */
static int
check_free(const struct request *request, struct error *error)
{
	const char *const paths[] = {request->out, request->key_out,
				     request->bundle, request->pkcs12};
	struct stat status;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && !request->is_forced; i++) {
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
read_ca(const struct request *request, struct result *result,
	struct error *error)
{
	struct certificate_spec spec = {
		.source = request->ca_key ? CERTIFICATE_PAIR : CERTIFICATE_FILE,
		.path = request->ca,
		.key = request->ca_key,
	};
	struct file_set *files;
	struct certificate_list list = {0};
	struct error_list problems = {0};

	if (!request->ca)
		return 0;
	files = file_set_new();
	file_set_open(files, request->ca, true, false);
	if (request->ca_key)
		file_set_open(files, request->ca_key, true, false);
	if (request->ca_passphrase) {
		file_set_open(files, request->ca_passphrase, true, false);
		spec.passphrase.kind = SECRET_FILE;
		spec.passphrase.name = request->ca_passphrase;
	}
	certificate_load(&spec, files, &list, &problems);
	if (problems.count > 0)
		*error = problems.errors[0];
	else if (X509_check_ca(list.certificates[0]->leaf) != 1)
		error_set(error, "%s is not the certificate of a CA",
			  request->ca);
	else
		result->ca = certificate_ref(list.certificates[0]);
	certificate_list_clear(&list);
	error_list_clear(&problems);
	file_set_free(files);
	return result->ca ? 0 : -1;
}

static int
read_passphrase(const struct request *request, struct result *result,
		struct error *error)
{
	struct file_set *files;
	int status;

	if (!request->passphrase)
		return 0;
	files = file_set_new();
	file_set_open(files, request->passphrase, true, false);
	status = file_set_read(files, request->passphrase, &result->passphrase,
			       error);
	file_set_free(files);
	if (status != 0)
		return -1;
	if (!certificate_passphrase(&result->passphrase, error)) {
		error_prefix(error, "%s: ", request->passphrase);
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
make(struct request *request, struct result *result, struct error *error)
{
	struct certificate_request *wanted = &request->certificate;
	bool is_ca = wanted->purpose == CERTIFICATE_FOR_CA;
	bool is_slow =
		strncmp(request->kind, "rsa", 3) == 0 && isatty(STDERR_FILENO);
	char ca_name[32];

	if (wanted->days == 0)
		wanted->days = is_ca ? DAYS_CA : DAYS_LEAF;
	if (is_slow)
		fprintf(stderr, "making an %s key ...", request->kind);
	result->key = certificate_create_key(request->kind, error);
	if (is_slow)
		fputs(" done\n", stderr);
	if (!result->key)
		return -1;
	if (is_ca && !wanted->common_name && wanted->name_count == 0)
		wanted->common_name =
			default_ca_name(result->key, ca_name, sizeof(ca_name));
	result->certificate = certificate_create(
		wanted, result->key, result->ca ? result->ca->leaf : NULL,
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
encode(const struct request *request, struct result *result,
       struct error *error)
{
	AUTO_OPENSSL(x509_stack) STACK_OF(X509) *chain = make_chain(result);
	bool is_done = chain != NULL;
	BIO *to;

	if (is_done && request->key_out) {
		to = add_file(result, request->key_out, SECRET_MODE);
		is_done = to && write_key(to, result);
	}
	if (is_done && request->out) {
		to = add_file(result, request->out, PUBLIC_MODE);
		is_done = to && write_certificates(to, result, chain);
	}
	if (is_done && request->bundle) {
		to = add_file(result, request->bundle, SECRET_MODE);
		is_done = to && write_certificates(to, result, chain) &&
			  write_key(to, result);
	}
	if (is_done && request->pkcs12) {
		to = add_file(result, request->pkcs12, SECRET_MODE);
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

int
cmd_cert_create(int argc, char **argv)
{
	AUTO_FREE const char **names = mem_array((size_t)argc, sizeof(*names));
	struct request request = {.kind = "p256", .names = names};
	struct result result = {0};
	struct error error = {0};
	int status = parse(argc, argv, &request);

	if (status >= 0)
		return status;
	if (check_free(&request, &error) != 0 ||
	    read_ca(&request, &result, &error) != 0 ||
	    read_passphrase(&request, &result, &error) != 0 ||
	    make(&request, &result, &error) != 0 ||
	    encode(&request, &result, &error) != 0 ||
	    output_files_write(result.files, result.file_count,
			       request.is_forced, &error) != 0)
		status = fail(&error);
	else
		status = 0;
	if (status == 0)
		warn_of_ca(&result);
	result_clear(&result);
	return status;
}
