/*
 * display_names - the names beside the recipients' addresses, as GMime reads them: what a mail
 * program shows in the address's place.  Who the recipients are is recipients.h's to say.
 */
#ifndef RCPTGUARD_DISPLAY_NAMES_H
#define RCPTGUARD_DISPLAY_NAMES_H

#include "policy/message/message.h"

#include <glib.h>

/* Characters of a name that are kept. */
#define DISPLAY_NAME_LIMIT 100u

/* The name of each address that has one: char * to char *, by the address in normal form.  For g_hash_table_unref. */
GHashTable *display_names_read(const struct message *message);

#endif
