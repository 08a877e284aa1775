/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Revocation lists are what others have published. The loader, which has the
 * monitor's rights, has them parsed by a process that has none: no root, no
 * secret, no descriptor but the lists and where their indexes go.
 */
#ifndef SEALOCK_MONITOR_CRL_PROCESS_H
#define SEALOCK_MONITOR_CRL_PROCESS_H

struct conf_crls;
struct error_list;
struct generation;

/* conf_crls_write() there; returns when that process has ended. What it has of
 * the generation, which is where it learns who to be, it forgets first. */
int
crl_process_write(struct conf_crls *crls, struct generation *generation,
		  struct error_list *problems)
	__attribute__((warn_unused_result));

#endif
