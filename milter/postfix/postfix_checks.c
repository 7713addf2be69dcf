/*
 * postfix_checks - the checks of main.cf and master.cf; see checks.h and postconf(5).
 *
 * What is in master.cf for a service beats main.cf: each check asks what holds
 * for each smtpd(8), and for cleanup(8), which shows mail of sendmail(1) to milters.
 */

#include "milter/postfix/postfix.h"

#include "milter/common/duration.h"
#include "milter/postfix/postfix_answers.h"
#include "milter/postfix/postfix_instances.h"
#include "milter/postfix/postfix_mail_checks.h"
#include "milter/postfix/postfix_services.h"

#include <string.h>

/* In the braces of a milter. */
#define DEFAULT_ACTION "default_action"

/* A variable of a variable of ...: deeper than anybody writes. */
#define VARIABLES_LIMIT 5

static void *open_config(const char *directory, char **error)
{
    return postfix_config_read(directory, error);
}

static void close_config(void *state)
{
    postfix_config_free(state);
}

static bool is_cleanup(const struct postfix_service *service)
{
    return strcmp(service->command, "cleanup") == 0;
}

/* ---- the lists of milters */

/* The lists that hold ours: main.cf's, and those of services that have their own. */
struct listed {
    const struct postfix_service *service; /* NULL: main.cf */
    const char *name;
    GPtrArray *milters;
    guint ours;
};

static void add_listed(const struct doctor *doctor, GPtrArray *lists, const struct postfix_service *service,
                       const char *name)
{
    GPtrArray *milters = postfix_milters(postfix_service_value(postfix_services_config(doctor), service, name));
    int ours = postfix_milters_find(postfix_services_config(doctor), milters, postfix_services_endpoint(doctor));
    if (ours == -1) {
        g_ptr_array_unref(milters);
        return;
    }
    struct listed *listed = g_new0(struct listed, 1);
    listed->service = service;
    listed->name = name;
    listed->milters = milters;
    listed->ours = (guint)ours;
    g_ptr_array_add(lists, listed);
}

static void listed_free(struct listed *listed)
{
    g_ptr_array_unref(listed->milters);
    g_free(listed);
}

static GPtrArray *lists_with_ours(const struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    GPtrArray *lists = g_ptr_array_new_with_free_func((GDestroyNotify)listed_free);
    add_listed(doctor, lists, NULL, SMTPD);
    add_listed(doctor, lists, NULL, NON_SMTPD);
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        if (postfix_service_is_smtpd(service) && postfix_service_overrides(service, SMTPD))
            add_listed(doctor, lists, service, SMTPD);
        if (is_cleanup(service) && postfix_service_overrides(service, NON_SMTPD))
            add_listed(doctor, lists, service, NON_SMTPD);
    }
    return lists;
}

static const struct postfix_milter *ours_in(const struct listed *listed)
{
    return g_ptr_array_index(listed->milters, listed->ours);
}

/*
 * The list of a place, with ours last; as it is written, if ours is there itself
 * or nowhere.  What refers to another of our lists has ours by that one.
 */
static char *list_with_ours(const struct doctor *doctor, const struct postfix_service *service, const char *name,
                            const char *entry)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    const char *list = postfix_service_value(config, service, name);
    const char *written = postfix_written(config, service, name);
    bool elsewhere = postfix_services_have_ours(doctor, list) && !postfix_services_have_ours(doctor, written);
    if (elsewhere || strstr(written, "${") != NULL || strstr(written, SMTPD) != NULL)
        written = list;
    return postfix_milters_with(config, written, postfix_services_endpoint(doctor), entry);
}

/* Actions by default with which mail does not wait for the daemon, and why that is bad. */
static const struct {
    const char *action;
    enum severity severity;
    const char *why;
} bad_actions[] = {
    {"accept", SEVERITY_ERROR, "While the daemon is down, all mail passes without evaluation."},
    {"reject", SEVERITY_WARNING, "While the daemon is down, all mail is rejected permanently."},
    {"quarantine", SEVERITY_NOTE, "While the daemon is down, all mail is held without a record in the ledger."},
};

/*
 * `entry`, or ours as it is in the list, with a default action that lets mail wait: so the
 * lines of several findings do not take each other back.  NULL if there is neither; for g_free.
 */
