/* queue - see queue.h */

#include "milter/queue/queue.h"

#include "milter/common/conf.h"

#include <string.h>

void queue_entry_free(struct queue_entry *entry)
{
    if (entry == NULL)
        return;
    g_free(entry->id);
    g_free(entry->instance);
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

static void unread_free(gpointer data)
{
    struct queue_unread *unread = data;
    g_free(unread->instance);
    g_free(unread->why);
    g_free(unread);
}

struct queue *queue_new(const struct queue_driver *driver, const char *configuration, const char *command)
{
    struct queue *queue = g_new0(struct queue, 1);
    queue->driver = driver;
    queue->configuration = g_strdup(configuration);
    queue->command = g_strdup(command);
    queue->facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    queue->unread = g_ptr_array_new_with_free_func(unread_free);
    return queue;
}

static struct queue *open_place(const struct queue_driver *driver, const struct queue_place *places)
{
    const struct queue_place *place = &places[driver->mta];
    const char *first = place->configurations == NULL ? NULL : place->configurations[0];
    return queue_new(driver, g_strcmp0(first, CONFIG_ALL_INSTANCES) == 0 ? NULL : first, place->command);
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
        struct queue *queue = open_place(*driver, choice->places);
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
    struct queue *queue = driver != NULL ? open_place(driver, choice->places) : queue_guess(choice);
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
    g_ptr_array_unref(queue->unread);
    g_free(queue->name);
    g_free(queue->spool);
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

bool queue_is_several(const struct queue *queue)
{
    return queue->driver->member != NULL;
}

/* NULL: there is none of that name. */
static struct queue *member_of(struct queue *queue, const char *instance)
{
    return queue_is_several(queue) ? queue->driver->member(queue, instance) : queue;
}

struct queue *queue_of(struct queue *queue, const char *instance)
{
    struct queue *found = member_of(queue, instance);
    return found != NULL ? found : member_of(queue, NULL);
}

bool queue_has(struct queue *queue, const char *instance)
{
    return instance != NULL && queue_is_several(queue) && member_of(queue, instance) != NULL;
}

bool queue_sees(struct queue *queue, const char *instance)
{
    for (guint i = 0; i < queue->unread->len; i++) {
        const struct queue_unread *unread = g_ptr_array_index(queue->unread, i);
        if (!queue_has(queue, instance) || strcmp(unread->instance, instance) == 0)
            return false;
    }
    return true;
}

bool queue_is_elsewhere(struct queue *queue, const char *instance, const struct queue_entry *entry)
{
    return entry->instance != NULL && queue_has(queue, instance) && strcmp(instance, entry->instance) != 0;
}

char *queue_trouble(const struct queue *queue)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < queue->unread->len; i++) {
        const struct queue_unread *unread = g_ptr_array_index(queue->unread, i);
        g_string_append_printf(text, "%sthe queue of %s cannot be read: %s", i > 0 ? "; " : "", unread->instance,
                               unread->why);
    }
    bool none = text->len == 0;
    char *said = g_string_free(text, none);
    return none ? NULL : said;
}

GPtrArray *queue_held(struct queue *queue, char **error)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)queue_entry_free);
    g_ptr_array_set_size(queue->unread, 0);
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

/* Where a message is; NULL: nowhere, and no command is given its id. */
static struct queue *place_of(struct queue *queue, const struct queue_entry *entry)
{
    return queue->driver->id_is_sound(entry->id) ? member_of(queue, entry->instance) : NULL;
}

enum queue_answer queue_raw(struct queue *queue, const struct queue_entry *entry, bool body, program_take take,
                            void *data, char **error)
{
    struct queue *place = place_of(queue, entry);
    return place == NULL ? QUEUE_ABSENT : place->driver->raw(place, entry->id, body, take, data, error);
}

struct message *queue_parse(const struct queue_driver *const *drivers, enum mta mta, const char *raw, size_t length)
{
    const struct queue_driver *driver = driver_find(drivers, mta);
    return driver == NULL ? message_new() : driver->parse(raw, length);
}

enum queue_answer queue_release(struct queue *queue, const struct queue_entry *entry, gint64 now,
                                struct queue_outcome *outcome, char **error)
{
    struct queue *place = place_of(queue, entry);
    return place == NULL ? QUEUE_ABSENT : place->driver->release(place, entry, now, outcome, error);
}

enum queue_answer queue_return(struct queue *queue, const struct queue_entry *entry, struct queue_outcome *outcome,
                               char **error)
{
    struct queue *place = place_of(queue, entry);
    return place == NULL ? QUEUE_ABSENT : place->driver->give_back(place, entry, outcome, error);
}

enum queue_answer queue_delete(struct queue *queue, const struct queue_entry *entry, char **error)
{
    struct queue *place = place_of(queue, entry);
    return place == NULL ? QUEUE_ABSENT : place->driver->drop(place, entry, error);
}

void queue_hurry(struct queue *queue, const struct queue_entry *entry, gint64 now)
{
    struct queue *place = queue_has(queue, entry->instance) ? member_of(queue, entry->instance) : queue;
    if (queue->driver->id_is_sound(entry->id))
        place->driver->hurry(place, entry, now);
}

int queue_send(struct queue *queue, const char *sender, const char *recipient, const char *text, size_t length,
               char **error)
{
    return queue->driver->send(queue, sender, recipient, text, length, error);
}
