/* agent_take - see agent_take.h */

#include "milter/agent/agent_take.h"

#include "milter/agent/agent.h"
#include "milter/fleet/fleet_take.h"
#include "milter/log/log.h"
#include "milter/log/log_fields.h"
#include "milter/review/decision.h"
#include "milter/review/decision_record.h"

#include <string.h>
#include <unistd.h>

static enum exchange_end ledger_failed(const struct database_error *error)
{
    tool_ledger_error(error);
    return EXCHANGE_LEFT;
}

static enum exchange_end answer(struct exchange *exchange, const struct fleet_decision *decision, int code,
                                const char *words)
{
    return fleet_answer(exchange->fleet, decision, exchange->node, code, words, fleet_deadline(FLEET_PATIENCE),
                        &exchange->error) == -1
               ? EXCHANGE_BROKEN
               : EXCHANGE_DONE;
}

/* ---- which decision it is */

/* No two have the same, also not in a database that lost what it had, or was made anew. */
static char *origin_of(const struct exchange *exchange, const struct fleet_decision *decision)
{
    return g_strdup_printf("%s/%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, fleet_incarnation(exchange->fleet),
                           decision->id, decision->at);
}

/* The row of it in the ledger: 1; 0: it was not taken yet; -1 after a failure was said. */
static int find_taken(struct exchange *exchange, const struct fleet_decision *decision, struct ledger_decision **found)
{
    struct database_error error;
    g_autofree char *origin = origin_of(exchange, decision);
    *found = ledger_decision_of(exchange->tool->ledger, origin, &error);
    if (*found != NULL)
        return 1;
    if (error.failure == DATABASE_NONE)
        return 0;
    tool_ledger_error(&error);
    return -1;
}

/* ---- taking one */

static int action_of(const char *name)
{
    for (unsigned i = LEDGER_RELEASE; i <= LEDGER_DELETE; i++) {
        if (g_strcmp0(name, ledger_action_name((enum ledger_action)i)) == 0)
            return (int)i;
    }
    return -1;
}

/* As the ledger has it; `person` is NULL if this system has no such user, and the id is that of nobody. */
static struct ledger_decision *row_of(const struct exchange *exchange, const struct fleet_decision *decision,
                                      const struct reviewer *person)
{
    struct ledger_decision *row = g_new0(struct ledger_decision, 1);
    row->row = decision->row;
    row->action = (enum ledger_action)action_of(decision->action);
    row->way = LEDGER_BY_COMMAND;
    row->who = g_strdup(decision->who);
    row->uid = person == NULL ? (uid_t)-1 : person->uid;
    row->reason = g_strdup(decision->reason);
    row->at = tool_now() - MAX(decision->age, 0); /* by this node's clock, as all that comes of it */
    row->fleet = decision->id;
    row->origin = origin_of(exchange, decision);
    row->node = g_strdup(decision->node);
    return row;
}

static const struct view_item *find_item(const struct view *view, gint64 row)
{
    for (guint i = 0; i < view->items->len; i++) {
        const struct view_item *item = g_ptr_array_index(view->items, i);
        if (item->row != NULL && item->row->id == row)
            return item;
    }
    return NULL;
}

/* A node vouches for others' users: this one's are known here. */
static enum exchange_end refuse(struct exchange *exchange, const struct ledger_row *row,
                                struct ledger_decision *decision)
{
    static const char words[] = "is not decided: this node cannot vouch for its own users in the fleet's database";
    struct database_error error;
    const struct report_decision report = {.queue_id = row->message.queue_id,
                                           .action = "refuse",
                                           .login = decision->who,
                                           .uid = decision->uid,
                                           .rule = row->message.rule,
                                           .sender = row->message.sender,
                                           .msgid = row->message.message_id,
                                           .reason = decision->reason,
                                           .node = decision->node};
    struct entry entry;
    decision->since = tool_now();
    decision->process = getpid();
    if (decision_record_add_once(exchange->tool, NULL, decision, &error) == -1 ||
        ledger_decision_refuse(exchange->tool->ledger, decision, EXITS_FORBIDDEN, words, tool_now(), &error) == -1)
        return ledger_failed(&error);
    report_decision_entry(&entry, &report);
    log_entry(&entry);
    return EXCHANGE_DONE;
}

/* What is on its way into the queue, or claimed by somebody, is taken later: only what is on hold can be sealed. */
static bool has_to_wait(const struct view_item *item, const struct ledger_decision *decision)
{
    if (item == NULL || tool_now() - decision->at > AGENT_DECISION_LIMIT)
        return false;
    return item->entry == NULL || (LEDGER_BIT(item->row->state) & LEDGER_CLAIMED) != 0;
}

static enum exchange_end take_of_row(struct exchange *exchange, const struct fleet_decision *decision,
                                     const struct ledger_row *row, const struct view *view)
{
    struct database_error error;
    auto_free(reviewer) person = reviewer_named(decision->who);
    auto_free(ledger_decision) written = row_of(exchange, decision, person);
    const struct view_item *item = find_item(view, row->id);
    if (g_strcmp0(decision->node, exchange->node) == 0)
        return refuse(exchange, row, written);
    if (has_to_wait(item, written))
        return EXCHANGE_LEFT;
    return decision_record_add_once(exchange->tool, item == NULL || item->entry == NULL ? NULL : item, written,
                                    &error) == -1
               ? ledger_failed(&error)
               : EXCHANGE_DONE;
}

