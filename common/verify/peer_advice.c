/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row for each of OpenSSL's errors that operators meet, and a function
 * that looks at the certificates for it.
 */
#include "common/verify/peer_advice.h"

#include <stdint.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "common/base/sentence.h"
#include "common/base/text.h"
#include "common/verify/ocsp_request.h"
#include "common/verify/peer_words.h"

#define DAY_SECONDS 86400

/* So long before or after a certificate's time that the clock may be wrong:
 * a machine without one that runs starts in 1970 or at its firmware's day. */
#define CLOCK_DOUBT_DAYS 3650

static const char *
owner(const struct peer_case *peer)
{
	return peer->is_client ? "the client" : "the server";
}

static bool
is_empty_store(X509_STORE *store)
{
	bool is_empty = true;

	if (!store)
		return true;
	if (!X509_STORE_lock(store))
		return false;
	is_empty = sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) <= 0;
	X509_STORE_unlock(store);
	return is_empty;
}

static bool
is_leaf(const struct peer_case *peer, const X509 *certificate)
{
	return X509_cmp(peer->leaf, certificate) == 0;
}

/* Of those that came, the one that has issued this one; NULL: none has. By
 * its name: whether it might is often what is wrong. */
static X509 *
find_sent_issuer(const struct peer_case *peer, X509 *certificate)
{
	for (int i = 0; i < sk_X509_num(peer->chain); i++) {
		X509 *other = sk_X509_value(peer->chain, i);

		if (other != certificate && X509_cmp(other, certificate) != 0 &&
		    X509_NAME_cmp(X509_get_subject_name(other),
				  X509_get_issuer_name(certificate)) == 0)
			return other;
	}
	return NULL;
}

/* Where the chain that came ends, begun at the leaf. */
static X509 *
find_last(const struct peer_case *peer)
{
	X509 *last = peer->leaf, *issuer;

	for (int i = 0; i < sk_X509_num(peer->chain); i++) {
		issuer = find_sent_issuer(peer, last);
		if (!issuer)
			break;
		last = issuer;
	}
	return last;
}

/* The certificate that the error is about. */
static X509 *
find_subject(const struct peer_case *peer)
{
	X509 *certificate = peer->leaf, *issuer;

	if (peer->about)
		return peer->about;
	for (int i = 0; i < peer->depth; i++) {
		issuer = find_sent_issuer(peer, certificate);
		if (!issuer)
			break;
		certificate = issuer;
	}
	return certificate;
}

/* A CA of that name among those trusted here, whatever its key. */
static bool
is_name_in_store(X509_STORE *store, const X509_NAME *name)
{
	bool is_found = false;

	if (!store || !X509_STORE_lock(store))
		return false;
	is_found = X509_OBJECT_idx_by_subject(X509_STORE_get0_objects(store),
					      X509_LU_X509, name) >= 0;
	X509_STORE_unlock(store);
	return is_found;
}

static void
say_no_store(struct sentence *advice)
{
	sentence_add(advice,
		     "there is no CA to verify it by: install the system's "
		     "(Debian's package is ca-certificates), or name the one "
		     "that has signed it in verify.ca");
}

static void
advise_missing_issuer(const struct peer_case *peer, struct sentence *advice)
{
	X509 *last = find_last(peer);
	const X509_NAME *issuer = X509_get_issuer_name(last);
	char name[128], place[160];

	if (is_empty_store(peer->store)) {
		say_no_store(advice);
		return;
	}
	peer_words_name(issuer, name, sizeof(name));
	if (is_name_in_store(peer->store, issuer)) {
		sentence_add(advice,
			     "verify.ca holds a CA named %s, but not the key "
			     "that has "
			     "signed this: it was renewed, or is another of "
			     "that name; "
			     "put the right one into verify.ca",
			     name);
		return;
	}
	sentence_add(advice,
		     "%s sent %s, and its issuer %s is not among the CAs here",
		     owner(peer),
		     is_leaf(peer, last) ? "its own certificate alone"
					 : "a chain that does not reach a root",
		     name);
	sentence_add(
		advice,
		": if that is an intermediate, it is missing in %s's chain "
		"file",
		owner(peer));
	if (peer_words_issuer_place(last, place, sizeof(place)))
		sentence_add(advice, " (get it at %s)", place);
	sentence_add(advice,
		     "; if it is a CA of your own, name it in verify.ca");
}

