/*
 * postfix - Postfix's parts of what differs between MTAs: its queue (postqueue(1), postcat(1), postsuper(1),
 * postkick(1)), the checks of its configuration for `rcptguardq doctor`, and what `setup` does.
 */
#ifndef RCPTGUARD_POSTFIX_H
#define RCPTGUARD_POSTFIX_H

#include "milter/queue/queue.h"
#include "milter/setup/checks.h"
#include "milter/setup/setup.h"

extern const struct queue_driver postfix_queue_driver;
extern const struct doctor_mta postfix_checks;
extern const struct setup_mta postfix_setup;

#endif
