/*
 * message_reader - reads a message of the queue in a process without root privileges:
 * untrusted text is parsed there, and the result is lines of printable text.
 *
 * The process is this program once more, started afresh, so that nothing of the
 * one that asks is in its memory or among its descriptors.
 *
 * Ownership: a reading owns its strings.
 */
#ifndef RCPTGUARD_MESSAGE_READER_H
#define RCPTGUARD_MESSAGE_READER_H

#include "milter/content/message_content.h"
#include "milter/queue/queue.h"
#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The first argument of such a process; it is followed by the MTA's number, whether the daemon's user
 * is given, that user, and READER_TEXT if the message's text is wanted and not its envelope and header.
 */
#define READER_WORD "--read-message"
#define READER_TEXT "text"

/* Bytes that are read of a message's envelope and header, or of the whole message, and that may come back. */
#define READER_INPUT_LIMIT  (32u * 1024 * 1024)
#define READER_OUTPUT_LIMIT (16u * 1024 * 1024)

/* Bytes of memory that the process may take. */
#define READER_MEMORY_LIMIT (512ul * 1024 * 1024)

struct reading_field {
    char *name;
    char *value;
    char *display; /* of a recipient the name beside the address, or NULL */
};

/* All of it is printable UTF-8. */
struct message_reading {
    GPtrArray *headers;   /* struct reading_field *: those that a reviewer wants to see, in the order of the message */
    GPtrArray *addressed; /* struct reading_field *: "To" and the number of visible recipients in it */
    GPtrArray *visible;   /* struct reading_field *: the fields of a visible recipient, "To, Cc", and its address */
    GPtrArray *hidden;    /* char *: envelope recipients that are not visible */
    bool cut;             /* there was more than is read */
};

void message_reading_free(struct message_reading *reading);
AUTO_FREE_DEFINE(message_reading, message_reading_free)

/* Who reads: the daemon's user, and whether the configuration names it; see privileges_drop. */
struct message_reader {
    const char *user;
    bool given;
};

/* Reads one message.  QUEUE_DONE with `reading`, QUEUE_ABSENT, or QUEUE_FAILED with `error`. */
enum queue_answer reader_read(const struct message_reader *reader, struct queue *queue, const struct queue_entry *entry,
                              struct message_reading **reading, char **error);

/* Reads its parts and its text.  All of it is printable UTF-8. */
enum queue_answer reader_read_content(const struct message_reader *reader, struct queue *queue,
                                      const struct queue_entry *entry, struct content **content, char **error);

/* The Message-ID of one, without its brackets; NULL if it has none or is not to be read.  For g_free. */
char *reader_message_id(const struct message_reader *reader, struct queue *queue, const struct queue_entry *entry);

/* The records that this process answers with, for g_string_free: of the message's text, or of its envelope and header.
 */
GString *reader_answer(const GString *raw, bool text, const struct queue_driver *const *drivers, enum mta mta);

/* Is that process: `words` are the arguments after READER_WORD.  Does not return. */
void reader_serve(char **words, const struct queue_driver *const *drivers) G_GNUC_NORETURN;

#endif
