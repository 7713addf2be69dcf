/*
 * mail_compose - mail of our own: the header around a text, which no program answers
 * (RFC 3834), and in which nothing that a stranger wrote makes a line or a field.
 *
 * Ownership: texts are for g_free.
 */
#ifndef RCPTGUARD_MAIL_COMPOSE_H
#define RCPTGUARD_MAIL_COMPOSE_H

#include "policy/exposure/exposure.h"
#include "policy/exposure/inside_counts.h"

#include <glib.h>
#include <stdbool.h>

struct letter {
    const char *to;      /* addresses, as the header field has them */
    const char *subject; /* UTF-8 */
    const char *answers; /* the Message-ID, without brackets, of the mail that this is an answer to; or NULL */
    bool reply;          /* auto-replied; else auto-generated */
    const char *body;    /* UTF-8, lines ended by newlines */
};

/* The whole message, from the postmaster, ready for queue_send. */
char *letter_compose(const struct letter *letter);

/* A text on one line: what does not show becomes a blank. */
char *letter_line(const char *text);

/*
 * Whom the readers of a message see, in sentences, filled to lines without the last newline: those in the recipient
 * headers, and those in each kind of part.
 */
char *letter_shown(const struct exposure_counts *counts, const struct inside_counts *inside);

/* Whether an address can be handed to sendmail(1): one mailbox of ordinary characters, which nothing reads as a list or
 * an option. */
bool letter_takes(const char *address);

#endif
