/*
 * sendmail_checks - the checks of a sendmail.cf; see checks.h.
 *
 * The lines that fix are those of sendmail.mc, from which the file is made.
 */

#include "milter/sendmail/sendmail.h"

#include "milter/answers/answer_address.h"
#include "milter/sendmail/sendmail_config.h"
#include "policy/cli/run_program.h"

#include <string.h>
#include <sys/stat.h>

#define MC   "sendmail.mc"
#define CONF "rcptguard.conf"
#define NAME "rcptguard"

/* What one header has to fit in: libmilter takes no packet of more. */
#define PACKET_LIMIT 65535u

/* Sendmail's own wait for a line of the message: Timeout.datablock. */
#define DATA_BLOCK_SECONDS 3600u

static void *open_config(const char *directory, char **error)
{
    return sendmail_config_read(directory, error);
}

static void close_config(void *state)
{
    sendmail_config_free(state);
}

static const struct sendmail_config *config_of(const struct doctor *doctor)
{
    return doctor->state;
}

static const struct endpoint *endpoint_of(const struct doctor *doctor)
{
    return doctor->tool->config->socket;
}

static const struct sendmail_filter *ours(const struct doctor *doctor)
{
    return sendmail_filter_find(config_of(doctor), endpoint_of(doctor));
}

/* The line of sendmail.mc that makes our filter, in the place of the one that is there. */
static void mend_filter(struct finding *finding, const struct doctor *doctor)
{
    const struct sendmail_filter *filter = ours(doctor);
    g_autofree char *line = sendmail_filter_line(filter == NULL ? NAME : filter->name, endpoint_of(doctor));
    if (line != NULL)
        finding_mend(finding, MC, "%s", line);
}

/* ---- the filter */

static bool is_used(const struct doctor *doctor, const char *list)
{
    g_autoptr(GPtrArray) used = sendmail_filters(config_of(doctor), list);
    return ours(doctor) != NULL && g_ptr_array_find(used, ours(doctor), NULL);
}

static bool is_loopback(const char *daemon)
{
    g_autofree char *address = sendmail_setting(daemon, "Addr");
    return address != NULL && (g_str_has_prefix(address, "127.") || strcmp(address, "::1") == 0 ||
                               g_ascii_strcasecmp(address, "localhost") == 0);
}

/* The settings of a daemon, with ours after its own filters; for g_free. */
static char *daemon_with_ours(const char *daemon)
{
    g_auto(GStrv) parts = g_strsplit(daemon, ",", -1);
    for (char **part = parts; *part != NULL; part++) {
        char *setting = g_strstrip(*part);
        if (g_ascii_toupper(setting[0]) == 'I')
            *part = g_strconcat(setting, g_str_has_suffix(setting, "=") ? "" : ";", NAME, NULL);
        else
            *part = g_strdup(setting);
        g_free(setting);
    }
    return g_strjoinv(", ", parts);
}

/* A daemon with filters of its own does not use the others. */
static void examine_daemons(struct doctor *doctor)
{
    const struct sendmail_config *config = config_of(doctor);
    for (guint i = 0; i < config->daemons->len; i++) {
        const char *daemon = g_ptr_array_index(config->daemons, i);
        g_autofree char *own = sendmail_setting(daemon, "InputMailFilters");
        if (own == NULL || is_used(doctor, own) || is_loopback(daemon))
            continue;
        g_autofree char *name = sendmail_setting(daemon, "Name");
        g_autofree char *settings = daemon_with_ours(daemon);
        struct finding *finding =
            findings_add(doctor->findings, SEVERITY_ERROR, "Mail that is accepted there is not evaluated.",
                         "the daemon %s has separate filters, `%s`, without rcptguardd",
                         name == NULL ? "without a name" : name, own);
        finding_mend(finding, MC, "DAEMON_OPTIONS(`%s')dnl", settings);
    }
}

