/*
 * address_scan - the tolerant reading of an address list: whatever looks like an
 * address to a person, at whatever place in the text.
 *
 * It does not use the grammar: at each `@` it goes left over the characters that a
 * local part may have, and right over those of a domain.  Each byte is read a bounded
 * number of times.
 */
#ifndef RCPTGUARD_ADDRESS_SCAN_H
#define RCPTGUARD_ADDRESS_SCAN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of a domain literal, "[IPv6:...]", that are looked at. */
#define SCAN_LITERAL_LIMIT 256

/* One `@` with something on both sides; offsets into the text that was scanned. */
struct scan_hit {
    size_t wide;  /* start of the longest local part that syntax allows (atext) */
    size_t tight; /* start of what a person would take for the local part: "|ann@x" is ann */
    size_t local_end;
    size_t at;     /* there may be blanks before it */
    size_t domain; /* start of the domain; there may be blanks between `@` and it */
    size_t end;
    size_t short_end; /* where it may end as well: before a fold, if there was a dot already; else `end` */
    bool quoted;      /* the local part is a quoted string */
};

/*
 * A text to scan: valid UTF-8, full-width forms and separators of other scripts
 * as their ASCII equals, characters that cannot be seen left out, control
 * characters and what parts words in other scripts as SCAN_PARTED, a fold as one
 * newline.  `*owned` is what to g_free, or NULL if the text could stay as it is.
 */
#define SCAN_PARTED '\001' /* a blank to a reader, and a letter to an MTA */
const char *scan_clean(const char *text, size_t length, size_t *clean_length, char **owned);

/* Characters of a clean text: what may be in a local part, in a domain, and blanks of ASCII. */
bool scan_is_local(char c);
bool scan_is_domain(char c);
bool scan_is_blank(char c);

/*
 * Where a domain from `start` to `end` of a clean text ends to a reader: before
 * a character that no top-level domain has: these do not mix scripts, and have no look-alikes.
 */
size_t scan_domain_end(const char *text, size_t start, size_t end);

/*
 * Appends a struct scan_hit to `hits` for each address in a clean text, in order, until there are `limit` of them: a
 * text of nothing else would need sixteen times its size for them.
 */
void scan_text(const char *text, size_t length, unsigned limit, GArray *hits);

#endif
