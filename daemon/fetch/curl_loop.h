/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl's transfers on a libevent loop: their sockets and their timeouts.
 */
#ifndef SEALOCK_FETCH_CURL_LOOP_H
#define SEALOCK_FETCH_CURL_LOOP_H

#include <curl/curl.h>

struct curl_loop;
struct event_base;

/* A transfer has ended, and is not in the loop any more. Others may be added
 * and removed in it; the loop stays. */
typedef void
curl_loop_ended(CURL *transfer, CURLcode result);

/* Takes descriptors of its own that a sandbox would not let it have: to be
 * made before. NULL: there are none left. */
struct curl_loop *
curl_loop_new(struct event_base *base, curl_loop_ended *ended);

/* All transfers have been removed. NULL is legal. */
void
curl_loop_free(struct curl_loop *loop);

/* Begin. ended is never called from within. */
void
curl_loop_add(struct curl_loop *loop, CURL *transfer);

/* Break off one that has not ended. */
void
curl_loop_remove(struct curl_loop *loop, CURL *transfer);

#endif
