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

bool postfix_service_is_submission(const struct postfix_config *config, const struct postfix_service *service)
{
    static const char *const names[] = {"submission/", "submissions/", "smtps/", "587/", "465/", NULL};
    for (const char *const *name = names; *name != NULL; name++) {
        if (g_str_has_prefix(service->name, *name))
            return true;
    }
    return strcmp(postfix_service_value(config, service, "smtpd_sasl_auth_enable"), "yes") == 0;
}

static bool uses_proxy(const struct postfix_config *config)
{
    if (postfix_config_value(config, PROXY_FILTER)[0] != '\0')
        return true;
    for (guint i = 0; i < config->services->len; i++) {
        if (postfix_service_value(config, g_ptr_array_index(config->services, i), PROXY_FILTER)[0] != '\0')
            return true;
    }
    return false;
}

bool postfix_service_takes_back(const struct postfix_config *config, const struct postfix_service *service)
{
    const char *filter = g_hash_table_lookup(service->overrides, "content_filter");
    return filter != NULL && filter[0] == '\0' && postfix_service_is_smtpd(service) &&
           postfix_service_is_loopback(service) && !postfix_service_is_submission(config, service) &&
           !uses_proxy(config);
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
