/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is given as a CA and will not serve as one.
 */
#ifndef SEALOCK_TLS_CA_DOUBTS_H
#define SEALOCK_TLS_CA_DOUBTS_H

#include <stdbool.h>
#include <openssl/types.h>

struct error_list;
struct position;

/* Add a warning for each certificate of a store that an operator has made that
 * is none of a CA, which OpenSSL passes over in silence (unless partial chains
 * are allowed, or it stands for itself alone), or has expired. A store of more
 * than a hundred is nobody's own: nothing is said of it. */
void
ca_doubts(X509_STORE *store, bool is_partial_chain, const struct position *at,
	  struct error_list *warnings);

#endif
