/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules: how each kind is written, how it is compared, and why nothing
 * matched.
 */
#include "common/verify/peer_rules.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sentence.h"
#include "common/base/text.h"
#include "common/net/hostname.h"

/* RFC 5321 4.5.3.1 */
#define LOCAL_PART_MAX 64

/* An address of electronic mail made ready for comparison. */
struct mailbox {
	const char *local;
	size_t local_length;
	char domain[HOSTNAME_MAX + 1];
};

static bool
has_control(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f)
			return true;
	return false;
}

/* What URIs and addresses of mail are made of: ASCII that can be seen. */
static bool
is_visible(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] <= 0x20 || bytes[i] >= 0x7f)
			return false;
	return true;
}

/* The last @ parts them: a local part in quotes may have others. */
static int
split_mailbox(const char *bytes, size_t length, struct mailbox *mailbox)
{
	const char *at = length > 0 ? memrchr(bytes, '@', length) : NULL;
	size_t local_length = at ? (size_t)(at - bytes) : 0;

	if (local_length == 0 || local_length > LOCAL_PART_MAX ||
	    !is_visible(bytes, local_length))
		return -1;
	mailbox->local = bytes;
	mailbox->local_length = local_length;
	return hostname_normalize(at + 1, length - local_length - 1,
				  mailbox->domain);
}

static int
parse_text(const char *text, struct peer_rule *rule, struct error *error)
{
	if (text[0] == '\0' || has_control(text, strlen(text))) {
		error_set(error, "a name is a text without control characters");
		return -1;
	}
	rule->text = mem_strdup(text);
	return 0;
}

static int
parse_dns(const char *text, struct peer_rule *rule, struct error *error)
{
	char name[HOSTNAME_MAX + 1];

	if (hostname_pattern_normalize(text, strlen(text), name) != 0) {
		error_set(
			error,
			"\"%.80s\" is no host name: write web.example.org, or "
			"*.example.org for any one label in front (a name in "
			"other letters as its xn-- form)",
			text);
		return -1;
	}
	rule->is_wildcard = hostname_is_wildcard(name);
	rule->text = mem_strdup(name);
	return 0;
}

/* Where the path begins, behind scheme and a plain authority, or NULL. */
static const char *
find_path(const char *uri)
{
	const char *authority = strstr(uri, "://");
	const char *end = authority ? strpbrk(authority + 3, "/?#%@\\") : NULL;

	return end && *end == '/' && end != authority + 3 ? end : NULL;
}

static bool
has_scheme(const char *uri)
{
	size_t length = strspn(uri, "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789+.-");

	return isalpha((unsigned char)uri[0]) && uri[length] == ':' &&
	       uri[length + 1];
}

/* Segments between slashes, of unreserved characters (RFC 3986 2.3), one at
 * least: nothing that somebody else would read as another path. */
static bool
is_plain_path(const char *bytes, size_t length)
{
	size_t start = 0; /* of the segment */

	for (size_t i = 0; i <= length; i++) {
		if (i < length && bytes[i] != '/') {
			if (!isalnum((unsigned char)bytes[i]) &&
			    (bytes[i] == '\0' || !strchr("-._~", bytes[i])))
				return false;
			continue;
		}
		if (i == start || (i - start == 1 && bytes[start] == '.') ||
		    (i - start == 2 && bytes[start] == '.' &&
		     bytes[start + 1] == '.'))
			return false;
		start = i + 1;
	}
	return true;
}

static int
parse_uri(const char *text, struct peer_rule *rule, struct error *error)
{
	size_t length = strlen(text);
	const char *star = strchr(text, '*');
	const char *path = find_path(text);

	if (!has_scheme(text) || !is_visible(text, length)) {
		error_set(error,
			  "\"%.80s\" is no URI such as "
			  "spiffe://example.org/web",
			  text);
		return -1;
	}
	if (star) {
		bool is_last = star == text + length - 1;

		/* What stands between the path's first slash and the last. */
		if (!path || !is_last || star[-1] != '/' || star < path ||
		    (star - path > 1 &&
		     !is_plain_path(path + 1, (size_t)(star - path) - 2))) {
			error_set(error,
				  "\"%.80s\": * stands for whole segments at "
				  "the end of a plain path, as in "
				  "spiffe://example.org/ns/*",
				  text);
			return -1;
		}
	}
	rule->is_wildcard = star != NULL;
	rule->text = mem_strdup(text);
	return 0;
}