static void examine_input_filters(struct doctor *doctor)
{
    const char *list = sendmail_option(config_of(doctor), "InputMailFilters");
    struct finding *finding;
    if (endpoint_of(doctor)->kind == ENDPOINT_FD)
        return;
    if (ours(doctor) == NULL) {
        finding = findings_add(doctor->findings, SEVERITY_ERROR, "No mail is evaluated.", "no filter has the socket %s",
                               endpoint_of(doctor)->name);
        mend_filter(finding, doctor);
    } else if (!is_used(doctor, list)) {
        finding = findings_add(doctor->findings, SEVERITY_ERROR,
                               "No mail is evaluated: a filter that is defined is not yet used.",
                               "InputMailFilters does not name %s", ours(doctor)->name);
        finding_mend(finding, MC, "define(`confINPUT_MAIL_FILTERS', `%s%s%s')dnl", list == NULL ? "" : list,
                     list == NULL || list[0] == '\0' ? "" : ", ", ours(doctor)->name);
    }
    examine_daemons(doctor);
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "every daemon shows its mail to rcptguardd");
}

static void examine_last(struct doctor *doctor)
{
    const char *list = sendmail_option(config_of(doctor), "InputMailFilters");
    g_autoptr(GPtrArray) used = sendmail_filters(config_of(doctor), list);
    const struct sendmail_filter *filter = ours(doctor);
    if (filter == NULL || used->len == 0)
        return;
    const struct sendmail_filter *last = g_ptr_array_index(used, used->len - 1);
    if (last == filter || !g_ptr_array_find(used, filter, NULL)) {
        findings_ok(doctor->findings, "rcptguardd is the last filter");
        return;
    }
    g_autoptr(GString) order = g_string_new(NULL);
    for (guint i = 0; i < used->len; i++) {
        const struct sendmail_filter *other = g_ptr_array_index(used, i);
        if (other != filter)
            g_string_append_printf(order, "%s, ", other->name);
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_WARNING,
                     "Released mail is not passed to filters again: later ones may not have seen all of it.",
                     "%s comes after rcptguardd", last->name);
    finding_mend(finding, MC, "define(`confINPUT_MAIL_FILTERS', `%s%s')dnl", order->str, filter->name);
}

static void examine_flags(struct doctor *doctor)
{
    const struct sendmail_filter *filter = ours(doctor);
    if (filter == NULL)
        return;
    const char *flags = filter->flags == NULL ? "" : filter->flags;
    struct finding *finding;
    if (strchr(flags, 'T') != NULL || strchr(flags, '4') != NULL) {
        findings_ok(doctor->findings, "while the daemon is down, mail waits at its sender");
        return;
    }
    if (strchr(flags, 'R') != NULL)
        finding = findings_add(doctor->findings, SEVERITY_WARNING,
                               "While the daemon is down, all mail is rejected permanently.", "the filter %s has F=R",
                               filter->name);
    else
        finding = findings_add(
            doctor->findings, SEVERITY_ERROR,
            "While the daemon is down, and with a header that is too long for filters, mail passes without evaluation.",
            "the filter %s has no F=T", filter->name);
    mend_filter(finding, doctor);
}

static void examine_timeouts(struct doctor *doctor)
{
    static const struct {
        char which;
        unsigned least;
    } waits[] = {
        {'C', DOCTOR_COMMAND_SECONDS},
        {'S', DOCTOR_COMMAND_SECONDS},
        {'R', DOCTOR_COMMAND_SECONDS},
        {'E', DOCTOR_MESSAGE_SECONDS},
    };
    const struct sendmail_filter *filter = ours(doctor);
    if (filter == NULL)
        return;
    g_autoptr(GString) low = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(waits); i++) {
        unsigned seconds = sendmail_filter_seconds(filter, waits[i].which);
        if (seconds < waits[i].least)
            g_string_append_printf(low, " %c:%us (%u s at least)", waits[i].which, seconds, waits[i].least);
    }
    if (low->len == 0) {
        findings_ok(doctor->findings, "Sendmail waits longer than the daemon takes");
        return;
    }
    struct finding *finding = findings_add(doctor->findings, SEVERITY_WARNING,
                                           "A daemon that is busy for a moment counts as away, and F= decides.",
                                           "the filter %s has T=%s", filter->name, low->str + 1);
    mend_filter(finding, doctor);
}

static void examine_daemon_timeout(struct doctor *doctor)
{
    unsigned seconds = doctor->tool->config->timeout;
    if (seconds > DATA_BLOCK_SECONDS) {
        findings_ok(doctor->findings, "the daemon waits for %u s, Sendmail for %u s", seconds, DATA_BLOCK_SECONDS);
        return;
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_WARNING, "The daemon hangs up on a slow sender before Sendmail does.",
                     "[milter] timeout is %u s, Timeout.datablock %u s", seconds, DATA_BLOCK_SECONDS);
    finding_mend(finding, doctor->conf, "timeout = %u", CONFIG_DEFAULT_TIMEOUT);
}

