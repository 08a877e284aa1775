/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of a connect gate, made so that one failure does not hide the
 * next.
 */
#include "daemon/cli/probe_verdicts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/hostname.h"
#include "common/tls/ca_store.h"
#include "common/tls/cipher_list.h"
#include "common/verify/fingerprint.h"
#include "common/verify/peer_names.h"
#include "common/verify/peer_words.h"
#include "common/verify/public_suffix.h"
#include "common/verify/verify_name.h"
#include "daemon/cli/certificate_issuers.h"
#include "daemon/cli/probe_authorities.h"
#include "daemon/cli/probe_request.h"

#define DEPTH_MAX 10

void
probe_judge(struct probe_verdict *verdict, enum probe_judgement judgement,
	    const char *format, ...)
{
	va_list arguments;

	verdict->judgement = judgement;
	va_start(arguments, format);
	vsnprintf(verdict->text, sizeof(verdict->text), format, arguments);
	va_end(arguments);
}

/* What is judged, and by what. */
struct court {
	const struct probe_request *request;
	const struct probe_authorities *authorities;
	STACK_OF(X509) *chain;
	X509 *leaf;
	X509_STORE *store; /* an empty one when there is none */
};

static void
advise(const struct court *court, struct probe_verdict *verdict, int error,
       int depth, X509 *about)
{
	const struct peer_case peer = {
		.error = error,
		.depth = depth,
		.leaf = court->leaf,
		.about = about,
		.chain = court->chain,
		.store = court->store,
		.name = court->request->verify_name[0]
				? court->request->verify_name
				: NULL,
		.now = (time_t)clock_real_s(),
	};

	peer_advice(&peer, verdict->advice, sizeof(verdict->advice));
}

/* The order: leaf first, each one's issuer next (RFC 5246 7.4.2). */

struct walk {
	int used; /* of those that were sent */
	bool is_in_order;
	X509 *last;
	bool is_to_root; /* the last is self-signed */
};

static struct walk
walk_chain(STACK_OF(X509) *chain)
{
	struct certificate_issuers *issuers = certificate_issuers_new(chain);
	struct walk walk = {.used = 1, .is_in_order = true};
	int index = 0;

	for (;;) {
		size_t issuer = certificate_issuers_find(issuers, index);

		walk.last = sk_X509_value(chain, index);
		walk.is_to_root = issuer == (size_t)index + 1;
		if (issuer == 0 || walk.is_to_root ||
		    walk.used >= sk_X509_num(chain))
			break;
		if (issuer != (size_t)index + 2)
			walk.is_in_order = false;
		index = (int)issuer - 1;
		walk.used++;
	}
	certificate_issuers_free(issuers);
	return walk;
}

/* The issuer among the CAs; NULL: it is not there. */
static X509 *
find_authority(X509_STORE *store, X509 *certificate)
{
	X509_STORE_CTX *search = X509_STORE_CTX_new();
	X509 *issuer = NULL;

	if (search && X509_STORE_CTX_init(search, store, certificate, NULL) &&
	    X509_STORE_CTX_get1_issuer(&issuer, search, certificate) <= 0)
		issuer = NULL;
	X509_STORE_CTX_free(search);
	ERR_clear_error();
	return issuer;
}

static void
judge_order(const struct court *court, struct probe_verdict *verdict)
{
	struct walk walk = walk_chain(court->chain);
	int foreign = sk_X509_num(court->chain) - walk.used;
	X509 *issuer = walk.is_to_root
			       ? NULL
			       : find_authority(court->store, walk.last);
	char name[128], place[160];

	peer_words_name(X509_get_issuer_name(walk.last), name, sizeof(name));
	if (!walk.is_to_root && !issuer)
		probe_judge(
			verdict, PROBE_NOT_JUDGED,
			"nothing here tells whether %s, which comes next, is a "
			"root or missing",
			name);
	else if (issuer && X509_self_signed(issuer, 0) != 1) {
		probe_judge(verdict, PROBE_BAD,
			    "the intermediate %s was not sent: the CAs here "
			    "have it, "
			    "others do not",
			    name);
		if (peer_words_issuer_place(walk.last, place, sizeof(place)))
			snprintf(verdict->advice, sizeof(verdict->advice),
				 "append it to the server's chain file (get "
				 "it at %s)",
				 place);
		else
			snprintf(verdict->advice, sizeof(verdict->advice),
				 "append it to the server's chain file");
	} else if (foreign > 0)
		probe_judge(verdict, PROBE_BAD,
			    "complete, but %d of the certificates sent %s not "
			    "belong to it",
			    foreign, foreign == 1 ? "does" : "do");
	else if (!walk.is_in_order)
		probe_judge(
			verdict, PROBE_BAD,
			"complete, but not in order: each certificate's issuer "
			"has to follow it");
	else
		probe_judge(verdict, PROBE_GOOD, "complete and in order%s",
			    walk.is_to_root && walk.used > 1
				    ? ", with the root, which need not be sent"
				    : "");
	X509_free(issuer);
}

