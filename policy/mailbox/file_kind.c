/* file_kind - see file_kind.h */

#include "policy/mailbox/file_kind.h"

#include "policy/mailbox/mailbox_lines.h"

#include <string.h>

/* Lines of a text in which a header is looked for, so that it can be said where it begins. */
#define TEXT_LINES 40u

/* Where a tar archive has its magic: POSIX pax(1), "ustar Interchange Format". */
#define TAR_MAGIC 257u

/* What is no mail as it is, and holds some; told by how it begins. */
static const struct {
    const char *name;
    const char *suffix; /* only if the file's name ends so; or NULL */
    unsigned length;
    const char *bytes;
} others[] = {
    {"an Outlook data file (.pst)", NULL, 4, "!BDN"},
    {"an Outlook message (.msg)", ".msg", 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"},
    {"an Outlook Express folder (.dbx)", NULL, 4, "\xcf\xad\x12\xfe"},
    {"a TNEF file (winmail.dat)", NULL, 4, "\x78\x9f\x3e\x22"},
    {"a cpio archive", NULL, 6, "070701"},
    {"an ar archive", NULL, 8, "!<arch>\n"},
    {"a Babyl file of Emacs", NULL, 14, "BABYL OPTIONS:"},
};

static struct wrapped none(const char *problem, unsigned place, bool mail)
{
    return (struct wrapped){.kind = WRAPPING_NONE, .problem = g_strdup(problem), .place = place, .mail = mail};
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), end = strlen(suffix);

    return length >= end && g_ascii_strcasecmp(name + length - end, suffix) == 0;
}

/* "2 M1a C5f0e9d3b": the first line of a file in Dovecot's own formats. */
static bool is_dbox(const char *bytes, size_t length)
{
    size_t i = 3;

    if (!mailline_begins(bytes, length, "2 M"))
        return false;
    while (i < length && g_ascii_isxdigit(bytes[i]))
        i++;
    return i > 3 && mailline_begins(bytes + i, length - i, " C");
}

/* A record of type C with sizes in columns, which postcat(1) shows as `message_size`. */
static bool is_queue_file(const char *bytes, size_t length)
{
    if (length < 40 || bytes[0] != 'C' || (unsigned char)bytes[1] < 15 || (unsigned char)bytes[1] > 127)
        return false;
    for (unsigned i = 2; i < 17; i++)
        if (bytes[i] != ' ' && !g_ascii_isdigit(bytes[i]))
            return false;
    return true;
}

/* What is known by name and not read; true with `found`. */
static bool look_other(const char *bytes, size_t length, const char *name, struct wrapped *found)
{
    const char *what = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(others) && what == NULL; i++)
        if (length >= others[i].length && memcmp(bytes, others[i].bytes, others[i].length) == 0 &&
            (others[i].suffix == NULL || ends_with(name, others[i].suffix)))
            what = others[i].name;
    if (what == NULL && length >= TAR_MAGIC + 5 && memcmp(bytes + TAR_MAGIC, "ustar", 5) == 0)
        what = "a tar archive";
    if (what == NULL && is_dbox(bytes, length))
        what = "a file of Dovecot's dbox";
    if (what != NULL) {
        g_autofree char *problem =
            g_strdup_printf("is %s, which is not read; expected the messages themselves, or a mailbox", what);
        *found = none(problem, 0, true);
        return true;
    }
    if (is_queue_file(bytes, length)) {
        *found = none("is a queue file of Postfix; expected what `postcat` prints of it", 0, true);
        return true;
    }
    return false;
}

/* UTF-16 is two bytes a character: a mark, or a NUL beside each of the first letters. */
static bool look_wide(const char *bytes, size_t length, struct wrapped *found)
{
    bool marked = length >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0);
    size_t skip = marked ? 2 : 0;
    size_t count = 0;

    if (!marked && (length < 8 || (bytes[0] == '\0') == (bytes[1] == '\0') || (bytes[2] == '\0') == (bytes[3] == '\0')))
        return false;
    g_autofree char *narrow = g_malloc(length + 1);
    for (size_t i = skip; i < length; i++)
        if (bytes[i] != '\0')
            narrow[count++] = bytes[i];
    narrow[count] = '\n';
    bool mail = mailline_find_mail_field(narrow, count + 1, TEXT_LINES) > 0;
    if (marked || mail)
        *found =
            none("is UTF-16, which no mail is; expected bytes, for example from `iconv -f UTF-16 -t UTF-8`", 0, mail);
    return marked || mail;
}

/* The length of the line at the beginning with its newline; 0 if it has none. */
static size_t next_line(const char *bytes, size_t length)
{
    const char *newline = memchr(bytes, '\n', length);

    return newline != NULL ? (size_t)(newline + 1 - bytes) : 0;
}

