/* log - see log.h */

#include "milter/log/log.h"

#include "milter/log/journal.h"
#include "milter/log/log_socket.h"
#include "policy/base/escape.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_bool to_stderr = true;
static atomic_bool to_syslog = false;
static atomic_bool to_journal = false;
static atomic_bool as_json = false;
static struct log_sender sender; /* written by log_open alone, before there are threads */
/* What a thread writes before a line. */
struct head {
    time_t second;
    int priority;
    pid_t process;
    size_t length;
    char text[96];
};

static _Thread_local struct head last_head; /* of the line before */
static struct log_socket syslog_socket = {.path = "/dev/log", .descriptor = -1};
static _Atomic(guint64) lost = 0;     /* lines in all */
static _Atomic(guint64) lost_now = 0; /* since the last one that was taken */

void log_open(const char *program, int facility)
{
    sender = (struct log_sender){.program = program, .facility = facility};
    last_head.length = 0;
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

guint64 log_lost(void)
{
    return atomic_load(&lost);
}

/* Whether it was taken. */
static bool write_stderr(const char *text, size_t length, bool newline)
{
    struct iovec parts[2] = {{(void *)text, length}, {(void *)"\n", 1}};

    return log_write(STDERR_FILENO, parts, newline ? 2 : 1);
}

/* As syslog(3) does it: RFC 3164, 4.1, with the local time and no host. */
static void write_head(struct head *head, time_t now, int priority, pid_t process)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm local;

    localtime_r(&now, &local);
    int length =
        g_snprintf(head->text, sizeof head->text, "<%d>%.3s %2d %02d:%02d:%02d %s[%ld]: ", sender.facility | priority,
                   months + (ptrdiff_t)local.tm_mon * 3, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                   sender.program, (long)process);
    head->second = now;
    head->priority = priority;
    head->process = process;
    head->length = (size_t)length;
}

/* A thread that logs much writes the same before each line of a second. */
static enum log_sent send_to_syslog(const struct entry *entry, const char *line)
{
    struct head *head = &last_head;
    time_t now = time(NULL);
    pid_t process = getpid();

    if (head->length == 0 || head->second != now || head->priority != entry->priority || head->process != process)
        write_head(head, now, entry->priority, process);
    struct iovec parts[2] = {{head->text, head->length}, {(void *)line, strlen(line)}};
    return log_socket_send(&syslog_socket, parts, 2);
}

static enum log_sent send_line(const struct entry *entry, const char *line)
{
    enum log_sent sent = atomic_load(&to_journal) ? journal_send(&sender, entry, line) : LOG_AWAY;

    return sent == LOG_AWAY ? send_to_syslog(entry, line) : sent;
}

/* Once the log is read again: how many lines are missing before this one. */
static void say_lost(void)
{
    guint64 count = atomic_exchange(&lost_now, 0);
    struct entry entry = {.kind = ENTRY_OTHER, .priority = LOG_WARNING};
    char words[96];

    if (count == 0)
        return;
    g_snprintf(words, sizeof words, "log: %" G_GUINT64_FORMAT " line%s lost before this one, as nobody read the log",
               count, count == 1 ? " is" : "s are");
    entry.message = words;
    g_autoptr(GString) line = g_string_new(NULL);
    if (atomic_load(&as_json))
        entry_json(line, &entry);
    else
        g_string_append(line, words);
    enum log_sent sent = atomic_load(&to_syslog) ? send_line(&entry, line->str) : LOG_AWAY;
    bool shown = sent == LOG_AWAY && atomic_load(&to_stderr) && write_stderr(line->str, line->len, true);
    if (sent != LOG_SENT && !shown)
        atomic_fetch_add(&lost_now, count);
}

static void count_lost(void)
{
    atomic_fetch_add(&lost, 1);
    atomic_fetch_add(&lost_now, 1);
}

static void deliver(const struct entry *entry, const char *line)
{
    if (atomic_load(&lost_now) > 0)
        say_lost();
    bool syslog_too = atomic_load(&to_syslog);
    enum log_sent sent = syslog_too ? send_line(entry, line) : LOG_AWAY;
    if (sent == LOG_LOST) /* before it is seen elsewhere */
        count_lost();
    bool shown = atomic_load(&to_stderr) && write_stderr(line, strlen(line), true);
    /* Where there is no log daemon at all, standard error is the log if it is written. */
    if (syslog_too && sent == LOG_AWAY && !shown)
        count_lost();
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
