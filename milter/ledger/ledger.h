/*
 * ledger - the record of held messages: why each is held, and which
 * decisions were made.  The MTA's queue is authoritative about the messages themselves.
 *
 * The daemon adds rows and prunes old ones; rcptguardq(8) reads them, follows
 * the queue, and records decisions.  Both have the file open at the same
 * time; each call is one transaction.
 *
 * Strings in here are from untrusted messages.  They are valid UTF-8 and may contain
 * anything, including control characters: escape them for a terminal, a log or a mail
 * header.  No recipient's address is in here.
 *
 * Times are microseconds since 1970, UTC; 0 is "not yet".  The caller passes the time.
 *
 * Ownership: a row owns its strings.  Arrays free what is in them, by
 * g_ptr_array_unref.  Functions that return an int give 0, or -1 with `error`
 * filled; those that return a pointer give NULL with `error` filled.  One thread
 * at a time uses a ledger.
 */
#ifndef RCPTGUARD_LEDGER_H
#define RCPTGUARD_LEDGER_H

#include "milter/database/database.h"
#include "policy/base/cleanup.h"
#include "policy/conditions/kept_facts.h"
#include "policy/engine/verdict.h"
#include "policy/exposure/exposure.h"
#include "policy/message/message.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* How long one call waits in all for another process that writes, in milliseconds. */
#define LEDGER_WAIT 500u

/* Characters kept of a subject. */
#define LEDGER_SUBJECT_LIMIT 80

/* Parties kept of one message, the largest first; the others are counted. */
#define LEDGER_PARTIES_LIMIT 500u

enum ledger_state {
    LEDGER_PENDING,   /* written; not yet seen in the MTA's queue */
    LEDGER_HELD,      /* seen in the queue, on hold */
    LEDGER_RELEASING, /* claimed by a reviewer's decision, which is in progress: see ledger_claim */
    LEDGER_RETURNING,
    LEDGER_DELETING,
    LEDGER_RELEASED, /* decided, and done */
    LEDGER_RETURNED,
    LEDGER_DELETED,
    LEDGER_LEFT, /* not on hold, without a decision of ours; if it was never seen there, the MTA may not have held it */
};
#define LEDGER_STATES (LEDGER_LEFT + 1)

/* Sets of states. */
#define LEDGER_BIT(state) (1u << (state))
#define LEDGER_WAITING    (LEDGER_BIT(LEDGER_PENDING) | LEDGER_BIT(LEDGER_HELD))
#define LEDGER_CLAIMED    (LEDGER_BIT(LEDGER_RELEASING) | LEDGER_BIT(LEDGER_RETURNING) | LEDGER_BIT(LEDGER_DELETING))
#define LEDGER_OPEN       (LEDGER_WAITING | LEDGER_CLAIMED)
#define LEDGER_DECIDED    (LEDGER_BIT(LEDGER_RELEASED) | LEDGER_BIT(LEDGER_RETURNED) | LEDGER_BIT(LEDGER_DELETED))
#define LEDGER_CLOSED     (LEDGER_DECIDED | LEDGER_BIT(LEDGER_LEFT))

/* "pending", "held", "releasing", ..., "left". */
const char *ledger_state_name(enum ledger_state state);

/* What a reviewer can decide. */
enum ledger_action { LEDGER_RELEASE, LEDGER_RETURN, LEDGER_DELETE };

/* "release", "return", "delete": also the words of the history. */
const char *ledger_action_name(enum ledger_action action);

/* The state while it is being done, and when it is done. */
enum ledger_state ledger_action_claims(enum ledger_action action);
enum ledger_state ledger_action_ends(enum ledger_action action);

/* By what way something was decided. */
enum ledger_way {
    LEDGER_BY_NOBODY,   /* it was only noticed; or by a version that did not record it */
    LEDGER_BY_COMMAND,  /* a command of rcptguardq, with the rights of its user */
    LEDGER_BY_AUTHOR,   /* an answer by mail of who sent the message */
    LEDGER_BY_REVIEWER, /* an answer by mail of a reviewer */
    LEDGER_BY_EXPIRY,   /* nobody decided in time */
    LEDGER_BY_DELAY,    /* nobody stopped it in time */
};
#define LEDGER_WAYS (LEDGER_BY_DELAY + 1)

