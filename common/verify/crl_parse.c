/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the outside in: the list, its extensions, its entries. Whatever it
 * decides about, the signature over it decides later.
 */
#include "common/verify/crl_parse.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"

/* Every entry has a serial number and a date at least. */
#define ENTRY_BYTES_MIN 20

#define REASON_REMOVED 8
#define REASON_MAX     10

struct extension {
	struct der_span id;
	bool is_critical;
	struct der_span value;
};

/* All of them are 2.5.29.N. */
enum extension_number {
	EXTENSION_OTHER = 0,
	EXTENSION_ISSUER_NAMES = 18,
	EXTENSION_NUMBER = 20,
	EXTENSION_REASON = 21,
	EXTENSION_INVALIDITY = 24,
	EXTENSION_DELTA = 27,
	EXTENSION_POINT = 28,
	EXTENSION_ENTRY_ISSUER = 29,
	EXTENSION_AUTHORITY_KEY = 35,
	EXTENSION_FRESHEST = 46,
};

static enum extension_number
extension_number(const struct extension *extension)
{
	const struct der_span *id = &extension->id;

	if (id->length == 3 && id->bytes[0] == 0x55 && id->bytes[1] == 0x1d)
		return (enum extension_number)id->bytes[2];
	return EXTENSION_OTHER;
}

static bool
take_extension(struct der_span *from, struct extension *extension)
{
	struct der_span content, flag;

	extension->is_critical = false;
	if (!der_take_tag(from, DER_SEQUENCE, &content, NULL) ||
	    !der_take_tag(&content, DER_OID, &extension->id, NULL))
		return false;
	if (der_is_next(&content, DER_BOOLEAN)) {
		if (!der_take_tag(&content, DER_BOOLEAN, &flag, NULL) ||
		    flag.length != 1)
			return false;
		extension->is_critical = flag.bytes[0] != 0;
	}
	return der_take_tag(&content, DER_OCTETS, &extension->value, NULL) &&
	       content.length == 0;
}

/* Days from 1970 to a day of the Gregorian calendar; March begins the year. */
static int64_t
days_to(unsigned int year, unsigned int month, unsigned int day)
{
	unsigned int years = month > 2 ? year : year - 1;
	unsigned int months = month > 2 ? month - 3 : month + 9;

	return 365 * (int64_t)years + years / 4 - years / 100 + years / 400 +
	       (153 * months + 2) / 5 + day - 1 - 719468;
}

static bool
take_digits(struct der_span *from, size_t count, unsigned int *number)
{
	*number = 0;
	if (from->length < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		unsigned char digit = from->bytes[i];

		if (digit < '0' || digit > '9')
			return false;
		*number = 10 * *number + (digit - '0');
	}
	from->bytes += count;
	from->length -= count;
	return true;
}

/* RFC 5280 5.1.2.4: with seconds, in UTC. */
static bool
take_time(struct der_span *from, int64_t *seconds)
{
	unsigned int year, month, day, hour, minute, second;
	struct der_span text;
	unsigned char tag;

	if (!der_take(from, &tag, &text, NULL) ||
	    (tag != DER_UTC_TIME && tag != DER_TIME) ||
	    !take_digits(&text, tag == DER_TIME ? 4 : 2, &year) ||
	    !take_digits(&text, 2, &month) || !take_digits(&text, 2, &day) ||
	    !take_digits(&text, 2, &hour) || !take_digits(&text, 2, &minute) ||
	    !take_digits(&text, 2, &second) || !der_is_equal(&text, "Z", 1))
		return false;
	if (tag == DER_UTC_TIME)
		year += year < 50 ? 2000 : 1900;
	if (year == 0 || month < 1 || month > 12 || day < 1 || day > 31 ||
	    hour > 23 || minute > 59 || second > 60)
		return false;
	*seconds = days_to(year, month, day) * 86400 + hour * 3600 +
		   minute * 60 + second;
	return true;
}

static bool
is_time_next(const struct der_span *from)
{
	return der_is_next(from, DER_UTC_TIME) || der_is_next(from, DER_TIME);
}

/* A flag that is there is true (X.690 11.5); one that is false is as good as
 * none. */
static bool
take_flag(struct der_span *from, unsigned char number, bool *flag)
{
	struct der_span value;

	*flag = false;
	if (!der_is_next(from, DER_PRIMITIVE_0 + number))
		return true;
	if (!der_take_tag(from, DER_PRIMITIVE_0 + number, &value, NULL) ||
	    value.length != 1)
		return false;
	*flag = value.bytes[0] != 0;
	return true;
}

static const char *
read_point_name(struct der_span *from, struct crl_parsed *list)
{
	struct der_span choice, names, name;
	unsigned char tag;

	if (!der_take_tag(from, DER_CONSTRUCTED_0, &choice, NULL) ||
	    !der_take(&choice, &tag, &names, NULL) || choice.length > 0)
		return "its issuing distribution point is malformed";
	if (tag != DER_CONSTRUCTED_0)
		return "its distribution point has a relative name, which is "
		       "not supported";
	list->names = names;
	if (names.length == 0)
		return "its issuing distribution point is malformed";
	while (names.length > 0)
		if (!der_take(&names, &tag, &name, NULL))
			return "its issuing distribution point is malformed";
	return NULL;
}

