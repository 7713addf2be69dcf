/*
 * notice - mail of our own to the author of a held message: a template filled with
 * the facts, and the message around it, which no program answers.
 *
 * A template's first line is `Subject: ...`, the second is empty, the rest is the
 * text.  Variables are those of struct notice_facts, and {sender}, {subject},
 * {date}, {rule}, {text}, {visible}, {parties}, {queue-id}; `{{` is a brace.
 *
 * Ownership: texts are for g_free.
 */
#ifndef RCPTGUARD_NOTICE_H
#define RCPTGUARD_NOTICE_H

#include "ledger.h"

#include <glib.h>

/* A template's size in bytes. */
#define NOTICE_SIZE_LIMIT (64u * 1024)

/* What is sent to the author of a returned message, ahead of it. */
extern const char notice_returned[];

struct notice_facts {
    const struct ledger_message *message;
    const char *reason; /* {reason}: the reviewer's words, or NULL */
};

/* Whether a template can be filled: NULL, or what is wrong with it. */
char *notice_check(const char *template);

/*
 * The whole message to `recipient`, ready for queue_send: from the postmaster, with
 * Auto-Submitted (RFC 3834).  The template has passed notice_check.
 */
char *notice_compose(const char *template, const struct notice_facts *facts, const char *recipient);

#endif
