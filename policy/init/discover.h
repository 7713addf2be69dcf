/*
 * discover - asks the machine's own Postfix or Sendmail which domains and networks are
 * its own, by their own programs: postconf(1), postmap(1), sendmail(8) -bt.
 */
#ifndef RCPTGUARD_DISCOVER_H
#define RCPTGUARD_DISCOVER_H

#include "policy/init/discovered_site.h"

#include <stdbool.h>

/* The programs that are asked; each is found by program_find. */
#define ASK_POSTFIX  "postconf"
#define ASK_SENDMAIL "sendmail"

/*
 * How long an answer may take, in seconds.  Sendmail waits for a minute before it
 * starts if its host has no name with a dot.
 */
#define ASK_POSTFIX_SECONDS  10u
#define ASK_SENDMAIL_SECONDS 90u

/*
 * Adds to the site what the MTA says.  `config` is Postfix's configuration
 * directory, or Sendmail's file; NULL for its own.  False if there is no
 * answer: `*error` says why, to be freed with g_free.
 */
bool ask_postfix(struct site *site, const char *config, char **error);
bool ask_sendmail(struct site *site, const char *config, char **error);

#endif
