/* agent_metrics - see agent_metrics.h */

#include "milter/agent/agent_metrics.h"

#include "milter/ledger/ledger_unpublished.h"
#include "milter/log/log.h"

/* Between two writings after exchanges that follow each other, in microseconds. */
#define SPACING (2 * G_USEC_PER_SEC)

void agent_metrics_start(struct agent_metrics *metrics)
{
    *metrics = (struct agent_metrics){.figures.started = tool_now()};
}

void agent_metrics_clear(struct agent_metrics *metrics)
{
    g_clear_pointer(&metrics->trouble, g_free);
}

void agent_metrics_failed(struct agent_metrics *metrics, const struct pg_error *error)
{
    metrics->figures.errors[error->kind]++;
}

/* What fails here fails in the next exchange, too, which says so. */
static void look_at_database(struct fleet_figures *figures, struct exchange *exchange)
{
    const char *const values[] = {exchange->node};
    struct pg_error error;
    auto_free(pg_answer) answer = fleet_query(exchange->fleet,
                                              "SELECT count(*), floor(extract(epoch FROM min(at)) * 1000000)::bigint"
                                              " FROM rcptguard.decision WHERE node = $1 AND done IS NULL",
                                              1, values, fleet_deadline(FLEET_PATIENCE), &error);
    if (answer == NULL)
        return;
    figures->waiting = (unsigned)pg_number(answer, 0, 0);
    figures->oldest = pg_number(answer, 0, 1);
}

static void look_at_ledger(struct fleet_figures *figures, struct exchange *exchange, bool reached)
{
    struct database_error error;
    if (ledger_unpublished_count(exchange->tool->ledger, &figures->unpublished, &error) == 0 && reached &&
        figures->unpublished == 0)
        figures->published = tool_now();
}

/* Once when it cannot be written, and once when it can be again. */
static void say(struct agent_metrics *metrics, const struct config *config, char *trouble)
{
    g_autofree char *before = metrics->trouble, *path = fleet_metrics_path(config);
    metrics->trouble = trouble;
    if (g_strcmp0(before, trouble) == 0)
        return;
    if (trouble != NULL)
        log_line(LOG_WARNING, "metrics: %s: %s", path, trouble);
    else
        log_line(LOG_NOTICE, "metrics: %s is written again", path);
}

void agent_metrics_after(struct agent_metrics *metrics, struct exchange *exchange, bool reached)
{
    const struct config *config = exchange->tool->config;
    gint64 now = g_get_monotonic_time();
    if (config->metrics == NULL)
        return;
    if (reached)
        metrics->figures.reached = tool_now();
    if (metrics->written != 0 && now < metrics->written + SPACING)
        return;
    metrics->written = now;
    if (reached)
        look_at_database(&metrics->figures, exchange);
    look_at_ledger(&metrics->figures, exchange, reached);
    say(metrics, config, fleet_metrics_write(config, &metrics->figures, tool_now()));
}
