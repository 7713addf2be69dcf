/* places_bell - see places_bell.h */

#include "milter/places/places_bell.h"

/* Time between two attempts to connect. */
#define BELL_AGAIN (60 * G_USEC_PER_SEC)

struct places_bell {
    const struct tool *tool;
    struct fleet_reach *reach; /* or NULL */
    gint64 tried;
};

static bool connect_bell(struct places_bell *bell)
{
    struct pg_error error;
    bell->tried = g_get_monotonic_time();
    bell->reach = fleet_reach_open(bell->tool->config, bell->tool->reviewer->uid, &error);
    if (bell->reach != NULL && fleet_listen(bell->reach->fleet, fleet_deadline(FLEET_REACH_PATIENCE), &error) == -1)
        g_clear_pointer(&bell->reach, fleet_reach_close);
    return bell->reach != NULL;
}

struct places_bell *places_bell_new(const struct tool *tool)
{
    if (tool->config->fleet_database == NULL)
        return NULL;
    struct places_bell *bell = g_new0(struct places_bell, 1);
    bell->tool = tool;
    (void)connect_bell(bell);
    return bell;
}

void places_bell_free(struct places_bell *bell)
{
    if (bell == NULL)
        return;
    fleet_reach_close(bell->reach);
    g_free(bell);
}

bool places_bell_rang(struct places_bell *bell)
{
    struct pg_error error;
    if (bell == NULL)
        return false;
    if (bell->reach == NULL)
        return g_get_monotonic_time() - bell->tried > BELL_AGAIN && connect_bell(bell);
    int came = fleet_wait(bell->reach->fleet, 0, &error);
    if (came == -1)
        g_clear_pointer(&bell->reach, fleet_reach_close);
    return came != 0;
}
