/* log - see log.h */

#include "log.h"

#include "text.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_bool to_stderr = true;
static atomic_bool to_syslog = false;

void log_open(const char *program, int facility)
{
    openlog(program, LOG_PID | LOG_NDELAY, facility);
    atomic_store(&to_syslog, true);
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

void log_printable(int priority, const char *line)
{
    if (atomic_load(&to_syslog))
        syslog(priority, "%s", line);
    if (atomic_load(&to_stderr))
        write_stderr(line, strlen(line), true);
}

void log_line(int priority, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = text_printable(text, LOG_LINE_LIMIT);
    log_printable(priority, line);
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
        log_line(diag_priority(diag), "%s%s", lead, line);
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
