/* remote_decision - see remote_decision.h */

#include "milter/review/remote_decision.h"

#include "milter/fleet/fleet_request.h"
#include "milter/review/message_filter.h"

#include <string.h>

static int failure_code(const struct pg_error *error)
{
    static const int codes[] = {[PG_AWAY] = EXITS_PASSING, [PG_REFUSED] = EXITS_FORBIDDEN, [PG_WRONG] = EXITS_WRONG};
    return codes[error->kind];
}

/* Whether anybody may vouch for him, if the database does not know him. */
static bool may_ask(const struct tool *tool, char **said)
{
    if (!tool->reach->by_node || fleet_vouching(tool->reach->fleet))
        return true;
    *said =
        g_strdup_printf("is held by node %s, and the fleet's database does not take a decision of `%s` from here: no "
                        "node may vouch for a person, and his own credentials do not do: %s",
                        tool->peer->name, tool->reviewer->login, tool->reach->why);
    return false;
}

/* What he has already decided, and still waits: 0 if there is none. */
static gint64 find_same(const struct tool *tool, const struct ledger_row *row, enum ledger_action action)
{
    const struct fleet_pending *pending = fleet_peer_pending(tool->peer, row->id);
    if (pending == NULL || pending->action != action || g_strcmp0(pending->who, tool->reviewer->login) != 0)
        return 0;
    return pending->id;
}

static int say_waits(struct tool *tool, const char *why, char **said)
{
    tool->peer->silent = tool->peer->waits = true;
    g_autofree char *age = selection_age(tool->peer->age);
    if (tool->peer->away)
        *said = g_strdup_printf("waits for node %s, which was last seen %s ago", tool->peer->name, age);
    else
        *said = g_strdup_printf("waits for node %s: %s", tool->peer->name, why);
    return EXITS_PASSING;
}

/* Nothing waits any more; what a node has begun before that, it may have done. */
static int say_removed(const struct fleet_outcome *outcome, const char *why, char **said)
{
    *said = outcome->taken ? g_strdup_printf("was begun, and what came of it is not known here: %s", why)
                           : g_strdup_printf("is not decided: %s", why);
    return EXITS_WRONG;
}

/* A node that is away, or that let the decision before this one wait, is not waited for. */
static int await(struct tool *tool, gint64 id, char **said)
{
    struct pg_error error;
    struct fleet_outcome outcome = {0};
    gint64 patience = tool->peer->away || tool->peer->silent ? 0 : REMOTE_PATIENCE;
    int came = fleet_request_wait(tool->reach->fleet, id, fleet_deadline(patience), &outcome, &error);
    if (came == 1) {
        *said = outcome.words == NULL ? g_strdup("the node has said nothing of it") : outcome.words;
        return outcome.code;
    }
    fleet_outcome_clear(&outcome);
    if (came == -1 && outcome.removed)
        return say_removed(&outcome, error.text, said);
    if (came == -1)
        return say_waits(tool, error.text, said);
    return say_waits(tool, outcome.taken ? "it has begun, and has not answered yet" : "it has not answered yet", said);
}

int remote_decide(struct tool *tool, const struct ledger_row *row, enum ledger_action action, const char *reason,
                  char **said)
{
    struct pg_error error;
    const struct fleet_request request = {.node = tool->peer->name,
                                          .row = row->id,
                                          .queue_id = row->message.queue_id,
                                          .action = action,
                                          .reason = reason,
                                          .vouched_for = tool->reach->by_node ? tool->reviewer->login : NULL};
    gint64 id = find_same(tool, row, action);
    tool->peer->waits = false;
    if (!may_ask(tool, said))
        return EXITS_FORBIDDEN;
    if (id != 0)
        return await(tool, id, said);
    if (fleet_request_send(tool->reach->fleet, &request, &id, fleet_deadline(FLEET_REACH_PATIENCE), &error) == 0)
        return await(tool, id, said);
    if (error.kind == PG_AWAY)
        *said =
            g_strdup_printf("is held by node %s, and the fleet's database does not answer: %s; `list` shows whether "
                            "the decision waits",
                            tool->peer->name, error.text);
    else
        *said = g_strdup_printf("is held by node %s, and the fleet's database refuses the decision: %s",
                                tool->peer->name, error.text);
    return failure_code(&error);
}
