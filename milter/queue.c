/* queue - see queue.h */

#include "queue.h"

#include "postfix.h"

/* Those that there are. */
static const struct {
    const struct queue_driver *driver;
    const char *command; /* that only this MTA has */
} drivers[] = {
    {&postfix_queue_driver, POSTFIX_COMMAND},
};

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

static const struct queue_driver *driver_find(enum mta mta)
{
    for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
        if (drivers[i].driver->mta == mta)
            return drivers[i].driver;
    }
    return NULL;
}

static const struct queue_driver *driver_guess(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
        g_autofree char *path = program_find(drivers[i].command);
        if (path != NULL)
            return drivers[i].driver;
    }
    return NULL;
}

struct queue *queue_open(enum mta mta, const char *directory, char **error)
{
    const struct queue_driver *driver = mta == MTA_NONE ? driver_guess() : driver_find(mta);
    if (driver == NULL) {
        *error = g_strdup("no MTA is installed whose queue this program knows");
        return NULL;
    }
    struct queue *queue = g_new0(struct queue, 1);
    queue->driver = driver;
    queue->directory = g_strdup(directory);
    queue->facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return queue;
}

void queue_close(struct queue *queue)
{
    if (queue == NULL)
        return;
    g_hash_table_unref(queue->facts);
    g_free(queue->directory);
    g_free(queue);
}

enum mta queue_mta(const struct queue *queue)
{
    return queue->driver->mta;
}

const char *queue_name(const struct queue *queue)
{
    return queue->driver->name;
}

bool queue_id_is_sound(const struct queue *queue, const char *id)
{
    return queue->driver->id_is_sound(id);
}

GPtrArray *queue_held(struct queue *queue, char **error)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)queue_entry_free);
    if (queue->driver->held(queue, entries, error) == 0)
        return entries;
    g_ptr_array_unref(entries);
    return NULL;
}

enum queue_answer queue_raw(struct queue *queue, const char *id, bool body, program_take take, void *data, char **error)
{
    if (!queue->driver->id_is_sound(id))
        return QUEUE_ABSENT;
    return queue->driver->raw(queue, id, body, take, data, error);
}

struct message *queue_parse(enum mta mta, const char *raw, size_t length)
{
    const struct queue_driver *driver = driver_find(mta);
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

void queue_hurry(struct queue *queue, const char *id)
{
    if (queue->driver->id_is_sound(id))
        queue->driver->hurry(queue, id);
}

int queue_send(struct queue *queue, const char *sender, const char *recipient, const char *text, size_t length,
               char **error)
{
    return queue->driver->send(queue, sender, recipient, text, length, error);
}
