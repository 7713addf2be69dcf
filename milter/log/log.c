/* log - see log.h */

#include "milter/log/log.h"

#include "milter/log/journal.h"
#include "policy/base/escape.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_bool to_stderr = true;
static atomic_bool to_syslog = false;
static atomic_bool to_journal = false;
static atomic_bool as_json = false;
static struct journal_sender sender; /* written by log_open alone, before there are threads */

void log_open(const char *program, int facility)
{
    openlog(program, LOG_PID | LOG_NDELAY, facility);
    sender = (struct journal_sender){.program = program, .facility = facility};
    atomic_store(&to_journal, journal_found());
    atomic_store(&to_syslog, true);
}

void log_as_json(bool yes)
{
    atomic_store(&as_json, yes);
}

void log_to_stderr(bool yes)
{
    atomic_store(&to_stderr, yes);
}

/* One system call, so that the lines of several threads do not run into each other. */
static void write_stderr(const char *text, size_t length, bool newline)
{
    struct iovec parts[2] = {{(void *)text, length}, {(void *)"\n", 1}};
    ssize_t written = writev(STDERR_FILENO, parts, newline ? 2 : 1);
    (void)written; /* there is nobody to tell */
}

static void deliver(const struct entry *entry, const char *line)
{
    if (atomic_load(&to_syslog) && !(atomic_load(&to_journal) && journal_send(&sender, entry, line)))
        syslog(entry->priority, "%s", line);
    if (atomic_load(&to_stderr))
        write_stderr(line, strlen(line), true);
}

void log_entry(const struct entry *entry)
{
    g_autoptr(GString) line = g_string_sized_new(ENTRY_LINE_LIMIT + 8);
    if (atomic_load(&as_json))
        entry_json(line, entry);
    else
        entry_line(line, entry);
    deliver(entry, line->str);
}

/* What the words hold is the message of JSON as it is, and escaped in the line of text. */
static void deliver_words(struct entry *entry, const char *words)
{
    if (atomic_load(&as_json)) {
        entry->message = words;
        log_entry(entry);
        return;
    }
    g_autofree char *line = text_printable(words, LOG_LINE_LIMIT);
    deliver(entry, line);
}

void log_line(int priority, const char *format, ...)
{
    va_list arguments;
    struct entry entry = {.kind = ENTRY_OTHER, .priority = priority};
    va_start(arguments, format);
    g_autofree char *words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    deliver_words(&entry, words);
}

void log_event(struct entry *entry, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    deliver_words(entry, words);
}

static int diag_priority(const struct diag *diag)
{
    return diag->level == DIAG_ERROR ? LOG_ERR : LOG_WARNING;
}

void log_diags(const struct diags *diags, const char *lead)
{
    for (unsigned i = 0; i < diags_count(diags); i++) {
        const struct diag *diag = diags_get(diags, i);
        g_autofree char *line = diag_format_line(diag);
        struct entry entry = {.kind = ENTRY_DIAGNOSTIC, .priority = diag_priority(diag)};
        log_event(&entry, "%s%s", lead, line);
    }
}

void log_diags_shown(const struct diags *diags)
{
    bool person = atomic_exchange(&to_stderr, false);
    log_diags(diags, "");
    atomic_store(&to_stderr, person);
    for (unsigned i = 0; person && i < diags_count(diags); i++) {
        g_autofree char *text = diag_format(diags_get(diags, i));
        write_stderr(text, strlen(text), false);
    }
}
