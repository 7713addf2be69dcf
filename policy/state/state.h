/*
 * state - what is remembered from one message to the next: a table of functions that
 * whoever keeps it provides.  Three things are kept.
 *
 *   Windows: one record for each message that shows at least two parties, with its author and the distinct
 *   values (recipients, parties or domains) of each set of classes that the policy counts `within` a time.
 *   Sets: the external parties that one message, which was let go, showed to each other: what `known` asks.
 *   Permits: refusals that their sender may override, each by a code, with who was visible to whom.
 *
 * No name and no address is kept: each value is a hash of 8 bytes under a key of the site (state_keys.h).  A value
 * of classes is kept under the signature of its test ("parties(external)"), so that a record outlives a reload that
 * changes the numbers of classes.
 *
 * What holds for every implementation, so that SQLite, memory and a database that several servers share give the same
 * answers (tests/unit/state_cases.h):
 *   - The time is handed in, in seconds since 1970, by the clock of the one who asks.  A record from the future counts
 *     as one from now.  Where several servers share a state, whose clocks may differ, the clock of the state counts: a
 *     time that is handed in says how long ago something was when it was asked, and a time that is answered is again
 *     one by the clock of the one who asks.
 *   - Each call is one transaction.  state_window writes its record before it reads, so that of two messages that are
 *     evaluated at once at least one sees both.
 *   - A call that failed may have been carried out.  A record has an id that its owner chose: what is written twice is
 *     kept once, and what may have been written can be withdrawn.
 *   - Any thread may call; a call takes a bounded time, beyond which it is STATE_AWAY.
 *
 * Ownership: the caller owns all that it hands in, an implementation copies what it keeps.
 */
#ifndef RCPTGUARD_STATE_H
#define RCPTGUARD_STATE_H

#include <glib.h>
#include <stdbool.h>

/* 8 bytes of an HMAC.  Never 0, which means: none. */
typedef guint64 state_hash;

enum state_outcome {
    STATE_OK,
    STATE_AWAY,  /* locked, full, damaged, too slow: there is no answer */
    STATE_BOUND, /* there is more than is looked at: a window has more than its limit; a set is not known */
};

/* Distinct values of one author that are counted; more are STATE_WINDOW_MANY, and STATE_BOUND. */
#define STATE_WINDOW_LIMIT 10000u
#define STATE_WINDOW_MANY  G_MAXUINT32

/* Values that are read for one window, distinct or not; more are the same. */
#define STATE_READ_LIMIT 100000u

/* Parties of one set; of a larger one nothing is learned, and a larger one is not known. */
#define STATE_SET_LIMIT 40u

/* A set that is learned again within that time, in seconds, is left as it is: most mail writes nothing. */
#define STATE_SET_FRESH 3600

/* Sets of the rarest party of a message that are looked at, the latest first; in more of them a set is not known. */
#define STATE_SETS_READ_LIMIT 200u

/* The distinct values of one message for one signature, in any order. */
struct state_values {
    state_hash signature;
    const state_hash *values;
    unsigned count;
};

/* One message. */
struct state_record {
    state_hash id; /* the same record has the same id, another one another */
    state_hash author;
    state_hash subject; /* of `alike`; 0 is alike to every other */
    gint64 time;
    const struct state_values *values; /* no signature twice */
    unsigned count;
};

/* What is asked about its author. */
struct state_window {
    unsigned values;  /* index of the values in the record */
    unsigned seconds; /* how far back; a record of exactly that age counts */
    bool alike;       /* only records whose subject is the same, or is alike to every other */
    guint32 value;    /* the answer: distinct values, those of the record included; or STATE_WINDOW_MANY */
};

/* Parties that one message shows to each other. */
struct state_set {
    state_hash scope; /* sets of one tenant mean nothing to another */
    const state_hash *parties;
    unsigned count;
};

/* What `known` asks, and its answer. */
struct state_question {
    struct state_set set;
    gint64 since;
    gint64 when;
    enum state_outcome outcome;
};

/* Visible recipients of a message whose refusal can be overridden; of one with more it cannot. */
#define STATE_PERMIT_LIMIT 10000u

