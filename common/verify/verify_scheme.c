/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules are those of IO::Socket::SSL's manual (verify_hostname), whose
 * older editions know nntp (RFC 4642), too.
 */
#include "common/verify/verify_scheme.h"

#include <string.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"

/* RFC 2818 3.1. */
#define EXTENDED                                               \
	{                                                      \
		.check_cn = VERIFY_CN_WHEN_ONLY,               \
		.wildcards_in_alt = VERIFY_WILDCARDS_ANYWHERE, \
		.wildcards_in_cn = VERIFY_WILDCARDS_ANYWHERE,  \
	}

/* As browsers do. */
#define BROWSER                                                \
	{                                                      \
		.check_cn = VERIFY_CN_WHEN_ONLY,               \
		.wildcards_in_alt = VERIFY_WILDCARDS_ANYWHERE, \
		.wildcards_in_cn = VERIFY_WILDCARDS_ANYWHERE,  \
		.ip_in_cn = VERIFY_IP_IN_CN_ANY,               \
	}

/* RFC 2595 2.4. */
#define SIMPLE                                                   \
	{                                                        \
		.check_cn = VERIFY_CN_ALWAYS,                    \
		.wildcards_in_alt = VERIFY_WILDCARDS_FULL_LABEL, \
		.wildcards_in_cn = VERIFY_WILDCARDS_FULL_LABEL,  \
	}

/* RFC 4513 3.1.3. */
#define LDAP                                                     \
	{                                                        \
		.check_cn = VERIFY_CN_ALWAYS,                    \
		.wildcards_in_alt = VERIFY_WILDCARDS_FULL_LABEL, \
	}

/* RFC 5922 7.1, 7.2. */
#define SIP                                   \
	{                                     \
		.check_cn = VERIFY_CN_ALWAYS, \
	}

/* RFC 5971 5.7.3.1. */
#define GIST                                                     \
	{                                                        \
		.check_cn = VERIFY_CN_WHEN_ONLY,                 \
		.wildcards_in_alt = VERIFY_WILDCARDS_FULL_LABEL, \
		.wildcards_in_cn = VERIFY_WILDCARDS_FULL_LABEL,  \
	}

/* All that any of them allows. */
#define SUPERSET                                               \
	{                                                      \
		.check_cn = VERIFY_CN_ALWAYS,                  \
		.wildcards_in_alt = VERIFY_WILDCARDS_ANYWHERE, \
		.wildcards_in_cn = VERIFY_WILDCARDS_ANYWHERE,  \
		.ip_in_cn = VERIFY_IP_IN_CN_ANY,               \
	}

static const struct {
	const char *name;
	struct verify_scheme scheme;
} schemes[] = {
	{"rfc2818", EXTENDED}, {"xmpp", EXTENDED},
	{"rfc3920", EXTENDED}, {"ftp", EXTENDED},
	{"rfc4217", EXTENDED}, {"http", BROWSER},
	{"www", BROWSER},      {"smtp", SIMPLE},
	{"rfc2595", SIMPLE},   {"imap", SIMPLE},
	{"pop3", SIMPLE},      {"acap", SIMPLE},
	{"nntp", SIMPLE},      {"rfc4642", SIMPLE},
	{"netconf", SIMPLE},   {"rfc5538", SIMPLE},
	{"syslog", SIMPLE},    {"rfc5425", SIMPLE},
	{"snmp", SIMPLE},      {"rfc5953", SIMPLE},
	{"ldap", LDAP},        {"rfc4513", LDAP},
	{"sip", SIP},          {"rfc5922", SIP},
	{"gist", GIST},        {"rfc5971", GIST},
	{"default", SUPERSET}, {"none", {.is_none = true}},
};

/* What may be written for a member, and what it means. */
struct word {
	const char *text;
	int value;
};

static const struct word cn_words[] = {
	{"never", VERIFY_CN_NEVER},         {"0", VERIFY_CN_NEVER},
	{"false", VERIFY_CN_NEVER},         {"no", VERIFY_CN_NEVER},
	{"off", VERIFY_CN_NEVER},           {"always", VERIFY_CN_ALWAYS},
	{"when_only", VERIFY_CN_WHEN_ONLY}, {NULL, 0},
};

static const struct word wildcard_words[] = {
	{"none", VERIFY_WILDCARDS_NONE},
	{"0", VERIFY_WILDCARDS_NONE},
	{"false", VERIFY_WILDCARDS_NONE},
	{"no", VERIFY_WILDCARDS_NONE},
	{"off", VERIFY_WILDCARDS_NONE},
	{"full_label", VERIFY_WILDCARDS_FULL_LABEL},
	{"leftmost", VERIFY_WILDCARDS_FULL_LABEL},
	{"anywhere", VERIFY_WILDCARDS_ANYWHERE},
	{NULL, 0},
};

