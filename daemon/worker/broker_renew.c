/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets are compared by their addresses; in whose service one is found does
 * not matter.
 */
#include "daemon/worker/broker_renew.h"

#include "common/conf/conf.h"
#include "common/ipc/msgtable.h"
#include "daemon/process/generation.h"
#include "daemon/worker/broker_client.h"
#include "daemon/worker/snapshot.h"

static bool
find(const struct conf_service *service, const struct address *wanted,
     uint32_t *address)
{
	const struct conf_connect *connect = &service->connect;

	for (size_t i = 0; i < connect->address_count; i++) {
		if (!address_equal(&connect->addresses[i].address, wanted))
			continue;
		*address = (uint32_t)i;
		return true;
	}
	*address = IPC_AUTHORIZER;
	return service->authorize.socket.host &&
	       address_equal(&service->authorize.socket, wanted);
}

bool
broker_renew(struct broker_request *request, const struct address *wanted,
	     const struct snapshot *current)
{
	const struct conf *conf = current->generation->conf;

	if (request->generation == current->number)
		return false;
	for (size_t i = 0; i < conf->service_count; i++) {
		if (!find(&conf->services[i], wanted, &request->address))
			continue;
		request->generation = current->number;
		request->service = (uint32_t)i;
		return true;
	}
	return false;
}
