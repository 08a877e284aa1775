/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each type of value takes and what it refuses, with line and column.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/net/hostname_idn.h"
#include "common/tls/tls_version.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

static struct conf_fixture fixture;

/* Where a value is tried: the document around it, %s its place. The value
 * starts in line 2, column 1. */
#define IN_GLOBAL(key) "global: {" key ":\n%s\n}\n" CONF_FIXTURE_SERVICE
#define IN_ACCEPT(key)                                                    \
	"services: {s: {connect: \"h:1\", accept: {address: \":1\", " key \
	":\n%s\n}}}\n"
#define IN_CONNECT(key)                                                   \
	"services: {s: {accept: \":1\", connect: {address: \"h:1\", " key \
	":\n%s\n}}}\n"
#define IN_ACCEPT_TLS(key)                                                 \
	"services: {s: {connect: \"h:1\", accept: {address: \":1\", tls: " \
	"{certificates: c, " key ":\n%s\n}}}}\n"
#define IN_CONNECT_TLS(key)                                                \
	"services: {s: {accept: \":1\", connect: {address: \"h:1\", tls: " \
	"{" key ":\n%s\n}}}}\n"
#define IN_SERVICE(key) \
	"services: {s: {accept: \":1\", connect: \"h:1\", " key ":\n%s\n}}\n"
#define CERTIFICATES                                                       \
	"services: {s: {connect: \"h:1\", accept: {address: \":1\", tls: " \
	"{certificates:\n%s\n}}}}\n"

static void
load_in(const char *around, const char *value)
{
	const char *place = strstr(around, "%s");
	AUTO_FREE char *text = mem_format("%.*s%s%s", (int)(place - around),
					  around, value, place + 2);

	conf_fixture_load(&fixture, text);
}

static bool
takes(const char *around, const char *value)
{
	load_in(around, value);
	return conf_fixture_is_good(&fixture);
}

static bool
refuses(const char *around, const char *value, const char *part)
{
	load_in(around, value);
	return conf_fixture_has_only(&fixture, "2:1", part);
}

/* The same with another place than the value's own. */
static bool
refuses_at(const char *around, const char *value, const char *where,
	   const char *part)
{
	load_in(around, value);
	return conf_fixture_has_only(&fixture, where, part);
}

static const struct conf_service *
service(void)
{
	return &fixture.conf->services[0];
}

static void
test_boolean(void)
{
	static const char *const yes[] = {"true", "yes", "on", "True", "'on'"};
	static const char *const no[] = {"false", "no", "off", "FALSE"};
	static const char around[] = IN_ACCEPT("reuse_port");

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		CU_ASSERT_FATAL(takes(around, yes[i]));
		CU_ASSERT(service()->accept.is_port_reused);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		CU_ASSERT_FATAL(takes(around, no[i]));
		CU_ASSERT(!service()->accept.is_port_reused);
	}
	CU_ASSERT(refuses(around, "1",
			  "`reuse_port` is \"1\": expected true or false"));
	CU_ASSERT(refuses(around, "''", "expected true or false"));
	CU_ASSERT(refuses(around, "tRUE", "expected true or false"));
	CU_ASSERT(refuses(around, "[true]",
			  "`reuse_port` is a list here: expected true"));
	CU_ASSERT(refuses(around, "{a: b}",
			  "`reuse_port` is a map here: expected true"));
}

static void
test_choice(void)
{
	static const char around[] = IN_ACCEPT_TLS("prefer_server_ciphers");

	CU_ASSERT_FATAL(takes(around, "no"));
	CU_ASSERT_EQUAL(service()->accept.tls->prefer_server_ciphers,
			TLS_CHOICE_NO);
	CU_ASSERT_FATAL(takes(around, "true"));
	CU_ASSERT_EQUAL(service()->accept.tls->prefer_server_ciphers,
			TLS_CHOICE_YES);
	CU_ASSERT_FATAL(takes(around, ""));
	CU_ASSERT_EQUAL(service()->accept.tls->prefer_server_ciphers,
			TLS_CHOICE_PROFILE);
	CU_ASSERT(refuses(around, "maybe", "expected true or false"));
}

static void
test_unsigned(void)
{
	static const char workers[] = IN_GLOBAL("workers");

	CU_ASSERT_FATAL(takes(workers, "256"));
	CU_ASSERT_EQUAL(fixture.conf->global.workers, 256);
	CU_ASSERT_FATAL(takes(workers, "auto"));
	CU_ASSERT_EQUAL(fixture.conf->global.workers, 0);
	CU_ASSERT(refuses(workers, "0",
			  "`workers` is \"0\": expected auto or a number from "
			  "1 to 256"));
	CU_ASSERT(refuses(workers, "257", "from 1 to 256"));
	CU_ASSERT(refuses(workers, "-1", "from 1 to 256"));
	CU_ASSERT(refuses(workers, "1.5", "from 1 to 256"));
	CU_ASSERT(refuses(workers, "0x10", "from 1 to 256"));
	CU_ASSERT(refuses(workers, "99999999999999999999", "from 1 to 256"));
	CU_ASSERT(refuses(workers, "automatic", "from 1 to 256"));
	CU_ASSERT(takes(IN_GLOBAL("max_connections"), "10000000"));
	CU_ASSERT(refuses(IN_GLOBAL("max_connections"), "10000001",
			  "from 1 to 10000000"));
	CU_ASSERT(refuses(IN_ACCEPT("backlog"), "0", "from 1 to 1048576"));
	CU_ASSERT(refuses_at(IN_ACCEPT("keepalive"), "{count: 128}", "2:9",
			     "from 1 to 127"));
	CU_ASSERT(takes(IN_CONNECT_TLS("verify"), "{depth: 0}"));
	CU_ASSERT(refuses_at(IN_CONNECT_TLS("verify"), "{depth: 101}", "2:9",
			     "from 0 to 100"));
}

