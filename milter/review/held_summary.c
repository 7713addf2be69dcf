/* held_summary - see held_summary.h */

#include "milter/review/held_summary.h"

#include "milter/ledger/ledger_time.h"
#include "milter/review/decision.h"
#include "milter/review/expiry.h"
#include "milter/review/message_filter.h"
#include "policy/base/time_text.h"
#include "policy/cli/json.h"
#include "policy/exposure/exposure.h"

#include <string.h>

const char *facts_state(const struct view_item *item)
{
    return item->row == NULL ? "untracked" : ledger_state_name(item->row->state);
}

const char *facts_instance(const struct tool *tool, const struct view_item *item)
{
    const char *name = item->entry != NULL ? item->entry->instance : NULL;
    if (name == NULL && item->row != NULL)
        name = item->row->message.instance;
    return name == NULL && tool->queue != NULL && queue_is_several(tool->queue) ? FACTS_NO_INSTANCE : name;
}

const char *facts_known_instance(const struct tool *tool, const struct view_item *item)
{
    const char *name = facts_instance(tool, item);
    return name == NULL || strcmp(name, FACTS_NO_INSTANCE) == 0 ? NULL : name;
}

char *facts_count(unsigned number, const char *one, const char *many)
{
    return g_strdup_printf("%u %s", number, number == 1 ? one : many);
}

const char *facts_sender(const struct view_item *item)
{
    const char *sender = item->row != NULL ? item->row->message.sender : item->entry->sender;
    return sender[0] != '\0' ? sender : "<>";
}

/* The decision that waits for the node of an item; NULL: none. */
static const struct fleet_pending *find_pending(const struct tool *tool, const struct view_item *item)
{
    return tool->peer == NULL || item->row == NULL ? NULL : fleet_peer_pending(tool->peer, item->row->id);
}

/* ---- what the time decides */

void facts_policy(struct tool *tool, const struct view *view)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    for (guint i = 0; i < view->items->len; i++) {
        const struct view_item *item = g_ptr_array_index(view->items, i);
        if (item->row != NULL)
            g_ptr_array_add(rows, item->row);
    }
    g_clear_pointer(&tool->policy, policy_unref);
    tool->policy = expiry_policy(tool->config, rows);
    struct ledger_agent agent;
    struct database_error error;
    tool->steady = ledger_agent_read(tool->ledger, &agent, &error) == 0 ? agent.steady : G_MAXINT64;
}

struct held_times facts_times(const struct tool *tool, const struct ledger_row *row)
{
    const struct policy *policy = tool->home == NULL ? tool->policy : tool->home->policy;
    if ((LEDGER_BIT(row->state) & LEDGER_WAITING) == 0)
        return (struct held_times){0};
    const struct held_expiry expiry = expiry_find(tool->config, policy, row);
    return (struct held_times){
        .due = delay_find(tool->config, policy, row),
        .expires = expiry.when == 0 ? 0 : expiry_earliest(&expiry, row, tool->steady, tool_now()),
        .expiry = expiry.action,
    };
}

static char *time_remark(const struct tool *tool, const struct ledger_row *row)
{
    const struct held_times times = facts_times(tool, row);
    gint64 now = tool_now();
    g_autofree char *due = selection_age(times.due - now);
    g_autofree char *expires = selection_age(times.expires - now);
    if (times.due != 0)
        return g_strdup_printf(times.due > now ? "released in %s" : "release is due", due);
    if (row->stopped != NULL)
        return g_strdup_printf("delay ended by %s", row->stopped);
    if (times.expires != 0 && times.expires - now <= EXPIRY_HORIZON)
        return g_strdup_printf("%s in %s", times.expiry == LEDGER_DELETE ? "deleted" : "returned", expires);
    return NULL;
}

char *facts_remark(const struct tool *tool, const struct view_item *item)
{
    const struct ledger_row *row = item->row;
    const struct fleet_pending *pending = find_pending(tool, item);
    if (row == NULL)
        return g_strdup("untracked");
    if (pending != NULL)
        return g_strdup_printf("%s by %s waits", ledger_action_name(pending->action), pending->who);
    unsigned needed = tool_approvals_needed(tool, row);
    if (item->unread)
        return g_strdup("queue cannot be read");
    if (row->state == LEDGER_HELD && needed > 1)
        return g_strdup_printf("%u of %u approvals", row->granted, needed);
    if (row->state == LEDGER_HELD)
        return time_remark(tool, row);
    if ((LEDGER_BIT(row->state) & LEDGER_CLAIMED) != 0)
        return g_strdup_printf("%s is %s it", decision_who(row), ledger_state_name(row->state));
    if ((LEDGER_BIT(row->state) & LEDGER_DECIDED) != 0)
        return g_strdup_printf("%s by %s", ledger_state_name(row->state), decision_who(row));
    if (row->state == LEDGER_LEFT && row->arrival == 0)
        return g_strdup("left, never seen on hold");
    return g_strdup(ledger_state_name(row->state));
}

