/*
 * log_entry - a line of the log with the facts in it: as text, and as JSON (RFC 8259).
 *
 * Some of the facts were written by strangers: each is escaped and bounded, so
 * that nobody forges a fact or a line.  Ownership: an entry owns nothing that it
 * points at.
 */
#ifndef RCPTGUARD_LOG_ENTRY_H
#define RCPTGUARD_LOG_ENTRY_H

#include <glib.h>

/* Longest line in bytes: of a message as text, of all as JSON.  Behind syslog's own words it fits in the 1,024 bytes
 * of RFC 3164, 4.1, at which some C libraries cut. */
#define ENTRY_LINE_LIMIT 900

/* The most facts that an entry has: twice as many as the line of a message. */
#define ENTRY_FACTS 32

/* The kind of a line. */
enum entry_kind {
    ENTRY_OTHER,
    ENTRY_VERDICT,       /* a message was evaluated */
    ENTRY_FAULT,         /* one for which the policy could not be evaluated */
    ENTRY_ERROR,         /* one whose verdict could not be carried out */
    ENTRY_DECISION,      /* a reviewer decided about a held message */
    ENTRY_STARTED,       /* the milter listens */
    ENTRY_STOPPED,       /* it has stopped cleanly */
    ENTRY_SUMMARY,       /* how many messages were evaluated, and how many were not */
    ENTRY_RELOAD_DONE,   /* a new policy is in force */
    ENTRY_RELOAD_FAILED, /* the old one stays */
    ENTRY_DIAGNOSTIC,    /* an error in the configuration or the policy */
    ENTRY_KINDS,
};

enum fact_form {
    FACT_PLAIN, /* a word of ours, which needs no escapes */
    FACT_VALUE, /* a value that others wrote */
    FACT_TEXT,  /* the same with blanks; the last, it takes the room that is left */
    FACT_NUMBER,
    FACT_LIST,
};

struct fact {
    const char *name; /* as in the line, `not-outbound` */
    enum fact_form form;
    size_t limit;      /* bytes of the value as text, at most */
    const char *value; /* NULL is empty, as "" is */
    size_t length;
    guint64 number;
    const char *const *items;
    unsigned count;
    const char *none; /* what an empty list is as text */
};

struct entry {
    enum entry_kind kind;
    int priority;         /* of syslog(3) */
    const char *queue_id; /* of a message: "" if it has none; NULL: the line is not about one */
    const char *message;  /* the line itself where it is not about a message */
    unsigned count;
    struct fact facts[ENTRY_FACTS];
};

/* Each appends a fact; one too many is a mistake of ours and ends the program. */
void entry_plain(struct entry *entry, const char *name, const char *value, size_t length);
void entry_value(struct entry *entry, const char *name, const char *value, size_t length, size_t limit);
void entry_text(struct entry *entry, const char *name, const char *value);
void entry_number(struct entry *entry, const char *name, guint64 number);
void entry_list(struct entry *entry, const char *name, const char *const *items, unsigned count, size_t limit,
                const char *none);

/*
 * Appends the line of a message, without a newline: `QUEUE-ID: name=value ...
 * text="..."`, the facts in their order.  Printable ASCII, at most
 * ENTRY_LINE_LIMIT bytes; the text is what is cut first, and what was cut ends
 * with `...`.
 */
void entry_line(GString *line, const struct entry *entry);

/*
 * Appends any line as one object of JSON, without a newline: printable ASCII, at
 * most ENTRY_LINE_LIMIT bytes, cut as the text is and never broken.  `-` in a
 * name is `_`.  A line that is not about a message has `event`, `level` and, as
 * the last, `message`.
 */
void entry_json(GString *line, const struct entry *entry);

/* One value as in the line, without its name or quotes: for the journal.  `item` is the one of a list. */
void entry_append_value(GString *out, const struct fact *fact, unsigned item);
void entry_append_queue_id(GString *out, const struct entry *entry);

/* How the line calls the kind, "reload-done", and its id in the journal, 32 hexadecimal digits. */
const char *entry_kind_name(enum entry_kind kind);
const char *entry_kind_id(enum entry_kind kind);

#endif
