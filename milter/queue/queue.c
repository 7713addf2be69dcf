/* queue - see queue.h */

#include "milter/queue/queue.h"

#include <string.h>

void queue_entry_free(struct queue_entry *entry)
{
    if (entry == NULL)
        return;
    g_free(entry->id);
    g_free(entry->sender);
    g_free(entry);
}

void queue_outcome_clear(struct queue_outcome *outcome)
{
    g_clear_pointer(&outcome->requeued, g_free);
    g_clear_pointer(&outcome->detail, g_free);
}

static const struct queue_driver *driver_find(const struct queue_driver *const *drivers, enum mta mta)
{
    while (*drivers != NULL && (*drivers)->mta != mta)
        drivers++;
    return *drivers;
}

static struct queue *queue_new(const struct queue_driver *driver, const struct queue_place *places)
{
    struct queue *queue = g_new0(struct queue, 1);
    queue->driver = driver;
    queue->configuration = g_strdup(places[driver->mta].configuration);
    queue->command = g_strdup(places[driver->mta].command);
    queue->facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return queue;
}

/* Of several that are installed. */
static unsigned choose(GPtrArray *queues, enum mta last)
{
    unsigned running = 0, the_running = 0, the_last = 0;
    for (guint i = 0; i < queues->len; i++) {
        struct queue *queue = g_ptr_array_index(queues, i);
        if (queue->driver->is_running(queue)) {
            running++;
            the_running = i;
        }
        if (queue->driver->mta == last)
            the_last = i;
    }
    return running == 1 ? the_running : the_last;
}

static struct queue *queue_guess(const struct queue_choice *choice)
{
    g_autoptr(GPtrArray) queues = g_ptr_array_new_with_free_func((GDestroyNotify)queue_close);
    for (const struct queue_driver *const *driver = choice->drivers; *driver != NULL; driver++) {
        struct queue *queue = queue_new(*driver, choice->places);
        if (queue->driver->is_installed(queue))
            g_ptr_array_add(queues, queue);
        else
            queue_close(queue);
    }
    if (queues->len == 0)
        return NULL;
    return g_ptr_array_steal_index(queues, queues->len == 1 ? 0 : choose(queues, choice->last));
}

struct queue *queue_open(const struct queue_choice *choice, char **error)
{
    const struct queue_driver *driver = driver_find(choice->drivers, choice->mta);
    struct queue *queue = driver != NULL ? queue_new(driver, choice->places) : queue_guess(choice);
    if (queue == NULL)
        *error = g_strdup("no MTA is installed whose queue this program knows");
    return queue;
}

void queue_close(struct queue *queue)
{
    if (queue == NULL)
        return;
    if (queue->driver->forget != NULL)
        queue->driver->forget(queue->state);
    g_hash_table_unref(queue->facts);
    g_free(queue->configuration);
    g_free(queue->command);
    g_free(queue);
}

/* `hfID`, as ls(1) shows a queue: no id begins with a small letter that is so long and ends with as many digits. */
static bool is_control_file(const char *text, size_t length)
{
    if (length < 16 || !g_ascii_islower(text[0]) || text[1] != 'f')
        return false;
    for (size_t i = length - 6; i < length; i++) {
        if (!g_ascii_isdigit(text[i]))
            return false;
    }
    return true;
}

/*
 * mailq of Postfix: `!` on hold, `*` active, `#` to be expired; of Sendmail: `*` being tried, `-` and `?` not yet.
 * Logs: `ID:`, `(ID)`, `<ID>`.  No queue id has a mark.
 */
char *queue_id_bare(const char *text)
{
    static const char before[] = " \t\r\n<([{\"'`", after[] = " \t\r\n>)]}\"'`!*#?-:,;.";
    const char *begin = text + strspn(text, before), *end = begin + strlen(begin);
    while (end > begin && strchr(after, end[-1]) != NULL)
        end--;
    if (is_control_file(begin, (size_t)(end - begin)))
        begin += 2;
    return end > begin ? g_strndup(begin, (size_t)(end - begin)) : g_strdup(text);
}

enum mta queue_mta(const struct queue *queue)
{
    return queue->driver->mta;
}

const char *queue_name(const struct queue *queue)
{
    return queue->driver->name;
}

GPtrArray *queue_held(struct queue *queue, char **error)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)queue_entry_free);
    if (queue->driver->held(queue, entries, error) == -1) {
        g_ptr_array_unref(entries);
        return NULL;
    }
    for (guint i = 0; i < entries->len; i++) {
        struct queue_entry *entry = g_ptr_array_index(entries, i);
        entry->unique = queue->driver->id_is_unique(entry->id);
    }
    return entries;
}

enum queue_answer queue_raw(struct queue *queue, const char *id, bool body, program_take take, void *data, char **error)
{
    if (!queue->driver->id_is_sound(id))
        return QUEUE_ABSENT;
    return queue->driver->raw(queue, id, body, take, data, error);
}

struct message *queue_parse(const struct queue_driver *const *drivers, enum mta mta, const char *raw, size_t length)
{
    const struct queue_driver *driver = driver_find(drivers, mta);
    return driver == NULL ? message_new() : driver->parse(raw, length);
}

enum queue_answer queue_release(struct queue *queue, const struct queue_entry *entry, gint64 now,
                                struct queue_outcome *outcome, char **error)
{
    if (!queue->driver->id_is_sound(entry->id))
        return QUEUE_ABSENT;
    return queue->driver->release(queue, entry, now, outcome, error);
}

enum queue_answer queue_return(struct queue *queue, const struct queue_entry *entry, struct queue_outcome *outcome,
                               char **error)
{
    if (!queue->driver->id_is_sound(entry->id))
        return QUEUE_ABSENT;
    return queue->driver->give_back(queue, entry, outcome, error);
}

enum queue_answer queue_delete(struct queue *queue, const struct queue_entry *entry, char **error)
{
    if (!queue->driver->id_is_sound(entry->id))
        return QUEUE_ABSENT;
    return queue->driver->drop(queue, entry, error);
}

void queue_hurry(struct queue *queue, const struct queue_entry *entry, gint64 now)
{
    if (queue->driver->id_is_sound(entry->id))
        queue->driver->hurry(queue, entry, now);
}

int queue_send(struct queue *queue, const char *sender, const char *recipient, const char *text, size_t length,
               char **error)
{
    return queue->driver->send(queue, sender, recipient, text, length, error);
}
