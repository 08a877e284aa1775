/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * List by list, so that no more than one is in memory, and their table at the
 * end.
 */
#include "common/verify/crl_index_write.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/verify/crl_index_parts.h"
#include "common/verify/crl_parse.h"
#include "common/verify/crl_signature.h"

struct crl_index_writer {
	int descriptor;
	uint64_t at; /* what is written */
	struct crl_list *lists;
	uint32_t list_count;
	uint32_t list_capacity;
	uint8_t (*digests)[CRL_INDEX_DIGEST_SIZE]; /* of what was added */
	size_t digest_count;
};

struct crl_index_writer *
crl_index_writer_new(int descriptor)
{
	struct crl_index_writer *writer = mem_alloc(sizeof(*writer));

	writer->descriptor = descriptor;
	writer->at = sizeof(struct crl_index_header);
	return writer;
}

void
crl_index_writer_free(struct crl_index_writer *writer)
{
	if (!writer)
		return;
	mem_free(writer->lists);
	mem_free(writer->digests);
	mem_free(writer);
}

static int
write_at(const struct crl_index_writer *writer, const void *bytes,
	 size_t length, uint64_t at, struct error *error)
{
	const unsigned char *from = bytes;

	while (length > 0) {
		ssize_t written =
			pwrite(writer->descriptor, from, length, (off_t)at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			error_set(error, "its index cannot be written: %s",
				  strerror(errno));
			return -1;
		}
		from += written;
		at += (uint64_t)written;
		length -= (size_t)written;
	}
	return 0;
}

static void
hash(const void *bytes, size_t length, uint8_t *digest)
{
	int is_done =
		EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL);

	/* Only the end of memory, or an OpenSSL without SHA-256. */
	assert(is_done);
}

/* Shorter numbers first, then as memcmp(3) has it; of two entries for one
 * certificate, the earlier. */
static int
compare_entries(const void *one, const void *other)
{
	const struct crl_entry *a = one, *b = other;
	int order;

	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	order = memcmp(a->serial, b->serial, a->length);
	if (order != 0)
		return order;
	return a->date < b->date ? -1 : a->date > b->date;
}

static void
sort_entries(struct crl_parsed *list)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->entries, list->count, sizeof(*list->entries),
	      compare_entries);
	for (size_t i = 0; i < list->count; i++) {
		const struct crl_entry *entry = &list->entries[i];

		if (kept > 0 &&
		    entry->length == list->entries[kept - 1].length &&
		    memcmp(entry->serial, list->entries[kept - 1].serial,
			   entry->length) == 0)
			continue;
		list->entries[kept++] = *entry;
	}
	list->count = kept;
}

static int
hash_issuer(const struct der_span *issuer, uint32_t *value, struct error *error)
{
	const unsigned char *at = issuer->bytes;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)issuer->length);
	int is_hashed = 0;

	if (name)
		*value = (uint32_t)X509_NAME_hash_ex(name, NULL, NULL,
						     &is_hashed);
	X509_NAME_free(name);
	ERR_clear_error();
	if (is_hashed)
		return 0;
	error_set(error, "the name of its issuer is malformed");
	return -1;
}

static void
put(unsigned char *base, uint64_t at, const void *bytes, size_t length)
{
	if (length > 0)
		memcpy(base + at, bytes, length);
}

static void
put_entries(unsigned char *base, const struct crl_layout *layout,
	    const struct crl_list *list, const struct crl_parsed *parsed)
{
	for (size_t i = 0; i < parsed->count; i++) {
		const struct crl_entry *entry = &parsed->entries[i];
		unsigned char *serial =
			base + layout->serials + i * list->serial_size;

		put(base, layout->dates + i * sizeof(entry->date), &entry->date,
		    sizeof(entry->date));
		base[layout->reasons + i] = entry->reason;
		serial[0] = entry->length;
		memcpy(serial + 1, entry->serial, entry->length);
	}
}

static void
put_parts(unsigned char *base, const struct crl_layout *layout,
	  const struct crl_list *list, const struct crl_parsed *parsed,
	  const char *source, const struct der_span *message)
{
	put_entries(base, layout, list, parsed);
	put(base, layout->issuer, parsed->issuer.bytes, parsed->issuer.length);
	put(base, layout->key_id, parsed->key_id.bytes, parsed->key_id.length);
	put(base, layout->number, parsed->number.bytes, parsed->number.length);
	put(base, layout->algorithm, parsed->algorithm.bytes,
	    parsed->algorithm.length);
	put(base, layout->signature, parsed->signature.bytes,
	    parsed->signature.length);
	put(base, layout->names, parsed->names.bytes, parsed->names.length);
	put(base, layout->source, source, list->source_length);
	put(base, layout->message, message->bytes, message->length);
}

static void
keep(struct crl_index_writer *writer, const struct crl_list *list)
{
	if (writer->list_count == writer->list_capacity) {
		writer->list_capacity = 2 * writer->list_capacity + 16;
		writer->lists = mem_resize(writer->lists, writer->list_capacity,
					   sizeof(*writer->lists));
	}
	writer->lists[writer->list_count++] = *list;
}

static int
write_list(struct crl_index_writer *writer, const char *source,
	   struct crl_parsed *parsed, const struct der_span *message,
	   struct error *error)
{
	size_t source_length = strlen(source), longest = 0;
	struct crl_list list;
	struct crl_layout layout;
	AUTO_FREE unsigned char *parts = NULL;