/* The chain. */

struct fault {
	int error;
	int depth;
	X509 *about; /* a reference */
};

struct faults {
	struct fault list[8];
	size_t count;
};

/* OpenSSL's words for what follows from a missing issuer. */
static bool
is_consequence(int error)
{
	return error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       error == X509_V_ERR_CERT_UNTRUSTED;
}

static int
note_fault(int is_good, X509_STORE_CTX *verification)
{
	struct faults *faults = X509_STORE_CTX_get_app_data(verification);
	int error = X509_STORE_CTX_get_error(verification);
	int depth = X509_STORE_CTX_get_error_depth(verification);
	X509 *about = X509_STORE_CTX_get_current_cert(verification);

	if (is_good || (faults->count > 0 && is_consequence(error)) ||
	    faults->count == ARRAY_SIZE(faults->list))
		return 1;
	for (size_t i = 0; i < faults->count; i++)
		if (faults->list[i].error == error &&
		    faults->list[i].depth == depth)
			return 1;
	if (about)
		X509_up_ref(about);
	faults->list[faults->count++] = (struct fault){error, depth, about};
	return 1;
}

static void
describe_faults(const struct court *court, const struct faults *faults,
		struct probe_verdict *verdict)
{
	size_t used = 0;

	verdict->judgement = PROBE_BAD;
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->list[i];
		char name[128] = "";

		if (used + 256 > sizeof(verdict->text))
			break;
		if (fault->about)
			peer_words_name(X509_get_subject_name(fault->about),
					name, sizeof(name));
		used += (size_t)snprintf(
			verdict->text + used, sizeof(verdict->text) - used,
			"%s%s (depth %d%s%s)", i > 0 ? "; also: " : "",
			X509_verify_cert_error_string(fault->error),
			fault->depth, name[0] ? ", " : "", name);
	}
	advise(court, verdict, faults->list[0].error, faults->list[0].depth,
	       faults->list[0].about);
}

static void
verify(const struct court *court, X509_STORE_CTX *verification,
       struct probe_verdict *verdict)
{
	struct faults faults = {0};
	STACK_OF(X509) *built;
	char name[128];

	X509_STORE_CTX_set_app_data(verification, &faults);
	X509_STORE_CTX_set_verify_cb(verification, note_fault);
	(void)X509_verify_cert(verification);
	if (faults.count == 0 &&
	    X509_STORE_CTX_get_error(verification) != X509_V_OK)
		faults.list[faults.count++] = (struct fault){
			.error = X509_STORE_CTX_get_error(verification)};
	built = X509_STORE_CTX_get0_chain(verification);
	if (faults.count > 0) {
		describe_faults(court, &faults, verdict);
	} else {
		peer_words_name(X509_get_subject_name(sk_X509_value(
					built, sk_X509_num(built) - 1)),
				name, sizeof(name));
		probe_judge(verdict, PROBE_GOOD, "trusted: %s is one of %s",
			    name, court->authorities->what);
	}
	for (size_t i = 0; i < faults.count; i++)
		X509_free(faults.list[i].about);
	ERR_clear_error();
}