/* "command", "author", "reviewer", "expiry", "delay"; NULL: nobody. */
const char *ledger_way_name(enum ledger_way way);
enum ledger_way ledger_way_find(const char *name); /* LEDGER_BY_NOBODY if there is none of that name */

/* A person, for the record. */
struct ledger_person {
    const char *login; /* NULL: the time decided */
    uid_t uid;
};

/* ---- rows */

/*
 * A held message as it was evaluated; strings may be NULL unless it says otherwise.
 *
 * The MTA's own arrival time is between `began` and `judged`, except for mail from
 * sendmail(1): then it is the time of submission, which may be long before `began`.
 */
struct ledger_message {
    char *queue_id; /* never NULL */
    enum mta mta;
    char *instance;   /* of the MTA, as that called itself, or as the queue has it since it was seen there; or NULL */
    gint64 began;     /* MAIL FROM */
    gint64 judged;    /* end of message */
    char *message_id; /* without its angle brackets */
    char *sender;     /* envelope sender, never NULL; "" is the null sender */
    char *user;       /* SASL login */
    char *client;     /* numeric address */
    char *subject;    /* decoded and cut; NULL too with `subject = no` */

    char *rule;    /* never NULL; "default", "fault:NAME" */
    unsigned line; /* of the rule, in the policy file as it was then */
    char *text;    /* the text of the rule */
    char *policy;  /* the policy's digest, never NULL: see ledger_policy_text */
    struct exposure_counts counts;
    struct inside_counts inside;
    unsigned approvals;        /* that the rule requires for a release; at least 1 */
    struct action_terms terms; /* of the rule; only when it is written */
    char *sent_by;             /* who counts as its author, for the delay of others; only when it is written; or NULL */

    char *
        author; /* the internal address of who sent it: the login or the envelope sender; NULL if neither is internal */
};

void ledger_message_clear(struct ledger_message *message);

/* One organisation of the visible recipients.  In a class of individuals: all private mailboxes of one domain. */
struct ledger_party {
    char *class_name;
    char *name; /* a domain in A-labels; NULL: all those of the class beyond LEDGER_PARTIES_LIMIT */
    bool individuals;
    unsigned people;  /* visible recipients */
    unsigned parties; /* 1, but for individuals and for the rest without a name */
};

void ledger_party_free(struct ledger_party *party);

/* A held message and its outcome. */
struct ledger_row {
    gint64 id; /* of the row; never reused */
    struct ledger_message message;
    enum ledger_state state;
    gint64 changed; /* when the state began */
    gint64 arrival; /* according to the MTA's queue, once it was seen there; 0: it never was */
    gint64 size;    /* in bytes, according to the queue, with the arrival; 0 is not known */
    char *former;   /* the queue id when it was held, if the message has another one now; or NULL */

    /* The reviewer who claimed it; in a decided row, who decided it.  NULL and 0 in the other states. */
    char *who;
    uid_t uid;
    enum ledger_way way;
    char *node;    /* the other node that vouches for him, or NULL */
    gint64 since;  /* of the claim; when it was decided */
    pid_t process; /* that claimed it: if it does not exist any more, it was interrupted */
    char *reason;  /* that was given, or NULL */

    gint64 leaves;          /* when it is released unless somebody stops it; 0: not */
    char *stopped;          /* the rule that ended such a delay, or NULL */
    unsigned expire;        /* seconds: the rule's own; 0: as configured */
    enum expire_way expiry; /* the rule's own */
    gint64 announced;       /* when a digest said that it will expire; 0: none has */

    char *requeued;   /* the queue id that the message got when it was released, or NULL */
    unsigned granted; /* number of approvals: see ledger_approvals */
};

void ledger_row_free(struct ledger_row *row);
AUTO_FREE_DEFINE(ledger_row, ledger_row_free)

