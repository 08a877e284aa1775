/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From configured addresses to socket addresses.
 */
#include "daemon/worker/candidates.h"

#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/net/resolution.h"
#include "daemon/worker/names.h"

static bool
is_wanted(enum address_family family, sa_family_t found)
{
	switch (family) {
	case ADDRESS_FAMILY_INET:
		return found != AF_INET6;
	case ADDRESS_FAMILY_INET6:
		return found != AF_INET;
	case ADDRESS_FAMILY_ANY:
		break;
	}
	return true;
}

static struct candidate *
append(struct candidates *candidates, const struct address *configured)
{
	struct candidate *added;

	candidates->list = mem_resize(candidates->list, candidates->count + 1,
				      sizeof(*candidates->list));
	added = &candidates->list[candidates->count++];
	*added = (struct candidate){.configured = configured};
	return added;
}

/* The next address of that family from *from on, RESOLUTION_MAX: none. */
static size_t
next_of(const struct resolution *resolution, size_t *from, bool is_first)
{
	sa_family_t family = resolution->addresses[0].family;

	while (*from < resolution->count) {
		size_t index = (*from)++;

		if ((resolution->addresses[index].family == family) == is_first)
			return index;
	}
	return RESOLUTION_MAX;
}

/* The family of the first address begins, then they take turns. */
static void
append_resolved(struct candidates *candidates, const struct address *address,
		enum address_family family, const struct resolution *resolution)
{
	size_t from[2] = {0, 0};
	bool is_first = true;

	for (size_t taken = 0; taken < resolution->count; taken++) {
		size_t index = next_of(resolution, &from[is_first], is_first);

		if (index == RESOLUTION_MAX) {
			is_first = !is_first;
			index = next_of(resolution, &from[is_first], is_first);
		}
		is_first = !is_first;
		if (is_wanted(family, resolution->addresses[index].family))
			resolution_socket(resolution, index, address->port,
					  &append(candidates, address)->socket);
	}
}

static void
append_name(struct candidates *candidates, const struct address *address,
	    enum address_family family, struct names *names)
{
	const struct resolution *found = names_find(names, address->host);

	if (!found)
		candidates->pending = address->host;
	else if (found->count == 0)
		snprintf(candidates->error, sizeof(candidates->error),
			 "%.60s: %.90s", address->host, found->error);
	else
		append_resolved(candidates, address, family, found);
}

static void
append_literal(struct candidates *candidates, const struct address *address,
	       enum address_family family)
{
	struct socket_address socket = {.length = 0};
	struct error error = {.text = ""};

	if (address->kind != ADDRESS_BUILTIN &&
	    address_to_socket(address, &socket, &error) != 0) {
		snprintf(candidates->error, sizeof(candidates->error), "%.150s",
			 error.text);
		return;
	}
	if (is_wanted(family, socket.storage.ss_family))
		append(candidates, address)->socket = socket;
}

void
candidates_collect(const struct conf_connect *connect, struct names *names,
		   struct candidates *candidates)
{
	*candidates = (struct candidates){.error = "no backend has an address "
						   "of the wanted family"};
	for (size_t i = 0; i < connect->address_count; i++) {
		const struct address *address = &connect->addresses[i].address;
		size_t count = candidates->count;

		if (address->kind == ADDRESS_HOST)
			append_name(candidates, address, connect->family,
				    names);
		else
			append_literal(candidates, address, connect->family);
		while (count < candidates->count)
			candidates->list[count++].index = i;
	}
	if (candidates->count > 0)
		candidates->error[0] = '\0';
}

void
candidates_clear(struct candidates *candidates)
{
	mem_free(candidates->list);
	*candidates = (struct candidates){.count = 0};
}

const char *
candidate_format(const struct candidate *candidate, char *buffer, size_t size)
{
	if (candidate->configured->kind == ADDRESS_BUILTIN)
		return address_format(candidate->configured, buffer, size);
	return socket_address_format(&candidate->socket, buffer, size);
}
