/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target over the files of a corpus, without a fuzzer: what
 * `make check` links in place of libFuzzer's main. The arguments are files
 * and directories.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static unsigned int replayed;

static void
replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	size_t length = 0, capacity = 0;

	if (!file) {
		perror(path);
		exit(1);
	}
	for (;;) {
		uint8_t *grown;
		size_t got;

		if (length == capacity) {
			capacity = capacity ? 2 * capacity : 4096;
			grown = realloc(bytes, capacity);
			if (!grown)
				abort();
			bytes = grown;
		}
		got = fread(bytes + length, 1, capacity - length, file);
		if (got == 0)
			break;
		length += got;
	}
	fclose(file);
	/* An exact copy, so that a read past the end is seen. */
	uint8_t *exact = malloc(length ? length : 1);

	if (!exact)
		abort();
	memcpy(exact, bytes, length);
	free(bytes);
	LLVMFuzzerTestOneInput(exact, length);
	free(exact);
	replayed++;
}

static void
replay(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0) {
		perror(path);
		exit(1);
	}
	if (!S_ISDIR(status.st_mode)) {
		replay_file(path);
		return;
	}
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (!directory) {
		perror(path);
		exit(1);
	}
	while ((entry = readdir(directory))) {
		char child[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		replay(child);
	}
	closedir(directory);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%s: %u inputs replayed\n", argv[0], replayed);
	return replayed == 0;
}
