/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Documents to structs: what a whole configuration becomes, layers, hosts,
 * includes, and the rules across keys. What each key takes and refuses is in
 * test_conf_values.
 */
#include "common/conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/tls/tls_version.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

static struct conf_fixture fixture;

static bool
load(const char *text)
{
	conf_fixture_load(&fixture, text);
	return conf_fixture_is_good(&fixture);
}

static void
test_defaults(void)
{
	const struct conf_global *global;
	const struct conf_service *service;

	CU_ASSERT_FATAL(load(CONF_FIXTURE_SERVICE));
	global = &fixture.conf->global;
	CU_ASSERT_EQUAL(global->workers, 0);
	CU_ASSERT_EQUAL(global->max_connections, 100000);
	CU_ASSERT_EQUAL(global->shutdown_grace_ms, 30000);
	CU_ASSERT_EQUAL(global->reload_grace_ms, 0);
	CU_ASSERT_STRING_EQUAL(global->pid_file, "/run/sealock.pid");
	CU_ASSERT(global->is_pid_file_default);
	CU_ASSERT_STRING_EQUAL(global->state_dir, "/var/lib/sealock");
	CU_ASSERT(global->is_state_dir_default);
	CU_ASSERT_EQUAL(global->admin.kind, ADDRESS_UNIX);
	CU_ASSERT_STRING_EQUAL(global->admin.host, "/run/sealock/admin.sock");
	CU_ASSERT(global->is_admin_default);
	CU_ASSERT_EQUAL(global->admin_at.line, 0);
	CU_ASSERT_EQUAL(global->log_count, 1);
	CU_ASSERT_EQUAL(global->logs[0].target, CONF_LOG_STDERR);
	CU_ASSERT_EQUAL(global->logs[0].level, LOG_LEVEL_INFO);
	CU_ASSERT_EQUAL(global->logs[0].form, LOG_FORM_TEXT);
	CU_ASSERT(global->logs[0].is_for_events);
	CU_ASSERT(global->logs[0].is_for_access);
	CU_ASSERT_EQUAL(global->resolver.server_count, 0);
	CU_ASSERT_EQUAL(global->resolver.refresh_ms, 30000);
	CU_ASSERT_EQUAL(global->resolver.timeout_ms, 2000);
	CU_ASSERT_EQUAL_FATAL(fixture.conf->service_count, 1);
	service = &fixture.conf->services[0];
	CU_ASSERT_STRING_EQUAL(service->name, "s");
	CU_ASSERT_EQUAL(service->accept.backlog, 4096);
	CU_ASSERT(!service->accept.is_port_reused);
	CU_ASSERT_EQUAL(service->accept.keepalive.idle_ms, 60000);
	CU_ASSERT_EQUAL(service->accept.keepalive.interval_ms, 10000);
	CU_ASSERT_EQUAL(service->accept.keepalive.count, 6);
	CU_ASSERT_PTR_NULL(service->accept.tls);
	CU_ASSERT_EQUAL(service->connect.family, ADDRESS_FAMILY_ANY);
	CU_ASSERT_PTR_NULL(service->connect.tls);
	CU_ASSERT_EQUAL(service->timeouts.handshake_ms, 10000);
	CU_ASSERT_EQUAL(service->timeouts.connect_ms, 5000);
	CU_ASSERT_EQUAL(service->timeouts.idle_ms, 600000);
	CU_ASSERT_EQUAL(service->timeouts.half_close_ms, 60000);
	CU_ASSERT_EQUAL(service->timeouts.write_stall_ms, 60000);
	CU_ASSERT_EQUAL(service->timeouts.total_ms, 0);
	CU_ASSERT_EQUAL(service->buffers.max, 1 << 20);
}

