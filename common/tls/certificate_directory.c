/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories as certbot, dehydrated, lego, hitch and HAProxy lay them out.
 * What decides is content; a name only says which key goes with which
 * certificate, and whether silence or a complaint is right when a file holds
 * nothing.
 */
#include "common/tls/certificate_directory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_build.h"
#include "common/tls/certificate_parse.h"
#include "common/tls/tls_settings.h"

#define CERTBOT_CHAIN "fullchain.pem"
#define CERTBOT_KEY   "privkey.pem"

static const char KEY_SUFFIX[] = ".key";

/* X.crt and so on go with X.key. */
static const char *const pair_suffixes[] = {".crt", ".pem", ".cer"};

/* Files called so ought to hold a certificate. */
static const char *const certificate_suffixes[] = {".crt", ".pem", ".cer",
						   ".der", ".p12", ".pfx"};

static const char *
base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static const char *
suffix_of(const char *name)
{
	const char *base = base_of(name);
	const char *dot = strrchr(base, '.');

	return dot && dot != base ? dot : "";
}

static bool
has_suffix(const char *name, const char *const *suffixes, size_t count)
{
	const char *suffix = suffix_of(name);

	for (size_t i = 0; i < count; i++)
		if (strcasecmp(suffix, suffixes[i]) == 0)
			return true;
	return false;
}

static bool
is_called_certificate(const char *name)
{
	return has_suffix(name, certificate_suffixes,
			  ARRAY_SIZE(certificate_suffixes));
}

/* The file called like the first `length` bytes of name and suffix, if the
 * directory has one. Everything in it is an entry of the set. */
static const struct file_entry *
find_sibling(const struct certificate_loading *loading, const char *name,
	     size_t length, const char *suffix)
{
	AUTO_FREE char *sibling =
		mem_format("%.*s%s", (int)length, name, suffix);
	const struct file_entry *entry = file_set_find(loading->files, sibling);

	return entry && entry->kind != FILE_KIND_DIRECTORY ? entry : NULL;
}

static const struct file_entry *
find_key(const struct certificate_loading *loading, const char *name)
{
	size_t length = strlen(name);
	const struct file_entry *key;

	if (!has_suffix(name, pair_suffixes, ARRAY_SIZE(pair_suffixes)))
		return NULL;
	key = find_sibling(loading, name, length - strlen(suffix_of(name)),
			   KEY_SUFFIX);
	return key ? key : find_sibling(loading, name, length, KEY_SUFFIX);
}

/* Is it called like the key of a file that is there, which is then the one to
 * speak of it? */
static bool
is_key_of_other(const struct certificate_loading *loading, const char *name)
{
	size_t stem = strlen(name) - strlen(suffix_of(name));

	if (strcmp(suffix_of(name), KEY_SUFFIX) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(pair_suffixes); i++)
		if (find_sibling(loading, name, stem, pair_suffixes[i]))
			return true;
	return find_sibling(loading, name, stem, "") != NULL;
}

static void
add_problem(const struct certificate_loading *loading, const char *name,
	    const char *what)
{
	error_list_addf(loading->problems, &loading->spec->at, "%s: %s", name,
			what);
}

/* A file that cannot be read or decoded: was it meant for us? DER may be any
 * thing at all; PEM and PKCS#12 are hardly an accident. */
static bool
is_failure_ours(const struct file_entry *child, const struct file_entry *key,
		const struct certificate_content *content)
{
	return key || is_called_certificate(child->name) ||
	       content->form == CERTIFICATE_FORM_PEM ||
	       content->form == CERTIFICATE_FORM_PKCS12;
}

/* Nothing to serve in it, no key called like it: silence, unless its name
 * promised something. */
static void
pass_over(const struct certificate_loading *loading,
	  const struct file_entry *child,
	  const struct certificate_content *content)
{
	if (content->form == CERTIFICATE_FORM_NONE &&
	    is_called_certificate(child->name))
		add_problem(loading, child->name,
			    certificate_content_lack(content));
	else if (sk_X509_num(content->certificates) > 0 &&
		 strcmp(base_of(child->name), CERTBOT_CHAIN) == 0)
		add_problem(loading, child->name,
			    "there is no " CERTBOT_KEY " beside it");
}

