/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening, sharing and describing; the question itself is in crl_index_ask.c.
 */
#include "common/verify/crl_index.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/verify/crl_index_check.h"
#include "common/verify/crl_index_own.h"

static LIST_HEAD(, crl_index) opened = LIST_HEAD_INITIALIZER(opened);

static int
map(int descriptor, struct crl_index *index, struct error *error)
{
	index->memory = sealed_map(descriptor, &index->size, error);
	if (!index->memory ||
	    crl_index_check_all(index->memory, index->size, error) != 0)
		return -1;
	/* What has been looked at is not ours to hold: it stays in the memfd,
	 * and what is asked for comes back. */
	madvise(index->memory, index->size, MADV_DONTNEED);
	return 0;
}

static struct crl_index *
find_open(const struct stat *status)
{
	struct crl_index *index;

	LIST_FOREACH (index, &opened, entries)
		if (index->device == status->st_dev &&
		    index->inode == status->st_ino)
			return index;
	return NULL;
}

struct crl_index *
crl_index_open(int descriptor, struct error *error)
{
	struct crl_index *index;
	struct stat status;

	if (fstat(descriptor, &status) != 0) {
		error_set(error, "the index of revocation lists: %s",
			  strerror(errno));
		return NULL;
	}
	index = find_open(&status);
	if (index)
		return crl_index_ref(index);
	index = mem_alloc(sizeof(*index));
	index->references = 1;
	index->device = status.st_dev;
	index->inode = status.st_ino;
	LIST_INSERT_HEAD(&opened, index, entries);
	if (map(descriptor, index, error) == 0) {
		index->header = (const void *)index->memory;
		index->lists =
			(const void *)(index->memory + index->header->lists);
		index->known = mem_array(index->header->list_count,
					 sizeof(*index->known));
		return index;
	}
	error_prefix(error, "the index of revocation lists: ");
	crl_index_unref(index);
	return NULL;
}

struct crl_index *
crl_index_ref(struct crl_index *index)
{
	index->references++;
	return index;
}

void
crl_index_unref(struct crl_index *index)
{
	if (!index || --index->references > 0)
		return;
	LIST_REMOVE(index, entries);
	if (index->memory)
		munmap(index->memory, index->size);
	mem_free(index->known);
	mem_free(index);
}

const unsigned char *
crl_index_digest(const struct crl_index *index)
{
	return index->header->digest;
}

size_t
crl_index_count(const struct crl_index *index)
{
	return index->header->list_count;
}

/* As RFC 4514 writes it; nothing in it but printable characters. */
static char *
format_name(const unsigned char *bytes, size_t length)
{
	const unsigned char *at = bytes;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)length);
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL, *made;
	long size;

	if (name && out &&
	    X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253) >= 0) {
		size = BIO_get_mem_data(out, &text);
		/* Without a byte in it there is no text, either. */
		made = size > 0 ? mem_strndup(text, (size_t)size)
				: mem_strdup("");
	} else {
		made = mem_strdup("?");
	}
	BIO_free(out);
	X509_NAME_free(name);
	ERR_clear_error();
	return made;
}

void
crl_index_fill(const struct crl_index *index, const struct crl_list *list,
	       struct crl_finding *finding)
{
	struct crl_layout layout;

	crl_layout_compute(list, &layout);
	*finding = (struct crl_finding){
		.source = (const char *)index->memory + layout.source,
		.this_update = list->this_update,
		.next_update = list->next_update,
	};
}

void
crl_index_describe(const struct crl_index *index, size_t number,
		   struct crl_finding *finding, char **issuer)
{
	const struct crl_list *list = &index->lists[number];
	struct crl_layout layout;

	crl_layout_compute(list, &layout);
	crl_index_fill(index, list, finding);
	*issuer =
		format_name(index->memory + layout.issuer, list->issuer_length);
}
