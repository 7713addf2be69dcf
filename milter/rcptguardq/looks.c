/* looks - see looks.h */

#include "milter/rcptguardq/looks.h"

#include "milter/log/log.h"
#include "milter/log/log_fields.h"

static void log_look(const struct tool *tool, const struct queue_entry *entry, unsigned look)
{
    const struct report_decision report = {
        .queue_id = entry->id,
        .action = "look",
        .login = tool->reviewer->login,
        .uid = tool->reviewer->uid,
        .sender = entry->sender,
        .reason = ledger_look_name(look),
    };
    struct entry line;
    report_decision_entry(&line, &report);
    log_entry(&line);
}

/* The history has no place for what the ledger does not know. */
static void log_looks(const struct tool *tool, const struct queue_entry *entry, unsigned looks)
{
    if ((looks & LEDGER_LOOK_RECIPIENTS) != 0)
        log_look(tool, entry, LEDGER_LOOK_RECIPIENTS);
    if ((looks & LEDGER_LOOK_MESSAGE) != 0)
        log_look(tool, entry, LEDGER_LOOK_MESSAGE);
}

int look_record(const struct tool *tool, const struct view_item *item, unsigned looks, struct database_error *error)
{
    const struct ledger_person person = {tool->reviewer->login, tool->reviewer->uid};
    if (looks == 0)
        return 0;
    if (item->row == NULL) {
        log_looks(tool, item->entry, looks);
        return 0;
    }
    const struct ledger_act act = {.id = item->row->id, .now = tool_now(), .person = &person, .way = LEDGER_BY_COMMAND};
    return ledger_look(tool->ledger, &act, looks, error);
}
