/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known by its first bytes.
 */
#include "daemon/cli/probe_plaintext.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

static const struct {
	const char *start;
	const char *what;
} known[] = {
	{"SSH-", "SSH, which has no TLS in it"},
	{"HTTP/", "plain HTTP: TLS may be at another port, often 443"},
	{"<!DOCTYPE", "plain HTTP: TLS may be at another port, often 443"},
	{"<html", "plain HTTP: TLS may be at another port, often 443"},
	{"+OK", "POP3: TLS begins there after STLS, or at port 995"},
	{"* OK", "IMAP: TLS begins there after STARTTLS, or at port 993"},
	{"* PREAUTH", "IMAP: TLS begins there after STARTTLS, or at port 993"},
	{"220", "SMTP or FTP: TLS begins there after STARTTLS or AUTH TLS, "
		"or at port 465 or 990"},
	{"554", "SMTP, which refuses us"},
	{"-ERR", "Redis or POP3 without TLS"},
	{"RFB ", "VNC"},
	{"200 ", "NNTP: TLS begins there after STARTTLS, or at port 563"},
	{"<?xml", "XMPP: TLS begins there after starttls"},
};

bool
probe_plaintext_is_tls(const unsigned char *bytes, size_t length)
{
	/* RFC 8446 5.1: type, version, length; alert or handshake come first.
	 */
	if (length > 0 && bytes[0] != 21 && bytes[0] != 22)
		return false;
	if (length > 1 && bytes[1] != 3)
		return false;
	return length <= 2 || bytes[2] <= 4;
}

void
probe_plaintext_describe(const unsigned char *bytes, size_t length,
			 char *buffer, size_t size)
{
	const char *what = NULL;
	size_t line = 0;
	char shown[160];

	while (line < length && bytes[line] != '\r' && bytes[line] != '\n')
		line++;
	/* Bytes that begin with a line's end are no text. */
	text_escape(bytes, line > 0 ? line : length, shown, sizeof(shown));
	for (size_t i = 0; i < ARRAY_SIZE(known) && !what; i++)
		if (length >= strlen(known[i].start) &&
		    memcmp(bytes, known[i].start, strlen(known[i].start)) == 0)
			what = known[i].what;
	snprintf(buffer, size, "this is no TLS: it answered \"%s\"%s%s", shown,
		 what ? ": that is " : "", what ? what : "");
}
