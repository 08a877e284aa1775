/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/asn1_seconds.h"

#include <time.h>
#include <openssl/asn1.h>
#include <openssl/err.h>

int
asn1_seconds(const ASN1_TIME *when, int64_t *seconds)
{
	struct tm parts;

	if (!ASN1_TIME_to_tm(when, &parts)) {
		ERR_clear_error();
		return -1;
	}
	*seconds = (int64_t)timegm(&parts);
	return 0;
}