static char *entry_that_waits(const struct doctor *doctor, const struct postfix_service *service, const char *name,
                              const char *entry)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    g_autoptr(GPtrArray) milters =
        postfix_milters(entry != NULL ? entry : postfix_service_value(config, service, name));
    int ours = postfix_milters_find(config, milters, postfix_services_endpoint(doctor));
    if (ours == -1)
        return g_strdup(entry);
    const struct postfix_milter *milter = g_ptr_array_index(milters, (guint)ours);
    g_autofree char *own = postfix_milter_setting(milter, DEFAULT_ACTION);
    const char *action = own != NULL ? own : postfix_service_value(config, service, "milter_default_action");
    for (size_t i = 0; i < G_N_ELEMENTS(bad_actions); i++) {
        if (strcmp(action, bad_actions[i].action) == 0)
            return postfix_milter_set(milter, DEFAULT_ACTION, "tempfail");
    }
    return g_strdup(entry);
}

/* Where a list is one variable and no more, it is that variable that is fixed. */
static void mend_list(struct finding *finding, const struct doctor *doctor, const struct postfix_service *service,
                      const char *name, const char *entry)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    g_autofree char *place = g_strdup(name);
    g_autofree char *sound = entry_that_waits(doctor, service, name, entry);
    for (unsigned depth = 0; depth < VARIABLES_LIMIT; depth++) {
        char *variable = postfix_variable(postfix_written(config, service, place));
        if (variable == NULL || (service != NULL && postfix_service_overrides(service, variable))) {
            g_free(variable);
            break;
        }
        g_free(place);
        place = variable;
        service = NULL;
    }
    g_autofree char *with = list_with_ours(doctor, service, place, sound);
    postfix_service_mend(finding, doctor, service, place, with);
}

static void tell_missing(struct doctor *doctor, const struct postfix_service *service, const char *name,
                         enum severity severity, const char *why)
{
    g_autofree char *entry = postfix_milter_entry(postfix_services_config(doctor), postfix_services_endpoint(doctor));
    g_autofree char *where = postfix_service_place(name, service);
    struct finding *finding =
        findings_add(doctor->findings, severity, why, "%s does not have rcptguardd's socket", where);
    if (entry != NULL)
        mend_list(finding, doctor, service, name, entry);
}

/* Some smtpd at least, or main.cf itself is wrong. */
static bool any_smtpd_shows(const struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        if (postfix_service_is_smtpd(service) && postfix_service_shows(doctor, service))
            return true;
    }
    return false;
}

static void examine_smtpd_milters(struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    if (postfix_services_endpoint(doctor)->kind == ENDPOINT_FD)
        return;
    if (!any_smtpd_shows(doctor) && !postfix_services_have_ours(doctor, postfix_config_value(config, SMTPD))) {
        tell_missing(doctor, NULL, SMTPD, SEVERITY_ERROR, "No mail from SMTP is evaluated.");
        return;
    }
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        if (!postfix_service_is_smtpd(service) ||
            postfix_services_have_ours(doctor, postfix_service_value(config, service, SMTPD)))
            continue;
        const struct postfix_service *of = postfix_service_overrides(service, SMTPD) ? service : NULL;
        if (postfix_service_is_submission(config, service))
            tell_missing(doctor, of, SMTPD, SEVERITY_ERROR, "Mail that users submit there is not evaluated.");
        else if (!postfix_service_is_loopback(service))
            tell_missing(doctor, of, SMTPD, SEVERITY_WARNING, "Mail that is accepted there is not evaluated.");
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "every smtpd that takes mail from outside shows it to rcptguardd");
}

static void examine_non_smtpd_milters(struct doctor *doctor)
{
    static const char why[] = "Mail from sendmail(1) is not evaluated: that of scripts, web servers and shell users.";
    const struct postfix_config *config = postfix_services_config(doctor);
    if (postfix_services_endpoint(doctor)->kind == ENDPOINT_FD)
        return;
    if (!postfix_services_have_ours(doctor, postfix_config_value(config, NON_SMTPD)))
        tell_missing(doctor, NULL, NON_SMTPD, SEVERITY_ERROR, why);
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        if (is_cleanup(service) && postfix_service_overrides(service, NON_SMTPD) &&
            !postfix_services_have_ours(doctor, postfix_service_value(config, service, NON_SMTPD)))
            tell_missing(doctor, service, NON_SMTPD, SEVERITY_ERROR, why);
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "mail of sendmail(1) is shown to rcptguardd");
}

