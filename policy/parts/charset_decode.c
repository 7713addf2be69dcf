/* charset_decode - see charset_decode.h */

#include "policy/parts/charset_decode.h"

#include <errno.h>
#include <string.h>

#define REPLACEMENT  "\357\277\275" /* U+FFFD */
#define NO_CONVERTER ((GIConv)-1)

/* A set whose invalid bytes are more than one in so many was another one. */
#define INVALID_SHARE 32u

/* Names in mail, and what is really written under them: https://encoding.spec.whatwg.org/#names-and-labels */
static const struct {
    const char *named, *meant; /* NULL: the same; "": it is read as it is */
} known[] = {
    {"utf-8", ""},
    {"utf8", ""},
    {"us-ascii", ""},
    {"ascii", ""},
    {"ansi_x3.4-1968", ""},
    {"iso-ir-6", ""},
    {"unknown-8bit", ""},
    {"x-unknown", ""},
    {"utf-16", "UTF-16BE"},
    {"utf-16le", NULL},
    {"utf-16be", NULL},
    {"ucs-2", "UTF-16BE"},
    {"iso-10646-ucs-2", "UTF-16BE"},
    {"utf-32", "UTF-32BE"},
    {"utf-32le", NULL},
    {"utf-32be", NULL},
    {"utf-7", NULL},
    {"unicode-1-1-utf-7", "UTF-7"},
    {"iso-8859-1", "CP1252"},
    {"latin1", "CP1252"},
    {"iso-8859-2", NULL},
    {"iso-8859-3", NULL},
    {"iso-8859-4", NULL},
    {"iso-8859-5", NULL},
    {"iso-8859-6", NULL},
    {"iso-8859-7", NULL},
    {"iso-8859-8", NULL},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-9", "CP1254"},
    {"iso-8859-10", NULL},
    {"iso-8859-11", "CP874"},
    {"iso-8859-13", NULL},
    {"iso-8859-14", NULL},
    {"iso-8859-15", NULL},
    {"iso-8859-16", NULL},
    {"windows-1250", "CP1250"},
    {"windows-1251", "CP1251"},
    {"windows-1252", "CP1252"},
    {"windows-1253", "CP1253"},
    {"windows-1254", "CP1254"},
    {"windows-1255", "CP1255"},
    {"windows-1256", "CP1256"},
    {"windows-1257", "CP1257"},
    {"windows-1258", "CP1258"},
    {"cp1250", NULL},
    {"cp1251", NULL},
    {"cp1252", NULL},
    {"koi8-r", NULL},
    {"koi8-u", NULL},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"gb18030", NULL},
    {"x-gbk", "GB18030"},
    {"cp936", "GB18030"},
    {"big5", "BIG5-HKSCS"},
    {"big5-hkscs", NULL},
    {"iso-2022-jp", NULL},
    {"iso-2022-jp-2", NULL},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"x-sjis", "CP932"},
    {"windows-31j", "CP932"},
    {"cp932", NULL},
    {"euc-jp", NULL},
    {"euc-kr", "CP949"},
    {"ks_c_5601-1987", "CP949"},
    {"cp949", NULL},
    {"iso-2022-kr", NULL},
    {"tis-620", "CP874"},
    {"windows-874", "CP874"},
    {"macintosh", NULL},
    {"ibm850", "CP850"},
    {"cp850", NULL},
    {"ibm437", "CP437"},
    {"cp437", NULL},
    {"ibm852", "CP852"},
    {"cp866", NULL},
};

/* What the first bytes say: a mark of order, or a zero in nearly every other one.  NULL: nothing. */
static const char *charset_of_bytes(const char *bytes, size_t length)
{
    size_t zeros[2] = {0, 0};

    if (length >= 4 && (memcmp(bytes, "\377\376\0\0", 4) == 0 || memcmp(bytes, "\0\0\376\377", 4) == 0))
        return bytes[0] == '\0' ? "UTF-32BE" : "UTF-32LE";
    if (length >= 2 && memcmp(bytes, "\377\376", 2) == 0)
        return "UTF-16LE";
    if (length >= 2 && memcmp(bytes, "\376\377", 2) == 0)
        return "UTF-16BE";
    length = MIN(length, 1024);
    for (size_t i = 0; i < length; i++)
        zeros[i & 1] += bytes[i] == '\0';
    if (MAX(zeros[0], zeros[1]) * 4 < length || MIN(zeros[0], zeros[1]) * 16 > length || length < 4)
        return NULL;
    return zeros[0] > zeros[1] ? "UTF-16BE" : "UTF-16LE";
}

