/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds the table service by service and answers the one question of the
 * accept gate: which context does this ClientHello get?
 */
#include "common/route/route.h"

#include <assert.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/framed_hash.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/conf/conf.h"
#include "common/route/certificate_index.h"
#include "common/route/certificate_places.h"
#include "common/route/certificate_set.h"
#include "common/route/context_cache.h"
#include "common/route/name_index.h"
#include "common/route/route_findings.h"
#include "common/tls/client_hello.h"
#include "common/tls/tls_policy.h"

/* A context takes about 30 kB; more names than this at one time are rare. */
#define CONTEXTS_KEPT 2048

/* One set of TLS settings at the accept gate: the gate's own, or those of an
 * entry of `hosts`. */
struct accept_policy {
	const struct tls_settings *settings;
	struct tls_policy *policy;
	/* Whose sessions they are, but for the certificate. */
	unsigned char identity[FRAMED_HASH_SIZE];
	struct certificate_set certificates;
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
route_accept_free(struct route_accept *accept)
{
	if (!accept)
		return;
	tls_policy_unref(accept->own.policy);
	for (size_t i = 0; i < accept->host_count; i++)
		tls_policy_unref(accept->hosts[i].policy);
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
	certificate_index_unref(table->index);
	mem_free(table->services);
	mem_free(table);
}

/* One route_table_new() under way. */
struct builder {
	const struct file_set *files;
	struct certificate_index *index;       /* NULL: there is none */
	const struct certificate_place *place; /* the next one */
	struct route_findings found;
};

/* The listener, the entry of `hosts` (NULL: none) and everything about them. */
static void
make_identity(struct accept_policy *accept, const char *service,
	      const char *host)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();

	framed_hash_add_text(hash, service);
	framed_hash_add_text(hash, host);
	framed_hash_add(hash, tls_policy_digest(accept->policy),
			FRAMED_HASH_SIZE);
	framed_hash_end(hash, accept->identity);
}

static void
accept_policy_init(struct accept_policy *accept, struct builder *builder,
		   const char *service, const char *host)
{
	const struct certificate_place *place = builder->place++;
	const struct tls_settings *settings = place->settings;

	accept->settings = settings;
	accept->policy = tls_policy_new_server(settings, builder->files,
					       builder->found.problems,
					       builder->found.warnings);
	if (builder->index)
		certificate_set_init(&accept->certificates, builder->index,
				     place->set);
	if (accept->policy)
		make_identity(accept, service, host);
	accept->is_sni_strict = settings->is_sni_strict;
	accept->shutdown = settings->shutdown;
}

static struct route_accept *
route_accept_new(const struct conf_service *service, struct builder *builder)
{
	const struct tls_settings *settings = service->accept.tls;
	struct route_accept *accept = mem_alloc(sizeof(*accept));

	accept_policy_init(&accept->own, builder, service->name, NULL);
	if (settings->host_count == 0)
		return accept;
	accept->by_host = name_index_new();
	accept->hosts = mem_array(settings->host_count, sizeof(*accept->hosts));
	accept->host_count = settings->host_count;
	for (size_t i = 0; i < settings->host_count; i++) {
		accept_policy_init(&accept->hosts[i], builder, service->name,
				   settings->hosts[i].pattern);
		name_index_add(accept->by_host, settings->hosts[i].pattern,
			       &accept->hosts[i]);
	}
	return accept;
}

static void
make_client_context(struct route_connect *connect,
		    const struct builder *builder,
		    const struct certificate_place *place)
{
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT];
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();
	struct error error = {.at = place->settings->at};
	struct certificate_set certificates;
	size_t count = 0;

	if (place->set != CERTIFICATE_PLACE_NO_SET) {
		certificate_set_init(&certificates, builder->index, place->set);
		count = certificate_set_each_type(&certificates, chosen);
	}
	framed_hash_add(hash, tls_policy_digest(connect->policy),
			FRAMED_HASH_SIZE);
	for (size_t i = 0; i < count; i++)
		framed_hash_add(hash, chosen[i]->digest, FRAMED_HASH_SIZE);
	framed_hash_end(hash, connect->identity);
	connect->context = context_make(connect->policy, builder->index, chosen,
					count, 0, &error);
	if (!connect->context)
		error_list_add(builder->found.problems, &error);
}

static struct route_connect *
route_connect_new(struct builder *builder)
{
	const struct certificate_place *place = builder->place++;
	struct route_connect *connect = mem_alloc(sizeof(*connect));

	connect->policy = tls_policy_new_client(place->settings, builder->files,
						builder->found.problems,
						builder->found.warnings);
	if (connect->policy && builder->index)
		make_client_context(connect, builder, place);
	return connect;
}