static void
test_duration(void)
{
	static const char timeouts[] = IN_SERVICE("timeouts");
	static const char keepalive[] = IN_ACCEPT("keepalive");

	CU_ASSERT_FATAL(takes(timeouts, "{idle: 1500ms, total: 7d}"));
	CU_ASSERT_EQUAL(service()->timeouts.idle_ms, 1500);
	CU_ASSERT_EQUAL(service()->timeouts.total_ms, 604800000);
	CU_ASSERT_FATAL(takes(timeouts, "{idle: 0, half_close: 0}"));
	CU_ASSERT_EQUAL(service()->timeouts.idle_ms, 0);
	CU_ASSERT(refuses_at(timeouts, "{idle: 10}", "2:8",
			     "`idle` is \"10\": expected a duration such as "
			     "500ms, 30s, 5m, 12h or 7d, from 0 to 365d"));
	CU_ASSERT(refuses_at(timeouts, "{idle: 366d}", "2:8", "to 365d"));
	CU_ASSERT(refuses_at(timeouts, "{idle: 1w}", "2:8", "a duration"));
	CU_ASSERT(refuses_at(timeouts, "{idle: -1s}", "2:8", "a duration"));
	CU_ASSERT(refuses_at(timeouts, "{idle: 1 s}", "2:8", "a duration"));
	CU_ASSERT(refuses_at(timeouts, "{idle: 99999999999999999d}", "2:8",
			     "a duration"));
	CU_ASSERT(refuses_at(timeouts, "{handshake: 0}", "2:13",
			     "from 10ms to 1d"));
	CU_ASSERT(refuses_at(timeouts, "{connect: 9ms}", "2:11",
			     "from 10ms to 1d"));
	CU_ASSERT(refuses(timeouts, "5s", "`timeouts` is a map"));
	CU_ASSERT(takes(keepalive, "{idle: 0}"));
	CU_ASSERT(refuses_at(keepalive, "{idle: 999ms}", "2:8",
			     "expected 0 or a duration"));
	CU_ASSERT(refuses_at(keepalive, "{interval: 0}", "2:12",
			     "expected a duration"));
	CU_ASSERT(refuses_at(IN_GLOBAL("resolver"), "{refresh: 0}", "2:11",
			     "from 1s to 1d"));
}

static void
test_authorize(void)
{
	static const char around[] = IN_SERVICE("authorize");

#ifdef HAVE_JANSSON
	CU_ASSERT_FATAL(takes(around, "unix:/run/a.sock"));
	CU_ASSERT_STRING_EQUAL(service()->authorize.socket.host, "/run/a.sock");
	CU_ASSERT_EQUAL(service()->authorize.timeout_ms, 1000);
	CU_ASSERT_FALSE(service()->authorize.is_backend_asked);
	CU_ASSERT_FATAL(takes(around, "{socket: 'unix:/a', timeout: 10ms}"));
	CU_ASSERT_EQUAL(service()->authorize.timeout_ms, 10);
	CU_ASSERT(refuses_at(around, "{socket: 'unix:/a', backend: true}",
			     "2:10", "a plain backend shows nothing"));
	CU_ASSERT(refuses_at(around, "{socket: 'unix:/a', timeout: 9ms}",
			     "2:30", "from 10ms to 1d"));
	CU_ASSERT(refuses_at(around, "{socket: 'unix:/a', timeout: 0}", "2:30",
			     "from 10ms to 1d"));
#else
	CU_ASSERT(refuses(around, "unix:/run/a.sock", "built without it"));
#endif
	CU_ASSERT_FATAL(takes(around, "{socket: off}"));
	CU_ASSERT_PTR_NULL(service()->authorize.socket.host);
	CU_ASSERT_FATAL(takes(around, "off"));
	CU_ASSERT_PTR_NULL(service()->authorize.socket.host);
	CU_ASSERT_FATAL(takes(around, "~"));
	CU_ASSERT(refuses(around, "{timeout: 2s}", "has no `socket`"));
	CU_ASSERT(
		refuses(around, "{socket: , timeout: 2s}", "has no `socket`"));
	CU_ASSERT(refuses(around, "unix:@a", "expected off or unix:/PATH"));
	CU_ASSERT(refuses(around, "127.0.0.1:1", "expected off or unix:/PATH"));
	CU_ASSERT(refuses(around, "on", "`socket`"));
}

static void
test_size(void)
{
	static const char around[] = IN_SERVICE("buffers");

	CU_ASSERT_FATAL(takes(around, "{max: 65536}"));
	CU_ASSERT_EQUAL(service()->buffers.max, 65536);
	CU_ASSERT_FATAL(takes(around, "{max: 16MiB}"));
	CU_ASSERT_EQUAL(service()->buffers.max, 16 << 20);
	CU_ASSERT(refuses_at(around, "{max: 63k}", "2:7",
			     "expected a size such as 4096, 64k or 1M, from "
			     "64k to 16M"));
	CU_ASSERT(refuses_at(around, "{max: 17M}", "2:7", "to 16M"));
	CU_ASSERT(refuses_at(around, "{max: 1.5M}", "2:7", "a size"));
	CU_ASSERT(refuses_at(around, "{max: big}", "2:7", "a size"));
}

