/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two files of a state directory with anything in them: what is read is what a
 * process after us reads, too, and writing on works whatever there was. The
 * first two bytes say how long the first file is; the second has the rest.
 *
 * To get past the digests, it is set right before where the input asks for it
 * with a first bit.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"

#define TOLD_SIZE   32
#define HEADER_SIZE 64

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* As if whoever wrote it had known what the digest is. */
static void
set_digest(uint8_t *bytes, size_t length)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *hash;
	uint64_t told = 0;

	if (length < HEADER_SIZE)
		return;
	for (size_t i = 24; i < TOLD_SIZE; i++)
		told = told << 8 | bytes[i];
	if (told > length - HEADER_SIZE)
		return;
	hash = EVP_MD_CTX_new();
	assert(hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) &&
	       EVP_DigestUpdate(hash, bytes, TOLD_SIZE) &&
	       EVP_DigestUpdate(hash, bytes + HEADER_SIZE, told) &&
	       EVP_DigestFinal_ex(hash, digest, NULL));
	EVP_MD_CTX_free(hash);
	memcpy(bytes + TOLD_SIZE, digest, HEADER_SIZE - TOLD_SIZE);
}

static int
make_file(const uint8_t *bytes, size_t length, int is_signed)
{
	int file = memfd_create("state", MFD_CLOEXEC);
	uint8_t *copy = mem_dup(bytes, length);

	assert(file >= 0);
	if (is_signed)
		set_digest(copy, length);
	assert(pwrite(file, copy, length, 0) == (ssize_t)length);
	mem_free(copy);
	return file;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char mine[] = "mine";
	int files[2], copies[2];
	struct error error = {0};
	struct state_pair *pair;
	size_t first, got[2];
	void *content[2];
	int is_signed;

	if (length < 2)
		return 0;
	is_signed = bytes[0] >> 7;
	first = (size_t)(bytes[0] & 0x7f) << 8 | bytes[1];
	bytes += 2;
	length -= 2;
	first = first < length ? first : length;
	files[0] = make_file(bytes, first, is_signed);
	files[1] = make_file(bytes + first, length - first, is_signed);
	copies[0] = dup(files[0]);
	copies[1] = dup(files[1]);

	pair = state_pair_new(files[0], files[1], STATE_TICKETS);
	content[0] = state_pair_read(pair, &got[0]);
	assert(content[0] || got[0] == 0);
	assert(got[0] <= length);
	assert(state_pair_write(pair, mine, sizeof(mine), &error) == 0);
	state_pair_free(pair);

	pair = state_pair_new(copies[0], copies[1], STATE_TICKETS);
	content[1] = state_pair_read(pair, &got[1]);
	assert(content[1] && got[1] == sizeof(mine));
	assert(memcmp(content[1], mine, sizeof(mine)) == 0);
	state_pair_free(pair);
	state_pair_forget(content[0], got[0]);
	state_pair_forget(content[1], got[1]);
	return 0;
}