static int
parse_email(const char *text, struct peer_rule *rule, struct error *error)
{
	struct mailbox mailbox;

	if (split_mailbox(text, strlen(text), &mailbox) != 0 ||
	    memchr(mailbox.local, '*', mailbox.local_length)) {
		error_set(error,
			  "\"%.80s\" is no address such as "
			  "somebody@example.org",
			  text);
		return -1;
	}
	rule->text = mem_format("%.*s@%s", (int)mailbox.local_length,
				mailbox.local, mailbox.domain);
	return 0;
}

static int
parse_ip(const char *text, struct peer_rule *rule, struct error *error)
{
	char shown[NETWORK_TEXT_SIZE];

	if (network_parse(text, &rule->network, error) != 0)
		return -1;
	rule->text = mem_strdup(
		network_format(&rule->network, shown, sizeof(shown)));
	return 0;
}

static bool
is_text(const struct peer_rule *rule, const struct peer_name *name)
{
	size_t length = strlen(rule->text);

	return name->length == length &&
	       memcmp(name->bytes, rule->text, length) == 0;
}

static bool
is_dns(const struct peer_rule *rule, const struct peer_name *name)
{
	char host[HOSTNAME_MAX + 1], pattern[HOSTNAME_MAX + 1];

	if (hostname_normalize(name->bytes, name->length, host) != 0)
		return false;
	if (!rule->is_wildcard)
		return strcmp(rule->text, host) == 0;
	return hostname_wildcard_for(host, pattern) == 0 &&
	       strcmp(rule->text, pattern) == 0;
}

static bool
is_uri(const struct peer_rule *rule, const struct peer_name *name)
{
	size_t fixed = strlen(rule->text) - 1; /* without the star */

	if (!rule->is_wildcard)
		return is_text(rule, name);
	return name->length > fixed &&
	       memcmp(name->bytes, rule->text, fixed) == 0 &&
	       is_plain_path(name->bytes + fixed, name->length - fixed);
}

static bool
is_email(const struct peer_rule *rule, const struct peer_name *name)
{
	struct mailbox mailbox;

	return split_mailbox(name->bytes, name->length, &mailbox) == 0 &&
	       strncmp(rule->text, mailbox.local, mailbox.local_length) == 0 &&
	       rule->text[mailbox.local_length] == '@' &&
	       strcmp(rule->text + mailbox.local_length + 1, mailbox.domain) ==
		       0;
}

static bool
is_ip(const struct peer_rule *rule, const struct peer_name *name)
{
	return network_contains(&rule->network, name->bytes, name->length);
}

static const struct {
	int (*parse)(const char *text, struct peer_rule *rule,
		     struct error *error);
	bool (*is_match)(const struct peer_rule *rule,
			 const struct peer_name *name);
} kinds[PEER_NAME_KIND_COUNT] = {
	[PEER_NAME_DNS] = {parse_dns, is_dns},
	[PEER_NAME_IP] = {parse_ip, is_ip},
	[PEER_NAME_EMAIL] = {parse_email, is_email},
	[PEER_NAME_URI] = {parse_uri, is_uri},
	[PEER_NAME_CN] = {parse_text, is_text},
	[PEER_NAME_OU] = {parse_text, is_text},
};

int
peer_rule_kind_find(const char *word, enum peer_name_kind *kind)
{
	for (unsigned int i = 0; i < PEER_NAME_KIND_COUNT; i++) {
		if (kinds[i].parse &&
		    strcmp(peer_name_kind_word((enum peer_name_kind)i), word) ==
			    0) {
			*kind = (enum peer_name_kind)i;
			return 0;
		}
	}
	return -1;
}

int
peer_rule_parse(enum peer_name_kind kind, const char *text,
		struct peer_rule *rule, struct error *error)
{
	struct peer_rule found = {0};

