/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever can be wrong with a command line is found here, before a key is
 * made or a file is read.
 */
#include "daemon/cli/cert_create_options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"

#define DAYS_LEAF 90
#define DAYS_CA   3650
#define DAYS_MAX  36500

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
	      "  --self-signed              nobody else; a CA without --ca is "
	      "anyway\n"
	      "\n"
	      "What it is:\n"
	      "  --name NAME                a DNS name, IP address, URI or "
	      "e-mail address;\n"
	      "                             any number of them\n"
	      "  --cn TEXT                  the subject's common name; "
	      "default: the first name\n"
	      "  --purpose WHAT             server (default), client, both, "
	      "ca\n"
	      "  --type KIND                p256 (default), p384, p521, "
	      "ed25519, ed448,\n"
	      "                             rsa2048, rsa3072, rsa4096, "
	      "rsa-pss2048\n"
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

static const struct option known[] = {
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
take_purpose(struct cert_create_options *options, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(purposes); i++) {
		if (strcmp(purposes[i].name, word) == 0) {
			options->certificate.purpose = purposes[i].purpose;
			return 0;
		}
	}
	return fail_usage("%s is no purpose; server, client, both and ca are",
			  word);
}

static int
take_days(struct cert_create_options *options, const char *word)
{
	uint64_t days;

	if (text_parse_unsigned(word, &days) != 0 || days == 0 ||
	    days > DAYS_MAX)
		return fail_usage("%s is no number of days from 1 to %d", word,
				  DAYS_MAX);
	options->certificate.days = (unsigned int)days;
	return 0;
}

/* One option into the request; the exit status, or 0 to go on. */
static int
take_option(struct cert_create_options *options, int option, char *value)
{
	switch (option) {
	case OPTION_CA:
		options->ca = value;
		break;
	case OPTION_CA_KEY:
		options->ca_key = value;
		break;
	case OPTION_CA_PASSPHRASE:
		options->ca_passphrase = value;
		break;
	case OPTION_SELF_SIGNED:
		options->is_self_signed = true;
		break;
	case OPTION_NAME:
		options->names[options->certificate.name_count++] = value;
		break;
	case OPTION_CN:
		options->certificate.common_name = value;
		break;
	case OPTION_PURPOSE:
		return take_purpose(options, value);
	case OPTION_TYPE:
		if (!certificate_has_key_kind(value))
			return fail_usage("%s is no kind of key; p256, p384, "
					  "p521, ed25519, ed448, rsa2048, "
					  "rsa3072, rsa4096 and rsa-pss2048 "
					  "are",
					  value);
		options->kind = value;
		break;
	case OPTION_DAYS:
		return take_days(options, value);
	case OPTION_OCSP_URI:
		options->certificate.ocsp_uri = value;
		break;
	case OPTION_CRL_URI:
		options->certificate.crl_uri = value;
		break;
	case OPTION_OUT:
		options->out = value;
		break;
	case OPTION_KEY_OUT:
		options->key_out = value;
		break;
	case OPTION_BUNDLE:
		options->bundle = value;
		break;
	case OPTION_PKCS12:
		options->pkcs12 = value;
		break;
	case OPTION_PASSPHRASE:
		options->passphrase = value;
		break;
	default: /* OPTION_FORCE */
		options->is_forced = true;
		break;
	}
	return 0;
}

static int
check_signer(const struct cert_create_options *options)
{
	bool is_ca = options->certificate.purpose == CERTIFICATE_FOR_CA;

	if (options->ca && options->is_self_signed)
		return fail_usage("--ca and --self-signed exclude one another");
	if (!options->ca && (options->ca_key || options->ca_passphrase))
		return fail_usage("--ca-key and --ca-passphrase-file go with "
				  "--ca");
	if (!options->ca && !options->is_self_signed && !is_ca)
		return fail_usage("who signs it? --ca with --ca-key, or "
				  "--self-signed");
	return 0;
}

static int
check_names(const struct cert_create_options *options)
{
	const struct certificate_request *certificate = &options->certificate;

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
check_outputs(const struct cert_create_options *options)
{
	const char *const paths[] = {options->out, options->key_out,
				     options->bundle, options->pkcs12};
	bool has_key = options->key_out || options->bundle || options->pkcs12;
	bool has_certificate =
		options->out || options->bundle || options->pkcs12;

	if (!has_key && !has_certificate)
		return fail_usage("where does it go? --out and --key-out, "
				  "--bundle or --pkcs12");
	if (!has_key)
		return fail_usage("the key needs a place too: --key-out, "
				  "--bundle or --pkcs12");
	if (!has_certificate)
		return fail_usage("the certificate needs a place too: --out, "
				  "--bundle or --pkcs12");
	if (options->pkcs12 && !options->passphrase)
		return fail_usage("--pkcs12 needs a --passphrase-file");
	if (options->passphrase && !options->pkcs12)
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

int
cert_create_options_parse(int argc, char **argv,
			  struct cert_create_options *options)
{
	int option, status = 0;

	options->kind = "p256";
	options->names = mem_array((size_t)argc, sizeof(*options->names));
	options->certificate.names = options->names;
	optind = 0;
	opterr = 0;
	while (status == 0 &&
	       (option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
		if (option == 'h') {
			usage();
			return 0;
		}
		if (option == ':')
			return fail_usage("%s needs a value", argv[optind - 1]);
		if (option == '?')
			return fail_usage("unknown option %s",
					  argv[optind - 1]);
		status = take_option(options, option, optarg);
	}
	if (status != 0)
		return status;
	if (optind < argc)
		return fail_usage("unexpected argument %s", argv[optind]);
	if (options->certificate.days == 0)
		options->certificate.days =
			options->certificate.purpose == CERTIFICATE_FOR_CA
				? DAYS_CA
				: DAYS_LEAF;
	status = check_signer(options);
	if (status == 0)
		status = check_names(options);
	if (status == 0)
		status = check_outputs(options);
	return status == 0 ? -1 : status;
}

void
cert_create_options_clear(struct cert_create_options *options)
{
	mem_free(options->names);
	*options = (struct cert_create_options){0};
}
