/* address_scan - see address_scan.h */

#include "policy/address/address_scan.h"

#include "policy/base/unicode.h"

#include <string.h>

/* RFC 5321 section 4.5.3.1.1 allows a local part 64 octets; quoted and escaped at most twice that. */
#define QUOTED_LOCAL_LIMIT 130

enum byte_class {
    LOCAL = 1,   /* may be in a local part: atext, dot, all beyond ASCII */
    DOMAIN = 2,  /* may be in a domain */
    WRAPPER = 4, /* atext that people put before an address rather than into it */
    BLANK = 8,
};

static unsigned char classes[256];

static void __attribute__((constructor)) classes_fill(void)
{
    for (int c = 0; c < 256; c++) {
        if (c >= 0x80 || g_ascii_isalnum(c))
            classes[c] = LOCAL | DOMAIN;
    }
    for (const char *p = "!#$%&'*+-/=?^_`{|}~."; *p != '\0'; p++)
        classes[(unsigned char)*p] |= LOCAL;
    for (const char *p = "-._"; *p != '\0'; p++)
        classes[(unsigned char)*p] |= DOMAIN;
    for (const char *p = "/|{}&=?'*`~^!"; *p != '\0'; p++)
        classes[(unsigned char)*p] |= WRAPPER;
    for (const char *p = " \t\r\n\001"; *p != '\0'; p++)
        classes[(unsigned char)*p] |= BLANK;
}

static bool is(char c, int class)
{
    return (classes[(unsigned char)c] & class) != 0;
}

bool scan_is_local(char c)
{
    return is(c, LOCAL);
}

bool scan_is_domain(char c)
{
    return is(c, DOMAIN);
}

bool scan_is_blank(char c)
{
    return is(c, BLANK) && c != SCAN_PARTED;
}

static bool is_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x7f || (c < 0x20 && c != '\t' && c != '\r' && c != '\n'))
            return false;
    }
    return true;
}

static char clean_ascii(char c)
{
    if (c == '\t')
        return ' ';
    return g_ascii_iscntrl(c) && c != '\r' && c != '\n' ? SCAN_PARTED : c;
}

/* Writes how a letter beyond ASCII is read; returns the bytes. */
static unsigned clean_letter(char *to, gunichar c)
{
    char equal = letter_ascii_equal(c);

    if (equal == 0 && !letter_parts_words(c))
        return (unsigned)g_unichar_to_utf8(c, to);
    *to = equal != 0 ? equal : SCAN_PARTED;
    return 1;
}

const char *scan_clean(const char *text, size_t length, size_t *clean_length, char **owned)
{
    char *clean, *to;

    if (is_clean(text, length)) {
        *owned = NULL;
        *clean_length = length;
        return text;
    }
    to = clean = g_malloc(LETTER_REPLACED_LENGTH * length + 1);
    for (const char *p = text, *end = text + length; p < end;) {
        unsigned size = 1;
        gunichar c = (unsigned char)*p < 0x80 ? (unsigned char)*p : letter_read(p, end, &size);
        if (c < 0x80)
            *to++ = clean_ascii((char)c);
        else if (!letter_is_invisible(c))
            to += clean_letter(to, c);
        p += size;
    }
    *to = '\0';
    *clean_length = (size_t)(to - clean);
    *owned = g_realloc(clean, *clean_length + 1);
    return *owned;
}

/* Start of the quoted string that ends at `end` (on its closing quote), or `end` if there is none near. */
static size_t quoted_start(const char *text, size_t end)
{
    size_t limit = end > QUOTED_LOCAL_LIMIT ? end - QUOTED_LOCAL_LIMIT : 0;

    for (size_t i = end; i-- > limit;) {
        if (text[i] == '"' && (i == 0 || text[i - 1] != '\\'))
            return i;
    }
    return end;
}

/*
 * RFC 5322 section 4.4: words joined by dots may be quoted each.  From `start` on
 * to the left over those, as far as a local part may be long; what was read as
 * another address may lie in it.
 */
static size_t over_quoted_words(const char *text, size_t start)
{
    size_t limit = start > QUOTED_LOCAL_LIMIT ? start - QUOTED_LOCAL_LIMIT : 0;

    while (start > limit) {
        size_t before = start;
        if (text[start] == '.' && text[start - 1] == '"')
            start = quoted_start(text, start - 1) < start - 1 ? quoted_start(text, start - 1) : start;
        else if (text[start] == '"' && text[start - 1] == '.')
            while (start > limit && is(text[start - 1], LOCAL))
                start--;
        if (start == before)
            break;
    }
    return start;
}

/* Over what people put before an address rather than into it, and the keys of a mailto: URL (RFC 6068). */
static size_t over_wrappers(const char *text, size_t start, size_t end)
{
    static const char *const keys[] = {"to=", "cc=", "bcc="};
    size_t i = start, symbol = end;

    while (i < end) {
        bool wraps = is(text[i], WRAPPER);
        if (!wraps && ((unsigned char)text[i] < 0x80 || !letter_is_symbol(g_utf8_get_char(text + i))))
            break;
        symbol = wraps ? symbol : MIN(symbol, i);
        i += wraps ? 1 : (size_t)g_utf8_skip[(unsigned char)text[i]];
    }
    if (i == end) /* a name of symbols alone is a name */
        return symbol;
    for (unsigned key = 0; i > start && strchr("?&", text[i - 1]) != NULL && key < G_N_ELEMENTS(keys); key++)
        if (end - i > strlen(keys[key]) && g_ascii_strncasecmp(text + i, keys[key], strlen(keys[key])) == 0)
            return i + strlen(keys[key]);
    return i;
}