	if (source_length > CRL_INDEX_SOURCE_MAX)
		source_length = CRL_INDEX_SOURCE_MAX;
	sort_entries(parsed);
	/* The last one has the longest. */
	if (parsed->count > 0)
		longest = 1 + (size_t)parsed->entries[parsed->count - 1].length;
	list = (struct crl_list){
		.this_update = parsed->this_update,
		.next_update = parsed->next_update,
		.scope = parsed->scope,
		.entry_count = (uint32_t)parsed->count,
		.serial_size = (uint32_t)longest,
		.issuer_length = (uint32_t)parsed->issuer.length,
		.key_id_length = (uint32_t)parsed->key_id.length,
		.number_length = (uint32_t)parsed->number.length,
		.algorithm_length = (uint32_t)parsed->algorithm.length,
		.signature_length = (uint32_t)parsed->signature.length,
		.names_length = (uint32_t)parsed->names.length,
		.source_length = (uint32_t)source_length,
		.message_length = (uint32_t)message->length,
	};
	if (hash_issuer(&parsed->issuer, &list.issuer_hash, error) != 0)
		return -1;
	crl_layout_compute(&list, &layout);
	if (writer->list_count == CRL_INDEX_LISTS_MAX ||
	    writer->at + layout.end > CRL_INDEX_MAX) {
		error_set(error, "there are too many lists here: all of them "
				 "together may take 256 MiB");
		return -1;
	}
	parts = mem_alloc((size_t)layout.end);
	put_parts(parts, &layout, &list, parsed, source, message);
	if (write_at(writer, parts, (size_t)layout.end, writer->at, error) != 0)
		return -1;
	list.at = writer->at;
	writer->at += layout.end;
	keep(writer, &list);
	return 0;
}

static int
add_list(struct crl_index_writer *writer, const char *source, const void *bytes,
	 size_t length, struct error *error)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct crl_parsed parsed;
	struct crl_method method;
	struct der_span message;
	unsigned int size;
	int status = -1;

	if (crl_parse(bytes, length, &parsed, error) == 0 &&
	    crl_method_find(&parsed.algorithm, &method, error) == 0) {
		message = parsed.signed_part;
		if (method.digest) {
			int is_done =
				EVP_Digest(message.bytes, message.length,
					   digest, &size, method.digest, NULL);

			assert(is_done);
			message = (struct der_span){digest, size};
		}
		status = write_list(writer, source, &parsed, &message, error);
	}
	crl_parsed_clear(&parsed);
	return status;
}

/* Blocks one after the other; what is no list is passed over. */
static int
add_pem(struct crl_index_writer *writer, const char *source, const void *bytes,
	size_t length, struct error *error)
{
	BIO *in = BIO_new_mem_buf(bytes, (int)length);
	char *label = NULL, *header = NULL;
	unsigned char *der = NULL;
	long der_length = 0;
	int count = 0, status = 0;

	assert(in);
	while (status == 0 &&
	       PEM_read_bio(in, &label, &header, &der, &der_length)) {
		if (strcmp(label, PEM_STRING_X509_CRL) == 0) {
			count++;
			status = add_list(writer, source, der,
					  (size_t)der_length, error);
		}
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	BIO_free(in);
	if (status != 0) {
		error_prefix(error, "list %d: ", count);
	} else if (ERR_GET_REASON(ERR_peek_last_error()) !=
		   PEM_R_NO_START_LINE) {
		error_set(error, "what is behind its list %d is no PEM", count);
		status = -1;
	}
	ERR_clear_error();
	return status == 0 ? count : -1;
}

/* True: it is there already, a link to a file that was read, or a copy. */
static bool
is_known(struct crl_index_writer *writer, const void *bytes, size_t length)
{
	uint8_t digest[CRL_INDEX_DIGEST_SIZE];

	hash(bytes, length, digest);
	for (size_t i = 0; i < writer->digest_count; i++)
		if (memcmp(writer->digests[i], digest, sizeof(digest)) == 0)
			return true;
	writer->digests = mem_resize(writer->digests, writer->digest_count + 1,
				     sizeof(*writer->digests));
	memcpy(writer->digests[writer->digest_count++], digest, sizeof(digest));
	return false;
}

int
crl_index_writer_add(struct crl_index_writer *writer, const char *name,
		     const void *bytes, size_t length, struct error *error)
{
	const unsigned char *first = bytes;

	if (length > CRL_FILE_MAX) {
		error_set(error, "it is larger than 64 MiB");
		return -1;
	}
	if (length == 0)
		return 0;
	if (is_known(writer, bytes, length))
		return 1;
	if (first[0] != DER_SEQUENCE)
		return add_pem(writer, name, bytes, length, error);
	return add_list(writer, name, bytes, length, error) == 0 ? 1 : -1;
}

/* By issuer, the newest first. */
static int
compare_lists(const void *one, const void *other)
{
	const struct crl_list *a = one, *b = other;

	if (a->issuer_hash != b->issuer_hash)
		return a->issuer_hash < b->issuer_hash ? -1 : 1;
	if (a->this_update != b->this_update)
		return a->this_update > b->this_update ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

int
crl_index_writer_finish(struct crl_index_writer *writer, struct error *error)
{
	size_t size = writer->list_count * sizeof(*writer->lists);
	struct crl_index_header header = {
		.magic = CRL_INDEX_MAGIC,
		.size = writer->at + size,
		.lists = writer->at,
		.list_count = writer->list_count,
	};

	if (writer->list_count > 0)
		qsort(writer->lists, writer->list_count, sizeof(*writer->lists),
		      compare_lists);
	hash(writer->digests, writer->digest_count * sizeof(*writer->digests),
	     header.digest);
	return write_at(writer, writer->lists, size, writer->at, error) == 0
		       ? write_at(writer, &header, sizeof(header), 0, error)
		       : -1;
}