static void
test_global(void)
{
	const struct conf_global *global;

	CU_ASSERT_FATAL(load("global:\n"
			     "  workers: 3\n"
			     "  max_connections: 7\n"
			     "  shutdown_grace: 1m\n"
			     "  reload_grace: 2h\n"
			     "  pid_file: run/x.pid\n"
			     "  log:\n"
			     "    - syslog:local3\n"
			     "    - {to: \"file:a.log\", level: warn, what: "
			     "access, format: json}\n"
			     "    - {to: syslog, what: events}\n"
			     "  admin: \"unix:a.sock\"\n"
			     "  resolver: {servers: [127.0.0.1, \"[::1]:53\"], "
			     "refresh: 1s, timeout: 100ms}\n" //
			     CONF_FIXTURE_SERVICE));
	global = &fixture.conf->global;
	CU_ASSERT_EQUAL(global->workers, 3);
	CU_ASSERT_EQUAL(global->max_connections, 7);
	CU_ASSERT_EQUAL(global->shutdown_grace_ms, 60000);
	CU_ASSERT_EQUAL(global->reload_grace_ms, 7200000);
	CU_ASSERT_STRING_EQUAL(global->pid_file, "/etc/sealock/run/x.pid");
	CU_ASSERT(!global->is_pid_file_default);
	CU_ASSERT_STRING_EQUAL(global->admin.host, "/etc/sealock/a.sock");
	CU_ASSERT(!global->is_admin_default);
	CU_ASSERT_EQUAL(global->admin_at.line, 11);
	CU_ASSERT_EQUAL(global->admin_at.column, 10);
	CU_ASSERT_EQUAL_FATAL(global->log_count, 3);
	CU_ASSERT_EQUAL(global->logs[0].target, CONF_LOG_SYSLOG);
	CU_ASSERT_EQUAL(global->logs[0].facility, LOG_LOCAL3);
	CU_ASSERT_EQUAL(global->logs[0].at.line, 8);
	CU_ASSERT_EQUAL(global->logs[1].target, CONF_LOG_FILE);
	CU_ASSERT_STRING_EQUAL(global->logs[1].path, "/etc/sealock/a.log");
	CU_ASSERT_EQUAL(global->logs[1].level, LOG_LEVEL_WARN);
	CU_ASSERT_EQUAL(global->logs[1].form, LOG_FORM_JSON);
	CU_ASSERT(!global->logs[1].is_for_events);
	CU_ASSERT(global->logs[1].is_for_access);
	CU_ASSERT_EQUAL(global->logs[2].facility, LOG_DAEMON);
	CU_ASSERT(global->logs[2].is_for_events);
	CU_ASSERT(!global->logs[2].is_for_access);
	CU_ASSERT_EQUAL(global->resolver.server_count, 2);
	CU_ASSERT_STRING_EQUAL(global->resolver.servers[1], "[::1]:53");
	CU_ASSERT_EQUAL(global->resolver.timeout_ms, 100);
}

static void
test_gates(void)
{
	const struct conf_service *service;

	CU_ASSERT_FATAL(load("services:\n"
			     "  web.1_x-y:\n"
			     "    accept:\n"
			     "      address: [\":443\", \"unix:w.sock\"]\n"
			     "      backlog: 9\n"
			     "      reuse_port: yes\n"
			     "      keepalive: {idle: 0}\n"
			     "    connect:\n"
			     "      address: [\"DB.example:5432\", "
			     "builtin:echo]\n"
			     "      address_family: inet6\n"
			     "    buffers: {max: 64k}\n"
			     "  b:\n"
			     "    accept: fd:3\n"
			     "    connect: unix:@x\n"));
	service = &fixture.conf->services[0];
	CU_ASSERT_STRING_EQUAL(service->name, "web.1_x-y");
	CU_ASSERT_EQUAL(service->at.line, 2);
	CU_ASSERT_EQUAL(service->at.column, 3);
	CU_ASSERT_EQUAL(service->accept.at.line, 3);
	CU_ASSERT_EQUAL(service->accept.at.column, 5);
	CU_ASSERT_EQUAL_FATAL(service->accept.address_count, 2);
	CU_ASSERT_EQUAL(service->accept.addresses[0].address.kind, ADDRESS_ANY);
	CU_ASSERT_EQUAL(service->accept.addresses[0].address.port, 443);
	CU_ASSERT_EQUAL(service->accept.addresses[0].at.line, 4);
	CU_ASSERT_EQUAL(service->accept.addresses[0].at.column, 17);
	CU_ASSERT_STRING_EQUAL(service->accept.addresses[1].address.host,
			       "/etc/sealock/w.sock");
	CU_ASSERT_EQUAL(service->accept.backlog, 9);
	CU_ASSERT(service->accept.is_port_reused);
	CU_ASSERT_EQUAL(service->accept.keepalive.idle_ms, 0);
	CU_ASSERT_EQUAL(service->accept.keepalive.count, 6);
	CU_ASSERT_EQUAL(service->connect.at.line, 8);
	CU_ASSERT_EQUAL_FATAL(service->connect.address_count, 2);
	CU_ASSERT_STRING_EQUAL(service->connect.addresses[0].address.host,
			       "db.example");
	CU_ASSERT_EQUAL(service->connect.addresses[1].address.kind,
			ADDRESS_BUILTIN);
	CU_ASSERT_EQUAL(service->connect.family, ADDRESS_FAMILY_INET6);
	CU_ASSERT_EQUAL(service->buffers.max, 65536);
	service = &fixture.conf->services[1];
	CU_ASSERT_EQUAL(service->accept.addresses[0].address.kind, ADDRESS_FD);
	CU_ASSERT_EQUAL(service->connect.addresses[0].address.kind,
			ADDRESS_ABSTRACT);
}

