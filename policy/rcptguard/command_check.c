/* command_check - `rcptguard check`: what is wrong with a policy; see rcptguard(1) */

#include "policy/base/suggest.h"
#include "policy/cli/json.h"
#include "policy/rcptguard/rcptguard_tool.h"

#include <stdio.h>

static gboolean strict_option = FALSE;
static char *time_option = NULL;
static char **allow_option = NULL;

static void print_check_json(const struct policy *policy, const struct diags *diags, bool good)
{
    g_autofree char *digest = policy != NULL ? g_strndup(policy_digest(policy), POLICY_DIGEST_SHOWN) : NULL;
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_boolean(json, "good", good);
    json_string(json, "policy", digest);
    json_begin_array(json, "diagnostics");
    for (unsigned i = 0; i < diags_count(diags); i++) {
        const struct diag *diag = diags_get(diags, i);
        json_builder_begin_object(json);
        json_string(json, "file", diag->file);
        json_number(json, "line", diag->line);
        json_number(json, "column", diag->column);
        json_string(json, "level", diag->level == DIAG_ERROR ? "error" : "warning");
        json_string(json, "message", diag->message);
        json_string(json, "lint", diag->lint);
        json_strings(json, "notes", diag->notes);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
    tool_print_json(json);
}

/* The exit code of a name in --allow that is none, and of arguments. */
static int check(void)
{
    const char *const *names = policy_lint_names();

    for (char **name = allow_option; name != NULL && *name != NULL; name++) {
        const char *nearest = diag_nearest(*name, names);
        if (g_strv_contains(names, *name))
            continue;
        return nearest != NULL ? tool_usage_error("there is no warning `%s`; did you mean `%s`?", *name, nearest)
                               : tool_usage_error("there is no warning `%s`", *name);
    }
    return tool_check_policy_argument();
}

static int command_check_run(struct tool *tool)
{
    gint64 now;

    (void)tool;
    if (!tool_time(time_option, &now))
        return tool_usage_error("`%s` is no time; expected one such as 2027-06-30T12:00:00Z", time_option);
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = tool_load(diags);
    if (policy != NULL) {
        policy_assert(policy, diags);
        policy_lint(policy, now, diags);
    }
    for (char **name = allow_option; name != NULL && *name != NULL; name++)
        diags_drop(diags, *name);
    if (strict_option)
        diags_promote(diags, POLICY_LINT_OF_TIME);
    bool good = diags_errors(diags) == 0;
    if (tool_json()) {
        print_check_json(policy, diags, good);
    } else {
        tool_print_diags(diags);
        if (good)
            printf("%s: good: rules %u, expectations that hold %u, warnings %u, digest %.*s\n", policy_path(policy),
                   policy_rule_count(policy), policy_assertions(policy), diags_count(diags), POLICY_DIGEST_SHOWN,
                   policy_digest(policy));
    }
    return good ? EXITS_DONE : EXITS_WRONG;
}

static const GOptionEntry entries[] = {
    {"strict", 0, 0, G_OPTION_ARG_NONE, &strict_option, "Warnings are errors, except until-soon", NULL},
    {"allow", 0, 0, G_OPTION_ARG_STRING_ARRAY, &allow_option, "Suppress this warning; may be repeated", "NAME"},
    {"time", 0, 0, G_OPTION_ARG_STRING, &time_option, "When: 2027-06-30T12:00:00Z (now)", "RFC3339"},
    G_OPTION_ENTRY_NULL,
};

const struct command command_check = {
    .name = "check",
    .summary = "Check a policy, its tables and its expectations",
    .arguments = "[POLICY]",
    .entries = entries,
    .shared = policy_argument_entries,
    .check = check,
    .run = command_check_run,
};
