/* encoded_words - see encoded_words.h */

#include "policy/message/encoded_words.h"

#include <glib.h>
#include <string.h>

/* A `=?` that begins no word: at one, GMime gives up. */
#define PARTED "=\u2060?"

/* "=?CHARSET?b?PAYLOAD?="; `end` is after it. */
struct word {
    const char *charset;
    const char *payload;
    const char *end;
    size_t charset_length;
    size_t payload_length;
    bool base64;
};

/* Character sets that hold ASCII and that every mail program knows; by how their names begin. */
static const char *const common_charsets[] = {"utf-8",       "utf8",   "us-ascii", "iso-8859-", "windows-125",
                                              "koi8-",       "gb2312", "gbk",      "gb18030",   "big5",
                                              "iso-2022-jp", "euc-",   "shift_jis"};

/* Character sets in which a zero byte is a part of other characters. */
static const char *const wide_charsets[] = {"utf-16", "utf16", "utf-32", "utf32", "ucs-", "ucs2", "ucs4", "iso-10646"};

static bool begins_with_any(const struct word *word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        if (word->charset_length >= length && g_ascii_strncasecmp(word->charset, names[i], length) == 0)
            return true;
    }
    return false;
}

static bool is_common(const struct word *word)
{
    return begins_with_any(word, common_charsets, G_N_ELEMENTS(common_charsets));
}

static bool is_wide(const struct word *word)
{
    return begins_with_any(word, wide_charsets, G_N_ELEMENTS(wide_charsets));
}

/*
 * Whether a word begins here; the text ends with a NUL.  `*close` is the next
 * "?=" that is known of, so that each is looked for once.
 */
static bool word_at(const char *text, struct word *word, const char **close)
{
    const char *p = text + 2, *next;

    if (text[0] != '=' || text[1] != '?')
        return false;
    word->charset = p;
    p += strcspn(p, "? \t\r\n\"()<>@,;:=");
    word->charset_length = strcspn(word->charset, "*? \t\r\n\"()<>@,;:="); /* without the language */
    if (word->charset_length == 0 || p[0] != '?' || p[1] == '\0' || strchr("bBqQ", p[1]) == NULL || p[2] != '?')
        return false;
    word->base64 = (p[1] | 0x20) == 'b';
    word->payload = p + 3;
    if (*close != NULL && *close < word->payload)
        *close = strstr(word->payload, "?=");
    if (*close == NULL)
        return false;
    word->payload_length = (size_t)(*close - word->payload);
    word->end = *close + 2;
    /* What holds the beginning of another word has no end of its own. */
    next = strstr(word->payload, "=?");
    return next == NULL || next + 1 >= *close; /* padding is before the end */
}

/* Whether somebody may be read in it by whose program does not decode it. */
static bool shows_raw(const struct word *word)
{
    if (!word->base64 && is_common(word))
        return false;
    for (size_t i = 0; i < word->payload_length; i++)
        if ((unsigned char)word->payload[i] >= 0x80 || word->payload[i] == '@')
            return true;
    return false;
}

/* Whether two names are one character set: in any case, "utf8" as "utf-8", in any language (RFC 2231 section 5). */
static bool same_charset(const struct word *a, const struct word *b)
{
    size_t i = 0, j = 0;

    for (;; i++, j++) {
        while (i < a->charset_length && strchr("-_", a->charset[i]) != NULL)
            i++;
        while (j < b->charset_length && strchr("-_", b->charset[j]) != NULL)
            j++;
        if (i == a->charset_length || j == b->charset_length)
            return i == a->charset_length && j == b->charset_length;
        if (g_ascii_tolower(a->charset[i]) != g_ascii_tolower(b->charset[j]))
            return false;
    }
}

/* A word begins in ASCII, also where the one before left off in kanji (RFC 2047 section 3). */
static void end_kanji(GByteArray *bytes, const struct word *word)
{
    static const char *const names[] = {"iso-2022-jp"};

    if (begins_with_any(word, names, 1))
        g_byte_array_append(bytes, (const guint8 *)"\033(B", 3);
}

static void append_quoted(GByteArray *bytes, const struct word *word)
{
    const char *end = word->payload + word->payload_length;

    for (const char *p = word->payload; p < end; p++) {
        guint8 byte = *p == '_' ? ' ' : (guint8)*p;
        if (*p == '=' && end - p > 2 && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            byte = (guint8)(g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]));
            p += 2;
        }
        g_byte_array_append(bytes, &byte, 1);
    }
}

/*
 * Padding ends a piece and not the word: mail programs join what was padded.  What
 * is not of the alphabet is passed over (RFC 2045 section 6.8).
 */
