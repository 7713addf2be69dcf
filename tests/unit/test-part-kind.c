/* test-part-kind - how a part is read, by its type, its name and its first bytes */

#include "policy/parts/part_kind.h"
#include "unit.h"

static void test_names(void)
{
    for (unsigned bit = 1; bit <= PART_KIND_LAST; bit <<= 1)
        g_assert_cmpuint(part_kind_find(part_kind_name((enum part_kind)bit)), ==, bit);
    for (unsigned bit = 1; bit <= OPAQUE_KIND_LAST; bit <<= 1)
        g_assert_cmpuint(opaque_kind_find(opaque_kind_name((enum opaque_kind)bit)), ==, bit);
    g_assert_cmpuint(part_kind_find("calendars"), ==, 0);
    g_assert_cmpuint(opaque_kind_find(""), ==, 0);
    g_assert_null(part_kind_name((enum part_kind)(PART_KIND_LAST << 1)));
    g_assert_null(opaque_kind_name((enum opaque_kind)3));
}

static void test_plans(void)
{
    static const struct {
        const char *type, *name, *file, *smime;
        unsigned kinds, opaque;
        const char *how;
    } rows[] = {
        {"text/plain", NULL, NULL, NULL, PART_TEXT, 0, "text"},
        {"text/html", "a.html", NULL, NULL, PART_TEXT, 0, "text html"},
        {"text/x-anything", NULL, NULL, NULL, PART_TEXT, 0, "text"},
        {"text/calendar", NULL, NULL, NULL, PART_CALENDAR, 0, "text"},
        {"application/ics", NULL, NULL, NULL, PART_CALENDAR, 0, "text"},
        {"application/octet-stream", "Termin.ICS", NULL, NULL, PART_CALENDAR, 0, "text"},
        {"text/plain", NULL, "kunden.csv", NULL, PART_TABLE, 0, "text"},
        {"application/vnd.ms-excel", "kunden.csv ", NULL, NULL, PART_TABLE, 0, "text"},
        {"application/octet-stream", "a.vcf", "b.csv", NULL, PART_CONTACTS | PART_TABLE, 0, "text"},
        {"text/directory", NULL, NULL, NULL, PART_CONTACTS, 0, "text"},
        {"application/octet-stream", "x.ldif", NULL, NULL, PART_CONTACTS, 0, "text"},
        {"message/rfc822", NULL, NULL, NULL, 0, 0, "message"},
        {"message/global", NULL, NULL, NULL, 0, 0, "message"},
        {"application/octet-stream", "mail.eml", NULL, NULL, 0, 0, "message"},
        {"text/plain", "mail.eml", NULL, NULL, 0, 0, "text message"},
        {"message/delivery-status", NULL, NULL, NULL, PART_TEXT, 0, "text"},
        {"text/rfc822-headers", NULL, NULL, NULL, 0, 0, "header"},
        {"message/partial", NULL, NULL, NULL, PART_TEXT, OPAQUE_TYPES, "text"},
        {"image/png", "a.png", NULL, NULL, 0, 0, "harmless"},
        {"image/png", "list.csv", NULL, NULL, PART_TABLE, 0, "text"},
        {"image/svg+xml", NULL, NULL, NULL, PART_TEXT, 0, "text html"},
        {"application/pkcs7-mime", "smime.p7m", NULL, NULL, 0, OPAQUE_ENCRYPTED, "harmless"},
        {"application/x-pkcs7-mime", NULL, NULL, "Enveloped-Data", 0, OPAQUE_ENCRYPTED, "harmless"},
        {"application/pkcs7-mime", NULL, NULL, "signed-data", 0, OPAQUE_TYPES, "harmless"},
        {"application/pkcs7-signature", "smime.p7s", NULL, NULL, 0, 0, "harmless"},
        {"application/octet-stream", "message.rpmsg", NULL, NULL, 0, OPAQUE_ENCRYPTED, ""},
        {"application/octet-stream", "a.xlsx", NULL, NULL, 0, OPAQUE_TYPES, ""},
        {"application/octet-stream", NULL, "report.pdf", NULL, 0, OPAQUE_TYPES, ""},
        {"application/octet-stream", "no end", NULL, NULL, 0, 0, ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct part_plan plan = part_plan(rows[i].type, rows[i].name, rows[i].file, rows[i].smime);
        g_autofree char *how = g_strdup_printf("%s%s%s%s%s", plan.text ? "text " : "", plan.html ? "html " : "",
                                               plan.message ? "message " : "", plan.header ? "header " : "",
                                               plan.harmless ? "harmless " : "");
        g_strchomp(how);
        if (plan.kinds != rows[i].kinds || plan.opaque != rows[i].opaque || strcmp(how, rows[i].how) != 0)
            UNIT_FAIL("%s %s: kinds %u, opaque %u, %s", rows[i].type, rows[i].name != NULL ? rows[i].name : "",
                      plan.kinds, plan.opaque, how);
    }
}

#define BYTES(text) text, sizeof(text) - 1

static void test_magic(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        enum part_magic magic;
    } rows[] = {
        {BYTES(""), MAGIC_NONE},
        {BYTES("Hello\r\n"), MAGIC_NONE},
        {BYTES("Gr\374\337e\n"), MAGIC_NONE},
        {BYTES("\033$B8\033(B\n"), MAGIC_NONE},
        {BYTES("\377\376a\0b\0"), MAGIC_NONE},
        {BYTES("a\0b\0c\0d\0"), MAGIC_NONE},
        {BYTES("PK\003\004abc"), MAGIC_ZIP},
        {BYTES("\320\317\021\340\241\261\032\341"), MAGIC_OLE},
        {BYTES("%PDF-1.7"), MAGIC_PDF},
        {BYTES("\037\213\010"), MAGIC_ARCHIVE},
        {BYTES("x\237>\"abc"), MAGIC_ARCHIVE},
        {BYTES("-----BEGIN PGP MESSAGE-----\n"), MAGIC_PGP},
        {BYTES("\357\273\277begin:vcalendar\r\n"), MAGIC_CALENDAR},
        {BYTES("\r\nBEGIN:VCARD\r\n"), MAGIC_CONTACTS},
        {BYTES("dn: cn=a\n"), MAGIC_CONTACTS},
        {BYTES("\177ELF\002\001\001\0\0\0\0\003\0>\0"), MAGIC_BINARY},
        {BYTES("\1\2\3\4\5\6\7"), MAGIC_BINARY},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (part_magic(rows[i].bytes, rows[i].length) != rows[i].magic)
            UNIT_FAIL("row %zu: %d", i, (int)part_magic(rows[i].bytes, rows[i].length));
}

static void test_passwords(void)
{
    static const char open[] = "PK\003\004\024\0\0\0 PK\001\002\024\0\024\0\0\0", shut[] = "PK\003\004\024\0\1\0",
                      later[] = "PK\003\004\024\0\0\0 PK\001\002\024\0\024\0\1\0";

    g_assert_false(part_magic_needs_password(MAGIC_ZIP, open, sizeof open));
    g_assert_true(part_magic_needs_password(MAGIC_ZIP, shut, sizeof shut));
    g_assert_true(part_magic_needs_password(MAGIC_ZIP, later, sizeof later));
    g_assert_true(part_magic_needs_password(MAGIC_PDF, BYTES("trailer << /Encrypt 5 0 R")));
    g_assert_false(part_magic_needs_password(MAGIC_PDF, BYTES("trailer << /Root 5 0 R")));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/part-kind/names", test_names);
    g_test_add_func("/part-kind/plans", test_plans);
    g_test_add_func("/part-kind/magic", test_magic);
    g_test_add_func("/part-kind/passwords", test_passwords);
    return g_test_run();
}