/* ---- macros */

static const struct {
    const char *option, *setting, *macro;
} macros[] = {
    {"Milter.macros.connect", "confMILTER_MACROS_CONNECT", "{daemon_name}"},
    {"Milter.macros.envfrom", "confMILTER_MACROS_ENVFROM", "i"},
    {"Milter.macros.envfrom", "confMILTER_MACROS_ENVFROM", "{auth_type}"},
    {"Milter.macros.envfrom", "confMILTER_MACROS_ENVFROM", "{auth_authen}"},
};

static bool has_macro(const char *list, const char *macro)
{
    g_auto(GStrv) words = g_strsplit_set(list, ", \t", -1);
    return g_strv_contains((const char *const *)words, macro);
}

static void examine_macro_list(struct doctor *doctor, const char *option)
{
    const char *list = sendmail_option(config_of(doctor), option);
    const char *setting = NULL;
    g_autoptr(GString) missing = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(macros); i++) {
        if (strcmp(macros[i].option, option) != 0 || has_macro(list == NULL ? "" : list, macros[i].macro))
            continue;
        g_string_append_printf(missing, ", %s", macros[i].macro);
        setting = macros[i].setting;
    }
    if (missing->len == 0)
        return;
    struct finding *finding =
        findings_add(doctor->findings, doctor->asks_macros ? SEVERITY_NOTE : SEVERITY_WARNING,
                     doctor->asks_macros
                         ? "The daemon requests its macros itself; a test program or a proxy in its place may not."
                         : "Without them the daemon knows neither who logged in, nor the listener, nor the queue id.",
                     "%s lacks %s", option, missing->str + 2);
    bool empty = list == NULL || list[0] == '\0';
    finding_mend(finding, MC, "define(`%s', `%s%s')dnl", setting, empty ? "" : list,
                 empty ? missing->str + 2 : missing->str);
}

static void examine_macros(struct doctor *doctor)
{
    if (ours(doctor) == NULL) /* without filters m4 writes no list */
        return;
    examine_macro_list(doctor, "Milter.macros.connect");
    examine_macro_list(doctor, "Milter.macros.envfrom");
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "what the daemon needs is there");
}

/* ---- what Sendmail does to a message */

static void examine_no_recipient(struct doctor *doctor)
{
    const char *action = sendmail_option(config_of(doctor), "NoRecipientAction");
    if (action == NULL ||
        (g_ascii_strcasecmp(action, "add-to") != 0 && g_ascii_strcasecmp(action, "add-apparently-to") != 0)) {
        findings_ok(doctor->findings, "a message without recipient fields gets none that names its envelope");
        return;
    }
    struct finding *finding = findings_add(doctor->findings, SEVERITY_ERROR,
                                           "Sendmail writes hidden recipients into the header, after all filters.",
                                           "NoRecipientAction is %s", action);
    finding_mend(finding, MC, "define(`confNO_RCPT_ACTION', `add-to-undisclosed')dnl");
}

static void examine_headers_length(struct doctor *doctor)
{
    const char *value = sendmail_option(config_of(doctor), "MaxHeadersLength");
    guint64 length = value == NULL ? 32768 : g_ascii_strtoull(value, NULL, 10);
    if (length != 0 && length <= PACKET_LIMIT) {
        findings_ok(doctor->findings, "no header is longer than a filter can be handed");
        return;
    }
    struct finding *finding = findings_add(
        doctor->findings, SEVERITY_NOTE,
        "A header over 64 kB cannot be handed to any filter: its message is put off until its sender gives up.",
        "MaxHeadersLength is %s", value);
    finding_mend(finding, MC, "define(`confMAX_HEADERS_LENGTH', `32768')dnl");
}

/* Without it sendmail(1) puts mail into the queue by itself, and no filter sees it. */
static void examine_submit(struct doctor *doctor)
{
    g_autofree char *folder = g_path_get_dirname(config_of(doctor)->path);
    g_autofree char *path = g_build_filename(folder, "submit.cf", NULL);
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
        findings_ok(doctor->findings, "%s: sendmail(1) hands its mail to the daemon", path);
    else
        findings_add(doctor->findings, SEVERITY_ERROR,
                     "Mail of sendmail(1) goes into the queue and is shown to no filter.", "there is no %s", path);
}

/* ---- the socket, as Sendmail sees it */

