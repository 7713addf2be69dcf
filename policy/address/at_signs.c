/* at_signs - see at_signs.h */

#include "policy/address/at_signs.h"

#include "policy/address/address_greedy.h"
#include "policy/base/keyed_hash.h"

#include <string.h>

void account_start(struct account *account, const struct addresses *parsed, struct idna *idna)
{
    *account = (struct account){.parsed = parsed, .idna = idna};
    addresses_init(&account->longer);
    addresses_init(&account->parts);
}

void account_end(struct account *account)
{
    addresses_clear(&account->longer);
    addresses_clear(&account->parts);
    g_clear_pointer(&account->wholes, g_hash_table_unref);
    g_clear_pointer(&account->known, g_hash_table_unref);
}

static char *normalise(struct account *account, const GString *local, const GString *domain)
{
    return address_normalise(local->str, local->len, domain->str, domain->len, account->idna);
}

/* Notes an `@` that adds nobody and ends at `end`.  Those of one route, name, comment or local part are one. */
static void note_idle(struct account *account, const struct greedy_at *place, size_t end)
{
    const char *text = account->text;
    size_t before = account->idle_end, at = place->place;

    account->idle_end = MAX(before, end);
    if (before > at || (before > 0 && memchr(text + before, ',', at - before) == NULL &&
                        memchr(text + before, ';', at - before) == NULL))
        return;
    account->idle += !account->plain;
    account->plain = false;
}

/* Notes a plain address: one `@` before it may be in its name, and one after it. */
static void note_plain(struct account *account)
{
    account->lost += account->idle > 0 ? account->idle - 1 : 0;
    account->idle = 0;
    account->plain = true;
}

/* Notes an address that was read at an `@`; who is known already is nobody more. */
static void note_read(struct account *account, const struct greedy_at *at, const char *address, bool plain)
{
    if (account->known == NULL)
        account->known = g_hash_table_new(NULL, NULL);
    if (!g_hash_table_add(account->known, GUINT_TO_POINTER(hash_string(address))))
        note_idle(account, at, at->place + 1);
    else if (plain)
        note_plain(account);
}

/*
 * Counts the whole of an item, of which an MTA may make one address, where that is the
 * only difference to an item before: sixty of `Ann<number> ann@x.example` are sixty to
 * Sendmail, and nobody who writes to one person beside a name counts that person twice.
 * Takes `whole`, NULL if it is too long to be read.
 */
static void count_whole(struct account *account, char *whole, const char *address)
{
    g_autofree char *owned = whole;
    gpointer known;

    if (account->wholes == NULL)
        account->wholes = g_hash_table_new_full(hash_string, g_str_equal, g_free, g_free);
    if (!g_hash_table_lookup_extended(account->wholes, address, NULL, &known))
        g_hash_table_insert(account->wholes, g_strdup(address), g_steal_pointer(&owned));
    else if (whole == NULL)
        account->unread = true;
    else if (g_strcmp0(known, whole) != 0)
        addresses_add(&account->longer, g_steal_pointer(&owned));
}

static bool is_parsed(const struct account *account, const char *address)
{
    return address != NULL && addresses_find(account->parsed, address) >= 0;
}

/* The whole of an item, or all on one side of its `@`, if the grammar knows it: `<ann . lee @ x.example>`; or NULL. */
static char *parsed_whole(struct account *account, const struct greedy_address *read, const char *whole)
{
    const GString *const sides[][2] = {{read->wide_local, read->domain}, {read->local, read->wide_domain}};

    if (read->cut || addresses_count(account->parsed) == 0)
        return NULL;
    if (is_parsed(account, whole))
        return g_strdup(whole);
    /* Where only one side has more, that was the whole. */
    if (read->wide_local->len == read->local->len || read->wide_domain->len == read->domain->len)
        return NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(sides); i++) {
        g_autofree char *side = normalise(account, sides[i][0], sides[i][1]);
        if (is_parsed(account, side))
            return g_steal_pointer(&side);
    }
    return NULL;
}

/*
 * Whether a person may stop reading sooner than the grammar: what has a dot is a
 * domain already, whatever follows it ("ann@x.example. Bob").
 */
static bool stops_before(const char *shorter, const char *longer)
{
    const char *domain = address_domain(shorter);

    return strchr(domain, '.') != NULL && strcmp(domain, address_domain(longer)) != 0;
}

/*
 * Counts what the third reading found at an `@`.  The address that the second one found
 * there, if any, gives way if it is a part: a person can stop after it only where a domain can end.
 */
