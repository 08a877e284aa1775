/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules across keys: what is right key by key and still cannot work.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "common/conf/conf_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/conf/conf_check_session.h"
#include "common/conf/conf_check_staple.h"
#include "common/conf/conf_check_verify.h"
#include "common/conf/conf_reader.h"

/* Did somebody write something for that key, be it rightly or not? What was
 * written wrong has been told and is not missing. */
static bool
is_said(const struct yaml_node *map, const char *key)
{
	const struct yaml_pair *pair = map ? yaml_tree_find(map, key) : NULL;

	return pair && !pair->value->is_null &&
	       !(pair->value->kind == YAML_TREE_LIST &&
		 pair->value->item_count == 0);
}

static const struct yaml_node *
find_value(const struct yaml_node *map, const char *key)
{
	const struct yaml_pair *pair = map ? yaml_tree_find(map, key) : NULL;

	return pair ? pair->value : NULL;
}

/* A gate that is no map is its address. */
static bool
is_address_said(const struct yaml_node *service, const char *gate)
{
	const struct yaml_node *value = find_value(service, gate);

	return value && value->kind == YAML_TREE_MAP ? is_said(value, "address")
						     : is_said(service, gate);
}

static void
check_accept(struct conf_reader *reader, const struct yaml_node *node,
	     const struct conf_service *service)
{
	const struct conf_accept *accept = &service->accept;

	if (accept->at.line == 0)
		conf_complain(reader, &service->at,
			      "service `%s` has no `accept`: where do clients "
			      "come in? `accept: \":443\"`",
			      service->name);
	else if (accept->address_count == 0 && !is_address_said(node, "accept"))
		conf_complain(reader, &accept->at,
			      "service `%s`: `accept` has no `address`",
			      service->name);
	if (accept->tls && accept->tls->certificate_count == 0 &&
	    !is_said(find_value(find_value(node, "accept"), "tls"),
		     "certificates"))
		conf_complain(reader, &accept->tls->at,
			      "service `%s`: TLS on the accept gate needs "
			      "`certificates`: a file, a directory, or "
			      "{self_signed: [localhost]} to try things out",
			      service->name);
}

static bool
is_builtin_only(const struct conf_connect *connect)
{
	for (size_t i = 0; i < connect->address_count; i++)
		if (connect->addresses[i].address.kind != ADDRESS_BUILTIN)
			return false;
	return connect->address_count > 0;
}

/* A backend that is verified needs a name to be verified by. */
static void
check_has_names(struct conf_reader *reader, const struct conf_service *service)
{
	const struct conf_connect *connect = &service->connect;

	for (size_t i = 0; i < connect->address_count; i++) {
		const struct conf_address *to = &connect->addresses[i];

		if (to->address.kind == ADDRESS_HOST ||
		    to->address.kind == ADDRESS_INET ||
		    to->address.kind == ADDRESS_BUILTIN)
			continue;
		conf_complain(reader, &to->at,
			      "service `%s`: this backend has no host name to "
			      "verify its certificate by: give one in "
			      "connect.tls.verify.name",
			      service->name);
	}
}

static void
check_verify(struct conf_reader *reader, const struct conf_service *service)
{
	const struct tls_verify *verify = &service->connect.tls->verify;
	bool is_pin_only =
		verify->ca_count == 1 && verify->cas[0].kind == TLS_CA_NONE;

	if (verify->mode != TLS_VERIFY_NONE && !verify->name && !is_pin_only &&
	    !verify->scheme.is_none)
		check_has_names(reader, service);
}

static void
check_connect(struct conf_reader *reader, const struct yaml_node *node,
	      const struct conf_service *service)
{
	const struct conf_connect *connect = &service->connect;

	if (connect->at.line == 0)
		conf_complain(reader, &service->at,
			      "service `%s` has no `connect`: where is the "
			      "backend? `connect: 127.0.0.1:8080`",
			      service->name);
	else if (connect->address_count == 0 &&
		 !is_address_said(node, "connect"))
		conf_complain(reader, &connect->at,
			      "service `%s`: `connect` has no `address`",
			      service->name);
	if (!connect->tls)
		return;
	if (is_builtin_only(connect))
		conf_complain(reader, &connect->tls->at,
			      "service `%s`: a builtin backend speaks no TLS",
			      service->name);
	check_verify(reader, service);
}

static void
check_authorize(struct conf_reader *reader, const struct yaml_node *node,
		const struct conf_service *service)
{
	const struct conf_authorize *authorize = &service->authorize;
	const struct yaml_node *written = find_value(node, "authorize");
	struct socket_address socket;
	struct error error = {0};

	if (!authorize->socket.host) {
		if (written && written->kind == YAML_TREE_MAP &&
		    !is_said(written, "socket"))
			conf_complain(reader, &written->at,
				      "service `%s`: `authorize` has no "
				      "`socket`: who is to be asked?",
				      service->name);
		return;
	}
#ifndef HAVE_JANSSON
	conf_complain(reader, &authorize->at,
		      "service `%s`: `authorize` needs jansson, and this "
		      "sealock was built without it",
		      service->name);
#endif
	if (authorize->is_backend_asked && !service->connect.tls)
		conf_complain(reader, &authorize->at,
			      "service `%s`: `authorize` has `backend: true`, "
			      "but the connect gate has no `tls`: a plain "
			      "backend shows nothing to decide on",
			      service->name);
	if (address_to_socket(&authorize->socket, &socket, &error) != 0)
		conf_complain(reader, &authorize->at,
			      "service `%s`: `authorize`: %s", service->name,
			      error.text);
}

