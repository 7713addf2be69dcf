/*
 * postfix_setup - Postfix's part of setup.h.
 */
#ifndef RCPTGUARD_POSTFIX_SETUP_H
#define RCPTGUARD_POSTFIX_SETUP_H

#include "milter/setup/setup.h"

extern const struct setup_mta postfix_setup;

#endif
