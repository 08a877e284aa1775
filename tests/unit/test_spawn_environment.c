/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/monitor/spawn_environment.h"

#include <stddef.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/unit.h"

static char secret[] = "PASSPHRASE=hunter2", zone[] = "TZ=Europe/Berlin",
	    zones[] = "TZX=1", locale[] = "LC_ALL=C", nothing[] = "TZ",
	    path[] = "PATH=/bin", empty[] = "", equals[] = "=",
	    openssl[] = "OPENSSL_CONF=/etc/x", late[] = "X=TZ=1",
	    tunables[] = "GLIBC_TUNABLES=glibc.malloc.check=3";

static void
test_filter(void)
{
	char *const environment[] = {secret,  zone, zones, locale,
				     nothing, path, empty, equals,
				     openssl, late, NULL};
	char **filtered = spawn_environment(environment, IPC_WORKER);

	CU_ASSERT_PTR_EQUAL_FATAL(filtered[0], zone);
	CU_ASSERT_PTR_EQUAL_FATAL(filtered[1], locale);
	CU_ASSERT_PTR_EQUAL_FATAL(filtered[2], openssl);
	CU_ASSERT_PTR_NULL(filtered[3]);
	mem_free(filtered);
}

static void
test_empty(void)
{
	char *const environment[] = {NULL};
	char **filtered = spawn_environment(environment, IPC_WORKER);

	CU_ASSERT_PTR_NULL(filtered[0]);
	mem_free(filtered);
}

/* It has tunables of its own. */
static void
test_keeper(void)
{
	char *const environment[] = {tunables, zone, NULL};
	char **filtered = spawn_environment(environment, IPC_KEEPER);

	CU_ASSERT_PTR_EQUAL_FATAL(filtered[0], zone);
	CU_ASSERT_PTR_NOT_NULL_FATAL(filtered[1]);
	CU_ASSERT_PTR_NOT_NULL(strstr(filtered[1], "malloc.perturb="));
	CU_ASSERT_PTR_NULL(filtered[2]);
	mem_free(filtered);
	filtered = spawn_environment(environment, IPC_HELPER);
	CU_ASSERT_PTR_EQUAL_FATAL(filtered[0], tunables);
	CU_ASSERT_PTR_EQUAL_FATAL(filtered[1], zone);
	CU_ASSERT_PTR_NULL(filtered[2]);
	mem_free(filtered);
}

UNIT_SUITE(spawn_environment, {"filter", test_filter}, {"empty", test_empty},
	   {"keeper", test_keeper});
