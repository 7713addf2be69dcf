/*
 * command - the command line of a program that has commands: rcptguard(1) and rcptguardq(8).
 */
#ifndef RCPTGUARD_COMMAND_H
#define RCPTGUARD_COMMAND_H

#include "policy/cli/exit_codes.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/* What a program hands to its commands; each defines its own, or hands over NULL. */
struct tool;

struct command {
    const char *name;
    const char *summary;
    const char *arguments;         /* "[FILE...]", or NULL if it takes none */
    const GOptionEntry *entries;   /* its own options, or NULL */
    const GOptionEntry *shared;    /* those that it shares with another command, or NULL */
    int (*check)(void);            /* whether its command line makes sense: EXITS_DONE, or what tool_usage_error gave;
                                      may be NULL */
    int (*run)(struct tool *tool); /* gives the exit code */
};

struct command_line {
    const char *name;                          /* "rcptguard" */
    const char *page;                          /* "rcptguard(1)" */
    const GOptionEntry *entries;               /* options of all its commands, beside --json and --help */
    const struct command *const *commands;     /* ended by NULL */
    void (*add_versions)(GString *out);        /* of libraries, for --version */
    int (*run)(const struct command *command); /* makes ready what the command needs, and runs it; NULL: nothing */
};

/* Before anything else: whose messages these are. */
void command_begin(const struct command_line *program);

/* Reads the command line and runs the command; gives the exit code. */
int command_main(int argc, char **argv);

/* --json was given. */
bool tool_json(void);

/* Prints what was built to standard output, as one line. */
void tool_print_json(JsonBuilder *json);

/* Says what is wrong with the command line; returns EXITS_USAGE. */
int tool_usage_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
