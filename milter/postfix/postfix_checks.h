/*
 * postfix_checks - the checks of Postfix's configuration for `rcptguardq doctor`.
 */
#ifndef RCPTGUARD_POSTFIX_CHECKS_H
#define RCPTGUARD_POSTFIX_CHECKS_H

#include "milter/setup/checks.h"

extern const struct doctor_mta postfix_checks;

#endif
