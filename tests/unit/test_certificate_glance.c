/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A glance at a certificate: it says the same as loading it in full, or it says
 * nothing. And units: what does not change is not loaded again.
 */
#include "common/tls/certificate_glance.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_build.h"
#include "common/tls/certificate_cache.h"
#include "common/tls/certificate_create.h"
#include "common/tls/certificate_der.h"
#include "common/tls/certificate_record.h"
#include "common/tls/certificate_unit.h"
#include "common/tls/pem_block.h"
#include "common/tls/private_key.h"
#include "common/tls/tls_settings.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

static char certificate_path[] = "/test/web.pem";
static char key_path[] = "/test/web.key";

/* Two files, or one when key is NULL. */
static struct certificate_record *
glance_at(const struct certificate_spec *spec, const char *certificate,
	  const char *key)
{
	struct certificate_loading loading = {
		.spec = spec,
		.cache = certificate_cache_new(),
	};
	struct certificate_unit unit = {
		.name = certificate_path,
		.key_name = key ? key_path : NULL,
		.bytes = {mem_dup(certificate, strlen(certificate) + 1),
			  strlen(certificate)},
		.good_until_ms = INT64_MAX,
	};
	struct certificate_record *record;

	if (key)
		unit.key_bytes = (struct blob){mem_dup(key, strlen(key) + 1),
					       strlen(key)};
	record = certificate_glance(&loading, &unit);
	blob_clear(&unit.bytes);
	blob_clear(&unit.key_bytes);
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
	certificate_cache_free(loading.cache);
	return record;
}

static void
is_nothing(const char *certificate, const char *key)
{
	const struct certificate_spec spec = {.source = CERTIFICATE_PAIR};
	struct certificate_record *record = glance_at(&spec, certificate, key);

	CU_ASSERT_PTR_NULL(record);
	certificate_record_unref(record);
}

static struct certificate_record *
load_in_full(struct certificate_spec *spec, const char *certificate,
	     const char *key)
{
	struct file_set *files = file_set_new();
	struct certificate_list list = {0};
	struct error_list problems = {0};
	struct certificate_record *record;

	spec->path = certificate_path;
	spec->key = key ? key_path : NULL;
	test_file_set_add(files, certificate_path, certificate,
			  strlen(certificate));
	if (key)
		test_file_set_add(files, key_path, key, strlen(key));
	CU_ASSERT_EQUAL_FATAL(certificate_load(spec, files, &list, &problems),
			      1);
	record = certificate_record_of(list.certificates[0]);
	certificate_list_clear(&list);
	error_list_clear(&problems);
	file_set_free(files);
	return record;
}

static bool
is_same_der(const struct der *one, const struct der *other)
{
	return one->length == other->length &&
	       memcmp(one->bytes, other->bytes, one->length) == 0;
}

static void
is_same(const struct certificate_record *one,
	const struct certificate_record *other)
{
	CU_ASSERT_STRING_EQUAL(one->source, other->source);
	CU_ASSERT(is_same_der(one->leaf, other->leaf));
	CU_ASSERT_EQUAL_FATAL(one->chain_count, other->chain_count);
	for (size_t i = 0; i < one->chain_count; i++)
		CU_ASSERT(is_same_der(one->chain[i], other->chain[i]));
	CU_ASSERT_EQUAL(one->type, other->type);
	CU_ASSERT_EQUAL_FATAL(one->name_count, other->name_count);
	for (size_t i = 0; i < one->name_count; i++)
		CU_ASSERT_STRING_EQUAL(one->names[i], other->names[i]);
	CU_ASSERT_EQUAL(one->is_default, other->is_default);
	CU_ASSERT_EQUAL(one->not_before_ms, other->not_before_ms);
	CU_ASSERT_EQUAL(one->not_after_ms, other->not_after_ms);
	CU_ASSERT_EQUAL(memcmp(one->key_id, other->key_id, KEY_ID_SIZE), 0);
	CU_ASSERT_EQUAL(memcmp(one->digest, other->digest, 32), 0);
	CU_ASSERT_EQUAL(EVP_PKEY_eq(private_key_get(one->key, NULL),
				    private_key_get(other->key, NULL)),
			1);
}

