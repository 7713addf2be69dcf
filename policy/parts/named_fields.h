/*
 * named_fields - who can be read in header fields that show no recipients to a mail program, and people to whoever
 * looks: Reply-To, Mail-Followup-To, a field into which a filter before us wrote every recipient.
 */
#ifndef RCPTGUARD_NAMED_FIELDS_H
#define RCPTGUARD_NAMED_FIELDS_H

#include "policy/message/recipients.h"

/*
 * Reads the fields of some names (in any case; ended by NULL) as recipient headers are read, together and within the
 * same limits.  To be freed with recipients_free; the bits of `fields` mean nothing.
 */
struct recipients *named_fields_read(const struct message *message, const char *const *names);

#endif
