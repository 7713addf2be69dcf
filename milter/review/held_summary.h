/*
 * held_summary - what is known of a held message, as members of a JSON object, and as
 * words for people; for the commands of rcptguardq(8).
 */
#ifndef RCPTGUARD_HELD_SUMMARY_H
#define RCPTGUARD_HELD_SUMMARY_H

#include "milter/review/rcptguardq_tool.h"

#include <json-glib/json-glib.h>

/* Members of the object that `json` is in: rcptguardq(8) lists them. */
void facts_json(JsonBuilder *json, const struct tool *tool, const struct view_item *item);

/* Before the others here: reads what decides when one of these leaves or expires. */
void facts_policy(struct tool *tool, const struct view *view);

/* What the time decides of a message that waits; zeroes of any other. */
struct held_times {
    gint64 due;     /* when it leaves by itself */
    gint64 expires; /* when it expires, at the earliest */
    enum ledger_action expiry;
};
struct held_times facts_times(const struct tool *tool, const struct ledger_row *row);

/* "held", "untracked", ...: the state of an item. */
const char *facts_state(const struct view_item *item);

/* What the state does not say: "1 of 2 approvals", "ann is releasing it", "released in 8 min"; NULL if there is nothing
 * to say. */
char *facts_remark(const struct tool *tool, const struct view_item *item);

/* The instance of the MTA that it is of; if that is not known, of several this, and of one alone NULL. */
#define FACTS_NO_INSTANCE "-"
const char *facts_instance(const struct tool *tool, const struct view_item *item);

/* The same; NULL if it is not known. */
const char *facts_known_instance(const struct tool *tool, const struct view_item *item);

/* "1 party", "25 parties": for g_free. */
char *facts_count(unsigned number, const char *one, const char *many);

/* The null sender as it is written in logs. */
const char *facts_sender(const struct view_item *item);

#endif
