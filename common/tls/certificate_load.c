/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An entry of `certificates` to what it names.
 */
#include "common/tls/certificate.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/tls/certificate_build.h"
#include "common/tls/certificate_cache.h"
#include "common/tls/certificate_directory.h"
#include "common/tls/certificate_key.h"
#include "common/tls/certificate_parse.h"
#include "common/tls/certificate_store.h"
#include "common/tls/certificate_unit.h"
#include "common/tls/tls_settings.h"

/* NULL in *passphrase when the entry has none. */
static int
read_passphrase(const struct certificate_spec *spec,
		const struct file_set *files, struct blob *blob,
		const char **passphrase, struct error *error)
{
	*passphrase = NULL;
	if (spec->passphrase.kind == SECRET_NONE)
		return 0;
	if (file_set_read(files, spec->passphrase.name, blob, error) == 0)
		*passphrase = certificate_passphrase(blob, error);
	if (*passphrase)
		return 0;
	error_prefix(error, "passphrase: ");
	return -1;
}

static void
load_path(const struct certificate_loading *loading)
{
	const struct certificate_spec *spec = loading->spec;
	const struct file_entry *entry =
		file_set_find(loading->files, spec->path);

	if (!spec->key && entry && entry->kind == FILE_KIND_DIRECTORY)
		certificate_directory_load(loading, entry);
	else if (spec->source == CERTIFICATE_DIRECTORY && entry &&
		 entry->kind == FILE_KIND_FILE)
		error_list_addf(loading->problems, &spec->at,
				"%s is a file, not a directory", spec->path);
	else
		certificate_load_file(loading, spec->path, spec->key);
}

static void
load_inline(const struct certificate_loading *loading)
{
	const char *text = loading->spec->path;
	struct error error = {.at = loading->spec->at};
	struct certificate_content content;

	if (certificate_content_parse(text, strlen(text), loading->passphrase,
				      loading->cache, &content, &error) == 0) {
		certificate_load_content(loading, "inline PEM", &content);
	} else {
		error_prefix(&error, "inline PEM: ");
		error_list_add(loading->problems, &error);
	}
	certificate_content_clear(&content);
}

static size_t
load(struct certificate_loading *loading)
{
	const struct certificate_spec *spec = loading->spec;
	AUTO_BLOB struct blob passphrase = {0};
	struct error error = {.at = spec->at};
	size_t before = certificate_loading_count(loading);

	if (read_passphrase(spec, loading->files, &passphrase,
			    &loading->passphrase, &error) != 0) {
		error_list_add(loading->problems, &error);
		return 0;
	}
	if (loading->units)
		unit_loading_begin(loading->units, spec, loading->passphrase);
	loading->cache = loading->units ? loading->units->cache
					: certificate_cache_new();
	switch (spec->source) {
	case CERTIFICATE_FILE:
	case CERTIFICATE_PAIR:
	case CERTIFICATE_PKCS12:
	case CERTIFICATE_DIRECTORY:
		load_path(loading);
		break;
	case CERTIFICATE_INLINE:
		load_inline(loading);
		break;
	case CERTIFICATE_STORE:
		certificate_store_load(loading);
		break;
	case CERTIFICATE_SELF_SIGNED:
		certificate_load_file(loading, spec->path, NULL);
		break;
	}
	if (!loading->units)
		certificate_cache_free(loading->cache);
	return certificate_loading_count(loading) - before;
}

size_t
certificate_load(const struct certificate_spec *spec,
		 const struct file_set *files, struct certificate_list *list,
		 struct error_list *problems)
{
	struct certificate_loading loading = {
		.spec = spec,
		.files = files,
		.list = list,
		.problems = problems,
	};

	return load(&loading);
}

size_t
certificate_load_records(const struct certificate_spec *spec,
			 const struct file_set *files,
			 struct unit_loading *units,
			 struct error_list *problems)
{
	struct certificate_loading loading = {
		.spec = spec,
		.files = files,
		.units = units,
		.problems = problems,
	};

	return load(&loading);
}
