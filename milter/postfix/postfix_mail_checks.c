/* postfix_mail_checks - see postfix_mail_checks.h */

#include "milter/postfix/postfix_mail_checks.h"

#include "milter/postfix/postfix_services.h"
#include "policy/engine/policy.h"

#include <string.h>

/* ---- mail that no milter sees, or sees twice */

static void tell_no_milters(struct doctor *doctor, const struct postfix_service *service)
{
    const char *written = postfix_written(postfix_services_config(doctor), service, OVERRIDES);
    const char *options = postfix_list_has(written, "no_milters")
                              ? written
                              : postfix_service_value(postfix_services_config(doctor), service, OVERRIDES);
    g_autofree char *rest = postfix_list_without(options, "no_milters");
    g_autofree char *where = postfix_service_place(OVERRIDES, service);
    struct finding *finding = findings_add(doctor->findings, SEVERITY_ERROR,
                                           "What comes in there is shown to no milter.", "%s has no_milters", where);
    postfix_service_mend(finding, doctor, service, OVERRIDES, rest);
}

void postfix_examine_override_options(struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    if (postfix_list_has(postfix_config_value(config, OVERRIDES), "no_milters"))
        tell_no_milters(doctor, NULL);
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        bool takes_mail = (postfix_service_is_smtpd(service) && !postfix_service_is_loopback(service)) ||
                          strcmp(service->command, "pickup") == 0 || strcmp(service->command, "qmqpd") == 0;
        if (takes_mail && postfix_service_overrides(service, OVERRIDES) &&
            postfix_list_has(postfix_service_value(config, service, OVERRIDES), "no_milters"))
            tell_no_milters(doctor, service);
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "nothing that takes mail from outside keeps it from milters");
}

/* Whether the policy evaluates what a listener on the loopback takes back: mail of one's own, without its login. */
static bool policy_evaluates(const struct doctor *doctor, const struct postfix_service *service)
{
    auto_free(diags) diags = diags_new();
    auto_free(policy) policy = policy_load(doctor->tool->config->policy, diags);
    if (policy == NULL)
        return true;
    auto_free(message) message = message_new();
    g_autofree char *sender =
        g_strdup_printf("postmaster@%s", postfix_config_value(postfix_services_config(doctor), "mydomain"));
    message->mta = MTA_POSTFIX;
    message_set_client(message, "127.0.0.1");
    message_set_listener(message,
                         postfix_service_value(postfix_services_config(doctor), service, "milter_macro_daemon_name"));
    message_set_sender(message, sender);
    return policy_outbound(policy, message) != OUTBOUND_NO;
}

void postfix_examine_reinjection(struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        if (!postfix_service_takes_back(config, service) || !postfix_service_shows(doctor, service) ||
            !policy_evaluates(doctor, service))
            continue;
        g_autofree char *others = postfix_milters_without(config, postfix_service_value(config, service, SMTPD),
                                                          postfix_services_endpoint(doctor));
        struct finding *finding = findings_add(
            doctor->findings, SEVERITY_ERROR,
            "That mail was evaluated when it was accepted: released mail is held again, without its login.",
            "%s takes mail back from a content filter and shows it to rcptguardd again", service->name);
        postfix_service_mend(finding, doctor, service, SMTPD, others);
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "no listener shows mail to rcptguardd a second time");
}

/* `smtp:[127.0.0.1]:10024` of `127.0.0.1:10024`; NULL for what is no address. */
static char *filter_of(const char *proxy)
{
    const char *address = proxy + (strncmp(proxy, "inet:", strlen("inet:")) == 0 ? strlen("inet:") : 0);
    const char *colon = strrchr(address, ':');
    if (colon == NULL || g_str_has_prefix(proxy, "unix:"))
        return NULL;
    if (address[0] == '[')
        return g_strdup_printf("smtp:%s", address);
    return g_strdup_printf("smtp:[%.*s]%s", colon == address ? 9 : (int)(colon - address),
                           colon == address ? "127.0.0.1" : address, colon);
}

