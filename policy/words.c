/* words - see words.h */

#include "words.h"

#include <glib.h>
#include <string.h>

/* "=?CHARSET?b?PAYLOAD?="; `end` is behind it. */
struct word {
    const char *charset;
    const char *payload;
    const char *end;
    size_t charset_length;
    size_t payload_length;
    bool base64;
};

/* Whether a word begins here; the text ends with a NUL. */
static bool word_at(const char *text, struct word *word)
{
    const char *p = text + 2;

    if (text[0] != '=' || text[1] != '?')
        return false;
    word->charset = p;
    p += strcspn(p, "? \t\r\n\"()<>@,;:=");
    word->charset_length = (size_t)(p - word->charset);
    if (word->charset_length == 0 || p[0] != '?' || p[1] == '\0' || strchr("bBqQ", p[1]) == NULL || p[2] != '?')
        return false;
    word->base64 = (p[1] | 0x20) == 'b';
    word->payload = p += 3;
    p += strcspn(p, "? \t\r\n");
    word->payload_length = (size_t)(p - word->payload);
    word->end = p + 2;
    return p[0] == '?' && p[1] == '=';
}

static bool is_base64(const struct word *word)
{
    for (size_t i = 0; i < word->payload_length; i++)
        if (!g_ascii_isalnum(word->payload[i]) && strchr("+/=", word->payload[i]) == NULL)
            return false;
    return word->base64;
}

static bool same_charset(const struct word *a, const struct word *b)
{
    return a->charset_length == b->charset_length &&
           g_ascii_strncasecmp(a->charset, b->charset, a->charset_length) == 0;
}

/* Padding ends a piece and not the word: mailers join what was padded. */
static void append_payload(GByteArray *bytes, const struct word *word)
{
    g_autofree char *piece = g_malloc(word->payload_length + 4);
    const char *end = word->payload + word->payload_length;

    for (const char *p = word->payload; p < end; p += strspn(p, "=")) {
        size_t length = strcspn(p, "=?");
        gsize size;
        memcpy(piece, p, length);
        p += length;
        if (length == 0)
            continue;
        while (length % 4 != 0)
            piece[length++] = '=';
        piece[length] = '\0';
        g_base64_decode_inplace(piece, &size);
        g_byte_array_append(bytes, (const guint8 *)piece, (guint)size);
    }
}

/* Appends a run of base64 words that begins with `word`; returns what stands behind it. */
static const char *append_run(GString *mended, struct word word, GByteArray *bytes)
{
    g_autofree char *payload = NULL;
    struct word next = word;
    const char *end;

    g_byte_array_set_size(bytes, 0);
    do {
        append_payload(bytes, &next);
        end = next.end;
    } while (word_at(end + strspn(end, " \t\r\n"), &next) && is_base64(&next) && same_charset(&word, &next));
    payload = g_base64_encode(bytes->data, bytes->len);
    g_string_append(mended, "=?");
    g_string_append_len(mended, word.charset, (gssize)word.charset_length);
    g_string_append(mended, "?b?");
    g_string_append(mended, payload);
    g_string_append(mended, "?=");
    return end;
}

char *words_mend(const char *text)
{
    const char *start = strstr(text, "=?");
    g_autoptr(GByteArray) bytes = NULL;
    GString *mended;

    if (start == NULL)
        return NULL;
    mended = g_string_sized_new(strlen(text) + 16);
    bytes = g_byte_array_new();
    for (; start != NULL; start = strstr(text, "=?")) {
        struct word word;
        g_string_append_len(mended, text, start - text);
        if (word_at(start, &word) && is_base64(&word)) {
            text = append_run(mended, word, bytes);
        } else {
            g_string_append_len(mended, start, 2);
            text = start + 2;
        }
    }
    g_string_append(mended, text);
    return g_string_free(mended, FALSE);
}

bool words_find(const char *text, size_t length, size_t from, size_t *start, size_t *end)
{
    struct word word;

    for (const char *p = text + from; p < text + length && (p = strstr(p, "=?")) != NULL; p += 2) {
        if (word_at(p, &word)) {
            *start = (size_t)(p - text);
            *end = (size_t)(word.end - text);
            return true;
        }
    }
    return false;
}
