/* leaf_part - see leaf_part.h */

#include <config.h>

#include "policy/parts/leaf_part.h"

#include "policy/parts/charset_decode.h"
#include "policy/parts/html_strip.h"
#include "policy/parts/transfer_decode.h"

#include <string.h>

/* Bytes that are decoded at once, and of text that are scanned at once. */
#define BLOCK 16384u
#define PIECE 65536u

/* Bytes that two pieces share where no line ends: longer than an address. */
#define OVERLAP 512u

/* Bytes that are there before it is decided what a part is. */
#define FIRST 1024u

void leaf_readers_init(struct leaf_readers *readers, struct part_scan *scan)
{
    *readers = (struct leaf_readers){.scan = scan, .calendar = {.scan = scan}, .contacts = {.scan = scan}};
    content_lines_start(&readers->calendar_lines, calendar_part_line, &readers->calendar);
    content_lines_start(&readers->contacts_lines, contacts_part_line, &readers->contacts);
}

void leaf_readers_clear(struct leaf_readers *readers)
{
    content_lines_clear(&readers->calendar_lines);
    content_lines_clear(&readers->contacts_lines);
}

bool leaf_readers_exhausted(const struct leaf_readers *readers)
{
    return readers->quoted.exhausted || readers->calendar_lines.exhausted || readers->contacts_lines.exhausted ||
           readers->scan->exhausted || readers->scan->idna.exhausted;
}

/* One part while it is read. */
struct leaf {
    struct leaf_readers *readers;
    const struct leaf_part *part;
    struct leaf_result result;
    enum part_magic magic;
    bool begun;
    enum { LEAF_SKIPPED, LEAF_TEXT, LEAF_FILE } mode;
    struct charset_decode charset;
    struct html_strip html;
    GString *utf8; /* of one block */
    GString *text; /* of one piece, without tags */
    bool within;   /* the piece begins within a line */
};

/* ---- text */

/* What is put into texts by programs that know no MIME. */
static unsigned opaque_in_text(const char *text, size_t length)
{
    const char *end = text + length;
    unsigned opaque = 0;

    if (memmem(text, length, "BEGIN PGP MESSAGE-----", 22) != NULL)
        opaque |= OPAQUE_ENCRYPTED;
    /* A mailbox or a message that does not say that it is one: its parts are not decoded. */
    if (memmem(text, length, "-Encoding: base64", 17) != NULL || memmem(text, length, "\n=ybegin ", 9) != NULL)
        opaque |= OPAQUE_TYPES;
    for (const char *p = text; p != NULL && end - p > 10; p = memmem(p, (size_t)(end - p), "\nbegin ", 7)) {
        p += *p == '\n';
        if (end - p > 10 && memcmp(p, "begin ", 6) == 0 && strspn(p + 6, "01234567") == 3 && p[9] == ' ')
            opaque |= OPAQUE_TYPES;
    }
    return opaque;
}

/* Commas, semicolons and tabs end an address; a bar, which may be between cells too, does not. */
static void scan_table(struct leaf *leaf, const char *text, size_t length)
{
    g_autofree char *cells = memchr(text, '|', length) == NULL ? NULL : g_strndup(text, length);

    for (size_t i = 0; cells != NULL && i < length; i++)
        cells[i] = text[i] == '|' ? '\t' : text[i];
    part_scan_text(leaf->readers->scan, cells != NULL ? cells : text, length, PART_TABLE, true);
}

static void scan_piece(struct leaf *leaf, const char *text, size_t length)
{
    if ((leaf->result.kinds & PART_TABLE) != 0)
        scan_table(leaf, text, length);
    if ((leaf->result.kinds & PART_TEXT) == 0)
        return;
    leaf->result.opaque |= opaque_in_text(text, length);
    quoted_headers_take(&leaf->readers->quoted, leaf->readers->scan, text, length, leaf->within, PART_TEXT);
}

/* Where a piece ends: after its last line, if one ends in its second half; or else anywhere. */
static size_t piece_end(const GString *text)
{
    for (size_t end = text->len; end > text->len / 2; end--)
        if (text->str[end - 1] == '\n')
            return end;
    return text->len;
}