/* One line of the history. */
struct ledger_event {
    gint64 id;
    gint64 row;
    char *queue_id; /* of the row */
    char *instance; /* of the MTA that the row's message is in, or NULL */
    gint64 when;
    char *who; /* NULL: nobody acted, a change was noticed */
    uid_t uid;
    enum ledger_way way;
    char *action; /* "approve", "release", "return", "delete"; "refuse"; "look"; "abandon", "adopt"; "held", "left" */
    char *reason; /* or NULL */
    char *detail; /* or NULL: the new queue id, what went wrong, what was looked at */
    char *node;   /* the other node that vouches for him, or NULL */
};

/* ---- the ledger */

struct ledger;

/*
 * Opens the ledger of the daemon's user `owner`, and brings it to the version of
 * this program.  DATABASE_CREATE is the daemon's.  See database_open for what it
 * refuses; a newer version is DATABASE_FOREIGN.
 */
struct ledger *ledger_open(const char *path, uid_t owner, enum database_mode mode, struct database_error *error);
void ledger_close(struct ledger *ledger);
AUTO_FREE_DEFINE(ledger, ledger_close)

/* Its file: for what database.h and schema.h say of any. */
struct database *ledger_database(const struct ledger *ledger);

/*
 * Whether another process has written to it since the last call, of which `version` is 0 at first: 1 or 0, or -1 if the
 * file was replaced, or is of a newer version now.
 */
int ledger_changed(struct ledger *ledger, gint64 *version, struct database_error *error);

/* ---- the daemon's */

/*
 * What a message has to do with the state (policy/state/state.h): its record in the windows, and what it showed.  Of
 * the parties only hashes are kept, which mean nothing without the key of the site.
 */
struct ledger_remembered {
    state_hash record; /* 0: none */
    state_hash scope;  /* of the parties */
    GArray *parties;   /* state_hash, 2 to STATE_SET_LIMIT: what a release can teach; or NULL: nothing */
    enum verdict_known known;
    const char *counted; /* what the window of the rule that holds it counts, as count_name says; NULL: it has none */
    guint32 within;      /* its value, or STATE_WINDOW_MANY */
    bool answered;       /* false: the state gave no answer */
};

/* What comes with a message that is to be held. */
struct ledger_hold {
    const struct ledger_message *message;
    const GPtrArray *parties; /* struct ledger_party * */
    const char *policy_text;  /* canonical; kept once for each digest */
    bool notice;              /* `notice` is configured: the author is to be informed, if there is one */
    const char *untold;       /* why this author is not informed anyway, or NULL */

    const struct ledger_remembered *remembered; /* or NULL: it has nothing to do with the state */
    const GArray *inside; /* struct kept_inside: what it has for each such count of the rule; or NULL */

    unsigned window; /* seconds: what the same author sent in that time does not leave by itself any more; 0: it does */
};

/*
 * Adds the row, as `pending`, with its parties, its policy and its notice, in one
 * transaction that is on the disk when this returns 0.  After -1 nothing of it
 * is there.
 */
int ledger_hold(struct ledger *ledger, const struct ledger_hold *hold, struct database_error *error);

/*
 * The same for many rows, in one transaction with one sync: begin, add and void, end.
 * The rows are on the disk when the end returns 0; after -1 none of them is there, and
 * the group has ended.  Only the beginning waits for other processes.
 *
 * A row that cannot be added leaves nothing.  The others of the group can still be
 * written if ledger_group_goes_on, which `error` of the row is for; otherwise cancel the group.
 */
int ledger_group_begin(struct ledger *ledger, struct database_error *error);
int ledger_group_add(struct ledger *ledger, const struct ledger_hold *hold, gint64 *id, struct database_error *error);
bool ledger_group_goes_on(const struct ledger *ledger, const struct database_error *error);
int ledger_group_end(struct ledger *ledger, struct database_error *error);
void ledger_group_cancel(struct ledger *ledger);

/* Whether it is certain that the files are not what was written to them. */
bool ledger_is_damaged(const struct ledger *ledger);

/* A row of an earlier group whose message was not held after all. */
struct ledger_void {
    gint64 id;
    char *queue_id;
    gint64 judged; /* both as it was written: another file may have another row with this id */
};

