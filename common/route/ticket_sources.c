/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gates with equal settings have one ring, which is read once.
 */
#include "common/route/ticket_sources.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/secret_memory.h"
#include "common/conf/conf.h"
#include "common/route/certificate_places.h"
#include "common/route/ticket_file.h"

#define SECRETS_SIZE ((size_t)TICKET_SECRETS_MAX * TICKET_SECRET_SIZE)

#define SECRET_MIN 32
#define SECRET_MAX 4096

/* Beyond 0640, in what others may do. */
#define MODE_TOO_WIDE 0037

struct reading {
	const struct tls_tickets *tickets;
	const struct file_set *files;
	struct ticket_source *source;
	struct error_list *problems;
	struct error_list *warnings; /* NULL: nobody wants them */
};

static void
warn_of_mode(const struct reading *reading, const struct position *at,
	     const char *name)
{
	const struct file_entry *entry = file_set_find(reading->files, name);
	struct stat status;

	if (!reading->warnings || !entry || entry->kind != FILE_KIND_FILE ||
	    name[0] != '/' || fstat(entry->descriptor, &status) != 0 ||
	    !(status.st_mode & MODE_TOO_WIDE))
		return;
	error_list_addf(reading->warnings, at,
			"`tickets`: %s has mode %04o: whoever reads it can "
			"decrypt sessions: chmod 0640 %s",
			name, status.st_mode & 07777U, name);
}

static int
read_files(const struct reading *reading)
{
	const struct tls_tickets *tickets = reading->tickets;
	struct ticket_source *source = reading->source;
	int status = 0;

	source->fixed = ticket_ring_new(source->id);
	for (size_t i = 0; i < tickets->file_count; i++) {
		const char *name = tickets->files[i];
		struct error error = {.at = tickets->files_at};
		AUTO_BLOB struct blob blob = {0};

		if (file_set_read_most(reading->files, name, TICKET_FILE_MAX,
				       &blob, &error) == 0 &&
		    ticket_file_parse(name, blob.bytes, blob.length, i == 0,
				      source->fixed, &error) == 0) {
			warn_of_mode(reading, &tickets->files_at, name);
			continue;
		}
		error_prefix(&error, "`tickets`: ");
		error_list_add(reading->problems, &error);
		status = -1;
	}
	return status;
}

/* Without what is around it. */
static size_t
trim(const char **line, size_t length)
{
	while (length > 0 && strchr(" \t\r", **line)) {
		++*line;
		length--;
	}
	while (length > 0 && strchr(" \t\r", (*line)[length - 1]))
		length--;
	return length;
}

/* Bytes that no line of text has: what was made in another way may have line
 * ends in it, too. */
static bool
is_binary(const struct blob *blob)
{
	for (size_t i = 0; i < blob->length; i++) {
		unsigned char byte = blob->bytes[i];

		if (byte < ' ' && !strchr("\t\r\n", byte))
			return true;
		if (byte == '\0' || byte == 0x7f)
			return true;
	}
	return false;
}

/* Lines. -1 with what is wrong, which is nothing of the content, when there are
 * more than the source has room for, or one is too short. */
static int
split_secret(const struct blob *blob, struct ticket_source *source,
	     struct error *error)
{
	const char *at = (const char *)blob->bytes, *end = at + blob->length;

	if (is_binary(blob)) {
		error_set(error,
			  "a secret is a line of text, and this is none: "
			  "expected one as of: openssl rand -base64 33");
		return -1;
	}
	for (; at < end; at++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *line = at;
		size_t length;

		if (!stop)
			stop = end;
		length = trim(&line, (size_t)(stop - at));
		at = stop;
		if (length == 0)
			continue;
		if (source->secret_count == TICKET_SECRETS_MAX) {
			error_set(error,
				  "more than %d lines: the secret, and the one "
				  "that it takes the place of",
				  TICKET_SECRETS_MAX);
			return -1;
		}
		if (length < SECRET_MIN) {
			error_set(error,
				  "a secret of %zu characters: expected %d or "
				  "more by chance, as of: openssl rand -base64 "
				  "33",
				  length, SECRET_MIN);
			return -1;
		}
		ticket_secret_extract(line, length,
				      source->secrets[source->secret_count++]);
	}
	if (source->secret_count == 0) {
		error_set(error,
			  "there is nothing in it: expected a line of %d "
			  "characters or more",
			  SECRET_MIN);
		return -1;
	}
	if (source->secret_count == 2 &&
	    memcmp(source->secrets[0], source->secrets[1],
		   TICKET_SECRET_SIZE) == 0) {
		error_set(error, "both lines are the same");
		return -1;
	}
	return 0;
}

