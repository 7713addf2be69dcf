/*
 * postfix_trace - finds the new queue id of a requeued message.
 *
 * postsuper -r does not report it.  pickup(8) logs it as `NEW: ... orig_id=OLD`, to a file
 * or to the journal; where there is no such log to read, the message may still be seen in the queue, where it
 * keeps its sender and the time when it arrived.
 *
 * Ownership: postfix_trace_end frees a trace.
 */
#ifndef RCPTGUARD_POSTFIX_TRACE_H
#define RCPTGUARD_POSTFIX_TRACE_H

#include "milter/queue/queue.h"

struct postfix_trace;

/* Before the message is requeued.  Never NULL. */
struct postfix_trace *postfix_trace_begin(struct queue *queue, const struct queue_entry *entry);

/* After pickup was notified.  The new id, for g_free, or NULL if it does not show within three seconds. */
char *postfix_trace_find(struct postfix_trace *trace);

void postfix_trace_end(struct postfix_trace *trace);

#endif
