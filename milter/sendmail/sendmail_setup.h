/*
 * sendmail_setup - Sendmail's part of setup.h.
 */
#ifndef RCPTGUARD_SENDMAIL_SETUP_H
#define RCPTGUARD_SENDMAIL_SETUP_H

#include "milter/setup/setup.h"

extern const struct setup_mta sendmail_setup;

#endif
