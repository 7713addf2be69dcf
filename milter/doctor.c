/* doctor - `rcptguardq doctor`: whether what review rests on is sound; see rcptguardq(8) */

#include "json.h"
#include "queue_tool.h"
#include "terminal.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

/* One thing that is looked at: gives what is wrong, for g_free, or NULL; `found` is what to say if all is well. */
typedef char *(*examine)(struct tool *tool, char **found);

static char *examine_ledger(struct tool *tool, char **found)
{
    struct database_error error;
    unsigned version;
    if (ledger_check_files(tool->ledger, &error) == -1 || ledger_version(tool->ledger, &version, &error) == -1)
        return g_strdup(error.text);
    *found = g_strdup_printf("%s, version %u", tool->config->ledger, version);
    return NULL;
}

static char *examine_integrity(struct tool *tool, char **found)
{
    struct database_error error;
    if (ledger_check_integrity(tool->ledger, &error) == -1)
        return g_strdup(error.text);
    *found = g_strdup("every page and index is sound");
    return NULL;
}

static char *examine_queue(struct tool *tool, char **found)
{
    char *error = NULL;
    g_autoptr(GPtrArray) entries = queue_held(tool->queue, &error);
    if (entries == NULL)
        return error;
    *found = g_strdup_printf("%s, %u on hold", queue_name(tool->queue), entries->len);
    return NULL;
}

static char *examine_agreement(struct tool *tool, char **found)
{
    const struct reconciling reconciling = {
        .ledger = tool->ledger, .queue = tool->queue, .reader = &tool->reader, .now = tool_now()};
    char *error = NULL;
    auto_free(view) view = reconcile(&reconciling, &error);
    if (view == NULL)
        return error;
    unsigned untracked = 0;
    for (guint i = 0; i < view->items->len; i++)
        untracked += ((const struct view_item *)g_ptr_array_index(view->items, i))->row == NULL;
    *found = untracked == 0 ? g_strdup("the ledger knows all that is on hold")
                            : g_strdup_printf("%u on hold were not held by rcptguard", untracked);
    return NULL;
}

/* Every group that the configuration names has to exist, or nobody is in it. */
static char *examine_groups(struct tool *tool, char **found)
{
    for (unsigned right = 0; right < REVIEW_ACTIONS; right++) {
        for (char **name = tool->config->review.groups[right]; name != NULL && *name != NULL; name++) {
            if (getgrnam(*name) == NULL)
                return g_strdup_printf(
                    "[review] names the group `%s`, and there is none: create it (groupadd --system %s)", *name, *name);
        }
    }
    *found = g_strdup("all groups of [review] exist");
    return NULL;
}

static char *examine_identities(struct tool *tool, char **found)
{
    if (tool->config->review.identities == NULL) {
        if (tool->config->review.approvals > 1)
            return g_strdup("[review] asks for two reviewers and names no identities: no approval can count");
        *found = g_strdup("none are needed");
        return NULL;
    }
    *found = g_strdup(tool->config->review.identities); /* they were read before any command runs */
    return NULL;
}

static const struct {
    const char *name;
    examine examine;
} examinations[] = {
    {"ledger", examine_ledger},       {"integrity", examine_integrity},   {"queue", examine_queue},
    {"agreement", examine_agreement}, {"identities", examine_identities}, {"groups", examine_groups},
};

static void tell(const char *name, bool good, const char *text)
{
    if (tool_json()) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        json_builder_begin_object(json);
        json_string(json, "check", name);
        json_boolean(json, "good", good);
        json_string(json, "text", text);
        json_builder_end_object(json);
        tool_print_json(json);
        return;
    }
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_append_printf(line, "%-6s %-11s ", good ? "ok" : "WRONG", name);
    terminal_append_plain(line, text);
    g_string_append_c(line, '\n');
    tool_print(line);
}

static int run(struct tool *tool)
{
    int status = EXITS_DONE;
    for (size_t i = 0; i < G_N_ELEMENTS(examinations); i++) {
        g_autofree char *found = NULL;
        g_autofree char *wrong = examinations[i].examine(tool, &found);
        tell(examinations[i].name, wrong == NULL, wrong != NULL ? wrong : found);
        if (wrong != NULL)
            status = EXITS_WRONG;
    }
    return status;
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = "Check what review rests on",
    .right = REVIEW_LIST,
    .needs = NEED_LEDGER | NEED_QUEUE | NEED_IDENTITIES,
    .run = run,
};