static void json_time(JsonBuilder *json, const char *key, gint64 microseconds)
{
    g_autofree char *text = microseconds == 0 ? NULL : time_text_json(microseconds);
    json_string(json, key, text);
}

static void json_defects(JsonBuilder *json, unsigned defects)
{
    json_builder_set_member_name(json, "defects");
    json_builder_begin_array(json);
    for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1) {
        if ((defects & bit) != 0)
            json_builder_add_string_value(json, defect_name((enum defect)bit));
    }
    json_builder_end_array(json);
}

static void json_inside(JsonBuilder *json, const struct inside_counts *counts)
{
    json_boolean(json, "inside_read", counts->asked == INSIDE_READ);
    json_builder_set_member_name(json, "inside");
    json_builder_begin_array(json);
    for (unsigned i = 0; i < INSIDE_PLACES; i++) {
        if (counts->places[i].people == 0)
            continue;
        json_builder_begin_object(json);
        json_string(json, "part", inside_place_name(i));
        json_number(json, "visible", counts->places[i].people);
        json_number(json, "parties", counts->places[i].parties);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_set_member_name(json, "opaque");
    json_builder_begin_array(json);
    for (unsigned bit = 1; bit <= OPAQUE_KIND_LAST; bit <<= 1) {
        if ((counts->opaque & bit) != 0)
            json_builder_add_string_value(json, opaque_kind_name((enum opaque_kind)bit));
    }
    json_builder_end_array(json);
}

static void json_row(JsonBuilder *json, const struct tool *tool, const struct ledger_row *row)
{
    const struct ledger_message *message = &row->message;
    const struct held_times times = facts_times(tool, row);
    json_string(json, "message_id", message->message_id);
    json_string(json, "user", message->user);
    json_string(json, "client", message->client);
    json_string(json, "subject", message->subject);
    json_string(json, "rule", message->rule);
    json_string(json, "text", message->text);
    json_string(json, "policy", message->policy);
    json_number(json, "visible", message->counts.visible);
    json_number(json, "parties", message->counts.parties);
    json_number(json, "domains", message->counts.domains);
    json_number(json, "internal", message->counts.internal);
    json_number(json, "hidden", message->counts.hidden);
    json_number(json, "recipients", message->counts.recipients);
    json_defects(json, message->counts.defects);
    json_inside(json, &message->inside);
    json_number(json, "approvals", row->granted);
    json_number(json, "approvals_needed", tool_approvals_needed(tool, row));
    json_time(json, "changed", row->changed);
    json_string(json, "who", row->who);
    json_string(json, "way", ledger_way_name(row->way));
    json_string(json, "reason", row->reason);
    json_string(json, "requeued", row->requeued);
    json_string(json, "former", row->former);
    json_time(json, "due", times.due);
    json_string(json, "stopped", row->stopped);
    json_time(json, "expires", times.expires);
    json_string(json, "expiry", times.expires == 0 ? NULL : ledger_action_name(times.expiry));
}

/* Of a fleet: when its node was seen, and what that still has to do. */
static void json_node(JsonBuilder *json, const struct tool *tool, const struct view_item *item)
{
    const struct fleet_pending *pending = find_pending(tool, item);
    if (tool->peer == NULL)
        return;
    json_boolean(json, "node_away", tool->peer->away);
    json_time(json, "node_seen", tool->peer->away ? tool->peer->seen : 0);
    json_builder_set_member_name(json, "pending");
    if (pending == NULL) {
        json_builder_add_null_value(json);
        return;
    }
    json_builder_begin_object(json);
    json_string(json, "action", ledger_action_name(pending->action));
    json_string(json, "who", pending->who);
    json_string(json, "by_node", pending->vouched_by);
    json_string(json, "reason", pending->reason);
    json_time(json, "time", pending->at);
    json_builder_end_object(json);
}

void facts_json(JsonBuilder *json, const struct tool *tool, const struct view_item *item)
{
    gint64 arrival = view_arrival(item);
    json_string(json, "id", item->row != NULL ? item->row->message.queue_id : item->entry->id);
    tool_json_place(json, tool, facts_known_instance(tool, item));
    json_string(json, "state", facts_state(item));
    json_boolean(json, "on_hold", item->entry != NULL || (item->unread && item->row->state == LEDGER_HELD));
    json_time(json, "arrival", arrival);
    json_number(json, "age", MAX(tool_now() - arrival, 0) / G_USEC_PER_SEC);
    json_string(json, "sender", item->row != NULL ? item->row->message.sender : item->entry->sender);
    json_node(json, tool, item);
    if (item->row != NULL)
        json_row(json, tool, item->row);
}
