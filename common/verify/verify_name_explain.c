/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What speaks against a name is what it takes to let it pass: the check is
 * made again, with one rule less each time.
 */
#include "common/verify/verify_name.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/net/hostname.h"
#include "common/verify/peer_names.h"
#include "common/verify/verify_scheme.h"

#define SHOWN_MAX    3 /* names in a sentence */
#define SHOWN_LENGTH 80

static bool
would_match(const struct verify_scheme *scheme,
	    const struct public_suffixes *suffixes,
	    const struct peer_names *names, const char *host, char *text,
	    size_t size)
{
	const struct peer_name *name;

	if (!verify_name_check(scheme, suffixes, names, host, &name) || !name)
		return false;
	peer_name_format(name, text, size);
	return true;
}

/* Is it something that a host's name could be compared with? */
static bool
is_comparable(const struct peer_name *name)
{
	return name->kind == PEER_NAME_DNS || name->kind == PEER_NAME_IP ||
	       name->kind == PEER_NAME_CN;
}

/* A common name that is an alternative one, too, as it mostly is. */
static bool
is_repeated(const struct peer_names *names, const struct peer_name *name)
{
	for (size_t i = 0;
	     name->kind == PEER_NAME_CN && i < peer_names_count(names); i++) {
		const struct peer_name *other = peer_names_at(names, i);

		if (other->kind == PEER_NAME_DNS &&
		    other->length == name->length &&
		    memcmp(other->bytes, name->bytes, name->length) == 0)
			return true;
	}
	return false;
}

/* The first few; alternative ones stand before common names. */
static void
list(const struct peer_names *names, char *buffer, size_t size)
{
	size_t shown = 0, more = 0, used = 0;
	char text[SHOWN_LENGTH];

	for (size_t i = 0; i < peer_names_count(names); i++) {
		const struct peer_name *name = peer_names_at(names, i);

		if (!is_comparable(name) || is_repeated(names, name))
			continue;
		if (shown == SHOWN_MAX) {
			more++;
			continue;
		}
		peer_name_format(name, text, sizeof(text));
		used += (size_t)snprintf(buffer + used, size - used, "%s%s",
					 shown++ ? ", " : "it is for ", text);
		if (used >= size)
			return;
	}
	if (shown == 0)
		snprintf(buffer, size, "it holds no host name and no address");
	else if (more > 0)
		snprintf(buffer + used, size - used, " and %zu more", more);
}

const char *
verify_name_explain(const struct verify_scheme *scheme,
		    const struct public_suffixes *suffixes,
		    const struct peer_names *names, const char *host,
		    char *buffer, size_t size)
{
	char name[SHOWN_LENGTH];
	struct verify_scheme lax = *scheme;

	if (would_match(&lax, NULL, names, host, name, sizeof(name))) {
		snprintf(buffer, size,
			 "its wildcard %s stands for a whole public suffix",
			 name);
		return buffer;
	}
	lax.wildcards_in_alt = VERIFY_WILDCARDS_ANYWHERE;
	if (would_match(&lax, suffixes, names, host, name, sizeof(name))) {
		snprintf(buffer, size,
			 "its wildcard %s is none that the scheme allows",
			 name);
		return buffer;
	}
	lax.check_cn = VERIFY_CN_ALWAYS;
	if (would_match(&lax, suffixes, names, host, name, sizeof(name))) {
		snprintf(buffer, size,
			 scheme->check_cn == VERIFY_CN_NEVER
				 ? "its common name %s does not count under "
				   "the scheme"
				 : "its common name %s does not count beside "
				   "alternative names",
			 name);
		return buffer;
	}
	lax.wildcards_in_cn = VERIFY_WILDCARDS_ANYWHERE;
	lax.ip_in_cn = VERIFY_IP_IN_CN_ANY;
	if (would_match(&lax, suffixes, names, host, name, sizeof(name))) {
		snprintf(buffer, size,
			 hostname_is_ip(host)
				 ? "its common name %s is an address, which "
				   "does not count under the scheme"
				 : "its common name %s is a wildcard, which "
				   "does not count under the scheme",
			 name);
		return buffer;
	}
	list(names, buffer, size);
	return buffer;
}
