/* transfer_decode - see transfer_decode.h */

#include "policy/parts/transfer_decode.h"

#include <string.h>

/* Blanks in a row that are kept for what comes after them; more are no line of a mail program. */
#define BLANKS_LIMIT 1000u

enum { SKIP = 64, PAD = 65, ALIEN = 66 };

static unsigned char base64[256];

static void __attribute__((constructor)) base64_fill(void)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    memset(base64, ALIEN, sizeof base64);
    for (unsigned i = 0; i < 64; i++)
        base64[(unsigned char)letters[i]] = (unsigned char)i;
    for (const char *p = " \t\r\n"; *p != '\0'; p++)
        base64[(unsigned char)*p] = SKIP;
    base64['='] = PAD;
}

enum transfer_encoding transfer_encoding(const char *value)
{
    static const struct {
        const char *word;
        enum transfer_encoding encoding;
    } words[] = {{"7bit", TRANSFER_PLAIN},    {"8bit", TRANSFER_PLAIN},  {"binary", TRANSFER_PLAIN},
                 {"base64", TRANSFER_BASE64}, {"7-bit", TRANSFER_PLAIN}, {"quoted-printable", TRANSFER_QUOTED},
                 {"8-bit", TRANSFER_PLAIN}};

    if (value == NULL)
        return TRANSFER_PLAIN;
    value += strspn(value, " \t\r\n\"");
    size_t length = strcspn(value, " \t\r\n\";(");
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strlen(words[i].word) == length && g_ascii_strncasecmp(value, words[i].word, length) == 0)
            return words[i].encoding;
    return length == 0 ? TRANSFER_PLAIN : TRANSFER_UNKNOWN;
}

void transfer_start(struct transfer_decode *decode, enum transfer_encoding encoding)
{
    *decode = (struct transfer_decode){.encoding = encoding, .broken = encoding == TRANSFER_UNKNOWN};
}

static void take_base64(struct transfer_decode *decode, const char *bytes, size_t length, GString *out)
{
    unsigned bits = decode->bits, held = decode->held;
    gsize begin = out->len;

    g_string_set_size(out, begin + length * 3 / 4 + 3);
    char *to = out->str + begin;
    for (size_t i = 0; i < length; i++) {
        unsigned value = base64[(unsigned char)bytes[i]];
        if (value < 64) {
            bits = bits << 6 | value;
            held += 6;
            if (held >= 8) {
                held -= 8;
                *to++ = (char)(bits >> held);
            }
        } else if (value == PAD) {
            bits = held = 0;
        } else if (value == ALIEN) {
            decode->broken = true;
        }
    }
    decode->bits = bits & 0xff;
    decode->held = held;
    g_string_set_size(out, (gsize)(to - out->str));
}

static void give_blanks(struct transfer_decode *decode, GString *out)
{
    for (; decode->blanks > 0; decode->blanks--)
        g_string_append_c(out, ' ');
}

/* What was read as the beginning of an escape is none: it stays as it is (RFC 2045 section 6.7). */
static void give_escape(struct transfer_decode *decode, GString *out)
{
    decode->broken = true;
    g_string_append_c(out, '=');
    if (decode->state == QUOTED_DIGIT)
        g_string_append_c(out, decode->digit);
    give_blanks(decode, out);
    decode->state = QUOTED_PLAIN;
}

/* After `=`: one more byte of an escape or of a soft line end.  False: it is none of it, and is read as any other. */
static bool take_escape(struct transfer_decode *decode, char c, GString *out)
{
    bool digit = g_ascii_isxdigit(c), blank = c == ' ' || c == '\t';

    if (decode->state == QUOTED_RETURN) {
        decode->state = QUOTED_PLAIN;
        return c == '\n';
    }
    if (decode->state == QUOTED_DIGIT && digit) {
        g_string_append_c(out, (char)(g_ascii_xdigit_value(decode->digit) << 4 | g_ascii_xdigit_value(c)));
        decode->state = QUOTED_PLAIN;
    } else if (decode->state == QUOTED_SIGN && digit) {
        decode->state = QUOTED_DIGIT;
        decode->digit = c;
    } else if (decode->state != QUOTED_DIGIT && (c == '\n' || c == '\r')) {
        decode->state = c == '\r' ? QUOTED_RETURN : QUOTED_PLAIN;
        decode->blanks = 0;
    } else if (decode->state != QUOTED_DIGIT && blank && decode->blanks < BLANKS_LIMIT) {
        decode->state = QUOTED_BLANKS;
        decode->blanks++;
    } else {
        give_escape(decode, out);
        return false;
    }
    return true;
}

/* Text without escapes and line ends; the blanks at its end were perhaps added on the way. */
static void take_plain(struct transfer_decode *decode, const char *text, size_t length, GString *out)
{
    size_t end = length;

    while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'))
        end--;
    if (end > 0) {
        give_blanks(decode, out);
        g_string_append_len(out, text, (gssize)end);
    }
    decode->blanks += (unsigned)(length - end);
    if (decode->blanks > BLANKS_LIMIT)
        give_blanks(decode, out);
}

/* A run of `=`, of which only the last one can begin an escape; gives its length. */
static size_t take_signs(struct transfer_decode *decode, const char *text, size_t length, GString *out)
{
    size_t run = 1;

    while (run < length && text[run] == '=')
        run++;
    decode->broken = decode->broken || run > 1;
    give_blanks(decode, out);
    g_string_append_len(out, text, (gssize)(run - 1));
    decode->state = QUOTED_SIGN;
    return run;
}

static void take_quoted(struct transfer_decode *decode, const char *bytes, size_t length, bool last, GString *out)
{
    for (size_t i = 0; i < length;) {
        size_t plain = i;
        if (decode->state != QUOTED_PLAIN && take_escape(decode, bytes[i], out)) {
            i++;
            continue;
        }
        while (plain < length && bytes[plain] != '=' && bytes[plain] != '\n' && bytes[plain] != '\r')
            plain++;
        if (plain > i) {
            take_plain(decode, bytes + i, plain - i, out);
            i = plain;
        } else if (bytes[i] == '=') {
            i += take_signs(decode, bytes + i, length - i, out);
        } else {
            decode->blanks = 0;
            g_string_append_c(out, bytes[i++]);
        }
    }
    if (last && decode->state == QUOTED_DIGIT)
        give_escape(decode, out);
}

void transfer_take(struct transfer_decode *decode, const char *bytes, size_t length, bool last, GString *out)
{
    switch (decode->encoding) {
    case TRANSFER_BASE64:
        take_base64(decode, bytes, length, out);
        break;
    case TRANSFER_QUOTED:
        take_quoted(decode, bytes, length, last, out);
        break;
    default:
        g_string_append_len(out, bytes, (gssize)length);
    }
}
