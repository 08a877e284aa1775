/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From settings to rules; the lists have been read by somebody else.
 */
#include "common/tls/policy_crl.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/tls/tls_settings.h"
#include "common/verify/crl_check.h"
#include "common/verify/crl_index.h"

char *
policy_crl_name(const char *path)
{
	return mem_format("crl:%s", path);
}

/* Where anything of it was written, or NULL. */
static const struct position *
written_at(const struct tls_crl *crl)
{
	/* What `check --print` has written down as the default is none. */
	static const struct position nowhere;
	const struct position *const all[] = {
		&crl->files_at,
		&crl->directory_at,
		crl->check == TLS_CRL_LEAF ? &nowhere : &crl->check_at,
		crl->expired == TLS_CRL_EXPIRED_ERROR ? &nowhere
						      : &crl->expired_at,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i]->line != 0)
			return all[i];
	return NULL;
}

static const char *
format_time(int64_t seconds, char *buffer, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (!gmtime_r(&when, &parts) ||
	    strftime(buffer, size, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
		snprintf(buffer, size, "?");
	return buffer;
}

/* What will be said to everybody who is refused by it is said beforehand. */
static void
warn_of_dates(const struct crl_index *index, const struct position *at,
	      struct error_list *warnings)
{
	int64_t now = (int64_t)time(NULL);
	struct crl_finding finding;
	char when[64];

	for (size_t i = 0; i < crl_index_count(index); i++) {
		AUTO_FREE char *issuer = NULL;

		crl_index_describe(index, i, &finding, &issuer);
		if (finding.next_update <= now)
			error_list_addf(warnings, at,
					"crl: %s: the list of %.200s expired "
					"on %s",
					finding.source, issuer,
					format_time(finding.next_update, when,
						    sizeof(when)));
		else if (finding.this_update > now)
			error_list_addf(warnings, at,
					"crl: %s: the list of %.200s is not "
					"valid before %s",
					finding.source, issuer,
					format_time(finding.this_update, when,
						    sizeof(when)));
	}
}

static void
open_index(const char *path, const struct position *at,
	   const struct file_set *files, struct crl_rules *rules,
	   struct error_list *problems, struct error_list *warnings)
{
	AUTO_FREE char *name = policy_crl_name(path);
	const struct file_entry *entry = file_set_find(files, name);
	struct error error = {.at = *at};
	struct crl_index *index;

	if (!entry || entry->kind != FILE_KIND_FILE) {
		error_list_addf(problems, at,
				"crl: the revocation lists in %s were not read",
				path);
		return;
	}
	index = crl_index_open(entry->descriptor, &error);
	if (!index) {
		error_prefix(&error, "crl: %s: ", path);
		error_list_add(problems, &error);
		return;
	}
	if (warnings)
		warn_of_dates(index, at, warnings);
	rules->indexes = mem_resize(rules->indexes, rules->count + 1,
				    sizeof(struct crl_index *));
	rules->indexes[rules->count++] = index;
}

void
policy_crl_choose(const struct tls_verify *verify, bool is_chain_checked,
		  const struct file_set *files, struct crl_rules *rules,
		  struct error_list *problems, struct error_list *warnings)
{
	const struct tls_crl *crl = &verify->crl;
	const struct position *at = written_at(crl);

	if (!at)
		return;
	if (crl->file_count == 0 && !crl->directory) {
		error_list_addf(problems, at,
				"crl: neither `files` nor `directory` names a "
				"revocation list: this has no effect");
		return;
	}
	if (!is_chain_checked) {
		error_list_addf(problems, at,
				"crl: no chain is checked here (`verify` is "
				"none, or its `ca`): this has no effect");
		return;
	}
	rules->is_chain = crl->check == TLS_CRL_CHAIN;
	rules->is_expired_good = crl->expired == TLS_CRL_EXPIRED_WARN;
	for (size_t i = 0; i < crl->file_count; i++)
		open_index(crl->files[i], &crl->files_at, files, rules,
			   problems, warnings);
	if (crl->directory)
		open_index(crl->directory, &crl->directory_at, files, rules,
			   problems, warnings);
}