/* RFC 5280 5.2.5. */
static const char *
read_point(struct der_span value, struct crl_parsed *list)
{
	bool is_for_users, is_for_cas, is_indirect, is_for_attributes;
	struct der_span point;
	const char *wrong = NULL;

	if (!der_take_tag(&value, DER_SEQUENCE, &point, NULL) ||
	    value.length > 0)
		return "its issuing distribution point is malformed";
	if (der_is_next(&point, DER_CONSTRUCTED_0))
		wrong = read_point_name(&point, list);
	if (wrong)
		return wrong;
	if (!take_flag(&point, 1, &is_for_users) ||
	    !take_flag(&point, 2, &is_for_cas))
		return "its issuing distribution point is malformed";
	if (der_is_next(&point, DER_PRIMITIVE_0 + 3))
		return "it is for some reasons of revocation only "
		       "(onlySomeReasons), which is not supported";
	if (!take_flag(&point, 4, &is_indirect) ||
	    !take_flag(&point, 5, &is_for_attributes) || point.length > 0)
		return "its issuing distribution point is malformed";
	if (is_indirect)
		return "it is an indirect list, with certificates of other "
		       "issuers, which is not supported";
	if (is_for_attributes)
		return "it is for attribute certificates";
	if (is_for_users && is_for_cas)
		return "it is for nobody's certificates";
	list->scope = (is_for_users ? CRL_SCOPE_USERS : 0U) |
		      (is_for_cas ? CRL_SCOPE_CAS : 0U);
	return NULL;
}

static const char *
read_authority_key(struct der_span value, struct crl_parsed *list)
{
	struct der_span content;

	if (!der_take_tag(&value, DER_SEQUENCE, &content, NULL) ||
	    value.length > 0)
		return "its authority key identifier is malformed";
	if (der_is_next(&content, DER_PRIMITIVE_0) &&
	    !der_take_tag(&content, DER_PRIMITIVE_0, &list->key_id, NULL))
		return "its authority key identifier is malformed";
	return NULL;
}

static const char *
read_number(struct der_span value, struct crl_parsed *list)
{
	if (!der_take_tag(&value, DER_INTEGER, &list->number, NULL) ||
	    value.length > 0 || list->number.length == 0 ||
	    list->number.length > CRL_SERIAL_MAX)
		return "its number is malformed";
	return NULL;
}

/* Each once at most: a second one would take the first one's place. */
static const char *
read_extension(const struct extension *extension, struct crl_parsed *list,
	       uint64_t *seen)
{
	enum extension_number number = extension_number(extension);

	if (number != EXTENSION_OTHER && number < 64) {
		if (*seen & UINT64_C(1) << number)
			return "it has the same extension twice";
		*seen |= UINT64_C(1) << number;
	}
	switch ((unsigned int)number) {
	case EXTENSION_AUTHORITY_KEY:
		return read_authority_key(extension->value, list);
	case EXTENSION_NUMBER:
		return read_number(extension->value, list);
	case EXTENSION_POINT:
		return read_point(extension->value, list);
	case EXTENSION_DELTA:
		return "it is a delta list, which is of no use without "
		       "its base and not supported";
	case EXTENSION_ISSUER_NAMES:
	case EXTENSION_FRESHEST:
		return NULL;
	default:
		return extension->is_critical
			       ? "it has a critical extension that is not "
				 "known here"
			       : NULL;
	}
}

static const char *
read_extensions(struct der_span *from, struct crl_parsed *list)
{
	struct der_span explicit, all;
	struct extension extension;
	const char *wrong = NULL;
	uint64_t seen = 0;

	if (!der_take_tag(from, DER_CONSTRUCTED_0, &explicit, NULL) ||
	    !der_take_tag(&explicit, DER_SEQUENCE, &all, NULL) ||
	    explicit.length > 0)
		return "its extensions are malformed";
	while (!wrong && all.length > 0)
		wrong = take_extension(&all, &extension)
				? read_extension(&extension, list, &seen)
				: "its extensions are malformed";
	return wrong;
}

static bool
read_reason(struct der_span value, struct crl_entry *entry)
{
	struct der_span reason;

	if (!der_take_tag(&value, DER_ENUMERATED, &reason, NULL) ||
	    value.length > 0 || reason.length != 1 ||
	    reason.bytes[0] > REASON_MAX)
		return false;
	entry->reason = reason.bytes[0];
	return true;
}

/* RFC 5280 5.3. */
static const char *
read_entry_extensions(struct der_span *from, struct crl_entry *entry)
{
	struct extension extension;
	struct der_span all;

	if (!der_take_tag(from, DER_SEQUENCE, &all, NULL))
		return "the extensions of an entry are malformed";
	while (all.length > 0) {
		if (!take_extension(&all, &extension))
			return "the extensions of an entry are malformed";
		switch ((unsigned int)extension_number(&extension)) {
		case EXTENSION_REASON:
			if (!read_reason(extension.value, entry))
				return "the reason of an entry is malformed";
			break;
		case EXTENSION_ENTRY_ISSUER:
			return "it has entries of other issuers, which is not "
			       "supported";
		case EXTENSION_INVALIDITY:
			break;
		default:
			if (extension.is_critical)
				return "an entry has a critical extension that "
				       "is not known here";
		}
	}
	return NULL;
}

