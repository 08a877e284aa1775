/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See the header.
 */
#include "tests/lib/test_certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_create.h"
#include "common/tls/tls_settings.h"

#define DAYS 30

__attribute__((format(printf, 1, 2), noreturn)) static void
give_up(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("test_certificates: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	abort();
}

struct test_identity *
test_identity(const char *kind, const struct certificate_request *request,
	      const struct test_identity *issuer)
{
	struct test_identity *identity = mem_alloc(sizeof(*identity));
	struct error error = {0};

	identity->issuer = issuer;
	identity->key = certificate_create_key(kind, &error);
	if (!identity->key)
		give_up("%s", error.text);
	identity->certificate = certificate_create(
		request, identity->key, issuer ? issuer->certificate : NULL,
		issuer ? issuer->key : NULL, &error);
	if (!identity->certificate)
		give_up("%s", error.text);
	return identity;
}

struct test_identity *
test_ca(const char *common_name, const struct test_identity *issuer)
{
	const struct certificate_request request = {
		.common_name = common_name,
		.purpose = CERTIFICATE_FOR_CA,
		.days = DAYS,
	};

	return test_identity("p256", &request, issuer);
}

struct test_identity *
test_leaf(const char *kind, const char *name,
	  const struct test_identity *issuer)
{
	const struct certificate_request request = {
		.names = &name,
		.name_count = 1,
		.purpose = CERTIFICATE_FOR_BOTH,
		.days = DAYS,
	};

	return test_identity(kind, &request, issuer);
}

void
test_identity_free(struct test_identity *identity)
{
	if (!identity)
		return;
	X509_free(identity->certificate);
	EVP_PKEY_free(identity->key);
	mem_free(identity);
}

static char *
take_text(BIO *out)
{
	char *bytes;
	long length = BIO_get_mem_data(out, &bytes);

	return mem_strndup(bytes, (size_t)length);
}

static char *
write_certificates(const struct test_identity *identity, bool is_chain)
{
	AUTO_OPENSSL(bio) BIO *out = BIO_new(BIO_s_mem());

	do {
		if (!out || !PEM_write_bio_X509(out, identity->certificate))
			give_up("cannot write a certificate");
		identity = identity->issuer;
	} while (is_chain && identity && identity->issuer);
	return take_text(out);
}

char *
test_pem_certificate(const struct test_identity *identity)
{
	return write_certificates(identity, false);
}

char *
test_pem_chain(const struct test_identity *identity)
{
	return write_certificates(identity, true);
}

char *
test_pem_key(const struct test_identity *identity, const char *passphrase)
{
	AUTO_OPENSSL(bio) BIO *out = BIO_new(BIO_s_mem());

	if (!out ||
	    !PEM_write_bio_PKCS8PrivateKey(
		    out, identity->key, passphrase ? EVP_aes_256_cbc() : NULL,
		    passphrase, passphrase ? (int)strlen(passphrase) : 0, NULL,
		    NULL))
		give_up("cannot write a key");
	return take_text(out);
}

struct certificate *
test_certificate(const struct test_identity *identity)
{
	AUTO_FREE char *chain = test_pem_chain(identity);
	AUTO_FREE char *key = test_pem_key(identity, NULL);
	AUTO_FREE char *both = mem_format("%s%s", chain, key);
	const struct certificate_spec spec = {
		.source = CERTIFICATE_INLINE,
		.path = both,
	};
	struct certificate_list list = {0};
	struct error_list problems = {0};
	struct file_set *files = file_set_new();
	struct certificate *certificate;

	if (certificate_load(&spec, files, &list, &problems) != 1)
		give_up("%s", problems.count ? problems.errors[0].text
					     : "no certificate");
	certificate = certificate_ref(list.certificates[0]);
	certificate_list_clear(&list);
	error_list_clear(&problems);
	file_set_free(files);
	return certificate;
}

static void
write_all(int descriptor, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t written = write(descriptor, at, length);

		if (written < 0)
			give_up("write: %s", strerror(errno));
		at += written;
		length -= (size_t)written;
	}
}

void
test_file_set_add(struct file_set *set, const char *name, const void *bytes,
		  size_t length)
{
	int descriptor = memfd_create("test", MFD_CLOEXEC);

	if (descriptor < 0)
		give_up("memfd_create: %s", strerror(errno));
	write_all(descriptor, bytes, length);
	file_set_add(set, name, descriptor, FILE_SECRET);
}

char *
test_directory(void)
{
	const char *above = getenv("TMPDIR");
	char *path =
		mem_format("%s/sealock-test-XXXXXX", above ? above : "/tmp");

	if (!mkdtemp(path))
		give_up("%s: %s", path, strerror(errno));
	return path;
}

static int
remove_entry(const char *path, const struct stat *status, int type,
	     struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void
test_directory_remove(char *directory)
{
	if (nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
		give_up("cannot remove %s: %s", directory, strerror(errno));
	mem_free(directory);
}

static const char *
path_in(const char *directory, const char *name)
{
	static char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >=
	    sizeof(path))
		give_up("%s/%s is too long", directory, name);
	return path;
}

const char *
test_directory_write(const char *directory, const char *name, const void *bytes,
		     size_t length)
{
	const char *path = path_in(directory, name);
	int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			      S_IRUSR | S_IWUSR);

	if (descriptor < 0)
		give_up("%s: %s", path, strerror(errno));
	write_all(descriptor, bytes, length);
	close(descriptor);
	return path;
}

const char *
test_directory_enter(const char *directory, const char *name)
{
	const char *path = path_in(directory, name);

	if (mkdir(path, S_IRWXU) != 0)
		give_up("%s: %s", path, strerror(errno));
	return path;
}

const char *
test_directory_link(const char *directory, const char *name, const char *target)
{
	const char *path = path_in(directory, name);

	if (symlink(target, path) != 0)
		give_up("%s: %s", path, strerror(errno));
	return path;
}
