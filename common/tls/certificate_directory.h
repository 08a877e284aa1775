/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every certificate in a directory.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_DIRECTORY_H
#define SEALOCK_TLS_CERTIFICATE_DIRECTORY_H

struct certificate_loading;
struct file_entry;

/* Append what the directory's files hold, and those of the directories in it:
 *
 *	fullchain.pem with privkey.pem	one certificate; nothing else is looked
 *					at in such a directory
 *	X.crt, X.pem or X.cer with X.key, or with its whole name and .key
 *					one certificate
 *	any file with a certificate and its key
 *					one certificate
 *
 * A certificate that is found twice is taken once, the copy with the longer
 * chain. Silently passed over is what is none of these and does not look as
 * if it were meant to be one; a directory without any certificate is a
 * problem. */
void
certificate_directory_load(const struct certificate_loading *loading,
			   const struct file_entry *directory);

#endif
