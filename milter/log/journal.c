/* journal - see journal.h */

#include <config.h>

#include "milter/log/journal.h"

#ifdef HAVE_SYSTEMD

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define JOURNAL_FOLDER "/run/systemd/journal/"
#define JOURNAL_SOCKET JOURNAL_FOLDER "socket"

/* The fields of every line, and one for each fact; of a list's items so many. */
#define ITEMS_LIMIT  32
#define FIELDS_LIMIT (8 + ENTRY_FACTS + 2 * ITEMS_LIMIT)

/* The fields one behind the other; the vectors are filled when no more comes, since the string moves. */
struct fields {
    GString *text;
    size_t starts[FIELDS_LIMIT + 1];
    unsigned count;
};

bool journal_found(void)
{
    char *path = realpath("/dev/log", NULL);
    bool found = path != NULL && g_str_has_prefix(path, JOURNAL_FOLDER);
    free(path);
    return found;
}

static bool begin(struct fields *fields)
{
    if (fields->count == FIELDS_LIMIT)
        return false;
    fields->starts[fields->count++] = fields->text->len;
    return true;
}

static void add(struct fields *fields, const char *name, const char *value)
{
    if (begin(fields))
        g_string_append_printf(fields->text, "%s=%s", name, value);
}

static void add_number(struct fields *fields, const char *name, long number)
{
    if (begin(fields))
        g_string_append_printf(fields->text, "%s=%ld", name, number);
}

static void append_name(GString *text, const char *name)
{
    g_string_append(text, "RCPTGUARD_");
    for (; *name != '\0'; name++)
        g_string_append_c(text, *name == '-' ? '_' : g_ascii_toupper(*name));
    g_string_append_c(text, '=');
}

/* A list is a field for each of its items, so that each can be looked for. */
static void add_fact(struct fields *fields, const struct fact *fact)
{
    unsigned count = fact->form == FACT_LIST && fact->count > 0 ? MIN(fact->count, ITEMS_LIMIT) : 1;
    for (unsigned i = 0; i < count && begin(fields); i++) {
        append_name(fields->text, fact->name);
        entry_append_value(fields->text, fact, i);
    }
}

static void add_entry(struct fields *fields, const struct journal_sender *sender, const struct entry *entry,
                      const char *line)
{
    add(fields, "MESSAGE", line);
    add(fields, "MESSAGE_ID", entry_kind_id(entry->kind));
    add_number(fields, "PRIORITY", entry->priority);
    add_number(fields, "SYSLOG_FACILITY", LOG_FAC(sender->facility));
    add(fields, "SYSLOG_IDENTIFIER", sender->program);
    add_number(fields, "SYSLOG_PID", (long)getpid());
    if (entry->queue_id != NULL && begin(fields)) {
        append_name(fields->text, "queue-id");
        entry_append_queue_id(fields->text, entry);
    }
    for (unsigned i = 0; i < entry->count; i++)
        add_fact(fields, &entry->facts[i]);
}

bool journal_send(const struct journal_sender *sender, const struct entry *entry, const char *line)
{
    /* sd_journal_sendv calls it a success when there is no such socket. */
    if (access(JOURNAL_SOCKET, W_OK) == -1)
        return false;
    g_autoptr(GString) text = g_string_sized_new(2 * ENTRY_LINE_LIMIT);
    struct fields fields = {.text = text};
    struct iovec vectors[FIELDS_LIMIT];
    add_entry(&fields, sender, entry, line);
    fields.starts[fields.count] = text->len;
    for (unsigned i = 0; i < fields.count; i++) {
        vectors[i].iov_base = text->str + fields.starts[i];
        vectors[i].iov_len = fields.starts[i + 1] - fields.starts[i];
    }
    return sd_journal_sendv(vectors, (int)fields.count) == 0;
}

#else

bool journal_found(void)
{
    return false;
}

bool journal_send(const struct journal_sender *sender, const struct entry *entry, const char *line)
{
    (void)sender;
    (void)entry;
    (void)line;
    return false;
}

#endif
