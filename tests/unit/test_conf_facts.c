/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one process was told by the machine, another one takes for granted.
 */
#include "common/conf/conf_facts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

static struct conf_fixture fixture;

static void
test_asked_once(void)
{
	struct conf_facts *facts = conf_facts_new();
	AUTO_FREE char *here = getcwd(NULL, 0);

	CU_ASSERT_STRING_EQUAL(conf_facts_directory(facts), here);
	CU_ASSERT_EQUAL(conf_facts_port(facts, "no-such-service"), -1);
	CU_ASSERT_EQUAL_FATAL(conf_facts_count(facts), 2);
	CU_ASSERT_STRING_EQUAL(conf_facts_at(facts, 0)->question, "directory");
	CU_ASSERT_STRING_EQUAL(conf_facts_at(facts, 1)->question,
			       "port:no-such-service");
	CU_ASSERT_STRING_EQUAL(conf_facts_at(facts, 1)->answer, "");
	CU_ASSERT_EQUAL(conf_facts_port(facts, "no-such-service"), -1);
	CU_ASSERT_EQUAL(conf_facts_count(facts), 2);
	conf_facts_free(facts);
}

static void
test_known(void)
{
	struct conf_facts *facts = conf_facts_new();

	conf_facts_add(facts, "port:https", "4433");
	conf_facts_add(facts, "port:https", "1");
	conf_facts_add(facts, "port:odd", "65536");
	conf_facts_add(facts, "port:odder", "x");
	conf_facts_add(facts, "system_ca", "/ca");
	conf_facts_add(facts, "directory", "");
	CU_ASSERT_EQUAL(conf_facts_port(facts, "https"), 4433);
	CU_ASSERT_EQUAL(conf_facts_port(facts, "odd"), -1);
	CU_ASSERT_EQUAL(conf_facts_port(facts, "odder"), -1);
	CU_ASSERT_STRING_EQUAL(conf_facts_system_ca(facts), "/ca");
	CU_ASSERT_PTR_NULL(conf_facts_directory(facts));
	conf_facts_free(facts);
}

static void
test_closed(void)
{
	struct conf_facts *facts = conf_facts_new();

	conf_facts_add(facts, "port:smtp", "2525");
	conf_facts_close(facts);
	CU_ASSERT_EQUAL(conf_facts_port(facts, "smtp"), 2525);
	CU_ASSERT_EQUAL(conf_facts_port(facts, "https"), -1);
	CU_ASSERT_PTR_NULL(conf_facts_system_ca(facts));
	CU_ASSERT_PTR_NULL(conf_facts_directory(facts));
	CU_ASSERT_EQUAL(conf_facts_count(facts), 1);
	conf_facts_free(facts);
	conf_facts_free(NULL);
}

/* A document of a relative name, as it is read where nothing can be asked. */
static void
test_load(void)
{
	static const char text[] =
		"services: {s: {accept: \"127.0.0.1:odd\", connect: {address: "
		"[\"h:odd\", \"builtin:echo\", \"unix:x\"], tls: {verify: "
		"{name: h, ca: system}}}}}\n";
	const struct conf_service *service;

	conf_fixture_add(&fixture, "dir/rel.yaml", text);
	fixture.documents.facts = conf_facts_new();
	conf_facts_add(fixture.documents.facts, "port:odd", "77");
	conf_facts_add(fixture.documents.facts, "system_ca", "/ca");
	conf_facts_add(fixture.documents.facts, "directory", "/where");
	conf_facts_close(fixture.documents.facts);
	conf_fixture_load_all(&fixture);
	CU_ASSERT_FATAL(conf_fixture_is_good(&fixture));
	service = &fixture.conf->services[0];
	CU_ASSERT_EQUAL(service->accept.addresses[0].address.port, 77);
	CU_ASSERT_EQUAL(service->connect.addresses[0].address.port, 77);
	CU_ASSERT_STRING_EQUAL(service->connect.addresses[2].address.host,
			       "/where/dir/x");
	CU_ASSERT_STRING_EQUAL(service->connect.tls->verify.cas[0].text, "/ca");
	conf_fixture_clear(&fixture);
	CU_ASSERT_PTR_NULL(fixture.documents.facts);
}

/* What a load asks is there afterwards, for the next one. */
static void
test_noted(void)
{
	conf_fixture_add(&fixture, "rel.yaml",
			 "services: {s: {accept: \":no-such\", connect: "
			 "\"unix:x\"}}\n");
	fixture.documents.facts = conf_facts_new();
	conf_fixture_load_all(&fixture);
	CU_ASSERT(conf_fixture_has_only(&fixture, "1:24", "name of a TCP"));
	CU_ASSERT_EQUAL(conf_facts_count(fixture.documents.facts), 2);
	conf_fixture_clear(&fixture);
}

UNIT_SUITE(conf_facts, {"asked_once", test_asked_once}, {"known", test_known},
	   {"closed", test_closed}, {"load", test_load}, {"noted", test_noted});