/* Both ways come to the same. */
static void
says_the_same(struct certificate_spec *spec, const char *certificate,
	      const char *key)
{
	struct certificate_record *quick = glance_at(spec, certificate, key);
	struct certificate_record *full = load_in_full(spec, certificate, key);
	struct certificate_cache *cache = certificate_cache_new();

	CU_ASSERT_PTR_NOT_NULL_FATAL(quick);
	is_same(quick, full);
	CU_ASSERT_EQUAL(atomic_load(&quick->pair), RECORD_PAIR_UNCHECKED);
	CU_ASSERT_EQUAL(certificate_record_check(quick, cache),
			RECORD_PAIR_RIGHT);
	CU_ASSERT_EQUAL(certificate_record_check(full, cache),
			RECORD_PAIR_RIGHT);
	certificate_cache_free(cache);
	certificate_record_unref(quick);
	certificate_record_unref(full);
}

struct scene {
	struct test_identity *root;
	struct test_identity *issuer;
	struct test_identity *leaf;
	char *root_pem;
	char *issuer_pem;
	char *leaf_pem;
	char *chain;
	char *key;
};

static void
setup(struct scene *scene, const char *kind)
{
	scene->root = test_ca("Glance Root", NULL);
	scene->issuer = test_ca("Glance Issuer", scene->root);
	scene->leaf = test_leaf(kind, "web.example", scene->issuer);
	scene->root_pem = test_pem_certificate(scene->root);
	scene->issuer_pem = test_pem_certificate(scene->issuer);
	scene->leaf_pem = test_pem_certificate(scene->leaf);
	scene->chain = test_pem_chain(scene->leaf);
	scene->key = test_pem_key(scene->leaf, NULL);
}

static void
teardown(struct scene *scene)
{
	mem_free(scene->root_pem);
	mem_free(scene->issuer_pem);
	mem_free(scene->leaf_pem);
	mem_free(scene->chain);
	mem_free(scene->key);
	test_identity_free(scene->leaf);
	test_identity_free(scene->issuer);
	test_identity_free(scene->root);
}

static void
test_kinds(void)
{
	static const char *const kinds[] = {"p256",    "p384",    "p521",
					    "rsa2048", "ed25519", "ed448"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct certificate_spec spec = {.source = CERTIFICATE_PAIR};
		struct scene scene;

		setup(&scene, kinds[i]);
		says_the_same(&spec, scene.chain, scene.key);
		teardown(&scene);
	}
}

static char *
traditional_key(const struct test_identity *identity)
{
	AUTO_OPENSSL(bio) BIO *out = BIO_new(BIO_s_mem());
	char *bytes;
	long length;

	CU_ASSERT_EQUAL(PEM_write_bio_PrivateKey_traditional(
				out, identity->key, NULL, NULL, 0, NULL, NULL),
			1);
	length = BIO_get_mem_data(out, &bytes);
	return mem_strndup(bytes, (size_t)length);
}

static void
test_forms(void)
{
	static const char parameters[] = "-----BEGIN EC PARAMETERS-----\n"
					 "BggqhkjOPQMBBw==\n"
					 "-----END EC PARAMETERS-----\n";
	char one[] = "One.Example", two[] = "*.two.example";
	char *names[] = {one, two};
	struct certificate_spec spec = {.source = CERTIFICATE_PAIR};
	struct certificate_spec named = {
		.source = CERTIFICATE_PAIR,
		.names = names,
		.name_count = 2,
		.is_default = true,
	};
	struct scene scene;
	AUTO_FREE char *together = NULL, *with_root = NULL, *lines = NULL;
	AUTO_FREE char *old_key = NULL, *with_parameters = NULL;
	AUTO_FREE char *spaced = NULL;

	setup(&scene, "p256");
	together = mem_format("%s%s", scene.key, scene.chain);
	says_the_same(&spec, together, NULL);
	with_root = mem_format("%s%s", scene.chain, scene.root_pem);
	says_the_same(&spec, with_root, scene.key);
	spaced = mem_format("\n%s\n\n%s\n", scene.leaf_pem, scene.issuer_pem);
	says_the_same(&spec, spaced, scene.key);
	says_the_same(&spec, scene.leaf_pem, scene.key);
	says_the_same(&named, scene.chain, scene.key);
	old_key = traditional_key(scene.leaf);
	says_the_same(&spec, scene.chain, old_key);
	with_parameters = mem_format("%s%s", parameters, old_key);
	says_the_same(&spec, scene.chain, with_parameters);
	/* Line ends of another system. */
	lines = mem_array(strlen(scene.chain), 2);
	for (size_t i = 0, j = 0; scene.chain[i]; i++) {
		if (scene.chain[i] == '\n')
			lines[j++] = '\r';
		lines[j++] = scene.chain[i];
	}
	says_the_same(&spec, lines, scene.key);
	teardown(&scene);
}

