/*
 * postfix_services - what both files of checks ask of Postfix's services: which are
 * an smtpd(8), whether our milter sees their mail, where a value of theirs is set.
 *
 * Ownership: strings that a function gives as `char *` are for g_free.
 */
#ifndef RCPTGUARD_POSTFIX_SERVICES_H
#define RCPTGUARD_POSTFIX_SERVICES_H

#include "milter/postfix/postfix_config.h"
#include "milter/setup/checks.h"

#define MAIN_CF      "main.cf"
#define MASTER_CF    "master.cf"
#define SMTPD        "smtpd_milters"
#define NON_SMTPD    "non_smtpd_milters"
#define OVERRIDES    "receive_override_options"
#define PROXY_FILTER "smtpd_proxy_filter"

const struct postfix_config *postfix_services_config(const struct doctor *doctor);
const struct endpoint *postfix_services_endpoint(const struct doctor *doctor);

/* Whether the service is an smtpd(8) that listens on a network. */
bool postfix_service_is_smtpd(const struct postfix_service *service);

/* Whether people hand in mail there: a login, or a name that says so. */
bool postfix_service_is_submission(const struct postfix_config *config, const struct postfix_service *service);

/*
 * Whether it takes mail back from a content filter, so that milters saw that mail before.
 * After a proxy (smtpd_proxy_filter) they did not, so there is none while one is in use.
 */
bool postfix_service_takes_back(const struct postfix_config *config, const struct postfix_service *service);

/* Whether a list of milters, with its variables expanded, has ours. */
bool postfix_services_have_ours(const struct doctor *doctor, const char *list);

/* Whether it passes its mail to our milter. */
bool postfix_service_shows(const struct doctor *doctor, const struct postfix_service *service);

/* "smtpd_milters", "smtpd_milters of submission/inet" */
char *postfix_service_place(const char *name, const struct postfix_service *service);

/* Adds a line of main.cf, or the command that sets the value for a service. */
void postfix_service_mend(struct finding *finding, const struct doctor *doctor, const struct postfix_service *service,
                          const char *name, const char *value);

#endif
