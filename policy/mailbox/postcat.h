/*
 * postcat - what postcat(1) prints of a queue file of Postfix: the envelope
 * before the message and after it, and lines that part them.
 *
 * Ownership: a postcat owns all that it has collected.
 */
#ifndef RCPTGUARD_POSTCAT_H
#define RCPTGUARD_POSTCAT_H

#include "policy/base/cleanup.h"
#include "policy/message/message.h"

#include <glib.h>
#include <stddef.h>

struct postcat;

/* What a line is. */
enum postcat_line {
    POSTCAT_RECORD,   /* a record of the envelope, or nothing of interest */
    POSTCAT_ENVELOPE, /* what follows is the envelope of a message */
    POSTCAT_CONTENTS, /* what follows is the message */
    POSTCAT_MORE,     /* what follows is the rest of the envelope */
    POSTCAT_END,      /* of the message */
};

struct postcat *postcat_new(void);
void postcat_free(struct postcat *postcat);
AUTO_FREE_DEFINE(postcat, postcat_free)

/*
 * Takes a line of the envelope: sender, recipients (delivered ones too) and login name are collected.  Within the
 * message, `contents`, only a line that parts is looked for: it names the same queue file as the envelope did, so that
 * no text can be one.
 */
enum postcat_line postcat_take(struct postcat *postcat, const char *line, size_t length, bool contents);

/* Appends the envelope that was collected, and forgets it. */
void postcat_append(struct postcat *postcat, GByteArray *bytes);

/* Gives a message the envelope that was appended. */
void postcat_apply(const char *envelope, size_t length, struct message *message);

#endif