/* After the last byte before `at` that is in no address, if one is near; or else `at`, or where its letter begins. */
static size_t before_address(const GString *text, size_t at)
{
    size_t near = at;

    while (near > 0 && at - near < OVERLAP && strchr(" \t\r\n,;<>()\"", text->str[near - 1]) == NULL)
        near--;
    if (near > 0 && at - near < OVERLAP)
        return near;
    while (at > 0 && at < text->len && ((unsigned char)text->str[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/*
 * Where the next piece begins: an address may go on in the next line, or in the same one.  What both of them have is
 * found twice, and counts once.
 */
static size_t next_begin(const GString *text, size_t end)
{
    size_t line = end - 1;

    if (text->str[end - 1] != '\n')
        return before_address(text, end - OVERLAP);
    while (line > 0 && text->str[line - 1] != '\n' && end - line < OVERLAP)
        line--;
    return line > 0 && text->str[line - 1] == '\n' ? line : end;
}

/* Scans what is there of a text, if it is enough for a piece. */
static void take_text(struct leaf *leaf, bool last)
{
    GString *text = leaf->text;

    while (!last && text->len >= PIECE) {
        size_t end = piece_end(text);
        bool line = text->str[end - 1] == '\n';
        if (!line)
            end = before_address(text, end);
        scan_piece(leaf, text->str, end);
        leaf->within = !line;
        g_string_erase(text, 0, (gssize)next_begin(text, end));
    }
    if (last && text->len > 0)
        scan_piece(leaf, text->str, text->len);
}

static void take_utf8(struct leaf *leaf, bool last)
{
    struct leaf_readers *readers = leaf->readers;
    GString *utf8 = leaf->utf8;

    /* Lines that end in a carriage return alone, as those of old programs. */
    if (memchr(utf8->str, '\n', utf8->len) == NULL)
        for (char *end = utf8->str; (end = memchr(end, '\r', utf8->len - (size_t)(end - utf8->str))) != NULL;)
            *end++ = '\n';
    if ((leaf->result.kinds & PART_CALENDAR) != 0)
        content_lines_take(&readers->calendar_lines, utf8->str, utf8->len);
    if ((leaf->result.kinds & PART_CONTACTS) != 0)
        content_lines_take(&readers->contacts_lines, utf8->str, utf8->len);
    if ((leaf->result.kinds & (PART_TABLE | PART_TEXT)) == 0)
        return;
    if (leaf->part->plan.html)
        html_strip(&leaf->html, utf8->str, utf8->len, last, leaf->text);
    else
        g_string_append_len(leaf->text, utf8->str, (gssize)utf8->len);
    take_text(leaf, last);
}

static void begin_text(struct leaf *leaf, const char *bytes, size_t length)
{
    leaf->mode = LEAF_TEXT;
    leaf->result.kinds = leaf->part->plan.kinds | part_magic_kind(leaf->magic);
    if (leaf->result.kinds == 0)
        leaf->result.kinds = PART_TEXT;
    charset_start(&leaf->charset, leaf->part->charset, bytes, length);
    leaf->utf8 = g_string_new(NULL);
    leaf->text = g_string_new(NULL);
    leaf->within = false;
    leaf->html = (struct html_strip){0};
    quoted_headers_begin(&leaf->readers->quoted);
}

static void end_text(struct leaf *leaf)
{
    g_string_truncate(leaf->utf8, 0);
    take_utf8(leaf, true);
    if ((leaf->result.kinds & PART_CALENDAR) != 0)
        content_lines_end(&leaf->readers->calendar_lines);
    if ((leaf->result.kinds & PART_CONTACTS) != 0)
        content_lines_end(&leaf->readers->contacts_lines);
    if (charset_end(&leaf->charset))
        leaf->result.opaque |= OPAQUE_BROKEN;
    g_string_free(leaf->utf8, TRUE);
    g_string_free(leaf->text, TRUE);
}

/* ---- what a part is */

/* By its header and its first bytes. */
static void begin(struct leaf *leaf, const char *bytes, size_t length)
{
    const struct part_plan *plan = &leaf->part->plan;

    leaf->begun = true;
    leaf->mode = LEAF_SKIPPED;
    leaf->magic = part_magic(bytes, length);
    if (part_magic_is_opaque(leaf->magic)) {
        leaf->result.opaque |= OPAQUE_TYPES;
        leaf->mode = LEAF_FILE;
        return;
    }
    if (leaf->magic == MAGIC_PGP)
        leaf->result.opaque |= OPAQUE_ENCRYPTED;
    if (leaf->magic == MAGIC_BINARY && !plan->harmless)
        leaf->result.opaque |= OPAQUE_TYPES;
    /* A picture that is text is none. */
    if (plan->text || leaf->magic != MAGIC_BINARY)
        begin_text(leaf, bytes, length);
}

static void take(struct leaf *leaf, const char *bytes, size_t length)
{
    if (leaf->mode == LEAF_TEXT) {
        g_string_truncate(leaf->utf8, 0);
        charset_take(&leaf->charset, bytes, length, leaf->utf8);
        take_utf8(leaf, false);
    } else if (leaf->mode == LEAF_FILE && part_magic_needs_password(leaf->magic, bytes, length)) {
        leaf->result.opaque |= OPAQUE_ENCRYPTED;
    }
}

/* Decodes the part; false: its encoding is broken. */
static bool read_encoded(struct leaf *leaf, enum transfer_encoding encoding)
{
    const struct leaf_part *part = leaf->part;
    struct transfer_decode decode;
    g_autoptr(GString) out = g_string_new(NULL);

    transfer_start(&decode, encoding);
    leaf->begun = false;
    for (size_t at = 0; at < part->length;) {
        size_t block = MIN(part->length - at, BLOCK);
        bool last = at + block == part->length;
        transfer_take(&decode, part->bytes + at, block, last, out);
        at += block;
        if (!leaf->begun && out->len < FIRST && !last)
            continue;
        if (!leaf->begun)
            begin(leaf, out->str, out->len);
        leaf->result.size += out->len;
        take(leaf, out->str, out->len);
        g_string_truncate(out, 0);
        if (leaf->mode == LEAF_SKIPPED)
            break;
    }
    if (leaf->begun && leaf->mode == LEAF_TEXT)
        end_text(leaf);
    return !decode.broken;
}

struct leaf_result leaf_part_read(struct leaf_readers *readers, const struct leaf_part *part)
{
    struct leaf leaf = {.readers = readers, .part = part, .result = {.opaque = part->plan.opaque}};
    enum transfer_encoding encoding = transfer_encoding(part->encoding);

    if (read_encoded(&leaf, encoding))
        return leaf.result;
    /* Programs differ in what they make of it, or show it as it is. */
    if (!leaf.begun || leaf.mode != LEAF_SKIPPED)
        leaf.result.opaque |= OPAQUE_BROKEN;
    if (encoding != TRANSFER_UNKNOWN && (!leaf.begun || leaf.mode == LEAF_TEXT)) {
        struct leaf_result result = leaf.result;
        read_encoded(&leaf, TRANSFER_PLAIN);
        leaf.result.opaque |= result.opaque;
        leaf.result.kinds |= result.kinds;
        leaf.result.size = result.size;
    }
    return leaf.result;
}
