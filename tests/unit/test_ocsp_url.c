/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of responders, as certificates have them and should not.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <string.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "daemon/fetch/ocsp_url.h"
#include "tests/unit/unit.h"

#ifdef HAVE_LIBCURL

static void
test_taken(void)
{
	static const struct {
		const char *text, *host, *asked;
		uint16_t port;
		bool is_ip;
	} cases[] = {
		{"http://ocsp.example.com", "ocsp.example.com",
		 "http://ocsp.example.com/", 80, false},
		{"HTTP://OCSP.Example.COM:8080/a", "ocsp.example.com",
		 "http://OCSP.Example.COM:8080/a", 8080, false},
		{"http://192.0.2.1:1/", "192.0.2.1", "http://192.0.2.1:1/", 1,
		 true},
		{"http://[2001:db8::1]/x?y", "2001:db8::1",
		 "http://[2001:db8::1]/x?y", 80, true},
		{"http://a.example/b#c", "a.example", "http://a.example/b", 80,
		 false},
		{"http://a_b.example/", "a_b.example", "http://a_b.example/",
		 80, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error error = {0};
		struct ocsp_url url;

		CU_ASSERT_EQUAL_FATAL(
			ocsp_url_parse(cases[i].text, &url, &error), 0);
		CU_ASSERT_STRING_EQUAL(url.host, cases[i].host);
		CU_ASSERT_STRING_EQUAL(url.text, cases[i].asked);
		CU_ASSERT_EQUAL(url.port, cases[i].port);
		CU_ASSERT_EQUAL(url.is_ip, cases[i].is_ip);
		ocsp_url_clear(&url);
	}
}

static void
test_refused(void)
{
	static const char *const cases[] = {
		"",
		"/",
		"http://",
		"http:///",
		"http://[",
		"http://[]/",
		"http://[::1",
		"http://[fe80::1%25eth0]/",
		"http://:80/",
		"http://a:0/",
		"http://a:65536/",
		"http://a:b/",
		"http://a b/",
		"http://a/\r\nHost: b",
		"http://user@a/",
		"http://user:word@a/",
		"http://a,b/",
		"http://a..b/",
		"http://b\xc3\xbc.example/",
		"http://%61/%00\x01",
		"https://ocsp.example.com/",
		"ldap://ocsp.example.com/",
		"file:///etc/passwd",
		"ftp://ocsp.example.com/",
		"gopher://ocsp.example.com/",
		"ocsp.example.com",
		"mailto:ocsp@example.com",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error error = {0};
		struct ocsp_url url;

		CU_ASSERT_EQUAL(ocsp_url_parse(cases[i], &url, &error), -1);
		CU_ASSERT_STRING_NOT_EQUAL(error.text, "");
		CU_ASSERT_PTR_NULL(url.text);
	}
}

static void
test_long(void)
{
	static const size_t lengths[] = {OCSP_URL_MAX, OCSP_URL_MAX + 1, 65536};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		AUTO_FREE char *text = mem_alloc(lengths[i] + 1);
		struct error error = {0};
		struct ocsp_url url;

		memset(text, 'a', lengths[i]);
		memcpy(text, "http://a/", 9);
		CU_ASSERT_EQUAL(ocsp_url_parse(text, &url, &error),
				i == 0 ? 0 : -1);
		ocsp_url_clear(&url);
	}
}

/* What stands behind the last slash, decoded, is the request. */
static bool
has_request(const char *url, const unsigned char *request, size_t length)
{
	unsigned char base64[512] = {0}, decoded[512];
	const char *from = strrchr(url, '/') + 1;
	unsigned char *to = base64;
	size_t padding;

	for (; *from; from++) {
		if (*from != '%')
			*to++ = (unsigned char)*from;
		else if (memcmp(from, "%2B", 3) == 0)
			*to++ = '+', from += 2;
		else if (memcmp(from, "%2F", 3) == 0)
			*to++ = '/', from += 2;
		else if (memcmp(from, "%3D", 3) == 0)
			*to++ = '=', from += 2;
	}
	padding = (3 - length % 3) % 3;
	return EVP_DecodeBlock(decoded, base64, (int)(to - base64)) ==
		       (int)(length + padding) &&
	       memcmp(decoded, request, length) == 0;
}

static void
test_get(void)
{
	unsigned char request[200];
	struct error error = {0};
	struct ocsp_url bare, directory, query;

	for (size_t i = 0; i < sizeof(request); i++)
		request[i] = (unsigned char)(255 - i * 5 % 251);
	CU_ASSERT_EQUAL_FATAL(ocsp_url_parse("http://a/b", &bare, &error), 0);
	CU_ASSERT_EQUAL_FATAL(ocsp_url_parse("http://a/c/", &directory, &error),
			      0);
	CU_ASSERT_EQUAL_FATAL(ocsp_url_parse("http://a/b?c", &query, &error),
			      0);
	for (size_t length = 1; length < 100; length++) {
		AUTO_FREE char *one =
			ocsp_url_with_request(&bare, request, length);
		AUTO_FREE char *two =
			ocsp_url_with_request(&directory, request, length);

		CU_ASSERT_PTR_NOT_NULL_FATAL(one);
		CU_ASSERT_PTR_NOT_NULL_FATAL(two);
		CU_ASSERT_EQUAL(strncmp(one, "http://a/b/", 11), 0);
		CU_ASSERT_EQUAL(strncmp(two, "http://a/c/", 11), 0);
		CU_ASSERT_TRUE(has_request(one, request, length));
		CU_ASSERT_TRUE(has_request(two, request, length));
		CU_ASSERT_TRUE(strlen(one) < 255);
		CU_ASSERT_PTR_NULL(
			ocsp_url_with_request(&query, request, length));
	}
	CU_ASSERT_PTR_NULL(ocsp_url_with_request(&bare, request, 190));
	CU_ASSERT_PTR_NULL(ocsp_url_with_request(&bare, request, 200));
	ocsp_url_clear(&bare);
	ocsp_url_clear(&directory);
	ocsp_url_clear(&query);
}

UNIT_SUITE(ocsp_url, {"taken", test_taken}, {"refused", test_refused},
	   {"long", test_long}, {"get", test_get});

#else

static void
test_none(void)
{
	struct error error = {0};
	struct ocsp_url url;

	CU_ASSERT_EQUAL(ocsp_url_parse("http://a/", &url, &error), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "without libcurl"));
}

UNIT_SUITE(ocsp_url, {"none", test_none});

#endif
