/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One certificate_load() in a test: its entry, its files, and what came of
 * it. The entry stands at sealock.yaml:7:3.
 *
 *	struct attempt attempt = attempt_new();
 *
 *	attempt_text(&attempt, certificate_name, pem);
 *	attempt_text(&attempt, key_name, key);
 *	expect_loaded(&attempt, web);
 */
#ifndef SEALOCK_TESTS_CERTIFICATE_ATTEMPT_H
#define SEALOCK_TESTS_CERTIFICATE_ATTEMPT_H

#include <stddef.h>

#include "common/base/error.h"
#include "common/tls/certificate.h"
#include "common/tls/tls_settings.h"

struct file_set;
struct test_identity;

struct attempt {
	struct certificate_spec spec; /* FILE, certificate_name */
	struct file_set *files;
	struct certificate_list list;
	struct error_list problems;
};

/* Names of files that mean something here: a file added as key_name makes the
 * entry a pair, one added as passphrase_name gives it a pass-phrase. */
extern char certificate_name[]; /* "/test/web.pem" */
extern char key_name[];         /* "/test/web.key" */
extern char passphrase_name[];  /* "env:PASS" */

struct attempt
attempt_new(void);
void
attempt_clear(struct attempt *attempt);

void
attempt_bytes(struct attempt *attempt, const char *name, const void *bytes,
	      size_t length);
void
attempt_text(struct attempt *attempt, const char *name, const char *text);

/* How many were loaded. Asserts that nothing is left in OpenSSL's queue. */
size_t
attempt_load(struct attempt *attempt);

/* Load, assert that it is this identity alone, or that this is the only
 * problem, and clear. */
void
expect_loaded(struct attempt *attempt, const struct test_identity *identity);
void
expect_refused(struct attempt *attempt, const char *sentence);

#endif
