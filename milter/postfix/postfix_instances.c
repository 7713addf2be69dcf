/* postfix_instances - see postfix_instances.h */

#include "milter/postfix/postfix_instances.h"

#include "milter/postfix/postfix_commands.h"
#include "milter/postfix/postfix_services.h"

#include <string.h>

#define MARK "instance="

char *postfix_nameless(const char *written)
{
    g_auto(GStrv) words = g_strsplit(written, " ", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (char **word = words; *word != NULL; word++) {
        if ((*word)[0] != '\0' && !g_str_has_prefix(*word, MARK))
            g_ptr_array_add(kept, *word);
    }
    g_ptr_array_add(kept, NULL);
    return g_strjoinv(" ", (char **)kept->pdata);
}

/* ---- one of several behind one daemon */

/* As the queue calls it: see postfix_identify. */
static char *name_of(const struct doctor *doctor)
{
    const char *name = postfix_config_value(postfix_services_config(doctor), POSTFIX_INSTANCE);
    return name[0] != '\0' ? g_strdup(name) : g_path_get_basename(doctor->directory);
}

static void examine_name(struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    g_autofree char *name = name_of(doctor);
    g_autofree char *heard = mta_instance(postfix_config_value(config, POSTFIX_MACRO_V));
    if (g_strcmp0(name, heard) == 0) {
        findings_ok(doctor->findings, "the daemon hears that it is %s", name);
        return;
    }
    g_autofree char *before = postfix_nameless(postfix_written(config, NULL, POSTFIX_MACRO_V));
    struct finding *finding = findings_add(
        doctor->findings, SEVERITY_WARNING,
        "Messages of several instances with one queue id are told apart by time and Message-ID alone, and what is held "
        "while its queue cannot be read is not known to be there.",
        POSTFIX_MACRO_V " does not say that it is %s", name);
    finding_mend(finding, MAIN_CF, POSTFIX_MACRO_V " = %s " MARK "%s", before, name);
}

/* ---- one alone, beside others */

/* Whether the instance of that directory shows its mail to our daemon. */
static bool shows(const struct doctor *doctor, const char *directory)
{
    static const char *const lists[] = {SMTPD, NON_SMTPD};
    g_autofree char *error = NULL;
    auto_free(postfix_config) config = postfix_config_read(directory, &error);
    bool found = false;
    for (size_t i = 0; config != NULL && i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(GPtrArray) milters = postfix_milters(postfix_config_value(config, lists[i]));
        found = found || postfix_milters_find(config, milters, postfix_services_endpoint(doctor)) != -1;
    }
    return found;
}

static bool is_reviewed(const struct doctor *doctor, const char *directory)
{
    const char *own = postfix_config_value(postfix_services_config(doctor), "config_directory");
    bool named = g_strv_contains((const char *const *)doctor->directories, directory);
    return named || (doctor->directories[0] == NULL && g_strcmp0(own, directory) == 0);
}

static void examine_forgotten(struct doctor *doctor)
{
    g_autofree char *error = NULL;
    g_auto(GStrv) all = postfix_instances(&error);
    for (char **each = all; each != NULL && *each != NULL; each++) {
        if (is_reviewed(doctor, *each) || !shows(doctor, *each))
            continue;
        struct finding *finding = findings_add(
            doctor->findings, SEVERITY_ERROR,
            "What the daemon holds of it is in a queue that nobody looks at: it counts as left, and stays on hold.",
            "%s has rcptguardd's socket, and is not in postfix-config of [review]", *each);
        finding_mend(finding, doctor->conf, "postfix-config = " CONFIG_ALL_INSTANCES);
    }
}

void postfix_examine_instances(struct doctor *doctor)
{
    bool first = doctor->directories[0] == NULL || g_strcmp0(doctor->directory, doctor->directories[0]) == 0;
    if (first && doctor->option == NULL)
        examine_forgotten(doctor);
    if (doctor_is_several(doctor))
        examine_name(doctor);
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "no other instance shows its mail to rcptguardd");
}
