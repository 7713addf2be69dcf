/*
 * message - what the MTA handed over of one message, untouched: connection,
 * envelope and header fields.  The tools fill it from a file instead.
 *
 * Ownership: a message copies what it is given and frees it in message_free.
 */
#ifndef RCPTGUARD_MESSAGE_H
#define RCPTGUARD_MESSAGE_H

#include "policy/base/cleanup.h"
#include "policy/message/message_body.h"
#include "policy/message/mta.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Header bytes kept of one message; the rest is dropped and `overflow` is set. */
#define MESSAGE_HEADER_LIMIT (16u * 1024 * 1024)

/* Header fields kept of one message, in the same way: each of them has a cost. */
#define MESSAGE_HEADER_COUNT_LIMIT 250000u

/* Envelope recipients kept of one message, in the same way. */
#define MESSAGE_RECIPIENT_LIMIT 1000000u

struct header {
    char *name;  /* as written, without blanks at its ends */
    char *value; /* raw: folded, encoded, as the MTA gave it; a NUL ends it */
};

struct message {
    enum mta mta;
    char *client;              /* numeric address of the SMTP client, or NULL */
    char *listener;            /* the MTA's name of the daemon that took the mail ({daemon_name}), or NULL */
    char *instance;            /* of the MTA, as that calls itself: see mta_instance; or NULL */
    char *user;                /* SASL login name, or NULL */
    bool authenticated;        /* there was a SASL login */
    bool local;                /* handed in by sendmail(1); on Sendmail a loopback client */
    bool bcc_visible;          /* Bcc and Resent-Bcc are delivered as they are */
    char *sender;              /* envelope sender without angle brackets; "" is the null sender */
    char *queue_id;            /* or NULL */
    bool envelope_given;       /* offline: the file says what the envelope is */
    char *answer;              /* an address of ours that it is sent to, normalised: it counts nowhere; or NULL */
    GPtrArray *recipients;     /* char *: envelope recipients without angle brackets */
    bool envelope_unknown;     /* offline: it is all recipients in the headers, including Bcc; `recipients` is empty */
    GPtrArray *headers;        /* struct header *, in order */
    struct message_body *body; /* or NULL: it was not read */
    size_t header_bytes;
    bool overflow; /* a limit above was hit: the counts are a lower bound */
};

struct message *message_new(void);
void message_free(struct message *message);
AUTO_FREE_DEFINE(message, message_free)

/* A copy of all but the body. */
struct message *message_copy(const struct message *message);

/* Each replaces what was there; NULL is allowed but for the sender.  An address may come with its angle brackets. */
void message_set_client(struct message *message, const char *client);
void message_set_listener(struct message *message, const char *listener);
void message_set_instance(struct message *message, const char *instance);
void message_set_user(struct message *message, const char *user); /* a user is authenticated */
void message_set_sender(struct message *message, const char *sender);
void message_set_queue_id(struct message *message, const char *queue_id);

/* An address of the envelope that is no recipient; kept normalised. */
void message_set_answer(struct message *message, const char *address);

/* RCPT TO, in the order given. */
void message_add_recipient(struct message *message, const char *recipient);

/* One header field, in the order given. */
void message_add_header(struct message *message, const char *name, const char *value);
void message_add_header_length(struct message *message, const char *name, size_t name_length, const char *value,
                               size_t value_length);

/* Takes the body, in place of one that was there. */
void message_set_body(struct message *message, struct message_body *body);

/*
 * Frees the recipients, headers and body; what is known of the connection and the sender stays.  Such a message is not
 * whole, and must not be evaluated.
 */
void message_empty(struct message *message);

/* The first field of that name (any case), or NULL. */
const struct header *message_find_header(const struct message *message, const char *name);

/* Whether a numeric address, or NULL, is one of this host's loopback (127.0.0.0/8, ::1). */
bool client_is_loopback(const char *client);

#endif