static void
test_tls(void)
{
	const struct tls_settings *tls;

	CU_ASSERT_FATAL(load("services:\n"
			     "  s:\n"
			     "    accept:\n"
			     "      address: \":443\"\n"
			     "      tls:\n"
			     "        profile: modern\n"
			     "        versions: [TLSv1.2, TLSv1.3]\n"
			     "        ciphers: AAA\n"
			     "        ciphersuites: BBB\n"
			     "        groups: [\"?X\", Y]\n"
			     "        prefer_server_ciphers: yes\n"
			     "        dh: off\n"
			     "        alpn: [h2, http/1.1]\n"
			     "        certificates: web.pem\n"
			     "        strict_sni: true\n"
			     "        shutdown: full\n"
			     "        openssl: {Options: a, MinProtocol: 1}\n"
			     "    connect: {address: \"b:1\", tls: true}\n"));
	tls = fixture.conf->services[0].accept.tls;
	CU_ASSERT_EQUAL(tls->at.line, 5);
	CU_ASSERT_EQUAL(tls->at.column, 7);
	CU_ASSERT_EQUAL(tls->profile, TLS_PROFILE_MODERN);
	CU_ASSERT_EQUAL(tls->versions, TLS_VERSION_1_2 | TLS_VERSION_1_3);
	CU_ASSERT_EQUAL(tls->versions_at.line, 7);
	CU_ASSERT_EQUAL(tls->versions_at.column, 19);
	CU_ASSERT_STRING_EQUAL(tls->ciphers, "AAA");
	CU_ASSERT_EQUAL(tls->ciphers_at.line, 8);
	CU_ASSERT_STRING_EQUAL(tls->ciphersuites, "BBB");
	CU_ASSERT_EQUAL(tls->ciphersuites_at.line, 9);
	CU_ASSERT_EQUAL_FATAL(tls->group_count, 2);
	CU_ASSERT_STRING_EQUAL(tls->groups[0], "?X");
	CU_ASSERT_EQUAL(tls->groups_at.line, 10);
	CU_ASSERT_EQUAL(tls->prefer_server_ciphers, TLS_CHOICE_YES);
	CU_ASSERT_EQUAL(tls->dh.kind, TLS_DH_OFF);
	CU_ASSERT_EQUAL_FATAL(tls->alpn_count, 2);
	CU_ASSERT_STRING_EQUAL(tls->alpn[1], "http/1.1");
	CU_ASSERT_EQUAL_FATAL(tls->certificate_count, 1);
	CU_ASSERT(tls->is_sni_strict);
	CU_ASSERT_EQUAL(tls->shutdown, TLS_SHUTDOWN_FULL);
	CU_ASSERT_EQUAL_FATAL(tls->command_count, 2);
	CU_ASSERT_STRING_EQUAL(tls->commands[1].command, "MinProtocol");
	CU_ASSERT_STRING_EQUAL(tls->commands[1].value, "1");
	CU_ASSERT_EQUAL(tls->commands[1].at.column, 31);
	CU_ASSERT_EQUAL(tls->verify.mode, TLS_VERIFY_NONE);
	CU_ASSERT_EQUAL(tls->verify.ca_count, 0);
	CU_ASSERT_EQUAL(tls->host_count, 0);
	tls = fixture.conf->services[0].connect.tls;
	CU_ASSERT_EQUAL(tls->profile, TLS_PROFILE_INTERMEDIATE);
	CU_ASSERT_EQUAL(tls->versions, 0);
	CU_ASSERT_PTR_NULL(tls->ciphers);
	CU_ASSERT_EQUAL(tls->prefer_server_ciphers, TLS_CHOICE_PROFILE);
	CU_ASSERT_EQUAL(tls->server_name_kind, TLS_SERVER_NAME_BACKEND);
	CU_ASSERT_EQUAL(tls->verify.mode, TLS_VERIFY_REQUIRED);
	CU_ASSERT_EQUAL_FATAL(tls->verify.ca_count, 1);
	CU_ASSERT_EQUAL(tls->verify.cas[0].kind, TLS_CA_SYSTEM);
	CU_ASSERT_EQUAL(tls->verify.depth, 10);
	CU_ASSERT_EQUAL(tls->shutdown, TLS_SHUTDOWN_FAST);
}

/* An empty value is as good as none. */
static void
test_empty_values(void)
{
	CU_ASSERT_FATAL(load("include:\n"
			     "global:\n"
			     "defaults:\n"
			     "enforce: {connect: }\n"
			     "services:\n"
			     "  s:\n"
			     "    accept: {address: \":1\", backlog: , tls: "
			     "{certificates: a, alpn: , hosts: }}\n"
			     "    connect: {address: \"b:1\", tls: {verify: , "
			     "server_name: }}\n"
			     "    timeouts:\n"));
	CU_ASSERT_EQUAL(fixture.conf->services[0].accept.backlog, 4096);
	CU_ASSERT_EQUAL(fixture.conf->services[0].timeouts.idle_ms, 600000);
	CU_ASSERT_EQUAL(fixture.conf->services[0].connect.tls->verify.mode,
			TLS_VERIFY_REQUIRED);
}

static const char layers[] =
	"defaults:\n"
	"  tls: {profile: old, shutdown: none}\n"
	"  accept: {backlog: 5, tls: {alpn: [h2], "
	"shutdown: full, openssl: {A: 1, B: 1}}}\n"
	"  connect: {tls: {verify: {depth: 3}}}\n"
	"  timeouts: {idle: 1s, total: 1h}\n"
	"enforce:\n"
	"  accept: {tls: {openssl: {B: 3}}}\n"
	"  connect: {tls: {verify: {depth: 4}}}\n"
	"  buffers: {max: 2M}\n"
	"services:\n"
	"  a:\n"
	"    accept: {address: \":1\", tls: {certificates: "
	"x, openssl: {b: 2, C: 2}}}\n"
	"    connect: {address: \"h:1\", tls: {profile: "
	"modern}}\n"
	"    timeouts: {idle: 2s}\n"
	"  b:\n"
	"    accept: {address: \":2\", backlog: 6, tls: "
	"off}\n"
	"    connect: \"h:2\"\n";

