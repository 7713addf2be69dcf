/*
 * doctor_postfix - the checks of Postfix's configuration: doctor_postfix.c has those
 * of the lists of milters, doctor_postfix_mail.c those of what mail passes by them.
 *
 * Ownership: strings that a function gives as `char *` are for g_free.
 */
#ifndef RCPTGUARD_DOCTOR_POSTFIX_H
#define RCPTGUARD_DOCTOR_POSTFIX_H

#include "doctor.h"
#include "postfix_config.h"

#define MAIN_CF   "main.cf"
#define SMTPD     "smtpd_milters"
#define NON_SMTPD "non_smtpd_milters"
#define OVERRIDES "receive_override_options"

const struct postfix_config *doctor_postfix_config(const struct doctor *doctor);
const struct endpoint *doctor_endpoint(const struct doctor *doctor);

/* Whether the service is an smtpd(8) that listens on a network. */
bool doctor_postfix_is_smtpd(const struct postfix_service *service);

/* Whether it shows its mail to our milter. */
bool doctor_postfix_shows(const struct doctor *doctor, const struct postfix_service *service);

/* "smtpd_milters", "smtpd_milters of submission/inet" */
char *doctor_postfix_place(const char *name, const struct postfix_service *service);

/* Adds a line of main.cf, or the command that sets the value for a service. */
void doctor_postfix_mend(struct finding *finding, const struct doctor *doctor, const struct postfix_service *service,
                         const char *name, const char *value);

/* The checks of doctor_postfix_mail.c. */
void doctor_examine_override_options(struct doctor *doctor);
void doctor_examine_reinjection(struct doctor *doctor);
void doctor_examine_proxy_filter(struct doctor *doctor);
void doctor_examine_milter_maps(struct doctor *doctor);
void doctor_examine_reject_characters(struct doctor *doctor);
void doctor_examine_drop_headers(struct doctor *doctor);
void doctor_examine_header_size(struct doctor *doctor);
void doctor_examine_long_queue_ids(struct doctor *doctor);

#endif
