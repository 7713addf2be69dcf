/* part_kind - see part_kind.h */

#include <config.h>

#include "policy/parts/part_kind.h"

#include <glib.h>
#include <string.h>

/* Bytes that are looked at to tell a file from a text. */
#define SNIFFED 1024u

static const char *const kind_names[PART_KINDS] = {"calendar", "forwarded", "contacts", "table", "text"};
static const char *const opaque_names[OPAQUE_KINDS] = {"encrypted", "limits", "broken", "types"};

static const char *name_of(const char *const *names, unsigned count, unsigned bit)
{
    for (unsigned i = 0; i < count; i++)
        if (bit == 1u << i)
            return names[i];
    return NULL;
}

static unsigned bit_of(const char *const *names, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return 1u << i;
    return 0;
}

const char *part_kind_name(enum part_kind kind)
{
    return name_of(kind_names, PART_KINDS, kind);
}

unsigned part_kind_find(const char *name)
{
    return bit_of(kind_names, PART_KINDS, name);
}

const char *opaque_kind_name(enum opaque_kind kind)
{
    return name_of(opaque_names, OPAQUE_KINDS, kind);
}

unsigned opaque_kind_find(const char *name)
{
    return bit_of(opaque_names, OPAQUE_KINDS, name);
}

/* ---- by type and name */

/* What is known of a type; one that ends with a slash is a whole tree of them. */
static const struct known_type {
    const char *type;
    struct part_plan plan;
} types[] = {
    {"text/calendar", {.kinds = PART_CALENDAR, .text = true}},
    {"text/x-vcalendar", {.kinds = PART_CALENDAR, .text = true}},
    {"text/ics", {.kinds = PART_CALENDAR, .text = true}},
    {"application/ics", {.kinds = PART_CALENDAR, .text = true}},
    {"application/calendar+xml", {.kinds = PART_CALENDAR, .text = true, .html = true}},
    {"application/calendar+json", {.kinds = PART_CALENDAR, .text = true}},
    {"text/vcard", {.kinds = PART_CONTACTS, .text = true}},
    {"text/x-vcard", {.kinds = PART_CONTACTS, .text = true}},
    {"text/directory", {.kinds = PART_CONTACTS, .text = true}},
    {"text/ldif", {.kinds = PART_CONTACTS, .text = true}},
    {"text/x-ldif", {.kinds = PART_CONTACTS, .text = true}},
    {"application/vcard", {.kinds = PART_CONTACTS, .text = true}},
    {"application/vcard+xml", {.kinds = PART_CONTACTS, .text = true, .html = true}},
    {"application/vcard+json", {.kinds = PART_CONTACTS, .text = true}},
    {"application/ldif", {.kinds = PART_CONTACTS, .text = true}},
    {"application/x-ldif", {.kinds = PART_CONTACTS, .text = true}},
    {"text/csv", {.kinds = PART_TABLE, .text = true}},
    {"text/x-csv", {.kinds = PART_TABLE, .text = true}},
    {"text/comma-separated-values", {.kinds = PART_TABLE, .text = true}},
    {"text/tab-separated-values", {.kinds = PART_TABLE, .text = true}},
    {"text/tsv", {.kinds = PART_TABLE, .text = true}},
    {"application/csv", {.kinds = PART_TABLE, .text = true}},
    {"application/x-csv", {.kinds = PART_TABLE, .text = true}},
    {"application/vnd.ms-excel.csv", {.kinds = PART_TABLE, .text = true}},
    {"message/rfc822", {.message = true}},
    {"message/global", {.message = true}},
    {"message/news", {.message = true}},
    {"text/rfc822-headers", {.header = true}},
    {"message/global-headers", {.header = true}},
    /* A fragment of a message, and one that is somewhere else. */
    {"message/partial", {.kinds = PART_TEXT, .text = true, .opaque = OPAQUE_TYPES}},
    {"message/external-body", {.kinds = PART_TEXT, .text = true, .opaque = OPAQUE_TYPES}},
    {"message/", {.kinds = PART_TEXT, .text = true}},
    {"text/html", {.kinds = PART_TEXT, .text = true, .html = true}},
    {"text/enriched", {.kinds = PART_TEXT, .text = true, .html = true}},
    {"text/xml", {.kinds = PART_TEXT, .text = true, .html = true}},
    {"text/rtf", {.kinds = PART_TEXT, .text = true, .opaque = OPAQUE_TYPES}},
    {"text/richtext", {.kinds = PART_TEXT, .text = true, .html = true}},
    {"text/", {.kinds = PART_TEXT, .text = true}},
    {"application/rtf", {.kinds = PART_TEXT, .text = true, .opaque = OPAQUE_TYPES}},
    {"application/xml", {.kinds = PART_TEXT, .text = true, .html = true}},
    {"application/xhtml+xml", {.kinds = PART_TEXT, .text = true, .html = true}},
    {"image/svg+xml", {.kinds = PART_TEXT, .text = true, .html = true}},
    {"application/json", {.kinds = PART_TEXT, .text = true}},
    {"application/pgp-signature", {.harmless = true}},
    {"application/pkcs7-signature", {.harmless = true}},
    {"application/x-pkcs7-signature", {.harmless = true}},
    {"application/pgp-encrypted", {.opaque = OPAQUE_ENCRYPTED, .harmless = true}},
    {"application/x-microsoft-rpmsg-message", {.opaque = OPAQUE_ENCRYPTED, .harmless = true}},
    {"application/applefile", {.harmless = true}},
    {"image/", {.harmless = true}},
    {"audio/", {.harmless = true}},
    {"video/", {.harmless = true}},
    {"font/", {.harmless = true}},
};

