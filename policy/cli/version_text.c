/* version_text - see version_text.h */

#include "policy/cli/version_text.h"

#include <config.h>

#include "policy/address/address.h"
#include "policy/base/pattern.h"
#include "policy/exposure/public_suffix.h"
#include "policy/mailbox/decompress.h"
#include "policy/message/recipients.h"

#include <string.h>

static void add(GString *out, const char *library, const char *version, const char *remark)
{
    g_string_append_printf(out, "%s %.*s%s\n", library, (int)strcspn(version, " "), version, remark);
}

void versions_add(GString *out, const char *library, const char *version)
{
    add(out, library, version, "");
}

void versions_add_built(GString *out, const char *library, const char *version)
{
    add(out, library, version, " (built with)");
}

void versions_begin(GString *out, const char *program)
{
    g_autofree char *glib = g_strdup_printf("%u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);
    g_autofree char *pcre2 = pattern_library_version();
    g_autofree char *gmime = recipients_library_version();

    versions_add(out, program, PACKAGE_VERSION);
    versions_add(out, "GLib", glib);
    versions_add(out, "GMime", gmime);
    versions_add(out, "PCRE2", pcre2);
    versions_add(out, "libpsl", suffixes_library_version());
    versions_add(out, "libidn2", address_library_version());
    versions_add(out, "zlib", unpack_zlib_version());
    versions_add(out, "liblzma", unpack_lzma_version());
    versions_add(out, "libzstd", unpack_zstd_version());
}
