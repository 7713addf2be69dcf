/*
 * agent_metrics - keeps the figures of the exchange with the fleet's database, and has them written for a monitoring
 * system: see fleet_metrics.h.
 *
 * Ownership: agent_metrics_clear frees what is in it.
 */
#ifndef RCPTGUARD_AGENT_METRICS_H
#define RCPTGUARD_AGENT_METRICS_H

#include "milter/agent/agent_exchange.h"
#include "milter/fleet/fleet_metrics.h"

struct agent_metrics {
    struct fleet_figures figures;
    gint64 written; /* when it was last, by the monotonic clock */
    char *trouble;  /* what the log says of the file, or NULL */
};

void agent_metrics_start(struct agent_metrics *metrics);
void agent_metrics_clear(struct agent_metrics *metrics);

/* The database has failed, as `error` says. */
void agent_metrics_failed(struct agent_metrics *metrics, const struct pg_error *error);

/* After an exchange: whether the database was there, and what waits.  Writes the file, but not after each of many. */
void agent_metrics_after(struct agent_metrics *metrics, struct exchange *exchange, bool reached);

#endif
