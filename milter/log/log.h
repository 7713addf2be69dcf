/*
 * log - lines for the operators: syslog or the journal, and standard error while a person is there.
 *
 * Where /dev/log leads to journald, a line goes there by the journal's own
 * protocol, with its facts as fields (journal.h); journald hands it on to a
 * syslog daemon as it does with every other.  If there is no journald it is /dev/log.
 *
 * Nobody waits for a log: mail goes on while it is not read, is full or is gone.  A
 * line that is not taken at once is lost and counted.
 *
 * Any thread may log.  A line is one line: what is not printable is escaped
 * before it leaves, since syslog daemons disagree on what they do with it.
 */
#ifndef RCPTGUARD_LOG_H
#define RCPTGUARD_LOG_H

#include "milter/log/log_entry.h"
#include "policy/base/diagnostics.h"

#include <glib.h>
#include <stdbool.h>
#include <syslog.h>

/* Longest line in bytes; the rest is cut. */
#define LOG_LINE_LIMIT 2000

/*
 * How many lines were lost, since nobody read the log: nobody waits for one.  When it is read again, a line says how
 * many.
 */
guint64 log_lost(void);

/* Opens syslog as `program`, with a facility (LOG_MAIL, ...).  Before that, lines go to standard error alone. */
void log_open(const char *program, int facility);

/* Whether lines are JSON (log_entry.h) from now on, wherever they go; at the start they are text. */
void log_as_json(bool yes);

/* Whether lines go to standard error too: at the start, and with -f for good. */
void log_to_stderr(bool yes);

/* One line; `priority` is LOG_ERR, LOG_WARNING, LOG_NOTICE or LOG_INFO. */
void log_line(int priority, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The line of a message, which has its facts. */
void log_entry(const struct entry *entry);

/* A line of a kind other than ENTRY_OTHER, with its facts, which are also in the text. */
void log_event(struct entry *entry, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Each diagnostic as one line; `lead` precedes it ("reload: "), or is "". */
void log_diags(const struct diags *diags, const char *lead);

/* The same for a start: syslog has one line each, standard error the source line and the caret too. */
void log_diags_shown(const struct diags *diags);

#endif
