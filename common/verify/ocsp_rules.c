/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of rules.
 */
#include "common/verify/ocsp_rules.h"

#include "common/base/mem.h"

void
ocsp_rules_clear(struct ocsp_rules *rules)
{
	mem_free(rules->http_proxy);
	*rules = (struct ocsp_rules){.staple = OCSP_STAPLE_OFF};
}
