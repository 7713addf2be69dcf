/*
 * journal - lines to systemd-journald by its own protocol, with their facts as fields.
 *
 * Built without libsystemd, and where there is no journald, both functions say no.
 */
#ifndef RCPTGUARD_JOURNAL_H
#define RCPTGUARD_JOURNAL_H

#include "milter/log/log_entry.h"

#include <stdbool.h>

/* Who speaks, as syslog(3) would say it. */
struct journal_sender {
    const char *program;
    int facility; /* LOG_MAIL, ... */
};

/*
 * Whether syslog(3) leads to journald: /dev/log is a link to its socket, as
 * systemd makes it.  Then the journal's own way reaches the same readers; where
 * a syslog daemon has /dev/log itself, that one is not passed over.
 */
bool journal_found(void);

/*
 * Sends the line, just as syslog(3) would have it, as MESSAGE, with MESSAGE_ID
 * and a field RCPTGUARD_NAME for each fact; see systemd.journal-fields(7).  False
 * if journald did not take it: then syslog(3) has to.  Any thread may send.
 */
bool journal_send(const struct journal_sender *sender, const struct entry *entry, const char *line);

#endif
