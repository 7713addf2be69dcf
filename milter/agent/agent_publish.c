/* agent_publish - see agent_publish.h */

#include "milter/agent/agent_publish.h"

#include "milter/fleet/fleet_publish.h"
#include "milter/ledger/ledger_record.h"
#include "milter/ledger/ledger_unpublished.h"
#include "milter/log/log.h"

#include <string.h>

/* Batches of one call. */
#define BATCHES 50u

/* Rows of which is asked at once whether the database has them. */
#define COMPARED_ROWS 2000u

static enum exchange_end ledger_failed(const struct database_error *error)
{
    tool_ledger_error(error);
    return EXCHANGE_LEFT;
}

/* ---- records */

/* Its policy comes before a record, unless it is there. */
static enum exchange_end publish_policy(struct exchange *exchange, const char *digest)
{
    struct database_error error;
    if (g_ptr_array_find_with_equal_func(exchange->policies, digest, g_str_equal, NULL))
        return EXCHANGE_DONE;
    g_autofree char *record = ledger_policy_export(exchange->tool->ledger, digest, &error);
    if (record == NULL && error.failure != DATABASE_NONE)
        return ledger_failed(&error);
    if (record != NULL && fleet_publish_policy(exchange->fleet, exchange->node, record, fleet_deadline(FLEET_PATIENCE),
                                               &exchange->error) == -1)
        return EXCHANGE_BROKEN;
    g_ptr_array_add(exchange->policies, g_strdup(digest));
    return EXCHANGE_DONE;
}

static int publish_records(struct exchange *exchange, const GPtrArray *records, char **published)
{
    return fleet_publish(exchange->fleet, exchange->node, records, published, fleet_deadline(FLEET_PATIENCE),
                         &exchange->error);
}

/* What the server says of a value that it cannot take: class 22. */
static bool is_bad_value(const struct exchange *exchange)
{
    return strncmp(exchange->error.sqlstate, "22", 2) == 0;
}

/* A record that the database cannot take stays out of it, and the others come in. */
static int publish_each(struct exchange *exchange, const GPtrArray *unpublished, char **published)
{
    int result = 0;
    for (guint i = 0; i < unpublished->len && result == 0; i++) {
        const struct ledger_unpublished *one = g_ptr_array_index((GPtrArray *)unpublished, i);
        g_autoptr(GPtrArray) record = g_ptr_array_new();
        g_autofree char *now = NULL;
        g_ptr_array_add(record, one->record);
        result = publish_records(exchange, record, &now);
        if (result == 0) {
            g_free(*published);
            *published = g_steal_pointer(&now);
        } else if (is_bad_value(exchange)) {
            log_line(LOG_WARNING, "fleet: row %" G_GINT64_FORMAT " of the ledger cannot be published: %s", one->row,
                     exchange->error.text);
            result = 0;
        }
    }
    return result;
}

static enum exchange_end publish_batch(struct exchange *exchange, const GPtrArray *unpublished)
{
    g_autoptr(GPtrArray) records = g_ptr_array_new();
    g_autofree char *published = NULL;
    struct database_error error;
    for (guint i = 0; i < unpublished->len; i++) {
        const struct ledger_unpublished *one = g_ptr_array_index((GPtrArray *)unpublished, i);
        enum exchange_end end = publish_policy(exchange, one->policy);
        if (end != EXCHANGE_DONE)
            return end;
        g_ptr_array_add(records, one->record);
    }
    int result = publish_records(exchange, records, &published);
    if (result == -1 && is_bad_value(exchange))
        result = publish_each(exchange, unpublished, &published);
    if (result == -1)
        return EXCHANGE_BROKEN;
    return ledger_published(exchange->tool->ledger, unpublished, published, &error) == -1 ? ledger_failed(&error)
                                                                                          : EXCHANGE_DONE;
}

