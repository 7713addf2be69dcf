/*
 * rcptguard_tool - what the commands of rcptguard(1) share: options, exit codes, the policy, diagnostics.
 */
#ifndef RCPTGUARD_RCPTGUARD_TOOL_H
#define RCPTGUARD_RCPTGUARD_TOOL_H

#include "policy/cli/command.h"
#include "policy/engine/policy.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

extern const struct command command_check, command_explain, command_init, command_print, command_replay;

/* --policy, for every command. */
extern const GOptionEntry policy_entries[];

/* The policy as the one argument of a command, and its check: EXITS_DONE, or what tool_usage_error gave. */
extern const GOptionEntry policy_argument_entries[];
int tool_check_policy_argument(void);

/* The path of the policy that --policy names, or of the installed one. */
const char *tool_policy_path(void);

/* Whether that is standard input. */
bool tool_policy_is_standard(void);

/* Reads the policy that --policy names, or the installed one.  NULL if it is wrong; see `diags` then. */
struct policy *tool_load(struct diags *diags);

/* Seconds since 1970 of a time such as 2027-06-30T12:00:00Z; of NULL, now.  False if it is none. */
bool tool_time(const char *text, gint64 *seconds);

/* To standard error, each with its source line and caret. */
void tool_print_diags(const struct diags *diags);

/* A text from elsewhere, such as a path, as a line on standard error that cannot act on a terminal. */
void tool_note(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
