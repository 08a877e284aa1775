/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chains put in order: shuffled, with doubles, strangers, roots, holes,
 * impostors and circles.
 */
#include "common/tls/certificate_chain.h"

#include <stdarg.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_create.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)

/* web is issued by low, low by high, high by root. */
struct line {
	struct test_identity *root;
	struct test_identity *high;
	struct test_identity *low;
	struct test_identity *web;
};

static struct line
line_new(void)
{
	struct line line;

	line.root = test_ca("Root", NULL);
	line.high = test_ca("High", line.root);
	line.low = test_ca("Low", line.high);
	line.web = test_leaf("p256", "web.example", line.low);
	return line;
}

static void
line_free(struct line *line)
{
	test_identity_free(line->web);
	test_identity_free(line->low);
	test_identity_free(line->high);
	test_identity_free(line->root);
}

/* Lent certificates; the last argument is NULL. */
static STACK_OF(X509) *
stack_of(X509 *first, ...)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	va_list arguments;

	va_start(arguments, first);
	for (X509 *next = first; next; next = va_arg(arguments, X509 *))
		sk_X509_push(stack, next);
	va_end(arguments);
	return stack;
}

/* Both stacks are freed. */
static void
expect_chain(X509 *leaf, STACK_OF(X509) *found, STACK_OF(X509) *expected,
	     bool is_repaired_expected)
{
	bool is_repaired = !is_repaired_expected;
	STACK_OF(X509) *chain =
		certificate_chain_build(leaf, found, NULL, &is_repaired);

	CU_ASSERT_PTR_NOT_NULL_FATAL(chain);
	CU_ASSERT_EQUAL(is_repaired, is_repaired_expected);
	CU_ASSERT_EQUAL(sk_X509_num(chain), sk_X509_num(expected));
	for (int i = 0; i < sk_X509_num(chain) && i < sk_X509_num(expected);
	     i++)
		CU_ASSERT_EQUAL(X509_cmp(sk_X509_value(chain, i),
					 sk_X509_value(expected, i)),
				0);
	sk_X509_pop_free(chain, X509_free);
	sk_X509_free(found);
	sk_X509_free(expected);
}

static void
test_in_order(void)
{
	struct line line = line_new();
	X509 *web = line.web->certificate, *low = line.low->certificate;
	X509 *high = line.high->certificate, *root = line.root->certificate;

	expect_chain(web, stack_of(web, low, high, NULL),
		     stack_of(low, high, NULL), false);
	expect_chain(web, stack_of(web, low, high, root, NULL),
		     stack_of(low, high, NULL), false);
	expect_chain(web, stack_of(web, low, NULL), stack_of(low, NULL), false);
	expect_chain(web, stack_of(web, NULL), stack_of(NULL), false);
	expect_chain(root, stack_of(root, NULL), stack_of(NULL), false);
	line_free(&line);
}

