/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host is normalized first, so that it holds neither NULs nor empty labels
 * nor capitals: what equals it byte by byte, or does so behind a wildcard,
 * holds none either, and nothing of a certificate has to be parsed.
 */
#include "common/verify/verify_name.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/hostname.h"
#include "common/net/hostname_idn.h"
#include "common/verify/peer_names.h"
#include "common/verify/public_suffix.h"
#include "common/verify/verify_scheme.h"

/* What is looked for. */
struct host {
	size_t address_length; /* 0: it is a name */
	unsigned char address[sizeof(struct in6_addr)];
	char name[HOSTNAME_MAX + 1];
	size_t name_length;
	const char *rest; /* the name from its first dot on; NULL: no dot */
};

int
verify_name_normalize(const char *text, char *out, struct error *error)
{
	if (hostname_is_ip(text)) {
		/* An address with a zone is shorter than a name may be. */
		memcpy(out, text, strlen(text) + 1);
		return 0;
	}
	if (hostname_to_ascii(text, out, error) == 0)
		return 0;
	error_prefix(error,
		     "\"%.80s\" is neither a host name nor an IP "
		     "address: ",
		     text);
	return -1;
}

static bool
parse_address(const char *text, size_t length, struct host *host)
{
	char copy[INET6_ADDRSTRLEN];

	if (length >= sizeof(copy) || memchr(text, '\0', length))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET, copy, host->address) == 1)
		host->address_length = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, copy, host->address) == 1)
		host->address_length = sizeof(struct in6_addr);
	else
		return false;
	return true;
}

static bool
parse_host(const char *text, struct host *host)
{
	host->address_length = 0;
	if (hostname_is_ip(text))
		return parse_address(text, strcspn(text, "%"), host);
	if (hostname_normalize(text, strlen(text), host->name) != 0)
		return false;
	host->name_length = strlen(host->name);
	host->rest = strchr(host->name, '.');
	return true;
}

/* Are these bytes that text, which is in small letters? */
static bool
equals(const char *bytes, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char byte = bytes[i];

		if (byte >= 'A' && byte <= 'Z')
			byte = (char)(byte - 'A' + 'a');
		if (byte != text[i])
			return false;
	}
	return true;
}

/* RFC 5890 2.3.2.1. */
static bool
is_a_label(const char *label)
{
	return strncmp(label, "xn--", 4) == 0;
}

/* The pattern's star is at `star`. There is none behind it, as a host's name
 * holds none. */
static bool
matches_wildcard(const struct host *host, const struct peer_name *pattern,
		 size_t star, enum verify_wildcards allowed,
		 const struct public_suffixes *suffixes)
{
	const char *bytes = pattern->bytes;
	const char *dot = memchr(bytes, '.', pattern->length);
	size_t label, host_label, behind;

	if (allowed == VERIFY_WILDCARDS_NONE || !dot || !host->rest)
		return false;
	label = (size_t)(dot - bytes);
	host_label = (size_t)(host->rest - host->name);
	/* The star and at least one byte for it; then the rest. */
	if (star >= label || host_label < label ||
	    pattern->length - label != host->name_length - host_label)
		return false;
	behind = label - star - 1;
	if (label > 1 &&
	    (allowed != VERIFY_WILDCARDS_ANYWHERE || is_a_label(host->name)))
		return false;
	return equals(bytes, host->name, star) &&
	       equals(bytes + star + 1, host->rest - behind, behind) &&
	       equals(dot, host->rest, pattern->length - label) &&
	       public_suffixes_allow_wildcard(suffixes, host->name);
}

static bool
matches_name(const struct host *host, const struct peer_name *name,
	     enum verify_wildcards allowed,
	     const struct public_suffixes *suffixes)
{
	const char *star = memchr(name->bytes, '*', name->length);

	if (star)
		return matches_wildcard(host, name,
					(size_t)(star - name->bytes), allowed,
					suffixes);
	return name->length == host->name_length &&
	       equals(name->bytes, host->name, name->length);
}

static bool
matches_address(const struct host *host, const struct peer_name *name)
{
	return name->length == host->address_length &&
	       memcmp(name->bytes, host->address, name->length) == 0;
}

static bool
matches_alternative(const struct verify_scheme *scheme,
		    const struct public_suffixes *suffixes,
		    const struct host *host, const struct peer_name *name)
{
	if (host->address_length > 0)
		return name->kind == PEER_NAME_IP &&
		       matches_address(host, name);
	return name->kind == PEER_NAME_DNS &&
	       matches_name(host, name, scheme->wildcards_in_alt, suffixes);
}

/* Does the certificate leave that to its common name? An address may stand
 * there only without any alternative names ("as long as no subjectAltNames are
 * defined"), a name without those of type DNS; what cannot be read may have
 * been one. */
static bool
is_common_name_alone(const struct host *host, const struct peer_names *names)
{
	if (peer_names_has(names, PEER_NAME_DNS) ||
	    peer_names_has(names, PEER_NAME_UNREADABLE))
		return false;
	return host->address_length == 0 ||
	       (!peer_names_has(names, PEER_NAME_IP) &&
		!peer_names_has(names, PEER_NAME_EMAIL) &&
		!peer_names_has(names, PEER_NAME_URI) &&
		!peer_names_has(names, PEER_NAME_OTHER));
}

static bool
allows_ip_in_cn(const struct verify_scheme *scheme, const struct host *host)
{
	switch (scheme->ip_in_cn) {
	case VERIFY_IP_IN_CN_ANY:
		return true;
	case VERIFY_IP_IN_CN_IPV4:
		return host->address_length == sizeof(struct in_addr);
	case VERIFY_IP_IN_CN_IPV6:
		return host->address_length == sizeof(struct in6_addr);
	case VERIFY_IP_IN_CN_NEVER:
		break;
	}
	return false;
}

static bool
matches_common_name(const struct verify_scheme *scheme,
		    const struct public_suffixes *suffixes,
		    const struct host *host, const struct peer_names *names,
		    const struct peer_name *name)
{
	struct host own;

	if (scheme->check_cn == VERIFY_CN_NEVER ||
	    (scheme->check_cn == VERIFY_CN_WHEN_ONLY &&
	     !is_common_name_alone(host, names)))
		return false;
	if (host->address_length == 0)
		return matches_name(host, name, scheme->wildcards_in_cn,
				    suffixes);
	return allows_ip_in_cn(scheme, host) &&
	       parse_address(name->bytes, name->length, &own) &&
	       own.address_length == host->address_length &&
	       memcmp(own.address, host->address, own.address_length) == 0;
}

static const struct peer_name *
find(const struct verify_scheme *scheme, const struct public_suffixes *suffixes,
     const struct peer_names *names, const struct host *host)
{
	const struct peer_name *common = peer_names_common_name(names);

	for (size_t i = 0; i < peer_names_count(names); i++) {
		const struct peer_name *name = peer_names_at(names, i);

		if (matches_alternative(scheme, suffixes, host, name))
			return name;
	}
	if (common &&
	    matches_common_name(scheme, suffixes, host, names, common))
		return common;
	return NULL;
}

bool
verify_name_check(const struct verify_scheme *scheme,
		  const struct public_suffixes *suffixes,
		  const struct peer_names *names, const char *host,
		  const struct peer_name **matched)
{
	const struct peer_name *found = NULL;
	struct host parsed;

	if (!scheme->is_none && parse_host(host, &parsed))
		found = find(scheme, suffixes, names, &parsed);
	if (matched)
		*matched = found;
	return scheme->is_none || found;
}
