/*
 * command_doctor - `rcptguardq doctor`: whether mail is evaluated, and whether what
 * review rests on is sound; see rcptguardq(8).
 *
 * It opens the ledger and the queue itself: that one cannot be opened is a finding.
 */

#include "milter/postgresql/pg_session.h"
#include "milter/queue/queue_union.h"
#include "milter/rcptguardq/commands.h"
#include "milter/rcptguardq/mtas.h"
#include "milter/setup/checks.h"
#include "milter/state/site_state.h"
#include "policy/cli/terminal.h"

#include <stdio.h>

/* Whatever the file is called that a person has named; that of an instance is called by its name. */
#define CONF "rcptguard.conf"

static gboolean verbose_option = FALSE;
static char *mta_option = NULL;

static const GOptionEntry entries[] = {
    {"verbose", 0, 0, G_OPTION_ARG_NONE, &verbose_option, "Also a line for each check that is ok", NULL},
    {"mta", 0, 0, G_OPTION_ARG_STRING, &mta_option, "Check this one", "MTA"},
    G_OPTION_ENTRY_NULL,
};

/* The one that is named, or else the first that is installed; NULL: there is none. */
static const struct mta_row *row_find(enum mta mta)
{
    for (const struct mta_row *row = mtas; row->word != NULL; row++) {
        g_autofree char *path = program_find(row->checks->command, false);
        if (row->queue->mta == mta || (mta == MTA_NONE && path != NULL))
            return row;
    }
    return NULL;
}

/* Which MTA is meant; false: the name is none. */
static bool mta_named(enum mta *mta)
{
    *mta = MTA_NONE;
    for (const struct mta_row *row = mtas; row->word != NULL; row++) {
        if (mta_option != NULL ? g_ascii_strcasecmp(mta_option, row->word) == 0 : *row->doctor_option != NULL)
            *mta = row->queue->mta;
    }
    return mta_option == NULL || *mta != MTA_NONE;
}

/* Whether the configuration of an MTA is named that is not this one. */
static bool other_named(enum mta mta)
{
    for (const struct mta_row *row = mtas; row->word != NULL; row++) {
        if (row->queue->mta != mta && *row->doctor_option != NULL)
            return true;
    }
    return false;
}

static int check(void)
{
    enum mta mta;
    g_autofree char *words = mtas_words(" or ");
    if (!mta_named(&mta))
        return tool_usage_error("--mta takes %s, not `%s`", words, mta_option);
    if (other_named(mta))
        return tool_usage_error("one MTA is looked at: the configuration that is named belongs to another");
    return EXITS_DONE;
}

static void examine_all(struct doctor *doctor, const struct examination *table)
{
    for (; table->name != NULL; table++) {
        doctor->findings->check = table->name;
        table->examine(doctor);
    }
}

static void examine_mta(struct doctor *doctor)
{
    if (doctor->state == NULL)
        return;
    examine_all(doctor, doctor->mta->examinations);
    doctor->mta->close(doctor->state);
    doctor->state = NULL;
}

/* What is checked of each further instance before its configuration is there. */
static const struct examination checks_of_opening[] = {
    {"mta", check_mta},
    {NULL, NULL},
};

/* Where there are several instances, what is found says of which it is. */
static void examine_others(struct doctor *doctor)
{
    for (unsigned i = 1; doctor->directories[0] != NULL && doctor->directories[i] != NULL; i++) {
        doctor->directory = doctor->directories[i];
        doctor->findings->about = doctor->directory;
        examine_all(doctor, checks_of_opening);
        if (doctor->state != NULL)
            examine_all(doctor, checks_of_reach);
        examine_mta(doctor);
    }
    doctor->findings->about = NULL;
}

static void examine_mta_tables(struct doctor *doctor)
{
    const char *about = doctor_is_several(doctor) ? doctor->directories[0] : NULL;
    examine_all(doctor, checks_of_review);
    examine_all(doctor, checks_of_daemon);
    doctor->findings->about = about;
    examine_all(doctor, checks_of_reach);
    doctor->findings->about = NULL;
    examine_all(doctor, checks_of_state);
    examine_all(doctor, checks_of_fleet);
    pg_session_close(g_steal_pointer(&doctor->fleet));
    examine_all(doctor, checks_of_instances);
    examine_all(doctor, checks_of_web);
    doctor->findings->about = about;
    examine_mta(doctor);
    examine_others(doctor);
    site_state_close(doctor->remembered);
    g_strfreev(doctor->complaints);
}

/* That of the command line, or those of [review]. */
static char **directories_of(const struct tool *tool, const struct mta_row *row, char **error)
{
    const char *const named[] = {*row->doctor_option, NULL};
    char **configured = tool->config->review.places[row->queue->mta].configurations;
    const char *const *names = named[0] != NULL ? named : (const char *const *)configured;
    return queue_configurations(row->queue, names, error);
}

static int run(struct tool *tool)
{
    enum mta mta;
    g_autofree char *error = NULL;
    auto_free(findings) findings = findings_new();
    g_autofree char *unit = config_unit(tool->config, "rcptguardd", "");
    g_autofree char *conf = tool->config->name == NULL ? g_strdup(CONF) : g_path_get_basename(tool->config->path);
    struct doctor doctor = {.tool = tool, .findings = findings, .unit = unit, .conf = conf};
    /* The MTA's commands would do as root what a stranger's configuration says. */
    if (!tool->reviewer->root && (mta_option != NULL || other_named(MTA_NONE)))
        return tool_error(EXITS_FORBIDDEN, "not permitted: another MTA or configuration goes with root itself");
    mta_named(&mta);
    const struct mta_row *row = row_find(mta != MTA_NONE ? mta : tool->config->review.mta);
    g_auto(GStrv) directories = row == NULL ? g_new0(char *, 1) : directories_of(tool, row, &error);
    if (directories == NULL)
        return tool_error(EXITS_WRONG, "%s", error);
    doctor.mta = row == NULL ? NULL : row->checks;
    doctor.option = row == NULL ? NULL : *row->doctor_option;
    doctor.directories = directories;
    doctor.directory = directories[0];
    examine_mta_tables(&doctor);
    g_autoptr(GString) out = g_string_new(NULL);
    if (tool_json())
        findings_append_json(findings, out);
    else
        findings_append_text(findings, verbose_option, terminal_colours(stdout), terminal_width(stdout), out);
    tool_print(out);
    return findings_count(findings, SEVERITY_ERROR) == 0 ? EXITS_DONE : EXITS_WRONG;
}

const struct rcptguardq_command command_doctor = {
    .command.name = "doctor",
    .command.summary = "Check whether mail reaches the daemon and review works",
    .command.entries = entries,
    .command.shared = mtas_doctor_entries,
    .right = REVIEW_LIST,
    .command.check = check,
    .command.run = run,
};
