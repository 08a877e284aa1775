/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `session`: values, and rules across its keys.
 */
#include <string.h>

#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

static struct conf_fixture fixture;

static void
load_accept(const char *session)
{
	AUTO_FREE char *text = mem_format(
		"services: {s: {connect: \"h:1\", accept: {address: \":1\", "
		"tls: {certificates: c, session:\n%s\n}}}}\n",
		session);

	conf_fixture_load(&fixture, text);
}

static void
load_connect(const char *session)
{
	AUTO_FREE char *text = mem_format(
		"services: {s: {accept: \":1\", connect: {address: \"h:1\", "
		"tls: {session:\n%s\n}}}}\n",
		session);

	conf_fixture_load(&fixture, text);
}

static const struct tls_session *
accepted(const char *session)
{
	load_accept(session);
	CU_ASSERT_FATAL(conf_fixture_is_good(&fixture));
	return &fixture.conf->services[0].accept.tls->session;
}

static bool
refuses(const char *session, const char *where, const char *part)
{
	load_accept(session);
	return conf_fixture_has_only(&fixture, where, part);
}

static void
test_defaults(void)
{
	const struct tls_session *session = accepted("{}");

	CU_ASSERT(session->is_resumed);
	CU_ASSERT_EQUAL(session->cache.size, 0);
	CU_ASSERT_EQUAL(session->cache.timeout_ms, 300000);
	CU_ASSERT_EQUAL(session->tickets.mode, TLS_TICKETS_AUTO);
	CU_ASSERT_EQUAL(session->tickets.rotate_ms, 12 * 3600 * 1000);
	CU_ASSERT_EQUAL(session->tickets.keep, 3);
	CU_ASSERT_EQUAL(session->tickets.lifetime_ms, 2 * 3600 * 1000);
	CU_ASSERT_EQUAL(session->tickets.number, 2);
	CU_ASSERT_EQUAL(session->tickets.secret.kind, SECRET_NONE);
	load_connect("{}");
	CU_ASSERT_FATAL(conf_fixture_is_good(&fixture));
	session = &fixture.conf->services[0].connect.tls->session;
	CU_ASSERT(session->is_resumed);
	CU_ASSERT_EQUAL(session->cache.size, 1000);
	CU_ASSERT_PTR_NULL(session->key);
	conf_fixture_clear(&fixture);
}

static void
test_values(void)
{
	const struct tls_session *session;

	CU_ASSERT_FALSE(accepted("off")->is_resumed);
	CU_ASSERT_FALSE(accepted("{resume: false}")->is_resumed);
	CU_ASSERT_EQUAL(accepted("{cache: 50}")->cache.size, 50);
	CU_ASSERT_EQUAL(accepted("{tickets: off}")->tickets.mode,
			TLS_TICKETS_OFF);
	session = accepted("{tickets: {mode: files, files: [a, /b], lifetime: "
			   "24h, number: 8}}");
	CU_ASSERT_EQUAL_FATAL(session->tickets.file_count, 2);
	CU_ASSERT_STRING_EQUAL(session->tickets.files[0], "/etc/sealock/a");
	session = accepted("{tickets: {mode: derived, secret: prompt}}");
	CU_ASSERT_EQUAL(session->tickets.secret.kind, SECRET_PROMPT);
	CU_ASSERT_STRING_EQUAL(session->tickets.secret.name,
			       "prompt:" CONF_FIXTURE_FILE ":2");
	load_connect("{key: shared, cache: {size: 5, timeout: 1h}}");
	CU_ASSERT_FATAL(conf_fixture_is_good(&fixture));
	session = &fixture.conf->services[0].connect.tls->session;
	CU_ASSERT_STRING_EQUAL(session->key, "shared");
	conf_fixture_clear(&fixture);
}

