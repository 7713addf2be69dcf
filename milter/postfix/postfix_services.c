/* postfix_services - see postfix_services.h */

#include "milter/postfix/postfix_services.h"

#include <string.h>

const struct postfix_config *postfix_services_config(const struct doctor *doctor)
{
    return doctor->state;
}

const struct endpoint *postfix_services_endpoint(const struct doctor *doctor)
{
    return doctor->tool->config->socket;
}

bool postfix_service_is_smtpd(const struct postfix_service *service)
{
    return strcmp(service->command, "smtpd") == 0 && postfix_service_is_inet(service);
}

bool postfix_services_have_ours(const struct doctor *doctor, const char *list)
{
    g_autoptr(GPtrArray) milters = postfix_milters(list);
    return postfix_milters_find(postfix_services_config(doctor), milters, postfix_services_endpoint(doctor)) != -1;
}

bool postfix_service_shows(const struct doctor *doctor, const struct postfix_service *service)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    return !postfix_list_has(postfix_service_value(config, service, OVERRIDES), "no_milters") &&
           postfix_services_have_ours(doctor, postfix_service_value(config, service, SMTPD));
}

void postfix_service_mend(struct finding *finding, const struct doctor *doctor, const struct postfix_service *service,
                          const char *name, const char *value)
{
    if (service == NULL) {
        finding_mend(finding, MAIN_CF, "%s =%s%s", name, value[0] == '\0' ? "" : " ", value);
        return;
    }
    g_autofree char *compact = postfix_milters_compact(value);
    g_autofree char *line = g_strdup_printf("%s/%s=%s", service->name, name, compact);
    g_autofree char *command = postfix_command(postfix_services_config(doctor), "-P", line);
    finding_mend(finding, MEND_SHELL, "%s", command);
}

char *postfix_service_place(const char *name, const struct postfix_service *service)
{
    return service == NULL ? g_strdup(name) : g_strdup_printf("%s of %s", name, service->name);
}
