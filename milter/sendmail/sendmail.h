/*
 * sendmail - Sendmail's parts of what differs between MTAs: its queue (sendmail(8), and the control files of its
 * queue), the checks of its configuration for `rcptguardq doctor`, and what `setup` does.
 */
#ifndef RCPTGUARD_SENDMAIL_H
#define RCPTGUARD_SENDMAIL_H

#include "milter/queue/queue.h"
#include "milter/setup/checks.h"
#include "milter/setup/setup.h"

extern const struct queue_driver sendmail_queue_driver;
extern const struct doctor_mta sendmail_checks;
extern const struct setup_mta sendmail_setup;

#endif