static const char *charset_of_name(const char *charset, bool *unknown)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_ascii_strcasecmp(known[i].named, charset) == 0)
            return known[i].meant != NULL ? known[i].meant : known[i].named;
    *unknown = true;
    return "";
}

void charset_start(struct charset_decode *decode, const char *charset, const char *bytes, size_t length)
{
    const char *meant = charset_of_bytes(bytes, length);

    *decode = (struct charset_decode){.converter = NO_CONVERTER};
    if (meant == NULL && charset != NULL && charset[0] != '\0')
        meant = charset_of_name(charset, &decode->unknown);
    if (meant == NULL || meant[0] == '\0')
        return;
    decode->unit = g_ascii_strncasecmp(meant, "UTF-16", 6) == 0   ? 2
                   : g_ascii_strncasecmp(meant, "UTF-32", 6) == 0 ? 4
                                                                  : 1;
    decode->converter = g_iconv_open("UTF-8", meant);
    decode->unknown = decode->converter == NO_CONVERTER;
}

/* One piece; what is left is the beginning of a character.  `*out` ends where the text does. */
static size_t convert(struct charset_decode *decode, char *in, gsize left, GString *out)
{
    while (left > 0) {
        gsize begin = out->len, room = left * 3 + 16;
        g_string_set_size(out, begin + room);
        char *to = out->str + begin;
        gsize done = g_iconv(decode->converter, &in, &left, &to, &room);
        int error = errno;
        g_string_set_size(out, (gsize)(to - out->str));
        if (done != (gsize)-1 || error == E2BIG)
            continue;
        if (error == EINVAL)
            return left;
        g_string_append(out, REPLACEMENT);
        gsize unit = MIN(decode->unit, left);
        in += unit;
        left -= unit;
        if (++decode->invalid <= CHARSET_INVALID_LIMIT)
            continue;
        g_string_append_len(out, in, (gssize)left);
        g_iconv_close(decode->converter);
        decode->converter = NO_CONVERTER;
        return 0;
    }
    return 0;
}

/*
 * How many bytes of a block are beyond ASCII, if they are no UTF-8 and most of it: it is in no set that is known.  A
 * letter may begin before the block, and end after it.
 */
static size_t foreign_bytes(const char *bytes, size_t length)
{
    const char *end;
    size_t high = 0, begin = 0;

    while (begin < length && begin < 3 && ((unsigned char)bytes[begin] & 0xC0) == 0x80)
        begin++;
    if (g_utf8_validate_len(bytes + begin, length - begin, &end) || length - (size_t)(end - bytes) <= 3)
        return 0;
    for (size_t i = 0; i < length; i++)
        high += (unsigned char)bytes[i] >= 0x80;
    return high > length / 2 ? high : 0;
}

void charset_take(struct charset_decode *decode, const char *bytes, size_t length, GString *out)
{
    decode->bytes += length;
    if (decode->converter == NO_CONVERTER) {
        decode->invalid += foreign_bytes(bytes, length);
        g_string_append_len(out, bytes, (gssize)length);
        return;
    }
    g_autofree char *joined = NULL;
    if (decode->kept_length > 0) {
        joined = g_malloc(decode->kept_length + length);
        memcpy(joined, decode->kept, decode->kept_length);
        memcpy(joined + decode->kept_length, bytes, length);
        bytes = joined;
        length += decode->kept_length;
    }
    size_t left = convert(decode, (char *)bytes, length, out);
    decode->kept_length = (unsigned)MIN(left, sizeof decode->kept);
    memcpy(decode->kept, bytes + length - decode->kept_length, decode->kept_length);
}

bool charset_end(struct charset_decode *decode)
{
    if (decode->converter != NO_CONVERTER)
        g_iconv_close(decode->converter);
    decode->converter = NO_CONVERTER;
    decode->invalid += decode->kept_length > 0;
    return decode->unknown || decode->invalid > CHARSET_INVALID_LIMIT ||
           decode->invalid * INVALID_SHARE > decode->bytes;
}
