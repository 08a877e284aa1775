dnl SPDX-License-Identifier: BSD-2-Clause
dnl Compiler flags, each tried before it is used.

dnl SEALOCK_TRY_FLAG(VARIABLE, FLAG): append FLAG when the compiler takes it.
AC_DEFUN([SEALOCK_TRY_FLAG], [
	AC_MSG_CHECKING([whether $CC takes $2])
	sealock_saved="$CFLAGS"
	CFLAGS="$CFLAGS -Werror $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes]); $1="$$1 $2"],
		[AC_MSG_RESULT([no])])
	CFLAGS="$sealock_saved"
])

AC_DEFUN([AX_SEALOCK_FLAGS], [
	WARNING_FLAGS=
	HARDENING_FLAGS=
	HARDENING_LDFLAGS=
	AC_SUBST([WARNING_FLAGS])
	AC_SUBST([HARDENING_FLAGS])
	AC_SUBST([HARDENING_LDFLAGS])
])

AC_DEFUN([SEALOCK_WARNINGS], [
	m4_foreach_w([flag], [-Wall -Wextra -Wpedantic -Wshadow
		-Wstrict-prototypes -Wmissing-prototypes
		-Wold-style-definition -Wcast-qual -Wwrite-strings -Wundef
		-Wvla -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum
		-Wconversion -Wnull-dereference],
		[SEALOCK_TRY_FLAG([WARNING_FLAGS], flag)])
	AS_IF([test "x$1" = xyes],
		[WARNING_FLAGS="$WARNING_FLAGS -Werror"])
])

dnl Sanitizers bring their own checks: FORTIFY would hide reads from them.
AC_DEFUN([SEALOCK_HARDENING], [
	AS_IF([test "x$1" = xyes], [
		SEALOCK_TRY_FLAG([HARDENING_FLAGS], [-fstack-protector-strong])
		SEALOCK_TRY_FLAG([HARDENING_FLAGS], [-fstack-clash-protection])
		SEALOCK_TRY_FLAG([HARDENING_FLAGS], [-fcf-protection=full])
		SEALOCK_TRY_FLAG([HARDENING_FLAGS], [-ftrivial-auto-var-init=zero])
		SEALOCK_TRY_FLAG([HARDENING_FLAGS], [-fPIE])
		AS_IF([test "x$2" != xyes], [
			HARDENING_FLAGS="$HARDENING_FLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
		])
		SEALOCK_TRY_FLAG([HARDENING_LDFLAGS], [-pie])
		SEALOCK_TRY_FLAG([HARDENING_LDFLAGS], [-Wl,-z,relro])
		SEALOCK_TRY_FLAG([HARDENING_LDFLAGS], [-Wl,-z,now])
		SEALOCK_TRY_FLAG([HARDENING_LDFLAGS], [-Wl,-z,noexecstack])
	])
])