/* Permits that one author has at a time: a further one takes the place of the oldest. */
#define STATE_PERMITS_LIMIT 20u

/* A permit that is over is still known for so long, in seconds, so that its sender learns why it is not taken. */
#define STATE_PERMIT_KNOWN (24 * 60 * 60)

/* A refusal that may be overridden. */
struct state_permit {
    state_hash code; /* nobody can guess it: see state_permit_code */
    state_hash rule;
    state_hash author;
    const state_hash *visible; /* the addresses of the visible recipients, each once, in any order */
    unsigned count;
    gint64 time, until; /* when it was refused; the last second at which it can be overridden */
};

/* The message that is sent again. */
struct state_claim {
    state_hash code, author;
    state_hash message; /* the same message has the same one, another message another: see state_message_id */
    const state_hash *visible;
    unsigned count;
    gint64 time;
};

/* What comes of it. */
enum state_claimed {
    CLAIM_UNKNOWN, /* no such code, or one of long ago */
    CLAIM_AUTHOR,  /* that of another author */
    CLAIM_LATE,
    CLAIM_USED,   /* by another message */
    CLAIM_LARGER, /* somebody is visible who was not */
    CLAIM_TAKEN,  /* it is, or this same message had taken it before */
};

struct state_functions {
    /*
     * Keeps a record, and answers each window.  With `keep` false nothing is written and the record counts in the
     * answers all the same.  STATE_BOUND if a window is beyond a limit: every answer is there.
     */
    enum state_outcome (*window)(void *data, const struct state_record *record, bool keep, struct state_window *windows,
                                 unsigned count);

    /* Takes a record back; one that is not there is STATE_OK. */
    enum state_outcome (*withdraw)(void *data, state_hash id);

    /*
     * Whether one set that was learned at `since` or later holds all parties of this one; `*when` is then when the
     * latest such set was learned, and else 0.  STATE_BOUND: not known, for there is too much to look at.
     */
    enum state_outcome (*known)(void *data, const struct state_set *set, gint64 since, gint64 *when);

    /*
     * `known`, and `window` unless it is known, in one call: what a message asks that may be in windows.  The outcome
     * is that of the window.  NULL: the one is asked after the other.
     */
    enum state_outcome (*known_else_window)(void *data, struct state_question *known, const struct state_record *record,
                                            bool keep, struct state_window *windows, unsigned count);

    /*
     * Keeps a set of 2 to STATE_SET_LIMIT parties; a set that is there gets the time if that is at least
     * STATE_SET_FRESH later.
     */
    enum state_outcome (*learn)(void *data, const struct state_set *set, gint64 time);

    /*
     * Deletes each of these hashes wherever it is: as a value and as a party of a set; and each record of such an
     * author, and each set of such a scope.  A set of which one party is left goes, and so does a permit of such an
     * author, or for such a recipient.  `*gone` is how many records, sets and permits were changed or deleted.
     */
    enum state_outcome (*forget)(void *data, const state_hash *hashes, unsigned count, unsigned *gone);

    /*
     * Deletes the records that are older than one time and the sets that were learned before another.  Permits go
     * STATE_PERMIT_KNOWN after they are over, whenever one is added.
     */
    enum state_outcome (*expire)(void *data, gint64 records, gint64 sets);

    /* Keeps a permit; STATE_BOUND if it has too many recipients. */
    enum state_outcome (*permit)(void *data, const struct state_permit *permit);

    /* Whether a message has a permit, which it takes then; `*rule` is the permit's if it is CLAIM_TAKEN, else 0. */
    enum state_outcome (*claim)(void *data, const struct state_claim *claim, enum state_claimed *claimed,
                                state_hash *rule);

    /* Gives back what this message has taken: it was not used. */
    enum state_outcome (*unclaim)(void *data, state_hash code, state_hash message);
};

/* A time as it is handed to a state: 0 means never, and what has no clock has times before that. */
static inline gint64 state_time(gint64 now)
{
    return MAX(now, 1);
}

struct state_key;

/* Where the state is kept, and the key of its hashes.  None (NULL, or no functions) is a state that is away. */
struct state {
    const struct state_functions *functions;
    void *data;
    const struct state_key *key;
};

#endif
