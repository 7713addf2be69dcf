/*
 * reconcile - brings the ledger and the MTA's queue together: what of the ledger
 * is on hold, what has left, what the ledger does not know.
 *
 * Of several instances of the MTA, a row is only that of a message of its instance, if that is known.
 *
 * A row and a message are one if the queue ids are the same and unique.  Postfix's short ids are used again:
 * with such an id, the message must also have begun to arrive when the row says.  If the times do not fit, the
 * Message-ID decides: mail from sendmail(1) may have waited before it was evaluated, and if the clock was
 * set back, a message arrived after its own verdict.  Queue ids change, too: see adoption.h.
 *
 * Ownership: a view owns its items, and they own what they point at.
 */
#ifndef RCPTGUARD_RECONCILE_H
#define RCPTGUARD_RECONCILE_H

#include "milter/queue/adoption.h"
#include "policy/base/cleanup.h"

#include <glib.h>

/* After this long, in microseconds, a row whose message was never seen in the queue is `left`. */
#define RECONCILE_PATIENCE (15 * 60 * G_USEC_PER_SEC)

/* After this long, in microseconds, a claim is interrupted, whatever its process id does now: no command takes longer.
 */
#define RECONCILE_CLAIM (10 * 60 * G_USEC_PER_SEC)

/*
 * So long after a claim, in microseconds, a command of the MTA that its reviewer started
 * may be at it still, though he is gone: what it starts itself does not end with us.
 */
#define RECONCILE_ORPHANS (10 * G_USEC_PER_SEC)

struct tool;

/* A row, a message on hold, or both. */
struct view_item {
    struct ledger_row *row;    /* NULL: untracked, the ledger does not know it */
    struct queue_entry *entry; /* NULL: not on hold, */
    bool unread;               /* or its queue could not be read, and the row says what was known before */
    struct tool *at;           /* NULL: it is of this queue; else whoever added it knows of which: see places.h */
};

struct view {
    GPtrArray *items; /* struct view_item *, the newest first; of the rows the open ones alone */
    char *unread;     /* which instances' queues could not be read, and why; or NULL */
    char *unrecorded; /* why the result could not be recorded in the ledger, or NULL; it is valid anyway */
};

struct view *view_new(void);
void view_free(struct view *view);
AUTO_FREE_DEFINE(view, view_free)

/* Adds an item, which takes both. */
struct view_item *view_add(struct view *view, struct ledger_row *row, struct queue_entry *entry);
void view_item_free(gpointer item);

/*
 * Adds to `found` (const struct view_item *) what is on hold there under a queue id now, or else what had that id
 * before.  An id may be INSTANCE/ID; without its instance it may be that of several messages.
 */
void view_find(const struct view *view, const struct tool *at, const char *id, GPtrArray *found);

/* A typed id without its instance, which `instance` gets, for g_free, or NULL. */
const char *view_bare_id(const char *id, char **instance);

/* Microseconds since 1970 when an item arrived, as far as is known. */
gint64 view_arrival(const struct view_item *item);

/* For g_ptr_array_sort: the newest first. */
int view_compare(gconstpointer a, gconstpointer b);

/*
 * Looks at both, writes into the ledger what was seen, and gives what is there
 * now.  NULL with `error`, for g_free, if either cannot be read.
 */
struct view *reconcile(const struct reconciling *reconciling, char **error);

/* Whether a row is that of a message on hold: 1 yes, 0 no, -1 when the Message-ID has to tell. */
int reconcile_match(const struct ledger_row *row, const struct queue_entry *entry);

/* Whether it arrived after the row's verdict, as the MTA says: another message, with an id that is used again, or the
 * clock was set back in between.  Never with a unique id. */
bool reconcile_is_later(const struct ledger_row *row, const struct queue_entry *entry);

#endif