static void examine_last(struct doctor *doctor)
{
    g_autoptr(GPtrArray) lists = lists_with_ours(doctor);
    for (guint i = 0; i < lists->len; i++) {
        const struct listed *listed = g_ptr_array_index(lists, i);
        if (listed->ours + 1 == listed->milters->len)
            continue;
        const struct postfix_milter *next = g_ptr_array_index(listed->milters, listed->ours + 1);
        g_autofree char *where = postfix_service_place(listed->name, listed->service);
        struct finding *finding =
            findings_add(doctor->findings, SEVERITY_WARNING,
                         "A hold ends the chain: released mail bypasses the milters after it, unsigned and unscanned.",
                         "%s has %s after rcptguardd", where, next->endpoint);
        mend_list(finding, doctor, listed->service, listed->name, NULL);
    }
    if (lists->len > 0 && findings_silent(doctor->findings))
        findings_ok(doctor->findings, "rcptguardd is the last milter");
}

static void examine_left_over_of(struct doctor *doctor, const struct postfix_service *service, const char *name)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    const struct endpoint *endpoint = postfix_services_endpoint(doctor);
    g_autoptr(GPtrArray) milters = postfix_milters(postfix_service_value(config, service, name));
    for (guint i = 0; i < milters->len; i++) {
        const struct postfix_milter *milter = g_ptr_array_index(milters, i);
        if (!postfix_milter_is_left_over(config, milter, endpoint))
            continue;
        g_autofree char *where = postfix_service_place(name, service);
        struct finding *finding =
            findings_add(doctor->findings, SEVERITY_ERROR,
                         "The default action of that milter decides about all mail, whatever the daemon replies.",
                         "%s has %s, to which no rcptguardd listens", where, milter->endpoint);
        /* With ours, which it took the place of: the line of `smtpd-milters` says the same then. */
        bool has = postfix_milters_find(config, milters, endpoint) != -1;
        g_autofree char *entry = has ? NULL : postfix_milter_entry(config, endpoint);
        mend_list(finding, doctor, service, name, entry);
        return;
    }
}

static void examine_left_over(struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    examine_left_over_of(doctor, NULL, SMTPD);
    examine_left_over_of(doctor, NULL, NON_SMTPD);
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        if (postfix_service_is_smtpd(service) && postfix_service_overrides(service, SMTPD))
            examine_left_over_of(doctor, service, SMTPD);
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "no list has another socket of rcptguardd without a daemon");
}

/* ---- what Postfix does when the daemon is away, and how long it waits */

/* What holds for ours in a list: its own setting in braces, or that of the service or main.cf. */
static char *setting(const struct doctor *doctor, const struct listed *listed, const char *own, const char *parameter)
{
    char *value = postfix_milter_setting(ours_in(listed), own);
    return value != NULL ? value
                         : g_strdup(postfix_service_value(postfix_services_config(doctor), listed->service, parameter));
}

/* Mends it where it is: in the braces, for the service, or in main.cf; the default action for our milter alone. */
static void mend_setting(struct finding *finding, const struct doctor *doctor, const struct listed *listed,
                         const char *own, const char *parameter, const char *value)
{
    g_autofree char *braced = postfix_milter_setting(ours_in(listed), own);
    if (braced == NULL && strcmp(own, DEFAULT_ACTION) != 0) {
        bool here = listed->service != NULL && postfix_service_overrides(listed->service, parameter);
        postfix_service_mend(finding, doctor, here ? listed->service : NULL, parameter, value);
        return;
    }
    g_autofree char *entry = postfix_milter_set(ours_in(listed), own, value);
    mend_list(finding, doctor, listed->service, listed->name, entry);
}