/* Removes it, in a group; it is no failure if it is not there. */
int ledger_group_void(struct ledger *ledger, const struct ledger_void *row, struct database_error *error);

/* A policy that came in force: kept even if it never holds anything, until it is old. */
int ledger_keep_policy(struct ledger *ledger, const char *digest, const char *text, gint64 now,
                       struct database_error *error);

/* Rows that one step of a prune removes at most. */
#define LEDGER_PRUNE_ROWS 100u

/*
 * A step of a prune, short enough for others to wait for: removes some closed rows whose state began
 * before `before`, with all that belongs to them.  If it finds fewer than
 * LEDGER_PRUNE_ROWS it is the last step, and also removes policies that no row names and that were last
 * in force before that time.  `removed` is how many rows.
 */
int ledger_prune(struct ledger *ledger, gint64 before, const char *policy_in_force, unsigned *removed,
                 struct database_error *error);

/* ---- reading */

/* All that are set must match; a filter of zeroes matches every row. */
struct ledger_filter {
    const char *sender; /* an address, any case; "@DOMAIN": all of a domain; "": the null sender; or NULL */
    const char *rule;   /* the whole name, or NULL */
    gint64 since;       /* evaluated at or after */
    gint64 until;       /* evaluated before */
    unsigned states;    /* bits: LEDGER_OPEN, LEDGER_BIT(...); 0 is all */
    bool oldest_first;  /* else the newest first */
    unsigned limit;     /* most rows, or 0 */
};

/* struct ledger_row *. */
GPtrArray *ledger_list(struct ledger *ledger, const struct ledger_filter *filter, struct database_error *error);

/* How many there are, and since when the oldest of them waits (its `judged`; 0 if there is none). */
int ledger_count(struct ledger *ledger, const struct ledger_filter *filter, unsigned *count, gint64 *oldest,
                 struct database_error *error);

/*
 * Every row of a queue id, of one that a message got when it was released, or of one
 * that it had before; the newest first.  The MTA uses short ids again: a message in the queue is that of
 * the newest row that was evaluated after it arrived.  An empty array if there is none.
 */
GPtrArray *ledger_find(struct ledger *ledger, const char *queue_id, struct database_error *error);

/* The rows of a sender whose message arrived in that second or, if it was never seen in the queue, may have. */
GPtrArray *ledger_arrived(struct ledger *ledger, const char *sender, gint64 seconds, struct database_error *error);

/* One row; NULL with DATABASE_NONE if there is none. */
struct ledger_row *ledger_get(struct ledger *ledger, gint64 id, struct database_error *error);

/*
 * The newest row before this one that was released and had the same Message-ID; NULL with DATABASE_NONE if there is
 * none.  Whoever writes a message chooses its Message-ID, so this decides nothing.
 */
struct ledger_row *ledger_released_before(struct ledger *ledger, const struct ledger_row *row,
                                          struct database_error *error);

/* struct ledger_party *: external classes before `internal`, the largest first. */
GPtrArray *ledger_parties(struct ledger *ledger, gint64 id, struct database_error *error);

/* struct kept_inside: what it has for each count inside its parts. */
GArray *ledger_inside(struct ledger *ledger, gint64 id, struct database_error *error);

/* struct ledger_event *: of one row, or of all with id 0, not before `since`; the oldest first. */
GPtrArray *ledger_history(struct ledger *ledger, gint64 id, gint64 since, struct database_error *error);

/* The canonical text of a policy, by its digest or the first characters of it (12 and more); NULL with DATABASE_NONE
 * if it is not known. */
char *ledger_policy_text(struct ledger *ledger, const char *digest, struct database_error *error);

/* What came of an attempt to change a row. */
enum ledger_answer {
    LEDGER_FAILED = -1,  /* `error` says why; nothing was done */
    LEDGER_DONE,         /* done */
    LEDGER_UNKNOWN,      /* there is no such row */
    LEDGER_NOT_WAITING,  /* decided, left or never queued: the row says what, by whom and when */
    LEDGER_TAKEN,        /* claimed by another decision, perhaps in progress: the row says who and since when */
    LEDGER_STOPPED,      /* its delay was ended, or is not over: the row says by which rule */
    LEDGER_NOT_APPROVED, /* a release that lacks approvals: the row says how many it has */
};

