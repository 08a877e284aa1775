/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/openssl_ex_data.h"

#include "common/base/mem.h"

void
openssl_ex_data_free(void *parent, void *value, CRYPTO_EX_DATA *extra,
		     int index, long argument, void *more)
{
	(void)parent;
	(void)extra;
	(void)index;
	(void)argument;
	(void)more;
	mem_free(value);
}