static void views(struct doctor *doctor, GPtrArray *views)
{
    const struct sendmail_filter *filter = ours(doctor);
    if (filter == NULL || endpoint_of(doctor)->kind != ENDPOINT_UNIX)
        return;
    const char *user = sendmail_option(config_of(doctor), "RunAsUser");
    struct doctor_view *view = g_new0(struct doctor_view, 1);
    view->process = g_strdup("sendmail");
    view->user = user == NULL ? g_strdup("root") : g_strndup(user, strcspn(user, ":."));
    view->path = g_strdup(endpoint_of(doctor)->path);
    g_ptr_array_add(views, view);
}

/* Sendmail opens no socket below a directory that others may write to. */
static void examine_safe_path(struct doctor *doctor)
{
    if (endpoint_of(doctor)->kind != ENDPOINT_UNIX)
        return;
    g_autofree char *folder = g_path_get_dirname(endpoint_of(doctor)->path);
    while (strcmp(folder, "/") != 0) {
        struct stat status;
        if (stat(folder, &status) == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
            struct finding *finding =
                findings_add(doctor->findings, SEVERITY_ERROR,
                             "Sendmail refuses a socket there as unsafe, and treats the daemon as down.",
                             "%s can be written by others than its owner", folder);
            finding_mend(finding, MEND_SHELL, "chmod g-w,o-w %s", folder);
        }
        char *above = g_path_get_dirname(folder);
        g_free(folder);
        folder = above;
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "others cannot write to the directories above the socket");
}

/* ---- the address that people answer to */

/* What `sendmail -bv` says of an address of that kind; NULL if it would be delivered. */
static char *obstacle_of(struct doctor *doctor, const struct review *review)
{
    const struct answer_address answer = {.kind = ANSWER_OVERRIDE, .code = 1};
    const char *command = review->places[MTA_SENDMAIL].command;
    g_autofree char *address = answer_address_make(review, &answer);
    const char *const arguments[] = {
        command != NULL ? command : "sendmail", "-C", config_of(doctor)->path, "-bv", "--", address, NULL};
    const struct program program = {.arguments = arguments, .seconds = DOCTOR_COMMAND_SECONDS};
    char *error = NULL;
    return program_run(&program, &error) == -1 ? error : NULL;
}

static void examine_answers(struct doctor *doctor)
{
    static const char why[] =
        "Sendmail rejects the address that senders are to put into Bcc, so nobody can override a refusal.";
    const struct review *review = &doctor->tool->config->review;
    if (review->answers == NULL)
        return;
    if (strcmp(review->answers_delimiter, "+") != 0) {
        findings_add(doctor->findings, SEVERITY_ERROR, why, "answers-delimiter is %s, and Sendmail knows + alone",
                     review->answers_delimiter);
        return;
    }
    g_autofree char *obstacle = obstacle_of(doctor, review);
    if (obstacle == NULL)
        findings_ok(doctor->findings, "%s: Sendmail takes it with what is added", review->answers);
    else
        findings_add(doctor->findings, SEVERITY_WARNING, why,
                     "[review] answers is %s, and -bv does not say that it is "
                     "delivered: %s",
                     review->answers, obstacle);
}

static char *size_limit(struct doctor *doctor, guint64 *bytes)
{
    const char *value = sendmail_option(config_of(doctor), "MaxMessageSize");
    *bytes = value == NULL ? 0 : g_ascii_strtoull(value, NULL, 10);
    return *bytes == 0 ? g_strdup("MaxMessageSize is not set") : g_strdup_printf("MaxMessageSize is %s", value);
}

static const struct examination sendmail_examinations[] = {
    {"input-filters", examine_input_filters},
    {"last", examine_last},
    {"filter-flags", examine_flags},
    {"timeouts", examine_timeouts},
    {"daemon-timeout", examine_daemon_timeout},
    {"macros", examine_macros},
    {"no-recipient-action", examine_no_recipient},
    {"headers-length", examine_headers_length},
    {"submit", examine_submit},
    {"safe-path", examine_safe_path},
    {"answers", examine_answers},
    {NULL, NULL},
};

const struct doctor_mta sendmail_checks = {
    .mta = MTA_SENDMAIL,
    .name = "Sendmail",
    .command = "sendmail",
    .group = "smmsp",
    .open = open_config,
    .close = close_config,
    .views = views,
    .size_limit = size_limit,
    .examinations = sendmail_examinations,
};
