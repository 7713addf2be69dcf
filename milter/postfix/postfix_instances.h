/*
 * postfix_instances - several instances of Postfix, as postmulti(1) manages them: which there are, what the milter
 * hears of them, and the check of both.
 */
#ifndef RCPTGUARD_POSTFIX_INSTANCES_H
#define RCPTGUARD_POSTFIX_INSTANCES_H

#include "milter/setup/checks.h"

/* The parameter that says to the milter what MTA it is, and which instance: see mta_instance. */
#define POSTFIX_MACRO_V "milter_macro_v"

/* Its value as it is written, without the name of an instance; for g_free. */
char *postfix_nameless(const char *written);

/* Whether all that show their mail to the daemon are those of [review], and say which they are. */
void postfix_examine_instances(struct doctor *doctor);

#endif
