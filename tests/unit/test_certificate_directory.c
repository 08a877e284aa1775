/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories as programs and people lay them out, read through real files,
 * as links are part of the matter.
 */
#include "common/tls/certificate_directory.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/tls/tls_settings.h"
#include "tests/lib/certificate_attempt.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

/* A directory under test, a small CA for it, and what loading it gave. */
struct scene {
	char *directory;
	struct test_identity *root;
	struct test_identity *middle;
	struct attempt attempt;
};

static struct scene
scene_new(void)
{
	struct scene scene = {.directory = test_directory()};

	scene.root = test_ca("Root", NULL);
	scene.middle = test_ca("Middle", scene.root);
	return scene;
}

static void
write_text(const struct scene *scene, const char *name, const char *text)
{
	test_directory_write(scene->directory, name, text, strlen(text));
}

/* A new certificate in one file, "X.pem" with its chain, or its leaf alone,
 * or its key; a NULL name leaves a file out. */
static void
add(const struct scene *scene, const char *host, const char *chain_name,
    const char *leaf_name, const char *key_name_)
{
	struct test_identity *leaf = test_leaf("p256", host, scene->middle);
	AUTO_FREE char *chain = test_pem_chain(leaf);
	AUTO_FREE char *certificate = test_pem_certificate(leaf);
	AUTO_FREE char *key = test_pem_key(leaf, NULL);

	if (chain_name)
		write_text(scene, chain_name, chain);
	if (leaf_name)
		write_text(scene, leaf_name, certificate);
	if (key_name_)
		write_text(scene, key_name_, key);
	test_identity_free(leaf);
}

static void
add_combined(const struct scene *scene, const char *host, const char *name)
{
	struct test_identity *leaf = test_leaf("p256", host, scene->middle);
	AUTO_FREE char *chain = test_pem_chain(leaf);
	AUTO_FREE char *key = test_pem_key(leaf, NULL);
	AUTO_FREE char *both = mem_format("%s%s", chain, key);

	write_text(scene, name, both);
	test_identity_free(leaf);
}

static void
add_authority(const struct scene *scene, const char *name)
{
	AUTO_FREE char *middle = test_pem_certificate(scene->middle);
	AUTO_FREE char *root = test_pem_certificate(scene->root);
	AUTO_FREE char *both = mem_format("%s%s", middle, root);

	write_text(scene, name, both);
}

static void
scene_load(struct scene *scene)
{
	scene->attempt = attempt_new();
	scene->attempt.spec.path = scene->directory;
	file_set_open(scene->attempt.files, scene->directory, FILE_SECRET,
		      true);
	attempt_load(&scene->attempt);
}

static void
scene_free(struct scene *scene)
{
	test_directory_remove(scene->directory);
	test_identity_free(scene->middle);
	test_identity_free(scene->root);
}

/* The hosts, each with a chain of one, in this order and without a problem;
 * the last argument is NULL. */
static void
expect_hosts(struct scene *scene, const char *const *hosts)
{
	size_t count = 0;

	scene_load(scene);
	CU_ASSERT_EQUAL(scene->attempt.problems.count, 0);
	for (size_t i = 0; i < scene->attempt.problems.count; i++)
		fprintf(stderr, "%s\n", scene->attempt.problems.errors[i].text);
	for (; hosts[count]; count++) {
		const struct certificate *loaded;

		if (count >= scene->attempt.list.count)
			break;
		loaded = scene->attempt.list.certificates[count];
		CU_ASSERT_STRING_EQUAL(loaded->names[0], hosts[count]);
		CU_ASSERT_EQUAL(sk_X509_num(loaded->chain), 1);
	}
	CU_ASSERT_PTR_NULL(hosts[count]);
	CU_ASSERT_EQUAL(scene->attempt.list.count, count);
	attempt_clear(&scene->attempt);
	scene_free(scene);
}

#define EXPECT_HOSTS(scene, ...) \
	expect_hosts(scene, (const char *const[]){__VA_ARGS__, NULL})

/* A sentence with "@" in the place of the directory. */
static char *
without_directory(const char *sentence, const char *directory)
{
	char *text = mem_alloc(strlen(sentence) + 1), *to = text;

	while (*sentence) {
		if (strncmp(sentence, directory, strlen(directory)) == 0) {
			*to++ = '@';
			sentence += strlen(directory);
		} else {
			*to++ = *sentence++;
		}
	}
	return text;
}