static void examine_default_action(struct doctor *doctor)
{
    g_autoptr(GPtrArray) lists = lists_with_ours(doctor);
    for (guint i = 0; i < lists->len; i++) {
        const struct listed *listed = g_ptr_array_index(lists, i);
        g_autofree char *action = setting(doctor, listed, DEFAULT_ACTION, "milter_default_action");
        for (size_t j = 0; j < G_N_ELEMENTS(bad_actions); j++) {
            if (strcmp(action, bad_actions[j].action) != 0)
                continue;
            g_autofree char *where = postfix_service_place(listed->name, listed->service);
            struct finding *finding = findings_add(doctor->findings, bad_actions[j].severity, bad_actions[j].why,
                                                   "the default action is %s, for %s", action, where);
            mend_setting(finding, doctor, listed, DEFAULT_ACTION, "milter_default_action", "tempfail");
        }
    }
    if (lists->len > 0 && findings_silent(doctor->findings))
        findings_ok(doctor->findings, "while the daemon is down, mail waits at its sender");
}

static void examine_timeouts(struct doctor *doctor)
{
    static const struct {
        const char *own, *parameter, *good;
        unsigned least;
    } waits[] = {
        {"connect_timeout", "milter_connect_timeout", "30s", DOCTOR_COMMAND_SECONDS},
        {"command_timeout", "milter_command_timeout", "30s", DOCTOR_COMMAND_SECONDS},
        {"content_timeout", "milter_content_timeout", "300s", DOCTOR_MESSAGE_SECONDS},
    };
    g_autoptr(GPtrArray) lists = lists_with_ours(doctor);
    for (guint i = 0; i < lists->len; i++) {
        const struct listed *listed = g_ptr_array_index(lists, i);
        for (size_t j = 0; j < G_N_ELEMENTS(waits); j++) {
            g_autofree char *value = setting(doctor, listed, waits[j].own, waits[j].parameter);
            if (duration_read(value, POSTFIX_TIME_UNITS, 's') >= waits[j].least)
                continue;
            g_autofree char *where = postfix_service_place(listed->name, listed->service);
            struct finding *finding =
                findings_add(doctor->findings, SEVERITY_WARNING,
                             "A daemon that is busy for a moment counts as away, and the default action decides.",
                             "%s is %s for %s, less than %u s", waits[j].parameter, value, where, waits[j].least);
            mend_setting(finding, doctor, listed, waits[j].own, waits[j].parameter, waits[j].good);
        }
    }
    if (lists->len > 0 && findings_silent(doctor->findings))
        findings_ok(doctor->findings, "Postfix waits longer than the daemon takes");
}

static void examine_daemon_timeout(struct doctor *doctor)
{
    unsigned ours = doctor->tool->config->timeout;
    const char *value = postfix_config_value(postfix_services_config(doctor), "smtpd_timeout");
    unsigned theirs = (unsigned)MAX(duration_read(value, POSTFIX_TIME_UNITS, 's'), 0);
    if (ours > theirs) {
        findings_ok(doctor->findings, "the daemon waits for %u s, Postfix for %u s", ours, theirs);
        return;
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_WARNING, "The daemon hangs up on a slow sender before Postfix does.",
                     "[milter] timeout is %u s, smtpd_timeout %u s", ours, theirs);
    finding_mend(finding, doctor->conf, "timeout = %u", MAX(CONFIG_DEFAULT_TIMEOUT, theirs + 60));
}

static void examine_protocol(struct doctor *doctor)
{
    g_autoptr(GPtrArray) lists = lists_with_ours(doctor);
    for (guint i = 0; i < lists->len; i++) {
        const struct listed *listed = g_ptr_array_index(lists, i);
        g_autofree char *value = setting(doctor, listed, "protocol", "milter_protocol");
        if (g_ascii_strtoull(value, NULL, 10) >= 6)
            continue;
        struct finding *finding =
            findings_add(doctor->findings, SEVERITY_WARNING,
                         "Before version 6 a milter cannot ask for its macros, and waits for an answer to each header.",
                         "milter_protocol is %s for %s", value, listed->name);
        mend_setting(finding, doctor, listed, "protocol", "milter_protocol", "6");
    }
    if (lists->len > 0 && findings_silent(doctor->findings))
        findings_ok(doctor->findings, "version 6");
}

/* ---- macros */

static const struct {
    const char *parameter, *macro;
} macros[] = {
    {"milter_connect_macros", "{daemon_name}"},
    {"milter_connect_macros", "v"},
    {"milter_mail_macros", "i"},
    {"milter_mail_macros", "{auth_type}"},
    {"milter_mail_macros", "{auth_authen}"},
    {"milter_end_of_data_macros", "i"},
};