static const struct known_name {
    const char *end;
    struct part_plan plan;
} names[] = {
    {"ics", {.kinds = PART_CALENDAR, .text = true}},
    {"ical", {.kinds = PART_CALENDAR, .text = true}},
    {"icalendar", {.kinds = PART_CALENDAR, .text = true}},
    {"ifb", {.kinds = PART_CALENDAR, .text = true}},
    {"vcs", {.kinds = PART_CALENDAR, .text = true}},
    {"vcf", {.kinds = PART_CONTACTS, .text = true}},
    {"vcard", {.kinds = PART_CONTACTS, .text = true}},
    {"ldif", {.kinds = PART_CONTACTS, .text = true}},
    {"ldi", {.kinds = PART_CONTACTS, .text = true}},
    {"csv", {.kinds = PART_TABLE, .text = true}},
    {"tsv", {.kinds = PART_TABLE, .text = true}},
    {"tab", {.kinds = PART_TABLE, .text = true}},
    {"eml", {.message = true}},
    {"mht", {.message = true}},
    {"mhtml", {.message = true}},
    {"htm", {.kinds = PART_TEXT, .html = true}},
    {"html", {.kinds = PART_TEXT, .html = true}},
    {"xml", {.kinds = PART_TEXT, .html = true}},
    {"svg", {.kinds = PART_TEXT, .html = true}},
    {"rtf", {.kinds = PART_TEXT, .opaque = OPAQUE_TYPES}},
    {"rpmsg", {.opaque = OPAQUE_ENCRYPTED}},
    {"gpg", {.opaque = OPAQUE_ENCRYPTED}},
    {"pgp", {.opaque = OPAQUE_ENCRYPTED}},
    {"pdf", {.opaque = OPAQUE_TYPES}},
    {"zip", {.opaque = OPAQUE_TYPES}},
    {"7z", {.opaque = OPAQUE_TYPES}},
    {"rar", {.opaque = OPAQUE_TYPES}},
    {"gz", {.opaque = OPAQUE_TYPES}},
    {"tgz", {.opaque = OPAQUE_TYPES}},
    {"tar", {.opaque = OPAQUE_TYPES}},
    {"bz2", {.opaque = OPAQUE_TYPES}},
    {"xz", {.opaque = OPAQUE_TYPES}},
    {"doc", {.opaque = OPAQUE_TYPES}},
    {"docx", {.opaque = OPAQUE_TYPES}},
    {"docm", {.opaque = OPAQUE_TYPES}},
    {"xls", {.opaque = OPAQUE_TYPES}},
    {"xlsx", {.opaque = OPAQUE_TYPES}},
    {"xlsm", {.opaque = OPAQUE_TYPES}},
    {"xlsb", {.opaque = OPAQUE_TYPES}},
    {"ppt", {.opaque = OPAQUE_TYPES}},
    {"pptx", {.opaque = OPAQUE_TYPES}},
    {"odt", {.opaque = OPAQUE_TYPES}},
    {"ods", {.opaque = OPAQUE_TYPES}},
    {"odp", {.opaque = OPAQUE_TYPES}},
    {"msg", {.opaque = OPAQUE_TYPES}},
    {"pst", {.opaque = OPAQUE_TYPES}},
    {"mdb", {.opaque = OPAQUE_TYPES}},
    {"accdb", {.opaque = OPAQUE_TYPES}},
    {"numbers", {.opaque = OPAQUE_TYPES}},
    {"pages", {.opaque = OPAQUE_TYPES}},
};