static int
read_secret(const struct reading *reading)
{
	const struct secret *secret = &reading->tickets->secret;
	struct error error = {.at = secret->at};
	AUTO_BLOB struct blob blob = {0};

	reading->source->secrets = secret_memory_new(SECRETS_SIZE);
	if (file_set_read_most(reading->files, secret->name, SECRET_MAX, &blob,
			       &error) == 0) {
		if (split_secret(&blob, reading->source, &error) == 0) {
			warn_of_mode(reading, &secret->at, secret->name);
			return 0;
		}
		error_prefix(&error, "%s: ", secret->name);
	}
	error_prefix(&error, "`tickets`: `secret`: ");
	error_list_add(reading->problems, &error);
	return -1;
}

static int
read_source(const struct reading *reading)
{
	const struct tls_tickets *tickets = reading->tickets;

	reading->source->mode = tickets->mode;
	reading->source->pace =
		(struct ticket_pace){tickets->rotate_ms / 1000, tickets->keep};
	switch (tickets->mode) {
	case TLS_TICKETS_FILES:
		return read_files(reading);
	case TLS_TICKETS_DERIVED:
		return read_secret(reading);
	case TLS_TICKETS_AUTO:
	case TLS_TICKETS_OFF:
		break;
	}
	return 0;
}

int
ticket_sources_read(struct ticket_sources *sources, const struct conf *conf,
		    const struct file_set *files, struct error_list *problems,
		    struct error_list *warnings)
{
	struct certificate_places places;
	unsigned char id[TICKET_RING_ID_SIZE];
	int status = 0;

	certificate_places_list(conf, &places);
	*sources = (struct ticket_sources){
		.sources = mem_array(places.count, sizeof(*sources->sources)),
	};
	for (size_t i = 0; i < places.count; i++) {
		const struct certificate_place *place = &places.places[i];
		const struct tls_session *session = &place->settings->session;
		struct reading reading = {
			.tickets = &session->tickets,
			.files = files,
			.source = &sources->sources[sources->count],
			.problems = problems,
			.warnings = warnings,
		};

		if (!place->is_server || !ticket_ring_id(session, id) ||
		    ticket_sources_find(sources, id))
			continue;
		memcpy(reading.source->id, id, sizeof(id));
		sources->count++;
		if (read_source(&reading) != 0)
			status = -1;
	}
	certificate_places_clear(&places);
	return status;
}

void
ticket_sources_clear(struct ticket_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		ticket_ring_free(sources->sources[i].fixed);
		secret_memory_free(sources->sources[i].secrets, SECRETS_SIZE);
	}
	mem_free(sources->sources);
	*sources = (struct ticket_sources){0};
}

const struct ticket_source *
ticket_sources_find(const struct ticket_sources *sources,
		    const unsigned char id[TICKET_RING_ID_SIZE])
{
	for (size_t i = 0; i < sources->count; i++)
		if (memcmp(sources->sources[i].id, id, TICKET_RING_ID_SIZE) ==
		    0)
			return &sources->sources[i];
	return NULL;
}

bool
ticket_source_update(const struct ticket_source *source,
		     struct ticket_ring *ring, int64_t now)
{
	struct ticket_ring *made;
	bool is_changed;

	if (source->mode == TLS_TICKETS_AUTO)
		return ticket_make_next(ring, &source->pace, now);
	made = ticket_ring_new(source->id);
	if (source->mode == TLS_TICKETS_FILES)
		ticket_ring_copy(made, source->fixed);
	else
		ticket_make_derived(made, &source->pace, source->secrets[0],
				    source->secret_count, now);
	is_changed = !ticket_ring_equal(ring, made);
	ticket_ring_copy(ring, made);
	ticket_ring_free(made);
	return is_changed;
}
