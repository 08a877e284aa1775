/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where this system keeps the certificates of its authorities.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/x509.h>

#include "common/base/mem.h"
#include "common/conf/conf.h"

/* A bundle may begin with comments, some with a few kilobytes of them. */
#define LOOK_AT_MAX 65536

/* Does the file look like PEM certificates? */
static bool
is_bundle(const char *path)
{
	static const char mark[] = "-----BEGIN ";
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTO_FREE char *bytes = mem_alloc(LOOK_AT_MAX);
	ssize_t length;

	if (descriptor < 0)
		return false;
	length = read(descriptor, bytes, LOOK_AT_MAX);
	close(descriptor);
	return length > 0 &&
	       memmem(bytes, (size_t)length, mark, sizeof(mark) - 1);
}

/* Does the directory hold names such as 4a6481c9.0, by which OpenSSL finds an
 * issuer (openssl-rehash(1))? */
static bool
is_hashed_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool is_found = false;

	if (!directory)
		return false;
	while (!is_found && (entry = readdir(directory)))
		is_found = strspn(entry->d_name, "0123456789abcdef") == 8 &&
			   entry->d_name[8] == '.' &&
			   isdigit((unsigned char)entry->d_name[9]);
	closedir(directory);
	return is_found;
}

static bool
is_store(const char *path)
{
	return path && path[0] == '/' &&
	       (is_bundle(path) || is_hashed_directory(path));
}

/* Of one store as a file and as a directory of hundreds of them, the file. */
static const char *
find_store(void)
{
	const char *const places[] = {
		secure_getenv(X509_get_default_cert_file_env()),
		secure_getenv(X509_get_default_cert_dir_env()),
		X509_get_default_cert_file(),
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem",
		X509_get_default_cert_dir(),
		"/etc/ssl/certs",
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (is_store(places[i]))
			return places[i];
	return NULL;
}

const char *
conf_system_ca_path(void)
{
	static char *found;
	const char *store;

	if (!found) {
		store = find_store();
		found = store ? mem_strdup(store) : NULL;
	}
	return found;
}
