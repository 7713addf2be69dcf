/*
 * replay_once - repeated messages: a copy in another mailbox has the same
 * Message-ID and the same size.
 *
 * Ownership: a set owns what it remembers, up to 64 bytes a message; nothing
 * is forgotten.  For one thread; once_key is for any.
 */
#ifndef RCPTGUARD_REPLAY_ONCE_H
#define RCPTGUARD_REPLAY_ONCE_H

#include "policy/base/cleanup.h"
#include "policy/message/message.h"

#include <glib.h>
#include <stdbool.h>

/* What a message is known again by; zeros if it has no Message-ID, so that it cannot be. */
struct once_key {
    guint64 words[2];
};

struct once_key once_key(const struct message *message, guint64 size);

struct once;

struct once *once_new(void);
void once_free(struct once *once);
AUTO_FREE_DEFINE(once, once_free)

/* Whether a message with this key was there before; remembers it. */
bool once_seen(struct once *once, const struct once_key *key);

#endif
