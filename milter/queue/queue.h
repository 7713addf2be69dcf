/*
 * queue - the MTA's queue: which messages are on hold, what is in one of them,
 * and what can be done with it.  What differs between MTAs is one small table of
 * functions; mtas.c has one row for each.
 *
 * All of it runs the MTA's own commands, and needs the rights that these need.
 *
 * Ownership: queue_close frees a queue.  Entries free their strings.  Errors are
 * one printable line, for g_free.
 */
#ifndef RCPTGUARD_QUEUE_H
#define RCPTGUARD_QUEUE_H

#include "policy/base/cleanup.h"
#include "policy/cli/run_program.h"
#include "policy/message/message.h"

#include <glib.h>
#include <stdbool.h>

/* A message on hold. */
struct queue_entry {
    char *id;
    char *instance; /* of several of the MTA, the one in whose queue it is; NULL: there is one queue alone */
    bool shared;    /* another instance has a message of this id */
    bool unique;    /* the MTA gives this id to no other message: it has the time in it */
    gint64 arrival; /* seconds since 1970: when the MTA began to take it */
    char *sender;   /* envelope sender; "" is the null sender */
    gint64 size;    /* bytes */
    unsigned recipients;
};

void queue_entry_free(struct queue_entry *entry);
AUTO_FREE_DEFINE(queue_entry, queue_entry_free)

enum queue_answer {
    QUEUE_FAILED = -1, /* a command failed: `error` says how; the message is where it was */
    QUEUE_DONE,
    QUEUE_ABSENT, /* there is no such message on hold */
};

/* Further results of an action; each may be NULL.  Filled only with QUEUE_DONE. */
struct queue_outcome {
    char *requeued; /* the queue id that the message has now */
    char *detail;   /* what else is recorded, in words */
};

void queue_outcome_clear(struct queue_outcome *outcome);

/* Of several instances one whose queue could not be read. */
struct queue_unread {
    char *instance;
    char *why;
};

struct queue;

/* What an MTA can do; the functions below say what each is. */
struct queue_driver {
    enum mta mta;
    const char *name;
    bool (*is_installed)(struct queue *queue);
    bool (*is_running)(struct queue *queue);
    void (*forget)(gpointer state); /* or NULL */
    /* Fills in `name` and `spool`.  NULL: there are no instances of this MTA.  0, or -1 with `error`. */
    int (*identify)(struct queue *queue, char **error);
    /* The configurations of all instances that there are, ended by NULL, for g_strfreev; NULL with `error`. */
    char **(*instances)(char **error);
    /* Of several: the queue of an instance, or of the first (NULL); NULL if there is none of that name.  NULL: of one.
     */
    struct queue *(*member)(struct queue *queue, const char *instance);
    bool (*id_is_sound)(const char *id);  /* any other text is never passed to a command */
    bool (*id_is_unique)(const char *id); /* of those: whether no other message ever has it */
    int (*held)(struct queue *queue, GPtrArray *entries, char **error);
    enum queue_answer (*raw)(struct queue *queue, const char *id, bool body, program_take take, void *data,
                             char **error);
    struct message *(*parse)(const char *raw, size_t length);
    enum queue_answer (*release)(struct queue *queue, const struct queue_entry *entry, gint64 now,
                                 struct queue_outcome *outcome, char **error);
    enum queue_answer (*give_back)(struct queue *queue, const struct queue_entry *entry, struct queue_outcome *outcome,
                                   char **error);
    enum queue_answer (*drop)(struct queue *queue, const struct queue_entry *entry, char **error);
    void (*hurry)(struct queue *queue, const struct queue_entry *entry, gint64 now);
    int (*send)(struct queue *queue, const char *sender, const char *recipient, const char *text, size_t length,
                char **error);
};

struct queue {
    const struct queue_driver *driver;
    char *name;          /* of the instance; NULL: not asked for, there is one queue alone */
    char *spool;         /* the directory of the messages, with the name */
    char *configuration; /* the MTA's: a directory or a file; NULL is the MTA's default */
    char *command;       /* the MTA's sendmail(8), an absolute path; NULL is the one of the system */
    GHashTable *facts;   /* char * to char *: what a driver has asked the MTA for and remembers */
    gpointer state;      /* what else it remembers */
    GPtrArray *unread;   /* struct queue_unread *: what the last look did not see */
};

