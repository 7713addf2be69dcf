/* simple_list - see simple_list.h */

#include "policy/address/simple_list.h"

#include "policy/address/simple_words.h"

#include <glib.h>
#include <string.h>

/* More of them might add up to what the third reading refuses (ACCOUNT_LOST_ALLOWED in at_signs.h). */
#define GROUPS_LIMIT 2u

/* Bytes of a local part, a domain, a word of a name; what is longer costs no more than this before it goes the long
 * way. */
#define WORD_LIMIT   256
#define PHRASE_LIMIT 32u /* words */

enum byte_class {
    ALNUM = 1,
    LOCAL = 2,  /* in a local part, dots apart */
    ATOM = 4,   /* in a word of a name, dots apart */
    QUOTED = 8, /* in a quoted string, as it is, */
    INNER = 16, /* and not even counted */
};

static unsigned char classes[256];

static void __attribute__((constructor)) classes_fill(void)
{
    for (int c = ' '; c <= '~'; c++) {
        classes[c] = g_ascii_isalnum(c) ? ALNUM | LOCAL | ATOM : 0;
        if (strchr("_-+'=&", c) != NULL)
            classes[c] |= LOCAL;
        if (strchr("_-+'&!#*/~$", c) != NULL)
            classes[c] |= ATOM;
        if (strchr("\"\\@<>", c) == NULL)
            classes[c] |= QUOTED;
        if (strchr("\"\\@<>=:,;()[", c) == NULL)
            classes[c] |= INNER;
    }
}

static bool is(char c, int class)
{
    return (classes[(unsigned char)c] & class) != 0;
}

/* Over bytes of a class; where WORD_LIMIT ends it, one of them follows, with which nothing begins there. */
static const char *over(const char *p, int class, const char *limit)
{
    while (is(*p, class) && p < limit)
        p++;
    return p;
}

static const char *over_local(const char *p)
{
    const char *limit = p + WORD_LIMIT;

    if (!is(*p, ALNUM) && *p != '_')
        return NULL;
    for (;;) {
        p = over(p, LOCAL, limit);
        if (*p != '.')
            return p;
        if (!is(p[1], LOCAL))
            return NULL;
        p++;
    }
}

/* After a domain of two labels at least, none of them an A-label; or NULL. */
static const char *over_domain(const char *p)
{
    const char *limit = p + WORD_LIMIT;
    bool dot = false;

    for (;; p++) {
        if ((*p == 'x' || *p == 'X') && g_ascii_strncasecmp(p, "xn--", 4) == 0)
            return NULL;
        for (;; p++) {
            if (!is(*p, ALNUM))
                return NULL;
            p = over(p, ALNUM, limit);
            if (*p != '-')
                break;
        }
        if (*p != '.')
            return dot ? p : NULL;
        dot = true;
    }
}

/* After an address, which joins the list; or NULL. */
static const char *over_address(struct simple_list *list, const char *start)
{
    const char *p = over_local(start);

    if (p == NULL || *p != '@')
        return NULL;
    p = over_domain(p + 1);
    if (p == NULL)
        return NULL;
    if (list->count == list->size) {
        list->size = MAX(16, 2 * list->size);
        list->addresses = g_renew(struct simple_address, list->addresses, list->size);
    }
    list->addresses[list->count++] = (struct simple_address){.start = start, .end = p};
    return p;
}

/* Counts a sign of a quoted string, since GMime's bounds do not know of quotes; false if it is not accepted. */
static bool count_sign(struct simple_list *list, const char *sign)
{
    const char *before = sign - 1;

    switch (*sign) {
    case '=':
        return sign[1] != '?';
    case ':':
        list->colons++;
        return true;
    case ',':
    case ';':
        list->separators++;
        return true;
    case '(':
        list->open++;
        return true;
    case ')':
        list->open -= list->open > 0;
        return true;
    case '[':
        /* What looks like a domain literal has bounds of its own. */
        while (strchr(" \t\r\n", *before) != NULL)
            before--;
        return *before != ')';
    default:
        return is(*sign, QUOTED);
    }
}

/* After a quoted string, or NULL. */
static const char *over_quoted(struct simple_list *list, const char *p)
{
    const char *limit = p + WORD_LIMIT;

    for (p++; *p != '"'; p++) {
        p = simple_blanks(over(p, INNER, limit));
        if (*p == '"')
            break;
        if (p >= limit)
            return NULL;
        bool escaped = *p == '\\';
        p += escaped;
        if (!(escaped && (*p == '"' || *p == '\\')) && !count_sign(list, p))
            return NULL;
    }
    return p + 1;
}

