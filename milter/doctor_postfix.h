/*
 * doctor_postfix - the checks of Postfix's configuration for `rcptguardq doctor`.
 */
#ifndef RCPTGUARD_DOCTOR_POSTFIX_H
#define RCPTGUARD_DOCTOR_POSTFIX_H

#include "milter/checks.h"

extern const struct doctor_mta postfix_checks;

#endif