	assert(kind < PEER_NAME_KIND_COUNT && kinds[kind].parse);
	if (kinds[kind].parse(text, &found, error) != 0)
		return -1;
	*rule = found;
	return 0;
}

void
peer_rule_clear(struct peer_rule *rule)
{
	mem_free(rule->text);
	*rule = (struct peer_rule){0};
}

void
peer_rules_copy(struct peer_rules *to, const struct peer_rules *from)
{
	for (size_t i = 0; i < PEER_NAME_KIND_COUNT; i++) {
		size_t count = from->lists[i].count;

		to->lists[i].rules =
			mem_array(count, sizeof(*to->lists[i].rules));
		to->lists[i].count = count;
		for (size_t k = 0; k < count; k++) {
			to->lists[i].rules[k] = from->lists[i].rules[k];
			to->lists[i].rules[k].text =
				mem_strdup(from->lists[i].rules[k].text);
		}
	}
}

void
peer_rules_clear(struct peer_rules *rules)
{
	for (size_t i = 0; i < PEER_NAME_KIND_COUNT; i++) {
		for (size_t k = 0; k < rules->lists[i].count; k++)
			peer_rule_clear(&rules->lists[i].rules[k]);
		mem_free(rules->lists[i].rules);
	}
	*rules = (struct peer_rules){0};
}

bool
peer_rules_is_empty(const struct peer_rules *rules)
{
	for (size_t i = 0; i < PEER_NAME_KIND_COUNT; i++)
		if (rules->lists[i].count > 0)
			return false;
	return true;
}

/* Octets of an address are no text. */
static bool
may_match(const struct peer_name *name)
{
	return name->length > 0 && (name->kind == PEER_NAME_IP ||
				    !has_control(name->bytes, name->length));
}

const struct peer_rule *
peer_rules_find(const struct peer_rules *rules, const struct peer_names *names,
		enum peer_name_kind *kind)
{
	if (peer_names_has(names, PEER_NAME_UNREADABLE))
		return NULL;
	for (size_t i = 0; i < peer_names_count(names); i++) {
		const struct peer_name *name = peer_names_at(names, i);
		const struct peer_rule *list = rules->lists[name->kind].rules;

		if (!may_match(name))
			continue;
		for (size_t k = 0; k < rules->lists[name->kind].count; k++) {
			if (!kinds[name->kind].is_match(&list[k], name))
				continue;
			if (kind)
				*kind = name->kind;
			return &list[k];
		}
	}
	return NULL;
}

/* The first names of a kind, and how many more there are. */
static void
append_names(struct sentence *sentence, const struct peer_names *names,
	     enum peer_name_kind kind)
{
	const size_t shown_most = 2;
	size_t count = 0;
	char shown[80];

	for (size_t i = 0; i < peer_names_count(names); i++) {
		const struct peer_name *name = peer_names_at(names, i);

		if (name->kind != kind || count++ >= shown_most)
			continue;
		sentence_add(sentence, "%s\"%s\"", count > 1 ? ", " : ", not ",
			     peer_name_format(name, shown, sizeof(shown)));
	}
	if (count > shown_most)
		sentence_add(sentence, " and %zu more", count - shown_most);
	if (count == 0)
		sentence_add(sentence, ", and there is none");
}

const char *
peer_rules_explain(const struct peer_rules *rules,
		   const struct peer_names *names, char *buffer, size_t size)
{
	struct sentence sentence = {buffer, size, 0};
	const char *separator = "";

	buffer[0] = '\0';
	for (unsigned int i = 0; i < PEER_NAME_KIND_COUNT; i++) {
		enum peer_name_kind kind = (enum peer_name_kind)i;
		size_t count = rules->lists[i].count;
		char shown[80];

		if (count == 0)
			continue;
		text_escape(rules->lists[i].rules[0].text,
			    strlen(rules->lists[i].rules[0].text), shown,
			    sizeof(shown));
		sentence_add(&sentence, "%s%s must be \"%s\"", separator,
			     peer_name_kind_word(kind), shown);
		if (count > 1)
			sentence_add(&sentence, " (or one of %zu more)",
				     count - 1);
		append_names(&sentence, names, kind);
		separator = "; ";
	}
	return buffer;
}