static void tell_proxy(struct doctor *doctor, const struct postfix_service *service)
{
    const char *value = postfix_service_value(postfix_services_config(doctor), service, PROXY_FILTER);
    g_autofree char *filter = filter_of(value);
    g_autofree char *where = postfix_service_place(PROXY_FILTER, service);
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_ERROR,
                     "Milters before a proxy see no header: mail that is accepted there is not evaluated.", "%s is %s",
                     where, value);
    postfix_service_mend(finding, doctor, service, PROXY_FILTER, "");
    if (filter != NULL)
        postfix_service_mend(finding, doctor, service, "content_filter", filter);
}

void postfix_examine_proxy_filter(struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    if (postfix_config_value(config, PROXY_FILTER)[0] != '\0')
        tell_proxy(doctor, NULL);
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        const char *proxy = g_hash_table_lookup(service->overrides, PROXY_FILTER);
        if (postfix_service_is_smtpd(service) && proxy != NULL && proxy[0] != '\0')
            tell_proxy(doctor, service);
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "no smtpd hands mail to a proxy");
}

void postfix_examine_milter_maps(struct doctor *doctor)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    const char *maps = postfix_config_value(config, "smtpd_milter_maps");
    if (maps[0] == '\0') {
        findings_ok(doctor->findings, "no client has separate milters");
        return;
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_WARNING,
                     "Mail of a client listed there with other milters, or with DISABLE, is not evaluated.",
                     "smtpd_milter_maps is %s", maps);
    postfix_service_mend(finding, doctor, NULL, "smtpd_milter_maps", "");
}

/* ---- what else of main.cf matters */

void postfix_examine_reject_characters(struct doctor *doctor)
{
    const char *value = postfix_config_value(postfix_services_config(doctor), "message_reject_characters");
    if (strstr(value, "\\0") != NULL) {
        findings_ok(doctor->findings, "messages with a NUL are refused");
        return;
    }
    struct finding *finding = findings_add(doctor->findings, SEVERITY_WARNING,
                                           "A NUL ends a header for every milter, and not for those who read the "
                                           "message: recipients after it are not counted.",
                                           "message_reject_characters has no \\0");
    finding_mend(finding, MAIN_CF, "message_reject_characters = %s\\0",
                 postfix_written(postfix_services_config(doctor), NULL, "message_reject_characters"));
}

void postfix_examine_drop_headers(struct doctor *doctor)
{
    const char *value = postfix_config_value(postfix_services_config(doctor), "message_drop_headers");
    g_autoptr(GString) missing = g_string_new(NULL);
    static const char *const names[] = {"bcc", "resent-bcc", NULL};
    for (const char *const *name = names; *name != NULL; name++) {
        if (!postfix_list_has(value, *name))
            g_string_append_printf(missing, "%s%s", missing->len > 0 ? ", " : "", *name);
    }
    if (missing->len == 0) {
        findings_ok(doctor->findings, "Bcc is taken out of messages");
        return;
    }
    struct finding *finding = findings_add(
        doctor->findings, SEVERITY_NOTE, "Such a field is delivered, so those in it are visible recipients, and count.",
        "message_drop_headers lacks %s", missing->str);
    const char *written = postfix_written(postfix_services_config(doctor), NULL, "message_drop_headers");
    finding_mend(finding, MAIN_CF, "message_drop_headers = %s%s%s", written, written[0] == '\0' ? "" : ", ",
                 missing->str);
}

/*
 * Postfix cuts a header at a line's end below header_size_limit, and with a milter
 * below 60,000 bytes, whatever the limit; or at header_address_token_limit.  What is
 * cut is delivered so, and is told by its length: see recipients.h.
 */
