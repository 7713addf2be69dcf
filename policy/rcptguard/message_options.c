/* message_options - see message_options.h */

#include "policy/rcptguard/message_options.h"

#include "policy/rcptguard/rcptguard_tool.h"

static char *user_option = NULL;
static char *client_option = NULL;
static char *listener_option = NULL;
static char *time_option = NULL;
static gboolean local_option = FALSE;
static gboolean bcc_visible_option = FALSE;
static gboolean verbose_option = FALSE;

static gint64 now;

const GOptionEntry given_entries[] = {
    {"user", 0, 0, G_OPTION_ARG_STRING, &user_option, "SASL login name", "NAME"},
    {"client", 0, 0, G_OPTION_ARG_STRING, &client_option, "Address of the SMTP client", "IP"},
    {"listener", 0, 0, G_OPTION_ARG_STRING, &listener_option, "The MTA's name of its daemon", "NAME"},
    {"local", 0, 0, G_OPTION_ARG_NONE, &local_option, "Handed in by sendmail(1)", NULL},
    {"time", 0, 0, G_OPTION_ARG_STRING, &time_option, "When: 2027-06-30T12:00:00Z (now)", "RFC3339"},
    {"bcc-visible", 0, 0, G_OPTION_ARG_NONE, &bcc_visible_option, "Bcc headers are delivered", NULL},
    {"verbose", 0, 0, G_OPTION_ARG_NONE, &verbose_option, "Name the files that are no mail", NULL},
    G_OPTION_ENTRY_NULL,
};

static bool parse_time(void)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    GDateTime *time = time_option == NULL ? g_date_time_new_now(utc) : g_date_time_new_from_iso8601(time_option, utc);

    if (time == NULL)
        return false;
    now = g_date_time_to_unix(time);
    g_date_time_unref(time);
    return true;
}

int given_check(void)
{
    if (!parse_time())
        return tool_usage_error("`%s` is no time; expected one such as 2027-06-30T12:00:00Z", time_option);
    if (client_option != NULL && !g_hostname_is_ip_address(client_option))
        return tool_usage_error("`%s` is no IP address", client_option);
    return EXITS_DONE;
}

gint64 given_time(void)
{
    return now;
}

bool given_way(void)
{
    return client_option != NULL || listener_option != NULL || local_option;
}

void given_pass(const char *file)
{
    if (verbose_option)
        tool_note("%s: is no mail and is passed over", file);
}

void given_apply(struct message *message)
{
    if (user_option != NULL)
        message_set_user(message, user_option);
    message_set_client(message, client_option);
    message_set_listener(message, listener_option);
    message->local = local_option;
    message->bcc_visible = bcc_visible_option;
}