static void
test_layers(void)
{
	const struct conf_service *a, *b;

	conf_fixture_load(&fixture, layers);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.conf);
	a = &fixture.conf->services[0];
	b = &fixture.conf->services[1];
	CU_ASSERT_EQUAL(a->accept.backlog, 5);
	CU_ASSERT_EQUAL(b->accept.backlog, 6);
	CU_ASSERT_EQUAL(a->timeouts.idle_ms, 2000);
	CU_ASSERT_EQUAL(b->timeouts.idle_ms, 1000);
	CU_ASSERT_EQUAL(a->timeouts.total_ms, 3600000);
	CU_ASSERT_EQUAL(a->buffers.max, 2 << 20);
	CU_ASSERT_EQUAL(a->accept.tls->profile, TLS_PROFILE_OLD);
	CU_ASSERT_EQUAL(a->accept.tls->shutdown, TLS_SHUTDOWN_FULL);
	CU_ASSERT_EQUAL(a->accept.tls->alpn_count, 1);
	CU_ASSERT_EQUAL(a->connect.tls->profile, TLS_PROFILE_MODERN);
	CU_ASSERT_EQUAL(a->connect.tls->shutdown, TLS_SHUTDOWN_NONE);
	CU_ASSERT_EQUAL(a->connect.tls->verify.depth, 4);
	CU_ASSERT_EQUAL(a->connect.tls->verify.mode, TLS_VERIFY_REQUIRED);
	CU_ASSERT_PTR_NULL(b->accept.tls);
	CU_ASSERT_PTR_NULL(b->connect.tls);
	/* Commands are merged one by one, without regard to case. */
	CU_ASSERT_EQUAL_FATAL(a->accept.tls->command_count, 3);
	CU_ASSERT_STRING_EQUAL(a->accept.tls->commands[0].value, "1");
	CU_ASSERT_STRING_EQUAL(a->accept.tls->commands[1].value, "3");
	CU_ASSERT_STRING_EQUAL(a->accept.tls->commands[2].value, "2");
	CU_ASSERT_EQUAL(fixture.warnings.count, 1);
	CU_ASSERT(conf_fixture_has(&fixture.warnings, "12:65",
				   "`b` is 2 here, but `enforce`"));
}

static void
test_enforce(void)
{
	conf_fixture_load(&fixture,
			  "enforce: {connect: {tls: {verify: required}},\n"
			  "  timeouts: {idle: 5m}}\n"
			  "services:\n"
			  "  a:\n"
			  "    accept: \":1\"\n"
			  "    connect:\n"
			  "      address: \"h:1\"\n"
			  "      tls: {verify: none}\n"
			  "    timeouts: {idle: 300s}\n"
			  "  b:\n"
			  "    accept: \":2\"\n"
			  "    connect: {address: \"h:1\", tls: {verify: "
			  "{mode: required}}}\n"
			  "  c:\n"
			  "    accept: \":3\"\n"
			  "    connect: {address: \"h:1\"}\n");
	CU_ASSERT_EQUAL(fixture.problems.count, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.conf);
	CU_ASSERT_EQUAL(fixture.conf->services[0].connect.tls->verify.mode,
			TLS_VERIFY_REQUIRED);
	CU_ASSERT_PTR_NULL(fixture.conf->services[2].connect.tls);
	/* Who wrote the same another way is not bothered. */
	CU_ASSERT_EQUAL(fixture.warnings.count, 1);
	CU_ASSERT(conf_fixture_has(
		&fixture.warnings, "8:21",
		"service `a`: `mode` is none here, but `enforce` "
		"(/etc/sealock/test.yaml:1) makes it required"));
}

