/*
 * quoted_labels - the words before the colon with which mail programs begin the lines of a header that they quote in a
 * text: "To:", "An:", "收件人：".
 *
 * As Outlook, Outlook on the web, Gmail, Apple Mail, Thunderbird and Yahoo Mail write them, in the
 * languages that they have.
 */
#ifndef RCPTGUARD_QUOTED_LABELS_H
#define RCPTGUARD_QUOTED_LABELS_H

#include <stddef.h>

enum quoted_label {
    LABEL_NONE,
    LABEL_RECIPIENTS, /* To, Cc, Bcc */
    LABEL_OTHER,      /* From, Date, Subject, Reply-To */
};

/*
 * What a line begins with, after what quotes and emphasises it.  `*after` is where its value begins.
 */
enum quoted_label quoted_label(const char *line, size_t length, size_t *after);

#endif
