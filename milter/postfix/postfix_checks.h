/*
 * doctor_postfix - the checks of Postfix's configuration for `rcptguardq doctor`.
 */
#ifndef RCPTGUARD_DOCTOR_POSTFIX_H
#define RCPTGUARD_DOCTOR_POSTFIX_H

#include "milter/setup/checks.h"

extern const struct doctor_mta postfix_checks;

#endif