void
conf_check_service(struct conf_reader *reader, const struct yaml_node *node,
		   const struct conf_service *service)
{
	check_accept(reader, node, service);
	check_connect(reader, node, service);
	conf_check_verify(reader, find_value(find_value(node, "accept"), "tls"),
			  service->accept.tls, true);
	conf_check_verify(reader,
			  find_value(find_value(node, "connect"), "tls"),
			  service->connect.tls, false);
	conf_check_session(reader,
			   find_value(find_value(node, "accept"), "tls"),
			   service->accept.tls);
	conf_check_staple(reader, service->accept.tls);
	check_authorize(reader, node, service);
}

/* One address that is listened on. Those of one TCP port stand together, the
 * ones that stand for all local addresses first. */
struct listened {
	const struct conf_address *address;
	bool is_port_reused;
	bool is_inet;
	bool is_wildcard;
	size_t index;
};

static bool
is_unspecified(const struct address *address)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (address->kind == ADDRESS_ANY)
		return true;
	if (inet_pton(AF_INET, address->host, &v4) == 1)
		return v4.s_addr == htonl(INADDR_ANY);
	return inet_pton(AF_INET6, address->host, &v6) == 1 &&
	       IN6_IS_ADDR_UNSPECIFIED(&v6);
}

static int
compare_listened(const void *one, const void *other)
{
	const struct listened *a = one, *b = other;
	int order;

	if (a->is_inet != b->is_inet)
		return a->is_inet ? -1 : 1;
	if (a->is_inet && a->address->address.port != b->address->address.port)
		return a->address->address.port < b->address->address.port ? -1
									   : 1;
	if (a->is_wildcard != b->is_wildcard)
		return a->is_wildcard ? -1 : 1;
	if (!a->is_wildcard && a->address->address.host &&
	    b->address->address.host) {
		order = strcmp(a->address->address.host,
			       b->address->address.host);
		if (order != 0)
			return order;
	}
	if (a->address->address.kind != b->address->address.kind)
		return a->address->address.kind < b->address->address.kind ? -1
									   : 1;
	if (a->address->address.descriptor != b->address->address.descriptor)
		return a->address->address.descriptor <
				       b->address->address.descriptor
			       ? -1
			       : 1;
	return a->index < b->index ? -1 : 1;
}

/* Would the kernel refuse the second of them? Port 0 is a new one each time. */
static bool
is_conflict(const struct listened *one, const struct listened *other)
{
	if (one->is_inet != other->is_inet)
		return false;
	if (!one->is_inet)
		return address_equal(&one->address->address,
				     &other->address->address);
	if (one->address->address.port != other->address->address.port ||
	    one->address->address.port == 0)
		return false;
	if (one->is_wildcard && other->is_wildcard)
		return true;
	if (one->is_wildcard || other->is_wildcard)
		return !one->is_port_reused || !other->is_port_reused;
	return address_equal(&one->address->address, &other->address->address);
}

/* Told at the later one of the two. */
static void
complain_conflict(struct conf_reader *reader, const struct listened *one,
		  const struct listened *other)
{
	const struct listened *first = one->index < other->index ? one : other;
	const struct listened *second = first == one ? other : one;
	char texts[2][300];

	address_format(&first->address->address, texts[0], sizeof(texts[0]));
	address_format(&second->address->address, texts[1], sizeof(texts[1]));
	if (strcmp(texts[0], texts[1]) == 0)
		conf_complain(reader, &second->address->at,
			      "`%s` is listened on already (%s:%u)", texts[1],
			      first->address->at.file, first->address->at.line);
	else
		conf_complain(reader, &second->address->at,
			      "`%s` cannot be listened on beside `%s` (%s:%u): "
			      "one of them takes in the other",
			      texts[1], texts[0], first->address->at.file,
			      first->address->at.line);
}

static size_t
count_addresses(const struct conf *conf)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->service_count; i++)
		count += conf->services[i].accept.address_count;
	return count;
}

void
conf_check_addresses(struct conf_reader *reader, const struct conf *conf)
{
	AUTO_FREE struct listened *all =
		mem_array(count_addresses(conf), sizeof(*all));
	const struct listened *wildcard = NULL;
	size_t count = 0;

	for (size_t i = 0; i < conf->service_count; i++) {
		const struct conf_accept *accept = &conf->services[i].accept;

		for (size_t k = 0; k < accept->address_count; k++) {
			const struct address *address =
				&accept->addresses[k].address;
			bool is_inet = address->kind == ADDRESS_INET ||
				       address->kind == ADDRESS_ANY;

			all[count] = (struct listened){
				.address = &accept->addresses[k],
				.is_port_reused = accept->is_port_reused,
				.is_inet = is_inet,
				.is_wildcard =
					is_inet && is_unspecified(address),
				.index = count,
			};
			count++;
		}
	}
	qsort(all, count, sizeof(*all), compare_listened);
	for (size_t i = 1; i < count; i++) {
		if (all[i - 1].is_wildcard)
			wildcard = &all[i - 1];
		if (is_conflict(&all[i - 1], &all[i]))
			complain_conflict(reader, &all[i - 1], &all[i]);
		else if (wildcard && is_conflict(wildcard, &all[i]))
			complain_conflict(reader, wildcard, &all[i]);
	}
}