static void
test_word(void)
{
	static const char profile[] = IN_ACCEPT_TLS("profile");

	CU_ASSERT_FATAL(takes(profile, "old"));
	CU_ASSERT_EQUAL(service()->accept.tls->profile, TLS_PROFILE_OLD);
	CU_ASSERT(refuses(profile, "modrn",
			  "`profile` is \"modrn\": expected modern, "
			  "intermediate or old; did you mean `modern`?"));
	CU_ASSERT(refuses(profile, "Modern", "did you mean `modern`?"));
	CU_ASSERT(refuses(profile, "xyz",
			  "expected modern, intermediate or old"));
	CU_ASSERT(refuses(profile, "[old]", "is a list here"));
	CU_ASSERT_FATAL(takes(IN_CONNECT("address_family"), "inet"));
	CU_ASSERT_EQUAL(service()->connect.family, ADDRESS_FAMILY_INET);
	CU_ASSERT(refuses(IN_CONNECT("address_family"), "ipv4",
			  "any, inet or inet6"));
	CU_ASSERT(refuses(IN_CONNECT_TLS("verify"), "no",
			  "`mode` is \"no\": expected none, optional, required "
			  "or once"));
	CU_ASSERT_FATAL(takes(IN_CONNECT_TLS("verify"), "once"));
	CU_ASSERT_EQUAL(service()->connect.tls->verify.mode,
			TLS_VERIFY_REQUIRED);
	CU_ASSERT(refuses(IN_CONNECT_TLS("shutdown"), "off",
			  "fast, full or none"));
}

static void
test_string(void)
{
	CU_ASSERT_FATAL(takes(IN_ACCEPT_TLS("ciphers"), "12"));
	CU_ASSERT_STRING_EQUAL(service()->accept.tls->ciphers, "12");
	CU_ASSERT(refuses(IN_ACCEPT_TLS("ciphers"), "''",
			  "`ciphers` is \"\": expected a string"));
	CU_ASSERT(refuses(IN_ACCEPT_TLS("ciphers"), "[A, B]",
			  "`ciphers` is a list here"));
	CU_ASSERT_FATAL(takes(IN_ACCEPT_TLS("groups"), "X25519"));
	CU_ASSERT_EQUAL(service()->accept.tls->group_count, 1);
	CU_ASSERT(refuses_at(IN_ACCEPT_TLS("groups"), "[X, {a: b}]", "2:5",
			     "`groups` is a map here"));
	CU_ASSERT(refuses_at(IN_ACCEPT_TLS("groups"), "[X, ~]", "2:5",
			     "`groups` has no value here"));
	CU_ASSERT(refuses_at(IN_ACCEPT_TLS("groups"), "[[X]]", "2:2",
			     "`groups` is a list here"));
	/* A protocol of ALPN has a byte for its length (RFC 7301 3.1). */
	AUTO_FREE char *name = mem_alloc(257);

	memset(name, 'p', 255);
	CU_ASSERT(takes(IN_ACCEPT_TLS("alpn"), name));
	name[255] = 'p';
	CU_ASSERT(refuses(IN_ACCEPT_TLS("alpn"), name, "`alpn`"));
	CU_ASSERT(refuses(IN_ACCEPT_TLS("alpn"), "''", "`alpn`"));
}

static void
test_path(void)
{
	static const char around[] = IN_GLOBAL("pid_file");
	static const struct {
		const char *written;
		const char *absolute;
	} cases[] = {
		{"/run/x", "/run/x"},          {"x", "/etc/sealock/x"},
		{"./x", "/etc/sealock/x"},     {".//./x", "/etc/sealock/x"},
		{"../x", "/etc/sealock/../x"}, {".x", "/etc/sealock/.x"},
		{"~/x", "/etc/sealock/~/x"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CU_ASSERT_FATAL(takes(around, cases[i].written));
		CU_ASSERT_STRING_EQUAL(fixture.conf->global.pid_file,
				       cases[i].absolute);
	}
	CU_ASSERT(refuses(around, "''", "`pid_file` is \"\": expected a path"));
	CU_ASSERT(refuses(around, "[x]", "is a list here: expected a path"));
}

static void
test_relative_document(void)
{
	static const char text[] = "global: {pid_file: x}\n" //
		CONF_FIXTURE_SERVICE;
	char here[4096];
	AUTO_FREE char *expected = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(here, sizeof(here)));
	expected = mem_format("%s/x", here);
	conf_documents_clear(&fixture.documents);
	conf_fixture_add(&fixture, "t.yaml", text);
	conf_fixture_load_all(&fixture);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.conf);
	CU_ASSERT_STRING_EQUAL(fixture.conf->global.pid_file, expected);
	conf_documents_clear(&fixture.documents);
	conf_fixture_add(&fixture, "some/where/t.yaml", text);
	conf_fixture_load_all(&fixture);
	mem_free(expected);
	expected = mem_format("%s/some/where/x", here);
	CU_ASSERT_STRING_EQUAL(fixture.conf->global.pid_file, expected);
}

static void
test_log(void)
{
	static const char around[] = IN_GLOBAL("log");

	CU_ASSERT(takes(around, "file:/x"));
	CU_ASSERT(takes(around, "[stderr, stderr]"));
	CU_ASSERT_FATAL(takes(around, "{to: syslog:auth, level: error}"));
	CU_ASSERT_EQUAL(fixture.conf->global.logs[0].level, LOG_LEVEL_ERROR);
	CU_ASSERT(refuses(around, "stdout",
			  "`to` is \"stdout\": expected stderr, file:PATH or "
			  "syslog[:FACILITY]"));
	CU_ASSERT(refuses(around, "'file:'", "expected stderr"));
	CU_ASSERT(refuses(around, "syslog:x", "expected stderr"));
	CU_ASSERT(refuses(around, "/var/log/x", "expected stderr"));
	CU_ASSERT(refuses(around, "{level: info}", "this log needs `to`"));
	CU_ASSERT(refuses_at(around, "{to: stderr, level: loud}", "2:21",
			     "error, warn, info, debug or trace"));
	CU_ASSERT(refuses_at(around, "[~]", "2:2", "`log` has no value"));
	CU_ASSERT(refuses_at(around, "[[stderr]]", "2:2", "is a list here"));
	CU_ASSERT(refuses_at(around, "{to: stderr, fromat: json}", "2:14",
			     "did you mean `format`?"));
}

