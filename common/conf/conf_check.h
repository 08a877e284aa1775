/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules across keys. Private to common/conf.
 */
#ifndef SEALOCK_CONF_CONF_CHECK_H
#define SEALOCK_CONF_CONF_CHECK_H

struct conf;
struct conf_reader;
struct conf_service;
struct yaml_node;

/* One service, as it was written and what became of it. */
void
conf_check_service(struct conf_reader *reader, const struct yaml_node *node,
		   const struct conf_service *service);

/* Two sockets for one address, over all services. */
void
conf_check_addresses(struct conf_reader *reader, const struct conf *conf);

#endif
