/*
 * held_details - one held message as a person sees it: why it is held, who sent it, whose
 * addresses are in it; for `show` and `review`.
 *
 * Ownership: held_details_clear frees what was fetched; the tool and the item are the
 * caller's.
 */
#ifndef RCPTGUARD_HELD_DETAILS_H
#define RCPTGUARD_HELD_DETAILS_H

#include "milter/review/hold_reasons.h"
#include "milter/review/rcptguardq_tool.h"

/* What is shown beside the facts, and how. */
enum {
    SHOWN_PARTIES = 1,    /* every party, not the largest alone */
    SHOWN_RECIPIENTS = 2, /* addresses */
    SHOWN_BRIEF = 4,      /* of the header what a decision needs */
    SHOWN_STYLED = 8,     /* the escape sequences of styles, where the terminal takes them */
};

/* All that is known of the message. */
struct held_details {
    struct tool *tool;
    const struct view_item *item;
    unsigned parts;                       /* bits: SHOWN_... */
    struct ledger_row *before;            /* one of the same Message-ID that was released before, or NULL */
    GPtrArray *parties;                   /* struct ledger_party *, or NULL */
    GPtrArray *approvals;                 /* char *, or NULL */
    GPtrArray *why;                       /* struct kept_line *, or NULL */
    struct ledger_remembered *remembered; /* or NULL */
    struct message_reading *reading;      /* NULL: it is in the queue no longer */
    char *unread;                         /* why it could not be read, or NULL */
};

void held_details_clear(struct held_details *shown);

/* Reads what the ledger has: 0, or -1 with `error`. */
int held_details_fetch(struct held_details *shown, struct database_error *error);

/* Reads the header from the queue, in a separate process; the result is in `reading` or `unread`. */
void held_details_read(struct held_details *shown);

/* Appends all of it as lines for a terminal of this one's width. */
void held_details_append(GString *out, const struct held_details *shown);

/* Parts of that: the queue id and its state, then an empty line; the recipients' addresses, if the header was read. */
void held_details_append_title(GString *out, const struct held_details *shown);
void held_details_append_recipients(GString *out, const struct held_details *shown);

/* Parts of another page: who wrote it, when, and about what, as the message says; a line with a word at its left. */
void held_details_append_heading(GString *out, const struct held_details *shown);
void held_details_append_fact(GString *out, const char *label, const char *text);

/* The message itself as the queue has it. */
enum queue_answer held_details_message(const struct held_details *shown, GString *message, char **error);

/* Appends that, harmless for a terminal. */
void held_details_append_message(GString *out, const GString *message);

/*
 * Records that the one who asks looks at these LEDGER_LOOK_... bits of a message on hold: in the ledger's history, or
 * in the log if the ledger does not know it.  0, or -1 with `error`: then they are not to be shown.
 */
int held_details_look(const struct held_details *shown, unsigned looks, struct database_error *error);

#endif