static void
test_addresses(void)
{
	static const char accept[] =
		"services: {s: {connect: \"h:1\", accept:\n%s\n}}\n";
	static const char connect[] =
		"services: {s: {accept: \":1\", connect:\n%s\n}}\n";

	CU_ASSERT_FATAL(takes(accept, "127.0.0.1:80"));
	CU_ASSERT_EQUAL(service()->accept.addresses[0].at.line, 2);
	CU_ASSERT(takes(accept, "['[::1]:80', ':81']"));
	CU_ASSERT(takes(accept, "{address: ':1'}"));
	CU_ASSERT(refuses(accept, "80", "`address`: \"80\" has no port"));
	CU_ASSERT(refuses(accept, "builtin:echo", "`address`: a builtin"));
	CU_ASSERT(refuses(accept, "a.b:80", "is a name: to listen"));
	CU_ASSERT(refuses(accept, "':99999'", "out of range"));
	CU_ASSERT(refuses_at(accept, "[':80', 'x']", "2:9", "has no port"));
	CU_ASSERT(refuses_at(accept, "[':80', [':81']]", "2:9",
			     "`address` is a list here"));
	CU_ASSERT(takes(connect, "builtin:whoami"));
	CU_ASSERT(takes(connect, "unix:x"));
	CU_ASSERT_STRING_EQUAL(service()->connect.addresses[0].address.host,
			       "/etc/sealock/x");
	CU_ASSERT(refuses(connect, "fd:3", "listened on but not connected"));
	CU_ASSERT(refuses(connect, "':80'", "names no host"));
	CU_ASSERT(refuses(connect, "h:0", "port 0"));
	CU_ASSERT(refuses(connect, "builtin:x", "no builtin"));
	CU_ASSERT(refuses(connect, "'unix:'", "`address`: "));
	CU_ASSERT(takes(IN_GLOBAL("admin"), "unix:/x"));
	CU_ASSERT(
		refuses(IN_GLOBAL("admin"), "unix:@x", "expected unix:/PATH"));
	CU_ASSERT(refuses(IN_GLOBAL("admin"), "127.0.0.1:1",
			  "expected unix:/PATH"));
	CU_ASSERT(refuses(IN_GLOBAL("admin"), "x", "`admin`: "));
	AUTO_FREE char *path = mem_format("unix:%0200d", 1);

	CU_ASSERT(refuses(accept, path, "at most"));
}

static void
test_servers(void)
{
	static const char around[] = IN_GLOBAL("resolver");

	CU_ASSERT(takes(around, "{servers: 192.0.2.1}"));
	CU_ASSERT(takes(around, "{servers: ['::1', '[::1]:5353', '1.1.1.1:5']"
				"}"));
	CU_ASSERT(refuses_at(around, "{servers: dns.example}", "2:11",
			     "an IP address, with or without a port"));
	CU_ASSERT(refuses_at(around, "{servers: 'dns.example:53'}", "2:11",
			     "an IP address"));
	CU_ASSERT(refuses_at(around, "{servers: ['::1', '']}", "2:19",
			     "an IP address"));
}

static void
test_versions(void)
{
	static const char around[] = IN_ACCEPT_TLS("versions");

	CU_ASSERT_FATAL(takes(around, "TLSv1.3"));
	CU_ASSERT_EQUAL(service()->accept.tls->versions, TLS_VERSION_1_3);
	CU_ASSERT_FATAL(takes(around, "[tlsv12, TLSv1_3]"));
	CU_ASSERT_EQUAL(service()->accept.tls->versions,
			TLS_VERSION_1_2 | TLS_VERSION_1_3);
	CU_ASSERT_FATAL(takes(around, "'SSLv23:!SSLv2:!SSLv3:!TLSv1'"));
	CU_ASSERT_EQUAL(service()->accept.tls->versions,
			TLS_VERSION_1_1 | TLS_VERSION_1_2 | TLS_VERSION_1_3);
	CU_ASSERT(refuses(around, "TLSv1.4", "`versions`: "));
	CU_ASSERT(refuses(around, "[]", "`versions` is a list here"));
	CU_ASSERT(
		refuses_at(around, "[TLSv1.2, TLSv9]", "2:11",
			   "`versions`: \"TLSv9\" is no TLS version: there are "
			   "TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3"));
	CU_ASSERT(refuses_at(around, "[SSLv23, '!SSLv3']", "2:10",
			     "exclusions go into one string"));
	CU_ASSERT(refuses(around, "'TLSv1:!TLSv1'", "`versions`: "));
	CU_ASSERT(refuses(around, "{a: b}", "`versions` is a map here"));
}

static void
test_server_name(void)
{
	static const char around[] = IN_CONNECT_TLS("server_name");
	const struct tls_settings *tls;

	CU_ASSERT_FATAL(takes(around, "Web.Example"));
	tls = service()->connect.tls;
	CU_ASSERT_EQUAL(tls->server_name_kind, TLS_SERVER_NAME_GIVEN);
	CU_ASSERT_STRING_EQUAL(tls->server_name, "web.example");
	CU_ASSERT_FATAL(takes(around, "''"));
	CU_ASSERT_EQUAL(service()->connect.tls->server_name_kind,
			TLS_SERVER_NAME_NONE);
	CU_ASSERT_FATAL(takes(around, "pass"));
	CU_ASSERT_EQUAL(service()->connect.tls->server_name_kind,
			TLS_SERVER_NAME_PASS);
	CU_ASSERT(refuses(around, "127.0.0.1",
			  "expected a host name, \"\" for none, or pass"));
	CU_ASSERT(refuses(around, "'a b'", "expected a host name"));
	CU_ASSERT(refuses(around, "'*.a.b'", "expected a host name"));
	CU_ASSERT(refuses(around, "[a]", "is a list here"));
}

