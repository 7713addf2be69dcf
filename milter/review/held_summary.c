/* held_summary - see held_summary.h */

#include "milter/review/held_summary.h"

#include "policy/base/time_text.h"
#include "policy/cli/json.h"
#include "policy/exposure/exposure.h"

const char *facts_state(const struct view_item *item)
{
    return item->row == NULL ? "untracked" : ledger_state_name(item->row->state);
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

char *facts_remark(const struct tool *tool, const struct view_item *item)
{
    const struct ledger_row *row = item->row;
    if (row == NULL)
        return g_strdup("untracked");
    unsigned needed = tool_approvals_needed(tool, row);
    if (row->state == LEDGER_HELD && needed > 1)
        return g_strdup_printf("%u of %u approvals", row->granted, needed);
    if (row->state == LEDGER_HELD)
        return NULL;
    if ((LEDGER_BIT(row->state) & LEDGER_CLAIMED) != 0)
        return g_strdup_printf("%s is %s it", row->who, ledger_state_name(row->state));
    if ((LEDGER_BIT(row->state) & LEDGER_DECIDED) != 0)
        return g_strdup_printf("%s by %s", ledger_state_name(row->state), row->who);
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

static void json_row(JsonBuilder *json, const struct tool *tool, const struct ledger_row *row)
{
    const struct ledger_message *message = &row->message;
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
    json_number(json, "approvals", row->granted);
    json_number(json, "approvals_needed", tool_approvals_needed(tool, row));
    json_time(json, "changed", row->changed);
    json_string(json, "who", row->who);
    json_string(json, "reason", row->reason);
    json_string(json, "requeued", row->requeued);
    json_string(json, "former", row->former);
}

void facts_json(JsonBuilder *json, const struct tool *tool, const struct view_item *item)
{
    gint64 arrival = view_arrival(item);
    json_string(json, "id", item->row != NULL ? item->row->message.queue_id : item->entry->id);
    json_string(json, "state", facts_state(item));
    json_boolean(json, "on_hold", item->entry != NULL);
    json_time(json, "arrival", arrival);
    json_number(json, "age", MAX(tool_now() - arrival, 0) / G_USEC_PER_SEC);
    json_string(json, "sender", item->row != NULL ? item->row->message.sender : item->entry->sender);
    if (item->row != NULL)
        json_row(json, tool, item->row);
}