static void
load_child(const struct certificate_loading *loading,
	   const struct file_entry *child)
{
	struct error error = {.at = loading->spec->at};
	struct certificate_content content;
	const struct file_entry *key;

	if (is_key_of_other(loading, child->name))
		return;
	key = find_key(loading, child->name);
	if (certificate_read(loading, child->name, &content, &error) != 0) {
		if (is_failure_ours(child, key, &content))
			error_list_add(loading->problems, &error);
	} else if (sk_X509_num(content.certificates) > 0 &&
		   certificate_content_key_count(&content) > 0) {
		certificate_load_content(loading, child->name, &content);
	} else if (key) {
		certificate_load_with_key(loading, child->name, &content,
					  key->name);
	} else {
		pass_over(loading, child, &content);
	}
	certificate_content_clear(&content);
}

static char *
path_in(const struct file_entry *directory, const char *name)
{
	size_t length = strlen(directory->name);
	bool has_slash = length > 0 && directory->name[length - 1] == '/';

	return mem_format("%s%s%s", directory->name, has_slash ? "" : "/",
			  name);
}

/* certbot's and dehydrated's form. */
static bool
load_certbot(const struct certificate_loading *loading,
	     const struct file_entry *directory)
{
	AUTO_FREE char *chain = path_in(directory, CERTBOT_CHAIN);
	AUTO_FREE char *key = path_in(directory, CERTBOT_KEY);
	bool has_key = file_set_find(loading->files, key) != NULL;

	if (has_key && file_set_find(loading->files, chain)) {
		certificate_load_file(loading, chain, key);
		return true;
	}
	if (has_key)
		add_problem(loading, key,
			    "there is no " CERTBOT_CHAIN " beside it");
	return false;
}

static void
load_directory(const struct certificate_loading *loading,
	       const struct file_entry *directory, unsigned int depth)
{
	if (load_certbot(loading, directory))
		return;
	for (size_t i = 0; i < directory->child_count; i++) {
		const struct file_entry *child =
			file_set_find(loading->files, directory->children[i]);

		if (!child)
			continue;
		if (child->kind != FILE_KIND_DIRECTORY)
			load_child(loading, child);
		else if (depth > 0)
			load_directory(loading, child, depth - 1);
	}
}

struct ranked {
	struct certificate *certificate;
	size_t index;
};

/* Equal certificates side by side, the one to keep first. */
static int
compare(const void *one, const void *other)
{
	const struct ranked *left = one, *right = other;
	int order =
		memcmp(left->certificate->digest, right->certificate->digest,
		       sizeof(left->certificate->digest));

	if (order == 0)
		order = sk_X509_num(right->certificate->chain) -
			sk_X509_num(left->certificate->chain);
	if (order == 0)
		order = left->index < right->index ? -1 : 1;
	return order;
}

/* Drop doubles behind the first `start` ones. */
static void
drop_doubles(struct certificate_list *list, size_t start)
{
	size_t count = list->count - start;
	AUTO_FREE struct ranked *ranked = mem_array(count, sizeof(*ranked));

	for (size_t i = 0; i < count; i++)
		ranked[i] = (struct ranked){list->certificates[start + i], i};
	qsort(ranked, count, sizeof(*ranked), compare);
	for (size_t i = 1, kept = 0; i < count; i++) {
		if (memcmp(ranked[kept].certificate->digest,
			   ranked[i].certificate->digest,
			   sizeof(ranked[i].certificate->digest)) != 0) {
			kept = i;
			continue;
		}
		certificate_unref(ranked[i].certificate);
		list->certificates[start + ranked[i].index] = NULL;
	}
	list->count = start;
	for (size_t i = start; i < start + count; i++)
		if (list->certificates[i])
			list->certificates[list->count++] =
				list->certificates[i];
}

void
certificate_directory_load(const struct certificate_loading *loading,
			   const struct file_entry *directory)
{
	size_t start = loading->list->count;
	size_t problems = loading->problems->count;

	load_directory(loading, directory, 1);
	if (loading->list->count > start)
		drop_doubles(loading->list, start);
	else if (loading->problems->count == problems)
		add_problem(loading, directory->name,
			    "there is no certificate with its key in this "
			    "directory");
}