static void
test_dh(void)
{
	static const char around[] = IN_ACCEPT_TLS("dh");
	const struct tls_dh *dh;

	CU_ASSERT_FATAL(takes(around, "auto"));
	CU_ASSERT_EQUAL(service()->accept.tls->dh.kind, TLS_DH_AUTO);
	CU_ASSERT_FATAL(takes(around, "no"));
	CU_ASSERT_EQUAL(service()->accept.tls->dh.kind, TLS_DH_OFF);
	CU_ASSERT_FATAL(takes(around, "dh.pem"));
	dh = &service()->accept.tls->dh;
	CU_ASSERT_EQUAL(dh->kind, TLS_DH_FILE);
	CU_ASSERT_STRING_EQUAL(dh->text, "/etc/sealock/dh.pem");
	CU_ASSERT_EQUAL(dh->at.line, 2);
	CU_ASSERT_EQUAL(dh->at.column, 1);
	CU_ASSERT_FATAL(takes(around, "\"-----BEGIN DH PARAMETERS-----\\n\""));
	dh = &service()->accept.tls->dh;
	CU_ASSERT_EQUAL(dh->kind, TLS_DH_INLINE);
	CU_ASSERT_STRING_EQUAL(dh->text, "-----BEGIN DH PARAMETERS-----\n");
	CU_ASSERT(refuses(around, "true", "expected auto, off, a path"));
	CU_ASSERT(refuses(around, "''", "expected auto, off, a path"));
	CU_ASSERT(refuses(around, "[auto]", "is a list here"));
}

static void
test_ca(void)
{
	static const char around[] = IN_CONNECT_TLS("verify");
	const struct tls_verify *verify;

	CU_ASSERT_FATAL(takes(around, "{ca: [a.pem, /b, system, \"-----BEGIN "
				      "X\"], name: \"X.example\", depth: 2}"));
	verify = &service()->connect.tls->verify;
	CU_ASSERT_EQUAL_FATAL(verify->ca_count, 4);
	CU_ASSERT_EQUAL(verify->cas[0].kind, TLS_CA_PATH);
	CU_ASSERT_STRING_EQUAL(verify->cas[0].text, "/etc/sealock/a.pem");
	CU_ASSERT_EQUAL(verify->cas[0].at.column, 7);
	CU_ASSERT_STRING_EQUAL(verify->cas[1].text, "/b");
	CU_ASSERT_EQUAL(verify->cas[2].kind, TLS_CA_SYSTEM);
	CU_ASSERT_EQUAL(verify->cas[3].kind, TLS_CA_INLINE);
	CU_ASSERT_STRING_EQUAL(verify->name, "x.example");
	CU_ASSERT_EQUAL(verify->depth, 2);
	CU_ASSERT_EQUAL(verify->mode, TLS_VERIFY_REQUIRED);
	CU_ASSERT_FATAL(takes(around, "{ca: one.pem, name: '::1'}"));
	CU_ASSERT_EQUAL(service()->connect.tls->verify.ca_count, 1);
	CU_ASSERT_FATAL(takes(around, "none"));
	CU_ASSERT_EQUAL(service()->connect.tls->verify.mode, TLS_VERIFY_NONE);
	CU_ASSERT(refuses_at(around, "{mode: none, ca: none}", "2:14",
			     "so `ca` is never looked at"));
	CU_ASSERT(refuses_at(around, "{ca: []}", "2:6", "`ca` is empty"));
	CU_ASSERT(refuses_at(around, "{ca: [system, none]}", "2:15",
			     "none cannot stand beside others"));
	CU_ASSERT(refuses_at(around, "{ca: ['']}", "2:7", "expected system"));
	CU_ASSERT(refuses_at(around, "{name: 'a b'}", "2:8",
			     "a host name or an IP address"));
	CU_ASSERT(refuses_at(around, "{name: '*.a.b'}", "2:8",
			     "a host name or an IP address"));
	CU_ASSERT(refuses(around, "[none]", "`mode` is a list here"));
}

/* As it is written; without libidn2 it is none. */
static void
test_international_name(void)
{
	bool is_known = strcmp(hostname_idn_library(), "no libidn2") != 0;
	bool is_taken = takes(IN_CONNECT_TLS("verify"),
			      "{ca: one.pem, name: B\xc3\xbc.Example}");

	CU_ASSERT_EQUAL(is_taken, is_known);
	if (is_taken)
		CU_ASSERT_STRING_EQUAL(service()->connect.tls->verify.name,
				       "xn--b-eha.example");
}

static void
test_commands(void)
{
	static const char around[] = IN_ACCEPT_TLS("openssl");

	CU_ASSERT_FATAL(takes(around, "{Options: 'a,b', X: 1}"));
	CU_ASSERT_EQUAL(service()->accept.tls->command_count, 2);
	CU_ASSERT(takes(around, "{}"));
	CU_ASSERT(refuses(around, "Options",
			  "`openssl` is \"Options\": expected a map of "
			  "SSL_CONF commands"));
	CU_ASSERT(refuses_at(around, "{A: [b]}", "2:5", "is a list here"));
	CU_ASSERT(refuses_at(around, "{Abc: 1, aBC: 2}", "2:10",
			     "duplicate command `aBC`"));
	AUTO_FREE char *name = mem_format("{%0100d: 1}", 1);

	CU_ASSERT(refuses_at(around, name, "2:2", "no command of OpenSSL"));
}

static const struct certificate_spec *
certificate(size_t index)
{
	return &service()->accept.tls->certificates[index];
}