static void
test_hosts(void)
{
	const struct tls_settings *gate, *host;

	conf_fixture_load(
		&fixture,
		"defaults: {tls: {profile: old}, accept: {tls: {alpn: a}}}\n"
		"enforce: {accept: {tls: {shutdown: none}}}\n"
		"services:\n"
		"  s:\n"
		"    accept:\n"
		"      address: \":1\"\n"
		"      tls:\n"
		"        certificates: [one.pem, two.pem]\n"
		"        strict_sni: true\n"
		"        hosts:\n"
		"          \"Admin.Example.org\":\n"
		"            versions: [TLSv1.3]\n"
		"            shutdown: full\n"
		"          \"*.example.net\": {profile: modern, certificates: "
		"three.pem}\n"
		"    connect: \"h:1\"\n");
	CU_ASSERT_EQUAL(fixture.problems.count, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.conf);
	gate = fixture.conf->services[0].accept.tls;
	CU_ASSERT_EQUAL_FATAL(gate->host_count, 2);
	CU_ASSERT_STRING_EQUAL(gate->hosts[0].pattern, "admin.example.org");
	CU_ASSERT_EQUAL(gate->hosts[0].at.line, 11);
	CU_ASSERT_EQUAL(gate->hosts[0].at.column, 11);
	host = gate->hosts[0].settings;
	CU_ASSERT_EQUAL(host->versions, TLS_VERSION_1_3);
	CU_ASSERT_EQUAL(host->profile, TLS_PROFILE_OLD);
	CU_ASSERT_EQUAL(host->alpn_count, 1);
	CU_ASSERT_EQUAL(host->shutdown, TLS_SHUTDOWN_NONE);
	CU_ASSERT_EQUAL_FATAL(host->certificate_count, 2);
	CU_ASSERT_STRING_EQUAL(host->certificates[1].path,
			       "/etc/sealock/two.pem");
	/* The same place in the same file is the same certificate. */
	CU_ASSERT_PTR_EQUAL(host->certificates[0].at.file,
			    gate->certificates[0].at.file);
	CU_ASSERT_EQUAL(host->certificates[0].at.column,
			gate->certificates[0].at.column);
	CU_ASSERT_EQUAL(host->host_count, 0);
	CU_ASSERT_STRING_EQUAL(gate->hosts[1].pattern, "*.example.net");
	host = gate->hosts[1].settings;
	CU_ASSERT_EQUAL(host->profile, TLS_PROFILE_MODERN);
	CU_ASSERT_EQUAL(host->certificate_count, 1);
	CU_ASSERT_EQUAL(host->versions, 0);
	CU_ASSERT_EQUAL(fixture.warnings.count, 1);
	CU_ASSERT(conf_fixture_has(&fixture.warnings, "13:23",
				   "`shutdown` is full here, but `enforce`"));
}

static void
test_merge_keys(void)
{
	CU_ASSERT_FATAL(load("services:\n"
			     "  a:\n"
			     "    accept: \":1\"\n"
			     "    connect: &c {address: \"h:1\", tls: &t "
			     "{verify: none, shutdown: none}}\n"
			     "  b:\n"
			     "    accept: \":2\"\n"
			     "    connect: {<<: *c, tls: {<<: *t, shutdown: "
			     "full}}\n"));
	CU_ASSERT_EQUAL(fixture.conf->services[1].connect.tls->verify.mode,
			TLS_VERIFY_NONE);
	CU_ASSERT_EQUAL(fixture.conf->services[1].connect.tls->shutdown,
			TLS_SHUTDOWN_FULL);
	/* The anchor's place is that of its value. */
	CU_ASSERT_EQUAL(fixture.conf->services[1].connect.addresses[0].at.line,
			4);
}

static void
test_includes(void)
{
	const struct conf_service *service;

	conf_documents_clear(&fixture.documents);
	conf_fixture_add(&fixture, "/etc/sealock/main.yaml",
			 "include: [\"conf.d/*.yaml\"]\n"
			 "defaults: {timeouts: {idle: 1s}}\n"
			 "services: {a: {accept: \":1\", connect: \"h:1\"}}\n");
	conf_fixture_add(&fixture, "/etc/sealock/conf.d/x.yaml",
			 "services:\n"
			 "  b: {accept: \"unix:b.sock\", connect: \"h:1\"}\n");
	conf_fixture_load_all(&fixture);
	CU_ASSERT_FATAL(conf_fixture_is_good(&fixture));
	CU_ASSERT_EQUAL_FATAL(fixture.conf->service_count, 2);
	service = &fixture.conf->services[1];
	CU_ASSERT_STRING_EQUAL(service->name, "b");
	CU_ASSERT_STRING_EQUAL(service->at.file, "/etc/sealock/conf.d/x.yaml");
	CU_ASSERT_EQUAL(service->timeouts.idle_ms, 1000);
	CU_ASSERT_STRING_EQUAL(service->accept.addresses[0].address.host,
			       "/etc/sealock/conf.d/b.sock");
	/* What is wrong, in the order of the files. */
	conf_fixture_add(&fixture, "/etc/sealock/conf.d/y.yaml",
			 "global: {}\n"
			 "include: z\n"
			 "services:\n"
			 "  a: {accept: \":2\", connect: \"h:1\"}\n"
			 "  c: {accept: \":1\", connect: \"h:1\"}\n");
	conf_fixture_add(&fixture, "/etc/sealock/conf.d/z.yaml", "# off\n");
	conf_fixture_add(&fixture, "/etc/sealock/conf.d/zz.yaml", "[]");
	conf_fixture_load_all(&fixture);
	CU_ASSERT_EQUAL_FATAL(fixture.problems.count, 5);
	CU_ASSERT_STRING_EQUAL(fixture.problems.errors[0].text,
			       "`global` stands in the main file only: an "
			       "included file holds `services` and nothing "
			       "else");
	CU_ASSERT(conf_fixture_has(&fixture.problems, "2:1",
				   "`include` stands in the main file only"));
	CU_ASSERT(conf_fixture_has(&fixture.problems, "4:3",
				   "there are two services `a`, the other one "
				   "is at /etc/sealock/main.yaml:3"));
	CU_ASSERT(conf_fixture_has(&fixture.problems, "5:15",
				   "`:1` is listened on already "
				   "(/etc/sealock/main.yaml:3)"));
	CU_ASSERT(
		conf_fixture_has(&fixture.problems, "1:1", "is a map of keys"));
	CU_ASSERT_STRING_EQUAL(fixture.problems.errors[4].at.file,
			       "/etc/sealock/conf.d/zz.yaml");
}

