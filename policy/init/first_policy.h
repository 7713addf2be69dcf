/*
 * first_policy - writes a first policy for a site, every rule of it on trial, with
 * comments that say what is what and assertions that hold.
 */
#ifndef RCPTGUARD_FIRST_POLICY_H
#define RCPTGUARD_FIRST_POLICY_H

#include "policy/init/discovered_site.h"

/* More domains than these are written to a table. */
#define DRAFT_DOMAINS 100u

/* The names of the tables beside the policy. */
#define DRAFT_FREEMAIL "freemail.domains"
#define DRAFT_INTERNAL "internal.domains"

/*
 * The policy's text, for a site with at least one domain.  `freemail` is the text
 * of the table of freemail domains.  To be freed with g_free.
 */
char *draft_policy(const struct site *site, const char *freemail);

/* The text of the table DRAFT_INTERNAL, or NULL if the policy names the domains itself; free with g_free. */
char *draft_domains(const struct site *site);

#endif
