/*
 * setup_sendmail - Sendmail's part of setup.h.
 */
#ifndef RCPTGUARD_SETUP_SENDMAIL_H
#define RCPTGUARD_SETUP_SENDMAIL_H

#include "milter/setup/setup.h"

extern const struct setup_mta sendmail_setup;

#endif
