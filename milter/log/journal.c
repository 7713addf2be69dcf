/* journal - see journal.h */

#include "milter/log/journal.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define JOURNAL_FOLDER "/run/systemd/journal/"

static struct log_socket journal = {.path = JOURNAL_FOLDER "socket", .descriptor = -1};

/* Of a list's items, each is a field: that many at most. */
#define ITEMS_LIMIT 32

bool journal_found(void)
{
    char *path = realpath("/dev/log", NULL);
    bool found = path != NULL && g_str_has_prefix(path, JOURNAL_FOLDER);
    free(path);
    return found;
}

/* No value has a newline, since it would begin a field of somebody else's: it ends there. */
static void end_field(GString *fields, size_t start)
{
    char *newline = memchr(fields->str + start, '\n', fields->len - start);

    if (newline != NULL)
        g_string_truncate(fields, (gsize)(newline - fields->str));
    g_string_append_c(fields, '\n');
}

static void add(GString *fields, const char *name, const char *value)
{
    size_t start = fields->len;

    g_string_append_printf(fields, "%s=%s", name, value);
    end_field(fields, start);
}

static void append_name(GString *fields, const char *name)
{
    g_string_append(fields, "RCPTGUARD_");
    for (; *name != '\0'; name++)
        g_string_append_c(fields, *name == '-' ? '_' : g_ascii_toupper(*name));
    g_string_append_c(fields, '=');
}

/* A list is a field for each of its items, so that each can be looked for. */
static void add_fact(GString *fields, const struct fact *fact)
{
    unsigned count = fact->form == FACT_LIST && fact->count > 0 ? MIN(fact->count, ITEMS_LIMIT) : 1;

    for (unsigned i = 0; i < count; i++) {
        size_t start = fields->len;
        append_name(fields, fact->name);
        entry_append_value(fields, fact, i);
        end_field(fields, start);
    }
}

enum log_sent journal_send(const struct log_sender *sender, const struct entry *entry, const char *line)
{
    g_autoptr(GString) fields = g_string_sized_new(2 * ENTRY_LINE_LIMIT);

    add(fields, "MESSAGE", line);
    add(fields, "MESSAGE_ID", entry_kind_id(entry->kind));
    g_string_append_printf(fields, "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%ld\n",
                           entry->priority, LOG_FAC(sender->facility), sender->program, (long)getpid());
    if (entry->queue_id != NULL) {
        size_t start = fields->len;
        append_name(fields, "queue-id");
        entry_append_queue_id(fields, entry);
        end_field(fields, start);
    }
    for (unsigned i = 0; i < entry->count; i++)
        add_fact(fields, &entry->facts[i]);
    struct iovec datagram = {fields->str, fields->len};
    return log_socket_send(&journal, &datagram, 1);
}
