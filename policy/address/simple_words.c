/* simple_words - see simple_words.h */

#include "policy/address/simple_words.h"

#include "policy/base/unicode.h"

#include <glib.h>
#include <string.h>

/* Bytes that a run may mean, and of one base64 word; and of blanks in a row. */
#define DECODED_LIMIT 512u
#define BLANKS_LIMIT  100u

enum charset_kind {
    CHARSET_NONE,
    CHARSET_ASCII,
    CHARSET_UTF8,
    CHARSET_BYTES, /* one byte a character, ASCII below 0x80; this and all further numbers */
};

/* Names of one number are the same character set to words_read too. */
static const struct {
    const char *name;
    unsigned length;
    unsigned number;
} charsets[] = {
#define CHARSET(name, number)                                                                                          \
    {                                                                                                                  \
        (name), sizeof(name) - 1, (number)                                                                             \
    }
    CHARSET("utf-8", CHARSET_UTF8),
    CHARSET("iso-8859-1", CHARSET_BYTES),
    CHARSET("windows-1252", CHARSET_BYTES + 1),
    CHARSET("us-ascii", CHARSET_ASCII),
    CHARSET("utf8", CHARSET_UTF8),
    CHARSET("iso-8859-2", CHARSET_BYTES + 2),
    CHARSET("iso-8859-3", CHARSET_BYTES + 3),
    CHARSET("iso-8859-4", CHARSET_BYTES + 4),
    CHARSET("iso-8859-5", CHARSET_BYTES + 5),
    CHARSET("iso-8859-7", CHARSET_BYTES + 6),
    CHARSET("iso-8859-9", CHARSET_BYTES + 7),
    CHARSET("iso-8859-10", CHARSET_BYTES + 8),
    CHARSET("iso-8859-13", CHARSET_BYTES + 9),
    CHARSET("iso-8859-14", CHARSET_BYTES + 10),
    CHARSET("iso-8859-15", CHARSET_BYTES + 11),
    CHARSET("iso-8859-16", CHARSET_BYTES + 12),
    CHARSET("windows-1250", CHARSET_BYTES + 13),
    CHARSET("windows-1251", CHARSET_BYTES + 14),
    CHARSET("windows-1253", CHARSET_BYTES + 15),
    CHARSET("windows-1254", CHARSET_BYTES + 16),
    CHARSET("windows-1257", CHARSET_BYTES + 17),
    CHARSET("koi8-r", CHARSET_BYTES + 18),
    CHARSET("koi8-u", CHARSET_BYTES + 19),
#undef CHARSET
};

/* What a run means so far. */
struct decoded {
    unsigned char bytes[DECODED_LIMIT];
    size_t length;
};

enum byte_class {
    PAYLOAD = 1, /* in a Q word, as it is */
    PLAIN = 2,   /* a letter or digit: one byte in a Q word of words_read, all others are three */
    QUIET = 4,   /* harmless in what a word means; what is not has to be looked at */
};

static unsigned char classes[256];

static void __attribute__((constructor)) classes_fill(void)
{
    for (int c = ' '; c <= '~'; c++) {
        if (g_ascii_isalnum(c))
            classes[c] = PAYLOAD | PLAIN;
        else if (strchr("!*+-/.'&", c) != NULL)
            classes[c] = PAYLOAD;
        if (strchr("@\"<>\\()", c) == NULL)
            classes[c] |= QUIET;
    }
}

static bool is(char c, int class)
{
    return (classes[(unsigned char)c] & class) != 0;
}

/* All separators and brackets of other scripts (letter_ascii_equal) come after the Greek question mark. */
#define FIRST_EQUAL 0x37e

const char *simple_blanks(const char *text)
{
    const char *p = text;

    while (p - text < BLANKS_LIMIT) {
        if (*p == ' ' || *p == '\t')
            p++;
        else if (*p == '\n' && (p[1] == ' ' || p[1] == '\t'))
            p += 2;
        else if (*p == '\r' && p[1] == '\n' && (p[2] == ' ' || p[2] == '\t'))
            p += 3;
        else
            break;
    }
    return p;
}

static unsigned charset_number(const char *name, size_t length)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(charsets); i++)
        if (charsets[i].length == length && g_ascii_strncasecmp(charsets[i].name, name, length) == 0)
            return charsets[i].number;
    return CHARSET_NONE;
}

/* Reads up to the `?` that ends a Q word; NULL if it is not accepted. */
static const char *read_quoted(const char *p, struct decoded *decoded)
{
    unsigned char *to = decoded->bytes + decoded->length, *end = decoded->bytes + DECODED_LIMIT;

    for (; *p != '?'; p++) {
        if (to == end)
            return NULL;
        if (is(*p, PAYLOAD)) {
            *to++ = (unsigned char)*p;
        } else if (*p == '=' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            *to++ = (unsigned char)(g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]));
            p += 2;
        } else if (*p == '_') {
            *to++ = ' ';
        } else {
            return NULL;
        }
    }
    decoded->length = (size_t)(to - decoded->bytes);
    return p;
}

