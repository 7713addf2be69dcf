/* postfix_trace - see postfix_trace.h */

#include "milter/postfix/postfix_trace.h"

#include "milter/postfix/postfix_commands.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a syslog daemon writes mail's lines, if Postfix does not write them itself. */
static const char *const logs[] = {"/var/log/mail.log", "/var/log/maillog"};

/* What a syslog daemon has not written to for longer, in seconds, was left by one that is gone: the journal has the
 * lines. */
#define STALE 86400

/* How long the new id is looked for, and between two looks, in microseconds. */
#define PATIENCE (10 * G_USEC_PER_SEC)
#define LOOK     (20 * 1000)
#define LOOK_AT  (200 * 1000) /* at the queue: a command each time */

/* What is read of the log in one look; a busy one has written less meanwhile. */
#define LOG_LIMIT (4u * 1024 * 1024)

struct postfix_trace {
    struct queue *queue;
    const struct queue_entry *entry;
    int log;          /* descriptor, at what was its end; or -1 */
    GString *lines;   /* what was written since */
    gint64 since;     /* without a log: from when on the journal is read, in seconds; 0: there is none */
    GHashTable *seen; /* without a log: ids that were in the queue before */
};

static int open_log(const char *path, gint64 stale)
{
    struct stat status;
    int log = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (log == -1)
        return -1;
    if (fstat(log, &status) == -1 || !S_ISREG(status.st_mode) || lseek(log, 0, SEEK_END) == -1 ||
        status.st_mtime < stale) {
        close(log);
        return -1;
    }
    return log;
}

static int find_log(struct queue *queue)
{
    g_autofree char *error = NULL;
    const char *own = postfix_parameter(queue, POSTFIX_MAIL_LOG, &error);
    if (own != NULL && own[0] != '\0')
        return open_log(own, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(logs); i++) {
        int log = open_log(logs[i], g_get_real_time() / G_USEC_PER_SEC - STALE);
        if (log != -1)
            return log;
    }
    return -1;
}

static GPtrArray *list(struct queue *queue)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)queue_entry_free);
    g_autofree char *error = NULL;
    postfix_list(queue, true, entries, &error);
    return entries;
}

struct postfix_trace *postfix_trace_begin(struct queue *queue, const struct queue_entry *entry)
{
    struct postfix_trace *trace = g_new0(struct postfix_trace, 1);
    trace->queue = queue;
    trace->entry = entry;
    trace->lines = g_string_new(NULL);
    trace->log = find_log(queue);
    if (trace->log != -1)
        return trace;
    g_autofree char *journal = program_find("journalctl", false);
    trace->since = journal == NULL ? 0 : g_get_real_time() / G_USEC_PER_SEC;
    trace->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) entries = list(queue);
    for (guint i = 0; i < entries->len; i++) {
        const struct queue_entry *other = g_ptr_array_index(entries, i);
        g_hash_table_add(trace->seen, g_strdup(other->id));
    }
    return trace;
}

void postfix_trace_end(struct postfix_trace *trace)
{
    if (trace->log != -1)
        close(trace->log);
    if (trace->seen != NULL)
        g_hash_table_unref(trace->seen);
    g_string_free(trace->lines, TRUE);
    g_free(trace);
}

static void read_log(struct postfix_trace *trace)
{
    char piece[8192];
    ssize_t length;
    while (trace->lines->len < LOG_LIMIT && (length = read(trace->log, piece, sizeof piece)) > 0)
        g_string_append_len(trace->lines, piece, length);
}

/*
 * `... postfix/pickup[123]: NEW: uid=102 from=<ann@corp.example> orig_id=OLD`.  The
 * sender is a stranger's, so the old id counts at the line's end only.
 */
static char *find_in_lines(const struct postfix_trace *trace)
{
    g_autofree char *id = g_regex_escape_string(trace->entry->id, -1);
    g_autofree char *text = g_strdup_printf("/pickup\\[\\d+\\]: ([0-9A-Za-z]+): uid=\\d+ from=<.*> orig_id=%s$", id);
    g_autoptr(GRegex) regex = g_regex_new(text, G_REGEX_MULTILINE | G_REGEX_RAW, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    if (regex == NULL || !g_regex_match_full(regex, trace->lines->str, (gssize)trace->lines->len, 0, 0, &match, NULL))
        return NULL;
    return g_match_info_fetch(match, 1);
}

static char *find_in_log(struct postfix_trace *trace)
{
    read_log(trace);
    return find_in_lines(trace);
}

/* Where Postfix logs by syslog(3), and nobody but journald reads that. */
static char *find_in_journal(struct postfix_trace *trace)
{
    g_autofree char *since = g_strdup_printf("--since=@%" G_GINT64_FORMAT, trace->since);
    const char *const arguments[] = {"journalctl", "--quiet",           "--no-pager", "--output=short",
                                     since,        "SYSLOG_FACILITY=2", NULL};
    const struct program program = {.arguments = arguments, .take = program_collect, .data = trace->lines};
    g_autofree char *error = NULL;
    g_string_truncate(trace->lines, 0);
    if (trace->since == 0)
        return NULL;
    if (program_run(&program, &error) == -1)
        trace->since = 0;
    return find_in_lines(trace);
}

/* A message that was not there before and arrived when this one did.  Two such tell nothing. */
static char *find_in_queue(const struct postfix_trace *trace)
{
    g_autoptr(GPtrArray) entries = list(trace->queue);
    const char *found = NULL;
    for (guint i = 0; i < entries->len; i++) {
        const struct queue_entry *other = g_ptr_array_index(entries, i);
        if (other->arrival != trace->entry->arrival || strcmp(other->sender, trace->entry->sender) != 0 ||
            g_hash_table_contains(trace->seen, other->id))
            continue;
        if (found != NULL)
            return NULL;
        found = other->id;
    }
    return g_strdup(found);
}

char *postfix_trace_find(struct postfix_trace *trace)
{
    gint64 end = g_get_monotonic_time() + PATIENCE;
    for (;;) {
        char *id = trace->log != -1 ? find_in_log(trace) : find_in_journal(trace);
        if (id == NULL && trace->log == -1)
            id = find_in_queue(trace);
        if (id != NULL || g_get_monotonic_time() > end)
            return id;
        g_usleep(trace->log != -1 ? LOOK : LOOK_AT);
    }
}
