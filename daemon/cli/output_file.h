/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that a command writes: all of them or none, each whole or not there
 * at all, and never in place of another one unless the user said so.
 */
#ifndef SEALOCK_CLI_OUTPUT_FILE_H
#define SEALOCK_CLI_OUTPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;

struct output_file {
	const char *path;  /* lent */
	const void *bytes; /* lent */
	size_t length;
	mode_t mode;     /* whatever the umask is */
	char *temporary; /* while it is being written */
	bool is_placed;
};

/* Write the files beside where they shall be, then move each to its place.
 * is_forced: a file that is there is replaced; otherwise it is an error. -1
 * with a sentence that names the file: then nothing that this call wrote is
 * left, but a file that was replaced before another one failed stays so. */
int
output_files_write(struct output_file *files, size_t count, bool is_forced,
		   struct error *error) __attribute__((warn_unused_result));

#endif