static void
test_unclear(void)
{
	struct scene scene, other;
	struct test_identity *self, *stranger;
	AUTO_FREE char *encrypted = NULL, *two_keys = NULL, *words = NULL;
	AUTO_FREE char *foreign = NULL, *reversed = NULL, *both = NULL;
	AUTO_FREE char *self_pem = NULL, *self_key = NULL, *lone = NULL;
	AUTO_FREE char *cut = NULL, *broken = NULL, *two_leaves = NULL;
	AUTO_FREE char *stranger_pem = NULL, *header = NULL, *crl = NULL;

	setup(&scene, "p256");
	setup(&other, "ed25519");
	is_nothing("", scene.key);
	is_nothing("junk", scene.key);
	is_nothing(scene.chain, "");
	is_nothing(scene.chain, "junk");
	is_nothing(scene.chain, NULL);
	is_nothing(scene.key, scene.chain);
	encrypted = test_pem_key(scene.leaf, "secret");
	is_nothing(scene.chain, encrypted);
	two_keys = mem_format("%s%s", scene.key, scene.key);
	is_nothing(scene.chain, two_keys);
	/* A key of another kind. */
	is_nothing(scene.chain, other.key);
	is_nothing(other.chain, scene.key);
	/* Words around, a certificate beside the key, a key in both. */
	words = mem_format("subject=web\n%s", scene.chain);
	is_nothing(words, scene.key);
	both = mem_format("%s%s", scene.chain, scene.key);
	is_nothing(both, scene.key);
	is_nothing(scene.chain, both);
	/* Not leaf first, two leaves, an authority that is not its issuer, an
	 * authority alone. */
	reversed = mem_format("%s%s", scene.issuer_pem, scene.leaf_pem);
	is_nothing(reversed, scene.key);
	two_leaves = mem_format("%s%s", scene.chain, scene.leaf_pem);
	is_nothing(two_leaves, scene.key);
	stranger = test_ca("Glance Stranger", NULL);
	stranger_pem = test_pem_certificate(stranger);
	foreign = mem_format("%s%s", scene.leaf_pem, stranger_pem);
	is_nothing(foreign, scene.key);
	lone = test_pem_key(scene.root, NULL);
	is_nothing(scene.root_pem, lone);
	/* The same name, another key identifier. */
	test_identity_free(stranger);
	mem_free(stranger_pem);
	mem_free(foreign);
	stranger = test_ca("Glance Issuer", NULL);
	stranger_pem = test_pem_certificate(stranger);
	foreign = mem_format("%s%s", scene.leaf_pem, stranger_pem);
	is_nothing(foreign, scene.key);
	/* Self-signed. */
	self = test_leaf("p256", "self.example", NULL);
	self_pem = test_pem_certificate(self);
	self_key = test_pem_key(self, NULL);
	is_nothing(self_pem, self_key);
	/* Damage. */
	cut = mem_strndup(scene.leaf_pem, strlen(scene.leaf_pem) - 20);
	is_nothing(cut, scene.key);
	broken = mem_strdup(scene.leaf_pem);
	broken[200] = '*';
	is_nothing(broken, scene.key);
	header = mem_format("-----BEGIN RSA PRIVATE KEY-----\n"
			    "Proc-Type: 4,ENCRYPTED\nDEK-Info: X,0\n\nAAAA\n"
			    "-----END RSA PRIVATE KEY-----\n");
	is_nothing(other.chain, header);
	crl = mem_format("%s-----BEGIN X509 CRL-----\nAAAA\n"
			 "-----END X509 CRL-----\n",
			 scene.chain);
	is_nothing(crl, scene.key);
	test_identity_free(self);
	test_identity_free(stranger);
	teardown(&scene);
	teardown(&other);
}

