/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer's certificate on its way to an authorizer: whatever decodes comes out
 * as one line of JSON of bounded size. In builds without jansson nothing is
 * said of certificates.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#ifdef HAVE_JANSSON

#include <string.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "daemon/worker/authorize_certificate.h"
#include "daemon/worker/authorize_json.h"

#define QUESTION_MAX ((size_t)512 * 1024)

static void
check(json_t *made)
{
	AUTO_FREE char *line = authorize_json_line(made);
	json_t *again = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

	assert(strlen(line) < QUESTION_MAX);
	assert(strchr(line, '\n') == line + strlen(line) - 1);
	assert(again && json_equal(again, made));
	json_decref(again);
	json_decref(made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const unsigned char *start = bytes;
	AUTO_OPENSSL(x509) X509 *certificate = NULL;

	if (length <= INT32_MAX)
		certificate = d2i_X509(NULL, &start, (long)length);
	if (certificate) {
		check(authorize_certificate_make(certificate));
		check(authorize_certificate_link(certificate));
	}
	ERR_clear_error();
	return 0;
}

#else

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	return 0;
}

#endif
