/* queue_union - see queue_union.h */

#include "milter/queue/queue_union.h"

#include "milter/common/conf.h"
#include "policy/base/keyed_hash.h"

#include <string.h>

/* The state of such a queue, which frees it. */
struct members {
    struct queue_driver driver; /* that of the MTA, but for what is done for several */
    GPtrArray *queues;          /* struct queue *, each with its name */
};

static GPtrArray *queues_of(const struct queue *queue)
{
    const struct members *members = queue->state;
    return members->queues;
}

static void forget(gpointer state)
{
    struct members *members = state;
    g_ptr_array_unref(members->queues);
    g_free(members);
}

static struct queue *member(struct queue *queue, const char *instance)
{
    GPtrArray *queues = queues_of(queue);
    for (guint i = 0; i < queues->len; i++) {
        struct queue *one = g_ptr_array_index(queues, i);
        if (instance == NULL || strcmp(one->name, instance) == 0)
            return one;
    }
    return NULL;
}

/* ---- what is on hold */

static void add_unread(struct queue *queue, const char *instance, char *why)
{
    struct queue_unread *unread = g_new(struct queue_unread, 1);
    *unread = (struct queue_unread){.instance = g_strdup(instance), .why = why};
    g_ptr_array_add(queue->unread, unread);
}

/* Ids that several have, each in its own file system, are no longer those of one message. */
static void mark_shared(const GPtrArray *entries)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(hash_string, g_str_equal);
    for (guint i = 0; i < entries->len; i++) {
        struct queue_entry *entry = g_ptr_array_index((GPtrArray *)entries, i);
        struct queue_entry *other = g_hash_table_lookup(seen, entry->id);
        if (other != NULL)
            other->shared = entry->shared = true;
        else
            g_hash_table_insert(seen, entry->id, entry);
    }
}

static int held(struct queue *queue, GPtrArray *entries, char **error)
{
    GPtrArray *queues = queues_of(queue);
    for (guint i = 0; i < queues->len; i++) {
        struct queue *one = g_ptr_array_index(queues, i);
        guint before = entries->len;
        char *why = NULL;
        if (one->driver->held(one, entries, &why) == -1) {
            g_ptr_array_set_size(entries, (int)before);
            add_unread(queue, one->name, why);
        }
        for (guint j = before; j < entries->len; j++) {
            struct queue_entry *entry = g_ptr_array_index(entries, j);
            entry->instance = g_strdup(one->name);
        }
    }
    mark_shared(entries);
    if (queue->unread->len < queues->len)
        return 0;
    *error = queue_trouble(queue);
    return -1;
}

/* ---- what is not known to be of one of them */

static void hurry(struct queue *queue, const struct queue_entry *entry, gint64 now)
{
    GPtrArray *queues = queues_of(queue);
    for (guint i = 0; i < queues->len; i++) {
        struct queue *one = g_ptr_array_index(queues, i);
        one->driver->hurry(one, entry, now);
    }
}

static int submit(struct queue *queue, const char *sender, const char *recipient, const char *text, size_t length,
                  char **error)
{
    struct queue *first = member(queue, NULL);
    return first->driver->send(first, sender, recipient, text, length, error);
}

/* ---- making one */

char **queue_configurations(const struct queue_driver *driver, const char *const *names, char **error)
{
    if (names == NULL || g_strcmp0(names[0], CONFIG_ALL_INSTANCES) != 0 || driver->instances == NULL)
        return names == NULL ? g_new0(char *, 1) : g_strdupv((char **)names);
    return driver->instances(error);
}

/* One that is broken has the name of its directory, by which its messages are known once it is sound; its queue says
 * what is wrong with it. */
static void name_member(struct queue *one)
{
    g_autofree char *error = NULL;
    if (one->driver->identify(one, &error) == 0)
        return;
    g_free(one->name);
    one->name = g_path_get_basename(one->configuration);
}

/* Names that two have are none. */
static void name_apart(const GPtrArray *queues)
{
    for (guint i = 0; i < queues->len; i++) {
        const struct queue *one = g_ptr_array_index((GPtrArray *)queues, i);
        g_autofree char *name = g_strdup(one->name);
        bool twice = false;
        for (guint j = i + 1; j < queues->len; j++) {
            struct queue *other = g_ptr_array_index((GPtrArray *)queues, j);
            if (strcmp(other->name, name) != 0)
                continue;
            twice = true;
            g_free(other->name);
            other->name = g_strdup(other->configuration);
        }
        if (twice) {
            struct queue *first = g_ptr_array_index((GPtrArray *)queues, i);
            g_free(first->name);
            first->name = g_strdup(first->configuration);
        }
    }
}

/* Each message would be there twice. */
static char *same_spool(const GPtrArray *queues)
{
    for (guint i = 0; i < queues->len; i++) {
        const struct queue *one = g_ptr_array_index((GPtrArray *)queues, i);
        for (guint j = i + 1; one->spool != NULL && j < queues->len; j++) {
            const struct queue *other = g_ptr_array_index((GPtrArray *)queues, j);
            if (g_strcmp0(one->spool, other->spool) == 0)
                return g_strdup_printf("%s and %s are no two instances: both have the queue %s", one->configuration,
                                       other->configuration, one->spool);
        }
    }
    return NULL;
}

static struct queue *unite(const struct queue_driver *driver, char **configurations, const char *command, char **error)
{
    g_autoptr(GPtrArray) queues = g_ptr_array_new_with_free_func((GDestroyNotify)queue_close);
    for (char **each = configurations; *each != NULL; each++) {
        struct queue *one = queue_new(driver, *each, command);
        g_ptr_array_add(queues, one);
        name_member(one);
    }
    name_apart(queues);
    *error = same_spool(queues);
    if (*error != NULL)
        return NULL;
    struct members *members = g_new(struct members, 1);
    members->driver = *driver;
    members->driver.forget = forget;
    members->driver.member = member;
    members->driver.held = held;
    members->driver.hurry = hurry;
    members->driver.send = submit;
    members->queues = g_steal_pointer(&queues);
    struct queue *queue = queue_new(&members->driver, configurations[0], command);
    queue->state = members;
    return queue;
}

struct queue *queue_union_open(const struct queue_choice *choice, char **error)
{
    auto_free(queue) queue = queue_open(choice, error);
    if (queue == NULL || queue->driver->identify == NULL)
        return g_steal_pointer(&queue);
    const struct queue_place *place = &choice->places[queue_mta(queue)];
    g_auto(GStrv) configurations = queue_configurations(queue->driver, place->configurations, error);
    if (configurations == NULL)
        return NULL;
    guint count = g_strv_length(configurations);
    if (count > 1)
        return unite(queue->driver, configurations, place->command, error);
    if (count == 1 && g_strcmp0(queue->configuration, configurations[0]) != 0)
        return queue_new(queue->driver, configurations[0], place->command);
    return g_steal_pointer(&queue);
}