/* Rules across keys, each broken once. */
static void
test_rules(void)
{
	static const struct {
		const char *text;
		const char *where;
		const char *part;
	} cases[] = {
		{"", "1:1", "the file is empty"},
		{"[a]\n", "1:1", "is a map of keys"},
		{"hello\n", "1:1", "is a map of keys"},
		{"{}\n", "1:1", "there is no service"},
		{"services: {}\n", "1:1", "there is no service"},
		{"services: []\n", "1:11", "`services` is a list here"},
		{"services: {a: }\n", "1:12", "service `a` is empty"},
		{"services: {a: x}\n", "1:15", "`service` is a map"},
		{"services: {a b: {accept: \":1\", connect: \"h:1\"}}\n",
		 "1:12", "`a b` is no name for a service"},
		{"services: {a: {connect: \"h:1\"}}\n", "1:12",
		 "service `a` has no `accept`"},
		{"services: {a: {accept: \":1\"}}\n", "1:12",
		 "service `a` has no `connect`"},
		{"services: {a: {accept: {backlog: 1}, connect: \"h:1\"}}\n",
		 "1:16", "`accept` has no `address`"},
		{"services: {a: {accept: [], connect: \"h:1\"}}\n", "1:16",
		 "`accept` has no `address`"},
		{"services: {a: {accept: \":1\", connect: {address: }}}\n",
		 "1:30", "`connect` has no `address`"},
		{"services: {a: {accept: {address: \":1\", tls: true}, "
		 "connect: \"h:1\"}}\n",
		 "1:40", "TLS on the accept gate needs `certificates`"},
		{"services: {a: {accept: {address: \":1\", tls: "
		 "{certificates: []}}, connect: \"h:1\"}}\n",
		 "1:40", "TLS on the accept gate needs `certificates`"},
		{"services: {a: {accept: {address: \":1\", tls: }, "
		 "connect: \"h:1\"}}\n",
		 "1:45", "`tls` has no value here: expected true, false"},
		{"services: {a: {accept: \":1\", connect: {address: "
		 "builtin:echo, tls: true}}}\n",
		 "1:63", "a builtin backend speaks no TLS"},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {mode: none, name: b}}}}}\n",
		 "1:83",
		 "`verify`: its mode is none, so `name` is never looked at"},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {ca: none, allow: {cn: a}}}}}}\n",
		 "1:81",
		 "`verify`: with `ca: none` only fingerprints count, so "
		 "`allow`"},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {depth: 16, ocsp: {check: chain}}}}}}\n",
		 "1:96", "`verify.depth` is 16, and can be 15"},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {ocsp: {http_proxy: proxy}}}}}}\n",
		 "1:90",
		 "`verify.ocsp.http_proxy`: a proxy is http://HOST:PORT"},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {ocsp: {http_proxy: \"https://p:1\"}}}}}}\n",
		 "1:90",
		 "`verify.ocsp.http_proxy`: a proxy is http://HOST:PORT"},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {ocsp: {http_proxy: \"http://p:www/\"}}}}}}\n",
		 "1:90",
		 "`verify.ocsp.http_proxy`: a proxy is http://HOST:PORT"},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {scheme: none, name: a}}}}}\n",
		 "1:85", "no name is compared"},
		{"services: {a: {accept: {address: \":1\", tls: {certificates: "
		 "c, hosts: {a.b: {verify: {depth: 1}}}}}, connect: "
		 "\"h:1\"}}\n",
		 "1:86", "its mode is none, so `depth`"},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {fingerprints: [x]}}}}}\n",
		 "1:86", "`fingerprints`: "},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {allow: {ip: x}}}}}}\n",
		 "1:83", "`ip`: "},
		{"services: {a: {accept: \":1\", connect: {address: \"h:1\", "
		 "tls: {verify: {scheme: gopher}}}}}\n",
		 "1:79", "`scheme` is \"gopher\": expected a protocol"},
		{"services: {s: {accept: \":1\", connect: {address: "
		 "\"unix:/run/x\", tls: true}}}\n",
		 "1:49", "no host name to verify its certificate by"},
		{"services:\n"
		 "  a: {accept: \":1\", connect: \"h:1\"}\n"
		 "  a: {accept: \":2\", connect: \"h:1\"}\n",
		 "3:3", "duplicate key `a`: it stands in line 2 already"},
		{"defaults: {connect: {address: \"h:1\"}}\n" //
		 CONF_FIXTURE_SERVICE,
		 "1:22",
		 "`address` belongs to each service, it cannot stand "
		 "in `defaults`"},
		{"enforce: {accept: \":1\"}\n" CONF_FIXTURE_SERVICE, "1:19",
		 "`address` of `accept` belongs to each service"},
		{"defaults: {connect: {tls: true}}\n" CONF_FIXTURE_SERVICE,
		 "1:27", "it cannot switch TLS on or off"},
		{"enforce: {tls: off}\n" CONF_FIXTURE_SERVICE, "1:16",
		 "`tls` in `enforce` is a map of what gates with TLS have in "
		 "common"},
		{"defaults: {tls: {alpn: h2}}\n" CONF_FIXTURE_SERVICE, "1:18",
		 "`alpn` is for the accept gate only: write it under "
		 "`accept`"},
		{"enforce: {accept: {tls: {hosts: {a.b: {}}}}}\n" //
		 CONF_FIXTURE_SERVICE,
		 "1:26",
		 "`hosts` belongs to each service, it cannot stand in "
		 "`enforce`"},
		{"defaults: {global: {}}\n" CONF_FIXTURE_SERVICE, "1:12",
		 "unknown key `global` in `defaults`: it stands in "
		 "`document`"},
		{"include: {a: b}\n" CONF_FIXTURE_SERVICE, "1:10",
		 "`include` is a map here"},
		{"include: [[a]]\n" CONF_FIXTURE_SERVICE, "1:11",
		 "`include` is a list here"},
		{"include: \"\"\n" CONF_FIXTURE_SERVICE, "1:10", "`include`"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		conf_fixture_load(&fixture, cases[i].text);
		CU_ASSERT(conf_fixture_has_only(&fixture, cases[i].where,
						cases[i].part));
	}
}

