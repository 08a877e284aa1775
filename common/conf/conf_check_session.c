/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tickets: each way to their keys has settings of its own.
 */
#include "common/conf/conf_check_session.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/base/text.h"
#include "common/conf/conf_check_written.h"
#include "common/conf/conf_reader.h"
#include "common/conf/schema_rows.h"
#include "common/tls/tls_settings.h"

/* What was written wrong has been told and is not missing. */
static void
check_missing(struct conf_reader *reader, const struct yaml_node *written,
	      const struct tls_tickets *tickets)
{
	if (tickets->mode == TLS_TICKETS_FILES && tickets->file_count == 0 &&
	    !conf_is_written(written, "files"))
		conf_complain(reader, &tickets->mode_at,
			      "`tickets`: mode files needs `files`: [FILE, "
			      "...], each with a key");
	if (tickets->mode == TLS_TICKETS_DERIVED &&
	    tickets->secret.kind == SECRET_NONE &&
	    !conf_is_written(written, "secret"))
		conf_complain(reader, &tickets->mode_at,
			      "`tickets`: mode derived needs `secret`: a file "
			      "with a line of 32 characters or more");
}

static void
check_unused(struct conf_reader *reader, const struct yaml_node *written,
	     const struct tls_tickets *tickets)
{
	static const char *const of_auto[] = {"files", "secret", NULL};
	static const char *const of_files[] = {"secret", "rotate", "keep",
					       NULL};
	static const char *const of_derived[] = {"files", NULL};

	switch (tickets->mode) {
	case TLS_TICKETS_AUTO:
		conf_complain_unused(reader, &schema_tickets, written, of_auto,
				     SCHEMA_ACCEPT, "its mode is auto");
		break;
	case TLS_TICKETS_FILES:
		conf_complain_unused(reader, &schema_tickets, written, of_files,
				     SCHEMA_ACCEPT, "its mode is files");
		break;
	case TLS_TICKETS_DERIVED:
		conf_complain_unused(reader, &schema_tickets, written,
				     of_derived, SCHEMA_ACCEPT,
				     "its mode is derived");
		break;
	case TLS_TICKETS_OFF: /* the rest is there to be switched on again */
		break;
	}
}

/* The last ticket under a key is made when its `keep` rotations begin. */
static void
check_lifetime(struct conf_reader *reader, const struct tls_tickets *tickets)
{
	int64_t kept = tickets->rotate_ms * (int64_t)tickets->keep;
	const struct position *at = tickets->rotate_at.line
					    ? &tickets->rotate_at
					    : &tickets->keep_at;
	char texts[2][32];

	if ((tickets->mode != TLS_TICKETS_AUTO &&
	     tickets->mode != TLS_TICKETS_DERIVED) ||
	    tickets->lifetime_ms <= kept)
		return;
	if (tickets->lifetime_at.line)
		at = &tickets->lifetime_at;
	conf_complain(
		reader, at,
		"`tickets`: a session is to be resumed for %s (`lifetime`), "
		"but its ticket can be decrypted for %s (`rotate` times "
		"`keep`): a shorter lifetime, or more to keep",
		text_format_duration(tickets->lifetime_ms, texts[0],
				     sizeof(texts[0])),
		text_format_duration(kept, texts[1], sizeof(texts[1])));
}

static void
check_tickets(struct conf_reader *reader, const struct yaml_node *tls,
	      const struct tls_settings *settings, bool is_server)
{
	const struct tls_tickets *tickets = &settings->session.tickets;
	const struct yaml_node *written =
		conf_written_map(conf_written_map(tls, "session"), "tickets");

	(void)is_server;
	if (!settings->session.is_resumed)
		return;
	check_missing(reader, written, tickets);
	check_lifetime(reader, tickets);
	if (written)
		check_unused(reader, written, tickets);
}

void
conf_check_session(struct conf_reader *reader, const struct yaml_node *tls,
		   const struct tls_settings *settings)
{
	conf_check_each_tls(reader, tls, settings, true, check_tickets);
}
