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
#include "common/tls/certificate_record.h"
#include "common/tls/certificate_unit.h"
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
load_unit(const struct certificate_loading *loading,
	  const struct file_entry *child, const struct file_entry *key)
{
	struct error error = {.at = loading->spec->at};
	struct certificate_content content;

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

static void
load_child(const struct certificate_loading *loading,
	   const struct file_entry *child)
{
	struct certificate_loading within = *loading;
	const struct file_entry *key;
	struct certificate_unit unit;

	if (is_key_of_other(loading, child->name))
		return;
	key = find_key(loading, child->name);
	if (certificate_unit_begin(&unit, loading, child->name,
				   key ? key->name : NULL))
		return;
	within.unit = &unit;
	load_unit(&within, child, key);
	certificate_unit_end(&unit, loading);
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
	const unsigned char *digest;
	int chain_length;
	size_t index;
};

/* Equal certificates side by side, the one to keep first. */
static int
compare(const void *one, const void *other)
{
	const struct ranked *left = one, *right = other;
	int order = memcmp(left->digest, right->digest, 32);

	if (order == 0)
		order = right->chain_length - left->chain_length;
	if (order == 0)
		order = left->index < right->index ? -1 : 1;
	return order;
}

/* Which are doubles, by index. */
static bool *
find_doubles(struct ranked *ranked, size_t count)
{
	bool *is_double = mem_array(count, sizeof(*is_double));

	qsort(ranked, count, sizeof(*ranked), compare);
	for (size_t i = 1; i < count; i++)
		is_double[ranked[i].index] =
			memcmp(ranked[i - 1].digest, ranked[i].digest, 32) == 0;
	return is_double;
}

/* Drop doubles behind the first `start` ones. */
static void
drop_certificates(struct certificate_list *list, size_t start)
{
	struct certificate **from = list->certificates + start;
	size_t count = list->count - start;
	AUTO_FREE struct ranked *ranked = mem_array(count, sizeof(*ranked));
	AUTO_FREE bool *is_double = NULL;

	for (size_t i = 0; i < count; i++)
		ranked[i] = (struct ranked){from[i]->digest,
					    sk_X509_num(from[i]->chain), i};
	is_double = find_doubles(ranked, count);
	list->count = start;
	for (size_t i = 0; i < count; i++) {
		if (is_double[i])
			certificate_unref(from[i]);
		else
			list->certificates[list->count++] = from[i];
	}
}

static void
drop_records(struct record_list *list, size_t start)
{
	struct certificate_record **from = list->records + start;
	size_t count = list->count - start;
	AUTO_FREE struct ranked *ranked = mem_array(count, sizeof(*ranked));
	AUTO_FREE bool *is_double = NULL;

	for (size_t i = 0; i < count; i++)
		ranked[i] = (struct ranked){from[i]->digest,
					    (int)from[i]->chain_count, i};
	is_double = find_doubles(ranked, count);
	list->count = start;
	for (size_t i = 0; i < count; i++) {
		if (is_double[i])
			certificate_record_unref(from[i]);
		else
			list->records[list->count++] = from[i];
	}
}

void
certificate_directory_load(const struct certificate_loading *loading,
			   const struct file_entry *directory)
{
	size_t start = certificate_loading_count(loading);
	size_t problems = loading->problems->count;

	load_directory(loading, directory, 1);
	if (certificate_loading_count(loading) == start) {
		if (loading->problems->count == problems)
			add_problem(loading, directory->name,
				    "there is no certificate with its key in "
				    "this directory");
	} else if (loading->units) {
		drop_records(loading->units->list, start);
	} else {
		drop_certificates(loading->list, start);
	}
}
