/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read first, all of it; what the bytes hash to tells whether there is a
 * store of them already; parse only when there is none.
 */
#include "common/tls/ca_store.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate.h"
#include "common/tls/tls_settings.h"

#define DIGEST_SIZE 32

struct ca_store {
	LIST_ENTRY(ca_store) entries;
	unsigned int references;
	unsigned char digest[DIGEST_SIZE];
	X509_STORE *x509;
	STACK_OF(X509_NAME) *names; /* sorted */
};

static LIST_HEAD(, ca_store) stores = LIST_HEAD_INITIALIZER(stores);

/* One file, or one text. */
struct source {
	const struct tls_ca *ca;
	const char *name;
	struct blob blob;
	bool is_optional; /* one of a directory's files */
};

struct sources {
	struct source *sources;
	size_t count;
};

static void
clear_sources(struct sources *all)
{
	for (size_t i = 0; i < all->count; i++)
		blob_clear(&all->sources[i].blob);
	mem_free(all->sources);
}

static void
add_source(struct sources *all, const struct tls_ca *ca, const char *name,
	   struct blob *blob, bool is_optional)
{
	all->sources =
		mem_resize(all->sources, all->count + 1, sizeof(*all->sources));
	all->sources[all->count++] = (struct source){
		.ca = ca,
		.name = name,
		.blob = *blob,
		.is_optional = is_optional,
	};
	*blob = (struct blob){0};
}

static void
read_directory(const struct tls_ca *ca, const struct file_entry *directory,
	       const struct file_set *files, struct sources *all,
	       struct error_list *warnings)
{
	for (size_t i = 0; i < directory->child_count; i++) {
		const char *name = directory->children[i];
		const struct file_entry *child = file_set_find(files, name);
		struct error error = {.at = ca->at};
		AUTO_BLOB struct blob blob = {0};

		if (child && child->kind == FILE_KIND_DIRECTORY)
			continue;
		if (file_set_read(files, name, &blob, &error) == 0)
			add_source(all, ca, name, &blob, true);
		else if (warnings)
			error_list_add(warnings, &error);
	}
}

static void
read_path(const struct tls_ca *ca, const struct file_set *files,
	  struct sources *all, struct error_list *problems,
	  struct error_list *warnings)
{
	const struct file_entry *entry = file_set_find(files, ca->text);
	struct error error = {.at = ca->at};
	AUTO_BLOB struct blob blob = {0};

	if (entry && entry->kind == FILE_KIND_DIRECTORY)
		read_directory(ca, entry, files, all, warnings);
	else if (file_set_read(files, ca->text, &blob, &error) == 0)
		add_source(all, ca, ca->text, &blob, false);
	else
		error_list_add(problems, &error);
}

static void
read_ca(const struct tls_ca *ca, const struct file_set *files,
	struct sources *all, struct error_list *problems,
	struct error_list *warnings)
{
	struct blob blob;

	switch (ca->kind) {
	case TLS_CA_SYSTEM:
		if (!ca->text) {
			error_list_addf(problems, &ca->at,
					"this machine has no store of "
					"certificate authorities (Debian's "
					"package is ca-certificates): install "
					"one, or name files in verify.ca");
			return;
		}
		read_path(ca, files, all, problems, warnings);
		return;
	case TLS_CA_PATH:
		read_path(ca, files, all, problems, warnings);
		return;
	case TLS_CA_INLINE:
		blob.length = strlen(ca->text);
		blob.bytes = mem_dup(ca->text, blob.length + 1);
		add_source(all, ca, "the text given here", &blob, false);
		return;
	case TLS_CA_NONE:
		return;
	}
}

static void
hash_sources(const struct sources *all, unsigned char *digest)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool is_good = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL);

	for (size_t i = 0; is_good && i < all->count; i++) {
		const struct source *source = &all->sources[i];
		/* What makes a difference to what is a problem, too. */
		const uint64_t frame[] = {
			source->blob.length,
			source->is_optional,
			i > 0 && source->ca != source[-1].ca,
		};

		is_good = EVP_DigestUpdate(hash, frame, sizeof(frame)) &&
			  EVP_DigestUpdate(hash, source->blob.bytes,
					   source->blob.length);
	}
	/* Without memory or without SHA-256 there is nothing to go on with. */
	is_good = is_good && EVP_DigestFinal_ex(hash, digest, NULL);
	assert(is_good);
}

static int
compare_names(const X509_NAME *const *one, const X509_NAME *const *other)
{
	return X509_NAME_cmp(*one, *other);
}

static void
free_store(struct ca_store *store)
{
	X509_STORE_free(store->x509);
	sk_X509_NAME_pop_free(store->names, X509_NAME_free);
	mem_free(store);
}

