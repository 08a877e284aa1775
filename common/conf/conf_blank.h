/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets that stand in a document itself are overwritten for those who must
 * not have them: private keys in `pem` (its certificates stay), what follows
 * the question mark of a `store` (a PIN), the arguments of a pass-phrase's
 * `command`. Everything else stays where it is, byte by byte, so that
 * positions remain true, and the document loads as before.
 */
#ifndef SEALOCK_CONF_CONF_BLANK_H
#define SEALOCK_CONF_CONF_BLANK_H

struct conf_document;
struct error_list;

/* Overwrite the secrets in a document. Returns 1 when there were some, 0 when
 * there was none, -1 with a problem where a scalar could not be understood.
 * What is no YAML has none: it is refused whole. */
int
conf_document_blank(struct conf_document *document, struct error_list *problems)
	__attribute__((warn_unused_result));

#endif
