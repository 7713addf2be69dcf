/*
 * adoption - messages on hold whose queue id no row has: Postfix renames short ids when
 * a queue was restored, and what was decided can come back with it.
 *
 * A row is that of such a message if sender, Message-ID, arrival and size say so,
 * if there is no other such row, and no other such message.  All of these a sender
 * can choose, so nothing but the row is taken over: no approval and no decision.
 */
#ifndef RCPTGUARD_ADOPTION_H
#define RCPTGUARD_ADOPTION_H

#include "milter/ledger/ledger.h"
#include "milter/queue/message_reader.h"
#include "milter/queue/queue.h"

#include <glib.h>

/* After this long, in microseconds, a decision or a new row can be that of what is on hold: what the MTA is just about
 * to do is over. */
#define ADOPTION_WAIT (60 * G_USEC_PER_SEC)

/* The ledger and the queue that are brought together: see reconcile.h. */
struct reconciling {
    struct ledger *ledger;
    struct queue *queue;
    const struct message_reader *reader;
    gint64 now; /* microseconds */
};

/* A message without a row; `row`, for ledger_row_free, if it got one. */
struct stray {
    const struct queue_entry *entry;
    struct ledger_row *row;
};

/*
 * Gives each stray (struct stray) its row, as far as there is one; `taken` has the ids (gint64 *) of rows whose message
 * is known.  -1 with `error`.
 */
int adopt_strays(const struct reconciling *reconciling, GHashTable *taken, GArray *strays,
                 struct database_error *error);

#endif
