/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two extensions.
 */
#include "common/tls/staple_terms.h"

#include <strings.h>

#include "common/tls/certificate_der.h"

/* What is longer is not meant to be asked. */
#define URL_MAX 1024

/* uniformResourceIdentifier of a GeneralName. */
#define TAG_URI (DER_PRIMITIVE_0 + 6)

static const unsigned char authority_information_access[] = {
	0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01};
static const unsigned char tls_feature[] = {0x2b, 0x06, 0x01, 0x05,
					    0x05, 0x07, 0x01, 0x18};
static const unsigned char method_ocsp[] = {0x2b, 0x06, 0x01, 0x05,
					    0x05, 0x07, 0x30, 0x01};

/* The TLS extension status_request. */
static const unsigned char status_request[] = {5};

static bool
is_usable(const struct der_span *url)
{
	static const char scheme[] = "http://";
	const size_t length = sizeof(scheme) - 1;

	if (url->length <= length || url->length > URL_MAX ||
	    strncasecmp((const char *)url->bytes, scheme, length) != 0)
		return false;
	for (size_t i = 0; i < url->length; i++)
		if (url->bytes[i] <= ' ' || url->bytes[i] > '~')
			return false;
	return true;
}

static void
find_responder(struct der_span extension, struct staple_terms *terms)
{
	struct der_span list, description, method, location;
	unsigned char tag;

	if (!der_take_tag(&extension, DER_SEQUENCE, &list, NULL))
		return;
	while (der_take_tag(&list, DER_SEQUENCE, &description, NULL)) {
		if (!der_take_tag(&description, DER_OID, &method, NULL) ||
		    !der_take(&description, &tag, &location, NULL))
			return;
		if (tag != TAG_URI || !is_usable(&location) ||
		    !der_is_equal(&method, method_ocsp, sizeof(method_ocsp)))
			continue;
		terms->responder = location;
		return;
	}
}

static bool
has_status_request(struct der_span extension)
{
	struct der_span list, feature;

	if (!der_take_tag(&extension, DER_SEQUENCE, &list, NULL))
		return false;
	while (der_take_tag(&list, DER_INTEGER, &feature, NULL))
		if (der_is_equal(&feature, status_request,
				 sizeof(status_request)))
			return true;
	return false;
}

void
staple_terms_read(const unsigned char *der, size_t length,
		  struct staple_terms *terms)
{
	struct der_span content;

	*terms = (struct staple_terms){0};
	if (certificate_der_extension(der, length, authority_information_access,
				      sizeof(authority_information_access),
				      &content))
		find_responder(content, terms);
	if (certificate_der_extension(der, length, tls_feature,
				      sizeof(tls_feature), &content))
		terms->is_must_staple = has_status_request(content);
}
