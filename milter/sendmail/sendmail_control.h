/*
 * sendmail_control - one control file of Sendmail's queue (qf..., hf...): the data
 * of the message before its header, and the header.
 *
 * Each line is one value, named by its first character; the header's lines begin with H,
 * or with a blank in a continuation.  "Sendmail Installation and Operation Guide",
 * appendix B.  Bytes that Sendmail uses for itself (0x80 to 0x9F) follow 0xFF
 * if they are part of the message.
 *
 * Ownership: control_clear frees what a control holds.
 */
#ifndef RCPTGUARD_SENDMAIL_CONTROL_H
#define RCPTGUARD_SENDMAIL_CONTROL_H

#include "policy/message/message.h"

#include <glib.h>

struct control {
    gint64 arrival;       /* T, in seconds; 0 if there is none */
    size_t arrival_at;    /* where its digits begin */
    char *sender;         /* S, without its angle brackets; never NULL */
    unsigned recipients;  /* R */
    size_t header;        /* where the first H is; the text's length if there is none */
    size_t header_length; /* up to the end of the last field */
};

/* Reads the text of a control file. */
void control_read(const char *text, size_t length, struct control *control);
void control_clear(struct control *control);

/*
 * The header as it is delivered, each line with its newline: without the fields that only
 * the last MTA adds, and without Bcc, which Sendmail removes.
 */
void control_append_header(GString *out, const char *text, const struct control *control);

/* The whole of it as a message: envelope and every header field that Sendmail keeps, Bcc too. */
struct message *control_message(const char *text, size_t length);

#endif
