/*
 * command - what the command lines of rcptguard(1) and rcptguardq(8) share.
 */
#ifndef RCPTGUARD_COMMAND_H
#define RCPTGUARD_COMMAND_H

#include "policy/cli/exit_codes.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/* --json, for every command. */
extern const GOptionEntry command_entries[];

/* The program's name, for messages; before anything else. */
void command_begin(const char *name);

/* --json was given. */
bool tool_json(void);

/* Prints what was built to standard output, as one line. */
void tool_print_json(JsonBuilder *json);

/* Says what is wrong with the command line; returns EXITS_USAGE. */
int tool_usage_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
