/* command_forget - `rcptguardq forget`: deletes what is remembered of somebody; see rcptguardq(8) */

#include "milter/rcptguardq/commands.h"
#include "milter/state/site_state.h"
#include "milter/state/state_key_file.h"
#include "policy/address/address.h"

#include <string.h>

static char **parties, **addresses, **senders;

/* What is forgotten for each value of an option, and whether a value is one. */
static const struct {
    char ***values;
    const char *option, *expected;
    GArray *(*hashes)(const struct state_key *key, const char *value);
} kinds[] = {
    {&parties, "--party", "a domain, such as `mail.example`", state_hashes_of_party},
    {&addresses, "--address", "an address, such as `ann@mail.example`", state_hashes_of_address},
    {&senders, "--sender", "an address, or a login", state_hashes_of_sender},
};

static bool is_value(const char *value, unsigned kind)
{
    bool at = strchr(value, '@') != NULL;
    g_autofree char *domain = domain_normalise(value, strlen(value));
    g_autofree char *address = address_normalise_text(value);
    if (kinds[kind].values == &parties)
        return !at && domain[0] != '\0';
    return address != NULL && address[0] != '\0' && (at || kinds[kind].values == &senders);
}

static int check(void)
{
    bool some = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        for (char **value = *kinds[i].values; value != NULL && *value != NULL; value++) {
            some = true;
            if (!is_value(*value, i))
                return tool_usage_error("%s: expected %s, not `%s`", kinds[i].option, kinds[i].expected, *value);
        }
    }
    return some ? EXITS_DONE : tool_usage_error("forget: expected --party, --address or --sender");
}

static GArray *all_hashes(const struct state_key *key)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(state_hash));
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        for (char **value = *kinds[i].values; value != NULL && *value != NULL; value++) {
            g_autoptr(GArray) hashes = kinds[i].hashes(key, *value);
            g_array_append_vals(all, hashes->data, hashes->len);
        }
    }
    return all;
}

static int report(unsigned gone)
{
    if (tool_json()) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        json_builder_set_member_name(json, "forgotten");
        json_builder_add_int_value(json, gone);
        json_builder_end_object(json);
        tool_print_json(json);
        return EXITS_DONE;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    if (gone == 0)
        g_string_append(text, "nothing of it was remembered\n");
    else
        g_string_append_printf(text, "forgotten: %u %s\n", gone, gone == 1 ? "entry" : "entries");
    tool_print(text);
    return EXITS_DONE;
}

/* What the ledger keeps for the release of held messages. */
static int forget_held(struct tool *tool, const GArray *hashes, unsigned *gone)
{
    struct database_error error;
    tool->ledger = tool_open_ledger(tool, &error);
    if (tool->ledger == NULL)
        return error.failure == DATABASE_MISSING ? EXITS_DONE : tool_ledger_error(&error);
    return ledger_forget(tool->ledger, (const state_hash *)(gpointer)hashes->data, hashes->len, gone, &error) == 0
               ? EXITS_DONE
               : tool_ledger_error(&error);
}

/* The key without its state: messages may be held still. */
static int forget_without_state(struct tool *tool)
{
    struct database_error error;
    unsigned gone = 0;
    g_autofree char *path = config_state_key(tool->config);
    auto_free(state_key) key = state_key_file_read(path, tool_daemon_user(tool), DATABASE_EXISTING, &error);
    if (key == NULL)
        return error.failure == DATABASE_MISSING ? report(0) : tool_ledger_error(&error);
    g_autoptr(GArray) hashes = all_hashes(key);
    int status = forget_held(tool, hashes, &gone);
    return status == EXITS_DONE ? report(gone) : status;
}

/* The ledger first: a release in between would teach the state anew what it has forgotten. */
static int run(struct tool *tool)
{
    struct database_error error;
    auto_free(site_state) state = site_state_open(tool->config, tool_daemon_user(tool), DATABASE_EXISTING, &error);
    if (state == NULL)
        return error.failure == DATABASE_MISSING ? forget_without_state(tool) : tool_ledger_error(&error);
    g_autoptr(GArray) hashes = all_hashes(site_state_key(state));
    unsigned held = 0, gone;
    int status = forget_held(tool, hashes, &held);
    if (status != EXITS_DONE)
        return status;
    if (site_state_forget(state, (const state_hash *)(gpointer)hashes->data, hashes->len, &gone) != STATE_OK)
        return tool_ledger_error(site_state_error(state));
    return report(gone + held);
}

static const GOptionEntry entries[] = {
    {"party", 0, 0, G_OPTION_ARG_STRING_ARRAY, &parties, "Forget the domain DOMAIN of outside parties", "DOMAIN"},
    {"address", 0, 0, G_OPTION_ARG_STRING_ARRAY, &addresses, "Forget the outside address ADDRESS", "ADDRESS"},
    {"sender", 0, 0, G_OPTION_ARG_STRING_ARRAY, &senders, "Forget what the author ADDRESS, or a login, sent",
     "ADDRESS"},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_forget = {
    .command.name = "forget",
    .command.summary = "Delete what is remembered of a person or a domain",
    .command.entries = entries,
    .right = REVIEW_SERVICE,
    .command.check = check,
    .command.run = run,
};