static void
advise_self_signed_leaf(const struct peer_case *peer, struct sentence *advice)
{
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;

	sentence_add(advice,
		     "%s's certificate is signed by itself, no CA vouches for "
		     "it: if it is the right one, name it in verify.ca",
		     owner(peer));
	if (X509_digest(peer->leaf, EVP_sha256(), digest, &length)) {
		text_hex(digest, length, hex);
		sentence_add(advice,
			     ", or admit it by its fingerprint sha256$%s", hex);
	}
}

static void
advise_self_signed_root(const struct peer_case *peer, struct sentence *advice)
{
	const X509_NAME *root = X509_get_subject_name(find_last(peer));
	char name[128];

	if (is_empty_store(peer->store)) {
		say_no_store(advice);
		return;
	}
	peer_words_name(root, name, sizeof(name));
	if (is_name_in_store(peer->store, root))
		sentence_add(
			advice,
			"the chain ends at the root %s, and verify.ca holds "
			"another "
			"one of that name: it was renewed, or one of them is a "
			"forgery",
			name);
	else
		sentence_add(advice,
			     "the chain ends at the root %s, which is not "
			     "trusted here: "
			     "name it in verify.ca if it is meant to be",
			     name);
}

/* "CN=..." of the certificate that the error is about, with whose it is. */
static void
say_subject(const struct peer_case *peer, X509 *certificate,
	    struct sentence *advice)
{
	char name[128];

	peer_words_name(X509_get_subject_name(certificate), name, sizeof(name));
	if (is_leaf(peer, certificate))
		sentence_add(advice, "%s's certificate", owner(peer));
	else
		sentence_add(advice, "the CA certificate %s", name);
}

/* Without a running clock everything is expired, or not yet valid. */
static void
say_clock(const struct peer_case *peer, int64_t days, struct sentence *advice)
{
	char date[32];

	if (days < CLOCK_DOUBT_DAYS)
		return;
	sentence_add(advice, "; is this machine's clock right? It says %s",
		     peer_words_date(peer->now, date, sizeof(date)));
}

static void
advise_date(const struct peer_case *peer, bool is_expired,
	    struct sentence *advice)
{
	X509 *certificate = find_subject(peer);
	const ASN1_TIME *when = is_expired ? X509_get0_notAfter(certificate)
					   : X509_get0_notBefore(certificate);
	ASN1_TIME *now = ASN1_TIME_set(NULL, peer->now);
	char date[32];
	int days = 0, seconds = 0;

	say_subject(peer, certificate, advice);
	if (!now || !ASN1_TIME_diff(&days, &seconds, now, when)) {
		sentence_add(advice, " has a date that cannot be read");
		ASN1_TIME_free(now);
		return;
	}
	ASN1_TIME_free(now);
	peer_words_date(peer->now + (time_t)days * DAY_SECONDS + seconds, date,
			sizeof(date));
	if (is_expired)
		days = -days;
	if (is_expired) {
		sentence_add(advice, " expired on %s, %d day%s ago", date, days,
			     days == 1 ? "" : "s");
		if (is_leaf(peer, certificate))
			sentence_add(
				advice,
				": it must be renewed, and %s restarted or "
				"reloaded if that was done already",
				owner(peer));
		else
			sentence_add(advice,
				     ": there is often a new one of the same "
				     "key, which "
				     "%s has to send, or verify.ca has to hold",
				     owner(peer));
	} else {
		sentence_add(advice, " is valid from %s on, in %d day%s", date,
			     days, days == 1 ? "" : "s");
		if (days < CLOCK_DOUBT_DAYS)
			sentence_add(advice,
				     ": either the clock of this machine is "
				     "late, or that of the CA early");
	}
	say_clock(peer, days, advice);
}

static void
advise_expired(const struct peer_case *peer, struct sentence *advice)
{
	advise_date(peer, true, advice);
}

static void
advise_not_yet_valid(const struct peer_case *peer, struct sentence *advice)
{
	advise_date(peer, false, advice);
}

