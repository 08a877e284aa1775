/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds the table service by service and answers the one question of the
 * accept gate: which context does this ClientHello get?
 */
#include "common/route/route.h"

#include <string.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/certificate_set.h"
#include "common/route/context_cache.h"
#include "common/route/name_index.h"
#include "common/tls/certificate.h"
#include "common/tls/client_hello.h"
#include "common/tls/tls_policy.h"

/* A context takes about 30 kB; more names than this at one time are rare. */
#define CONTEXTS_KEPT 2048

/* One set of TLS settings at the accept gate: the gate's own, or those of an
 * entry of `hosts`. */
struct accept_policy {
	struct tls_policy *policy;
	struct certificate_set *certificates; /* counted: hosts share it */
	bool is_sni_strict;
	enum tls_shutdown shutdown;
};

struct route_accept {
	struct accept_policy own;
	struct accept_policy *hosts;
	size_t host_count;
	struct name_index *by_host; /* patterns of hosts; NULL: no hosts */
};

static void
accept_policy_clear(struct accept_policy *accept)
{
	tls_policy_unref(accept->policy);
	certificate_set_unref(accept->certificates);
}

static void
route_accept_free(struct route_accept *accept)
{
	if (!accept)
		return;
	accept_policy_clear(&accept->own);
	for (size_t i = 0; i < accept->host_count; i++)
		accept_policy_clear(&accept->hosts[i]);
	name_index_free(accept->by_host);
	mem_free(accept->hosts);
	mem_free(accept);
}

static void
route_connect_free(struct route_connect *connect)
{
	if (!connect)
		return;
	tls_policy_unref(connect->policy);
	SSL_CTX_free(connect->context);
	mem_free(connect);
}

void
route_table_free(struct route_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->service_count; i++) {
		route_accept_free(table->services[i].accept);
		route_connect_free(table->services[i].connect);
	}
	context_cache_free(table->contexts);
	mem_free(table->services);
	mem_free(table);
}

/* The set that the previous generation had at that gate, for its last good
 * copies; services are known by their names. */
static const struct certificate_set *
previous_set(const struct route_table *previous,
	     const struct conf_service *service)
{
	for (size_t i = 0; previous && i < previous->service_count; i++) {
		const struct route_service *old = &previous->services[i];

		if (old->accept && strcmp(old->conf->name, service->name) == 0)
			return old->accept->own.certificates;
	}
	return NULL;
}

static bool
has_same_certificates(const struct tls_settings *one,
		      const struct tls_settings *other)
{
	if (one->certificate_count != other->certificate_count)
		return false;
	for (size_t i = 0; i < one->certificate_count; i++) {
		const struct position *at = &one->certificates[i].at;
		const struct position *also = &other->certificates[i].at;

		if (at->file != also->file || at->line != also->line ||
		    at->column != also->column)
			return false;
	}
	return true;
}

static void
accept_policy_init(struct accept_policy *accept,
		   const struct tls_settings *settings,
		   const struct file_set *files,
		   struct certificate_set *certificates,
		   const struct route_findings *findings)
{
	accept->policy = tls_policy_new_server(
		settings, files, findings->problems, findings->warnings);
	accept->certificates = certificates;
	accept->is_sni_strict = settings->is_sni_strict;
	accept->shutdown = settings->shutdown;
}

static struct route_accept *
route_accept_new(const struct conf_service *service,
		 const struct file_set *files,
		 const struct route_table *previous,
		 const struct route_findings *findings)
{
	const struct tls_settings *settings = service->accept.tls;
	const struct certificate_set *old = previous_set(previous, service);
	struct route_accept *accept = mem_alloc(sizeof(*accept));

	accept_policy_init(&accept->own, settings, files,
			   certificate_set_new(settings, files, old,
					       findings->quarantined,
					       findings->warnings),
			   findings);
	if (settings->host_count == 0)
		return accept;
	accept->by_host = name_index_new();
	accept->hosts = mem_array(settings->host_count, sizeof(*accept->hosts));
	accept->host_count = settings->host_count;
	for (size_t i = 0; i < settings->host_count; i++) {
		const struct tls_host *host = &settings->hosts[i];
		struct certificate_set *certificates;

		if (has_same_certificates(host->settings, settings))
			certificates =
				certificate_set_ref(accept->own.certificates);
		else
			certificates = certificate_set_new(
				host->settings, files, old,
				findings->quarantined, findings->warnings);
		accept_policy_init(&accept->hosts[i], host->settings, files,
				   certificates, findings);
		if (certificate_set_is_empty(certificates) &&
		    !certificate_set_is_empty(accept->own.certificates))
			error_list_addf(findings->quarantined, &host->at,
					"service %s, host %s: none of its "
					"certificates can be served",
					service->name, host->pattern);
		name_index_add(accept->by_host, host->pattern,
			       &accept->hosts[i]);
	}
	return accept;
}

