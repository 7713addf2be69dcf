/* ledger_figures - see ledger_figures.h */

#include "milter/ledger/ledger_figures.h"

#include "milter/ledger/ledger_private.h"
#include "milter/ledger/ledger_time.h"

#include <string.h>

static const char *const names[] = {"approve", "release", "return", "delete", "refuse"};
G_STATIC_ASSERT(G_N_ELEMENTS(names) == LEDGER_FIGURES);

const char *ledger_figure_name(enum ledger_figure figure)
{
    return names[figure];
}

static int count_waiting(struct ledger *ledger, struct ledger_figures *figures, struct database_error *error)
{
    const struct ledger_filter open = {.states = LEDGER_OPEN};
    if (ledger_count(ledger, &open, &figures->waiting, &figures->oldest, error) == -1)
        return -1;
    struct statement *statement =
        database_query(ledger->database,
                       "SELECT ifnull(sum(leaves > 0), 0), ifnull(sum(stopped IS NOT NULL), 0) FROM held"
                       " WHERE state IN ('pending', 'held')",
                       NULL, 0);
    int row = statement_step(statement, error);
    if (row == 1) {
        figures->delayed = (unsigned)statement_number(statement, 0);
        figures->stopped = (unsigned)statement_number(statement, 1);
    }
    statement_reset(statement);
    return row == -1 ? -1 : 0;
}

static void add(struct ledger_figures *figures, const char *way, const char *action, gint64 number)
{
    for (unsigned i = 0; i < LEDGER_FIGURES; i++) {
        if (strcmp(action, names[i]) == 0)
            figures->decisions[ledger_way_find(way)][i] += (guint64)number;
    }
}

/* Of another ledger all ids are new; one that was begun anew has less than there were. */
static int count_decisions(struct ledger *ledger, struct ledger_figures *figures, struct database_error *error)
{
    gint64 newest = 0;
    if (database_number(ledger->database, "SELECT ifnull(max(id), 0) FROM history", &newest, error) == -1)
        return -1;
    gint64 from = !figures->counting ? newest : newest < figures->last ? 0 : figures->last;
    const struct parameter parameters[] = {sql_number(from), sql_number(newest)};
    struct statement *statement = database_query(ledger->database,
                                                 "SELECT way, action, count(*) FROM history"
                                                 " WHERE id > ?1 AND id <= ?2 AND way IS NOT NULL GROUP BY way, action",
                                                 parameters, G_N_ELEMENTS(parameters));
    int row;
    while ((row = statement_step(statement, error)) == 1)
        add(figures, statement_text(statement, 0), statement_text(statement, 1), statement_number(statement, 2));
    statement_reset(statement);
    figures->last = newest;
    figures->counting = true;
    return row;
}

int ledger_figures_update(struct ledger *ledger, struct ledger_figures *figures, struct database_error *error)
{
    struct ledger_figures now = *figures;
    struct ledger_agent agent;
    if (count_waiting(ledger, &now, error) == -1 || count_decisions(ledger, &now, error) == -1 ||
        ledger_agent_read(ledger, &agent, error) == -1)
        return -1;
    now.agent = agent.last;
    *figures = now;
    return 0;
}
