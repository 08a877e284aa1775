/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host and a port are what they are for backends, too.
 */
#include "common/conf/conf_http.h"

#include <string.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/address.h"

static const char scheme[] = "http://";

static int
no_port(const char *service, void *argument)
{
	(void)service;
	(void)argument;
	return -1;
}

static bool
is_place(const char *text)
{
	struct address address = {0};
	struct error error = {0};
	bool is_good =
		address_parse_with(text, ADDRESS_TO_CONNECT, no_port, NULL,
				   &address, &error) == 0 &&
		(address.kind == ADDRESS_HOST || address.kind == ADDRESS_INET);

	address_clear(&address);
	return is_good;
}

static bool
is_visible(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

bool
conf_http_is_url(const char *text)
{
	AUTO_FREE char *place = NULL;
	const char *host, *colon;
	size_t length;

	if (!is_visible(text) || strncasecmp(text, scheme, strlen(scheme)) != 0)
		return false;
	host = text + strlen(scheme);
	length = strcspn(host, "/?#");
	place = mem_format("%.*s:80", (int)length, host);
	colon = memchr(host, ']', length);
	colon = strpbrk(colon ? colon : host, ":/?#");
	if (colon && *colon == ':')
		place[length] = '\0'; /* it has one of its own */
	return is_place(place);
}

bool
conf_http_is_proxy(const char *text)
{
	AUTO_FREE char *place = NULL;
	size_t length;

	if (strncasecmp(text, scheme, strlen(scheme)) == 0)
		text += strlen(scheme);
	place = mem_strdup(text);
	length = strlen(place);
	if (length > 0 && place[length - 1] == '/')
		place[length - 1] = '\0';
	return is_place(place);
}