/* As OpenSSL has them: in the fewest bytes. */
static bool
is_serial(const struct der_span *serial)
{
	const unsigned char *bytes = serial->bytes;

	if (serial->length == 0 || serial->length > CRL_SERIAL_MAX)
		return false;
	return serial->length == 1 ||
	       !((bytes[0] == 0x00 && !(bytes[1] & 0x80)) ||
		 (bytes[0] == 0xff && (bytes[1] & 0x80)));
}

static uint64_t
head_of(const struct der_span *serial)
{
	uint64_t head = 0;

	for (size_t i = 0; i < sizeof(head); i++)
		head = head << 8 | (i < serial->length ? serial->bytes[i] : 0U);
	return head;
}

static const char *
read_entry(struct der_span *from, struct crl_entry *entry)
{
	struct der_span content, serial;
	const char *wrong = NULL;

	if (!der_take_tag(from, DER_SEQUENCE, &content, NULL) ||
	    !der_take_tag(&content, DER_INTEGER, &serial, NULL) ||
	    !is_serial(&serial))
		return "the serial number of an entry is malformed";
	*entry = (struct crl_entry){
		.serial = serial.bytes,
		.head = head_of(&serial),
		.length = (uint8_t)serial.length,
	};
	if (!take_time(&content, &entry->date))
		return "the date of an entry is malformed";
	if (content.length > 0)
		wrong = read_entry_extensions(&content, entry);
	if (!wrong && content.length > 0)
		wrong = "an entry is malformed";
	return wrong;
}

static const char *
read_entries(struct der_span *from, struct crl_parsed *list)
{
	struct der_span all;
	const char *wrong = NULL;

	if (!der_take_tag(from, DER_SEQUENCE, &all, NULL))
		return "its entries are malformed";
	list->entries = mem_array(all.length / ENTRY_BYTES_MIN + 1,
				  sizeof(*list->entries));
	while (!wrong && all.length >= ENTRY_BYTES_MIN) {
		struct crl_entry *entry = &list->entries[list->count];

		wrong = read_entry(&all, entry);
		/* It is for deltas, and means that there is none. */
		list->count += entry->reason != REASON_REMOVED;
	}
	if (!wrong && all.length > 0)
		wrong = "its entries are malformed";
	return wrong;
}

static const char *
read_signed_part(struct der_span content, struct crl_parsed *list)
{
	struct der_span version, name, algorithm, ignored;
	bool is_extended = false;

	if (der_is_next(&content, DER_INTEGER)) {
		if (!der_take_tag(&content, DER_INTEGER, &version, NULL) ||
		    !der_is_equal(&version, "\x01", 1))
			return "its version is unknown";
		is_extended = true;
	}
	if (!der_take_tag(&content, DER_SEQUENCE, &ignored, &algorithm) ||
	    !der_take_tag(&content, DER_SEQUENCE, &name, &list->issuer) ||
	    !take_time(&content, &list->this_update))
		return "it is malformed";
	if (name.length == 0)
		return "it has no issuer";
	if (!der_is_equal(&algorithm, list->algorithm.bytes,
			  list->algorithm.length))
		return "it names two algorithms for its signature";
	list->next_update = CRL_NEVER;
	if (is_time_next(&content) && !take_time(&content, &list->next_update))
		return "its nextUpdate is malformed";
	if (der_is_next(&content, DER_SEQUENCE)) {
		const char *wrong = read_entries(&content, list);

		if (wrong)
			return wrong;
	}
	if (content.length > 0 && is_extended) {
		const char *wrong = read_extensions(&content, list);

		if (wrong)
			return wrong;
	}
	return content.length == 0 ? NULL : "it is malformed";
}

int
crl_parse(const void *bytes, size_t length, struct crl_parsed *list,
	  struct error *error)
{
	struct der_span all = {bytes, length}, outer, inner, ignored, bits;
	const char *wrong = "it is malformed";

	*list = (struct crl_parsed){0};
	if (der_take_tag(&all, DER_SEQUENCE, &outer, NULL) && all.length == 0 &&
	    der_take_tag(&outer, DER_SEQUENCE, &inner, &list->signed_part) &&
	    der_take_tag(&outer, DER_SEQUENCE, &ignored, &list->algorithm) &&
	    der_take_tag(&outer, DER_BITS, &bits, NULL) && outer.length == 0 &&
	    bits.length > 1 && bits.bytes[0] == 0) {
		list->signature =
			(struct der_span){bits.bytes + 1, bits.length - 1};
		wrong = read_signed_part(inner, list);
	}
	if (!wrong)
		return 0;
	error_set(error, "%s", wrong);
	return -1;
}

void
crl_parsed_clear(struct crl_parsed *list)
{
	mem_free(list->entries);
	*list = (struct crl_parsed){0};
}
