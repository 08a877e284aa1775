/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See the header.
 */
#include "common/tls/policy_ocsp.h"

#include "common/base/error.h"
#include "common/base/framed_hash.h"
#include "common/base/mem.h"
#include "common/tls/tls_settings.h"

void
policy_ocsp_choose(const struct tls_ocsp *ocsp, bool is_server,
		   struct ocsp_rules *rules, EVP_MD_CTX *hash,
		   struct error_list *problems)
{
	rules->staple = is_server ? OCSP_STAPLE_OFF : ocsp->staple;
	rules->check = ocsp->check;
	rules->is_hard = ocsp->fail == TLS_OCSP_FAIL_HARD;
	rules->is_nonce = ocsp->is_nonce;
	rules->http_proxy =
		ocsp->http_proxy ? mem_strdup(ocsp->http_proxy) : NULL;
	framed_hash_add_text(hash, "ocsp");
	framed_hash_add_number(hash, rules->staple);
	framed_hash_add_number(hash, rules->check);
	framed_hash_add_number(hash, rules->is_hard);
	framed_hash_add_number(hash, rules->is_nonce);
	framed_hash_add_text(hash, rules->http_proxy);
	if (rules->check != OCSP_CHECK_OFF)
		return;
	if (rules->is_hard)
		error_list_addf(problems, &ocsp->fail_at,
				"verify.ocsp.fail: no responder is asked "
				"(`check` is off), so that none can fail: this "
				"has no effect");
	if (rules->is_nonce)
		error_list_addf(problems, &ocsp->nonce_at,
				"verify.ocsp.nonce: no responder is asked "
				"(`check` is off): this has no effect");
}