/* ---- following the queue */

/* What was seen in the queue of one row. */
struct ledger_sight {
    gint64 id;
    enum ledger_state state; /* LEDGER_HELD or LEDGER_LEFT */
    gint64 arrival, size;    /* with LEDGER_HELD */
    const char *detail;      /* with LEDGER_LEFT: what the history has to say of it, or NULL */
    const char *instance;    /* with LEDGER_HELD: in whose queue; NULL: there is one alone */
};

/*
 * Records any number of sights (a GArray of struct ledger_sight) in one
 * transaction.  `pending` and `left` become `held`, `pending` and `held` become
 * `left`.  A row that is `held` and gets another instance keeps its state.  One that changed meanwhile is not changed.
 * `left`, and a return from it, are added to the history.
 */
int ledger_sighted(struct ledger *ledger, const GArray *sights, gint64 now, struct database_error *error);

/* A message on hold, as the queue has it. */
struct ledger_arrival {
    const char *queue_id;
    gint64 arrival, size;
    const char *instance; /* or NULL */
};

/*
 * The message of a row, which was read before, is on hold under another id, or although
 * it was decided: the row becomes `held` and gets that id.  Approvals and the decision
 * are revoked, because the match is only inferred; the history keeps them, and records
 * the adoption.  LEDGER_TAKEN if the row has changed since, or is
 * claimed.  `row` is as below.
 */
enum ledger_answer ledger_adopt(struct ledger *ledger, const struct ledger_row *before,
                                const struct ledger_arrival *arrival, gint64 now, struct ledger_row **row,
                                struct database_error *error);

/* ---- deciding */

/* A reviewer's action on a row. */
struct ledger_act {
    gint64 id;
    gint64 now;
    const struct ledger_person *person;
    enum ledger_way way;
    const char *reason; /* or NULL */
    const char *node;   /* the other node that vouches for the person, or NULL */
    unsigned needed;    /* approvals, for a release */
    bool learn;         /* a release that teaches the state: see ledger_untold */
};

/* What of a message a person looks at that the ledger does not have; bits. */
enum { LEDGER_LOOK_RECIPIENTS = 1, LEDGER_LOOK_MESSAGE = 2 };

/* "recipients", "message" for one such bit: also the details in the history. */
const char *ledger_look_name(unsigned look);

/*
 * Records that the person looks at these, one line of the history for each, all or none.
 * Call it before anything of them is shown.  The state of the row does not change.
 */
int ledger_look(struct ledger *ledger, const struct ledger_act *act, unsigned looks, struct database_error *error);

/*
 * Each of these stores the row after the change, in the same transaction, in
 * `row`; NULL if there is none, and with LEDGER_FAILED.  `row` may be NULL.
 */

/*
 * Adds an approval.  A person's second one changes nothing and is LEDGER_DONE
 * too.  The caller checks whether the person may approve.
 */
enum ledger_answer ledger_approve(struct ledger *ledger, const struct ledger_act *act, struct ledger_row **row,
                                  struct database_error *error);

/* The logins of those who approved, in order: char *. */
GPtrArray *ledger_approvals(struct ledger *ledger, gint64 id, struct database_error *error);

/*
 * Claims a waiting row for one action, so that no other process acts on it.  A release
 * needs the approvals of `act`, or those that the row requires if that is more; if
 * that is 1 the claim itself approves.  The queue is changed only after this
 * is LEDGER_DONE; then the row is finished or abandoned.
 */
enum ledger_answer ledger_claim(struct ledger *ledger, enum ledger_action action, const struct ledger_act *act,
                                struct ledger_row **row, struct database_error *error);

/*
 * The claimed row is done: state, history and who decided, which is the one who claimed it
 * (an interrupted claim is finished by the process that finds it).  `requeued` is the
 * new queue id, `detail` what else is recorded; both may be NULL.
 */
enum ledger_answer ledger_finish(struct ledger *ledger, gint64 id, const char *requeued, const char *detail, gint64 now,
                                 struct ledger_row **row, struct database_error *error);