static struct part_plan plan_of_type(const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        size_t length = strlen(types[i].type);
        bool tree = types[i].type[length - 1] == '/';
        if (tree ? strncmp(type, types[i].type, length) == 0 : strcmp(type, types[i].type) == 0)
            return types[i].plan;
    }
    return (struct part_plan){0};
}

static struct part_plan plan_of_name(const char *name)
{
    const char *dot = name == NULL ? NULL : strrchr(name, '.');
    size_t length = dot == NULL ? 0 : strcspn(dot + 1, " \t\r\n\"';");
    for (size_t i = 0; length > 0 && i < G_N_ELEMENTS(names); i++)
        if (strlen(names[i].end) == length && g_ascii_strncasecmp(dot + 1, names[i].end, length) == 0)
            return names[i].plan;
    return (struct part_plan){0};
}

/* application/pkcs7-mime: what is only signed is a file that is not read; all else is taken for encrypted. */
static unsigned opaque_of_smime(const char *type, const char *smime)
{
    if (strcmp(type, "application/pkcs7-mime") != 0 && strcmp(type, "application/x-pkcs7-mime") != 0)
        return 0;
    bool readable = smime != NULL &&
                    (g_ascii_strcasecmp(smime, "signed-data") == 0 ||
                     g_ascii_strcasecmp(smime, "compressed-data") == 0 || g_ascii_strcasecmp(smime, "certs-only") == 0);
    return readable ? OPAQUE_TYPES : OPAQUE_ENCRYPTED;
}

/* Programs differ in which of two names they show. */
static struct part_plan plan_of_names(const char *name, const char *file)
{
    struct part_plan plan = plan_of_name(name), other = plan_of_name(file);

    plan.kinds |= other.kinds;
    plan.opaque |= other.opaque;
    plan.html = plan.html || other.html;
    plan.text = plan.text || other.text;
    plan.message = plan.message || other.message;
    return plan;
}

struct part_plan part_plan(const char *type, const char *name, const char *file, const char *smime)
{
    struct part_plan plan = plan_of_type(type), named = plan_of_names(name, file);
    unsigned smime_opaque = opaque_of_smime(type, smime);

    plan.kinds |= named.kinds;
    /* Text is what is nothing else. */
    if ((plan.kinds & ~(unsigned)PART_TEXT) != 0 && !plan.html)
        plan.kinds &= ~(unsigned)PART_TEXT;
    plan.opaque |= named.opaque | smime_opaque;
    plan.html = plan.html || named.html;
    plan.text = plan.text || named.text;
    if (named.message && (plan.kinds & ~(unsigned)PART_TEXT) == 0) {
        plan.message = true;
        plan.kinds = 0;
    }
    plan.harmless = (plan.harmless && named.kinds == 0) || smime_opaque != 0;
    return plan;
}

/* ---- by the first bytes */

static bool begins(const char *bytes, size_t length, const char *with, size_t with_length)
{
    return length >= with_length && memcmp(bytes, with, with_length) == 0;
}
#define BEGINS(with) begins(bytes, length, with, sizeof(with) - 1)