/* All that one list lacks, in one finding. */
static void examine_macro_list(struct doctor *doctor, const char *parameter)
{
    const char *list = postfix_config_value(postfix_services_config(doctor), parameter);
    g_autoptr(GString) missing = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(macros); i++) {
        if (strcmp(macros[i].parameter, parameter) == 0 && !postfix_list_has(list, macros[i].macro))
            g_string_append_printf(missing, " %s", macros[i].macro);
    }
    if (missing->len == 0)
        return;
    bool asks =
        doctor->asks_macros &&
        g_ascii_strtoull(postfix_config_value(postfix_services_config(doctor), "milter_protocol"), NULL, 10) >= 6;
    struct finding *finding =
        findings_add(doctor->findings, asks ? SEVERITY_NOTE : SEVERITY_WARNING,
                     asks ? "The daemon requests its macros itself; a test program or a proxy in its place may not."
                          : "Without them the daemon knows neither who logged in, nor the listener, nor the queue id.",
                     "%s lacks%s", parameter, missing->str);
    const char *written = postfix_written(postfix_services_config(doctor), NULL, parameter);
    finding_mend(finding, MAIN_CF, "%s = %s%s", parameter, written,
                 written[0] == '\0' ? missing->str + 1 : missing->str);
}

static void examine_macros(struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    if (!g_str_has_prefix(postfix_config_value(config, "milter_macro_v"), "Postfix")) {
        struct finding *finding = findings_add(
            doctor->findings, SEVERITY_ERROR,
            "By this macro the daemon knows which MTA it is: what is Bcc, and what sendmail(1) handed in.",
            "milter_macro_v is `%s`: it does not begin with Postfix", postfix_config_value(config, "milter_macro_v"));
        finding_mend(finding, MAIN_CF, "milter_macro_v = Postfix $mail_version");
    }
    examine_macro_list(doctor, "milter_connect_macros");
    examine_macro_list(doctor, "milter_mail_macros");
    examine_macro_list(doctor, "milter_end_of_data_macros");
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "what the daemon needs is there");
}

/* ---- where each process looks for the socket */

/* What the milter's name is to a process: an absolute path in a chroot counts from there. */
static char *resolved(const struct postfix_config *config, const char *path, bool chrooted)
{
    const char *queue = postfix_config_value(config, "queue_directory");
    g_autofree char *inside = g_build_filename(queue, path, NULL);
    return g_canonicalize_filename(path[0] == '/' && !chrooted ? path : inside, "/");
}

static void add_view(struct doctor *doctor, GPtrArray *views, const struct postfix_service *service, const char *path)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    const char *queue = postfix_config_value(config, "queue_directory");
    g_autofree char *process = g_strdup_printf("%s%s", service->command, service->chrooted ? " (chrooted)" : "");
    for (guint i = 0; i < views->len; i++) {
        const struct doctor_view *other = g_ptr_array_index(views, i);
        if (strcmp(other->process, process) == 0 && strcmp(other->path, path) == 0)
            return;
    }
    struct doctor_view *view = g_new0(struct doctor_view, 1);
    view->process = g_steal_pointer(&process);
    view->user = g_strdup(postfix_config_value(config, "mail_owner"));
    view->root = service->chrooted ? g_strdup(queue) : NULL;
    view->directory = g_strdup(queue);
    view->path = g_strdup(path);
    g_ptr_array_add(views, view);
}

/* Calls `take` with the path by which each smtpd, and cleanup, names our socket. */
static void each_use(struct doctor *doctor, GPtrArray *views,
                     void (*take)(struct doctor *, GPtrArray *, const struct postfix_service *, const char *list,
                                  const char *path))
{
    const struct postfix_config *config = postfix_services_config(doctor);
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        const char *list = postfix_service_is_smtpd(service) ? SMTPD : is_cleanup(service) ? NON_SMTPD : NULL;
        if (list == NULL)
            continue;
        g_autoptr(GPtrArray) milters = postfix_milters(postfix_service_value(config, service, list));
        int ours = postfix_milters_find(config, milters, postfix_services_endpoint(doctor));
        const struct postfix_milter *milter = ours == -1 ? NULL : g_ptr_array_index(milters, (guint)ours);
        if (milter != NULL && g_str_has_prefix(milter->endpoint, "unix:"))
            take(doctor, views, service, list, milter->endpoint + strlen("unix:"));
    }
}