static void
advise_purpose(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);
	char purposes[160];
	const char *wanted = peer->is_client ? "clientAuth" : "serverAuth";

	say_subject(peer, certificate, advice);
	if (!is_leaf(peer, certificate) && X509_check_ca(certificate) == 0) {
		sentence_add(
			advice,
			" is none of a CA (basicConstraints lack CA:TRUE), but "
			"has "
			"signed the one below it: a server's or a client's "
			"certificate vouches for nobody else");
		return;
	}
	if (peer_words_purposes(certificate, purposes, sizeof(purposes)))
		sentence_add(advice, " is for %s only (extendedKeyUsage)",
			     purposes);
	else if (is_leaf(peer, certificate) && X509_check_ca(certificate) == 1)
		sentence_add(advice,
			     " is that of a CA, whose key may not be used in a "
			     "handshake (keyUsage)");
	else
		sentence_add(advice, " may not be used like that (keyUsage)");
	sentence_add(advice, ": %s needs one made for %s", owner(peer), wanted);
}

static void
advise_no_ca(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);
	char name[128];

	peer_words_name(X509_get_subject_name(certificate), name, sizeof(name));
	sentence_add(advice,
		     "%s has signed another certificate and is none of a CA "
		     "(basicConstraints lack CA:TRUE, or keyUsage lacks "
		     "keyCertSign): "
		     "verify.ca must hold the CA itself, and not a certificate "
		     "that it "
		     "has signed",
		     name);
}

static void
advise_signature(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);
	char name[128];

	peer_words_name(X509_get_issuer_name(certificate), name, sizeof(name));
	say_subject(peer, certificate, advice);
	sentence_add(advice,
		     " was not signed by the key of %s that is known here: "
		     "there are "
		     "two CAs of that name, or it was altered",
		     name);
}

static void
advise_weak(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	char algorithm[64];

	say_subject(peer, certificate, advice);
	if (peer->error == X509_V_ERR_CA_MD_TOO_WEAK)
		sentence_add(advice, " is signed with %s, which can be forged",
			     peer_words_signature(certificate, algorithm,
						  sizeof(algorithm)));
	else
		sentence_add(advice,
			     " has a key of %d bits (%s), which can be broken",
			     key ? EVP_PKEY_get_bits(key) : 0,
			     key && EVP_PKEY_get0_type_name(key)
				     ? EVP_PKEY_get0_type_name(key)
				     : "unknown");
	sentence_add(advice, ": it must be replaced; until then ciphers with "
			     "@SECLEVEL=0 takes it");
}

static void
advise_name(const struct peer_case *peer, struct sentence *advice)
{
	char names[256];
	enum peer_words_kind kind =
		peer_words_names(peer->leaf, names, sizeof(names));

	if (kind == PEER_WORDS_NONE) {
		sentence_add(advice,
			     "%s's certificate is for no name at all: it needs "
			     "one in subjectAltName",
			     owner(peer));
		return;
	}
	sentence_add(advice, "%s's certificate is ", owner(peer));
	if (peer->name) {
		char name[256];

		text_escape(peer->name, strlen(peer->name), name, sizeof(name));
		sentence_add(advice, "not for %s but ", name);
	}
	sentence_add(advice,
		     "for %s%s: connect to the right name, or set verify.name "
		     "if %s is meant",
		     names,
		     kind == PEER_WORDS_COMMON_NAME ? " (in its subject alone)"
						    : "",
		     strchr(names, ',') ? "one of these" : "that");
}

static void
advise_depth(const struct peer_case *peer, struct sentence *advice)
{
	(void)peer;
	sentence_add(
		advice,
		"the chain is longer than verify.depth allows: raise it if "
		"all of these CAs are meant to be there");
}

static void
advise_path_length(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);

	say_subject(peer, certificate, advice);
	sentence_add(advice,
		     " does not allow so many CAs below it (pathlen): one of "
		     "them was not to be made");
}

static void
advise_no_crl(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);
	char issuer[128], place[160];

	peer_words_name(X509_get_issuer_name(certificate), issuer,
			sizeof(issuer));
	sentence_add(advice, "verify.crl holds no list of %s", issuer);
	if (peer_words_crl_place(certificate, place, sizeof(place)))
		sentence_add(advice, ": fetch it from %s", place);
	sentence_add(advice,
		     "; without one nobody knows what that CA has revoked");
}

static void
advise_old_crl(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);
	char issuer[128], place[160];

	peer_words_name(X509_get_issuer_name(certificate), issuer,
			sizeof(issuer));
	sentence_add(advice, "the list of %s in verify.crl is out of date",
		     issuer);
	if (peer_words_crl_place(certificate, place, sizeof(place)))
		sentence_add(advice, ": fetch a new one from %s", place);
	else
		sentence_add(advice, ": get a new one of the CA");
}