/* So many loaded, and this one problem. */
static void
expect_problem(struct scene *scene, size_t loaded, const char *sentence)
{
	AUTO_FREE char *got = NULL;

	scene_load(scene);
	CU_ASSERT_EQUAL(scene->attempt.list.count, loaded);
	CU_ASSERT_EQUAL_FATAL(scene->attempt.problems.count, 1);
	got = without_directory(scene->attempt.problems.errors[0].text,
				scene->directory);
	CU_ASSERT_STRING_EQUAL(got, sentence);
	if (strcmp(got, sentence) != 0)
		fprintf(stderr, "got:  %s\nwant: %s\n", got, sentence);
	attempt_clear(&scene->attempt);
	scene_free(scene);
}

/* /etc/letsencrypt: live/NAME/ holds links into archive/NAME/. */
static void
test_certbot(void)
{
	static const char *const parts[] = {"cert", "chain", "fullchain",
					    "privkey"};
	struct scene scene = scene_new();
	char *base = scene.directory;
	AUTO_FREE char *live = mem_format("%s/live", base);

	test_directory_enter(base, "archive");
	test_directory_enter(base, "archive/a.example");
	test_directory_enter(base, "archive/b.example");
	test_directory_enter(base, "live");
	test_directory_enter(base, "live/a.example");
	test_directory_enter(base, "live/b.example");
	add(&scene, "a.example", "archive/a.example/fullchain1.pem",
	    "archive/a.example/cert1.pem", "archive/a.example/privkey1.pem");
	add_authority(&scene, "archive/a.example/chain1.pem");
	add(&scene, "b.example", "archive/b.example/fullchain1.pem",
	    "archive/b.example/cert1.pem", "archive/b.example/privkey1.pem");
	add_authority(&scene, "archive/b.example/chain1.pem");
	write_text(&scene, "live/README", "This directory contains your keys");
	for (size_t i = 0; i < 2 * ARRAY_SIZE(parts); i++) {
		const char *host = i % 2 ? "a.example" : "b.example";
		AUTO_FREE char *name =
			mem_format("live/%s/%s.pem", host, parts[i / 2]);
		AUTO_FREE char *target = mem_format("../../archive/%s/%s1.pem",
						    host, parts[i / 2]);

		test_directory_link(base, name, target);
	}
	write_text(&scene, "live/a.example/README", "Also here");

	scene.directory = live;
	scene_load(&scene);
	CU_ASSERT_EQUAL(scene.attempt.problems.count, 0);
	CU_ASSERT_EQUAL_FATAL(scene.attempt.list.count, 2);
	CU_ASSERT_STRING_EQUAL(scene.attempt.list.certificates[0]->names[0],
			       "a.example");
	CU_ASSERT_STRING_EQUAL(scene.attempt.list.certificates[1]->names[0],
			       "b.example");
	CU_ASSERT_EQUAL(sk_X509_num(scene.attempt.list.certificates[0]->chain),
			1);
	attempt_clear(&scene.attempt);

	/* One of them alone, its directory written with a slash. */
	scene.directory = mem_format("%s/a.example/", live);
	scene_load(&scene);
	CU_ASSERT_EQUAL(scene.attempt.problems.count, 0);
	CU_ASSERT_EQUAL_FATAL(scene.attempt.list.count, 1);
	CU_ASSERT_STRING_EQUAL(scene.attempt.list.certificates[0]->names[0],
			       "a.example");
	attempt_clear(&scene.attempt);
	mem_free(scene.directory);
	scene.directory = base;
	scene_free(&scene);
}

static void
test_pairs(void)
{
	struct scene scene = scene_new();

	add(&scene, "a.example", "a.crt", NULL, "a.key");
	add(&scene, "b.example", "b.pem", NULL, "b.key");
	add(&scene, "c.example", "c.cer", NULL, "c.key");
	add(&scene, "d.example", "d.pem", NULL, "d.pem.key");
	add(&scene, "e.example", "e.with.dots.crt", NULL, "e.with.dots.key");
	EXPECT_HOSTS(&scene, "a.example", "b.example", "c.example", "d.example",
		     "e.example");
}

