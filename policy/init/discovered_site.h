/*
 * discovered_site - what is known of a mail server for a first policy: which domains and
 * networks are its own, and where that is said.
 *
 * The values of an MTA's configuration come in any form; those that a policy can
 * contain are kept.  The rest is left out, with a note for a person.
 *
 * Ownership: a site owns all that it holds; free with site_free.
 */
#ifndef RCPTGUARD_DISCOVERED_SITE_H
#define RCPTGUARD_DISCOVERED_SITE_H

#include "policy/base/cleanup.h"
#include "policy/exposure/public_suffix.h"

#include <glib.h>
#include <stdbool.h>

struct site_domain {
    char *name; /* normalised */
    bool below; /* and all below it */
    GString *origins;
};

struct site {
    const char *mta;       /* "Postfix", "Sendmail"; NULL if none was asked */
    GPtrArray *domains;    /* struct site_domain *, in the order in which they came */
    GPtrArray *networks;   /* char *: who may relay by its address, loopback aside */
    GPtrArray *local;      /* char *: names and literals that mean this machine alone; left out */
    GPtrArray *notes;      /* char *: what a person has to look at */
    GPtrArray *reinjected; /* char *: names of listeners that take mail back from a content filter */
    bool unguarded;        /* the MTA was seen not to name rcptguard as a milter */
    char *origin;          /* the domain that the MTA appends to a bare name, or NULL */

    GHashTable *known; /* the name of a domain -> struct site_domain, which `domains` owns */
    struct suffixes *suffixes;
};

struct site *site_new(void);
void site_free(struct site *site);
AUTO_FREE_DEFINE(site, site_free)

/* Notes beyond these are counted only. */
#define SITE_NOTES 50u

/*
 * Takes a domain; with a leading dot, or if `below` is true, all below as well.
 * `origin` says where it stood.  Returns false if it was left out.
 */
bool site_add_domain(struct site *site, const char *text, bool below, const char *origin);

/* Takes an address or a network: 10.0.0.0/8, 192.0.2.1, 2001:db8::/32, [2001:db8::]/32. */
void site_add_network(struct site *site, const char *text, const char *origin);

/* Notes what a person has to look at; it is made printable. */
void site_note(struct site *site, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* At the end: drops the domains that a suffix covers, and notes how many more notes there are. */
void site_finish(struct site *site);

/* Whether a normalised domain is one of the site's. */
bool site_has(const struct site *site, const char *domain);

/*
 * The domain for the postmaster's address: of those of the site's, the origin's
 * organisation, else the origin, else the first.  NULL without any.
 */
const char *site_main_domain(const struct site *site);

#endif
