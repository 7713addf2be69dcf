/* answer_address - see answer_address.h */

#include "milter/answers/answer_address.h"

#include "policy/address/address.h"

#include <string.h>

/* Of 5 bits each; the first has 4. */
#define CODE_LENGTH 13u

/* Digits of a row: of a local part's 64 octets (RFC 5321) 34 are for the delimiter, the word, the row and the code. */
#define ROW_LENGTH 16u

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

/* What is after the delimiter, before the code; in the order of the kinds. */
static const char *const words[] = {NULL, "o-", "g-", "c-", "r-", "b-", "d-"};

static void append_code(GString *out, guint64 code)
{
    for (unsigned shift = 5 * CODE_LENGTH; shift > 0; shift -= 5)
        g_string_append_c(out, digits[code >> (shift - 5) & 31]);
}

/* 0 if it is none. */
static guint64 read_code(const char *text, size_t length)
{
    guint64 code = 0;
    if (length != CODE_LENGTH)
        return 0;
    for (size_t i = 0; i < length; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, g_ascii_tolower(text[i]));
        if (digit == NULL || (i == 0 && digit - digits > 15))
            return 0;
        code = code << 5 | (guint64)(digit - digits);
    }
    return code;
}

/* Up to a hyphen, after which `text` is moved; 0 if there is none, or it is not written as we write it. */
static gint64 read_row(const char **text, const char *end)
{
    const char *from = *text;
    size_t length = strspn(from, G_CSET_DIGITS);
    if (length == 0 || length > ROW_LENGTH || from[0] == '0' || from + length >= end || from[length] != '-')
        return 0;
    *text += length + 1;
    return (gint64)g_ascii_strtoull(from, NULL, 10);
}

char *answer_address_make(const struct review *review, const struct answer_address *answer)
{
    const char *at = strrchr(review->answers, '@');
    GString *address = g_string_new_len(review->answers, at - review->answers);
    g_string_append(address, review->answers_delimiter);
    g_string_append(address, words[answer->kind]);
    if (answer_is_decision(answer->kind))
        g_string_append_printf(address, "%" G_GINT64_FORMAT "-", answer->row);
    append_code(address, answer->code);
    g_string_append(address, at);
    return g_string_free(address, FALSE);
}

char *answer_address_insert(const struct review *review, const struct answer_address *answer, const char *text,
                            char place)
{
    const char places[] = {place, '\0'};
    g_autofree char *address = answer_address_make(review, answer);
    g_auto(GStrv) pieces = g_strsplit(text, places, -1);
    return g_strjoinv(address, pieces);
}

/* What is after the prefix, in any case; or NULL. */
static const char *after(const char *text, const char *prefix, size_t length)
{
    return g_ascii_strncasecmp(text, prefix, length) == 0 && strlen(text) >= length ? text + length : NULL;
}

/* What is between the delimiter and the `@`, which `end` is. */
static struct answer_address read_detail(const char *detail, const char *end)
{
    for (unsigned kind = ANSWER_OVERRIDE; kind < G_N_ELEMENTS(words); kind++) {
        struct answer_address answer = {.kind = (enum answer_kind)kind};
        const char *rest = after(detail, words[kind], strlen(words[kind]));
        if (rest == NULL)
            continue;
        if (answer_is_decision(answer.kind))
            answer.row = read_row(&rest, end);
        if (answer.row > 0 || !answer_is_decision(answer.kind))
            answer.code = read_code(rest, (size_t)(end - rest));
        return answer;
    }
    return (struct answer_address){.kind = ANSWER_NONE};
}

struct answer_address answer_address_read(const struct review *review, const char *recipient)
{
    const struct answer_address none = {.kind = ANSWER_NONE};
    size_t length = strlen(recipient);
    /* Most recipients are none: whatever quotes and escapes there are, the delimiter is in each that is one. */
    if (review->answers == NULL || strstr(recipient, review->answers_delimiter) == NULL)
        return none;
    g_autofree char *bare = length >= 2 && recipient[0] == '<' && recipient[length - 1] == '>'
                                ? g_strndup(recipient + 1, length - 2)
                                : g_strdup(recipient);
    g_autofree char *given = address_normalise_envelope(bare);
    g_autofree char *own = address_normalise_envelope(review->answers);
    const char *domain = address_domain(given), *own_domain = address_domain(own);
    if (own_domain == NULL || (domain != NULL && strcmp(domain, own_domain) != 0))
        return none;
    const char *end = domain == NULL ? given + strlen(given) : domain - 1;
    const char *detail = after(given, own, (size_t)(own_domain - own) - 1);
    if (detail != NULL)
        detail = after(detail, review->answers_delimiter, strlen(review->answers_delimiter));
    struct answer_address answer = detail == NULL ? none : read_detail(detail, end);
    if (answer.kind == ANSWER_OVERRIDE && bare[0] == '@')
        answer.code = 0;
    return answer;
}
