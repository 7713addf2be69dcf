/*
 * milter-wire - the MTA's side of the milter protocol, as Postfix speaks it.
 *
 * The protocol is the one of libmilter/mfdef.h, version 6.  As Postfix does, it
 * writes when it needs an answer and not before.  What goes wrong ends the program
 * with a message.  Ownership: a session owns its buffers until session_close.
 */
#ifndef RCPTGUARD_MILTER_WIRE_H
#define RCPTGUARD_MILTER_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define STAGES 7 /* connect, HELO, MAIL, RCPT, DATA, end of message, end of headers: as in smfi_setsymlist */

enum stage { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_END, STAGE_HEADERS_END };

struct buffer {
    char *data;
    size_t length;
    size_t size;
};

/* One connection to the milter, with what it asked for.  Zeros before the first session_open. */
struct session {
    int fd;
    struct buffer out;
    struct buffer in; /* the last answer's payload */
    uint32_t actions;
    uint32_t steps;
    char *macros[STAGES]; /* names asked for by smfi_setsymlist, or NULL: Postfix's own */
};

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Connects to a socket of the file system, negotiates, and says who connected. */
void session_open(struct session *session, const char *path);
void session_close(struct session *session);

/* One after the other; a step that the milter does not ask for is left out.  An address has no angle brackets. */
void send_sender(struct session *session, const char *login, const char *sender);
void send_recipient(struct session *session, const char *recipient);
void send_data(struct session *session, const char *queue_id);
void send_header(struct session *session, const char *queue_id, const char *name, const char *value);
void send_headers_end(struct session *session, const char *queue_id);
void send_body(struct session *session, const char *queue_id, const char *body, size_t length);

/*
 * The end of the message.  `verdict` is what must come of it: SMFIR_ACCEPT, SMFIR_REJECT, or SMFIR_QUARANTINE for
 * one that is held.  Gives the seconds until the answer.
 */
double send_end(struct session *session, const char *queue_id, char verdict);

/* Prints what the milter asked for: actions, steps, macro lists. */
void session_print_protocol(const struct session *session);

#endif
