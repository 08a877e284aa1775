/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file is a header of 64 bytes, all numbers big-endian, and the content:
 *
 *	8	"sealock\n"
 *	4	the format, 1
 *	4	the kind
 *	8	the sequence, one more with each content, around the end of
 *		numbers if need be
 *	8	the content's length
 *	32	SHA-256 of the 32 bytes before and of the content
 *
 * What stands behind that is ignored. A file is overwritten in place, so that a
 * full disk seldom matters: the blocks are there.
 */
#include "common/base/state_pair.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"

#define MAGIC       "sealock\n"
#define MAGIC_SIZE  8
#define FORMAT      1
#define DIGEST_SIZE 32
#define TOLD_SIZE   32 /* of the header, what the digest is over */
#define HEADER_SIZE (TOLD_SIZE + DIGEST_SIZE)

struct state_pair {
	int files[2];
	enum state_kind kind;
	bool is_known; /* both have been looked at: the two below are valid */
	int newest;    /* -1: neither holds anything */
	uint64_t sequence; /* of the newest */
	bool has_names;    /* the files had, in a directory */
};

/* Content, in memory that no core file has; an empty one, too, has some. */
static unsigned char *
content_new(size_t length)
{
	void *memory =
		mmap(NULL, length > 0 ? length : 1, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert(memory != MAP_FAILED);
	madvise(memory, length > 0 ? length : 1, MADV_DONTDUMP);
	return memory;
}

void
state_pair_forget(void *content, size_t length)
{
	if (!content)
		return;
	mem_wipe(content, length);
	munmap(content, length > 0 ? length : 1);
}

static bool
read_at(int file, void *bytes, size_t length, off_t at)
{
	unsigned char *to = bytes;

	while (length > 0) {
		ssize_t n = pread(file, to, length, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to += n;
		at += n;
		length -= (size_t)n;
	}
	return true;
}

static bool
write_at(int file, const void *bytes, size_t length, off_t at)
{
	const unsigned char *from = bytes;

	while (length > 0) {
		ssize_t n = pwrite(file, from, length, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		from += n;
		at += n;
		length -= (size_t)n;
	}
	return true;
}

static void
digest(const unsigned char told[TOLD_SIZE], const void *content, size_t length,
       unsigned char result[DIGEST_SIZE])
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = EVP_MD_CTX_new();

	assert(hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(hash, told, TOLD_SIZE) == 1 &&
	       EVP_DigestUpdate(hash, content, length) == 1 &&
	       EVP_DigestFinal_ex(hash, result, NULL) == 1);
}

/* The header's numbers, when they can be true. */
static bool
read_told(const struct state_pair *pair, const unsigned char told[TOLD_SIZE],
	  uint64_t *sequence, size_t *length)
{
	struct buf_reader reader;
	uint64_t said;

	buf_read_init(&reader, told, TOLD_SIZE);
	if (memcmp(buf_read_bytes(&reader, MAGIC_SIZE), MAGIC, MAGIC_SIZE) !=
		    0 ||
	    buf_read_u32(&reader) != FORMAT ||
	    buf_read_u32(&reader) != (uint32_t)pair->kind)
		return false;
	*sequence = buf_read_u64(&reader);
	said = buf_read_u64(&reader);
	*length = (size_t)said;
	return said <= STATE_PAIR_MAX;
}

/* The content of one of them, or NULL. */
static unsigned char *
read_one(const struct state_pair *pair, int which, uint64_t *sequence,
	 size_t *length)
{
	unsigned char header[HEADER_SIZE], found[DIGEST_SIZE];
	int file = pair->files[which];
	unsigned char *content;
	struct stat status;

	/* Before there is memory for what it says of itself. */
	if (!read_at(file, header, sizeof(header), 0) ||
	    !read_told(pair, header, sequence, length) ||
	    fstat(file, &status) != 0 ||
	    status.st_size < (off_t)(HEADER_SIZE + *length))
		return NULL;
	content = content_new(*length);
	if (read_at(file, content, *length, HEADER_SIZE)) {
		digest(header, content, *length, found);
		if (memcmp(found, header + TOLD_SIZE, DIGEST_SIZE) == 0)
			return content;
	}
	state_pair_forget(content, *length);
	return NULL;
}

void *
state_pair_read(struct state_pair *pair, size_t *length)
{
	unsigned char *contents[2];
	uint64_t sequences[2];
	size_t lengths[2];
	int newest;

	for (int i = 0; i < 2; i++)
		contents[i] = read_one(pair, i, &sequences[i], &lengths[i]);
	/* Beyond the last number comes the first. */
	newest = contents[1] &&
		 (!contents[0] || (int64_t)(sequences[1] - sequences[0]) > 0);
	if (contents[!newest])
		state_pair_forget(contents[!newest], lengths[!newest]);
	pair->is_known = true;
	pair->newest = contents[newest] ? newest : -1;
	pair->sequence = contents[newest] ? sequences[newest] : 0;
	*length = contents[newest] ? lengths[newest] : 0;
	return contents[newest];
}

/* Which of them is newest, for one who writes or asks first. */
static void
look(struct state_pair *pair)
{
	size_t length;
	void *content;

	if (pair->is_known)
		return;
	content = state_pair_read(pair, &length);
	state_pair_forget(content, length);
}

bool
state_pair_is_damaged(struct state_pair *pair)
{
	struct stat status;
	off_t size = 0;

	look(pair);
	for (int i = 0; i < 2; i++)
		if (fstat(pair->files[i], &status) == 0)
			size += status.st_size;
	return pair->newest < 0 && size > 0;
}

static void
write_header(const struct state_pair *pair, uint64_t sequence,
	     const void *content, size_t length,
	     unsigned char header[HEADER_SIZE])
{
	struct buf_writer writer;

	buf_write_init(&writer, header, TOLD_SIZE);
	buf_write_bytes(&writer, MAGIC, MAGIC_SIZE);
	buf_write_u32(&writer, FORMAT);
	buf_write_u32(&writer, (uint32_t)pair->kind);
	buf_write_u64(&writer, sequence);
	buf_write_u64(&writer, length);
	assert(!writer.failed && writer.length == TOLD_SIZE);
	digest(header, content, length, header + TOLD_SIZE);
}

/* Of one of them at least. Those that are memory never had any. */
static bool
have_lost_names(const struct state_pair *pair)
{
	struct stat status;

	for (int i = 0; pair->has_names && i < 2; i++)
		if (fstat(pair->files[i], &status) == 0 && status.st_nlink == 0)
			return true;
	return false;
}

int
state_pair_write(struct state_pair *pair, const void *content, size_t length,
		 struct error *error)
{
	unsigned char header[HEADER_SIZE];
	int next;

	if (length > STATE_PAIR_MAX) {
		error_set(error, "%zu bytes are more than may be kept", length);
		return -1;
	}
	look(pair);
	next = pair->newest == 0;
	write_header(pair, pair->sequence + 1, content, length, header);
	/* The one that stays must be on the disk before the other is torn
	 * open. It was written a while ago, as a rule: there is nothing to
	 * wait for. */
	if ((pair->newest >= 0 && fdatasync(pair->files[pair->newest]) != 0) ||
	    !write_at(pair->files[next], content, length, HEADER_SIZE) ||
	    !write_at(pair->files[next], header, sizeof(header), 0)) {
		error_set(error, "%s", strerror(errno));
		return -1;
	}
	/* Whatever was longer has no need to be found there. */
	(void)!ftruncate(pair->files[next], (off_t)(HEADER_SIZE + length));
	pair->newest = next;
	pair->sequence++;
	if (!have_lost_names(pair))
		return 0;
	error_set(error,
		  "its files in state_dir were removed: nothing outlives "
		  "a restart until there was one");
	return -1;
}

struct state_pair *
state_pair_new(int first, int second, enum state_kind kind)
{
	struct state_pair *pair = mem_alloc(sizeof(*pair));
	struct stat status;

	pair->files[0] = first;
	pair->files[1] = second;
	pair->kind = kind;
	pair->newest = -1;
	pair->has_names = fstat(first, &status) == 0 && status.st_nlink > 0;
	return pair;
}

void
state_pair_free(struct state_pair *pair)
{
	if (!pair)
		return;
	close(pair->files[0]);
	close(pair->files[1]);
	mem_free(pair);
}
