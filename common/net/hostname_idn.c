/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libidn2 for what is not ASCII, and nothing for the rest: A-labels that are
 * written out are taken as they are.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "common/net/hostname_idn.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#ifdef HAVE_IDN2
#include <idn2.h>
#endif

#include "common/base/error.h"
#include "common/net/hostname.h"

static bool
is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static int
normalize(const char *text, char *out, struct error *error)
{
	if (hostname_normalize(text, strlen(text), out) == 0)
		return 0;
	error_set(error, "a host name is made of letters, digits and hyphens "
			 "in labels of 1 to 63, has no dot at its end, and "
			 "253 bytes at most");
	return -1;
}

#ifdef HAVE_IDN2

static int
convert(const char *text, char *out, struct error *error)
{
	char *ascii = NULL;
	int status = idn2_to_ascii_8z(text, &ascii,
				      IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	int result = -1;

	if (status == IDN2_OK)
		result = normalize(ascii, out, error);
	else
		error_set(error, "it cannot be written as A-labels: %s",
			  idn2_strerror(status));
	idn2_free(ascii);
	return result;
}

const char *
hostname_idn_library(void)
{
	static char text[32];

	snprintf(text, sizeof(text), "libidn2 %s", idn2_check_version(NULL));
	return text;
}

#else

static int
convert(const char *text, char *out, struct error *error)
{
	(void)text;
	(void)out;
	error_set(error, "this build has no libidn2: write it in its xn-- "
			 "form");
	return -1;
}

const char *
hostname_idn_library(void)
{
	return "no libidn2";
}

#endif

int
hostname_to_ascii(const char *text, char *out, struct error *error)
{
	out[0] = '\0';
	return is_ascii(text) ? normalize(text, out, error)
			      : convert(text, out, error);
}