/* The same of a base64 word. */
static const char *read_base64(const char *p, struct decoded *decoded)
{
    const char *start = p;
    gint state = 0;
    guint save = 0;
    size_t padding = 0;

    while (g_ascii_isalnum(*p) || *p == '+' || *p == '/')
        p++;
    size_t length = (size_t)(p - start);
    while (p[padding] == '=')
        padding++;
    /* Three bytes of four letters, and g_base64_decode_step() writes no more than that. */
    if (padding > 2 || (length + padding) % 4 != 0 || (length + padding) / 4 * 3 > DECODED_LIMIT - decoded->length)
        return NULL;
    decoded->length += g_base64_decode_step(start, length + padding, decoded->bytes + decoded->length, &state, &save);
    return p[padding] == '?' ? p + padding : NULL;
}

/* Reads one word; `*number`: of its character set, and `*named`: the bytes of its name.  After it, or NULL. */
static const char *read_word(const char *text, struct decoded *decoded, unsigned *number, size_t *named)
{
    const char *name = text + 2, *p = name;
    size_t before = decoded->length;

    if (text[0] != '=' || text[1] != '?')
        return NULL;
    while (g_ascii_isalnum(*p) || *p == '-')
        p++;
    *named = (size_t)(p - name);
    *number = charset_number(name, *named);
    if (*number == CHARSET_NONE || p[0] != '?' || p[1] == '\0' || p[2] != '?')
        return NULL;
    switch (p[1]) {
    case 'q':
    case 'Q':
        p = read_quoted(p + 3, decoded);
        break;
    case 'b':
    case 'B':
        p = read_base64(p + 3, decoded);
        break;
    default:
        return NULL;
    }
    return p != NULL && p[1] == '=' && decoded->length > before ? p + 2 : NULL;
}

/* Whether a character, as it looks, could be a part of an address or hide one; `*open`: parentheses. */
static bool is_harmless(gunichar c, unsigned *open)
{
    char equal = c < 0x80 ? (char)c : letter_ascii_equal(c);

    switch (equal) {
    case '@':
    case '"':
    case '<':
    case '>':
    case '\\':
    case 0x7f:
        return false;
    case '(':
        ++*open;
        return true;
    case ')':
        return (*open)-- > 0;
    default:
        return c >= 0x20;
    }
}

/* Whether what a run means is accepted; `*mended`: the bytes that a Q word needs for it. */
static bool check_decoded(const struct decoded *decoded, unsigned charset, size_t *mended)
{
    const char *text = (const char *)decoded->bytes, *end = text + decoded->length;
    unsigned open = 0;
    bool ascii = true;

    for (const char *p = text; p < end; p++) {
        *mended += is(*p, PLAIN) ? 1 : 3;
        if (is(*p, QUIET))
            continue;
        if ((unsigned char)*p >= 0x80)
            ascii = false;
        else if (!is_harmless((gunichar)*p, &open))
            return false;
    }
    if (ascii || charset >= CHARSET_BYTES)
        return open == 0;
    if (charset != CHARSET_UTF8 || !g_utf8_validate(text, end - text, NULL))
        return false;
    open = 0;
    for (const char *p = text; p < end; p = g_utf8_next_char(p)) {
        if (is(*p, QUIET))
            continue;
        /* A letter of two bytes is read without looking it up. */
        gunichar c = (*p & 0xe0) == 0xc0 ? (gunichar)(*p & 0x1f) << 6 | (p[1] & 0x3f) : g_utf8_get_char(p);
        if ((c < 0x80 || c >= FIRST_EQUAL) && !is_harmless(c, &open))
            return false;
    }
    return open == 0;
}

bool simple_words_read(const char *text, struct simple_words *words)
{
    struct decoded decoded;
    unsigned charset, number;
    size_t name, other;

    decoded.length = 0;
    words->end = read_word(text, &decoded, &charset, &name);
    if (words->end == NULL)
        return false;
    for (;;) {
        size_t length = decoded.length;
        const char *next = simple_blanks(words->end);
        if (next[0] != '=' || next[1] != '?')
            break;
        next = read_word(next, &decoded, &number, &other);
        if (next == NULL)
            return false;
        if (number != charset) {
            decoded.length = length; /* the next run */
            break;
        }
        words->end = next;
    }
    words->mended = strlen("=?"
                           "?q?"
                           "?=") +
                    name;
    return check_decoded(&decoded, charset, &words->mended);
}