static void
test_certificates(void)
{
	CU_ASSERT_FATAL(takes(
		CERTIFICATES,
		"[a.pem, {chain: c.pem, key: k.pem, names: ['A.b', '*.c.d'], "
		"default: true}, {chain: c.pem}, {pkcs12: p.p12}, "
		"{directory: /d}, {pem: \"-----BEGIN X\"}, "
		"{store: 'pkcs11:object=web'}, {self_signed: [localhost, "
		"127.0.0.1]}, {self_signed: x}, 'credential:web', "
		"{chain: c, key: 'credential:key'}]"));
	CU_ASSERT_EQUAL_FATAL(service()->accept.tls->certificate_count, 11);
	CU_ASSERT_EQUAL(certificate(0)->source, CERTIFICATE_FILE);
	CU_ASSERT_STRING_EQUAL(certificate(0)->path, "/etc/sealock/a.pem");
	CU_ASSERT_EQUAL(certificate(0)->at.column, 2);
	CU_ASSERT(!certificate(0)->is_default);
	CU_ASSERT_EQUAL(certificate(1)->source, CERTIFICATE_PAIR);
	CU_ASSERT_STRING_EQUAL(certificate(1)->path, "/etc/sealock/c.pem");
	CU_ASSERT_STRING_EQUAL(certificate(1)->key, "/etc/sealock/k.pem");
	CU_ASSERT_EQUAL(certificate(1)->name_count, 2);
	CU_ASSERT_STRING_EQUAL(certificate(1)->names[0], "a.b");
	CU_ASSERT(certificate(1)->is_default);
	CU_ASSERT_EQUAL(certificate(1)->at.column, 9);
	CU_ASSERT_EQUAL(certificate(2)->source, CERTIFICATE_PAIR);
	CU_ASSERT_PTR_NULL(certificate(2)->key);
	CU_ASSERT_EQUAL(certificate(3)->source, CERTIFICATE_PKCS12);
	CU_ASSERT_EQUAL(certificate(4)->source, CERTIFICATE_DIRECTORY);
	CU_ASSERT_EQUAL(certificate(5)->source, CERTIFICATE_INLINE);
	CU_ASSERT_STRING_EQUAL(certificate(5)->path, "-----BEGIN X");
	CU_ASSERT_EQUAL(certificate(6)->source, CERTIFICATE_STORE);
	CU_ASSERT_STRING_EQUAL(certificate(6)->path, "pkcs11:object=web");
	CU_ASSERT_EQUAL(certificate(7)->source, CERTIFICATE_SELF_SIGNED);
	CU_ASSERT_EQUAL(certificate(7)->name_count, 2);
	CU_ASSERT_STRING_EQUAL(certificate(7)->path,
			       "self_signed:localhost,127.0.0.1");
	CU_ASSERT_EQUAL(certificate(8)->name_count, 1);
	CU_ASSERT_STRING_EQUAL(certificate(8)->path, "self_signed:x");
	CU_ASSERT_STRING_EQUAL(certificate(9)->path, "credential:web");
	CU_ASSERT_STRING_EQUAL(certificate(10)->key, "credential:key");
}

/* What OpenSSL would open as a file is a file. */
static void
test_stores(void)
{
	static const struct {
		const char *uri;
		enum certificate_source source;
		const char *path;
	} cases[] = {
		{"file:/a/b.pem", CERTIFICATE_FILE, "/a/b.pem"},
		{"FILE:/a", CERTIFICATE_FILE, "/a"},
		{"file:///a/b", CERTIFICATE_FILE, "/a/b"},
		{"file://localhost/a", CERTIFICATE_FILE, "/a"},
		{"/a/b", CERTIFICATE_FILE, "/a/b"},
		{"web.pem", CERTIFICATE_FILE, "/etc/sealock/web.pem"},
		{"file:a", CERTIFICATE_STORE, "file:a"},
		{"file://host/a", CERTIFICATE_STORE, "file://host/a"},
		{"file:////a", CERTIFICATE_STORE, "file:////a"},
		{"pkcs11:object=a", CERTIFICATE_STORE, "pkcs11:object=a"},
		{"pkcs11:a?pin-source=file:/a", CERTIFICATE_STORE,
		 "pkcs11:a?pin-source=file:/a"},
	};
	char value[80];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(value, sizeof(value), "{store: '%s'}", cases[i].uri);
		CU_ASSERT_FATAL(takes(CERTIFICATES, value));
		CU_ASSERT_EQUAL(certificate(0)->source, cases[i].source);
		CU_ASSERT_STRING_EQUAL(certificate(0)->path, cases[i].path);
	}
}

#define TEN_NAMES   "a,b,c,d,e,f,g,h,i,j,"
#define FIFTY_NAMES TEN_NAMES TEN_NAMES TEN_NAMES TEN_NAMES TEN_NAMES

