/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `verify.allow`: which of the peers with a good certificate are let in, by the
 * names in it. A certificate is admitted when one of its names is one of the
 * rules of that kind:
 *
 *	dns    the name, case ignored; *.example.org is one label and then
 *	       .example.org. A certificate's own wildcard is nobody's name.
 *	uri    the same bytes. In spiffe://example.org/ns/ and a star, the star
 *	       stands for one segment of the path or several, all that follow:
 *	       of letters, digits, '.', '-', '_' and '~' (RFC 3986's unreserved
 *	       ones, which are SPIFFE's), none of them empty, "." or "..".
 *	       There is no other place for a star, so that scheme and authority
 *	       are always compared in full.
 *	email  the local part with the same bytes, the domain with case ignored
 *	ip     an address, or a network; IPv4 and IPv6 are never the same
 *	cn, ou the same characters (UTF-8); of several in a subject, any
 *
 * A name with a control character in it is never any rule's, nor is any of a
 * certificate whose alternative names cannot be read. Rules never look at names
 * of another kind: `dns` does not at CNs.
 */
#ifndef SEALOCK_VERIFY_PEER_RULES_H
#define SEALOCK_VERIFY_PEER_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/net/network.h"
#include "common/verify/peer_names.h"

struct error;

struct peer_rule {
	char *text;             /* as it is compared, and shown */
	bool is_wildcard;       /* DNS, URI: the star is the text's last or
				 * first character */
	struct network network; /* IP */
};

/* Rules of each kind; all zero: no rules. */
struct peer_rules {
	struct {
		struct peer_rule *rules;
		size_t count;
	} lists[PEER_NAME_KIND_COUNT];
};

/* The kind of a word, "dns"; -1: there are no rules of that kind. */
int
peer_rule_kind_find(const char *word, enum peer_name_kind *kind)
	__attribute__((warn_unused_result));

/* One rule, to be freed by peer_rule_clear(). -1: the error says what is wrong
 * with the text, and the rule is untouched. */
int
peer_rule_parse(enum peer_name_kind kind, const char *text,
		struct peer_rule *rule, struct error *error)
	__attribute__((warn_unused_result));
void
peer_rule_clear(struct peer_rule *rule);

/* Into a zeroed struct. */
void
peer_rules_copy(struct peer_rules *to, const struct peer_rules *from);

/* Leaves it empty. */
void
peer_rules_clear(struct peer_rules *rules);

bool
peer_rules_is_empty(const struct peer_rules *rules);

/* The rule that one of the names is, and its kind when that is asked for; NULL:
 * there is none, which is so for empty rules, too. */
const struct peer_rule *
peer_rules_find(const struct peer_rules *rules, const struct peer_names *names,
		enum peer_name_kind *kind);

/* For the log, when there was none: what each kind of rules asks for, and what
 * the certificate has of it, as in: cn must be "Jane", not "John"; fit to be
 * read, cut to size, which is not 0. Returns buffer. */
const char *
peer_rules_explain(const struct peer_rules *rules,
		   const struct peer_names *names, char *buffer, size_t size);

#endif
