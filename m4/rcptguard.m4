# Checks that are this project's own.

# RG_APPEND_FLAG(VARIABLE, FLAG): adds FLAG if the compiler and linker take it.
AC_DEFUN([RG_APPEND_FLAG], [
  AS_VAR_PUSHDEF([rg_cache], [rg_cv_flag_$2])
  AC_CACHE_CHECK([whether $CC accepts $2], [rg_cache], [
    rg_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([rg_cache], [yes])], [AS_VAR_SET([rg_cache], [no])])
    CFLAGS=$rg_saved_CFLAGS])
  AS_VAR_IF([rg_cache], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([rg_cache])
])

AC_DEFUN([RG_C_STANDARD], [
  RG_CFLAGS=
  RG_LDFLAGS=
  RG_APPEND_FLAG([RG_CFLAGS], [-std=gnu11])
])

AC_DEFUN([RG_WARNINGS], [
  m4_foreach_w([flag], [-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wundef],
    [RG_APPEND_FLAG([RG_CFLAGS], flag)])
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make warnings errors])], [], [enable_werror=no])
  AS_IF([test "x$enable_werror" = xyes], [RG_CFLAGS="$RG_CFLAGS -Werror"])
])

# Hardening is on unless a person, a sanitizer or the distribution's own flags say otherwise.
AC_DEFUN([RG_HARDENING], [
  AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening], [leave out the hardening flags])], [], [enable_hardening=yes])
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers=LIST], [build with these: address,undefined or thread])],
    [AS_IF([test "x$enableval" = xyes], [enable_sanitizers=address,undefined])], [enable_sanitizers=no])
  AS_IF([test "x$enable_hardening" != xno], [
    m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE],
      [RG_APPEND_FLAG([RG_CFLAGS], flag)])
    # Fortified functions need an optimising compiler, which counting lines does without.
    AS_IF([test "x$enable_sanitizers" = xno && test "x$enable_coverage" != xyes],
      [AS_CASE([" $CFLAGS $CPPFLAGS "], [*_FORTIFY_SOURCE*], [],
        [*\ -O0\ *], [],
        [RG_CFLAGS="$RG_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])])
    # A flag with commas has to be quoted once more, or it is taken for several arguments.
    m4_foreach([flag], [[-pie], [-Wl,-z,relro], [-Wl,-z,now], [-Wl,-z,noexecstack]],
      [RG_APPEND_FLAG([RG_LDFLAGS], m4_quote(flag))])])
])

AC_DEFUN([RG_SANITIZERS], [
  AS_IF([test "x$enable_sanitizers" != xno], [
    RG_CFLAGS="$RG_CFLAGS -fsanitize=$enable_sanitizers -fno-omit-frame-pointer -g"
    RG_LDFLAGS="$RG_LDFLAGS -fsanitize=$enable_sanitizers"
    AS_CASE([$enable_sanitizers], [*undefined*], [RG_CFLAGS="$RG_CFLAGS -fno-sanitize-recover=undefined"])
    rg_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -fsanitize=$enable_sanitizers"
    AC_MSG_CHECKING([whether $CC links with -fsanitize=$enable_sanitizers])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([the compiler has no runtime for the sanitizers $enable_sanitizers; with clang on Debian install libclang-rt-14-dev])])
    CFLAGS=$rg_saved_CFLAGS])
  AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" != xno])
  AM_CONDITIONAL([THREAD_SANITIZER], [test "x$enable_sanitizers" = xthread])
  SANITIZERS_ENABLED=$enable_sanitizers
  AC_SUBST([SANITIZERS_ENABLED])
])

AC_DEFUN([RG_COVERAGE], [
  AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [count executed lines, for gcov])], [], [enable_coverage=no])
  AS_IF([test "x$enable_coverage" = xyes], [
    RG_CFLAGS="$RG_CFLAGS --coverage -O0 -g -fprofile-update=atomic -include \$(top_srcdir)/tests/coverage/flush.h -DCOVERAGE_FOLDER='\"\$(abs_top_builddir)\"'"
    RG_LDFLAGS="$RG_LDFLAGS --coverage"])
  AC_SUBST([RG_CFLAGS])
  AC_SUBST([RG_LDFLAGS])
])

# RG_LIBRARY(PREFIX, MODULES, PACKAGES)
AC_DEFUN([RG_LIBRARY], [
  PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 was not found. Install the package $3.])])
])

# RG_FOLDER(VARIABLE, OPTION, WHAT, DEFAULT): --with-OPTION=DIR is where WHAT goes, =no that it is not installed.
AC_DEFUN([RG_FOLDER], [
  AC_ARG_WITH([$2], [AS_HELP_STRING([--with-$2=DIR], [folder for $3, or `no` @<:@$4@:>@])],
    [$1=$withval], [$1=yes])
  AS_CASE([$$1], [yes], [$1='$4'], [no], [$1=])
  AC_SUBST([$1])
])

# Debian ships milter.pc; elsewhere look for the header and the function.
AC_DEFUN([RG_MILTER], [
  PKG_CHECK_MODULES([MILTER], [milter], [], [
    rg_saved_LIBS=$LIBS
    MILTER_CFLAGS=
    MILTER_LIBS="-lmilter -lpthread"
    LIBS="$MILTER_LIBS $LIBS"
    AC_MSG_CHECKING([for smfi_register in -lmilter])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <libmilter/mfapi.h>]], [[struct smfiDesc d = { 0 }; return smfi_register(d);]])],
      [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([libmilter was not found. Install the package libmilter-dev (Debian), sendmail-milter-devel (Fedora), libmilter-dev (Alpine), or configure with --disable-milter.])])
    LIBS=$rg_saved_LIBS])
])

# GMime 3.2.15 declared one function and gave another an argument; policy/message/gmime_api.h has both forms.
AC_DEFUN([RG_GMIME_API], [
  rg_saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS $GMIME_CFLAGS"
  AC_CHECK_DECLS([internet_address_list_append_parse], [], [], [[#include <gmime/gmime.h>]])
  AC_CACHE_CHECK([whether GMime frees the data of a warning callback], [rg_cv_gmime_warning_frees], [
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <gmime/gmime.h>]],
      [[g_mime_parser_options_set_warning_callback(NULL, NULL, NULL, NULL);]])],
      [rg_cv_gmime_warning_frees=yes], [rg_cv_gmime_warning_frees=no])])
  AS_VAR_IF([rg_cv_gmime_warning_frees], [yes],
    [AC_DEFINE([GMIME_WARNING_CALLBACK_FREES], [1], [the warning callback takes a function that frees its data])])
  CFLAGS=$rg_saved_CFLAGS
])