static void
test_shuffled(void)
{
	struct line line = line_new();
	X509 *all[] = {line.web->certificate, line.low->certificate,
		       line.high->certificate, line.root->certificate};
	static const int orders[][4] = {
		{0, 1, 3, 2}, {0, 2, 1, 3}, {0, 2, 3, 1}, {0, 3, 1, 2},
		{0, 3, 2, 1}, {1, 0, 2, 3}, {2, 1, 0, 3}, {3, 2, 1, 0},
		{1, 2, 3, 0}, {3, 0, 1, 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		expect_chain(all[0],
			     stack_of(all[orders[i][0]], all[orders[i][1]],
				      all[orders[i][2]], all[orders[i][3]],
				      NULL),
			     stack_of(all[1], all[2], NULL), true);
	line_free(&line);
}

static void
test_foreign(void)
{
	struct line line = line_new(), other = line_new();
	X509 *web = line.web->certificate, *low = line.low->certificate;
	X509 *high = line.high->certificate;

	/* The others have the same names, but other keys. */
	expect_chain(web,
		     stack_of(web, other.low->certificate, low,
			      other.high->certificate, high,
			      other.root->certificate, NULL),
		     stack_of(low, high, NULL), true);
	expect_chain(web,
		     stack_of(web, other.low->certificate,
			      other.high->certificate, NULL),
		     stack_of(NULL), true);
	line_free(&line);
	line_free(&other);
}

static void
test_doubles(void)
{
	struct line line = line_new();
	X509 *web = line.web->certificate, *low = line.low->certificate;
	X509 *high = line.high->certificate;
	X509 *copy = X509_dup(low);

	expect_chain(web, stack_of(web, low, copy, high, NULL),
		     stack_of(low, high, NULL), true);
	expect_chain(web, stack_of(web, web, low, NULL), stack_of(low, NULL),
		     true);
	X509_free(copy);
	line_free(&line);
}

/* What comes after a hole cannot be told from a stranger. */
static void
test_hole(void)
{
	struct line line = line_new();
	X509 *web = line.web->certificate;

	expect_chain(web, stack_of(web, line.high->certificate, NULL),
		     stack_of(NULL), true);
	expect_chain(web, stack_of(web, line.root->certificate, NULL),
		     stack_of(NULL), true);
	line_free(&line);
}

/* The issuer's name and key identifier are easily copied, its signature is
 * not: an impostor before the real one is passed over. */
static void
test_impostor(void)
{
	struct line line = line_new();
	X509 *web = line.web->certificate, *low = line.low->certificate;
	X509 *impostor = X509_dup(low);
	EVP_PKEY *key = certificate_create_key("p256", NULL);

	X509_set_pubkey(impostor, key);
	X509_sign(impostor, key, EVP_sha256());
	CU_ASSERT_EQUAL(X509_check_issued(impostor, web), X509_V_OK);
	expect_chain(web, stack_of(web, impostor, low, NULL),
		     stack_of(low, NULL), true);
	expect_chain(web, stack_of(web, impostor, NULL), stack_of(NULL), true);
	EVP_PKEY_free(key);
	X509_free(impostor);
	line_free(&line);
}

/* The same CA key certified anew under the name of `base`. */
static X509 *
certify_again(const struct test_identity *base, const char *name,
	      const struct test_identity *issuer)
{
	const struct certificate_request request = {
		.common_name = name,
		.purpose = CERTIFICATE_FOR_CA,
		.days = 30,
	};

	return certificate_create(&request, base->key,
				  issuer ? issuer->certificate : NULL,
				  issuer ? issuer->key : NULL, NULL);
}

/* An intermediate that has expired beside its renewal, in both orders. */
static void
test_expired_issuer(void)
{
	struct line line = line_new();
	X509 *web = line.web->certificate;
	X509 *low = line.low->certificate, *old;

	clock_shift(-100 * DAY_MS);
	old = certify_again(line.low, "Low", line.high);
	clock_shift(0);
	expect_chain(web, stack_of(web, old, low, NULL), stack_of(low, NULL),
		     true);
	expect_chain(web, stack_of(web, low, old, NULL), stack_of(low, NULL),
		     true);
	/* Alone it is what the operator has. */
	expect_chain(web, stack_of(web, old, NULL), stack_of(old, NULL), false);
	X509_free(old);
	line_free(&line);
}

/* A young root that an old one vouches for: sent with the cross certificate,
 * so that those who know only the old one can follow. */
static void
test_cross_signed(void)
{
	struct line line = line_new();
	struct test_identity *old = test_ca("Old Root", NULL);
	X509 *cross = certify_again(line.root, "Root", old);
	X509 *web = line.web->certificate, *low = line.low->certificate;
	X509 *high = line.high->certificate, *root = line.root->certificate;

	expect_chain(web, stack_of(web, low, high, cross, NULL),
		     stack_of(low, high, cross, NULL), false);
	expect_chain(web, stack_of(web, low, high, root, cross, NULL),
		     stack_of(low, high, cross, NULL), true);
	X509_free(cross);
	test_identity_free(old);
	line_free(&line);
}

/* Two CAs that have certified one another. */
static void
test_circle(void)
{
	struct test_identity *one = test_ca("One", NULL);
	struct test_identity *other = test_ca("Other", NULL);
	X509 *one_by_other = certify_again(one, "One", other);
	X509 *other_by_one = certify_again(other, "Other", one);
	struct test_identity *web = test_leaf("p256", "web.example", one);

	expect_chain(
		web->certificate,
		stack_of(web->certificate, one_by_other, other_by_one, NULL),
		stack_of(one_by_other, other_by_one, NULL), false);
	X509_free(one_by_other);
	X509_free(other_by_one);
	test_identity_free(web);
	test_identity_free(other);
	test_identity_free(one);
}

/* A chain of more than anyone sends is cut, and a pile of strangers is no
 * burden. */
static void
test_long(void)
{
	enum {
		LENGTH = 40
	};
	struct test_identity *links[LENGTH];
	STACK_OF(X509) *found = sk_X509_new_null(), *chain;
	bool is_repaired;

	links[0] = test_ca("Root", NULL);
	for (int i = 1; i < LENGTH; i++)
		links[i] = test_ca("Link", links[i - 1]);
	for (int i = LENGTH - 1; i >= 0; i--)
		sk_X509_push(found, links[i]->certificate);
	chain = certificate_chain_build(links[LENGTH - 1]->certificate, found,
					NULL, &is_repaired);
	CU_ASSERT_PTR_NOT_NULL_FATAL(chain);
	CU_ASSERT_EQUAL(sk_X509_num(chain), 16);
	CU_ASSERT_TRUE(is_repaired);
	sk_X509_pop_free(chain, X509_free);
	sk_X509_free(found);
	for (int i = LENGTH - 1; i >= 0; i--)
		test_identity_free(links[i]);
}

UNIT_SUITE(certificate_chain, {"in_order", test_in_order},
	   {"shuffled", test_shuffled}, {"foreign", test_foreign},
	   {"doubles", test_doubles}, {"hole", test_hole},
	   {"impostor", test_impostor}, {"expired_issuer", test_expired_issuer},
	   {"cross_signed", test_cross_signed}, {"circle", test_circle},
	   {"long", test_long});
