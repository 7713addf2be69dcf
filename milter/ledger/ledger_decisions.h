/*
 * ledger_decisions - what was decided of held messages, as rows: written before anything is done, and marked as done
 * with what came of it.  So a decision whose process dies is carried out by rcptguardq agent.
 *
 * The daemon's user can write any row, so none is believed: see milter/agent/agent.h.
 *
 * Ownership, times, errors: as in ledger.h.
 */
#ifndef RCPTGUARD_LEDGER_DECISIONS_H
#define RCPTGUARD_LEDGER_DECISIONS_H

#include "milter/ledger/ledger.h"

/* Bytes of a seal. */
#define LEDGER_SEAL_SIZE 32u

struct ledger_decision {
    gint64 id;
    gint64 row; /* of the held message */
    enum ledger_action action;
    enum ledger_way way;
    char *who; /* a login; NULL: the time decided */
    uid_t uid;
    char *reason; /* or NULL */
    gint64 at;    /* when it was decided */
    bool sealed;
    unsigned char seal[LEDGER_SEAL_SIZE];
    gint64 since;  /* when somebody began to carry it out; 0: nobody has */
    pid_t process; /* who did */
    gint64 done;   /* when it was over; 0: it is not */
    int code;      /* of enum exit codes, once it is over */
    char *words;   /* what rcptguardq said of it then, or NULL */

    /* Of one that came from the fleet's database. */
    gint64 fleet; /* its id there; 0: it did not */
    char *origin; /* that id with the database and the time: no two are the same; or NULL */
    char *node;   /* the other node that vouches for the person, or NULL */
};

void ledger_decision_free(struct ledger_decision *decision);
AUTO_FREE_DEFINE(ledger_decision, ledger_decision_free)

/* Adds it; it is on the disk when this returns 0, and `id` is its id. */
int ledger_decide(struct ledger *ledger, const struct ledger_decision *decision, gint64 *id,
                  struct database_error *error);

/* The same of one from the fleet's database, unless it is there: 1, or 0 and `decision` gets the id, `done`, `code` and
 * `words` of the one that is there; -1. */
int ledger_decide_once(struct ledger *ledger, struct ledger_decision *decision, struct database_error *error);

/* The one of that origin; NULL with DATABASE_NONE if there is none. */
struct ledger_decision *ledger_decision_of(struct ledger *ledger, const char *origin, struct database_error *error);

/* Takes one back that nobody has begun to carry out, as if it had not been written. */
int ledger_decision_void(struct ledger *ledger, gint64 id, struct database_error *error);

/* struct ledger_decision *, the oldest first: all of one row. */
GPtrArray *ledger_decisions(struct ledger *ledger, gint64 row, struct database_error *error);

/* struct ledger_decision *, the oldest first: those that are not done, of all rows. */
GPtrArray *ledger_decisions_open(struct ledger *ledger, struct database_error *error);

/*
 * This process begins to carry it out: 1, or 0 if another one took it since it was read, or it is done; -1 with
 * `error`.
 */
int ledger_decision_take(struct ledger *ledger, const struct ledger_decision *decision, gint64 now,
                         struct database_error *error);

/* Nothing came of it yet: another try may carry it out. */
int ledger_decision_leave(struct ledger *ledger, gint64 id, struct database_error *error);

/* The words of one that a notice was sent for, before anything came of it. */
#define LEDGER_NOTICE_SENT "a notice was sent"

/* Its message's sender has a notice: what tries it again sends no other. */
int ledger_decision_noticed(struct ledger *ledger, gint64 id, struct database_error *error);

/* Whether he has one: 1, 0 or -1.  What expires is decided anew with each try, so that an earlier one counts as well,
 * if its message is in the queue since then. */
int ledger_decision_is_noticed(struct ledger *ledger, gint64 id, struct database_error *error);

/* It is over. */
int ledger_decision_end(struct ledger *ledger, gint64 id, int code, const char *words, gint64 now,
                        struct database_error *error);

/* It is over because it may not be done, which is a line of the history. */
int ledger_decision_refuse(struct ledger *ledger, const struct ledger_decision *decision, int code, const char *words,
                           gint64 now, struct database_error *error);

#endif
