/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One index for each file or directory that is named: those who name the same
 * share it.
 */
#include "common/conf/conf_crls.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/conf/conf.h"
#include "common/tls/policy_crl.h"
#include "common/verify/crl_index_write.h"

struct source {
	char *path;
	struct position at;
	bool is_directory;
	int descriptor; /* of the index */
	int error_number;
};

struct conf_crls {
	struct file_set *raw;
	struct source *sources;
	size_t count;
};

static void
add_source(struct conf_crls *crls, const char *path, const struct position *at,
	   bool is_directory)
{
	struct source *source;

	for (size_t i = 0; i < crls->count; i++)
		if (strcmp(crls->sources[i].path, path) == 0)
			return;
	crls->sources = mem_resize(crls->sources, crls->count + 1,
				   sizeof(*crls->sources));
	source = &crls->sources[crls->count++];
	*source = (struct source){
		.path = mem_strdup(path),
		.at = *at,
		.is_directory = is_directory,
		.descriptor = sealed_begin("sealock-revoked"),
	};
	if (source->descriptor < 0)
		source->error_number = errno;
	file_set_open(crls->raw, path, 0, false);
}

static void
add_tls(struct conf_crls *crls, const struct tls_settings *settings)
{
	const struct tls_crl *crl;

	if (!settings)
		return;
	crl = &settings->verify.crl;
	for (size_t i = 0; i < crl->file_count; i++)
		add_source(crls, crl->files[i], &crl->files_at, false);
	if (crl->directory)
		add_source(crls, crl->directory, &crl->directory_at, true);
	for (size_t i = 0; i < settings->host_count; i++)
		add_tls(crls, settings->hosts[i].settings);
}

struct conf_crls *
conf_crls_open(const struct conf *conf)
{
	struct conf_crls *crls = mem_alloc(sizeof(*crls));

	crls->raw = file_set_new();
	for (size_t i = 0; i < conf->service_count; i++) {
		add_tls(crls, conf->services[i].accept.tls);
		add_tls(crls, conf->services[i].connect.tls);
	}
	return crls;
}

void
conf_crls_free(struct conf_crls *crls)
{
	if (!crls)
		return;
	for (size_t i = 0; i < crls->count; i++) {
		if (crls->sources[i].descriptor >= 0)
			close(crls->sources[i].descriptor);
		mem_free(crls->sources[i].path);
	}
	mem_free(crls->sources);
	file_set_free(crls->raw);
	mem_free(crls);
}

size_t
conf_crls_count(const struct conf_crls *crls)
{
	return crls->count;
}

/* How many lists are in a file, -1 with a sentence. */
static int
add_file(const struct conf_crls *crls, struct crl_index_writer *writer,
	 const char *name, struct error *error)
{
	AUTO_BLOB struct blob blob = {0};
	int count;

	if (file_set_read_most(crls->raw, name, CRL_FILE_MAX, &blob, error) !=
	    0)
		return -1;
	count = crl_index_writer_add(writer, name, blob.bytes, blob.length,
				     error);
	if (count < 0)
		error_prefix(error, "%s: ", name);
	return count;
}

/* Files without a list are passed over, such as the certificates that stand
 * beside lists in a hashed directory; one that is half written is not. */
static int
add_directory(const struct conf_crls *crls, struct crl_index_writer *writer,
	      const struct file_entry *directory, struct error *error)
{
	int count = 0;

	for (size_t i = 0; i < directory->child_count; i++) {
		int added =
			add_file(crls, writer, directory->children[i], error);

		if (added < 0)
			return -1;
		count += added;
	}
	return count;
}

static int
add_source_files(const struct conf_crls *crls, const struct source *source,
		 struct crl_index_writer *writer, struct error *error)
{
	const struct file_entry *entry = file_set_find(crls->raw, source->path);
	int count;

	if (source->is_directory && entry->kind == FILE_KIND_FILE) {
		error_set(error, "%s is no directory: a file goes into `files`",
			  source->path);
		return -1;
	}
	if (!source->is_directory && entry->kind == FILE_KIND_DIRECTORY) {
		error_set(error, "%s is a directory: it goes into `directory`",
			  source->path);
		return -1;
	}
	count = entry->kind == FILE_KIND_DIRECTORY
			? add_directory(crls, writer, entry, error)
			: add_file(crls, writer, source->path, error);
	if (count != 0)
		return count < 0 ? -1 : 0;
	error_set(error,
		  "%s: there is no revocation list in it (DER, or PEM with "
		  "-----BEGIN X509 CRL-----)",
		  source->path);
	return -1;
}

static int
write_source(const struct conf_crls *crls, const struct source *source,
	     struct error *error)
{
	struct crl_index_writer *writer;
	int status;

	if (source->descriptor < 0) {
		error_set(error, "%s: no room for an index: %s", source->path,
			  strerror(source->error_number));
		return -1;
	}
	writer = crl_index_writer_new(source->descriptor);
	status = add_source_files(crls, source, writer, error);
	if (status == 0)
		status = crl_index_writer_finish(writer, error);
	crl_index_writer_free(writer);
	return status;
}

int
conf_crls_write(struct conf_crls *crls, struct error_list *problems)
{
	int status = 0;

	for (size_t i = 0; i < crls->count; i++) {
		struct error error = {.at = crls->sources[i].at};

		if (write_source(crls, &crls->sources[i], &error) == 0)
			continue;
		error_prefix(&error, "crl: ");
		error_list_add(problems, &error);
		status = -1;
	}
	return status;
}

int
conf_crls_finish(struct conf_crls *crls, struct file_set *files,
		 struct error_list *problems)
{
	for (size_t i = 0; i < crls->count; i++) {
		struct source *source = &crls->sources[i];
		AUTO_FREE char *name = policy_crl_name(source->path);

		if (sealed_end(source->descriptor) != 0) {
			error_list_addf(problems, &source->at,
					"crl: %s: its index cannot be sealed: "
					"%s",
					source->path, strerror(errno));
			return -1;
		}
		file_set_add(files, name, source->descriptor, FILE_PUBLIC);
		source->descriptor = -1;
	}
	return 0;
}

int
conf_crls_make(const struct conf *conf, struct file_set *files,
	       struct error_list *problems)
{
	struct conf_crls *crls = conf_crls_open(conf);
	int status = conf_crls_write(crls, problems);

	if (status == 0)
		status = conf_crls_finish(crls, files, problems);
	conf_crls_free(crls);
	return status;
}

int *
conf_crls_descriptors(const struct conf_crls *crls, size_t *count)
{
	size_t files = file_set_count(crls->raw);
	int *all = mem_array(files + crls->count, sizeof(*all));

	*count = 0;
	for (size_t i = 0; i < files; i++)
		all[(*count)++] = file_set_at(crls->raw, i)->descriptor;
	for (size_t i = 0; i < crls->count; i++)
		all[(*count)++] = crls->sources[i].descriptor;
	return all;
}
