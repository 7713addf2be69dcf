/*
 * setup_postfix - Postfix's part of setup.h.
 */
#ifndef RCPTGUARD_SETUP_POSTFIX_H
#define RCPTGUARD_SETUP_POSTFIX_H

#include "milter/setup/setup.h"

extern const struct setup_mta postfix_setup;

#endif
