/*
 * mailbox_batch - the headers, and on request the bodies, of some messages that mailbox_split.h has cut out of
 * files, and the message that each of them is.
 *
 * Ownership: a batch owns its headers; a message is its taker's.
 */
#ifndef RCPTGUARD_MAILBOX_BATCH_H
#define RCPTGUARD_MAILBOX_BATCH_H

#include "policy/base/cleanup.h"
#include "policy/message/message.h"

#include <glib.h>
#include <stdbool.h>

/* Messages of one batch. */
#define MAILBATCH_MESSAGES 128u

/* The headers of some messages, in order, each with its body after it. */
struct mailbatch {
    GByteArray *bytes;
    GArray *heads; /* struct mailhead */
    bool bodies;   /* they are there too */
};

struct mailhead {
    size_t begin, end; /* in `bytes` */
    size_t body;       /* bytes from `end` on that are its body, if bodies are kept */
    size_t envelope;   /* bytes after these that say what the envelope is; see postcat.h */
    guint64 size;      /* of the whole message in its file, in bytes */
    unsigned index;    /* which message of its file, from 0 */
    bool overflow;     /* there was more than MESSAGE_HEADER_LIMIT */
    bool body_cut;     /* the same of MESSAGE_BODY_LIMIT */
};

struct mailbatch *mailbatch_new(void);
void mailbatch_free(struct mailbatch *batch);
AUTO_FREE_DEFINE(mailbatch, mailbatch_free)

/* Whether another file may be added, or this one be read on. */
bool mailbatch_is_full(const struct mailbatch *batch);

/* The message of one head. */
struct message *mailbatch_message(const struct mailbatch *batch, unsigned index);

#endif
