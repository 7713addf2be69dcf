/* from_authors - see from_authors.h */

#include "policy/message/from_authors.h"

#include "policy/address/address.h"
#include "policy/address/address_scan.h"
#include "policy/message/header_text.h"

#include <string.h>

/*
 * An `@` can have a domain with a dot, or a literal, only if one follows before the next `@`; what is not
 * ASCII may be a dot.  `routes`: `a%x.example` and `x.example!a` are addresses too.
 */
static unsigned count_signs(const char *text, size_t length, bool routes)
{
    unsigned signs = 0;
    bool open = false;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '@') {
            open = true;
        } else if (routes && (c == '%' || c == '!')) {
            signs++;
        } else if (open && (c == '.' || c == '[' || c >= 0x80)) {
            signs++;
            open = false;
        }
    }
    return signs;
}

/* The same of text in which other scripts' signs may be. */
static unsigned count_clean(const char *text, bool routes)
{
    g_autofree char *owned = NULL;
    size_t length;
    const char *clean = scan_clean(text, strlen(text), &length, &owned);

    return count_signs(clean, length, routes);
}

/* Of one field; `words` is how many encoded-words there were before. */
static unsigned count_places(const char *value, bool routes, unsigned *words)
{
    struct words decoded = {0};

    if (strstr(value, "=?") == NULL)
        return g_str_is_ascii(value) ? count_signs(value, strlen(value), routes) : count_clean(value, routes);
    if (!decode_words(value, words, &decoded))
        return FROM_PLACES_MOST; /* too many of them */
    /* A program shows a word decoded or as it is, so that each of both may name somebody. */
    unsigned places = count_clean(decoded.decoded, routes) + count_clean(decoded.raw, routes);
    words_clear(&decoded);
    return *words > WORDS_LIMIT ? FROM_PLACES_MOST : places;
}

unsigned from_places(const struct message *message)
{
    bool routes = !mta_facts(message->mta)->rewrites_routes;
    unsigned places = 0, words = 0;

    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if ((header->name[0] | 0x20) == 'f' && g_ascii_strcasecmp(header->name, "From") == 0)
            places = MIN(places + count_places(header->value, routes, &words), FROM_PLACES_MOST);
    }
    return places;
}

static const char *find(const GPtrArray *mailboxes, const char *address)
{
    if (address == NULL || address[0] == '\0')
        return NULL;
    g_autofree char *normal = address_normalise_envelope(address);
    for (unsigned i = 0; i < mailboxes->len; i++)
        if (strcmp(g_ptr_array_index(mailboxes, i), normal) == 0)
            return g_ptr_array_index(mailboxes, i);
    return NULL;
}

bool from_counts(const char *address)
{
    const char *domain = address_domain(address);

    return domain != NULL && (domain[0] == '[' || strchr(domain, '.') != NULL);
}

const char *from_author(const struct message *message, const GPtrArray *mailboxes)
{
    const char *author = find(mailboxes, message->sender);

    if (author == NULL)
        author = find(mailboxes, message->user);
    return author != NULL ? author : g_ptr_array_index(mailboxes, 0);
}