enum exchange_end agent_publish(struct exchange *exchange)
{
    struct database_error error;
    for (unsigned i = 0; i < BATCHES; i++) {
        g_autoptr(GPtrArray) unpublished = ledger_unpublished(exchange->tool->ledger, PUBLISH_ROWS, &error);
        if (unpublished == NULL)
            return ledger_failed(&error);
        if (unpublished->len == 0)
            return EXCHANGE_DONE;
        enum exchange_end end = publish_batch(exchange, unpublished);
        if (end != EXCHANGE_DONE)
            return end;
    }
    return EXCHANGE_LEFT;
}

/* ---- what is gone */

static enum exchange_end compare_policies(struct exchange *exchange)
{
    g_autoptr(GPtrArray) digests =
        fleet_policies(exchange->fleet, exchange->node, fleet_deadline(FLEET_PATIENCE), &exchange->error);
    if (digests == NULL)
        return EXCHANGE_BROKEN;
    g_ptr_array_set_size(exchange->policies, 0);
    for (guint i = 0; i < digests->len; i++) {
        const char *digest = g_ptr_array_index(digests, i);
        struct database_error error;
        g_autofree char *record = ledger_policy_export(exchange->tool->ledger, digest, &error);
        if (record == NULL && error.failure != DATABASE_NONE)
            return ledger_failed(&error);
        if (record != NULL)
            g_ptr_array_add(exchange->policies, g_strdup(digest));
        else if (fleet_remove_policy(exchange->fleet, exchange->node, digest, fleet_deadline(FLEET_PATIENCE),
                                     &exchange->error) == -1)
            return EXCHANGE_BROKEN;
    }
    return EXCHANGE_DONE;
}

/* The rows of the database after `*last`, which becomes the last that was compared; G_MAXINT64: all were. */
static enum exchange_end compare_rows(struct exchange *exchange, gint64 *last)
{
    struct database_error error;
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GArray) rows = fleet_rows(exchange->fleet, exchange->node, *last, COMPARED_ROWS,
                                        fleet_deadline(FLEET_PATIENCE), &exchange->error);
    if (rows == NULL)
        return EXCHANGE_BROKEN;
    gint64 first = *last + 1;
    *last = rows->len < COMPARED_ROWS ? G_MAXINT64 : g_array_index(rows, gint64, rows->len - 1);
    if (ledger_compare_published(exchange->tool->ledger, first, *last, rows, gone, &error) == -1)
        return ledger_failed(&error);
    if (gone->len > 0 && fleet_remove_rows(exchange->fleet, exchange->node, gone, fleet_deadline(FLEET_PATIENCE),
                                           &exchange->error) == -1)
        return EXCHANGE_BROKEN;
    return EXCHANGE_DONE;
}

/* Rows that are not published yet are no difference, as far as can be told: 1, 0, or -1 with the end. */
static int numbers_differ(struct exchange *exchange, enum exchange_end *end)
{
    struct database_error error;
    const struct ledger_filter all = {.limit = 0};
    unsigned here = 0, unpublished = 0;
    gint64 there = 0, oldest = 0;
    if (ledger_count(exchange->tool->ledger, &all, &here, &oldest, &error) == -1 ||
        ledger_unpublished_count(exchange->tool->ledger, &unpublished, &error) == -1) {
        *end = ledger_failed(&error);
        return -1;
    }
    if (fleet_count_rows(exchange->fleet, exchange->node, &there, fleet_deadline(FLEET_PATIENCE), &exchange->error) ==
        -1) {
        *end = EXCHANGE_BROKEN;
        return -1;
    }
    return there > (gint64)here || there + unpublished < (gint64)here;
}

enum exchange_end agent_publish_compare(struct exchange *exchange, bool whole)
{
    enum exchange_end end = EXCHANGE_DONE;
    int differ = whole ? 1 : numbers_differ(exchange, &end);
    if (differ != 1)
        return end;
    for (gint64 last = 0; last != G_MAXINT64 && end == EXCHANGE_DONE;)
        end = compare_rows(exchange, &last);
    return end == EXCHANGE_DONE ? compare_policies(exchange) : end;
}
