/* unicode - see unicode.h */

#include "policy/base/unicode.h"

#include <string.h>

/* Characters of what is put together at a time. */
#define PIECE_LEAST 64
#define PIECE_MOST  256

gunichar letter_read(const char *text, const char *end, unsigned *size)
{
    gunichar c = g_utf8_get_char_validated(text, end - text);
    bool valid = c != (gunichar)-1 && c != (gunichar)-2;

    *size = valid ? g_utf8_skip[(unsigned char)*text] : 1;
    return valid ? c : LETTER_REPLACED;
}

bool letter_is_invisible(gunichar c)
{
    if (g_unichar_type(c) == G_UNICODE_FORMAT)
        return true;
    /* Marks that change how their neighbours are drawn, if anything. */
    return c == 0x034F || (c >= 0x180B && c <= 0x180F) || (c >= 0xFE00 && c <= 0xFE0F) ||
           (c >= 0xE0100 && c <= 0xE01EF);
}

char letter_ascii_equal(gunichar c)
{
    switch (c) {
    case 0xFE6B:
        return '@';
    case 0x3001: /* ideographic comma */
    case 0xFF64: /* its half-width form */
    case 0xFE50:
    case 0xFE51:
    case 0x060C: /* Arabic comma */
    case 0x1802: /* Mongolian comma */
    case 0x055D: /* Armenian comma */
        return ',';
    case 0xFE54:
    case 0x061B: /* Arabic semicolon */
    case 0x037E: /* Greek question mark, looks like a semicolon */
        return ';';
    case 0x3002: /* the dots of IDNA */
    case 0xFF61:
    case 0x2024: /* one dot leader */
    case 0xFE52:
        return '.';
    }
    if (c >= 0xFF01 && c <= 0xFF5E) /* full-width forms */
        return (char)(c - 0xFEE0);
    return 0;
}

bool letter_is_settled(gunichar c)
{
    gunichar first, second, composed;

    switch (g_unichar_type(c)) {
    case G_UNICODE_LOWERCASE_LETTER:
    case G_UNICODE_OTHER_LETTER:
        /* Hangul's jamo compose with what is before them, and so do letters of a few scripts far after. */
        if ((c >= 0x1100 && c <= 0x11FF) || c > 0xFFFF)
            return false;
        break;
    case G_UNICODE_OTHER_SYMBOL:
        break;
    default:
        return false;
    }
    if (letter_ascii_equal(c) != 0 || g_unichar_tolower(c) != c)
        return false;
    /* Some letters come apart and are not put together again. */
    return !g_unichar_decompose(c, &first, &second) ||
           (second != 0 && g_unichar_compose(first, second, &composed) && composed == c);
}

/* Whether NFC never puts it together with what is before it: no mark, no vowel or final of Hangul or Kirat Rai. */
static bool begins_anew(gunichar c)
{
    if (c < 0x80)
        return true;
    if ((c >= 0x1160 && c <= 0x11FF) || c == 0x16D67)
        return false;
    return !g_unichar_ismark(c) && g_unichar_combining_class(c) == 0;
}

static char *normalise(const char *text, GNormalizeMode form)
{
    GString *normal = g_string_sized_new(strlen(text));

    while (*text != '\0') {
        const char *end = text;
        for (unsigned count = 0; *end != '\0' && count < PIECE_MOST; count++, end = g_utf8_next_char(end))
            if (count >= PIECE_LEAST && begins_anew(g_utf8_get_char(end)))
                break;
        g_autofree char *piece = g_utf8_normalize(text, end - text, form);
        g_string_append(normal, piece);
        text = end;
    }
    return g_string_free(normal, FALSE);
}

char *letters_compose(const char *text)
{
    return normalise(text, G_NORMALIZE_NFC);
}

static char *without_invisible(const char *text)
{
    GString *visible = g_string_sized_new(strlen(text));

    for (; *text != '\0'; text = g_utf8_next_char(text))
        if (!letter_is_invisible(g_utf8_get_char(text)))
            g_string_append_len(visible, text, g_utf8_next_char(text) - text);
    return g_string_free(visible, FALSE);
}

char *letters_fold(const char *text)
{
    if (g_str_is_ascii(text))
        return g_ascii_strdown(text, -1);
    g_autofree char *visible = without_invisible(text);
    g_autofree char *compatible = normalise(visible, G_NORMALIZE_NFKC);
    g_autofree char *folded = g_utf8_casefold(compatible, -1);
    /* Marks that were parted from their letters by a cut, or that folding has brought. */
    return normalise(folded, G_NORMALIZE_NFKC);
}

bool letter_is_unspaced(gunichar c)
{
    switch (c) {
    case 0x3006: /* marks of Japanese that several scripts share */
    case 0x303C:
    case 0x30FC:
        return true;
    }
    switch (g_unichar_get_script(c)) {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_HANGUL:
    case G_UNICODE_SCRIPT_BOPOMOFO:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
        return !g_unichar_ismark(c);
    default:
        return false;
    }
}

bool letter_parts_words(gunichar c)
{
    switch (c) {
    case 0x00B7: /* allowed in names by IDNA */
    case 0x30FB:
    case 0x05F3:
    case 0x05F4:
        return false;
    case 0x115F: /* drawn as blanks */
    case 0x1160:
    case 0x2800:
    case 0x3164:
    case 0xFFA0:
        return true;
    }
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SPACE_SEPARATOR:
    case G_UNICODE_OPEN_PUNCTUATION:
    case G_UNICODE_CLOSE_PUNCTUATION:
    case G_UNICODE_INITIAL_PUNCTUATION:
    case G_UNICODE_FINAL_PUNCTUATION:
    case G_UNICODE_OTHER_PUNCTUATION:
    case G_UNICODE_MATH_SYMBOL:
        return true;
    case G_UNICODE_DASH_PUNCTUATION:
        return c != 0x2010 && c != 0x2011 && c != 0x058A; /* hyphens join */
    default:
        return false;
    }
}

bool letter_is_symbol(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_OTHER_SYMBOL:
    case G_UNICODE_MODIFIER_SYMBOL:
    case G_UNICODE_CURRENCY_SYMBOL:
        return true;
    default:
        return c == 0x00B7 || c == 0x30FB || c == 0x05F3 || c == 0x05F4;
    }
}

bool letter_looks_latin(gunichar c)
{
    switch (g_unichar_get_script(c)) {
    case G_UNICODE_SCRIPT_LATIN:
    case G_UNICODE_SCRIPT_GREEK:
    case G_UNICODE_SCRIPT_CYRILLIC:
    case G_UNICODE_SCRIPT_INHERITED:
        return true;
    default:
        return false;
    }
}

bool letter_is_shown(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return false;
    default:
        return g_unichar_isprint(c);
    }
}
