/* part_scan - see part_scan.h */

#include <config.h>

#include "policy/parts/part_scan.h"

#include "policy/address/address_scan.h"

#include <string.h>

/* Bytes before and after an `@` that can be a part of its address. */
#define BEFORE 200u
#define AFTER  320u

/* The longest plain address that is normalised in place. */
#define PLAIN_LIMIT 320u

void part_scan_init(struct part_scan *scan)
{
    *scan = (struct part_scan){.list = g_array_new(FALSE, FALSE, sizeof(struct part_address)),
                               .hits = g_array_new(FALSE, FALSE, sizeof(struct scan_hit))};
    addresses_init(&scan->addresses);
    addresses_init(&scan->domains);
    scan->domains.borrows = true;
}

void part_scan_clear(struct part_scan *scan)
{
    addresses_clear(&scan->domains);
    addresses_clear(&scan->addresses);
    g_array_unref(scan->list);
    g_array_unref(scan->hits);
    idna_clear(&scan->idna);
}

void part_scan_begin(struct part_scan *scan, unsigned part)
{
    scan->part = part;
    scan->in_part = 0;
}

void part_scan_put(struct part_scan *scan, const char *address, size_t length, unsigned kinds)
{
    bool added, new_domain;
    int place = addresses_put(&scan->addresses, address, length, PART_ADDRESSES_LIMIT, &added);

    if (place < 0) {
        scan->exhausted = true;
        return;
    }
    if (added) {
        struct part_address found = {.address = addresses_get(&scan->addresses, (unsigned)place)};
        const char *domain = address_domain(found.address);
        found.domain = (unsigned)addresses_put(&scan->domains, domain, length - (size_t)(domain - found.address),
                                               G_MAXUINT, &new_domain);
        g_array_append_val(scan->list, found);
    }
    struct part_address *found = &g_array_index(scan->list, struct part_address, (unsigned)place);
    found->kinds |= kinds;
    scan->in_part += found->seen != scan->part;
    found->seen = scan->part;
}

/* ---- one address */

/* In prose: whether the domain is a name of the DNS that mail goes to, and no picture or message is meant. */
static bool is_likely(const char *text, const struct scan_hit *hit, size_t end)
{
    size_t label = end;

    if (hit->tight >= 4 && g_ascii_strncasecmp(text + hit->tight - 4, "cid:", 4) == 0)
        return false;
    if (text[hit->domain] == '[')
        return true;
    while (label > hit->domain && text[label - 1] != '.')
        label--;
    return label > hit->domain && end > label && !g_ascii_isdigit(text[label]);
}

/*
 * The normal form of an address of ASCII without quotes, as address_normalise gives it, in `out`; 0 if
 * it needs that: quotes, apostrophes around it, A-labels, anything else.
 */
static size_t normalise_plain(const char *text, const struct scan_hit *hit, size_t end, char *out)
{
    size_t length = 0;

    if (hit->quoted || end - hit->domain + hit->local_end - hit->tight + 1 > PLAIN_LIMIT)
        return 0;
    for (size_t i = hit->tight; i < hit->local_end; i++) {
        if (!g_ascii_isalnum(text[i]) && strchr("!#$%&*+-/=?^_`{|}~.", text[i]) == NULL)
            return 0;
        out[length++] = g_ascii_tolower(text[i]);
    }
    out[length++] = '@';
    for (size_t i = hit->domain; i < end; i++) {
        if (!g_ascii_isalnum(text[i]) && text[i] != '.' && text[i] != '-')
            return 0;
        out[length++] = g_ascii_tolower(text[i]);
    }
    return out[length - 1] == '.' ? 0 : length;
}

/* Any other. */
static char *normalise_odd(struct part_scan *scan, const char *text, const struct scan_hit *hit, size_t end)
{
    if (++scan->odd > PART_ODD_LIMIT) {
        scan->exhausted = true;
        return NULL;
    }
    g_autofree char *local = g_strndup(text + hit->tight, hit->local_end - hit->tight);
    g_strdelimit(local, (const char[]){SCAN_PARTED, '\0'}, ' ');
    return address_normalise(local, strlen(local), text + hit->domain, end - hit->domain, &scan->idna);
}

static void take_hit(struct part_scan *scan, const char *text, const struct scan_hit *hit, unsigned kinds, bool prose)
{
    char plain[PLAIN_LIMIT + 1];
    size_t end = hit->short_end; /* a text has sentences that end in a dot, and lines that go on after it */

    if (prose && !is_likely(text, hit, end))
        return;
    size_t length = normalise_plain(text, hit, end, plain);
    if (length > 0) {
        part_scan_put(scan, plain, length, kinds);
        return;
    }
    g_autofree char *address = normalise_odd(scan, text, hit, end);
    if (address != NULL)
        part_scan_put(scan, address, strlen(address), kinds);
}

