/*
 * mtas - the MTAs that rcptguardq(8) knows: one row for each.
 */
#ifndef RCPTGUARD_MTAS_H
#define RCPTGUARD_MTAS_H

#include "milter/queue/queue.h"
#include "milter/setup/checks.h"
#include "milter/setup/setup.h"

#include <glib.h>

struct mta_row {
    const char *word; /* "postfix": its name on the command line */
    const struct queue_driver *queue;
    const struct doctor_mta *checks;
    const struct setup_mta *setup;
    char **doctor_option, **setup_option; /* its place as the command line of doctor and setup has it, or NULL */
};

/* Ended by a NULL word. */
extern const struct mta_row mtas[];

/* The options that name the place of an MTA's configuration. */
extern const GOptionEntry mtas_doctor_entries[], mtas_setup_entries[];

/* All queue drivers, ended by NULL. */
const struct queue_driver *const *mtas_queue_drivers(void);

/* "postfix or sendmail", for g_free. */
char *mtas_words(const char *between);

#endif
