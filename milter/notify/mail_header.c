/* mail_header - see mail_header.h */

#include "milter/notify/mail_header.h"

#include <stdbool.h>
#include <string.h>

/* Characters of a line; of one with an encoded-word; of an encoded-word, and what of it is not the text. */
#define LINE_LIMIT  78
#define CODED_LIMIT 76
#define WORD_LIMIT  75
#define WORD_BEGIN  "=?UTF-8?"
#define WORD_END    "?="
#define WORD_FRAME  (sizeof WORD_BEGIN WORD_END - 1 + 2)

/* A longer word is encoded: there is no blank in it at which its line could be folded. */
#define PLAIN_LIMIT 60

/* ---- lines */

static size_t column(const GString *out)
{
    const char *newline = strrchr(out->str, '\n');
    return newline == NULL ? out->len : (size_t)(out->str + out->len - newline) - 1;
}

/* Begins a line with the blanks that are at the end, or with one. */
static void fold(GString *out)
{
    gsize at = out->len;
    while (at > 0 && out->str[at - 1] == ' ')
        at--;
    if (at == out->len)
        g_string_append_c(out, ' ');
    g_string_insert_c(out, (gssize)at, '\n');
}

/* Words and their blanks as they are. */
static void append_plain(GString *out, const char *text, const char *end)
{
    while (text < end) {
        size_t blanks = strspn(text, " ");
        blanks = MIN(blanks, (size_t)(end - text));
        g_string_append_len(out, text, (gssize)blanks);
        text += blanks;
        size_t length = strcspn(text, " ");
        length = MIN(length, (size_t)(end - text));
        if (length > 0 && column(out) + length > LINE_LIMIT)
            fold(out);
        g_string_append_len(out, text, (gssize)length);
        text += length;
    }
}

/* ---- encoded-words */

static bool is_literal(char c)
{
    return g_ascii_isalnum(c) || (c != '\0' && strchr("!*+-/", c) != NULL);
}

/* Characters of some bytes in the Q encoding. */
static size_t quoted_length(const char *text, const char *end)
{
    size_t length = 0;
    for (; text < end; text++)
        length += is_literal(*text) || *text == ' ' ? 1 : 3;
    return length;
}

static size_t base64_length(const char *text, const char *end)
{
    return ((size_t)(end - text) + 2) / 3 * 4;
}

static void append_quoted(GString *out, const char *text, const char *end)
{
    for (; text < end; text++) {
        if (is_literal(*text))
            g_string_append_c(out, *text);
        else if (*text == ' ')
            g_string_append_c(out, '_');
        else
            g_string_append_printf(out, "=%02X", (guchar)*text);
    }
}

static void append_word(GString *out, const char *text, const char *end, bool quoted)
{
    g_string_append(out, quoted ? WORD_BEGIN "q?" : WORD_BEGIN "b?");
    if (quoted) {
        append_quoted(out, text, end);
    } else {
        g_autofree char *code = g_base64_encode((const guchar *)text, (gsize)(end - text));
        g_string_append(out, code);
    }
    g_string_append(out, WORD_END);
}

/* Whole characters, as many as a word on this line can take; the encoding is the one that takes less in all. */
static void append_encoded(GString *out, const char *text, const char *end)
{
    bool quoted = quoted_length(text, end) < base64_length(text, end);
    while (text < end) {
        const size_t used = column(out) + WORD_FRAME;
        const size_t room = used >= CODED_LIMIT ? 0 : MIN(CODED_LIMIT - used, WORD_LIMIT - WORD_FRAME);
        const char *stop = text;
        while (stop < end) {
            const char *next = g_utf8_next_char(stop);
            if ((quoted ? quoted_length(text, next) : base64_length(text, next)) > room)
                break;
            stop = next;
        }
        if (stop > text)
            append_word(out, text, stop, quoted);
        text = stop;
        if (text < end)
            fold(out);
    }
}

/* ---- a field */

static bool is_plain(const char *word, size_t length)
{
    if (length > PLAIN_LIMIT || g_strstr_len(word, (gssize)length, "=?") != NULL)
        return false;
    for (size_t i = 0; i < length; i++) {
        if ((guchar)word[i] >= 0x80)
            return false;
    }
    return true;
}

/*
 * From the first word that is to be encoded to the end of the last one; both at the end if there is none.  Of the
 * blanks before it all but one belong to it: a line can be folded at that one alone, however many there are.
 */
static void find_encoded(const char *text, const char **begin, const char **end)
{
    const char *start = text;
    *begin = *end = NULL;
    while (*text != '\0') {
        const char *blanks = text;
        text += strspn(text, " ");
        size_t length = strcspn(text, " ");
        if (!is_plain(text, length)) {
            *begin = *begin != NULL ? *begin : blanks + (blanks > start);
            *end = text + length;
        }
        text += length;
    }
    if (*begin == NULL)
        *begin = *end = text;
}

void mail_header_append_text(GString *out, const char *name, const char *text)
{
    const char *begin, *end;
    g_autofree char *line = g_strchomp(g_strdup(text));
    find_encoded(line, &begin, &end);
    g_string_append_printf(out, "%s: ", name);
    append_plain(out, line, begin);
    append_encoded(out, begin, end);
    append_plain(out, end, end + strlen(end));
    g_string_append_c(out, '\n');
}

void mail_header_append(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, "%s: ", name);
    append_plain(out, text, text + strlen(text));
    g_string_append_c(out, '\n');
}