static void
test_combined(void)
{
	struct scene scene = scene_new();

	add_combined(&scene, "a.example", "a.pem");
	add_combined(&scene, "b.example", "b.example");
	add_combined(&scene, "c.example", "c.pem.rsa");
	EXPECT_HOSTS(&scene, "a.example", "b.example", "c.example");
}

static void
test_deep(void)
{
	struct scene scene = scene_new();

	test_directory_enter(scene.directory, "group");
	add_combined(&scene, "b.example", "group/b.pem");
	add_combined(&scene, "a.example", "a.pem");
	add_combined(&scene, "z.example", "z.pem");
	EXPECT_HOSTS(&scene, "a.example", "b.example", "z.example");
}

static void
test_passed_over(void)
{
	struct scene scene = scene_new();
	struct test_identity *lone = test_leaf("p256", "x.example", NULL);
	AUTO_FREE char *lone_key = test_pem_key(lone, "secret");
	unsigned char *revoked = NULL;
	int length;
	X509_CRL *list = X509_CRL_new();

	X509_CRL_set_issuer_name(
		list, X509_get_subject_name(scene.root->certificate));
	X509_CRL_set1_lastUpdate(list,
				 X509_get0_notBefore(scene.root->certificate));
	X509_CRL_sign(list, scene.root->key, EVP_sha256());
	length = i2d_X509_CRL(list, &revoked);
	test_directory_write(scene.directory, "root.crl", revoked,
			     (size_t)length);
	OPENSSL_free(revoked);
	X509_CRL_free(list);
	add_combined(&scene, "a.example", "a.pem");
	add_authority(&scene, "ca.pem");
	add_authority(&scene, "a.issuer.crt");
	write_text(&scene, "README", "keys are here");
	write_text(&scene, "empty", "");
	write_text(&scene, "a.csr",
		   "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
		   "-----END CERTIFICATE REQUEST-----\n");
	write_text(&scene, "dhparam.pem",
		   "-----BEGIN DH PARAMETERS-----\nAAAA\n"
		   "-----END DH PARAMETERS-----\n");
	write_text(&scene, "account.key", lone_key);
	write_text(&scene, "account-key.pem", lone_key);
	write_text(&scene, "a.json", "{}");
	write_text(&scene, ".hidden.pem", "not looked at");
	test_identity_free(lone);
	EXPECT_HOSTS(&scene, "a.example");
}

static void
test_mismatched_pair(void)
{
	struct scene scene = scene_new();

	add(&scene, "a.example", "a.crt", NULL, NULL);
	add(&scene, "a.example", NULL, NULL, "a.key");
	add_combined(&scene, "b.example", "b.pem");
	expect_problem(&scene, 1,
		       "the private key in @/a.key does not match a "
		       "certificate in @/a.crt");
}

static void
test_damaged(void)
{
	struct scene scene = scene_new();

	add(&scene, "a.example", NULL, NULL, "a.key");
	write_text(&scene, "a.crt", "");
	add_combined(&scene, "b.example", "b.pem");
	expect_problem(&scene, 1, "@/a.crt: it is empty");

	scene = scene_new();
	add(&scene, "a.example", "a.crt", NULL, NULL);
	write_text(&scene, "a.key", "");
	expect_problem(&scene, 0, "@/a.key: it is empty");

	/* Its name promises a certificate. */
	scene = scene_new();
	write_text(&scene, "a.pem", "");
	add_combined(&scene, "b.example", "b.pem");
	expect_problem(&scene, 1, "@/a.pem: it is empty");

	scene = scene_new();
	write_text(&scene, "a.pfx", "PFX");
	add_combined(&scene, "b.example", "b.pem");
	expect_problem(&scene, 1,
		       "@/a.pfx: it is neither PEM nor DER nor PKCS#12, or "
		       "damaged");

	/* Its content does, whatever it is called. */
	scene = scene_new();
	write_text(&scene, "a.example",
		   "-----BEGIN CERTIFICATE-----\nAAAA\n"
		   "-----END CERTIFICATE-----\n");
	add_combined(&scene, "b.example", "b.pem");
	expect_problem(&scene, 1,
		       "@/a.example: it is damaged before line 4: the "
		       "certificate cannot be decoded");
}

