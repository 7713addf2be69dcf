/*
 * exit_codes - the exit codes that scripts and service managers rely on.
 */
#ifndef RCPTGUARD_EXIT_CODES_H
#define RCPTGUARD_EXIT_CODES_H

enum exits {
    EXITS_DONE = 0,
    EXITS_WRONG = 1,     /* the configuration or the policy is wrong or unreadable: a person has to act */
    EXITS_USAGE = 2,     /* the command line is wrong */
    EXITS_GONE = 3,      /* rcptguardq: there is no such message any more; the MTA does not use the daemon */
    EXITS_FORBIDDEN = 4, /* rcptguardq: who asks may not do that */
    EXITS_PASSING = 75,  /* what may pass by itself: the socket is taken, memory is short (EX_TEMPFAIL of sysexits.h) */
};

#endif