static void
test_listened_twice(void)
{
	static const struct {
		const char *one;
		const char *other;
		const char *part; /* NULL: they go together */
	} cases[] = {
		{":1", ":1", "`:1` is listened on already"},
		{"127.0.0.1:1", "127.0.0.1:1", "already"},
		{"[::1]:1", "[0::1]:1", "`[::1]:1` is listened on already"},
		{"unix:/x", "unix:/x", "already"},
		{"unix:x", "unix:/etc/sealock/x", "already"},
		{"unix:@x", "unix:@x", "already"},
		{"fd:3", "fd:3", "already"},
		{":1", "0.0.0.0:1",
		 "`0.0.0.0:1` cannot be listened on beside "
		 "`:1`"},
		{":1", "[::]:1", "cannot be listened on beside"},
		{"0.0.0.0:1", "[::]:1", "cannot be listened on beside"},
		{"127.0.0.1:1", ":1", "cannot be listened on beside"},
		{"0.0.0.0:1", "127.0.0.1:1", "cannot be listened on beside"},
		{":1", ":2", NULL},
		{":0", ":0", NULL},
		{"127.0.0.1:1", "127.0.0.2:1", NULL},
		{"127.0.0.1:1", "[::1]:1", NULL},
		{"unix:/x", "unix:@/x", NULL},
		{"fd:3", "fd:4", NULL},
		{"fd:3", "unix:/x", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			 "services:\n"
			 "  a:\n"
			 "    accept: '%s'\n"
			 "    connect: h:1\n"
			 "  b:\n"
			 "    accept: '%s'\n"
			 "    connect: h:1\n",
			 cases[i].one, cases[i].other);
		conf_fixture_load(&fixture, text);
		if (cases[i].part) {
			CU_ASSERT(conf_fixture_has_only(&fixture, "6:13",
							cases[i].part));
		} else {
			CU_ASSERT(conf_fixture_is_good(&fixture));
		}
	}
	/* With a socket for each worker the kernel tells them apart. */
	CU_ASSERT(load("defaults: {accept: {reuse_port: true}}\n"
		       "services:\n"
		       "  a: {accept: \":1\", connect: \"h:1\"}\n"
		       "  b: {accept: \"127.0.0.1:1\", connect: \"h:1\"}\n"));
	conf_fixture_load(&fixture, "services: {a: {accept: [\":1\", \":1\"], "
				    "connect: \"h:1\"}}\n");
	CU_ASSERT(conf_fixture_has_only(&fixture, "1:31", "already"));
}

/* Each problem once, at its own place, in order, whatever layer it is in. */
static void
test_all_problems(void)
{
	conf_fixture_load(&fixture, "global:\n"
				    "  workers: 0\n"
				    "  usr: x\n"
				    "  shutdown_grace: 5\n"
				    "defaults:\n"
				    "  timeouts: {idle: x}\n"
				    "  connect: {tls: {verify: {depth: -1}}}\n"
				    "services:\n"
				    "  a:\n"
				    "    accept:\n"
				    "      address: \":1\"\n"
				    "    conect: \"h:1\"\n");
	CU_ASSERT_EQUAL(fixture.problems.count, 7);
	CU_ASSERT(conf_fixture_has(&fixture.problems, "2:12", "`workers`"));
	CU_ASSERT(conf_fixture_has(&fixture.problems, "3:3", "`usr`"));
	CU_ASSERT(conf_fixture_has(&fixture.problems, "4:19", "is \"5\""));
	CU_ASSERT(conf_fixture_has(&fixture.problems, "6:20", "is \"x\""));
	CU_ASSERT(conf_fixture_has(&fixture.problems, "7:35", "is \"-1\""));
	CU_ASSERT(conf_fixture_has(&fixture.problems, "9:3",
				   "service `a` has no `connect`"));
	CU_ASSERT(conf_fixture_has(&fixture.problems, "12:5",
				   "unknown key `conect` in `service`, did "
				   "you mean `connect`?"));
	for (size_t i = 1; i < fixture.problems.count; i++)
		CU_ASSERT(fixture.problems.errors[i - 1].at.line <
			  fixture.problems.errors[i].at.line);
}

