/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of a process that holds keys, each time in one of its own.
 */
#include "common/tls/key_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate_create.h"
#include "common/tls/certificate_key.h"
#include "common/tls/local_keys.h"
#include "common/tls/signer.h"
#include "tests/lib/in_child.h"
#include "tests/lib/sign_text.h"
#include "tests/unit/unit.h"

/* OpenSSL may have been used in the process that this is a copy of. */
static int
prepare(const void *argument)
{
	struct error error = {0};
	char filter[16] = "";
	struct rlimit limit;
	int descriptor;

	(void)argument;
	if (key_memory_prepare(&error) != 0)
		CHECK(strcmp(error.text, "OpenSSL was in use before") == 0);
	getrlimit(RLIMIT_MEMLOCK, &limit);
	CHECK(limit.rlim_cur == limit.rlim_max);
	descriptor = open("/proc/self/coredump_filter", O_RDONLY | O_CLOEXEC);
	CHECK(descriptor >= 0 && read(descriptor, filter, 15) > 0);
	close(descriptor);
	CHECK(strtoul(filter, NULL, 16) == 0);
	return 0;
}

static void
test_prepare(void)
{
	CU_ASSERT_EQUAL(in_child(prepare, NULL), 0);
}

static int
fork_once(const void *argument)
{
	struct error error = {0};
	int status = 0;
	pid_t pid;

	(void)argument;
	(void)!key_memory_prepare(&error);
	(void)!key_memory_open(1, &error);
	pid = fork();
	CHECK(pid > 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 127);
	return 0;
}

static void
test_fork(void)
{
	CU_ASSERT_EQUAL(in_child(fork_once, NULL), 0);
}

static size_t
locked_kb(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	size_t size = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmLck: %zu kB", &size) == 1)
			break;
	if (file)
		fclose(file);
	return size;
}

static int
open_size(size_t keys, size_t limit_kb, size_t expected_kb, bool is_locked)
{
	const struct rlimit limit = {limit_kb * 1024, limit_kb * 1024};
	struct error error = {0};
	struct rlimit before;
	void *memory;

	getrlimit(RLIMIT_MEMLOCK, &before);
	if (before.rlim_max < limit.rlim_max)
		return 0; /* not to be tried on this system */
	if (limit_kb > 0)
		CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	CHECK((key_memory_open(keys, &error) == 0) == is_locked);
	if (!is_locked)
		CHECK(strstr(error.text, "RLIMIT_MEMLOCK"));
	CHECK(locked_kb() == (is_locked ? expected_kb : 0));
	CHECK(key_memory_has_room());
	memory = OPENSSL_secure_malloc(expected_kb * 1024);
	CHECK(memory && CRYPTO_secure_allocated(memory));
	CHECK(!OPENSSL_secure_malloc(expected_kb * 1024));
	OPENSSL_secure_free(memory);
	return 0;
}

static int
open_small(const void *argument)
{
	(void)argument;
	return open_size(0, 0, 1024, true);
}

static int
open_large(const void *argument)
{
	(void)argument;
	return open_size(1000, 0, 8192, true);
}

/* Half of the room that it could have is enough, and can be locked. */
static int
open_limited(const void *argument)
{
	(void)argument;
	return open_size(1000, 5000, 4096, true);
}

static int
open_unlocked(const void *argument)
{
	(void)argument;
	return open_size(1000, 1000, 4096, false);
}

static void
test_sizes(void)
{
	if (is_root_here()) {
		CU_ASSERT_EQUAL(in_child(open_small, NULL), 0);
		CU_ASSERT_EQUAL(in_child(open_large, NULL), 0);
	}
	CU_ASSERT_EQUAL(in_child_as_user(open_limited, NULL), 0);
	CU_ASSERT_EQUAL(in_child_as_user(open_unlocked, NULL), 0);
}

/* As many keys of a kind as there is room for; all of them sign, also then, and
 * the next one is refused with a sentence. */
static int
fill(const void *argument)
{
	const char *kind = argument;
	struct local_keys *keys = local_keys_new();
	struct error error = {0};
	EVP_PKEY *made = certificate_create_key(kind, &error);
	struct key_block block = {0};
	unsigned char signature[SIGNATURE_MAX];
	struct sign_request request = {.scheme = 0x0403};
	unsigned char *der = NULL;
	struct sign_text text;
	uint32_t count = 0;

	CHECK(made);
	block.length = i2d_PrivateKey(made, &der);
	block.bytes = der;
	block.label = OPENSSL_strdup("PRIVATE KEY");
	block.header = OPENSSL_strdup("");
	if (strncmp(kind, "rsa", 3) == 0)
		request.scheme = 0x0804;
	sign_text_init(&text);
	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	request.message = text.bytes;
	request.length = text.writer.length;
	(void)!key_memory_open(0, &error);
	error = (struct error){0};
	/* It would take minutes with all of it. */
	for (size_t size = 512; size >= 32; size /= 2)
		if (size != 128)
			CHECK(OPENSSL_secure_malloc(size * 1024));
	for (;; count++) {
		unsigned char id[KEY_ID_SIZE] = {(unsigned char)count,
						 (unsigned char)(count >> 8)};
		EVP_PKEY *key = key_block_decode(&block, NULL, &error);
		size_t length = sizeof(signature);

		if (!key)
			break;
		CHECK(local_keys_add(keys, id, key, KEY_USE_SERVER, &error) ==
		      0);
		EVP_PKEY_free(key);
		CHECK(local_keys_sign(keys, id, &request, signature, &length,
				      &error) == 0);
	}
	CHECK(strstr(error.text, "no room for its private key"));
	CHECK(count > 20);
	for (uint32_t i = 0; i < count; i += 7) {
		unsigned char id[KEY_ID_SIZE] = {(unsigned char)i,
						 (unsigned char)(i >> 8)};
		size_t length = sizeof(signature);

		CHECK(local_keys_sign(keys, id, &request, signature, &length,
				      &error) == 0);
	}
	/* Room comes back. */
	local_keys_free(keys);
	CHECK(key_memory_has_room());
	OPENSSL_free(block.label);
	OPENSSL_free(block.header);
	OPENSSL_free(der);
	EVP_PKEY_free(made);
	return 0;
}

static void
test_full(void)
{
	CU_ASSERT_EQUAL(in_child(fill, "rsa2048"), 0);
	CU_ASSERT_EQUAL(in_child(fill, "p256"), 0);
}

UNIT_SUITE(key_memory, {"prepare", test_prepare}, {"fork", test_fork},
	   {"sizes", test_sizes}, {"full", test_full});
