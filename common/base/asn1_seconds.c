/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/asn1_seconds.h"

#include <time.h>
#include <openssl/asn1.h>
#include <openssl/err.h>

int
asn1_seconds(const ASN1_TIME *when, int64_t *seconds)
{
	struct tm parts;
	int is_time;

	/* To OpenSSL nothing is now. */
	if (!when)
		return -1;
	ERR_set_mark();
	is_time = ASN1_TIME_to_tm(when, &parts);
	ERR_pop_to_mark();
	if (!is_time)
		return -1;
	*seconds = (int64_t)timegm(&parts);
	return 0;
}
