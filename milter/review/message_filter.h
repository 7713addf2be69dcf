/*
 * message_filter - which messages a command is about: the options --sender, --rule, --subject,
 * --party, --user, --older and --newer that the commands of rcptguardq(8) share.
 *
 * Ownership: selection_free frees a selection; the ledger is the caller's.  Errors are texts for
 * g_free.
 */
#ifndef RCPTGUARD_MESSAGE_FILTER_H
#define RCPTGUARD_MESSAGE_FILTER_H

#include "milter/queue/reconcile.h"
#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

/* For an array of GOptionEntry. */
#define SELECTION_ENTRIES                                                                                               \
    {"sender", 0, 0, G_OPTION_ARG_STRING, &selection_sender, "Those of an address, or of a domain: @corp.example",      \
     "ADDR"},                                                                                                           \
        {"rule", 0, 0, G_OPTION_ARG_STRING, &selection_rule, "Those that a rule held", "RULE"},                         \
        {"subject", 0, 0, G_OPTION_ARG_STRING, &selection_subject, "Those in whose subject this is found, in any case", \
         "REGEX"},                                                                                                      \
        {"party", 0, 0, G_OPTION_ARG_STRING, &selection_party, "Those that show recipients of this party", "DOMAIN"},   \
        {"user", 0, 0, G_OPTION_ARG_STRING, &selection_user, "Those that a SASL login submitted", "LOGIN"},             \
        {"older", 0, 0, G_OPTION_ARG_STRING, &selection_older, "Those held for longer: 90s, 15m, 2h, 3d", "AGE"},       \
    {                                                                                                                   \
        "newer", 0, 0, G_OPTION_ARG_STRING, &selection_newer, "Those not held for longer", "AGE"                        \
    }

extern char *selection_sender, *selection_rule, *selection_subject, *selection_party, *selection_user;
extern char *selection_older, *selection_newer;

/* Whether any of them was given. */
bool selection_given(void);

struct selection;

/* The options, for what is now (in microseconds).  NULL with `error`, saying which option is wrong. */
struct selection *selection_new(gint64 now, char **error);
void selection_free(struct selection *selection);
AUTO_FREE_DEFINE(selection, selection_free)

/* What of them the ledger itself can look for; it belongs to the selection. */
const struct ledger_filter *selection_filter(const struct selection *selection);

/*
 * Whether an item passes all of them: 1 yes, 0 no, -1 with `error` if that cannot be told.  An
 * untracked message has no rule, no subject, no party and no login.
 */
int selection_has(struct selection *selection, struct ledger *ledger, const struct view_item *item, char **error);

/* A time span in microseconds: 90s, 15m, 2h, 3d.  -1 if it is none. */
gint64 selection_span(const char *text);

/* "45 s", "12 min", "2 h", "3 d": the largest unit, rounded down. */
char *selection_age(gint64 microseconds);

#endif
