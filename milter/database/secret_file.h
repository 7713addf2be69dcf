/*
 * secret_file - a key in a file: 64 hexadecimal digits and a newline, mode 0600.
 */
#ifndef RCPTGUARD_SECRET_FILE_H
#define RCPTGUARD_SECRET_FILE_H

#include "milter/database/database.h"

/* Bytes of a key. */
#define SECRET_SIZE 32u

/*
 * Reads the key; with DATABASE_CREATE one of random bytes is made if there is no file, and is on the disk before it is
 * given out.  Refused is what database_open would refuse, a file that others may read, and what is no key.  For root a
 * key that is made belongs to `owner`.  0, or -1 with the reason.
 */
int secret_file_read(const char *path, uid_t owner, enum database_mode mode, unsigned char bytes[SECRET_SIZE],
                     struct database_error *error);

#endif
