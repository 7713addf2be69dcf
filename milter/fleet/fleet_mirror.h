/*
 * fleet_mirror - held mail of other nodes as they have published it: of each node a ledger in memory, so that all that
 * reads a ledger reads it, too.
 *
 * Ownership: fleet_peers_free frees peers, with their ledgers.  Times are as in ledger.h; ages are by the database's
 * clock.
 */
#ifndef RCPTGUARD_FLEET_MIRROR_H
#define RCPTGUARD_FLEET_MIRROR_H

#include "milter/fleet/fleet.h"
#include "milter/ledger/ledger.h"

/* A node that was not seen for so long is away, in microseconds. */
#define FLEET_PEER_AWAY (3 * G_TIME_SPAN_MINUTE)

/* A decision that its node has not carried out. */
struct fleet_pending {
    gint64 id; /* of the database */
    gint64 row;
    enum ledger_action action;
    char *who;
    char *vouched_by; /* the node that vouches for him, or NULL */
    char *reason;     /* or NULL */
    gint64 at;
};

/* A node of the fleet. */
struct fleet_peer {
    char *name;
    char *host;            /* or NULL */
    bool own;              /* the node that this runs on: its ledger is here */
    bool away;             /* never the own one: what it holds is seen here */
    bool silent;           /* it let a decision wait, so the next ones are not waited for; the caller's */
    bool waits;            /* the last decision for it waits; the caller's */
    gint64 seen;           /* when it was seen, by the database's clock; 0: not known */
    gint64 age;            /* microseconds since then; -1: not known */
    struct ledger *ledger; /* of what was asked for; NULL of the own one */
    char *unread;          /* why nothing of it is there: a record of it that cannot be read; or NULL */
    GPtrArray *pending;    /* struct fleet_pending *, the oldest first */
};

/* What is read of a row beside what a list shows. */
enum { FLEET_PARTIES = 1, FLEET_HISTORY = 2, FLEET_REST = 4, FLEET_WHOLE = FLEET_PARTIES | FLEET_HISTORY | FLEET_REST };

/* What is read of the others: all rows that are in one of these states, or that are of the time, or have an id. */
struct fleet_wish {
    const char *own;  /* the name of the node that this runs on */
    const char *node; /* that node alone; NULL: all */
    unsigned states;  /* bits: LEDGER_OPEN, LEDGER_BIT(...) */
    gint64 since;     /* held or changed then or later; 0: no such */
    bool events;      /* with `since`: also if a line of the history is of that time */
    char *const *ids; /* queue ids, ended by NULL, with which they were held, are, or went on; or NULL */
    bool beginnings;  /* of `ids`: also those that begin with one */
    unsigned parts;   /* bits: FLEET_... */
};

/* struct fleet_peer *, by name, the own one too.  NULL with `error`. */
GPtrArray *fleet_peers_read(struct fleet *fleet, const struct fleet_wish *wish, gint64 deadline,
                            struct pg_error *error);

/* The own node alone, of which nothing but its name is known. */
struct fleet_peer *fleet_peer_own(const char *name);
void fleet_peer_free(struct fleet_peer *peer);

/* The decision that waits for a row, the newest; NULL: none. */
const struct fleet_pending *fleet_peer_pending(const struct fleet_peer *peer, gint64 row);

#endif