static void
advise_revoked(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);

	say_subject(peer, certificate, advice);
	sentence_add(advice,
		     " was revoked by its CA: it must be replaced, and its key "
		     "with it");
}

/* No answer, or none that proves anything, where one is demanded. */
static void
advise_no_ocsp(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);
	AUTO_FREE char *place = mem_alloc(OCSP_URI_SIZE);

	if (!ocsp_responder_find(certificate, place)) {
		say_subject(peer, certificate, advice);
		sentence_add(advice, " names no responder that anybody could "
				     "ask: verify.ocsp cannot "
				     "demand an answer for it");
		return;
	}
	if (peer->is_client)
		sentence_add(advice,
			     "its responder is %.200s: see whether it can be "
			     "reached from here and what it answers",
			     place);
	else
		sentence_add(advice,
			     "a server has to ask %.200s and to send the "
			     "answer along, where verify.ocsp.staple is must "
			     "(nginx: ssl_stapling, Apache: SSLUseStapling); "
			     "where fail is hard, we have to reach it",
			     place);
}

static void
advise_unknown(const struct peer_case *peer, struct sentence *advice)
{
	X509 *certificate = find_subject(peer);

	say_subject(peer, certificate, advice);
	sentence_add(advice, " is not among those that its CA has issued, as "
			     "far as the responder knows: one that is very new "
			     "may have to wait, any other must be replaced");
}

static void
advise_constraint(const struct peer_case *peer, struct sentence *advice)
{
	(void)peer;
	sentence_add(advice,
		     "a CA in the chain may not vouch for this name "
		     "(nameConstraints): the certificate has to come from "
		     "another one");
}

static const struct {
	int error;
	void (*advise)(const struct peer_case *peer, struct sentence *advice);
} rows[] = {
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, advise_missing_issuer},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, advise_missing_issuer},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, advise_missing_issuer},
	{X509_V_ERR_CERT_UNTRUSTED, advise_missing_issuer},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, advise_self_signed_leaf},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, advise_self_signed_root},
	{X509_V_ERR_CERT_HAS_EXPIRED, advise_expired},
	{X509_V_ERR_CERT_NOT_YET_VALID, advise_not_yet_valid},
	{X509_V_ERR_INVALID_PURPOSE, advise_purpose},
	{X509_V_ERR_INVALID_CA, advise_no_ca},
	{X509_V_ERR_INVALID_NON_CA, advise_no_ca},
	{X509_V_ERR_KEYUSAGE_NO_CERTSIGN, advise_no_ca},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, advise_signature},
	{X509_V_ERR_EE_KEY_TOO_SMALL, advise_weak},
	{X509_V_ERR_CA_KEY_TOO_SMALL, advise_weak},
	{X509_V_ERR_CA_MD_TOO_WEAK, advise_weak},
	{X509_V_ERR_HOSTNAME_MISMATCH, advise_name},
	{X509_V_ERR_IP_ADDRESS_MISMATCH, advise_name},
	{X509_V_ERR_CERT_CHAIN_TOO_LONG, advise_depth},
	{X509_V_ERR_PATH_LENGTH_EXCEEDED, advise_path_length},
	{X509_V_ERR_UNABLE_TO_GET_CRL, advise_no_crl},
	{X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, advise_no_crl},
	{X509_V_ERR_CRL_HAS_EXPIRED, advise_old_crl},
	{X509_V_ERR_CERT_REVOKED, advise_revoked},
	{X509_V_ERR_OCSP_VERIFY_NEEDED, advise_no_ocsp},
	{X509_V_ERR_OCSP_VERIFY_FAILED, advise_no_ocsp},
	{X509_V_ERR_OCSP_CERT_UNKNOWN, advise_unknown},
	{X509_V_ERR_PERMITTED_VIOLATION, advise_constraint},
	{X509_V_ERR_EXCLUDED_VIOLATION, advise_constraint},
};

const char *
peer_advice(const struct peer_case *peer, char *buffer, size_t size)
{
	struct sentence advice = {buffer, size, 0};

	if (size == 0)
		return buffer;
	buffer[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].error != peer->error || !peer->leaf)
			continue;
		rows[i].advise(peer, &advice);
		break;
	}
	ERR_clear_error();
	return buffer;
}