/* ---- a text */

/* The places of one sign in a text, each looked for once. */
struct sign {
    const char *bytes;
    size_t length;
    const char *next; /* or the end */
};

/* The next sign from `from` on that does not follow another one at once: such a one has nobody before it. */
static const char *find_sign(const struct sign *sign, const char *text, const char *from, const char *end)
{
    const char *found = from;

    if (sign->length > 1) {
        found = memmem(from, (size_t)(end - from), sign->bytes, sign->length);
        return found == NULL ? end : found;
    }
    while ((found = memchr(found, sign->bytes[0], (size_t)(end - found))) != NULL) {
        if (found == text || found[-1] != sign->bytes[0])
            return found;
        while (found < end && *found == sign->bytes[0])
            found++;
    }
    return end;
}

/* The `@` of ASCII, the full-width one and the small one. */
static const char *next_sign(struct sign *signs, unsigned count, const char *text, const char *from, const char *end)
{
    const char *first = end;

    for (unsigned i = 0; i < count; i++) {
        if (signs[i].next < from)
            signs[i].next = find_sign(&signs[i], text, from, end);
        first = MIN(first, signs[i].next);
    }
    return first;
}

static const char *after(const char *at, size_t bytes, const char *end)
{
    return (size_t)(end - at) > bytes ? at + bytes : end;
}

static const char *to_letter(const char *p, const char *begin)
{
    for (unsigned i = 0; i < 3 && p > begin && ((unsigned char)*p & 0xC0) == 0x80; i++)
        p--;
    return p;
}

static bool has_no_room(const struct part_scan *scan)
{
    return scan->readings >= PART_READINGS_LIMIT || scan->scanned > PART_SCANNED_LIMIT ||
           scan->cleaned > PART_CLEANED_LIMIT;
}

bool part_scan_is_over(const struct part_scan *scan)
{
    return scan->exhausted && has_no_room(scan);
}

static void scan_window(struct part_scan *scan, const char *text, size_t length, unsigned kinds, bool prose)
{
    g_autofree char *owned = NULL;
    size_t clean_length;

    if (has_no_room(scan)) {
        scan->exhausted = true;
        return;
    }
    scan->scanned += length;
    const char *clean = scan_clean(text, length, &clean_length, &owned);
    scan->cleaned += owned != NULL ? length : 0;
    g_array_set_size(scan->hits, 0);
    scan_text(clean, clean_length, PART_READINGS_LIMIT - scan->readings, scan->hits);
    scan->readings += scan->hits->len;
    for (unsigned i = 0; i < scan->hits->len; i++)
        take_hit(scan, clean, &g_array_index(scan->hits, struct scan_hit, i), kinds, prose);
}

/* As it is written, or with the escapes of a URL decoded. */
static void scan_once(struct part_scan *scan, const char *text, size_t length, unsigned kinds, bool prose)
{
    struct sign signs[] = {{"@", 1, NULL}, {"\357\274\240", 3, NULL}, {"\357\271\253", 3, NULL}};
    const char *end = text + length, *done = text, *at = next_sign(signs, G_N_ELEMENTS(signs), text, text, end);

    while (at < end) {
        const char *left = at - done > (gssize)BEFORE ? to_letter(at - BEFORE, done) : done;
        /* Twice as far, so that whatever begins within the first half ends in it, and is not looked for. */
        const char *right = after(at, 2 * AFTER, end);
        const char *next = next_sign(signs, G_N_ELEMENTS(signs), text, after(at, AFTER, end), end);
        while (next < end && end - right > 0 && next - right < (gssize)BEFORE) {
            right = after(next, 2 * AFTER, end);
            next = next_sign(signs, G_N_ELEMENTS(signs), text, after(next, AFTER, end), end);
        }
        if (right < end)
            right = to_letter(right, at + 1);
        scan_window(scan, left, (size_t)(right - left), kinds, prose);
        done = right;
        at = next < right ? next_sign(signs, G_N_ELEMENTS(signs), text, right, end) : next;
    }
}

void part_scan_text(struct part_scan *scan, const char *text, size_t length, unsigned kinds, bool prose)
{
    if (part_scan_is_over(scan))
        return;
    scan_once(scan, text, length, kinds, prose);
    if (memmem(text, length, "%40", 3) == NULL)
        return;
    g_autofree char *decoded = g_malloc(length + 1);
    size_t to = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%' && i + 2 < length && g_ascii_isxdigit(text[i + 1]) && g_ascii_isxdigit(text[i + 2])) {
            decoded[to++] = (char)(g_ascii_xdigit_value(text[i + 1]) << 4 | g_ascii_xdigit_value(text[i + 2]));
            i += 2;
        } else {
            decoded[to++] = text[i];
        }
    }
    scan_once(scan, decoded, to, kinds, prose);
}