void postfix_examine_header_size(struct doctor *doctor)
{
    static const struct {
        const char *name;
        guint64 least;
        unsigned good;
    } limits[] = {{"header_size_limit", 60000, 102400}, {"header_address_token_limit", 10240, 10240}};
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        const char *value = postfix_config_value(postfix_services_config(doctor), limits[i].name);
        if (g_ascii_strtoull(value, NULL, 10) >= limits[i].least)
            continue;
        struct finding *finding = findings_add(doctor->findings, SEVERITY_WARNING,
                                               "Postfix cuts longer headers before they are judged, and so short that "
                                               "the policy's `truncated` never holds.",
                                               "%s is %s", limits[i].name, value);
        finding_mend(finding, MAIN_CF, "%s = %u", limits[i].name, limits[i].good);
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "a header that Postfix cuts is long enough to be known as cut");
}

void postfix_examine_long_queue_ids(struct doctor *doctor)
{
    if (strcmp(postfix_config_value(postfix_services_config(doctor), "enable_long_queue_ids"), "yes") == 0) {
        findings_ok(doctor->findings, "queue ids are not used again");
        return;
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_NOTE,
                     "A short queue id is used again: in the log and the ledger two messages have the same.",
                     "enable_long_queue_ids is no");
    finding_mend(finding, MAIN_CF, "enable_long_queue_ids = yes");
}

/* ---- what rcptguardq sends */

#define SUBMITTERS "authorized_submit_users"

/* Whether the list has this user; of a table or a file in it nothing is said. */
static bool may_submit(const char *list, const char *user)
{
    g_auto(GStrv) words = g_strsplit_set(list, ", \t\r\n", -1);
    for (char **each = words; *each != NULL; each++) {
        if (strpbrk(*each, ":/") != NULL || strcmp(*each, user) == 0)
            return true;
        if ((*each)[0] == '!' && strcmp(*each + 1, user) == 0)
            return false;
    }
    return false;
}

/* What is returned is by root, notices and the digest by the daemon's user.  An instance that postmulti(1) has made
 * lets nobody. */
void postfix_examine_submitters(struct doctor *doctor)
{
    const char *value = postfix_config_value(postfix_services_config(doctor), SUBMITTERS);
    const char *const users[] = {"root", doctor->tool->config->user};
    g_autoptr(GString) missing = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(users); i++) {
        if (!may_submit(value, users[i]))
            g_string_append_printf(missing, "%s%s", missing->len > 0 ? ", " : "", users[i]);
    }
    if (missing->len == 0) {
        findings_ok(doctor->findings, "rcptguardq may send mail by sendmail(1)");
        return;
    }
    struct finding *finding = findings_add(doctor->findings, SEVERITY_ERROR,
                                           "rcptguardq cannot send: no message can be returned, or no author and no "
                                           "reviewer gets its mail.",
                                           SUBMITTERS " is without %s", missing->str);
    finding_mend(finding, MAIN_CF, SUBMITTERS " = %s%s%s", missing->str, value[0] == '\0' ? "" : ", ", value);
}

/* ---- the size of a message */

#define SIZE_LIMIT "message_size_limit"

char *postfix_size_limit(struct doctor *doctor, guint64 *bytes)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    const struct postfix_service *largest = NULL;
    *bytes = g_ascii_strtoull(postfix_config_value(config, SIZE_LIMIT), NULL, 10);
    for (guint i = 0; i < config->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(config->services, i);
        if (*bytes == 0 || !postfix_service_is_smtpd(service) || !postfix_service_overrides(service, SIZE_LIMIT))
            continue;
        guint64 own = g_ascii_strtoull(postfix_service_value(config, service, SIZE_LIMIT), NULL, 10);
        if (own != 0 && own <= *bytes)
            continue;
        *bytes = own;
        largest = service;
    }
    g_autofree char *where = postfix_service_place(SIZE_LIMIT, largest);
    return g_strdup_printf("%s is %" G_GUINT64_FORMAT, where, *bytes);
}
