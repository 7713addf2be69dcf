/*
 * ledger_unit - for the tests of the ledger's parts: one in memory, and a message that is held in it.
 */
#ifndef RCPTGUARD_LEDGER_UNIT_H
#define RCPTGUARD_LEDGER_UNIT_H

#include "database_unit.h"
#include "milter/ledger/ledger.h"

#include <unistd.h>

static inline struct ledger *ledger_at(const char *path, enum database_mode mode)
{
    struct ledger *ledger = ledger_open(path, geteuid(), mode, &error);
    if (ledger == NULL)
        g_error("%s", error.text);
    return ledger;
}

static inline struct ledger *open_private(void)
{
    return ledger_at(":memory:", DATABASE_CREATE);
}

/* A message that arrived and was held at a time; a test adds what it needs. */
static inline struct ledger_message message_held_at(const char *queue_id, gint64 when)
{
    return (struct ledger_message){
        .queue_id = (char *)queue_id,
        .mta = MTA_POSTFIX,
        .began = when,
        .judged = when,
        .sender = (char *)"care@me.example",
        .rule = (char *)"split",
        .policy = (char *)"3f9a1c2b7d10aaaa",
        .approvals = 1,
    };
}

/* The id of its row.  Parties and the policy's text may be missing. */
static inline gint64 hold_all(struct ledger *ledger, const struct ledger_hold *hold)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    struct ledger_hold all = *hold;
    if (all.parties == NULL)
        all.parties = none;
    if (all.policy_text == NULL)
        all.policy_text = "version 1\n";
    DONE(ledger_hold(ledger, &all, &error));
    g_autoptr(GPtrArray) rows = ledger_find(ledger, all.message->queue_id, &error);
    return ((struct ledger_row *)g_ptr_array_index(rows, 0))->id;
}

#endif