static struct ca_store *
store_new(const unsigned char *digest)
{
	struct ca_store *store = mem_alloc(sizeof(*store));

	store->references = 1;
	memcpy(store->digest, digest, DIGEST_SIZE);
	store->x509 = X509_STORE_new();
	store->names = sk_X509_NAME_new(compare_names);
	assert(store->x509 && store->names);
	return store;
}

static int
add_name(struct ca_store *store, const X509 *certificate)
{
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(certificate));

	if (name && sk_X509_NAME_push(store->names, name) > 0)
		return 0;
	X509_NAME_free(name);
	return -1;
}

/* Of names that are equal, one is enough. */
static void
settle_names(struct ca_store *store)
{
	STACK_OF(X509_NAME) *names = store->names;
	int kept = 0;

	sk_X509_NAME_sort(names);
	for (int i = 0; i < sk_X509_NAME_num(names); i++) {
		X509_NAME *name = sk_X509_NAME_value(names, i);

		if (kept > 0 &&
		    X509_NAME_cmp(sk_X509_NAME_value(names, kept - 1), name) ==
			    0)
			X509_NAME_free(name);
		else
			sk_X509_NAME_set(names, kept++, name);
	}
	while (sk_X509_NAME_num(names) > kept)
		sk_X509_NAME_pop(names);
}

/* How many certificates of one source are in the store now, -1 with a
 * sentence when it cannot take them. */
static int
parse_source(struct ca_store *store, const struct source *source,
	     struct error *error)
{
	AUTO_OPENSSL(x509_stack) STACK_OF(X509) *found = NULL;

	found = certificate_parse_all(source->blob.bytes, source->blob.length,
				      NULL, error);
	if (!found)
		return source->is_optional ? 0 : -1;
	for (int i = 0; i < sk_X509_num(found); i++) {
		X509 *certificate = sk_X509_value(found, i);

		if (!X509_STORE_add_cert(store->x509, certificate) ||
		    add_name(store, certificate) != 0) {
			ERR_clear_error();
			error_set(error, "OpenSSL does not take certificate %d",
				  i + 1);
			return -1;
		}
	}
	return sk_X509_num(found);
}

static struct ca_store *
parse_sources(const struct sources *all, const unsigned char *digest,
	      struct error_list *problems)
{
	struct ca_store *store = store_new(digest);
	const struct tls_ca *ca = NULL;
	size_t before = problems->count;
	int count = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct source *source = &all->sources[i];
		struct error error = {.at = source->ca->at};
		int added = parse_source(store, source, &error);

		if (added < 0) {
			error_prefix(&error, "%s: ", source->name);
			error_list_add(problems, &error);
			continue;
		}
		count = source->ca == ca ? count + added : added;
		ca = source->ca;
		/* The last file of a directory, and none had one. */
		if (count == 0 &&
		    (i + 1 == all->count || all->sources[i + 1].ca != ca))
			error_list_addf(problems, &ca->at,
					"%s: there is no certificate in it",
					ca->text);
	}
	if (problems->count == before) {
		settle_names(store);
		LIST_INSERT_HEAD(&stores, store, entries);
		return store;
	}
	free_store(store);
	return NULL;
}

static struct ca_store *
open_sources(const struct sources *all, struct error_list *problems)
{
	unsigned char digest[DIGEST_SIZE];
	struct ca_store *store;

	hash_sources(all, digest);
	LIST_FOREACH (store, &stores, entries)
		if (memcmp(store->digest, digest, DIGEST_SIZE) == 0)
			return ca_store_ref(store);
	return parse_sources(all, digest, problems);
}

struct ca_store *
ca_store_open(const struct tls_ca *cas, size_t ca_count,
	      const struct file_set *files, struct error_list *problems,
	      struct error_list *warnings)
{
	struct sources all = {0};
	struct ca_store *store = NULL;
	size_t before = problems->count;

	for (size_t i = 0; i < ca_count; i++) {
		size_t count = all.count, found = problems->count;

		assert(cas[i].kind != TLS_CA_NONE);
		read_ca(&cas[i], files, &all, problems, warnings);
		if (all.count == count && problems->count == found)
			error_list_addf(problems, &cas[i].at,
					"%s: there is no file to read in it",
					cas[i].text);
	}
	if (problems->count == before)
		store = open_sources(&all, problems);
	clear_sources(&all);
	return store;
}

struct ca_store *
ca_store_ref(struct ca_store *store)
{
	store->references++;
	return store;
}

void
ca_store_unref(struct ca_store *store)
{
	if (!store || --store->references > 0)
		return;
	LIST_REMOVE(store, entries);
	free_store(store);
}

X509_STORE *
ca_store_x509(const struct ca_store *store)
{
	return store->x509;
}

const STACK_OF(X509_NAME) *
ca_store_names(const struct ca_store *store)
{
	return store->names;
}

const unsigned char *
ca_store_digest(const struct ca_store *store)
{
	return store->digest;
}