/* Finds the local part to the left of `hit->at`; nothing before `floor` belongs to it. */
static bool find_local(const char *text, size_t floor, struct scan_hit *hit, bool *loose)
{
    size_t end = hit->at;

    while (end > floor && is(text[end - 1], BLANK))
        end--;
    *loose = end < hit->at;
    while (end > floor && text[end - 1] == '\\') /* as some programs escape the `@` */
        end--;
    hit->local_end = end;
    if (end > 0 && text[end - 1] == '"') {
        hit->wide = hit->tight = quoted_start(text, end - 1);
        hit->quoted = hit->wide < end - 1;
        if (hit->quoted) {
            hit->wide = over_quoted_words(text, hit->wide);
            return end - hit->tight > 2;
        }
        hit->local_end = --end; /* a quote that nothing opened */
    }
    hit->wide = end;
    while (hit->wide > floor && is(text[hit->wide - 1], LOCAL))
        hit->wide--;
    hit->tight = hit->wide;
    hit->wide = over_quoted_words(text, hit->wide);
    /* Within a run that starts like an encoded-word, its text comes after the last `?`. */
    if (end - hit->tight > 2 && text[hit->tight] == '=' && text[hit->tight + 1] == '?') {
        for (size_t i = end; i-- > hit->tight;) {
            if (text[i] == '?') {
                hit->tight = i + 1;
                break;
            }
        }
    }
    hit->tight = over_wrappers(text, hit->tight, end);
    return hit->tight < end;
}

/* Over the blanks of a fold inside a domain: one that follows or precedes a dot.  Where it goes on, or `at` itself. */
static size_t over_fold(const char *text, size_t length, size_t at)
{
    size_t next = at;
    bool folded = false;

    while (next < length && is(text[next], BLANK)) {
        folded = folded || text[next] == '\n';
        next++;
    }
    if (!folded || next == length || !is(text[next], DOMAIN))
        return at;
    return text[at - 1] == '.' || text[next] == '.' ? next : at;
}

/* A domain does not end in what ends a sentence. */
static size_t trim_end(const char *text, size_t start, size_t end)
{
    while (end > start && strchr(".-_", text[end - 1]) != NULL)
        end--;
    return end;
}

size_t scan_domain_end(const char *text, size_t start, size_t end)
{
    size_t label = end;

    while (label > start && text[label - 1] != '.')
        label--;
    if (label == start || !g_ascii_isalnum(text[label]))
        return end;
    for (const char *p = text + label; p < text + end; p = g_utf8_next_char(p))
        if ((unsigned char)*p >= 0x80 && !letter_looks_latin(g_utf8_get_char(p)))
            return trim_end(text, start, (size_t)(p - text));
    return end;
}

/* Where the domain literal ends that begins at `start`: before a blank if nothing closes it. */
static size_t literal_end(const char *text, size_t length, size_t start)
{
    size_t limit = MIN(length, start + SCAN_LITERAL_LIMIT), blank = 0, i = start;

    while (i < limit && strchr("]@,;<>\"", text[i]) == NULL) {
        if (blank == 0 && is(text[i], BLANK))
            blank = i;
        i++;
    }
    if (i < limit && text[i] == ']')
        return i + 1;
    return blank > 0 ? blank : i;
}

/* Finds the domain to the right of `hit->at`. */
static bool find_domain(const char *text, size_t length, struct scan_hit *hit, bool *loose)
{
    size_t i = hit->at + 1, begin;
    bool dot = false, letter = false;
    bool label = false, dotted = false, parted = false; /* a label, a dot after it, a label after that */

    while (i < length && text[i] == '@')
        i++;
    begin = i;
    while (i < length && is(text[i], BLANK))
        i++;
    *loose = *loose || i > begin;
    hit->domain = i;
    if (i < length && text[i] == '[') {
        hit->end = hit->short_end = literal_end(text, length, i);
        return hit->end > hit->domain + 2;
    }
    while (i < length && strchr(".\"'", text[i]) != NULL)
        i++;
    hit->domain = i;
    for (;;) {
        while (i < length && is(text[i], DOMAIN)) {
            dot = dot || (text[i] == '.' && i + 1 < length && is(text[i + 1], DOMAIN));
            parted = parted || (dotted && text[i] != '.');
            dotted = dotted || (label && text[i] == '.');
            label = label || text[i] != '.';
            letter = letter || is(text[i], LOCAL);
            i++;
        }
        if (i == hit->domain || i == length || over_fold(text, length, i) == i)
            break;
        if (parted && hit->short_end == 0)
            hit->short_end = scan_domain_end(text, hit->domain, trim_end(text, hit->domain, i));
        i = over_fold(text, length, i);
        dot = true;
    }
    hit->end = scan_domain_end(text, hit->domain, trim_end(text, hit->domain, i));
    if (hit->short_end == 0)
        hit->short_end = hit->end;
    /* "Lunch @ noon" is no address; "ann @ x.example" is one to a reader, and to RFC 5322 section 4.4. */
    return hit->end > hit->domain && letter && (dot || !*loose);
}

void scan_text(const char *text, size_t length, unsigned limit, GArray *hits)
{
    size_t floor = 0;
    const char *found = text;

    while (hits->len < limit && (found = memchr(found, '@', length - (size_t)(found - text))) != NULL) {
        struct scan_hit hit = {.at = (size_t)(found - text)};
        bool loose = false;
        bool whole = find_local(text, floor, &hit, &loose) && find_domain(text, length, &hit, &loose);

        found++;
        if (!whole) {
            /* A hit of before may end here only if this `@` did not follow it at once. */
            floor = MAX(floor, hit.at + 1);
            continue;
        }
        g_array_append_val(hits, hit);
        /* In a@b@c the b is both a domain and a local part. */
        floor = hit.end < length && text[hit.end] == '@' ? hit.at + 1 : hit.end;
    }
}
