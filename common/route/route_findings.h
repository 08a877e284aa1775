/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was found wrong with a configuration's certificates and policies, by
 * weight.
 */
#ifndef SEALOCK_ROUTE_ROUTE_FINDINGS_H
#define SEALOCK_ROUTE_ROUTE_FINDINGS_H

struct error_list;

struct route_findings {
	struct error_list *problems;    /* the generation cannot be used */
	struct error_list *quarantined; /* a certificate; the rest is served */
	struct error_list *warnings;    /* worth a word */
};

/* Append what was found, each sentence at a place once, as services have much
 * from one place. Where there are problems nothing is served, so that nothing
 * is in quarantine: it is among the problems then. */
void
route_findings_add(const struct route_findings *to,
		   const struct route_findings *found);

#endif
