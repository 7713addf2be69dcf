/* command_print - `rcptguard print`: the canonical policy; see rcptguard(1) */

#include "policy/cli/json.h"
#include "policy/rcptguard/rcptguard_tool.h"

#include <stdio.h>

static int command_print_run(struct tool *tool)
{
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = tool_load(diags);

    (void)tool;
    tool_print_diags(diags);
    if (policy == NULL)
        return EXITS_WRONG;
    g_autofree char *text = policy_text_with_allows(policy);
    if (tool_json()) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        json_string(json, "policy", text);
        json_string(json, "digest", policy_digest(policy));
        json_builder_end_object(json);
        tool_print_json(json);
    } else {
        fputs(text, stdout);
    }
    return EXITS_DONE;
}

const struct command command_print = {
    .name = "print",
    .summary = "Print the canonical policy",
    .arguments = "[POLICY]",
    .shared = policy_argument_entries,
    .check = tool_check_policy_argument,
    .run = command_print_run,
};
