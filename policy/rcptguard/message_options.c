/* message_options - see message_options.h */

#include "policy/rcptguard/message_options.h"

#include "policy/message/recipients.h"
#include "policy/rcptguard/rcptguard_tool.h"

#include <string.h>

static char *user_option = NULL;
static char *user_from_option = NULL;
static char *client_option = NULL;
static char *listener_option = NULL;
static char *time_option = NULL;
static gboolean local_option = FALSE;
static gboolean bcc_visible_option = FALSE;
static gboolean verbose_option = FALSE;

static gint64 now;

const GOptionEntry given_entries[] = {
    {"user", 0, 0, G_OPTION_ARG_STRING, &user_option, "SASL login name", "NAME"},
    {"user-from", 0, 0, G_OPTION_ARG_STRING, &user_from_option, "Header field with the login's address", "FIELD"},
    {"client", 0, 0, G_OPTION_ARG_STRING, &client_option, "Address of the SMTP client", "IP"},
    {"listener", 0, 0, G_OPTION_ARG_STRING, &listener_option, "The MTA's name for its daemon", "NAME"},
    {"local", 0, 0, G_OPTION_ARG_NONE, &local_option, "Submitted with sendmail(1)", NULL},
    {"time", 0, 0, G_OPTION_ARG_STRING, &time_option, "When: 2027-06-30T12:00:00Z (now)", "RFC3339"},
    {"bcc-visible", 0, 0, G_OPTION_ARG_NONE, &bcc_visible_option, "Bcc headers are delivered", NULL},
    {"verbose", 0, 0, G_OPTION_ARG_NONE, &verbose_option, "Name the files that are not mail", NULL},
    G_OPTION_ENTRY_NULL,
};

int given_check(void)
{
    if (user_option != NULL && user_from_option != NULL)
        return tool_usage_error("--user and --user-from both say who logged in: not both");
    if (user_from_option != NULL && (*user_from_option == '\0' || strpbrk(user_from_option, ": \t") != NULL))
        return tool_usage_error("`%s` is no name of a header field", user_from_option);
    if (!tool_time(time_option, &now))
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

char **given_unknown(const struct policy *policy, unsigned *rules)
{
    bool user = user_option != NULL || user_from_option != NULL;
    const struct {
        const char *word;
        bool given;
    } facts[] = {
        {"user", user},
        {"authenticated", user},
        {"client", client_option != NULL},
        {"listener", listener_option != NULL},
        {"local", given_way()},
    };
    GPtrArray *words = g_ptr_array_new();
    g_autoptr(GHashTable) asking = g_hash_table_new(NULL, NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(facts); i++) {
        bool asked = false;
        for (unsigned rule = 0; !facts[i].given && rule < policy_rule_count(policy); rule++) {
            if (!policy_rule_tests(policy, rule, facts[i].word))
                continue;
            g_hash_table_add(asking, GUINT_TO_POINTER(rule));
            asked = true;
        }
        if (asked)
            g_ptr_array_add(words, g_strdup(facts[i].word));
    }
    g_ptr_array_add(words, NULL);
    *rules = g_hash_table_size(asking);
    return (char **)g_ptr_array_free(words, FALSE);
}

/* The first address of the field, or what it says where there is none, such as the bare name of a login. */
static void apply_user_from(struct message *message)
{
    const struct header *header = message_find_header(message, user_from_option);
    auto_free(message) alone = message_new();

    if (header == NULL)
        return;
    message_add_header(alone, "From", header->value);
    g_autoptr(GPtrArray) addresses = recipients_authors(alone, NULL);
    g_autofree char *text = g_strstrip(g_strdup(addresses->len > 0 ? g_ptr_array_index(addresses, 0) : header->value));
    if (*text != '\0')
        message_set_user(message, text);
}

void given_apply(struct message *message)
{
    if (user_option != NULL)
        message_set_user(message, user_option);
    else if (user_from_option != NULL)
        apply_user_from(message);
    message_set_client(message, client_option);
    message_set_listener(message, listener_option);
    message->local = local_option;
    message->bcc_visible = bcc_visible_option;
}
