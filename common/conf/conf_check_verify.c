/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of `verify` is never looked at, or cannot be done.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "common/conf/conf_check_verify.h"

#include <stddef.h>

#include "common/conf/conf_check_written.h"
#include "common/conf/conf_http.h"
#include "common/conf/conf_reader.h"
#include "common/conf/schema_rows.h"
#include "common/tls/tls_settings.h"
#include "common/verify/ocsp_talk.h"

static bool
is_ca_none(const struct tls_verify *verify)
{
	return verify->ca_count == 1 && verify->cas[0].kind == TLS_CA_NONE;
}

static void
check_ocsp(struct conf_reader *reader, const struct tls_verify *verify)
{
	const struct tls_ocsp *ocsp = &verify->ocsp;

	/* The leaf is one of them; a root says nothing of itself. */
	if (ocsp->check == OCSP_CHECK_CHAIN && verify->depth >= OCSP_ASK_MAX)
		conf_complain(reader, &ocsp->check_at,
			      "`verify.ocsp.check: chain` asks about %d "
			      "certificates: `verify.depth` is %u, and can be "
			      "%d",
			      OCSP_ASK_MAX, verify->depth, OCSP_ASK_MAX - 1);
	if (ocsp->http_proxy && !conf_http_is_proxy(ocsp->http_proxy))
		conf_complain(reader, &ocsp->http_proxy_at,
			      "`verify.ocsp.http_proxy`: a proxy is "
			      "http://HOST:PORT, as in "
			      "http://proxy.example.org:3128");
#ifndef HAVE_LIBCURL
	if (ocsp->check != OCSP_CHECK_OFF)
		conf_complain(reader, &ocsp->check_at,
			      "`verify.ocsp.check` needs libcurl, and this "
			      "sealock was built without it");
#endif
}

static void
check_verify(struct conf_reader *reader, const struct yaml_node *tls,
	     const struct tls_settings *settings, bool is_server)
{
	const struct yaml_node *written = conf_written_map(tls, "verify");
	const struct tls_verify *verify = &settings->verify;
	/* policy_crl looks after `crl`. */
	static const char *const all[] = {
		"ca",
		"advertise_ca",
		"name",
		"depth",
		"allow",
		"scheme",
		"public_suffix",
		"partial_chain",
		"fingerprints",
		"ocsp",
		NULL,
	};
	static const char *const beside_pins[] = {
		"name",  "depth",         "partial_chain", "scheme",
		"allow", "public_suffix", "ocsp",          NULL,
	};
	static const char *const of_names[] = {"name", "public_suffix", NULL};
	unsigned int gates = is_server ? SCHEMA_ACCEPT : SCHEMA_CONNECT;

	if (!written)
		return;
	if (tls_verify_mode_of(verify, is_server) == TLS_VERIFY_NONE)
		conf_complain_unused(reader, &schema_verify, written, all,
				     gates, "its mode is none");
	else if (is_ca_none(verify))
		conf_complain_unused(reader, &schema_verify, written,
				     beside_pins, gates,
				     "with `ca: none` only fingerprints count");
	else if (verify->scheme.is_none)
		conf_complain_unused(reader, &schema_verify, written, of_names,
				     gates,
				     "with `scheme: none` no name is compared");
	check_ocsp(reader, verify);
}

void
conf_check_verify(struct conf_reader *reader, const struct yaml_node *tls,
		  const struct tls_settings *settings, bool is_server)
{
	conf_check_each_tls(reader, tls, settings, is_server, check_verify);
}