/* Errors point to a name that outlives the documents. */
static void
test_names_outlive(void)
{
	char name[] = "/tmp/some.yaml";

	conf_documents_clear(&fixture.documents);
	conf_fixture_add(&fixture, name, "x: y\n");
	conf_fixture_load_all(&fixture);
	conf_documents_clear(&fixture.documents);
	memset(name, 'x', sizeof(name) - 1);
	CU_ASSERT_EQUAL_FATAL(fixture.problems.count, 1);
	CU_ASSERT_STRING_EQUAL(fixture.problems.errors[0].at.file,
			       "/tmp/some.yaml");
}

/* A file that is no configuration at all does not fill memory or time. */
static void
test_too_many(void)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	for (int i = 0; i < 100000; i++)
		fprintf(out, "k%d: 1\n", i);
	fclose(out);
	conf_fixture_load(&fixture, text);
	CU_ASSERT_EQUAL(fixture.problems.count, 1000);
	free(text);
}

static void
write_file(const char *name, const char *text)
{
	FILE *out = fopen(name, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(text, out);
	fclose(out);
}

static void
read_main(const char *include)
{
	char text[256];

	snprintf(text, sizeof(text), "include: %s\n" CONF_FIXTURE_SERVICE,
		 include);
	write_file("main.yaml", text);
	conf_fixture_clear(&fixture);
	CU_ASSERT_EQUAL(conf_documents_read("main.yaml", &fixture.documents,
					    &fixture.problems),
			0);
}

static void
test_read(void)
{
	char directory[] = "/tmp/sealock-conf-[x]-XXXXXX";
	char before[4096];

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof(before)));
	CU_ASSERT_EQUAL_FATAL(chdir(directory), 0);
	write_file("b.yaml", "b");
	write_file("a.yaml", "a");
	/* A pattern is sorted; that the directory looks like one is not its
	 * fault. */
	read_main("\"?.yaml\"");
	CU_ASSERT_EQUAL(fixture.problems.count, 0);
	CU_ASSERT_EQUAL_FATAL(fixture.documents.count, 3);
	CU_ASSERT_STRING_EQUAL(fixture.documents.documents[0].name,
			       "main.yaml");
	CU_ASSERT_EQUAL(fixture.documents.documents[1].length, 1);
	CU_ASSERT_EQUAL(fixture.documents.documents[1].bytes[0], 'a');
	CU_ASSERT_PTR_NOT_NULL(
		strstr(fixture.documents.documents[2].name, "/b.yaml"));
	read_main("[\"none*\", ./b.yaml]");
	CU_ASSERT_EQUAL(fixture.problems.count, 0);
	CU_ASSERT_EQUAL(fixture.documents.count, 2);
	read_main("none.yaml");
	CU_ASSERT_EQUAL(fixture.problems.count, 1);
	CU_ASSERT(conf_fixture_has(&fixture.problems, "1:10", "cannot read"));
	CU_ASSERT_EQUAL(fixture.documents.count, 1);
	/* With that problem in the list there is no configuration. */
	CU_ASSERT_PTR_NULL(
		conf_load(&fixture.documents, &fixture.problems, NULL));
	CU_ASSERT_EQUAL(fixture.problems.count, 1);
	conf_fixture_clear(&fixture);
	CU_ASSERT_EQUAL(conf_documents_read("nothing.yaml", &fixture.documents,
					    &fixture.problems),
			-1);
	CU_ASSERT_EQUAL(
		conf_documents_read(".", &fixture.documents, &fixture.problems),
		-1);
	CU_ASSERT_EQUAL(fixture.problems.count, 2);
	CU_ASSERT_EQUAL(
		unlink("a.yaml") + unlink("b.yaml") + unlink("main.yaml"), 0);
	CU_ASSERT_EQUAL(chdir(before), 0);
	CU_ASSERT_EQUAL(rmdir(directory), 0);
}

static void
test_end(void)
{
	conf_fixture_clear(&fixture);
	conf_free(NULL);
}

UNIT_SUITE(conf, {"defaults", test_defaults}, {"global", test_global},
	   {"gates", test_gates}, {"tls", test_tls},
	   {"empty_values", test_empty_values}, {"layers", test_layers},
	   {"enforce", test_enforce}, {"hosts", test_hosts},
	   {"merge_keys", test_merge_keys}, {"includes", test_includes},
	   {"rules", test_rules}, {"listened_twice", test_listened_twice},
	   {"all_problems", test_all_problems},
	   {"names_outlive", test_names_outlive}, {"too_many", test_too_many},
	   {"read", test_read}, {"end", test_end});
