/*
 * state_key_file - the site's key of the hashes of a state: a file with 64 hexadecimal digits and a newline, mode 0600.
 * Servers that share a state have the same key.
 */
#ifndef RCPTGUARD_STATE_KEY_FILE_H
#define RCPTGUARD_STATE_KEY_FILE_H

#include "milter/database/database.h"
#include "policy/state/state_keys.h"

/*
 * Reads the key; with DATABASE_CREATE one of random bytes is made if there is no file, and is on the disk before it is
 * given out.  Refused is what database_open would refuse, a file that others may read, and what is no key.  For root a
 * key that is made belongs to `owner`.  NULL with the reason.
 */
struct state_key *state_key_file_read(const char *path, uid_t owner, enum database_mode mode,
                                      struct database_error *error);

#endif