static bool has_only(const char *line, size_t length, const char *set)
{
    for (size_t i = 0; i < length; i++)
        if (strchr(set, line[i]) == NULL || line[i] == '\0')
            return false;
    return true;
}

/* "1764", and after it a field: RFC has none of it, it is how Apple Mail keeps a message. */
static bool is_emlx_length(const char *line, size_t length, size_t left)
{
    return g_ascii_isdigit(line[0]) && has_only(line, length, "0123456789 \r\n") && length < left &&
           mailline_is_field(line + length, left - length);
}

/* Skips what may be before a header. */
static void skip_before(const char *bytes, size_t length, struct wrapped *found)
{
    size_t line;

    if (mailline_begins(bytes, length, "\xef\xbb\xbf"))
        found->skip = 3;
    while ((line = next_line(bytes + found->skip, length - found->skip)) > 0 &&
           has_only(bytes + found->skip, line, " \t\r\n")) {
        found->skip += line;
        found->lines++;
    }
    if (line > 0 && (is_emlx_length(bytes + found->skip, line, length - found->skip) ||
                     mailline_begins(bytes + found->skip, line, "Microsoft Mail Internet Headers Version "))) {
        found->skip += line;
        found->lines++;
    }
}

/* A carriage return alone, and after it a field of mail: each line ends so. */
static bool has_bare_returns(const char *line, size_t length)
{
    const char *end = memchr(line, '\n', length), *at = line;

    if (end == NULL)
        end = line + length;
    while (at < end && (at = memchr(at, '\r', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && mailline_is_mail_field(at, (size_t)(end - at)))
            return true;
    }
    return false;
}

/* What the client or the server of SMTP says first. */
static bool is_dialogue(const char *line, size_t length)
{
    static const char *const words[] = {"220 ", "220-", "EHLO ", "HELO ", "LHLO ", "MAIL FROM:", "ehlo ", "helo "};

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (mailline_begins(line, length, words[i]))
            return true;
    return false;
}

/* A text that does not begin as mail does. */
static struct wrapped look_text(const char *text, size_t length, const struct wrapped *before)
{
    unsigned field = mailline_find_mail_field(text, length, TEXT_LINES);
    unsigned place = before->lines + 1;
    g_autofree char *problem = NULL;

    if (has_only(text, length, " \t\r\n"))
        return none("holds nothing but blanks; expected a message or a mailbox", 0, false);
    if (is_dialogue(text, length))
        return none("is an SMTP dialogue; expected the message alone, as it follows DATA", place, true);
    if (field > 0)
        problem = g_strdup_printf("is no header field, and text before a header hides it; expected what begins in "
                                  "line %u, alone",
                                  before->lines + field);
    struct wrapped found =
        none(problem != NULL ? problem : "is no header field; expected a message or a mailbox", place, field > 0);
    return found;
}

struct wrapped wrapping_look(const char *bytes, size_t length, bool whole, const char *name)
{
    struct wrapped found = {.kind = WRAPPING_MORE};

    /* However the bytes come in, the answer is the same. */
    if (length < WRAPPING_LOOK && !whole)
        return found;
    length = MIN(length, WRAPPING_LOOK);
    if (look_other(bytes, length, name, &found) || look_wide(bytes, length, &found))
        return found;
    skip_before(bytes, length, &found);
    const char *line = bytes + found.skip;
    size_t left = length - found.skip;
    /* A sentence may begin with "From " too. */
    if (left > 0 && mailline_is_from(line, left) && mailline_separator(line, left, true, true) != SEPARATOR_NO)
        found.kind = WRAPPING_MBOX;
    else if (mailline_begins(line, left, "\1\1\1\1\n") || mailline_begins(line, left, "\1\1\1\1\r\n"))
        found.kind = WRAPPING_MMDF;
    else if (mailline_begins(line, left, "*** ENVELOPE RECORDS "))
        found.kind = WRAPPING_POSTCAT;
    else if (left > 0 && (mailline_is_field(line, left) || mailline_begins(line, left, ">From ")))
        found.kind = WRAPPING_MESSAGE;
    else
        return look_text(line, left, &found);
    if (has_bare_returns(line, left))
        return none("has lines that end with a carriage return alone; expected line feeds, for example by "
                    "`tr '\\r' '\\n'`",
                    found.lines + 1, true);
    return found;
}

bool wrapping_is_document(const char *name)
{
    static const char *const suffixes[] = {".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp",
                                           ".odg",  ".epub", ".jar",  ".apk", ".xpi", ".pages"};

    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (ends_with(name, suffixes[i]))
            return true;
    return false;
}
