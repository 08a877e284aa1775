/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a certificate, about which nothing is believed, to members. What cannot
 * be read, or is longer than anybody needs, is null and so nobody's match.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/worker/authorize_certificate.h"

#ifdef HAVE_JANSSON

#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/verify/fingerprint.h"
#include "common/verify/peer_names.h"
#include "daemon/worker/authorize_json.h"
#include "daemon/worker/authorize_question.h"

/* RFC 2253 with the letters of all languages: special and control characters
 * are escaped in it, so that it can be read in one way only. */
static json_t *
make_name(const X509_NAME *name)
{
	const unsigned long flags = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
	AUTO_OPENSSL(bio) BIO *out = BIO_new(BIO_s_mem());
	json_t *text = NULL;
	const char *bytes = NULL;
	long length;

	if (!out || X509_NAME_print_ex(out, name, 0, flags) < 0)
		return json_null();
	length = BIO_get_mem_data(out, &bytes);
	if ((size_t)length <= AUTHORIZE_SUBJECT_MAX)
		text = json_stringn(bytes ? bytes : "", (size_t)length);
	return text ? text : json_null();
}

/* A name that is too long is only counted: half of it would be another name. */
static void
append_peer_name(json_t *names, const struct peer_name *name)
{
	json_t *entry, *value;
	char address[64];

	if (!name->bytes || name->length > AUTHORIZE_NAME_MAX)
		return;
	if (name->kind == PEER_NAME_IP)
		value = json_string(
			peer_name_format(name, address, sizeof(address)));
	else
		value = authorize_json_text(name->bytes, name->length);
	entry = json_object();
	authorize_json_put(entry, "type",
			   json_string(peer_name_kind_word(name->kind)));
	authorize_json_put(entry, "value", value);
	authorize_json_append(names, entry);
}

static void
put_peer_names(json_t *certificate, const X509 *from)
{
	struct peer_names *names = peer_names_new(from);
	size_t total = peer_names_count(names);
	json_t *list = json_array();

	for (size_t i = 0; i < total && i < AUTHORIZE_NAMES_MAX; i++)
		append_peer_name(list, peer_names_at(names, i));
	authorize_json_put(certificate, "names", list);
	authorize_json_put(certificate, "names_total",
			   json_integer((json_int_t)total));
	peer_names_free(names);
}

/* Hexadecimal, as certificates are spoken of. */
static json_t *
make_serial(const X509 *certificate)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	json_t *text = NULL;
	BIGNUM *number;
	char *hex;

	if (ASN1_STRING_length(serial) > EVP_MAX_MD_SIZE)
		return json_null();
	number = ASN1_INTEGER_to_BN(serial, NULL);
	hex = number ? BN_bn2hex(number) : NULL;
	if (hex)
		text = json_string(hex);
	OPENSSL_free(hex);
	BN_free(number);
	return text ? text : json_null();
}

static json_t *
make_time(const ASN1_TIME *from)
{
	struct tm time;
	char text[32];

	if (!ASN1_TIME_to_tm(from, &time) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &time) == 0)
		return json_null();
	return json_string(text);
}

static json_t *
make_fingerprint(const X509 *certificate, bool is_of_key)
{
	char text[FINGERPRINT_TEXT_SIZE];
	struct fingerprint fingerprint;

	if (fingerprint_make(certificate, "sha256", is_of_key, &fingerprint,
			     NULL) != 0)
		return json_null();
	return json_string(
		fingerprint_format(&fingerprint, text, sizeof(text)));
}

json_t *
authorize_certificate_make(X509 *certificate)
{
	json_t *made = json_object();

	authorize_json_put(made, "subject",
			   make_name(X509_get_subject_name(certificate)));
	authorize_json_put(made, "issuer",
			   make_name(X509_get_issuer_name(certificate)));
	authorize_json_put(made, "serial", make_serial(certificate));
	put_peer_names(made, certificate);
	authorize_json_put(made, "not_before",
			   make_time(X509_get0_notBefore(certificate)));
	authorize_json_put(made, "not_after",
			   make_time(X509_get0_notAfter(certificate)));
	authorize_json_put(made, "fingerprint",
			   make_fingerprint(certificate, false));
	authorize_json_put(made, "public_key",
			   make_fingerprint(certificate, true));
	return made;
}

static json_t *
make_pem(X509 *certificate)
{
	int length = i2d_X509(certificate, NULL);
	AUTO_OPENSSL(bio) BIO *out = NULL;
	json_t *text = NULL;
	char *bytes = NULL;
	long size = 0;

	if (length <= 0 || (size_t)length > AUTHORIZE_CERTIFICATE_MAX)
		return json_null();
	out = BIO_new(BIO_s_mem());
	if (out && PEM_write_bio_X509(out, certificate))
		size = BIO_get_mem_data(out, &bytes);
	if (bytes)
		text = json_stringn(bytes, (size_t)size);
	return text ? text : json_null();
}

json_t *
authorize_certificate_link(X509 *certificate)
{
	json_t *link = json_object();

	authorize_json_put(link, "subject",
			   make_name(X509_get_subject_name(certificate)));
	authorize_json_put(link, "fingerprint",
			   make_fingerprint(certificate, false));
	authorize_json_put(link, "pem", make_pem(certificate));
	return link;
}

#endif
