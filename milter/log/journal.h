/*
 * journal - lines to systemd-journald by its own protocol, with their facts as fields.
 *
 * The protocol is that of https://systemd.io/JOURNAL_NATIVE_PROTOCOL.  libsystemd would wait until journald reads, so
 * it is not used for it.
 */
#ifndef RCPTGUARD_JOURNAL_H
#define RCPTGUARD_JOURNAL_H

#include "milter/log/log_entry.h"
#include "milter/log/log_socket.h"

#include <stdbool.h>

/* Who speaks, as syslog(3) would say it. */
struct log_sender {
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
 * Sends the line, just as syslog(3) would have it, as MESSAGE, with MESSAGE_ID and a field RCPTGUARD_NAME for each
 * fact; see systemd.journal-fields(7).  LOG_AWAY if there is no journald: then the syslog daemon has to get it.  Never
 * waits, and any thread may send.
 */
enum log_sent journal_send(const struct log_sender *sender, const struct entry *entry, const char *line);

#endif