static void append_base64(GByteArray *bytes, const struct word *word)
{
    g_autofree char *piece = g_malloc(word->payload_length + 4);
    const char *end = word->payload + word->payload_length;

    for (const char *p = word->payload; p < end;) {
        size_t length = 0;
        gsize size;
        for (; p < end && *p != '='; p++)
            if (g_ascii_isalnum(*p) || *p == '+' || *p == '/')
                piece[length++] = *p;
        while (p < end && *p == '=')
            p++;
        if (length == 0)
            continue;
        while (length % 4 != 0)
            piece[length++] = '=';
        piece[length] = '\0';
        g_base64_decode_inplace(piece, &size);
        g_byte_array_append(bytes, (const guint8 *)piece, (guint)size);
    }
}

/*
 * As a Q word: GMime would join a base64 word with its neighbours by rules of its
 * own.  A NUL, which would end the text, becomes a blank.
 */
static void append_word(GString *mended, const struct word *word, const GByteArray *bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    bool wide = is_wide(word);

    g_string_append(mended, "=?");
    g_string_append_len(mended, word->charset, (gssize)word->charset_length);
    g_string_append(mended, "?q?");
    for (unsigned i = 0; i < bytes->len; i++) {
        unsigned char c = bytes->data[i] == '\0' && !wide ? ' ' : bytes->data[i];
        char escaped[] = {'=', digits[c >> 4], digits[c & 15]};
        if (g_ascii_isalnum(c))
            g_string_append_c(mended, (char)c);
        else
            g_string_append_len(mended, escaped, sizeof escaped);
    }
    g_string_append(mended, "?=");
}

static void append_base64_word(GString *mended, const struct word *word)
{
    g_string_append(mended, "=?");
    g_string_append_len(mended, word->charset, (gssize)word->charset_length);
    g_string_append(mended, "?b?");
    g_string_append_len(mended, word->payload, (gssize)word->payload_length);
    g_string_append(mended, "?=");
}

/*
 * Whether GMime reads a base64 word right as it is written, so that an address of which it is
 * a part keeps its spelling: one that is whole, and that no other word can follow.
 */
static bool is_canonical(const struct word *word, const char *end, const GByteArray *bytes)
{
    static const char *const shifting[] = {"iso-2022-jp"};

    if (!word->base64 || bytes->len == 0 || (*end != '@' && *end != '.') ||
        memchr(bytes->data, '\0', bytes->len) != NULL || begins_with_any(word, shifting, 1))
        return false;
    g_autofree char *again = g_base64_encode(bytes->data, bytes->len);
    return strlen(again) == word->payload_length && memcmp(again, word->payload, word->payload_length) == 0;
}

/* Appends a run of words that begins with `word`; returns what is after it. */
static const char *append_run(GString *mended, struct word word, const char **close, GByteArray *bytes, GString *shown)
{
    struct word next = word;
    const char *end;
    unsigned count = 0;

    g_byte_array_set_size(bytes, 0);
    do {
        count++;
        if (next.base64)
            append_base64(bytes, &next);
        else
            append_quoted(bytes, &next);
        end_kanji(bytes, &next);
        if (shows_raw(&next)) {
            g_string_append_len(shown, next.payload, (gssize)next.payload_length);
            g_string_append_c(shown, '\n');
        }
        end = next.end;
    } while (word_at(end + strspn(end, " \t\r\n"), &next, close) && same_charset(&word, &next));
    if (count == 1 && is_canonical(&word, end, bytes))
        append_base64_word(mended, &word);
    else
        append_word(mended, &word, bytes);
    return end;
}

bool words_read(const char *text, unsigned *count, words_decode decode, struct words *words)
{
    const char *start = strstr(text, "=?");
    const char *close = text;
    bool behind_word = false;

    if (start == NULL || *count > WORDS_LIMIT)
        return false;
    GString *mended = g_string_sized_new(strlen(text) + 16);
    GString *decoded = g_string_sized_new(strlen(text));
    GString *shown = g_string_new(NULL);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    for (; start != NULL; start = strstr(text, "=?")) {
        bool within = *count <= WORDS_LIMIT && ++*count <= WORDS_LIMIT;
        struct word word;
        bool is_word = within && word_at(start, &word, &close);
        g_string_append_len(mended, text, start - text);
        if (!is_word || !behind_word || text + strspn(text, " \t\r\n") < start)
            g_string_append_len(decoded, text, start - text);
        if (is_word) {
            size_t length = mended->len;
            text = append_run(mended, word, &close, bytes, shown);
            g_autofree char *meant = decode(mended->str + length);
            g_string_append(decoded, meant);
        } else {
            g_string_append(mended, PARTED);
            g_string_append(decoded, "=?");
            text = start + 2;
        }
        behind_word = is_word;
    }
    g_string_append(mended, text);
    g_string_append(decoded, text);
    words->mended = g_string_free(mended, FALSE);
    words->decoded = g_string_free(decoded, FALSE);
    words->raw = g_string_free(shown, FALSE);
    return true;
}

void words_clear(struct words *words)
{
    g_free(words->mended);
    g_free(words->decoded);
    g_free(words->raw);
}
