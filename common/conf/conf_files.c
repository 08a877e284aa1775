/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening everything that a configuration names.
 */
#include <stdbool.h>
#include <string.h>

#include "common/base/file_set.h"
#include "common/conf/conf.h"
#include "common/conf/conf_secret.h"
#include "common/tls/certificate_create.h"

struct opening {
	struct file_set *files;
	struct error_list *problems;
	bool is_failed;
};

/* A path, or the name of a credential. */
static void
open_named(struct opening *opening, const char *name, unsigned int uses,
	   bool is_deep)
{
	if (name[0] == '/')
		file_set_open(opening->files, name, uses, is_deep);
	else
		conf_credential_open(name, opening->files);
}

/* Made once, here, so that every process that is given the files serves the
 * same one. */
static void
open_self_signed(struct opening *opening, const struct certificate_spec *spec)
{
	const char *const *names = (const char *const *)spec->names;
	AUTO_BLOB struct blob pem = {0};
	struct error error = {.at = spec->at};

	if (file_set_find(opening->files, spec->path) ||
	    (certificate_create_self_signed(names, spec->name_count, &pem,
					    &error) == 0 &&
	     conf_secret_add(spec->path, pem.bytes, pem.length, opening->files,
			     &error) == 0))
		return;
	error_prefix(&error, "self_signed: ");
	error_list_add(opening->problems, &error);
	opening->is_failed = true;
}

static void
open_secret(struct opening *opening, const struct secret *secret)
{
	struct error error = {.at = secret->at};

	if (conf_secret_open(secret, opening->files, &error) == 0)
		return;
	error_list_add(opening->problems, &error);
	opening->is_failed = true;
}

static void
open_staple(struct opening *opening, const struct tls_staple *staple)
{
	if (staple->file)
		open_named(opening, staple->file, FILE_STAPLE, false);
}

static void
open_certificate(struct opening *opening, const struct certificate_spec *spec)
{
	switch (spec->source) {
	case CERTIFICATE_PAIR:
		/* Without a key of its own the chain's file holds it. */
		open_named(opening, spec->path, spec->key ? 0 : FILE_SECRET,
			   false);
		if (spec->key)
			open_named(opening, spec->key, FILE_SECRET, false);
		break;
	case CERTIFICATE_FILE:
	case CERTIFICATE_PKCS12:
	case CERTIFICATE_DIRECTORY:
		open_named(opening, spec->path, FILE_SECRET, true);
		break;
	case CERTIFICATE_SELF_SIGNED:
		open_self_signed(opening, spec);
		break;
	case CERTIFICATE_INLINE:
	case CERTIFICATE_STORE:
		break;
	}
	open_staple(opening, &spec->staple);
	open_secret(opening, &spec->passphrase);
}

/* Whatever the mode is: what is named is looked at. */
static void
open_tickets(struct opening *opening, const struct tls_tickets *tickets)
{
	for (size_t i = 0; i < tickets->file_count; i++)
		open_named(opening, tickets->files[i], FILE_SECRET, false);
	open_secret(opening, &tickets->secret);
}

static void
open_cas(struct opening *opening, const struct tls_ca *cas, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cas[i].text && (cas[i].kind == TLS_CA_PATH ||
				    cas[i].kind == TLS_CA_SYSTEM))
			open_named(opening, cas[i].text, FILE_PUBLIC, false);
}

static void
open_tls(struct opening *opening, const struct tls_settings *settings)
{
	if (!settings)
		return;
	for (size_t i = 0; i < settings->certificate_count; i++)
		open_certificate(opening, &settings->certificates[i]);
	open_staple(opening, &settings->staple);
	open_cas(opening, settings->verify.cas, settings->verify.ca_count);
	open_cas(opening, settings->verify.advertised,
		 settings->verify.advertised_count);
	open_tickets(opening, &settings->session.tickets);
	if (settings->verify.suffixes.kind == TLS_SUFFIX_FILE)
		open_named(opening, settings->verify.suffixes.path, FILE_PUBLIC,
			   false);
	if (settings->dh.kind == TLS_DH_FILE)
		open_named(opening, settings->dh.text, FILE_PUBLIC, false);
	for (size_t i = 0; i < settings->host_count; i++)
		open_tls(opening, settings->hosts[i].settings);
}

/* What may hold a key is not for those who read this. */
static void
check_public(struct opening *opening, const struct position *at,
	     const char *name)
{
	const struct file_entry *entry = file_set_find(opening->files, name);

	if (!entry || entry->kind != FILE_KIND_FILE ||
	    !(entry->uses & FILE_SECRET))
		return;
	error_list_addf(opening->problems, at,
			"%s is also named where it may hold a private key, and "
			"with isolate_keys nothing else reads such a file: "
			"name a file without a key here",
			name);
	opening->is_failed = true;
}

static void
check_cas(struct opening *opening, const struct tls_ca *cas, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cas[i].kind == TLS_CA_PATH)
			check_public(opening, &cas[i].at, cas[i].text);
}

static void
check_staple(struct opening *opening, const struct tls_staple *staple)
{
	if (staple->file)
		check_public(opening, &staple->file_at, staple->file);
}

static void
check_tls(struct opening *opening, const struct tls_settings *settings)
{
	if (!settings)
		return;
	check_staple(opening, &settings->staple);
	for (size_t i = 0; i < settings->certificate_count; i++)
		check_staple(opening, &settings->certificates[i].staple);
	check_cas(opening, settings->verify.cas, settings->verify.ca_count);
	check_cas(opening, settings->verify.advertised,
		  settings->verify.advertised_count);
	if (settings->verify.suffixes.kind == TLS_SUFFIX_FILE)
		check_public(opening, &settings->verify.suffixes.at,
			     settings->verify.suffixes.path);
	if (settings->dh.kind == TLS_DH_FILE)
		check_public(opening, &settings->dh.at, settings->dh.text);
	for (size_t i = 0; i < settings->host_count; i++)
		check_tls(opening, settings->hosts[i].settings);
}

int
conf_files_open(const struct conf *conf, struct file_set *files,
		struct error_list *problems)
{
	struct opening opening = {.files = files, .problems = problems};

	for (size_t i = 0; i < conf->service_count; i++) {
		open_tls(&opening, conf->services[i].accept.tls);
		open_tls(&opening, conf->services[i].connect.tls);
	}
	for (size_t i = 0;
	     conf->global.are_keys_isolated && i < conf->service_count; i++) {
		check_tls(&opening, conf->services[i].accept.tls);
		check_tls(&opening, conf->services[i].connect.tls);
	}
	return opening.is_failed ? -1 : 0;
}
