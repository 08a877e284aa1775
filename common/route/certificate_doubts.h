/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a peer will hold against one of our own certificates, though it can be
 * served: said when a configuration is checked and loaded.
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_DOUBTS_H
#define SEALOCK_ROUTE_CERTIFICATE_DOUBTS_H

#include <stdbool.h>

struct certificate_record;
struct error_list;
struct position;

/* Its dates: expired, not yet valid, or expired soon (within the last tenth of
 * its life, and 30 days). */
void
certificate_doubt_dates(const struct certificate_record *certificate,
			const struct position *at, struct error_list *warnings);

/* For a server's certificate, or a client's: not made for that, or without an
 * intermediate that its issuer's address tells of. Decodes it, which takes a
 * third of a millisecond. */
void
certificate_doubt_use(const struct certificate_record *certificate,
		      bool is_server, const struct position *at,
		      struct error_list *warnings);

#endif
