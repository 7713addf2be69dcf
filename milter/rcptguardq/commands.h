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
    struct command command; /* first */
    unsigned right;         /* what the configuration must allow the reviewer: enum review_action, or one of these */
    unsigned needs;         /* bits of enum need */
};

extern const struct rcptguardq_command command_list, command_counts, command_show, command_release, command_return,
    command_delete, command_log, command_review, command_digest, command_notify, command_doctor, command_setup,
    command_reload, command_forget, command_agent, command_fleet;

/* Tells the authors of messages that leave by themselves, once a minute each at most.  An exit code. */
int notify_delayed(struct tool *tool);

#endif
