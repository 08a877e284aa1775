/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read as a configuration's are.
 */
#include "daemon/cli/probe_authorities.h"

#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/tls/ca_store.h"
#include "common/tls/tls_settings.h"
#include "daemon/cli/probe_request.h"

static void
add_path(struct tls_verify *verify, struct file_set *files, const char *path)
{
	char *found = realpath(path, NULL);
	struct tls_ca ca = {
		.kind = TLS_CA_PATH,
		.text = mem_strdup(found ? found : path),
	};

	file_set_open(files, ca.text, FILE_PUBLIC, false);
	verify->cas = mem_resize(verify->cas, verify->ca_count + 1,
				 sizeof(*verify->cas));
	verify->cas[verify->ca_count++] = ca;
	free(found);
}

static struct ca_store *
open_store(const struct probe_request *request, const char *system,
	   struct error *error)
{
	struct file_set *files = file_set_new();
	struct error_list problems = {0};
	struct tls_verify verify = {0};
	struct ca_store *store;

	for (size_t i = 0; i < request->ca_count; i++)
		add_path(&verify, files, request->cas[i]);
	if (request->ca_count == 0)
		add_path(&verify, files, system);
	store = ca_store_open(verify.cas, verify.ca_count, files, &problems,
			      NULL);
	if (!store)
		error_set(error, "%s", problems.errors[0].text);
	for (size_t i = 0; i < verify.ca_count; i++)
		mem_free(verify.cas[i].text);
	mem_free(verify.cas);
	error_list_clear(&problems);
	file_set_free(files);
	return store;
}

struct probe_authorities *
probe_authorities_new(const struct probe_request *request, struct error *error)
{
	struct probe_authorities *authorities = mem_alloc(sizeof(*authorities));
	const char *system = conf_system_ca_path();

	if (request->ca_count > 0)
		authorities->what = mem_strdup("the CAs given");
	else if (system)
		authorities->what = mem_format("the CAs of %s", system);
	else
		return authorities;
	authorities->store = open_store(request, system, error);
	if (authorities->store)
		return authorities;
	probe_authorities_free(authorities);
	return NULL;
}

void
probe_authorities_free(struct probe_authorities *authorities)
{
	if (!authorities)
		return;
	ca_store_unref(authorities->store);
	mem_free(authorities->what);
	mem_free(authorities);
}