static void
test_refused(void)
{
	CU_ASSERT(refuses("maybe", "2:1", "`resume` is \"maybe\""));
	CU_ASSERT(refuses("{key: x}", "2:2", "belongs to the connect gate"));
	CU_ASSERT(
		refuses("{tickets: {lifetime: 25h}}", "2:22", "from 1s to 1d"));
	CU_ASSERT(refuses("{tickets: {number: 0}}", "2:20", "from 1 to 8"));
	CU_ASSERT(refuses("{tickets: {rotate: 9s}}", "2:20", "from 10s"));
	CU_ASSERT(refuses("{tickets: {keep: 33}}", "2:18", "from 1 to 32"));
	load_connect("{tickets: off}");
	CU_ASSERT(conf_fixture_has_only(&fixture, "2:2",
					"belongs to the accept gate"));
	conf_fixture_clear(&fixture);
}

static void
test_across(void)
{
	CU_ASSERT(refuses("{tickets: files}", "2:11",
			  "mode files needs `files`"));
	CU_ASSERT(refuses("{tickets: derived}", "2:11",
			  "mode derived needs `secret`"));
	CU_ASSERT(refuses("{tickets: {files: x}}", "2:12",
			  "its mode is auto, so `files` is never looked at"));
	CU_ASSERT(refuses("{tickets: {mode: derived, secret: s, files: x}}",
			  "2:38", "its mode is derived, so `files`"));
	CU_ASSERT(refuses("{tickets: {mode: files, files: x, keep: 4}}", "2:35",
			  "its mode is files, so `keep`"));
	CU_ASSERT(refuses("{tickets: {mode: files, files: x, secret: s}}",
			  "2:35", "its mode is files, so `secret`"));
	/* As it is printed. */
	(void)accepted("{tickets: {mode: files, files: x, keep: 3, rotate: "
		       "12h}}");
	/* Switched off, to be switched on again. */
	(void)accepted("{resume: off, tickets: {files: x}}");
	(void)accepted("{tickets: {mode: off, files: x, secret: s, lifetime: "
		       "24h, keep: 1}}");
	conf_fixture_clear(&fixture);
}

static void
test_lifetime(void)
{
	CU_ASSERT(refuses("{tickets: {lifetime: 24h, rotate: 6h}}", "2:22",
			  "resumed for 1d (`lifetime`), but its ticket can be "
			  "decrypted for 18h"));
	CU_ASSERT(refuses("{tickets: {rotate: 30m}}", "2:20", "for 90m"));
	CU_ASSERT(refuses("{tickets: {keep: 1, rotate: 12h, lifetime: 13h}}",
			  "2:44", "for 12h"));
	(void)accepted("{tickets: {rotate: 8h, lifetime: 24h}}");
	/* Keys of files are for as long as they stand there. */
	(void)accepted("{tickets: {mode: files, files: x, lifetime: 24h}}");
	conf_fixture_clear(&fixture);
}

/* An entry of hosts has its gate's session, and is checked with it. */
static void
test_hosts(void)
{
	conf_fixture_load(
		&fixture,
		"services: {s: {connect: \"h:1\", accept: {address: \":1\", "
		"tls: {certificates: c, session: {tickets: {mode: files, "
		"files: x}}, hosts: {a.b: {session: {tickets: {number: 3}}}, "
		"c.d: {session: {tickets: auto}}}}}}}\n");
	CU_ASSERT(conf_fixture_is_good(&fixture));
	conf_fixture_load(
		&fixture,
		"services: {s: {connect: \"h:1\", accept: {address: \":1\", "
		"tls: {certificates: c, hosts: {a.b: {session:\n{tickets: "
		"files}}}}}}}\n");
	CU_ASSERT(conf_fixture_has_only(&fixture, "2:11", "needs `files`"));
	/* What defaults say is for whoever has that mode. */
	conf_fixture_load(
		&fixture,
		"defaults: {accept: {tls: {session: {tickets: {mode: files, "
		"files: x}}}}}\n"
		"services: {s: {connect: \"h:1\", accept: {address: \":1\", "
		"tls: {certificates: c, session: {tickets: auto}}}}}\n");
	CU_ASSERT(conf_fixture_is_good(&fixture));
	conf_fixture_clear(&fixture);
}

UNIT_SUITE(conf_session, {"defaults", test_defaults}, {"values", test_values},
	   {"refused", test_refused}, {"across", test_across},
	   {"lifetime", test_lifetime}, {"hosts", test_hosts});
