/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that a configuration names, by name, as descriptors. The monitor
 * (or a command) opens them, the role that needs the content reads it: the
 * same code reads a certificate in `sealock check`, in the worker and in the
 * keeper, and only what opened the files differs.
 *
 * A name is an absolute path, or one of the spellings of a secret that is no
 * file: "credential:NAME", "env:NAME", "command:…", "prompt:…",
 * "self_signed:NAME,…"; or "crl:PATH", what was made of the revocation lists
 * there.
 */
#ifndef SEALOCK_BASE_FILE_SET_H
#define SEALOCK_BASE_FILE_SET_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Bytes of a file. blob_clear() wipes them before they go, as any of them may
 * be a secret. There is always a NUL behind the last byte, not counted. */
struct blob {
	unsigned char *bytes;
	size_t length;
};

void
blob_clear(struct blob *blob);

#define AUTO_BLOB __attribute__((cleanup(blob_clear)))

enum file_kind {
	FILE_KIND_FILE,
	FILE_KIND_DIRECTORY,
	FILE_KIND_MISSING,  /* it could not be opened; errno says why */
	FILE_KIND_WITHHELD, /* it is not for this process, see file_use */
};

/* Who reads an entry. What is both, a key's file that is named as a CA's as
 * well, is for those with the secrets alone. Neither: a chain without its key,
 * which only those read who have the keys. */
enum file_use {
	FILE_SECRET = 1 << 0, /* may hold a key or a pass-phrase */
	FILE_PUBLIC = 1 << 1, /* read by whoever speaks TLS: CAs, DH */
	FILE_STAPLE = 1 << 2, /* read by the helper: OCSP answers */
};

struct file_entry {
	char *name;
	enum file_kind kind;
	int descriptor;    /* FILE, else -1; owned */
	int error_number;  /* MISSING; ENODATA: the variable is not set */
	unsigned int uses; /* enum file_use */
	char **children;   /* DIRECTORY: full names, sorted; each is an entry */
	size_t child_count;
};

struct file_set;

struct file_set *
file_set_new(void);

/* Closes every descriptor; NULL is legal. */
void
file_set_free(struct file_set *set);

/* Each adds one entry and takes the descriptor. A name that is there already
 * is left as it is, the new descriptor is closed, and it has the uses of
 * both. */
void
file_set_add(struct file_set *set, const char *name, int descriptor,
	     unsigned int uses);
void
file_set_add_missing(struct file_set *set, const char *name, int error_number,
		     unsigned int uses);
void
file_set_add_withheld(struct file_set *set, const char *name,
		      unsigned int uses);
void
file_set_add_directory(struct file_set *set, const char *name,
		       unsigned int uses, const char *const *children,
		       size_t count);

/* Open a path and add what is found: a file, a directory with everything in
 * it that is a file or a link to one (names that begin with a dot left out,
 * and one more level down through directories when is_deep says so, as
 * certbot's live/NAME/ needs), or the errno that opening gave. Descriptors are
 * O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY; a FIFO or device is MISSING
 * with EINVAL. */
void
file_set_open(struct file_set *set, const char *path, unsigned int uses,
	      bool is_deep);

/* NULL when nobody added that name. */
const struct file_entry *
file_set_find(const struct file_set *set, const char *name);

size_t
file_set_count(const struct file_set *set);
const struct file_entry *
file_set_at(const struct file_set *set, size_t index);

/* The content of a file, at most 16 MiB, read with pread() from its start, so
 * that it can be read again. Returns -1 with a sentence that names the file
 * and what the system said. */
int
file_set_read(const struct file_set *set, const char *name, struct blob *blob,
	      struct error *error) __attribute__((warn_unused_result));

/* The same with another limit. */
int
file_set_read_most(const struct file_set *set, const char *name, size_t most,
		   struct blob *blob, struct error *error)
	__attribute__((warn_unused_result));

#endif
