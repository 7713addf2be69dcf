/*
 * notice_template - mail to the author of a held message: a template filled with the facts.
 *
 * A template's first line is `Subject: ...`, the second is empty, the rest is the
 * text.  Variables are in braces, `{{` is a brace; rcptguard.conf(5) lists them.
 *
 * Ownership: texts are for g_free.
 */
#ifndef RCPTGUARD_NOTICE_TEMPLATE_H
#define RCPTGUARD_NOTICE_TEMPLATE_H

#include "milter/ledger/ledger.h"
#include "policy/base/diagnostics.h"

#include <glib.h>

/* A template's size in bytes. */
#define NOTICE_SIZE_LIMIT (64u * 1024)

/* Messages that {list} names; of the others there is a line that says how many. */
#define NOTICE_LIST_LIMIT 50u

/* What is sent to the author of a returned message, ahead of it. */
extern const char notice_returned[];

/* The same if nobody decided in time; and to the author of a message that was deleted for that. */
extern const char notice_expired[];
extern const char notice_deleted[];

/* What is sent to the author of a message that leaves by itself after a delay. */
extern const char notice_delayed[];

/* What is sent to its author when a window of many messages has ended the delay. */
extern const char notice_stopped[];

/* What is sent to the author of a message that he had returned himself. */
extern const char notice_cancelled[];

/* What is sent to an author who had a notice, when the message was released. */
extern const char notice_released[];

struct notice_facts {
    const struct ledger_message *message; /* what most variables are of */
    const char *reason;                   /* {reason}, in notice_returned alone: the reviewer's words, or NULL */
    gint64 leaves;                        /* {leaves}, in notice_delayed alone: when the first of them leaves */
    const char *contact;                  /* {contact}: whom the policy names; NULL is the postmaster */
    const char *answers;                  /* answer_text_sender, for the end of the text; or NULL */
    const GPtrArray *rows;                /* struct ledger_row *: all that the mail is about; NULL is the message */
};

/* Reads a template.  NULL if there is any error; all of them are in `diags` then. */
char *notice_load(const char *path, struct diags *diags);

/* The same from memory, of which it makes a copy. */
char *notice_parse(const char *path, const char *text, size_t length, struct diags *diags);

/*
 * The whole message to `recipient`, ready for queue_send: from the postmaster, with
 * Auto-Submitted (RFC 3834).  If it is about several messages and the template
 * has no {list}, the list is added at its end.
 */
char *notice_compose(const char *template, const struct notice_facts *facts, const char *recipient);

#endif
