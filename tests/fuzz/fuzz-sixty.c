/*
 * fuzz-sixty - sixty people in one header, written as strangely as a stranger likes.
 *
 * Each is `u<number>@d<number>.example` to whoever reads it.  The input says what is
 * around them and between their parts, in fields parted by newlines:
 *
 *     what is before the local part, before the `@`, behind it, before the dot, behind
 *     it, at the end; the list's beginning; in this order
 *
 * Signs are taken as they are, `\n` for a fold; a letter or a digit is for one of the
 * pieces below, since others would make other people.  Before half of the lists are
 * sixty people who are written plainly.  However that looks: all are counted, or the
 * header is malformed.
 *
 * Nothing is left out.  Where parentheses, quotation marks or angle brackets do not match,
 * or a backslash or a colon may change what they are, the first and the last of the sixty
 * are not like those between: these two may be missing.
 */

#include "fuzz.h"

#include "policy/exposure/exposure.h"
#include "policy/message/message.h"
#include "policy/message/recipients.h"

#include <string.h>

const char fuzz_target[] = "sixty";

#define ITEMS        60u
#define PARTS        7u
#define PIECES_LIMIT 12u /* in each part: the third reading reads no further than a few hundred characters */

static const char *const pieces[] = {
    "(x)",          "(x(y)z)",      "()",           "(x y.z)",      "\"\"",          "\" \"",
    "\n ",          "\r\n\t",       " (x) ",        ". ",           "=?utf-8?q?\?=", "\xc2\xa0",
    "\xe2\x80\x8b", "\xef\xbc\x88", "\xef\xbc\x89", "\xef\xbc\x9c", "\xef\xbc\x9e",
};

/* The parts, with letters replaced. */
static void read_parts(const uint8_t *data, size_t size, GString **parts)
{
    unsigned part = 0, count = 0;

    for (size_t i = 0; i < size && part < PARTS; i++) {
        char c = (char)data[i];
        if (c == '\n') {
            part++;
            count = 0;
            continue;
        }
        if (++count > PIECES_LIMIT)
            continue;
        if (g_ascii_isalnum(c) || data[i] >= 0x80)
            g_string_append(parts[part], pieces[data[i] % G_N_ELEMENTS(pieces)]);
        else if (strchr("@,;", c) == NULL) /* what parts items, and NUL, with which they end */
            g_string_append_c(parts[part], c);
    }
}

static char *list_of(GString **parts, const char *separator, unsigned plain)
{
    GString *list = g_string_new(NULL);

    for (unsigned n = 0; n < plain; n++)
        g_string_append_printf(list, "c%u@z.example%s", n, separator);
    g_string_append(list, parts[6]->str);
    for (unsigned n = 0; n < ITEMS; n++)
        g_string_append_printf(list, "%s%su%u%s@%sd%u%s.%sexample%s", n > 0 ? separator : "", parts[0]->str, n,
                               parts[1]->str, parts[2]->str, n, parts[3]->str, parts[4]->str, parts[5]->str);
    return g_string_free(list, FALSE);
}

/* The sign of a pair at `p`, those of other scripts as their ASCII equals, or NUL. */
static char pair_sign(const char *p)
{
    static const char *const others[] = {"(\xef\xbc\x88", ")\xef\xbc\x89", "<\xef\xbc\x9c", ">\xef\xbc\x9e"};

    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
        if (g_str_has_prefix(p, others[i] + 1))
            return others[i][0];
    return strchr("()<>\"", *p) != NULL ? *p : '\0';
}

/* Whether each sign of a pair between `first` and `last` has its other one, and they nest. */
static bool is_nested(GString **parts, unsigned first, unsigned last)
{
    g_autoptr(GString) open = g_string_new(NULL);

    for (unsigned i = first; i <= last; i++) {
        for (const char *p = parts[i]->str; *p != '\0'; p++) {
            char sign = pair_sign(p), top = open->len > 0 ? open->str[open->len - 1] : '\0';
            if (strchr("\\:", *p) != NULL)
                return false;
            if (sign == '(' || (sign == '<' && top == '\0') || (sign == '"' && top != '"'))
                g_string_append_c(open, sign);
            else if ((sign == '"' && top == '"') || (sign == ')' && top == '(') || (sign == '>' && top == '<'))
                g_string_truncate(open, open->len - 1);
            else if (sign != '\0')
                return false;
        }
    }
    return open->len == 0;
}

static void check_list(const char *list, unsigned least, const char *name, enum mta mta)
{
    auto_free(message) message = message_new();
    auto_free(recipients) recipients = NULL;
    bool malformed;

    message->mta = mta;
    message_add_header(message, name, list);
    recipients = recipients_read(message);
    malformed = (recipients_defects(recipients) & (DEFECT_LIMIT | DEFECT_UNPARSED | DEFECT_CUT)) != 0;
    fuzz_check(malformed || recipients_count(recipients) >= least, "%u of %u: `%.2000s`", recipients_count(recipients),
               least, list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const separators[] = {"; ", ", ", ",\n ", ";"};
    static const char *const names[] = {"To", "Cc", "Resent-To"};
    GString *parts[PARTS];
    unsigned hash = fuzz_hash(data, size);
    unsigned plain = hash / 24 % 2 == 0 ? 0 : ITEMS;
    unsigned least = plain + ITEMS;
    g_autofree char *list = NULL;

    for (unsigned i = 0; i < PARTS; i++)
        parts[i] = g_string_new(NULL);
    read_parts(data, size, parts);
    list = list_of(parts, separators[hash % G_N_ELEMENTS(separators)], plain);
    if (!is_nested(parts, 0, PARTS - 2) || !is_nested(parts, PARTS - 1, PARTS - 1))
        least -= 2;
    check_list(list, least, names[hash / 4 % G_N_ELEMENTS(names)], hash / 12 % 2 == 0 ? MTA_POSTFIX : MTA_SENDMAIL);
    for (unsigned i = 0; i < PARTS; i++)
        g_string_free(parts[i], TRUE);
    return 0;
}
