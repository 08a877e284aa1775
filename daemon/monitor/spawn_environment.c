/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allow list, by names and by how names begin.
 */
#include "daemon/monitor/spawn_environment.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/base/mem.h"

/* With an equals sign: the whole name. */
static const char *const allowed[] = {
	/* The C library: times, messages, the resolver, memory. */
	"TZ=",
	"TZDIR=",
	"LANG=",
	"LANGUAGE=",
	"LC_",
	"LOCALDOMAIN=",
	"RES_OPTIONS=",
	"HOSTALIASES=",
	"GLIBC_TUNABLES=",
	"MALLOC_",
	/* A child is the same program with the same libraries. */
	"LD_LIBRARY_PATH=",
	"LD_PRELOAD=",
	/* OpenSSL, and modules that tokens are reached by. */
	"OPENSSL_",
	"SSL_CERT_FILE=",
	"SSL_CERT_DIR=",
	"P11_KIT_",
	"PKCS11_MODULE_PATH=",
	"PKCS11_PROVIDER_MODULE=",
	"SOFTHSM2_CONF=",
	/* Sanitizers and profiles. */
	"ASAN_",
	"LSAN_",
	"MSAN_",
	"TSAN_",
	"UBSAN_",
	"LLVM_PROFILE_FILE=",
	"GCOV_",
};

#define TUNABLES "GLIBC_TUNABLES="

/* Everything that free(3) is given is overwritten, small blocks, too, which
 * have to go without their cache for that (mallopt(3), M_PERTURB). What OpenSSL
 * frees is wiped in any case (common/tls/key_memory); this is for what other
 * libraries have read, an inline key in the parser of YAML, say. */
static char wiping[] =
	TUNABLES "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0";

static bool
is_allowed(const char *variable, enum ipc_role role)
{
	if (role == IPC_KEEPER &&
	    strncmp(variable, TUNABLES, strlen(TUNABLES)) == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (strncmp(variable, allowed[i], strlen(allowed[i])) == 0)
			return true;
	return false;
}

char **
spawn_environment(char *const *environment, enum ipc_role role)
{
	size_t count = 0, kept = 0;
	char **result;

	while (environment[count])
		count++;
	result = mem_array(count + 2, sizeof(char *));
	for (size_t i = 0; i < count; i++)
		if (is_allowed(environment[i], role))
			result[kept++] = environment[i];
	if (role == IPC_KEEPER)
		result[kept++] = wiping;
	return result;
}
