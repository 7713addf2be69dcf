/*
 * doctor_sendmail - the checks of Sendmail's configuration for `rcptguardq doctor`.
 */
#ifndef RCPTGUARD_DOCTOR_SENDMAIL_H
#define RCPTGUARD_DOCTOR_SENDMAIL_H

#include "milter/setup/checks.h"

extern const struct doctor_mta sendmail_checks;

#endif
