/*
 * places - all places that a command of rcptguardq(8) is about: this node, with its ledger and its queue, and the other
 * nodes of the fleet, with what they have published.  Without a fleet there is this node alone.
 *
 * Ownership: places_free frees all of it, with the items that it has given.
 */
#ifndef RCPTGUARD_PLACES_H
#define RCPTGUARD_PLACES_H

#include "milter/review/rcptguardq_tool.h"

/* For an array of GOptionEntry. */
#define PLACES_ENTRIES                                                                                                 \
    {                                                                                                                  \
        "node", 0, 0, G_OPTION_ARG_STRING, &places_node, "Only that node of the fleet", "NAME"                         \
    }
extern char *places_node;

/* What a command needs of them. */
struct places_wish {
    bool view;       /* what is on hold here */
    bool own;        /* this node alone, unless --node says otherwise */
    unsigned states; /* the rest is of the other nodes: see fleet_mirror.h */
    gint64 since;
    bool events;
    char *const *ids; /* as they were typed */
    bool beginnings;
    unsigned parts;
};

struct places {
    struct tool *home;
    GPtrArray *tools;  /* struct tool *: of each place that is looked at, this node first */
    struct view *view; /* of all of them, the newest first; NULL: it was not asked for */
    char *unseen;      /* why the other nodes are not among them; NULL: they are, or there is no fleet */

    GPtrArray *peers;  /* struct fleet_peer *, or NULL: no fleet */
    GPtrArray *past;   /* struct view_item *: what was looked up in a ledger */
    GPtrArray *others; /* struct tool *: of the other nodes */
};

/*
 * Opens them.  NULL after an error was reported; `status` is its exit code.  If the fleet's database is away, or
 * another node is, that is said on standard error, once while it stays the same.
 */
struct places *places_open(struct tool *tool, const struct places_wish *wish, int *status);
void places_free(struct places *places);
AUTO_FREE_DEFINE(places, places_free)

/* Whether there is a fleet, so that nodes are named. */
bool places_are_many(const struct places *places);

/*
 * What a person means by "NODE:ID" or "ID", of which each ID may be INSTANCE/ID: in `id` what is after the colon, in
 * `at` the tool of the place; NULL: any.
 * -1: there is no such node.
 */
int places_named(const struct places *places, const char *word, struct tool **at, const char **id);

/* Whether a place is meant by that: any, or this one. */
bool places_meant(const struct tool *at, const struct tool *place);

#endif
