/* plain_text - see plain_text.h */

#include "milter/content/plain_text.h"

#include <errno.h>
#include <string.h>

#define REPLACEMENT "\357\277\275" /* U+FFFD */

/* Characters of a name of a character set; those of IANA have up to 40. */
#define NAME_LIMIT 40

/* What mail that names the first is really written in: https://encoding.spec.whatwg.org/#names-and-labels */
static const struct {
    const char *named, *meant;
} wider[] = {{"gb2312", "GB18030"}, {"gbk", "GB18030"},       {"shift_jis", "CP932"},      {"euc-kr", "CP949"},
             {"tis-620", "CP874"},  {"iso-8859-9", "CP1254"}, {"ks_c_5601-1987", "CP949"}, {"big5", "BIG5-HKSCS"},
             {"x-sjis", "CP932"},   {"iso-8859-11", "CP874"}};

/* Names under which anything is sent. */
static const char *const doubtful[] = {"us-ascii", "ascii", "iso-8859-1", "latin1", "utf-8", "utf8", "unknown-8bit"};

/* The name goes to iconv(3), which may take slashes for something else. */
static bool is_name(const char *charset)
{
    size_t length = strlen(charset);
    return length > 0 && length <= NAME_LIMIT &&
           strspn(charset, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:+") == length;
}

static char *convert(const char *bytes, size_t length, const char *charset)
{
    GIConv converter = g_iconv_open("UTF-8", charset);
    if (converter == (GIConv)-1)
        return NULL;
    GString *out = g_string_sized_new(length);
    char *in = (char *)bytes, piece[4096];
    gsize left = length;
    while (left > 0) {
        char *end = piece;
        gsize room = sizeof piece;
        gsize done = g_iconv(converter, &in, &left, &end, &room);
        bool broken = done == (gsize)-1 && errno != E2BIG;
        g_string_append_len(out, piece, end - piece);
        if (broken && left > 0) {
            g_string_append(out, REPLACEMENT);
            in++;
            left--;
        }
    }
    g_iconv_close(converter);
    return g_string_free(out, FALSE);
}

static char *without_nul(const char *bytes, size_t length)
{
    GString *out = g_string_sized_new(length);
    for (const char *end = bytes + length; bytes < end; bytes++) {
        if (*bytes == '\0')
            g_string_append(out, REPLACEMENT);
        else
            g_string_append_c(out, *bytes);
    }
    return g_string_free(out, FALSE);
}

static bool is_doubtful(const char *charset)
{
    for (size_t i = 0; charset != NULL && i < G_N_ELEMENTS(doubtful); i++) {
        if (g_ascii_strcasecmp(charset, doubtful[i]) == 0)
            return true;
    }
    return charset == NULL || !is_name(charset);
}

char *plain_text_decode(const char *bytes, size_t length, const char *charset)
{
    g_autofree char *text = without_nul(bytes, length);
    bool is_utf8 =
        charset != NULL && (g_ascii_strcasecmp(charset, "utf-8") == 0 || g_ascii_strcasecmp(charset, "utf8") == 0);
    char *converted = NULL;
    if (is_utf8 || (is_doubtful(charset) && g_utf8_validate(text, -1, NULL)))
        return g_utf8_make_valid(text, -1);
    for (size_t i = 0; charset != NULL && i < G_N_ELEMENTS(wider); i++) {
        if (g_ascii_strcasecmp(charset, wider[i].named) == 0)
            charset = wider[i].meant;
    }
    /* In UTF-16 and its kin a NUL is half a character. */
    if (!is_doubtful(charset))
        converted = convert(bytes, length, charset);
    if (converted == NULL && g_utf8_validate(text, -1, NULL))
        return g_steal_pointer(&text);
    if (converted == NULL)
        converted = convert(text, strlen(text), "CP1252");
    char *valid = converted == NULL ? g_utf8_make_valid(text, -1) : g_utf8_make_valid(converted, -1);
    g_free(converted);
    return valid;
}

/* ---- format=flowed */

/* How deep a line is quoted; moves to its text, from which one stuffed blank is taken. */
static unsigned take_quotes(const char **line)
{
    unsigned depth = (unsigned)strspn(*line, ">");
    *line += depth;
    if (**line == ' ')
        (*line)++;
    return depth;
}

static void begin_paragraph(GString *out, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        g_string_append_c(out, '>');
    if (depth > 0)
        g_string_append_c(out, ' ');
}

char *plain_text_unflow(const char *text, bool delsp)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool flows = false;
    unsigned before = 0;
    for (char **each = lines; *each != NULL; each++) {
        size_t length = strlen(*each);
        if (length > 0 && (*each)[length - 1] == '\r')
            (*each)[--length] = '\0';
        const char *line = *each;
        unsigned depth = take_quotes(&line);
        bool goes_on = g_str_has_suffix(line, " ") && strcmp(line, "-- ") != 0;
        if (each != lines && !(flows && depth == before && strcmp(line, "-- ") != 0))
            g_string_append_c(out, '\n');
        else if (each == lines)
            flows = false;
        if (!(flows && depth == before && strcmp(line, "-- ") != 0))
            begin_paragraph(out, depth);
        g_string_append_len(out, line, (gssize)(strlen(line) - (goes_on && delsp)));
        flows = goes_on;
        before = depth;
    }
    return g_string_free(out, FALSE);
}
