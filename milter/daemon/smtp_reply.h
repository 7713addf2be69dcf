/*
 * smtp_reply - the texts that the MTA is given with a verdict: the reply to the
 * SMTP client, and the reason of a quarantine.
 *
 * Strangers wrote some of it, and it goes to programs that rely on its form: it is
 * escaped and bounded.
 */
#ifndef RCPTGUARD_SMTP_REPLY_H
#define RCPTGUARD_SMTP_REPLY_H

#include <glib.h>

/* Longest reply text as libmilter takes it, with each `%` doubled. */
#define SMTP_REPLY_LIMIT 980

/* Longest reason of a quarantine; Sendmail keeps it as a line of the queue file. */
#define SMTP_REASON_LIMIT 250

/*
 * Appends the text of a reply (escape.h: text_reply) for smfi_setreply: `%` is
 * doubled as the MTA will undo it, and the limit above holds as well.
 */
void smtp_reply_append(GString *reply, const char *text);

/*
 * Appends `RULE: TEXT` for smfi_quarantine: printable ASCII, never empty, at
 * most SMTP_REASON_LIMIT bytes.  `text` may be NULL.
 */
void smtp_reason_append(GString *reason, const char *rule, const char *text);

#endif