static const struct word ip_words[] = {
	{"none", VERIFY_IP_IN_CN_NEVER},
	{"0", VERIFY_IP_IN_CN_NEVER},
	{"false", VERIFY_IP_IN_CN_NEVER},
	{"no", VERIFY_IP_IN_CN_NEVER},
	{"off", VERIFY_IP_IN_CN_NEVER},
	{"any", VERIFY_IP_IN_CN_ANY},
	{"1", VERIFY_IP_IN_CN_ANY},
	{"true", VERIFY_IP_IN_CN_ANY},
	{"yes", VERIFY_IP_IN_CN_ANY},
	{"on", VERIFY_IP_IN_CN_ANY},
	{"4", VERIFY_IP_IN_CN_IPV4},
	{"6", VERIFY_IP_IN_CN_IPV6},
	{NULL, 0},
};

enum {
	MEMBER_CHECK_CN,
	MEMBER_WILDCARDS_IN_ALT,
	MEMBER_WILDCARDS_IN_CN,
	MEMBER_IP_IN_CN,
	MEMBER_COUNT,
};

static const struct {
	const char *name;
	const struct word *words;
	const char *values;
} members[MEMBER_COUNT] = {
	[MEMBER_CHECK_CN] = {"check_cn", cn_words, "never, when_only, always"},
	[MEMBER_WILDCARDS_IN_ALT] = {"wildcards_in_alt", wildcard_words,
				     "none, full_label, anywhere"},
	[MEMBER_WILDCARDS_IN_CN] = {"wildcards_in_cn", wildcard_words,
				    "none, full_label, anywhere"},
	[MEMBER_IP_IN_CN] = {"ip_in_cn", ip_words, "none, any, 4, 6"},
};

const struct verify_scheme *
verify_scheme_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strcasecmp(schemes[i].name, name) == 0)
			return &schemes[i].scheme;
	return NULL;
}

const char *
verify_scheme_name(size_t index)
{
	return index < ARRAY_SIZE(schemes) ? schemes[index].name : NULL;
}

static void
set_member(struct verify_scheme *scheme, size_t member, int value)
{
	switch (member) {
	case MEMBER_CHECK_CN:
		scheme->check_cn = (enum verify_cn)value;
		break;
	case MEMBER_WILDCARDS_IN_ALT:
		scheme->wildcards_in_alt = (enum verify_wildcards)value;
		break;
	case MEMBER_WILDCARDS_IN_CN:
		scheme->wildcards_in_cn = (enum verify_wildcards)value;
		break;
	default:
		scheme->ip_in_cn = (enum verify_ip_in_cn)value;
		break;
	}
}

int
verify_scheme_set(struct verify_scheme *scheme, const char *member,
		  const char *value, struct error *error)
{
	size_t index = 0;

	while (index < MEMBER_COUNT && strcmp(members[index].name, member) != 0)
		index++;
	if (index == MEMBER_COUNT) {
		error_set(error,
			  "a scheme has no `%.40s`: there are check_cn, "
			  "wildcards_in_alt, wildcards_in_cn and ip_in_cn",
			  member);
		return -1;
	}
	for (const struct word *word = members[index].words; word->text;
	     word++) {
		if (strcasecmp(word->text, value) == 0) {
			set_member(scheme, index, word->value);
			return 0;
		}
	}
	error_set(error, "`%s` must be one of %s, not \"%.40s\"", member,
		  members[index].values, value);
	return -1;
}

static int
refuse(const char *name, struct error *error)
{
	const char *names[ARRAY_SIZE(schemes)];
	const char *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		names[i] = schemes[i].name;
	nearest = text_nearest(name, names, ARRAY_SIZE(schemes));
	if (nearest)
		error_set(error,
			  "there is no scheme \"%.40s\": did you mean %s?",
			  name, nearest);
	else
		error_set(error,
			  "there is no scheme \"%.40s\": there are http, "
			  "rfc2818, xmpp, ftp, smtp, imap, pop3, acap, nntp, "
			  "netconf, syslog, snmp, ldap, sip, gist, default and "
			  "none",
			  name);
	return -1;
}

static int
parse_members(const char *text, struct verify_scheme *scheme,
	      struct error *error)
{
	AUTO_FREE char *copy = mem_strdup(text);
	char *rest = copy, *part;

	while ((part = strsep(&rest, ",")) != NULL) {
		char *value = strchr(part, '=');

		if (!value) {
			error_set(error, "\"%.40s\" is no MEMBER=VALUE", part);
			return -1;
		}
		*value++ = '\0';
		if (verify_scheme_set(scheme, part, value, error) != 0)
			return -1;
	}
	return 0;
}

int
verify_scheme_parse(const char *text, struct verify_scheme *scheme,
		    struct error *error)
{
	const struct verify_scheme *found = verify_scheme_find(text);

	*scheme = (struct verify_scheme){0};
	if (strchr(text, '='))
		return parse_members(text, scheme, error);
	if (!found)
		return refuse(text, error);
	*scheme = *found;
	return 0;
}

bool
verify_scheme_equals(const struct verify_scheme *one,
		     const struct verify_scheme *other)
{
	return one->check_cn == other->check_cn &&
	       one->wildcards_in_alt == other->wildcards_in_alt &&
	       one->wildcards_in_cn == other->wildcards_in_cn &&
	       one->ip_in_cn == other->ip_in_cn &&
	       one->is_none == other->is_none;
}
