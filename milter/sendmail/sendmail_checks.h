/*
 * sendmail_checks - the checks of Sendmail's configuration for `rcptguardq doctor`.
 */
#ifndef RCPTGUARD_SENDMAIL_CHECKS_H
#define RCPTGUARD_SENDMAIL_CHECKS_H

#include "milter/setup/checks.h"

extern const struct doctor_mta sendmail_checks;

#endif
