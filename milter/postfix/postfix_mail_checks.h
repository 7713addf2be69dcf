/*
 * postfix_mail_checks - the checks of Postfix that are about mail that its milters do
 * not see, see twice, or see cut, and about what rcptguardq sends; postfix_checks.c has
 * those of the lists of milters.
 */
#ifndef RCPTGUARD_POSTFIX_MAIL_CHECKS_H
#define RCPTGUARD_POSTFIX_MAIL_CHECKS_H

#include "milter/setup/checks.h"

void postfix_examine_override_options(struct doctor *doctor);
void postfix_examine_reinjection(struct doctor *doctor);
void postfix_examine_proxy_filter(struct doctor *doctor);
void postfix_examine_milter_maps(struct doctor *doctor);
void postfix_examine_reject_characters(struct doctor *doctor);
void postfix_examine_drop_headers(struct doctor *doctor);
void postfix_examine_header_size(struct doctor *doctor);
void postfix_examine_long_queue_ids(struct doctor *doctor);
void postfix_examine_submitters(struct doctor *doctor);

/* See struct doctor_mta: of what is submitted and of each smtpd the largest. */
char *postfix_size_limit(struct doctor *doctor, guint64 *bytes);

#endif