static bool is_found(const struct doctor *doctor, const struct postfix_service *service, const char *path)
{
    g_autofree char *seen = resolved(postfix_services_config(doctor), path, service->chrooted);
    g_autofree char *ours = g_canonicalize_filename(postfix_services_endpoint(doctor)->path, "/");
    return strcmp(seen, ours) == 0;
}

static void take_view(struct doctor *doctor, GPtrArray *views, const struct postfix_service *service, const char *list,
                      const char *path)
{
    (void)list;
    if (is_found(doctor, service, path)) /* else `chroot` says so */
        add_view(doctor, views, service, path);
}

static void views(struct doctor *doctor, GPtrArray *views)
{
    if (postfix_services_endpoint(doctor)->kind == ENDPOINT_UNIX)
        each_use(doctor, views, take_view);
}

/* Where the socket has to be for a chrooted process to see it at all. */
static void mend_place(struct finding *finding, const struct doctor *doctor, const struct postfix_service *service,
                       const char *list)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    const char *queue = postfix_config_value(config, "queue_directory");
    const char *path = postfix_services_endpoint(doctor)->path;
    if (g_str_has_prefix(path, queue) && path[strlen(queue)] == '/') {
        g_autofree char *entry = postfix_milter_entry(config, postfix_services_endpoint(doctor));
        mend_list(finding, doctor, postfix_service_overrides(service, list) ? service : NULL, list, entry);
        return;
    }
    finding_mend(finding, doctor->conf, "socket = unix:%s/rcptguard/rcptguard.sock", queue);
    finding_mend(finding, MAIN_CF, "%s = unix:rcptguard/rcptguard.sock", list);
}

static void take_chroot(struct doctor *doctor, GPtrArray *seen, const struct postfix_service *service, const char *list,
                        const char *path)
{
    /* Once for a list, however many services use it. */
    const char *key = postfix_service_overrides(service, list) ? service->name : list;
    if (is_found(doctor, service, path) || g_ptr_array_find_with_equal_func(seen, key, g_str_equal, NULL))
        return;
    g_ptr_array_add(seen, (gpointer)key);
    g_autofree char *looks = resolved(postfix_services_config(doctor), path, service->chrooted);
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_ERROR,
                     "This process cannot reach the milter: mail waits or passes without evaluation.",
                     "%s%s looks for %s, and the socket is %s", service->name,
                     service->chrooted ? ", which is chrooted," : "", looks, postfix_services_endpoint(doctor)->path);
    mend_place(finding, doctor, service, list);
}

static void examine_chroot(struct doctor *doctor)
{
    if (postfix_services_endpoint(doctor)->kind != ENDPOINT_UNIX)
        return;
    g_autoptr(GPtrArray) seen = g_ptr_array_new();
    each_use(doctor, seen, take_chroot);
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "each process looks where the socket is");
}

static const struct examination postfix_examinations[] = {
    {"smtpd-milters", examine_smtpd_milters},
    {"non-smtpd-milters", examine_non_smtpd_milters},
    {"chroot", examine_chroot},
    {"last", examine_last},
    {"left-over", examine_left_over},
    {"default-action", examine_default_action},
    {"timeouts", examine_timeouts},
    {"daemon-timeout", examine_daemon_timeout},
    {"protocol", examine_protocol},
    {"macros", examine_macros},
    {"override-options", postfix_examine_override_options},
    {"reinjection", postfix_examine_reinjection},
    {"proxy-filter", postfix_examine_proxy_filter},
    {"milter-maps", postfix_examine_milter_maps},
    {"reject-characters", postfix_examine_reject_characters},
    {"drop-headers", postfix_examine_drop_headers},
    {"header-size", postfix_examine_header_size},
    {"long-queue-ids", postfix_examine_long_queue_ids},
    {"submitters", postfix_examine_submitters},
    {"answers", postfix_examine_answers},
    {"instances", postfix_examine_instances},
    {NULL, NULL},
};

const struct doctor_mta postfix_checks = {
    .mta = MTA_POSTFIX,
    .name = "Postfix",
    .command = "postconf",
    .group = "postfix",
    .open = open_config,
    .close = close_config,
    .views = views,
    .size_limit = postfix_size_limit,
    .examinations = postfix_examinations,
};
