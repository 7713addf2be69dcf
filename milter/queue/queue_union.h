/*
 * queue_union - the queues of several instances of one MTA behind one daemon, as one queue: each entry
 * has the name of its instance, and what is done with it is done there.
 *
 * The instances need not be alike: each has a configuration, and the name that the MTA itself gives it,
 * or else that of the directory of its configuration.
 */
#ifndef RCPTGUARD_QUEUE_UNION_H
#define RCPTGUARD_QUEUE_UNION_H

#include "milter/queue/queue.h"

/*
 * The queue that a choice means, as queue_open; of all the configurations that its place names, or of all that the MTA
 * lists.  NULL with `error` if there is none, if the list cannot be had, or if two of them have the same messages.
 */
struct queue *queue_union_open(const struct queue_choice *choice, char **error);

/*
 * The configurations of an MTA that names stand for: these themselves or, for CONFIG_ALL_INSTANCES, all that it lists;
 * ended by NULL, for g_strfreev; of none it has none.  NULL with `error`.
 */
char **queue_configurations(const struct queue_driver *driver, const char *const *names, char **error);

#endif
