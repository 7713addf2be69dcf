/*
 * fleet_metrics - what the exchange with the fleet's database counts for a monitoring system; see METRICS in
 * rcptguard-fleet(7).
 *
 * It is another process than the daemon, so it has a file beside the daemon's: they do not wait for each other.
 * Times are microseconds since 1970.
 */
#ifndef RCPTGUARD_FLEET_METRICS_H
#define RCPTGUARD_FLEET_METRICS_H

#include "milter/common/conf.h"
#include "milter/postgresql/pg_error.h"

#include <glib.h>

struct fleet_figures {
    gint64 started;               /* when the exchange began */
    gint64 reached;               /* when the database answered last; 0: it has not */
    gint64 published;             /* when it last had all that the ledger has; 0: it has not */
    unsigned unpublished;         /* messages whose record it lacks */
    unsigned waiting;             /* decisions for this node that are not answered */
    gint64 oldest;                /* when the first of them was made; 0: there is none */
    guint64 errors[PG_WRONG + 1]; /* of the database, by enum pg_failure */
};

/* `rcptguard-fleet.prom` for `rcptguard.prom`: where the figures go, for g_free; NULL: [metrics] names no path. */
char *fleet_metrics_path(const struct config *config);

/* Appends all of it, for `now`. */
void fleet_metrics_append(const struct config *config, const struct fleet_figures *figures, gint64 now, GString *out);

/* Writes the file, as the daemon's user: NULL, also if there is no path; or what is wrong, for g_free. */
char *fleet_metrics_write(const struct config *config, const struct fleet_figures *figures, gint64 now);

#endif