static void
test_certificates_refused(void)
{
	static const struct {
		const char *value;
		const char *where;
		const char *part;
	} cases[] = {
		{"{}", "2:1", "needs one of `chain`, `pkcs12`"},
		{"{key: k}", "2:1", "needs one of `chain`"},
		{"{names: [a]}", "2:1", "needs one of `chain`"},
		{"{chain: }", "2:1", "needs one of `chain`"},
		{"{chain: c, pkcs12: p}", "2:12",
		 "`chain` and `pkcs12` cannot stand in one entry"},
		{"{pkcs12: p, key: k}", "2:13", "`key` goes with `chain`"},
		{"{self_signed: []}", "2:15", "needs the names to make"},
		{"{self_signed: [a], names: [b]}", "2:20",
		 "`names` means nothing here"},
		{"{self_signed: [a], passphrase: p}", "2:20",
		 "`passphrase` means nothing here"},
		{"{self_signed: ['a b']}", "2:16", "expected a host name"},
		{"{chain: c, names: [a/b]}", "2:20", "expected a host name"},
		{"{pem: c.pem}", "2:7", "expected PEM text"},
		{"{file: c.pem}", "2:2", "unknown key `file`"},
		{"{chain: c, default: 2}", "2:21", "expected true or false"},
		{"'credential:'", "2:1", "a path or credential:NAME"},
		{"'credential:../x'", "2:1", "a path or credential:NAME"},
		{"''", "2:1", "a path or credential:NAME"},
		{"[~]", "2:2", "`certificates` has no value here"},
		{"[[a]]", "2:2", "`certificates` is a list here"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		load_in(CERTIFICATES, cases[i].value);
		CU_ASSERT(conf_fixture_has(&fixture.problems, cases[i].where,
					   cases[i].part));
		CU_ASSERT_PTR_NULL(fixture.conf);
	}
	CU_ASSERT(takes(CERTIFICATES, "{self_signed: [" FIFTY_NAMES "]}"));
	CU_ASSERT(refuses_at(CERTIFICATES, "{self_signed: [" FIFTY_NAMES "a]}",
			     "2:15", "`self_signed` takes at most 50 names"));
	/* On the connect gate nobody asks us for a name. */
	CU_ASSERT(refuses_at(IN_CONNECT_TLS("certificates"),
			     "{chain: c, names: [a]}", "2:12",
			     "`names` belongs to the accept gate, `accept`"));
	CU_ASSERT(refuses_at(IN_CONNECT_TLS("certificates"),
			     "{chain: c, default: true}", "2:12",
			     "`default` belongs to the accept gate"));
	CU_ASSERT(takes(IN_CONNECT_TLS("certificates"),
			"{chain: c, key: k, passphrase: p}"));
}

static void
test_confinement(void)
{
	const struct conf_global *global;

	load_in(IN_GLOBAL("workers"), "1");
	CU_ASSERT_FATAL(conf_fixture_is_good(&fixture));
	global = &fixture.conf->global;
	CU_ASSERT_TRUE(global->user.is_default);
	CU_ASSERT_EQUAL(global->user.at.line, 0);
	CU_ASSERT_STRING_EQUAL(global->user.worker, "sealock");
	CU_ASSERT_PTR_NULL(global->user.keeper);
	CU_ASSERT_PTR_NULL(global->group);
	CU_ASSERT_TRUE(global->is_chroot_default);
	CU_ASSERT_STRING_EQUAL(global->chroot, "/var/lib/sealock/empty");
	CU_ASSERT_EQUAL(global->sandbox, CONF_SANDBOX_AUTO);

	CU_ASSERT_FATAL(takes(IN_GLOBAL("user"), "www"));
	global = &fixture.conf->global;
	CU_ASSERT_FALSE(global->user.is_default);
	CU_ASSERT_STRING_EQUAL(global->user.worker, "www");
	CU_ASSERT_EQUAL(global->user.at.line, 1);

	CU_ASSERT_FATAL(takes(IN_GLOBAL("user"), "{keeper: k, broker: 7}"));
	global = &fixture.conf->global;
	CU_ASSERT_TRUE(global->user.is_default);
	CU_ASSERT_STRING_EQUAL(global->user.keeper, "k");
	CU_ASSERT_STRING_EQUAL(global->user.broker, "7");
	CU_ASSERT(refuses(IN_GLOBAL("user"), "[a]", "is a list here"));
	CU_ASSERT(refuses_at(IN_GLOBAL("user"), "{keper: k}", "2:2",
			     "did you mean `keeper`?"));

	CU_ASSERT_FATAL(takes(IN_GLOBAL("chroot"), "empty"));
	global = &fixture.conf->global;
	CU_ASSERT_FALSE(global->is_chroot_default);
	CU_ASSERT_STRING_EQUAL(global->chroot, "/etc/sealock/empty");
	CU_ASSERT_FATAL(takes(IN_GLOBAL("chroot"), "off"));
	CU_ASSERT_STRING_EQUAL(fixture.conf->global.chroot, "off");
	CU_ASSERT(refuses(IN_GLOBAL("chroot"), "''", "expected off or a path"));
	CU_ASSERT_FATAL(takes(IN_GLOBAL("sandbox"), "required"));
	CU_ASSERT_EQUAL(fixture.conf->global.sandbox, CONF_SANDBOX_REQUIRED);
	CU_ASSERT(refuses(IN_GLOBAL("sandbox"), "on",
			  "expected auto, required or off"));
}

/* What a pass-phrase is, and under which name it is found. */
static void
test_secrets(void)
{
	static const struct {
		const char *value;
		enum secret_kind kind;
		const char *name;
	} cases[] = {
		{"p.txt", SECRET_FILE, "/etc/sealock/p.txt"},
		{"{file: /p}", SECRET_FILE, "/p"},
		{"{file: prompt}", SECRET_FILE, "/etc/sealock/prompt"},
		{"'credential:x'", SECRET_CREDENTIAL, "credential:x"},
		{"'env:X_Y'", SECRET_ENVIRONMENT, "env:X_Y"},
		{"prompt", SECRET_PROMPT, "prompt:/etc/sealock/k"},
		{"{command: [pass, show, x]}", SECRET_COMMAND,
		 "command:pass (/etc/sealock/test.yaml:2:45)"},
		{"{command: ./x}", SECRET_COMMAND,
		 "command:/etc/sealock/x (/etc/sealock/test.yaml:2:45)"},
	};
	static const struct {
		const char *value;
		const char *part;
	} refused[] = {
		{"''", "expected a path, credential:NAME, env:NAME"},
		{"[a]", "is a list here"},
		{"{}", "is a map here"},
		{"{file: a, command: b}", "is a map here"},
		{"{text: hunter2}", "is a map here"},
		{"'credential:'", "expected a path"},
		{"'credential:a/b'", "expected a path"},
		{"'credential:..'", "expected a path"},
		{"'env:'", "expected a path"},
		{"'env:A=b'", "expected a path"},
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct secret *secret;

		snprintf(text, sizeof(text),
			 "{chain: c, key: k, passphrase:    %s}",
			 cases[i].value);
		CU_ASSERT_FATAL(takes(CERTIFICATES, text));
		secret = &certificate(0)->passphrase;
		CU_ASSERT_EQUAL(secret->kind, cases[i].kind);
		CU_ASSERT_STRING_EQUAL(secret->name, cases[i].name);
		CU_ASSERT_EQUAL(secret->at.line, 2);
		CU_ASSERT_EQUAL(secret->at.column, 35);
	}
	CU_ASSERT_STRING_EQUAL(certificate(0)->passphrase.words[0],
			       "/etc/sealock/x");
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		snprintf(text, sizeof(text), "{chain: c, passphrase: %s}",
			 refused[i].value);
		CU_ASSERT(refuses_at(CERTIFICATES, text, "2:24",
				     refused[i].part));
	}
	CU_ASSERT(refuses_at(CERTIFICATES,
			     "{chain: c, passphrase: {command: []}}", "2:34",
			     "`command` is a program and its arguments"));
	CU_ASSERT(refuses_at(CERTIFICATES,
			     "{chain: c, passphrase: {command: ['']}}", "2:34",
			     "`command` is a program"));
	CU_ASSERT(refuses_at(CERTIFICATES,
			     "{chain: c, passphrase: {command: [a, [b]]}}",
			     "2:38", "is a list here"));
}