static void count_longer(struct account *account, const struct greedy_at *at, const struct greedy_address *read,
                         char **hit)
{
    const char *found = hit != NULL ? *hit : NULL;
    g_autofree char *whole = read->wider && !read->cut ? normalise(account, read->wide_local, read->wide_domain) : NULL;
    g_autofree char *address = read->wider ? parsed_whole(account, read, whole) : NULL;

    if (address == NULL)
        address = read->same && found != NULL ? g_strdup(found) : normalise(account, read->local, read->domain);
    if (address == NULL) {
        account->unread = account->unread || found == NULL;
        return;
    }
    note_read(account, at, whole != NULL ? whole : address, !read->wider && g_strcmp0(found, address) == 0);
    if (read->wider)
        count_whole(account, g_steal_pointer(&whole), address);
    if (g_strcmp0(found, address) == 0)
        return;
    if (found != NULL && !stops_before(found, address))
        addresses_add(&account->parts, g_steal_pointer(hit));
    addresses_add(&account->longer, g_steal_pointer(&address));
}

/* Whether an `@` follows another one: together they are one. */
static bool follows_at(const char *text, size_t at)
{
    while (at > 0 && scan_is_blank(text[at - 1]))
        at--;
    return at > 0 && text[at - 1] == '@';
}

/*
 * Whether an `@` is in the quoted local part of an address that the grammar finds too, and
 * no separator is between: that may be two items to a person.  `next` is the first hit after it.
 */
static bool is_quoted_away(const struct account *account, const char *text, const GArray *hits, char **found,
                           unsigned next, size_t at)
{
    for (; next < hits->len; next++) {
        const struct scan_hit *hit = &g_array_index(hits, struct scan_hit, next);
        if (hit->at - at > GREEDY_STEPS)
            return false;
        if (hit->wide <= at && found[next] != NULL && addresses_find(account->parsed, found[next]) >= 0)
            return memchr(text + at, ',', hit->at - at) == NULL && memchr(text + at, ';', hit->at - at) == NULL;
    }
    return false;
}

/* Reads one `@`; what the second reading made of it is `hit` and `found`, or NULL. */
static void account_at(struct account *account, struct greedy *greedy, const struct greedy_at *at,
                       const struct scan_hit *hit, char **found, struct greedy_address *read)
{
    enum greedy_kind kind = greedy_read(greedy, at, hit, read);

    account->walks += kind != GREEDY_SAME;
    switch (kind) {
    case GREEDY_SAME:
        note_plain(account);
        break;
    case GREEDY_SHOWN:
        if (*found != NULL)
            note_read(account, at, *found, false);
        break;
    case GREEDY_LONGER:
        count_longer(account, at, read, found);
        break;
    case GREEDY_NOBODY:
        note_idle(account, at, read->end);
        if (found != NULL)
            g_clear_pointer(found, g_free);
        break;
    case GREEDY_UNREAD:
        account->unread = true;
        break;
    }
}

/* What is noted of one text. */
static void end_text(struct account *account)
{
    if (account->lost + account->idle > ACCOUNT_LOST_ALLOWED)
        account->unread = true;
    account->lost = 0;
    account->idle = 0;
    account->idle_end = 0;
    account->plain = false;
    if (account->known != NULL)
        g_hash_table_remove_all(account->known);
}

bool account_text(struct account *account, const char *text, size_t length, bool prose, const GArray *hits,
                  char **found)
{
    struct greedy_address read;
    struct greedy_at at = {0};
    struct greedy greedy;
    const char *next = text;
    unsigned i = 0;
    size_t after = 0, end = 0; /* the last `@`, and what was read there */

    account->text = text;
    greedy_start(&greedy, text, length, prose);
    greedy_address_init(&read);
    for (; (next = memchr(next, '@', length - (size_t)(next - text))) != NULL; at.number++) {
        const struct scan_hit *hit = i < hits->len ? &g_array_index(hits, struct scan_hit, i) : NULL;
        at.place = (size_t)(next++ - text);
        if (hit == NULL || hit->at != at.place)
            hit = NULL;
        i += hit != NULL;
        if (hit == NULL && follows_at(text, at.place))
            continue;
        if (greedy.quotes && is_quoted_away(account, text, hits, found, i, at.place)) {
            note_idle(account, &at, at.place + 1);
            continue;
        }
        if (account->walks >= ACCOUNT_LIMIT || at.number >= GREEDY_PLACES)
            break;
        /* In a@b@c the b is both a domain and a local part. */
        at.floor = end > after && end < at.place ? end : after;
        account_at(account, &greedy, &at, hit, hit != NULL ? &found[i - 1] : NULL, &read);
        after = at.place + 1;
        end = read.end;
    }
    greedy_address_clear(&read);
    greedy_end(&greedy);
    end_text(account);
    return next == NULL;
}