static void
test_certbot_damaged(void)
{
	struct scene scene = scene_new();

	add(&scene, "a.example", "fullchain.pem", "cert.pem", NULL);
	expect_problem(&scene, 0,
		       "@/fullchain.pem: there is no privkey.pem beside it");

	scene = scene_new();
	add(&scene, "a.example", NULL, "cert.pem", "privkey.pem");
	expect_problem(&scene, 0,
		       "@/privkey.pem: there is no fullchain.pem beside it");

	scene = scene_new();
	add(&scene, "a.example", "fullchain.pem", NULL, NULL);
	test_directory_link(scene.directory, "privkey.pem", "../nowhere");
	expect_problem(&scene, 0,
		       "cannot read @/privkey.pem: No such file or directory");
}

static void
test_dangling_link(void)
{
	struct scene scene = scene_new();

	add_combined(&scene, "b.example", "b.pem");
	test_directory_link(scene.directory, "a.pem", "../nowhere");
	expect_problem(&scene, 1,
		       "cannot read @/a.pem: No such file or directory");

	scene = scene_new();
	add_combined(&scene, "b.example", "b.pem");
	test_directory_link(scene.directory, "notes", "../nowhere");
	EXPECT_HOSTS(&scene, "b.example");
}

static void
test_nothing(void)
{
	struct scene scene = scene_new();

	expect_problem(&scene, 0,
		       "@: there is no certificate with its key in this "
		       "directory");

	scene = scene_new();
	add_authority(&scene, "ca.pem");
	expect_problem(&scene, 0,
		       "@: there is no certificate with its key in this "
		       "directory");
}

/* The leaf alone and the leaf with its chain, with one key: the copy with the
 * chain stays, in the first one's or its own place. */
static void
test_doubles(void)
{
	struct scene scene = scene_new();

	add(&scene, "a.example", "a.pem", "a.crt", "a.key");
	add_combined(&scene, "b.example", "b.pem");
	EXPECT_HOSTS(&scene, "a.example", "b.example");
}

static void
test_pkcs12(void)
{
	struct scene scene = scene_new();
	struct test_identity *leaf =
		test_leaf("p256", "a.example", scene.middle);
	STACK_OF(X509) *others = sk_X509_new_null();
	unsigned char *bytes = NULL;
	PKCS12 *box;
	int length;

	sk_X509_push(others, scene.middle->certificate);
	box = PKCS12_create("secret", NULL, leaf->key, leaf->certificate,
			    others, 0, 0, 1, 1, 0);
	length = i2d_PKCS12(box, &bytes);
	test_directory_write(scene.directory, "a.p12", bytes, (size_t)length);
	OPENSSL_free(bytes);
	PKCS12_free(box);
	sk_X509_free(others);
	test_identity_free(leaf);
	add_combined(&scene, "b.example", "b.pem");
	expect_problem(&scene, 1,
		       "@/a.p12: it is encrypted, and no pass-phrase is "
		       "given");
}

/* The key of each certificate is found by name, so many of them cost no more
 * than their number. */
static void
test_many(void)
{
	struct scene scene = scene_new();
	struct test_identity *leaf =
		test_leaf("ed25519", "x.example", scene.middle);
	AUTO_FREE char *chain = test_pem_chain(leaf);
	AUTO_FREE char *key = test_pem_key(leaf, NULL);

	for (int i = 0; i < 300; i++) {
		AUTO_FREE char *name = mem_format("%d.crt", i);
		AUTO_FREE char *key_file = mem_format("%d.key", i);

		write_text(&scene, name, chain);
		write_text(&scene, key_file, key);
	}
	test_identity_free(leaf);
	EXPECT_HOSTS(&scene, "x.example");
}

UNIT_SUITE(certificate_directory, {"certbot", test_certbot},
	   {"pairs", test_pairs}, {"combined", test_combined},
	   {"deep", test_deep}, {"passed_over", test_passed_over},
	   {"mismatched_pair", test_mismatched_pair}, {"damaged", test_damaged},
	   {"certbot_damaged", test_certbot_damaged},
	   {"dangling_link", test_dangling_link}, {"nothing", test_nothing},
	   {"doubles", test_doubles}, {"pkcs12", test_pkcs12},
	   {"many", test_many});
