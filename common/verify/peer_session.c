/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One form, with a number in front that changes when the form does: sessions
 * of another version of ours are not resumed.
 */
#include "common/verify/peer_session.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <openssl/x509_vfy.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/verify/peer_policy.h"

#define FORM 2

/* How far ahead another machine's clock may be, in seconds. What began later
 * than that would not end when it should. */
#define CLOCKS_APART 600

#define HAS_CERTIFICATE 1
#define IS_PINNED       2

static void
write_verdict(const struct peer_verdict *verdict, struct buf_writer *writer)
{
	buf_write_u64(writer, (uint64_t)verdict->valid_until);
	buf_write_u8(writer, (uint8_t)verdict->ocsp);
	buf_write_u8(writer, (uint8_t)verdict->step);
	if (verdict->step == PEER_STEP_NONE)
		return;
	buf_write_u32(writer, (uint32_t)verdict->error);
	buf_write_u32(writer, (uint32_t)verdict->depth);
	buf_write_string(writer, verdict->subject);
	buf_write_string(writer, verdict->sentence);
}

size_t
peer_session_encode(const struct peer_session *known, unsigned char *bytes)
{
	const struct peer_verdict *verdict = &known->verdict;
	struct buf_writer writer;
	unsigned int flags = 0;

	assert(!known->has_certificate || verdict->is_admitted);
	if (known->has_certificate)
		flags |= HAS_CERTIFICATE;
	if (verdict->is_pinned)
		flags |= IS_PINNED;
	buf_write_init(&writer, bytes, PEER_SESSION_MAX);
	buf_write_u8(&writer, FORM);
	buf_write_u64(&writer, (uint64_t)known->first_at);
	buf_write_u8(&writer, (uint8_t)flags);
	if (known->has_certificate)
		write_verdict(verdict, &writer);
	return writer.failed ? 0 : writer.length;
}

/* Nothing but what can stand in a log: the words were escaped before. */
static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* A number that was an int or an int64_t of 0 or more. */
static int64_t
read_number(struct buf_reader *reader, uint64_t value, uint64_t max)
{
	if (value > max)
		reader->failed = true;
	return reader->failed ? 0 : (int64_t)value;
}

/* NULL where "" was written. */
static char *
read_words(struct buf_reader *reader)
{
	AUTO_FREE char *text = buf_read_string(reader);

	if (!text || text[0] == '\0')
		return NULL;
	if (!is_printable(text))
		reader->failed = true;
	return TAKE(text);
}

static void
read_verdict(struct buf_reader *reader, struct peer_verdict *verdict)
{
	uint8_t step, ocsp;

	verdict->is_admitted = true;
	verdict->valid_until =
		read_number(reader, buf_read_u64(reader), INT64_MAX);
	ocsp = buf_read_u8(reader);
	if (ocsp > PEER_OCSP_REVOKED ||
	    (ocsp > PEER_OCSP_UNUSABLE && !verdict->is_pinned))
		reader->failed = true;
	else
		verdict->ocsp = (enum peer_ocsp)ocsp;
	step = buf_read_u8(reader);
	if (step == PEER_STEP_NONE)
		return;
	/* Whom a check has refused a pin alone lets in. */
	if (step > PEER_STEP_OCSP || !verdict->is_pinned)
		reader->failed = true;
	verdict->step = (enum peer_step)step;
	verdict->error =
		(int)read_number(reader, buf_read_u32(reader), INT_MAX);
	verdict->depth =
		(int)read_number(reader, buf_read_u32(reader), INT_MAX);
	verdict->subject = read_words(reader);
	verdict->sentence = read_words(reader);
	if (verdict->error == X509_V_OK || !verdict->sentence)
		reader->failed = true;
}

int
peer_session_parse(const unsigned char *bytes, size_t length,
		   struct peer_session *known)
{
	struct buf_reader reader;
	uint8_t flags;

	*known = (struct peer_session){0};
	if (length > PEER_SESSION_MAX)
		return -1;
	buf_read_init(&reader, bytes, length);
	if (buf_read_u8(&reader) != FORM)
		return -1;
	known->first_at =
		read_number(&reader, buf_read_u64(&reader), INT64_MAX);
	flags = buf_read_u8(&reader);
	known->has_certificate = flags & HAS_CERTIFICATE;
	known->verdict.is_pinned = flags & IS_PINNED;
	if (flags & ~(HAS_CERTIFICATE | IS_PINNED) ||
	    (known->verdict.is_pinned && !known->has_certificate))
		reader.failed = true;
	if (known->has_certificate)
		read_verdict(&reader, &known->verdict);
	if (!reader.failed && reader.length == 0)
		return 0;
	peer_session_clear(known);
	return -1;
}

void
peer_session_clear(struct peer_session *known)
{
	peer_verdict_clear(&known->verdict);
	*known = (struct peer_session){0};
}

int
peer_session_remember(SSL_SESSION *session, int64_t first_at,
		      const struct peer_verdict *verdict)
{
	struct peer_session known = {.first_at = first_at};
	unsigned char bytes[PEER_SESSION_MAX];
	size_t length;

	if (verdict) {
		if (!verdict->is_admitted)
			return -1;
		known.has_certificate = true;
		known.verdict = *verdict;
	}
	length = peer_session_encode(&known, bytes);
	if (length == 0 ||
	    !SSL_SESSION_set1_ticket_appdata(session, bytes, length))
		return -1;
	return 0;
}

int
peer_session_recall(SSL_SESSION *session, struct peer_session *known)
{
	void *bytes = NULL;
	size_t length = 0;

	if (!session ||
	    !SSL_SESSION_get0_ticket_appdata(session, &bytes, &length) ||
	    !bytes || peer_session_parse(bytes, length, known) != 0)
		return -1;
	if (known->first_at <= clock_real_s() + CLOCKS_APART)
		return 0;
	peer_session_clear(known);
	return -1;
}

int64_t
peer_session_end(const struct peer_session *known, int64_t lifetime)
{
	int64_t end = lifetime < INT64_MAX - known->first_at
			      ? known->first_at + lifetime
			      : INT64_MAX;

	return known->has_certificate && known->verdict.valid_until < end
		       ? known->verdict.valid_until
		       : end;
}

bool
peer_session_is_settled(const struct peer_verdict *verdict,
			const struct peer_policy *policy)
{
	return !verdict || !policy || verdict->is_pinned ||
	       policy->ocsp.check == OCSP_CHECK_OFF ||
	       verdict->ocsp == PEER_OCSP_GOOD;
}

/* Would this policy let in who has this session? */
static bool
is_enough(const struct peer_session *known, SSL_SESSION *session,
	  const struct peer_policy *policy)
{
	/* OpenSSL keeps certificates also where nobody looks at them. */
	if (!policy)
		return !known->has_certificate;
	if (known->has_certificate != (SSL_SESSION_get0_peer(session) != NULL))
		return false;
	if (!known->has_certificate)
		return !policy->is_required;
	return peer_session_is_settled(&known->verdict, policy);
}

int64_t
peer_session_until(SSL_SESSION *session, const struct peer_policy *policy,
		   int64_t lifetime)
{
	struct peer_session known;
	int64_t end = 0;

	if (peer_session_recall(session, &known) != 0)
		return 0;
	if (is_enough(&known, session, policy))
		end = peer_session_end(&known, lifetime);
	peer_session_clear(&known);
	return end;
}
