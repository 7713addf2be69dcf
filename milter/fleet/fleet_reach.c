/* fleet_reach - see fleet_reach.h */

#include "milter/fleet/fleet_reach.h"

#include <string.h>

/*
 * The connection string is that of the node.  A person logs in by his own name, and with his own password or
 * certificate: the node's, if its files are named there, are none of his, and empty is what libpq takes by default.
 * What comes later in such a string replaces what is before.
 */
static char *conninfo_of_person(const char *conninfo, const char *login)
{
    if (strstr(conninfo, "://") != NULL) {
        g_autofree char *escaped = g_uri_escape_string(login, NULL, FALSE);
        return g_strdup_printf("%s%cuser=%s&passfile=&sslcert=&sslkey=", conninfo,
                               strchr(conninfo, '?') == NULL ? '?' : '&', escaped);
    }
    g_autoptr(GString) text = g_string_new(conninfo);
    g_string_append(text, " passfile='' sslcert='' sslkey='' user='");
    for (const char *at = login; *at != '\0'; at++)
        g_string_append_printf(text, "%s%c", *at == '\'' || *at == '\\' ? "\\" : "", *at);
    g_string_append_c(text, '\'');
    return g_strdup(text->str);
}

static struct fleet *open_as_person(const struct config *config, uid_t person, gint64 deadline, struct pg_error *error)
{
    bool is_node = person == 0 || person == config_owner(config);
    auto_free(pg_user) user = is_node ? NULL : pg_user_of(person);
    if (user == NULL) {
        (void)pg_error_set(error, PG_REFUSED, is_node ? "that user has none" : "the system does not know the user");
        return NULL;
    }
    g_autofree char *conninfo = conninfo_of_person(config->fleet_database, user->login);
    struct config own = *config;
    own.fleet_database = conninfo;
    return fleet_open(&own, FLEET_AS_USER, user, deadline, error);
}

struct fleet_reach *fleet_reach_open(const struct config *config, uid_t person, struct pg_error *error)
{
    gint64 deadline = fleet_deadline(FLEET_REACH_PATIENCE);
    auto_free(fleet_reach) reach = g_new0(struct fleet_reach, 1);
    reach->fleet = open_as_person(config, person, deadline, error);
    if (reach->fleet == NULL && error->kind != PG_AWAY) {
        reach->by_node = true;
        reach->why = g_strdup(error->text);
        reach->fleet = fleet_open(config, FLEET_AS_NODE, NULL, deadline, error);
    }
    return reach->fleet == NULL ? NULL : g_steal_pointer(&reach);
}

void fleet_reach_close(struct fleet_reach *reach)
{
    if (reach == NULL)
        return;
    fleet_close(reach->fleet);
    g_free(reach->why);
    g_free(reach);
}