/* A ledger that was made anew has other messages under the same numbers. */
static bool is_of(const struct fleet_decision *decision, const struct ledger_row *row)
{
    return decision->queue_id != NULL && (g_strcmp0(row->message.queue_id, decision->queue_id) == 0 ||
                                          g_strcmp0(row->former, decision->queue_id) == 0);
}

static enum exchange_end take(struct exchange *exchange, const struct fleet_decision *decision, const struct view *view)
{
    struct database_error error;
    auto_free(ledger_row) row = ledger_get(exchange->tool->ledger, decision->row, &error);
    if (row == NULL && error.failure != DATABASE_NONE)
        return ledger_failed(&error);
    if (row == NULL || !is_of(decision, row))
        return answer(exchange, decision, EXITS_WRONG, "is not in the ledger of its node");
    if (action_of(decision->action) == -1 || decision->who == NULL)
        return answer(exchange, decision, EXITS_WRONG, "is not decided: its node does not know that decision");
    enum exchange_end end = take_of_row(exchange, decision, row, view);
    if (end == EXCHANGE_DONE &&
        fleet_taken(exchange->fleet, decision, exchange->node, fleet_deadline(FLEET_PATIENCE), &exchange->error) == -1)
        return EXCHANGE_BROKEN;
    return end;
}

/* ---- all */

/* Which were not taken yet: struct fleet_decision *, owned by `decisions`. */
static GPtrArray *find_new(struct exchange *exchange, const GPtrArray *decisions, bool *open)
{
    g_autoptr(GPtrArray) fresh = g_ptr_array_new();
    for (guint i = 0; i < decisions->len; i++) {
        struct fleet_decision *decision = g_ptr_array_index((GPtrArray *)decisions, i);
        auto_free(ledger_decision) taken = NULL;
        int found = find_taken(exchange, decision, &taken);
        if (found == -1)
            return NULL;
        if (found == 0)
            g_ptr_array_add(fresh, decision);
        *open = *open || (taken != NULL && taken->done == 0);
    }
    return g_steal_pointer(&fresh);
}

static bool has_waited(const struct exchange *exchange, const struct fleet_decision *decision)
{
    for (guint i = 0; i < exchange->waiting->len; i++) {
        if (g_array_index(exchange->waiting, gint64, i) == decision->id)
            return true;
    }
    return false;
}

/* Whether it is time to try what is left.  Something new does not wait for that, and the pauses begin anew with it. */
static bool is_due(struct exchange *exchange, const GPtrArray *fresh)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < fresh->len; i++) {
        const struct fleet_decision *decision = g_ptr_array_index((GPtrArray *)fresh, i);
        if (!has_waited(exchange, decision))
            exchange->pause = exchange->retry = 0;
        g_array_append_val(ids, decision->id);
    }
    g_array_unref(exchange->waiting);
    exchange->waiting = g_steal_pointer(&ids);
    return g_get_monotonic_time() >= exchange->retry;
}

static enum exchange_end take_new(struct exchange *exchange, const GPtrArray *fresh)
{
    enum exchange_end end = EXCHANGE_DONE;
    int status = EXITS_DONE;
    unsigned taken = 0;
    if (fresh->len == 0)
        return EXCHANGE_DONE;
    auto_free(view) view = tool_view(exchange->tool, &status);
    if (view == NULL)
        return EXCHANGE_LEFT;
    for (guint i = 0; i < fresh->len && end != EXCHANGE_BROKEN; i++) {
        exchange->more = taken == TAKE_LIMIT;
        if (exchange->more)
            break;
        enum exchange_end one = take(exchange, g_ptr_array_index((GPtrArray *)fresh, i), view);
        taken += one == EXCHANGE_DONE;
        end = exchange_worse(end, one);
    }
    return end;
}

enum exchange_end agent_take(struct exchange *exchange, GPtrArray **decisions)
{
    bool open = false;
    *decisions = fleet_decisions(exchange->fleet, exchange->node, fleet_deadline(FLEET_PATIENCE), &exchange->error);
    if (*decisions == NULL)
        return EXCHANGE_BROKEN;
    g_autoptr(GPtrArray) fresh = find_new(exchange, *decisions, &open);
    if (fresh == NULL)
        return EXCHANGE_LEFT;
    if (!is_due(exchange, fresh))
        return fresh->len > 0 || open ? EXCHANGE_LEFT : EXCHANGE_DONE;
    enum exchange_end end = take_new(exchange, fresh);
    if ((fresh->len > 0 || open) && exchange->carry_out() != EXITS_DONE)
        return exchange_worse(end, EXCHANGE_LEFT);
    return end;
}

enum exchange_end agent_answer(struct exchange *exchange, const GPtrArray *decisions)
{
    enum exchange_end end = EXCHANGE_DONE;
    for (guint i = 0; i < decisions->len && end != EXCHANGE_BROKEN; i++) {
        const struct fleet_decision *decision = g_ptr_array_index((GPtrArray *)decisions, i);
        auto_free(ledger_decision) taken = NULL;
        int found = find_taken(exchange, decision, &taken);
        if (found == -1)
            return EXCHANGE_LEFT;
        if (found == 1 && taken->done != 0)
            end = exchange_worse(end, answer(exchange, decision, taken->code, taken->words));
        else if (found == 1)
            end = exchange_worse(end, EXCHANGE_LEFT);
    }
    return end;
}
