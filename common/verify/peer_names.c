/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One array of names and one of their bytes, both growing by doubling: no
 * allocation a name, as there may be ten thousand.
 */
#include "common/verify/peer_names.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/base/text.h"

struct peer_names {
	struct peer_name *names;
	size_t count;
	size_t capacity;
	char *bytes;
	size_t used;
	size_t size;
	bool has[PEER_NAME_KIND_COUNT];
};

static const char *const kind_words[PEER_NAME_KIND_COUNT] = {
	[PEER_NAME_DNS] = "dns",     [PEER_NAME_IP] = "ip",
	[PEER_NAME_EMAIL] = "email", [PEER_NAME_URI] = "uri",
	[PEER_NAME_OTHER] = "other", [PEER_NAME_UNREADABLE] = "unreadable",
	[PEER_NAME_CN] = "cn",       [PEER_NAME_OU] = "ou",
};

static size_t
larger(size_t capacity, size_t needed)
{
	capacity = capacity ? capacity : 16;
	while (capacity < needed)
		capacity *= 2;
	return capacity;
}

/* Where its bytes are is known when all are there. */
static void
add(struct peer_names *names, enum peer_name_kind kind, const void *bytes,
    size_t length)
{
	if (names->count == names->capacity) {
		names->capacity = larger(names->capacity, names->count + 1);
		names->names = mem_resize(names->names, names->capacity,
					  sizeof(*names->names));
	}
	if (length > names->size - names->used) {
		names->size = larger(names->size, names->used + length);
		names->bytes = mem_resize(names->bytes, names->size, 1);
	}
	if (length > 0)
		memcpy(names->bytes + names->used, bytes, length);
	names->used += length;
	names->names[names->count++] =
		(struct peer_name){.kind = kind, .length = length};
	names->has[kind] = true;
}

static void
add_string(struct peer_names *names, enum peer_name_kind kind,
	   const ASN1_STRING *string)
{
	add(names, kind, ASN1_STRING_get0_data(string),
	    (size_t)ASN1_STRING_length(string));
}

static void
add_other(struct peer_names *names, const char *word)
{
	add(names, PEER_NAME_OTHER, word, strlen(word));
}

static void
add_unreadable(struct peer_names *names)
{
	static const char word[] = "alternative names that cannot be read";

	add(names, PEER_NAME_UNREADABLE, word, sizeof(word) - 1);
}

static void
add_address(struct peer_names *names, const ASN1_OCTET_STRING *address)
{
	int length = ASN1_STRING_length(address);

	if (length == 4 || length == 16)
		add_string(names, PEER_NAME_IP, address);
	else
		add_other(names, "an IP address of a wrong length");
}

static void
add_alternative(struct peer_names *names, const GENERAL_NAME *name)
{
	char type[80];

	switch (name->type) {
	case GEN_DNS:
		add_string(names, PEER_NAME_DNS, name->d.dNSName);
		break;
	case GEN_IPADD:
		add_address(names, name->d.iPAddress);
		break;
	case GEN_URI:
		add_string(names, PEER_NAME_URI,
			   name->d.uniformResourceIdentifier);
		break;
	case GEN_EMAIL:
		add_string(names, PEER_NAME_EMAIL, name->d.rfc822Name);
		break;
	case GEN_DIRNAME:
		add_other(names, "a directory name");
		break;
	case GEN_OTHERNAME:
		if (OBJ_obj2txt(type, sizeof(type), name->d.otherName->type_id,
				0) > 0)
			add_other(names, type);
		else
			add_other(names, "a name of another kind");
		break;
	default:
		add_other(names, "a name of another kind");
		break;
	}
}

static void
add_alternatives(struct peer_names *names, const GENERAL_NAMES *alternatives)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); i++)
		add_alternative(names, sk_GENERAL_NAME_value(alternatives, i));
}

static void
add_extension(struct peer_names *names, const X509 *certificate)
{
	int found;
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *alternatives = X509_get_ext_d2i(
		certificate, NID_subject_alt_name, &found, NULL);

	if (alternatives)
		add_alternatives(names, alternatives);
	else if (found != -1)
		add_unreadable(names);
}

static void
add_subject(struct peer_names *names, const X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int count = X509_NAME_entry_count(subject);

	for (int i = 0; i < count; i++) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
		unsigned char *text = NULL;
		int length;

		if (nid != NID_commonName && nid != NID_organizationalUnitName)
			continue;
		length = ASN1_STRING_to_UTF8(&text,
					     X509_NAME_ENTRY_get_data(entry));
		add(names, nid == NID_commonName ? PEER_NAME_CN : PEER_NAME_OU,
		    text, length > 0 ? (size_t)length : 0);
		OPENSSL_free(text);
	}
}

/* They stand one after the other. */
static void
place(struct peer_names *names)
{
	const char *at = names->bytes;

	for (size_t i = 0; i < names->count; i++) {
		struct peer_name *name = &names->names[i];

		name->bytes = name->length ? at : "";
		/* Without a byte anywhere there is no address to add to. */
		if (name->length)
			at += name->length;
	}
}

struct peer_names *
peer_names_new(const X509 *certificate)
{
	struct peer_names *names = mem_alloc(sizeof(*names));

	ERR_set_mark();
	add_extension(names, certificate);
	add_subject(names, certificate);
	ERR_pop_to_mark();
	place(names);
	return names;
}

struct peer_names *
peer_names_of_alternatives(const GENERAL_NAMES *alternatives)
{
	struct peer_names *names = mem_alloc(sizeof(*names));

	ERR_set_mark();
	add_alternatives(names, alternatives);
	ERR_pop_to_mark();
	place(names);
	return names;
}

void
peer_names_free(struct peer_names *names)
{
	if (!names)
		return;
	mem_free(names->names);
	mem_free(names->bytes);
	mem_free(names);
}

size_t
peer_names_count(const struct peer_names *names)
{
	return names->count;
}

const struct peer_name *
peer_names_at(const struct peer_names *names, size_t index)
{
	assert(index < names->count);
	return &names->names[index];
}

const struct peer_name *
peer_names_common_name(const struct peer_names *names)
{
	for (size_t i = names->count; i-- > 0;)
		if (names->names[i].kind == PEER_NAME_CN)
			return &names->names[i];
	return NULL;
}

bool
peer_names_has(const struct peer_names *names, enum peer_name_kind kind)
{
	return names->has[kind];
}

const char *
peer_name_kind_word(enum peer_name_kind kind)
{
	return kind_words[kind];
}

const char *
peer_name_format(const struct peer_name *name, char *buffer, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	const char *bytes = name->bytes;
	size_t length = name->length;

	if (name->kind == PEER_NAME_IP &&
	    inet_ntop(length == 4 ? AF_INET : AF_INET6, bytes, text,
		      sizeof(text))) {
		bytes = text;
		length = strlen(text);
	}
	text_escape(bytes, length, buffer, size);
	return buffer;
}
