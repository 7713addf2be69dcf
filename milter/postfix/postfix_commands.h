/*
 * postfix_commands - runs Postfix's commands for a queue: postconf(1), postqueue(1)
 * and whatever else the callers name.
 */
#ifndef RCPTGUARD_POSTFIX_COMMANDS_H
#define RCPTGUARD_POSTFIX_COMMANDS_H

#include "milter/queue/queue.h"

/*
 * Runs the command `words`, ended by NULL, for a queue; `program`, or NULL, has everything else: see program_run.
 * 0, or -1 with `error`.
 */
int postfix_run(const struct queue *queue, const char *const *words, const struct program *program, char **error);

/* Whether a command may be given this queue id: "ALL" is all messages to postsuper(1), "-" standard input. */
bool postfix_id_is_sound(const char *id);

/* Whether it is a long one (enable_long_queue_ids): its seconds, microseconds and inode make it unique. */
bool postfix_id_is_unique(const char *id);

/* Where Postfix itself writes its log; "" if that is syslog's. */
#define POSTFIX_MAIL_LOG "maillog_file"

/* What an instance calls itself, "" if it has no name; and where its messages are. */
#define POSTFIX_INSTANCE "multi_instance_name"
#define POSTFIX_SPOOL    "queue_directory"

/* As identify and instances of struct queue_driver: the second is what `postmulti -l` lists. */
int postfix_identify(struct queue *queue, char **error);
char **postfix_instances(char **error);

/* The value of one of the parameters that are asked for; owned by the queue.  NULL with `error`. */
const char *postfix_parameter(struct queue *queue, const char *name, char **error);

/* Adds every message that postqueue -j lists, or those on hold alone: struct queue_entry *.  0 or -1. */
int postfix_list(struct queue *queue, bool all, GPtrArray *entries, char **error);

#endif