/* What ledger_finish writes as the detail: the new queue id first, then the rest.  For g_free; NULL.
 */
char *ledger_detail(const char *requeued, const char *detail);

/* The claimed row waits again, as before: the action was not carried out, and `detail` says why. */
enum ledger_answer ledger_abandon(struct ledger *ledger, gint64 id, const char *detail, gint64 now,
                                  struct ledger_row **row, struct database_error *error);

/*
 * Resolves an interrupted claim: the row waits again if its message is still on hold,
 * and is done if it is not.  LEDGER_TAKEN if the row no longer has the claim of `claim`,
 * which was read before: then nothing is changed.
 */
enum ledger_answer ledger_settle(struct ledger *ledger, const struct ledger_row *claim, bool on_hold, gint64 now,
                                 struct ledger_row **row, struct database_error *error);

/* ---- the state */

/*
 * What a decision means for the state is written with its claim, and is due once the decision is recorded, by
 * whichever process: what an act with `learn` released teaches its parties, and the record of what was returned or
 * deleted leaves the windows.  It stays due until ledger_told.
 */
struct ledger_untold {
    gint64 id;
    char *queue_id;
    gint64 since; /* when it was decided */
    bool learn;   /* `remembered.parties`; else its record is to be withdrawn */
    struct ledger_remembered remembered;
};

/* struct ledger_untold *, the oldest first, at most `limit`: of one row, or of all with id 0. */
GPtrArray *ledger_untold(struct ledger *ledger, gint64 id, unsigned limit, struct database_error *error);

/* The state has it, or there is none that could take it. */
int ledger_told(struct ledger *ledger, const struct ledger_untold *untold, struct database_error *error);

/* What was kept of a row, for ledger_remembered_free; NULL with DATABASE_NONE: nothing. */
struct ledger_remembered *ledger_remembered(struct ledger *ledger, gint64 id, struct database_error *error);
void ledger_remembered_free(struct ledger_remembered *remembered);
AUTO_FREE_DEFINE(ledger_remembered, ledger_remembered_free)

/*
 * Deletes these hashes from what rows can still teach, and what rows of such a scope can; where one party is left
 * nothing can be learned any more.  `gone` is how many rows were changed.
 */
int ledger_forget(struct ledger *ledger, const state_hash *hashes, unsigned count, unsigned *gone,
                  struct database_error *error);

/* ---- notices to the authors of held messages */

/* How often a notice is tried again after an interruption: it may have been sent each time. */
#define LEDGER_NOTICE_TRIES 2u

/* struct ledger_row *, the oldest first: those whose author still has to be informed that the message is held. */
GPtrArray *ledger_notices(struct ledger *ledger, struct database_error *error);

/*
 * A mail is about to be sent that is the notice of these rows (a GArray of gint64).
 * Those that were tried too often, or are no longer wanted, are removed from
 * `rows`; the others count one try more, which is on the disk when this returns.
 */
int ledger_notices_begin(struct ledger *ledger, GArray *rows, gint64 now, struct database_error *error);

/* That mail was sent, or was certainly not sent: then it counts as not tried. */
int ledger_notices_end(struct ledger *ledger, const GArray *rows, bool sent, gint64 now, struct database_error *error);

/* The notice of a row will not be sent; the reason is recorded. */
int ledger_notice_skip(struct ledger *ledger, gint64 id, const char *reason, gint64 now, struct database_error *error);

/* The rows that were released since a time, whose author had a notice and does not know of the release. */
GPtrArray *ledger_notices_released(struct ledger *ledger, gint64 since, struct database_error *error);

/* The author of a row is told that it was released; or he is not, after all. */
int ledger_notice_released(struct ledger *ledger, gint64 id, bool told, struct database_error *error);

/* When the notice of a row was sent; `now` if it is being sent, 0 if none was. */
int ledger_notice_time(struct ledger *ledger, gint64 id, gint64 now, gint64 *at, struct database_error *error);

/* How many mails of notices an author was sent since a time. */
int ledger_notices_sent(struct ledger *ledger, const char *author, gint64 since, unsigned *count,
                        struct database_error *error);

#endif