/* A glance takes these for right. */
static void
test_wrong_pairs(void)
{
	const struct certificate_spec spec = {.source = CERTIFICATE_PAIR};
	struct certificate_cache *cache = certificate_cache_new();
	struct certificate_record *record;
	struct scene one, other;
	unsigned char *der;

	setup(&one, "p256");
	setup(&other, "p256");
	record = glance_at(&spec, one.chain, other.key);
	CU_ASSERT_PTR_NOT_NULL_FATAL(record);
	CU_ASSERT_EQUAL(certificate_record_check(record, cache),
			RECORD_PAIR_WRONG);
	CU_ASSERT_EQUAL(certificate_record_check(record, cache),
			RECORD_PAIR_WRONG);
	certificate_record_unref(record);

	/* The leaf's signature is not its issuer's. */
	record = glance_at(&spec, one.chain, one.key);
	CU_ASSERT_PTR_NOT_NULL_FATAL(record);
	der = record->leaf->bytes + record->leaf->length - 1;
	*der ^= 1;
	CU_ASSERT_EQUAL(certificate_record_check(record, cache),
			RECORD_PAIR_WRONG);
	certificate_record_unref(record);
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
	certificate_cache_free(cache);
	teardown(&one);
	teardown(&other);
}

/* Whatever a byte of the DER is changed to: it is read or not, nothing else. */
static void
test_broken_der(void)
{
	struct certificate_der found;
	struct scene scene;
	unsigned char *der = NULL;
	size_t refusals = 0;
	int length;

	setup(&scene, "rsa2048");
	length = i2d_X509(scene.leaf->certificate, &der);
	CU_ASSERT_FATAL(length > 0);
	CU_ASSERT(certificate_der_read(der, (size_t)length, &found));
	CU_ASSERT_EQUAL(found.type, CERTIFICATE_RSA);
	for (int i = 0; i < length; i++) {
		unsigned char *exact = mem_dup(der, (size_t)i);

		CU_ASSERT_FALSE(certificate_der_read(exact, (size_t)i, &found));
		mem_free(exact);
		for (unsigned int bit = 0; bit < 8; bit++) {
			der[i] ^= (unsigned char)(1U << bit);
			refusals += !certificate_der_read(der, (size_t)length,
							  &found);
			der[i] ^= (unsigned char)(1U << bit);
		}
	}
	CU_ASSERT(refusals > 500);
	CU_ASSERT_FALSE(certificate_der_is_key((const void *)"", 0,
					       "PRIVATE KEY", &found));
	OPENSSL_free(der);
	teardown(&scene);
}

/* An RSA key that is too small. */
static void
test_size(void)
{
	struct certificate_der found;
	struct test_identity *small;
	unsigned char *der = NULL;
	int length;
	EVP_PKEY *key = EVP_RSA_gen(1024);

	small = test_leaf("p256", "a.example", NULL);
	X509_set_pubkey(small->certificate, key);
	X509_sign(small->certificate, small->key, EVP_sha256());
	der = NULL;
	length = i2d_X509(small->certificate, &der);
	CU_ASSERT_FALSE(certificate_der_read(der, (size_t)length, &found));
	OPENSSL_free(der);
	test_identity_free(small);
	EVP_PKEY_free(key);
}

static void
test_pem_blocks(void)
{
	static const char two[] = " \n-----BEGIN A-----\nAAEC\nAw==\n-----END "
				  "A-----\n\n-----BEGIN B C-----\r\n/w==\r\n"
				  "-----END B C-----";
	static const char *const odd[] = {
		"x",
		"-----BEGIN A----\nAAAA\n-----END A-----\n",
		"-----BEGIN A-----AAAA\n-----END A-----\n",
		"-----BEGIN A-----\nAAAA\n-----END B-----\n",
		"-----BEGIN A-----\nAAAA-----END A-----\n",
		"-----BEGIN A-----\nAAAA\n-----END A----",
		"-----BEGIN A-----\nAAAA\n-----END A-----x\n",
		"-----BEGIN A-----\nAAAA\n",
		"-----BEGIN ",
		"-----BEGIN A-----\n-----END A-----\n",
	};
	static const char *const bodies[] = {"AAA\n",  "A=AA\n", "AA=A\n",
					     "====\n", "A A=\n", "AA\tA\n",
					     "A$AA\n", "\n"};
	const char *at = two, *end = two + sizeof(two) - 1;
	struct pem_block block;
	unsigned char *bytes;
	size_t length;

	CU_ASSERT_EQUAL_FATAL(pem_block_next(&at, end, &block), PEM_BLOCK);
	CU_ASSERT(pem_block_is(&block, "A"));
	CU_ASSERT_FALSE(pem_block_is(&block, "AB"));
	bytes = pem_block_decode(&block, true, &length);
	CU_ASSERT_EQUAL(length, 4);
	CU_ASSERT_EQUAL(memcmp(bytes, "\0\1\2\3", 4), 0);
	OPENSSL_free(bytes);
	CU_ASSERT_EQUAL_FATAL(pem_block_next(&at, end, &block), PEM_BLOCK);
	CU_ASSERT(pem_block_is(&block, "B C"));
	bytes = pem_block_decode(&block, true, &length);
	CU_ASSERT_EQUAL(length, 1);
	CU_ASSERT_EQUAL(bytes[0], 0xff);
	OPENSSL_free(bytes);
	CU_ASSERT_EQUAL(pem_block_next(&at, end, &block), PEM_END);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		at = odd[i];
		end = at + strlen(at);
		if (pem_block_next(&at, end, &block) == PEM_BLOCK)
			CU_ASSERT_EQUAL(pem_block_next(&at, end, &block),
					PEM_ODD);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		block.body = bodies[i];
		block.body_length = strlen(bodies[i]);
		CU_ASSERT_PTR_NULL(pem_block_decode(&block, true, &length));
	}
	ERR_clear_error();
}

