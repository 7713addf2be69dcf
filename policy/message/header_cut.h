/*
 * header_cut - whether the MTA may have cut a header of recipients before a filter sees it.
 */
#ifndef RCPTGUARD_HEADER_CUT_H
#define RCPTGUARD_HEADER_CUT_H

#include "policy/message/message.h"

/* Whether a value is as long, in bytes or in tokens, as what is left of one that was cut. */
bool header_was_cut(const struct message *message, const char *value);

#endif
