/*
 * mta_macros - the MTA's macros that the daemon needs, what for, and which line of the
 * MTA's configuration brings each.  They are asked for when a connection is
 * negotiated; an MTA that takes no such request sends what its administrator chose.
 */
#ifndef RCPTGUARD_MTA_MACROS_H
#define RCPTGUARD_MTA_MACROS_H

enum macro { MACRO_LISTENER, MACRO_VERSION, MACRO_LOGIN, MACRO_QUEUE_ID, MACROS };

/* "{daemon_name}" */
const char *macro_name(enum macro macro);

/* Says that it did not come though it should have, and what that means; once in the life of the process. */
void macro_missing(enum macro macro);

#endif