/* One loading of records in a test. */
struct round {
	struct record_list list;
	struct unit_loading loading;
	struct error_list problems;
};

static void
run(struct round *round, const struct round *before,
    const struct certificate_spec *spec, const struct file_set *files)
{
	*round = (struct round){.loading = {
					.units = certificate_units_new(),
					.cache = certificate_cache_new(),
				}};
	round->loading.list = &round->list;
	if (before)
		round->loading.before = before->loading.units;
	certificate_load_records(spec, files, &round->loading,
				 &round->problems);
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

static void
end(struct round *round)
{
	record_list_clear(&round->list);
	certificate_units_free(round->loading.units);
	certificate_cache_free(round->loading.cache);
	error_list_clear(&round->problems);
}

static struct file_set *
files_of(const char *certificate, const char *key)
{
	struct file_set *files = file_set_new();

	test_file_set_add(files, certificate_path, certificate,
			  strlen(certificate));
	test_file_set_add(files, key_path, key, strlen(key));
	return files;
}

static void
test_taking_over(void)
{
	struct certificate_spec spec = {.source = CERTIFICATE_PAIR,
					.path = certificate_path,
					.key = key_path};
	char name[] = "other.example";
	char *names[] = {name};
	struct scene one, other;
	struct round first, same, changed;
	struct file_set *files, *others;

	setup(&one, "p256");
	setup(&other, "p256");
	files = files_of(one.chain, one.key);
	others = files_of(other.chain, other.key);
	run(&first, NULL, &spec, files);
	CU_ASSERT_EQUAL_FATAL(first.list.count, 1);
	run(&same, &first, &spec, files);
	CU_ASSERT_EQUAL_FATAL(same.list.count, 1);
	CU_ASSERT_PTR_EQUAL(same.list.records[0], first.list.records[0]);
	/* Other files, other settings. */
	run(&changed, &same, &spec, others);
	CU_ASSERT_EQUAL_FATAL(changed.list.count, 1);
	CU_ASSERT_PTR_NOT_EQUAL(changed.list.records[0], first.list.records[0]);
	end(&changed);
	spec.is_default = true;
	run(&changed, &same, &spec, files);
	CU_ASSERT_PTR_NOT_EQUAL(changed.list.records[0], first.list.records[0]);
	CU_ASSERT(changed.list.records[0]->is_default);
	end(&changed);
	spec.is_default = false;
	spec.names = names;
	spec.name_count = 1;
	run(&changed, &same, &spec, files);
	CU_ASSERT_STRING_EQUAL(changed.list.records[0]->names[0],
			       "other.example");
	end(&changed);
	spec.name_count = 0;
	/* The earlier ones may be gone. */
	end(&first);
	run(&changed, &same, &spec, files);
	CU_ASSERT_PTR_EQUAL(changed.list.records[0], same.list.records[0]);
	end(&changed);
	/* When something in it has ended, it is looked at again. */
	clock_shift(31 * 24 * 3600 * INT64_C(1000));
	run(&changed, &same, &spec, files);
	CU_ASSERT_EQUAL_FATAL(changed.list.count, 1);
	CU_ASSERT_PTR_NOT_EQUAL(changed.list.records[0], same.list.records[0]);
	clock_shift(0);
	end(&changed);
	end(&same);
	file_set_free(files);
	file_set_free(others);
	teardown(&one);
	teardown(&other);
}

/* Two files in a directory under the names that a set has them by. */
static struct file_set *
open_pair(const char *directory, int flags)
{
	struct file_set *files = file_set_new();
	AUTO_FREE char *certificate = mem_format("%s/web.pem", directory);
	AUTO_FREE char *key = mem_format("%s/web.key", directory);

	file_set_add(files, certificate_path, open(certificate, flags),
		     FILE_SECRET);
	file_set_add(files, key_path, open(key, flags), FILE_SECRET);
	return files;
}

/* By their stamps files are known without being read. */
static void
test_stamps(void)
{
	struct certificate_spec spec = {.source = CERTIFICATE_PAIR,
					.path = certificate_path,
					.key = key_path};
	AUTO_FREE char *directory = test_directory();
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct file_set *files, *closed;
	struct scene one, other;
	struct round first, again;
	const char *path;

	setup(&one, "ed25519");
	setup(&other, "ed25519");
	/* An issuer's ECDSA signatures are of three sizes. */
	while (strlen(other.leaf_pem) != strlen(one.leaf_pem)) {
		teardown(&other);
		setup(&other, "ed25519");
	}
	test_directory_write(directory, "web.key", one.key, strlen(one.key));
	path = test_directory_write(directory, "web.pem", one.leaf_pem,
				    strlen(one.leaf_pem));
	CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
	files = open_pair(directory, O_RDONLY);
	/* They can be looked at, not read. */
	closed = open_pair(directory, O_PATH);
	/* Too young to be trusted. */
	run(&first, NULL, &spec, files);
	run(&again, &first, &spec, closed);
	CU_ASSERT_EQUAL(again.list.count, 0);
	end(&first);
	end(&again);
	clock_shift(10000);
	run(&first, NULL, &spec, files);
	run(&again, &first, &spec, closed);
	CU_ASSERT_EQUAL_FATAL(again.list.count, 1);
	CU_ASSERT_PTR_EQUAL(again.list.records[0], first.list.records[0]);
	end(&first);
	/* From one to the next, and the content is known all the time. */
	run(&first, &again, &spec, closed);
	CU_ASSERT_EQUAL_FATAL(first.list.count, 1);
	end(&again);
	test_directory_write(directory, "web.key", one.key, strlen(one.key));
	run(&again, &first, &spec, files);
	CU_ASSERT_EQUAL_FATAL(again.list.count, 1);
	CU_ASSERT_PTR_EQUAL(again.list.records[0], first.list.records[0]);
	end(&again);
	/* Other content of the same size, as old as the one before. */
	path = test_directory_write(directory, "web.pem", other.leaf_pem,
				    strlen(other.leaf_pem));
	CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
	run(&again, &first, &spec, files);
	CU_ASSERT_EQUAL(again.list.count, 0);
	CU_ASSERT_EQUAL(again.problems.count, 1);
	end(&again);
	end(&first);
	clock_shift(0);
	file_set_free(files);
	file_set_free(closed);
	test_directory_remove(TAKE(directory));
	teardown(&one);
	teardown(&other);
}

/* What had a problem is looked at each time. */
static void
test_problems_stay(void)
{
	struct certificate_spec spec = {.source = CERTIFICATE_PAIR,
					.path = certificate_path,
					.key = key_path};
	struct scene one, other;
	struct round first, again;
	struct file_set *files;

	setup(&one, "p256");
	setup(&other, "p256");
	files = files_of(one.chain, other.key);
	run(&first, NULL, &spec, files);
	CU_ASSERT_EQUAL(first.list.count, 0);
	CU_ASSERT_EQUAL(first.problems.count, 1);
	run(&again, &first, &spec, files);
	CU_ASSERT_EQUAL(again.problems.count, 1);
	end(&first);
	end(&again);
	file_set_free(files);
	teardown(&one);
	teardown(&other);
}

UNIT_SUITE(certificate_glance, {"kinds", test_kinds}, {"forms", test_forms},
	   {"unclear", test_unclear}, {"wrong_pairs", test_wrong_pairs},
	   {"broken_der", test_broken_der}, {"size", test_size},
	   {"pem_blocks", test_pem_blocks}, {"taking_over", test_taking_over},
	   {"stamps", test_stamps}, {"problems_stay", test_problems_stay});
