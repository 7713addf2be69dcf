/*
 * commands - the commands of rcptguardq(8).  Each is a file with a `struct
 * rcptguardq_command`; rcptguardq.c has the table of them.
 */
#ifndef RCPTGUARD_COMMANDS_H
#define RCPTGUARD_COMMANDS_H

#include "milter/review/rcptguardq_tool.h"

/* What a command needs before it runs. */
enum need {
    NEED_LEDGER = 1,
    NEED_QUEUE = 2,
    NEED_IDENTITIES = 4,
};

struct rcptguardq_command {
    const char *name;
    const char *summary;
    const char *arguments;       /* "ID...", or NULL if it takes none */
    const GOptionEntry *entries; /* its own options, or NULL; the common ones come from rcptguardq.c */
    const GOptionEntry *shared;  /* options that mtas.c has for it, or NULL */
    unsigned right;     /* what the configuration must allow the reviewer: enum review_action, or one of these */
    unsigned needs;     /* bits of enum need */
    int (*check)(void); /* whether its command line makes sense: EXITS_DONE, or what tool_usage_error gave */
    int (*run)(struct tool *tool); /* gives the exit code */
};

extern const struct rcptguardq_command command_list, command_show, command_release, command_return, command_delete,
    command_log, command_review, command_digest, command_notify, command_doctor, command_setup;

#endif