static void
fill(struct route_table *table, const struct conf *conf,
     struct builder *builder)
{
	for (size_t i = 0; i < conf->service_count; i++) {
		const struct conf_service *service = &conf->services[i];
		struct route_service *to = &table->services[i];

		to->conf = service;
		if (service->accept.tls) {
			to->accept = route_accept_new(service, builder);
			to->is_down = builder->index &&
				      certificate_set_is_empty(
					      &to->accept->own.certificates);
		}
		if (service->connect.tls)
			to->connect = route_connect_new(builder);
	}
}

/* Is it of this configuration? */
static void
check_index(struct builder *builder, const struct certificate_places *places)
{
	static const struct position nowhere;

	if (!builder->index ||
	    certificate_index_set_count(builder->index) == places->set_count)
		return;
	error_list_addf(builder->found.problems, &nowhere,
			"the certificate index is of another configuration");
	builder->index = NULL;
}

struct route_table *
route_table_new(const struct conf *conf, const struct file_set *files,
		struct certificate_index *index,
		const struct route_findings *findings)
{
	struct route_table *table = mem_alloc(sizeof(*table));
	struct error_list problems = {0}, quarantined = {0}, warnings = {0};
	struct certificate_places places;
	struct builder builder = {
		.files = files,
		.index = index,
		.found = {&problems, &quarantined, &warnings},
	};
	bool is_usable;

	certificate_places_list(conf, &places);
	builder.place = places.places;
	check_index(&builder, &places);
	table->services =
		mem_array(conf->service_count, sizeof(*table->services));
	table->service_count = conf->service_count;
	table->contexts = context_cache_new(CONTEXTS_KEPT);
	if (index)
		table->index = certificate_index_ref(index);
	fill(table, conf, &builder);
	is_usable = builder.index && problems.count == 0;
	route_findings_add(findings, &builder.found);
	error_list_clear(&problems);
	error_list_clear(&warnings);
	certificate_places_clear(&places);
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

/* A few blocks of SHA-256: nothing beside a handshake. The name is part of it,
 * although one policy and its certificates may be for many: a session of TLS
 * 1.2 must not be resumed under another one (RFC 6066 3), and OpenSSL would. */
static void
make_session_context(const struct accept_policy *policy,
		     const struct indexed_certificate *const *chosen,
		     size_t count, const struct client_hello *hello,
		     unsigned char *context)
{
	unsigned char all[FRAMED_HASH_SIZE * (1 + CERTIFICATE_TYPE_COUNT) + 1 +
			  sizeof(hello->raw_name)] = {0};
	size_t length = FRAMED_HASH_SIZE * (1 + CERTIFICATE_TYPE_COUNT);

	memcpy(all, policy->identity, FRAMED_HASH_SIZE);
	for (size_t i = 0; i < count; i++)
		memcpy(all + FRAMED_HASH_SIZE * (1 + chosen[i]->type),
		       chosen[i]->digest, FRAMED_HASH_SIZE);
	all[length++] = hello->has_server_name;
	if (hello->is_server_name_valid) {
		size_t size = strlen(hello->server_name);

		memcpy(all + length, hello->server_name, size);
		length += size;
	} else if (hello->has_server_name) {
		memcpy(all + length, hello->raw_name, hello->raw_name_length);
		length += hello->raw_name_length;
	}
	assert(EVP_Digest(all, length, context, NULL, EVP_sha256(), NULL) == 1);
}

static unsigned int
find_stapled(const struct accept_policy *policy,
	     const struct indexed_certificate *const *chosen, size_t count)
{
	unsigned int stapled = 0;

	for (size_t i = 0; i < count; i++)
		if (tls_staple_of(policy->settings, chosen[i]->entry)->mode !=
		    TLS_STAPLE_OFF)
			stapled |= 1U << chosen[i]->type;
	return stapled;
}

enum route_result
route_choose(struct route_table *table, const struct route_service *service,
	     const struct client_hello *hello, struct route_choice *choice,
	     struct error *error)
{
	const char *name =
		hello->is_server_name_valid ? hello->server_name : "";
	const struct accept_policy *policy = policy_for(service->accept, name);
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT];
	size_t count = 0;

	if (name[0] != '\0')
		count = certificate_set_find(&policy->certificates, name,
					     chosen);
	if (count == 0) {
		if (policy->is_sni_strict)
			return ROUTE_UNKNOWN_NAME;
		count = certificate_set_default(&policy->certificates, chosen);
	}
	if (count == 0)
		return ROUTE_UNKNOWN_NAME;
	choice->shutdown = policy->shutdown;
	make_session_context(policy, chosen, count, hello,
			     choice->session_context);
	choice->context = context_cache_get(
		table->contexts, policy->policy, table->index, chosen, count,
		find_stapled(policy, chosen, count), error);
	return choice->context ? ROUTE_FOUND : ROUTE_FAILED;
}
