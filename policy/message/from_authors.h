/*
 * from_authors - whom From may show besides the author of a message.
 *
 * Every message has one author, whom nobody minds seeing.  Programs show the whole field,
 * so any further address in it, in names and comments too, is shown to every recipient.
 */
#ifndef RCPTGUARD_FROM_AUTHORS_H
#define RCPTGUARD_FROM_AUTHORS_H

#include "policy/message/message.h"

/* Places of From that may hold an address and that nothing makes one of, before the header is malformed. */
#define FROM_UNREAD_ALLOWED 1u

/* More than are read of one message. */
#define FROM_PLACES_MOST 1000000u

/*
 * How many addresses that count (from_counts) the From fields of a message can hold at most: the `@` in them,
 * encoded or not, and what says a way if the MTA passes that on.  With none or one there is nobody but the
 * author, and the fields need not be read.  Linear, and cheap for fields in ASCII without encoded-words.
 */
unsigned from_places(const struct message *message);

/*
 * Whether a normalised address in From is one to a reader: no MTA delivers to it, and `Ann@Home` is a name, so
 * the domain must have a dot or be a literal.
 */
bool from_counts(const char *address);

/*
 * Which of the mailboxes in From (normalised; at least one) is the author: the one that is the envelope
 * sender, else the one that is the login, else the first.
 */
const char *from_author(const struct message *message, const GPtrArray *mailboxes);

#endif