static void
judge_chain(const struct court *court, struct probe_verdict *verdict)
{
	X509_STORE_CTX *verification = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *rules;

	if (!verification || !X509_STORE_CTX_init(verification, court->store,
						  court->leaf, court->chain)) {
		probe_judge(verdict, PROBE_BAD, "OpenSSL is out of memory");
		X509_STORE_CTX_free(verification);
		return;
	}
	rules = X509_STORE_CTX_get0_param(verification);
	X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_depth(rules, DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(rules, CIPHER_LIST_LEVEL);
	verify(court, verification, verdict);
	X509_STORE_CTX_free(verification);
}

/* The name. */

static void
accept_name(const struct court *court, const struct peer_name *matched,
	    struct probe_verdict *verdict)
{
	const char *name = court->request->verify_name;
	char shown[256];

	if (!matched) {
		probe_judge(verdict, PROBE_GOOD,
			    "any name will do under the scheme none");
		return;
	}
	peer_name_format(matched, shown, sizeof(shown));
	probe_judge(verdict, PROBE_GOOD, "the certificate is for %s%s%s", shown,
		    strcasecmp(shown, name) != 0 ? ", which means " : "",
		    strcasecmp(shown, name) != 0 ? name : "");
}

/* What is near by and does not count is worth its words; else the names that
 * are there are in the advice. */
static void
refuse_name(const struct court *court, const struct public_suffixes *suffixes,
	    const struct peer_names *names, struct probe_verdict *verdict)
{
	const struct probe_request *request = court->request;
	const char *name = request->verify_name;
	char why[256];
	bool is_near;

	verify_name_explain(&request->scheme, suffixes, names, name, why,
			    sizeof(why));
	is_near = strncmp(why, "its ", 4) == 0;
	probe_judge(verdict, PROBE_BAD,
		    "%s is none of its names under the scheme "
		    "%s%s%s",
		    name, request->scheme_text, is_near ? ": " : "",
		    is_near ? why : "");
	advise(court, verdict,
	       hostname_is_ip(name) ? X509_V_ERR_IP_ADDRESS_MISMATCH
				    : X509_V_ERR_HOSTNAME_MISMATCH,
	       0, court->leaf);
}

static void
judge_name(const struct court *court, struct probe_verdict *verdict)
{
	const struct probe_request *request = court->request;
	struct public_suffixes *suffixes;
	const struct peer_name *matched;
	struct peer_names *names;

	if (!request->verify_name[0]) {
		probe_judge(verdict, PROBE_NOT_JUDGED,
			    "none to look for: say --verify-name NAME");
		return;
	}
	suffixes = public_suffixes_builtin();
	names = peer_names_new(court->leaf);
	if (verify_name_check(&request->scheme, suffixes, names,
			      request->verify_name, &matched))
		accept_name(court, matched, verdict);
	else
		refuse_name(court, suffixes, names, verdict);
	peer_names_free(names);
	public_suffixes_unref(suffixes);
}

/* The pin. */

static void
judge_pin(const struct court *court, struct probe_verdict *verdict)
{
	const struct probe_request *request = court->request;
	struct fingerprint_set *pins;
	struct fingerprint own;
	struct error error = {0};
	char text[FINGERPRINT_TEXT_SIZE] = "unknown";
	int found;

	if (request->pin_count == 0)
		return;
	pins = fingerprint_set_new(request->pins, request->pin_count, &error);
	found = pins ? fingerprint_set_find(pins, court->leaf) : -1;
	if (found >= 0) {
		probe_judge(
			verdict, PROBE_GOOD,
			"%s: a gate with this fingerprint admits it, whatever "
			"else is wrong",
			fingerprint_format(&request->pins[found], text,
					   sizeof(text)));
	} else if (!pins) {
		probe_judge(verdict, PROBE_BAD, "%s", error.text);
	} else {
		if (fingerprint_make(court->leaf, request->pins[0].digest,
				     request->pins[0].is_of_key, &own,
				     &error) == 0)
			fingerprint_format(&own, text, sizeof(text));
		probe_judge(verdict, PROBE_BAD,
			    "the certificate's fingerprint is %s", text);
	}
	fingerprint_set_free(pins);
}

void
probe_verdicts_make(struct probe_verdicts *verdicts,
		    const struct probe_request *request,
		    const struct probe_authorities *authorities,
		    STACK_OF(X509) *chain)
{
	struct court court = {
		.request = request,
		.authorities = authorities,
		.chain = chain,
		.leaf = sk_X509_value(chain, 0),
	};
	X509_STORE *empty = NULL;

	*verdicts = (struct probe_verdicts){0};
	if (!court.leaf)
		return;
	if (authorities->store)
		court.store = ca_store_x509(authorities->store);
	else
		court.store = empty = X509_STORE_new();
	judge_order(&court, &verdicts->order);
	judge_chain(&court, &verdicts->chain);
	judge_name(&court, &verdicts->name);
	judge_pin(&court, &verdicts->pin);
	X509_STORE_free(empty);
}
