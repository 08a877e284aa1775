/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sorted array: services and their addresses are read in the order of their
 * indexes, and a service's authorizer has the last of all.
 */
#include "daemon/broker/targets.h"

#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/ipc/msgtable.h"

struct target {
	uint32_t service;
	uint32_t address;
	struct socket_address socket;
};

static void
append(struct targets *targets, size_t service, size_t address,
       const struct socket_address *socket)
{
	targets->list = mem_resize(targets->list, targets->count + 1,
				   sizeof(*targets->list));
	targets->list[targets->count++] = (struct target){
		.service = (uint32_t)service,
		.address = (uint32_t)address,
		.socket = *socket,
	};
}

/* What is too long is told by the worker, which does not ask for it. */
static void
append_unix(struct targets *targets, size_t service, size_t index,
	    const struct address *address)
{
	struct socket_address socket;
	struct error error = {0};

	if ((address->kind == ADDRESS_UNIX ||
	     address->kind == ADDRESS_ABSTRACT) &&
	    address_to_socket(address, &socket, &error) == 0)
		append(targets, service, index, &socket);
}

struct targets *
targets_new(uint64_t generation, const struct conf *conf)
{
	struct targets *targets = mem_alloc(sizeof(*targets));

	targets->generation = generation;
	for (size_t i = 0; i < conf->service_count; i++) {
		const struct conf_service *service = &conf->services[i];
		const struct conf_connect *connect = &service->connect;

		for (size_t j = 0; j < connect->address_count; j++)
			append_unix(targets, i, j,
				    &connect->addresses[j].address);
		append_unix(targets, i, IPC_AUTHORIZER,
			    &service->authorize.socket);
	}
	return targets;
}

void
targets_free(struct targets *targets)
{
	if (!targets)
		return;
	mem_free(targets->list);
	mem_free(targets);
}

static int
compare(const void *wanted, const void *listed)
{
	const struct target *one = wanted, *other = listed;

	if (one->service != other->service)
		return one->service < other->service ? -1 : 1;
	if (one->address != other->address)
		return one->address < other->address ? -1 : 1;
	return 0;
}

const struct socket_address *
targets_find(const struct targets *targets, uint32_t service, uint32_t address)
{
	const struct target wanted = {.service = service, .address = address};
	const struct target *found = NULL;

	if (targets->count > 0)
		found = bsearch(&wanted, targets->list, targets->count,
				sizeof(*targets->list), compare);
	return found ? &found->socket : NULL;
}
