/* state_key_file - see state_key_file.h */

#include "milter/state/state_key_file.h"

#include "milter/database/secret_file.h"

G_STATIC_ASSERT(SECRET_SIZE == STATE_KEY_SIZE);

struct state_key *state_key_file_read(const char *path, uid_t owner, enum database_mode mode,
                                      struct database_error *error)
{
    unsigned char bytes[SECRET_SIZE];
    return secret_file_read(path, owner, mode, bytes, error) == -1 ? NULL : state_key_new(bytes, sizeof bytes);
}