/* Where an MTA is; see struct queue. */
struct queue_place {
    const char *const *configurations; /* ended by NULL; several are several instances: see queue_union.h; or NULL */
    const char *command;
};

struct queue_choice {
    const struct queue_driver *const *drivers; /* of all MTAs, ended by NULL */
    enum mta mta;                              /* MTA_NONE: find out */
    enum mta last;                             /* that of the newest row of the ledger, or MTA_NONE */
    struct queue_place places[MTAS];           /* by enum mta */
};

/*
 * The queue of an MTA, of its first instance.  Where none is named it is the one that is installed; of
 * several the one that runs; of several that run, or if none does, the one that
 * the last held message came from.  NULL with `error` if there is none.
 */
struct queue *queue_open(const struct queue_choice *choice, char **error);

/* One of that MTA and no other. */
struct queue *queue_new(const struct queue_driver *driver, const char *configuration, const char *command);
void queue_close(struct queue *queue);
AUTO_FREE_DEFINE(queue, queue_close)

/*
 * A queue id without what mailq, logs and people write around it: `ID!`, `ID*`, `ID:`, `<ID>`.  What is
 * nothing but such marks stays as it is.  For g_free.
 */
char *queue_id_bare(const char *text);

enum mta queue_mta(const struct queue *queue);

/* "Postfix" */
const char *queue_name(const struct queue *queue);

/* Whether there are several instances, whose entries have a name then. */
bool queue_is_several(const struct queue *queue);

/* The queue of one instance: of several, of the first if `instance` is NULL or is none of them. */
struct queue *queue_of(struct queue *queue, const char *instance);

/* Whether there is an instance of that name; NULL is none. */
bool queue_has(struct queue *queue, const char *instance);

/*
 * Every message on hold, in any order: struct queue_entry *.  NULL with `error`.  Of several instances some may not be
 * read: then it is what the others have, queue_sees says of which messages nothing is known, and queue_trouble why.
 */
GPtrArray *queue_held(struct queue *queue, char **error);

/* Whether the last look saw all that a message of this instance could be among; NULL: it is not known of which it is.
 */
bool queue_sees(struct queue *queue, const char *instance);

/* Whether what was held in an instance, or in one that is not known (NULL), is certainly not this entry. */
bool queue_is_elsewhere(struct queue *queue, const char *instance, const struct queue_entry *entry);

/* What the last look did not see, and why; for g_free, or NULL: nothing. */
char *queue_trouble(const struct queue *queue);

/*
 * The message as it lies in the queue: its envelope and header, in the MTA's own
 * form, or with `body` the message itself, as a receiver would get it.  It is
 * untrusted: pass it to a reader (message_reader.h), not to a parser in this process.
 */
enum queue_answer queue_raw(struct queue *queue, const struct queue_entry *entry, bool body, program_take take,
                            void *data, char **error);

/* Reads the first form: sender, recipients and header fields.  For the reader's own process. */
struct message *queue_parse(const struct queue_driver *const *drivers, enum mta mta, const char *raw, size_t length);

/*
 * Releases a held message, at once: it is delivered like any other, without being
 * evaluated again, and is not returned because of the time that it was held.
 * `now` is in seconds.
 */
enum queue_answer queue_release(struct queue *queue, const struct queue_entry *entry, gint64 now,
                                struct queue_outcome *outcome, char **error);

/* Returns a held message to its sender, in the MTA's words. */
enum queue_answer queue_return(struct queue *queue, const struct queue_entry *entry, struct queue_outcome *outcome,
                               char **error);

/* Deletes a held message; no one is informed. */
enum queue_answer queue_delete(struct queue *queue, const struct queue_entry *entry, char **error);

/*
 * Has the MTA process at once a message whose release or return was interrupted before
 * this was done.  The MTA would process it later anyway, so nothing fails.
 * Of the entry its id is needed, its instance if that is known, and its arrival if one that was released is to count
 * as new, as queue_release has it; `now`, in seconds, is 0 if it is not.
 */
void queue_hurry(struct queue *queue, const struct queue_entry *entry, gint64 now);

/* Sends a message by the MTA's own sendmail command, of several by that of queue_of; "" is the null sender. */
int queue_send(struct queue *queue, const char *sender, const char *recipient, const char *text, size_t length,
               char **error);

#endif
