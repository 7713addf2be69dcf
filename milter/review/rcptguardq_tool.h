/*
 * rcptguardq_tool - what the commands of rcptguardq(8) share: options, who asks,
 * the ledger, the queue.
 */
#ifndef RCPTGUARD_RCPTGUARDQ_TOOL_H
#define RCPTGUARD_RCPTGUARDQ_TOOL_H

#include "milter/common/conf.h"
#include "milter/database/secret_file.h"
#include "milter/fleet/fleet_mirror.h"
#include "milter/fleet/fleet_reach.h"
#include "milter/ledger/ledger.h"
#include "milter/queue/message_reader.h"
#include "milter/queue/queue.h"
#include "milter/queue/reconcile.h"
#include "milter/review/identities.h"
#include "milter/review/reviewer.h"
#include "policy/cli/command.h"
#include "policy/cli/exit_codes.h"
#include "policy/engine/policy.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdio.h>

/* What a command has to work with.  All of it is owned by rcptguardq.c. */
struct tool {
    const struct config *config;
    const struct reviewer *reviewer;
    struct identities *identities; /* or NULL */
    struct ledger *ledger;
    struct queue *queue;
    const struct queue_driver *const *drivers; /* of all MTAs that there are, ended by NULL */
    struct message_reader reader;
    unsigned char decision_key[SECRET_SIZE]; /* of the seals of decisions, once it was needed */
    bool has_decision_key;
    struct policy *policy; /* of the file, where facts_policy found that it is needed; or NULL */
    gint64 steady;         /* since when the agent runs, as facts_policy found it: see ledger_time.h */

    /* Of a fleet, else NULL.  Another node has a tool, too, with the ledger that it has published and without a queue;
     * then `home` is that of the node that this runs on. */
    struct fleet_peer *peer;
    struct fleet_reach *reach; /* of both; NULL: the database is away */
    struct tool *home;
};

/* Rights that no group has: that of root and the daemon's own user, and that of root alone.  The others are those of
 * enum review_action. */
#define REVIEW_SERVICE REVIEW_ACTIONS
#define REVIEW_ROOT    (REVIEW_ACTIONS + 1)

/* Whether the one who asks may do that. */
bool tool_may(const struct tool *tool, unsigned right);

/* NULL, or why he may not use the command of that name, which needs the right; for g_free. */
char *tool_forbidden(const struct tool *tool, unsigned right, const char *command);

/* Reads the identities that the configuration names, if any, once: 0, or -1 with what is wrong in `diags`. */
int tool_load_identities(struct tool *tool, struct diags *diags);

/* --config, --instance and --utc, for every command. */
extern const GOptionEntry tool_entries[];

/*
 * The configuration that these name.  One of root's directory, by the name of its instance, is for everybody; any other
 * one is not for whom sudo lends root.  NULL with an exit code, after it was said or is in `diags`.
 */
struct config *tool_config(const struct reviewer *reviewer, struct diags *diags, int *status);

/* Adds what another rcptguardq needs to have the same one: const char *. */
void tool_config_arguments(GPtrArray *arguments);

/* The time, in microseconds since 1970. */
gint64 tool_now(void);

/* A time for the person who asks, as time_text has it: in the local zone, or with --utc in UTC.  For g_free. */
char *tool_time_text(gint64 microseconds);

/* The time that a person typed, as time_text_parse has it, a date as above.  False: it is none. */
bool tool_time_parse(const char *text, gint64 *microseconds);
#define TOOL_TIME_EXPECTED "a date such as 2026-11-23, or a time such as 2026-11-23T10:00:00Z"

/* What came of a message's decision. */
struct tool_decided {
    const char *id;       /* its queue id */
    const char *instance; /* of the MTA that it is in, or NULL */
    int code;             /* an exit code */
    const char *said;     /* a sentence without its queue id */
};

/* Prints it to `stream`.  `tool` is that of its place, or NULL. */
void tool_print_decided(const struct tool *tool, FILE *stream, const struct tool_decided *decided);

/* Where the message is that an object is about: the members `node` and `instance`, each if there is one. */
void tool_json_place(JsonBuilder *json, const struct tool *tool, const char *instance);

/* Prints text to standard output. */
void tool_print(const GString *text);

/* Prints an error on standard error, and returns `code`. */
int tool_error(int code, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Prints the diagnostics of a file on standard error, each with its line and a caret. */
void tool_diags(const struct diags *diags);

/* The same as tool_error for the ledger: 4 if it may not be read, 1 if a person has to act, 75 if it may pass. */
int tool_ledger_error(const struct database_error *error);

/* Whose files are trusted: the daemon's user; without such a user the one who asks. */
uid_t tool_daemon_user(const struct tool *tool);

/* The ledger that the configuration names, for ledger_close; NULL with `error`. */
struct ledger *tool_open_ledger(const struct tool *tool, struct database_error *error);

/* The current ledger and queue, reconciled.  NULL after an error was reported; `status` is its exit code.
 */
struct view *tool_view(struct tool *tool, int *status);

/* The queue of an MTA, or of the one that is found if none is named; `configuration` replaces the one that
 * [review] names, unless it is NULL.  NULL with `error` if there is none. */
struct queue *tool_queue(const struct tool *tool, enum mta mta, const char *configuration, char **error);

/* The tool of the place where an item is held. */
struct tool *tool_at(struct tool *tool, const struct view_item *item);

/* Why what is in the message itself is not here: another node has it.  For g_free; NULL: it is here. */
char *tool_elsewhere(const struct tool *tool, const char *id, const char *option);

/* The id that means this message here: "ID", or of another node "NODE:ID".  For g_free. */
char *tool_full_id(const struct tool *tool, const char *id);

/* Makes queue ids bare, as they were typed or pasted; NULL: there are none. */
void tool_bare_ids(char **ids);

/* The row that a person means by a queue id, which may be INSTANCE/ID: the newest.  NULL after `status` was set;
 * nothing was said if it is EXITS_WRONG. */
struct ledger_row *tool_find(struct tool *tool, const char *queue_id, int *status);

/* How many reviewers a release of this message needs. */
unsigned tool_approvals_needed(const struct tool *tool, const struct ledger_row *row);

#endif
