/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates and keys behind an OSSL_STORE URI: "pkcs11:object=web" where a
 * provider offers it, "file:/path" everywhere.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_STORE_H
#define SEALOCK_TLS_CERTIFICATE_STORE_H

struct certificate_loading;

/* Append what loading->spec->path names. Unlike all the rest of loading this
 * opens what it reads by itself, as only OpenSSL and its providers know what
 * a URI stands for. The query of a URI, which may hold a PIN, is in no
 * problem's sentence. */
void
certificate_store_load(const struct certificate_loading *loading);

#endif