static bool begins_line(const char *bytes, size_t length, const char *word)
{
    size_t i = begins(bytes, length, "\357\273\277", 3) ? 3 : 0;

    while (i < length && g_ascii_isspace(bytes[i]))
        i++;
    return length - i >= strlen(word) && g_ascii_strncasecmp(bytes + i, word, strlen(word)) == 0;
}

/*
 * Text of 8 bits has no zero bytes and few control characters, but for those that change its character set; of 16 bits
 * it has a zero in nearly every pair.
 */
static bool looks_binary(const char *bytes, size_t length)
{
    static const char in_text[] = {'\0', '\033', '\016', '\017'};
    size_t controls = 0, zeros[2] = {0, 0};

    if (BEGINS("\377\376") || BEGINS("\376\377"))
        return false;
    for (size_t i = 0; i < length; i++) {
        zeros[i & 1] += bytes[i] == '\0';
        controls += g_ascii_iscntrl(bytes[i]) && !g_ascii_isspace(bytes[i]) &&
                    memchr(in_text, bytes[i], sizeof in_text) == NULL;
    }
    bool wide = MAX(zeros[0], zeros[1]) * 4 >= length && MIN(zeros[0], zeros[1]) * 16 <= length;
    return controls * 16 > length || (zeros[0] + zeros[1] > 0 && !wide);
}

enum part_magic part_magic(const char *bytes, size_t length)
{
    length = MIN(length, SNIFFED);
    if (BEGINS("PK\003\004") || BEGINS("PK\005\006") || BEGINS("PK\007\010"))
        return MAGIC_ZIP;
    if (BEGINS("\320\317\021\340\241\261\032\341"))
        return MAGIC_OLE;
    if (BEGINS("%PDF-") || (memmem(bytes, length, "\n%PDF-", 6) != NULL && looks_binary(bytes, length)))
        return MAGIC_PDF;
    if (BEGINS("\037\213") || BEGINS("BZh") || BEGINS("\3757zXZ") || BEGINS("7z\274\257\047\034") || BEGINS("Rar!") ||
        BEGINS("\050\265\057\375") || BEGINS("\x78\x9f\x3e\x22") ||
        (length > 262 && memcmp(bytes + 257, "ustar", 5) == 0))
        return MAGIC_ARCHIVE;
    if (begins_line(bytes, length, "-----BEGIN PGP MESSAGE-----"))
        return MAGIC_PGP;
    if (begins_line(bytes, length, "BEGIN:VCALENDAR"))
        return MAGIC_CALENDAR;
    if (begins_line(bytes, length, "BEGIN:VCARD") || begins_line(bytes, length, "dn: ") ||
        begins_line(bytes, length, "dn:: "))
        return MAGIC_CONTACTS;
    return looks_binary(bytes, length) ? MAGIC_BINARY : MAGIC_NONE;
}

unsigned part_magic_kind(enum part_magic magic)
{
    return magic == MAGIC_CALENDAR ? PART_CALENDAR : magic == MAGIC_CONTACTS ? PART_CONTACTS : 0;
}

bool part_magic_is_opaque(enum part_magic magic)
{
    return magic == MAGIC_ZIP || magic == MAGIC_OLE || magic == MAGIC_PDF || magic == MAGIC_ARCHIVE;
}

/* Bit 0 of the flags of a member: 6 bytes after its local header begins, 8 after its entry in the directory does. */
static bool zip_needs_password(const char *bytes, size_t length)
{
    const char *end = bytes + length;

    if (BEGINS("PK\003\004") && length > 6 && (bytes[6] & 1) != 0)
        return true;
    for (const char *p = bytes; (p = memmem(p, (size_t)(end - p), "PK\001\002", 4)) != NULL; p += 4)
        if (end - p > 8 && (p[8] & 1) != 0)
            return true;
    return false;
}

bool part_magic_needs_password(enum part_magic magic, const char *bytes, size_t length)
{
    static const char package[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";

    switch (magic) {
    case MAGIC_ZIP:
        return zip_needs_password(bytes, length);
    case MAGIC_OLE:
        return memmem(bytes, length, package, sizeof package - 1) != NULL;
    case MAGIC_PDF:
        return memmem(bytes, length, "/Encrypt", 8) != NULL;
    default:
        return false;
    }
}
