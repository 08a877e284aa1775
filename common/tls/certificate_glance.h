/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A certificate at a glance. Where tens of thousands are to be loaded at once,
 * each is given a twentieth of a millisecond: enough where one leaf, its
 * issuers and one unencrypted key make the matter clear, as nearly always.
 * Nothing is decoded that is slow to decode, so whether the key is the leaf's,
 * and the leaf its issuer's, is still to be checked
 * (certificate_record_check()).
 */
#ifndef SEALOCK_TLS_CERTIFICATE_GLANCE_H
#define SEALOCK_TLS_CERTIFICATE_GLANCE_H

struct certificate_loading;
struct certificate_unit;

/* The one certificate of a unit, the caller's, its pair unchecked; *the unit's
 * good_until_ms is set. NULL: it is not that clear, or something is wrong: it
 * needs to be loaded the long way, which finds the words for it. */
struct certificate_record *
certificate_glance(const struct certificate_loading *loading,
		   struct certificate_unit *unit);

#endif
