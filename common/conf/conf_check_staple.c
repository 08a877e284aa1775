/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is inherited has been looked at where it stands.
 */
#include "common/conf/conf_check_staple.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/conf/conf_http.h"
#include "common/conf/conf_reader.h"
#include "common/tls/tls_settings.h"

static void
check_staple(struct conf_reader *reader, const struct tls_staple *staple)
{
	if (staple->at.line == 0)
		return;
	if (staple->file && staple->responder)
		conf_complain(reader, &staple->responder_at,
			      "`staple`: with a `file` nobody is asked, so "
			      "`responder` is never looked at: take one of "
			      "them out");
	if (staple->mode == TLS_STAPLE_OFF &&
	    (staple->file || staple->responder))
		conf_complain(reader, &staple->at,
			      "`staple`: its mode is off, so `%s` is never "
			      "looked at: take one of them out",
			      staple->file ? "file" : "responder");
	if (staple->responder && !conf_http_is_url(staple->responder))
		conf_complain(reader, &staple->responder_at,
			      "`staple`: `responder` is a URL such as "
			      "http://ocsp.example.org/ (answers are signed, "
			      "so they are fetched without TLS)");
}

static bool
is_same_place(const struct position *one, const struct position *other)
{
	return one->file == other->file && one->line == other->line &&
	       one->column == other->column;
}

static void
check_certificates(struct conf_reader *reader,
		   const struct tls_settings *settings)
{
	for (size_t i = 0; i < settings->certificate_count; i++)
		check_staple(reader, &settings->certificates[i].staple);
}

void
conf_check_staple(struct conf_reader *reader,
		  const struct tls_settings *settings)
{
	if (!settings)
		return;
	check_staple(reader, &settings->staple);
	check_certificates(reader, settings);
	for (size_t i = 0; i < settings->host_count; i++) {
		const struct tls_settings *host = settings->hosts[i].settings;

		check_staple(reader, &host->staple);
		if (settings->certificate_count == 0 ||
		    host->certificate_count == 0 ||
		    !is_same_place(&host->certificates[0].at,
				   &settings->certificates[0].at))
			check_certificates(reader, host);
	}
}
