/*
 * postfix - Postfix's part of queue.h: postqueue(1), postcat(1), postsuper(1), postkick(1).
 */
#ifndef RCPTGUARD_POSTFIX_H
#define RCPTGUARD_POSTFIX_H

#include "queue.h"

extern const struct queue_driver postfix_queue_driver;

/* ---- for postfix_trace.c */

/* Where Postfix itself writes its log; "" if that is syslog's. */
#define POSTFIX_MAIL_LOG "maillog_file"

/* The value of one of the parameters that are asked for; owned by the queue.  NULL with `error`. */
const char *postfix_parameter(struct queue *queue, const char *name, char **error);

/* Adds every message that postqueue -j lists, or those on hold alone: struct queue_entry *.  0 or -1. */
int postfix_list(struct queue *queue, bool all, GPtrArray *entries, char **error);

#endif