/* After a run of encoded-words, or NULL. */
static const char *over_words(struct simple_list *list, const char *p)
{
    struct simple_words words;

    if (p[1] != '?' || !simple_words_read(p, &words))
        return NULL;
    list->words++;
    list->bytes += words.mended - (size_t)(words.end - p);
    return words.end;
}

static const char *over_atom(const char *p)
{
    const char *limit = p + WORD_LIMIT;

    for (p = over(p, ATOM, limit); *p == '.'; p = over(p, ATOM, limit))
        if (*++p == '.')
            return NULL;
    return p;
}

/* After a name and blanks, `*words`: of that number; or NULL. */
static const char *over_phrase(struct simple_list *list, const char *p, unsigned *words)
{
    const char *end = p;

    for (*words = 0;; ++*words) {
        const char *start = end;
        p = simple_blanks(end);
        if (*p == '"')
            end = over_quoted(list, p);
        else if (*p == '=')
            end = over_words(list, p);
        else if (is(*p, ATOM))
            end = over_atom(p);
        else
            return p;
        /* Words have a blank between them. */
        if (end == NULL || (*words > 0 && p == start) || *words == PHRASE_LIMIT)
            return NULL;
    }
}

/* What is known while a value is read. */
struct simple_place {
    bool group; /* within one, */
    bool first; /* right behind its colon */
};

/* After a mailbox, or the beginning of a group (`*begins`), and the blanks behind it; or NULL. */
static const char *over_mailbox(struct simple_list *list, const char *p, struct simple_place *place, bool *begins)
{
    const char *end = over_address(list, p);
    unsigned words;

    *begins = false;
    if (end != NULL) {
        list->walks += place->first;
        return simple_blanks(end);
    }
    p = over_phrase(list, p, &words);
    if (p == NULL)
        return NULL;
    if (*p == ':' && words > 0 && !place->group && ++list->groups <= GROUPS_LIMIT) {
        list->colons++;
        *begins = true;
        return simple_blanks(p + 1);
    }
    if (*p != '<')
        return NULL;
    end = over_address(list, p + 1);
    return end != NULL && *end == '>' ? simple_blanks(end + 1) : NULL;
}

bool simple_list_read(struct simple_list *list, const char *value)
{
    struct simple_place place = {0};
    const char *p = simple_blanks(value);

    *list = (struct simple_list){
        .addresses = list->addresses, .size = list->size, .normal = list->normal, .normal_size = list->normal_size};
    for (;;) {
        bool begins = false;
        if (!place.first || *p != ';')
            p = over_mailbox(list, p, &place, &begins);
        if (p == NULL)
            return false;
        place.first = begins;
        if (begins) {
            place.group = true;
            continue;
        }
        if (place.group && *p == ';') {
            place.group = false;
            list->separators++;
            p = simple_blanks(p + 1);
        }
        if (*p == '\0')
            break;
        if (*p != ',')
            return false;
        list->separators++;
        p = simple_blanks(p + 1);
    }
    list->bytes += (size_t)(p - value);
    return !place.group;
}

void simple_list_clear(struct simple_list *list)
{
    g_free(list->addresses);
    g_free(list->normal);
    *list = (struct simple_list){0};
}

/* Eight letters of ASCII in lower case at once. */
static guint64 lower_eight(guint64 letters)
{
    const guint64 ones = G_GUINT64_CONSTANT(0x0101010101010101);
    guint64 from_a = letters + (0x80 - 'A') * ones, beyond_z = letters + (0x80 - 'Z' - 1) * ones;

    return letters | (((from_a ^ beyond_z) & 0x80 * ones) >> 2);
}

const char *simple_list_normal(struct simple_list *list, unsigned index, size_t *length)
{
    const struct simple_address *address = &list->addresses[index];
    guint64 letters;

    *length = (size_t)(address->end - address->start);
    if (*length + sizeof letters > list->normal_size) {
        list->normal_size = 2 * *length + 64;
        list->normal = g_realloc(list->normal, list->normal_size);
        memset(list->normal, 0, list->normal_size);
    }
    memcpy(list->normal, address->start, *length);
    /* The last eight may go beyond the end, where the rest of an earlier one is. */
    for (size_t i = 0; i < *length; i += sizeof letters) {
        memcpy(&letters, list->normal + i, sizeof letters);
        letters = lower_eight(letters);
        memcpy(list->normal + i, &letters, sizeof letters);
    }
    return list->normal;
}
