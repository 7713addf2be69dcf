/* escape - see escape.h */

#include "policy/base/escape.h"

#include "policy/base/unicode.h"

#include <string.h>

/* What means the rest of a value that was cut. */
#define REST        "..."
#define REST_LENGTH (sizeof REST - 1)

/* 1 for bytes that are as they are: 0x21 to 0x7E without "<>,=\ */
/* clang-format off */
static const unsigned char plain[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
    0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, /* 0x20 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, /* 0x30 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x40 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, /* 0x50 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x60 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, /* 0x70 */
};
/* clang-format on */

static void append_hex(GString *line, unsigned char byte)
{
    static const char hex[] = "0123456789ABCDEF";
    const char escape[4] = {'\\', 'x', hex[byte >> 4], hex[byte & 15]};

    g_string_append_len(line, escape, sizeof escape);
}

static bool is_plain(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!plain[(unsigned char)value[i]])
            return false;
    }
    return true;
}

void text_append_escaped(GString *line, const char *value, size_t length, size_t limit, bool blanks)
{
    size_t start = line->len;
    size_t fits = start;                              /* the line's length up to which REST would still fit */
    if (length <= limit && is_plain(value, length)) { /* most are */
        g_string_append_len(line, value, (gssize)length);
        return;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)value[i];
        if (plain[byte] || (byte == ' ' && blanks))
            g_string_append_c(line, (char)byte);
        else
            append_hex(line, byte);
        size_t used = line->len - start;
        if (used > limit) {
            g_string_truncate(line, fits);
            g_string_append_len(line, REST, REST_LENGTH);
            return;
        }
        if (used + REST_LENGTH <= limit)
            fits = line->len;
    }
}

void text_append_value(GString *line, const char *value, size_t length, size_t limit, bool blanks)
{
    if (length == 0)
        g_string_append_c(line, '-');
    else if (length == 1 && value[0] == '-')
        g_string_append(line, "\\x2D");
    else
        text_append_escaped(line, value, length, limit, blanks);
}

void text_append_cut(GString *line, const char *value, size_t limit)
{
    g_autofree char *valid = g_utf8_make_valid(value != NULL ? value : "", -1);
    size_t start = line->len;
    size_t fits = start; /* the line's length up to which REST would still fit */

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        if (!letter_is_shown(g_utf8_get_char(p)))
            continue;
        g_string_append_len(line, p, g_utf8_next_char(p) - p);
        if (line->len - start > limit) {
            g_string_truncate(line, fits);
            g_string_append_len(line, REST, REST_LENGTH);
            return;
        }
        if (line->len - start + REST_LENGTH <= limit)
            fits = line->len;
    }
    if (line->len == start)
        g_string_append_c(line, '-');
}

char *text_reply(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    char *reply = g_str_to_ascii(valid, "C");

    if (strlen(reply) > TEXT_REPLY_LIMIT)
        reply[TEXT_REPLY_LIMIT] = '\0';
    for (char *byte = reply; *byte != '\0'; byte++)
        if (*byte < ' ' || *byte > '~')
            *byte = '?';
    return reply;
}

char *text_printable(const char *text, size_t limit)
{
    GString *out = g_string_new(NULL);
    const char *end = text + strlen(text);
    while (text < end && out->len < limit) {
        gunichar character = g_utf8_get_char_validated(text, end - text);
        bool valid = character != (gunichar)-1 && character != (gunichar)-2;
        size_t length = valid ? (size_t)(g_utf8_next_char(text) - text) : 1;
        size_t before = out->len;
        /* Besides control characters, what turns the direction of text or breaks lines would forge what is read. */
        if (valid && letter_is_shown(character))
            g_string_append_len(out, text, (gssize)length);
        else
            for (size_t i = 0; i < length; i++)
                append_hex(out, (unsigned char)text[i]);
        if (out->len > limit) {
            g_string_truncate(out, before);
            break;
        }
        text += length;
    }
    return g_string_free(out, FALSE);
}
