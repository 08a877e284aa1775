/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a certificate says about its own status: whom to ask for it, and whether
 * clients insist on an answer. Found in its DER, as there may be tens of
 * thousands to look at.
 */
#ifndef SEALOCK_TLS_STAPLE_TERMS_H
#define SEALOCK_TLS_STAPLE_TERMS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/der.h"

struct staple_terms {
	/* The first OCSP responder of its authority information access that is
	 * asked over HTTP, in place; no bytes: there is none. */
	struct der_span responder;
	bool is_must_staple; /* TLS feature status_request (RFC 7633) */
};

/* Those of a leaf's DER; what is no certificate has none. */
void
staple_terms_read(const unsigned char *der, size_t length,
		  struct staple_terms *terms);

#endif
