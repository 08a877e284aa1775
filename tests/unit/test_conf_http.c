/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of responders and proxies that are taken, and that are not.
 */
#include "common/conf/conf_http.h"

#include <stdio.h>

#include "common/base/mem.h"
#include "tests/unit/unit.h"

static void
test_urls(void)
{
	static const char *const good[] = {
		"http://ocsp.example.org",
		"http://ocsp.example.org/",
		"HTTP://ocsp.example.org/a/b?c=d:e",
		"http://h:8080/x",
		"http://192.0.2.1",
		"http://[2001:db8::1]/",
		"http://[2001:db8::1]:80",
		"http://h/http://other:99999/",
		"http://h?a:b",
	};
	static const char *const bad[] = {
		"",
		"http:/",
		"http://",
		"http:///path",
		"https://ocsp.example.org/",
		"ocsp.example.org",
		"http://h:99999/",
		"http://h:/",
		"http://h:www/",
		"http://h:1:2/",
		"http://:80/",
		"http://[2001:db8::1/",
		"http://a b/",
		"http://h/a b",
		"http://h/\xc3\xa4",
		"http://unix:/run/x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CU_ASSERT(conf_http_is_url(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CU_ASSERT_FALSE(conf_http_is_url(bad[i]));
		if (conf_http_is_url(bad[i]))
			printf("taken: %s\n", bad[i]);
	}
}

static void
test_proxies(void)
{
	static const char *const good[] = {
		"proxy.example.org:3128", "http://proxy:3128",
		"http://proxy:3128/",     "192.0.2.1:80",
		"[2001:db8::1]:80",
	};
	static const char *const bad[] = {
		"",      "proxy",   "http://proxy/", "https://p:1",
		"p:www", "p:99999", "http://p:1/x",  "unix:/run/p",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CU_ASSERT(conf_http_is_proxy(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_FALSE(conf_http_is_proxy(bad[i]));
}

UNIT_SUITE(conf_http, {"urls", test_urls}, {"proxies", test_proxies});