static void
test_hosts_map(void)
{
	static const char around[] = IN_ACCEPT_TLS("hosts");

	CU_ASSERT(takes(around, "{a.b: {}, '*.c.d': {dh: off}}"));
	CU_ASSERT(refuses(around, "x", "expected a map of server names"));
	CU_ASSERT(refuses(around, "[x]", "`hosts` is a list here"));
	CU_ASSERT(refuses_at(around, "{'a b': {}}", "2:2",
			     "`a b` in `hosts` is no host name"));
	CU_ASSERT(refuses_at(around, "{'a.*.b': {}}", "2:2", "no host name"));
	CU_ASSERT(refuses_at(around, "{127.0.0.1: {}}", "2:2", "no host name"));
	CU_ASSERT(refuses_at(around, "{a.b: }", "2:7",
			     "an entry of `hosts` is a map"));
	CU_ASSERT(refuses_at(around, "{a.b: true}", "2:7",
			     "an entry of `hosts` is a map"));
	CU_ASSERT(refuses_at(around, "{a.b: {hosts: {}}}", "2:8",
			     "`hosts` is for the whole gate"));
	CU_ASSERT(refuses_at(around, "{a.b: {strict_sni: true}}", "2:8",
			     "`strict_sni` is for the whole gate"));
	CU_ASSERT(refuses_at(around, "{a.b: {server_name: x}}", "2:8",
			     "`server_name` belongs to the connect gate, "
			     "`connect`"));
	CU_ASSERT(refuses_at(around, "{a.b: {profil: old}}", "2:8",
			     "unknown key `profil` in `tls`, did you mean "
			     "`profile`?"));
	CU_ASSERT(refuses_at(around, "{a.b: {}, A.B: {}}", "2:11",
			     "duplicate entry `a.b`"));
}

static void
test_hints(void)
{
	static const char around[] = IN_ACCEPT_TLS("x");

	load_in(around, "1");
	CU_ASSERT(conf_fixture_has(&fixture.problems, "1:79",
				   "unknown key `x` in `tls`, known are "
				   "`profile`, `versions`"));
	conf_fixture_load(&fixture, "servces: {}\n");
	CU_ASSERT(conf_fixture_has_only(&fixture, "1:1",
					"unknown key `servces` in `document`, "
					"did you mean `services`?"));
	conf_fixture_load(&fixture, "backlog: 1\n" CONF_FIXTURE_SERVICE);
	CU_ASSERT(conf_fixture_has_only(&fixture, "1:1",
					"it stands in `accept`"));
	conf_fixture_load(&fixture, "services: {s: {accept: \":1\", connect: "
				    "{address: \"h:1\", backlog: 3}}}\n");
	CU_ASSERT(conf_fixture_has_only(&fixture, "1:56",
					"it stands in `accept`"));
	conf_fixture_load(&fixture,
			  "\"a\\nb\\e[31m\": 1\n" CONF_FIXTURE_SERVICE);
	CU_ASSERT_EQUAL(fixture.problems.count, 1);
	CU_ASSERT_PTR_NULL(strchr(fixture.problems.errors[0].text, '\n'));
	CU_ASSERT_PTR_NULL(strchr(fixture.problems.errors[0].text, '\033'));
	conf_fixture_clear(&fixture);
}

UNIT_SUITE(conf_values, {"boolean", test_boolean}, {"choice", test_choice},
	   {"unsigned", test_unsigned}, {"duration", test_duration},
	   {"size", test_size}, {"authorize", test_authorize},
	   {"word", test_word}, {"string", test_string}, {"path", test_path},
	   {"relative_document", test_relative_document}, {"log", test_log},
	   {"addresses", test_addresses}, {"servers", test_servers},
	   {"versions", test_versions}, {"server_name", test_server_name},
	   {"dh", test_dh}, {"ca", test_ca},
	   {"international_name", test_international_name},
	   {"commands", test_commands}, {"certificates", test_certificates},
	   {"stores", test_stores},
	   {"certificates_refused", test_certificates_refused},
	   {"secrets", test_secrets}, {"confinement", test_confinement},
	   {"hosts_map", test_hosts_map}, {"hints", test_hints});