static struct route_connect *
route_connect_new(const struct conf_service *service,
		  const struct file_set *files,
		  const struct route_findings *findings)
{
	const struct tls_settings *settings = service->connect.tls;
	struct route_connect *connect = mem_alloc(sizeof(*connect));
	struct certificate *chosen[CERTIFICATE_TYPE_COUNT];
	struct certificate_set *certificates = NULL;
	struct error error = {.at = settings->at};
	size_t count = 0;

	connect->policy = tls_policy_new_client(
		settings, files, findings->problems, findings->warnings);
	if (settings->certificate_count > 0) {
		certificates = certificate_set_new(settings, files, NULL,
						   findings->problems,
						   findings->warnings);
		count = certificate_set_each_type(certificates, chosen);
	}
	if (connect->policy) {
		connect->context = tls_policy_context(connect->policy, chosen,
						      count, &error);
		if (!connect->context)
			error_list_add(findings->problems, &error);
	}
	certificate_set_unref(certificates);
	return connect;
}

/* One service that is down is the others' good luck; all of them are nobody's.
 */
static void
check_any_starts(const struct route_table *table,
		 const struct route_findings *findings)
{
	size_t down = 0;

	for (size_t i = 0; i < table->service_count; i++)
		down += table->services[i].is_down;
	if (down == 0)
		return;
	if (down == table->service_count) {
		error_list_addf(findings->problems,
				&table->services[0].conf->at,
				"no service can start: none has a certificate "
				"that can be served");
		return;
	}
	for (size_t i = 0; i < table->service_count; i++) {
		const struct conf_service *service = table->services[i].conf;

		if (table->services[i].is_down)
			error_list_addf(findings->quarantined,
					&service->accept.tls->at,
					"service %s has no certificate that "
					"can be served and does not start",
					service->name);
	}
}

static bool
is_listed(const struct error_list *list, const struct error *error)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct error *one = &list->errors[i];

		if (one->at.file == error->at.file &&
		    one->at.line == error->at.line &&
		    one->at.column == error->at.column &&
		    strcmp(one->text, error->text) == 0)
			return true;
	}
	return false;
}

/* What services have from `defaults` is found wrong in each of them. */
static void
add_once(struct error_list *list, const struct error_list *found)
{
	for (size_t i = 0; i < found->count; i++)
		if (!is_listed(list, &found->errors[i]))
			error_list_add(list, &found->errors[i]);
}

static void
fill(struct route_table *table, const struct conf *conf,
     const struct file_set *files, const struct route_table *previous,
     const struct route_findings *findings)
{
	for (size_t i = 0; i < conf->service_count; i++) {
		const struct conf_service *service = &conf->services[i];
		struct route_service *to = &table->services[i];

		to->conf = service;
		if (service->accept.tls) {
			to->accept = route_accept_new(service, files, previous,
						      findings);
			to->is_down = certificate_set_is_empty(
				to->accept->own.certificates);
		}
		if (service->connect.tls)
			to->connect =
				route_connect_new(service, files, findings);
	}
	check_any_starts(table, findings);
}

struct route_table *
route_table_new(const struct conf *conf, const struct file_set *files,
		const struct route_table *previous,
		const struct route_findings *findings)
{
	struct route_table *table = mem_alloc(sizeof(*table));
	struct error_list problems = {0}, quarantined = {0}, warnings = {0};
	struct route_findings found = {&problems, &quarantined, &warnings};
	bool is_usable;

	table->services =
		mem_array(conf->service_count, sizeof(*table->services));
	table->service_count = conf->service_count;
	table->contexts = context_cache_new(CONTEXTS_KEPT);
	fill(table, conf, files, previous, &found);
	is_usable = problems.count == 0;
	/* Where nothing is served nothing is in quarantine. */
	add_once(is_usable ? findings->quarantined : findings->problems,
		 &quarantined);
	add_once(findings->problems, &problems);
	add_once(findings->warnings, &warnings);
	error_list_clear(&problems);
	error_list_clear(&quarantined);
	error_list_clear(&warnings);
	if (is_usable)
		return table;
	route_table_free(table);
	return NULL;
}

static const struct accept_policy *
policy_for(const struct route_accept *accept, const char *name)
{
	const struct name_value *found;

	if (!accept->by_host || name[0] == '\0')
		return &accept->own;
	found = name_index_exact(accept->by_host, name);
	if (!found)
		found = name_index_wildcard(accept->by_host, name);
	return found ? found->value : &accept->own;
}

enum route_result
route_choose(struct route_table *table, const struct route_service *service,
	     const struct client_hello *hello, struct route_choice *choice,
	     struct error *error)
{
	const char *name =
		hello->is_server_name_valid ? hello->server_name : "";
	const struct accept_policy *policy = policy_for(service->accept, name);
	struct certificate *chosen[CERTIFICATE_TYPE_COUNT];
	size_t count = 0;

	if (name[0] != '\0')
		count = certificate_set_find(policy->certificates, name,
					     chosen);
	if (count == 0) {
		if (policy->is_sni_strict)
			return ROUTE_UNKNOWN_NAME;
		count = certificate_set_default(policy->certificates, chosen);
	}
	if (count == 0)
		return ROUTE_UNKNOWN_NAME;
	choice->shutdown = policy->shutdown;
	choice->context = context_cache_get(table->contexts, policy->policy,
					    chosen, count, error);
	return choice->context ? ROUTE_FOUND : ROUTE_FAILED;
}
