/*
 * wal_check - whether a write-ahead log is what SQLite wrote: its header and the chain of checksums of its frames.
 * See sqlite.org/walformat.html and sqlite.org/fileformat2.html#walformat.
 *
 * SQLite itself looks at these only when it recovers a log, and then takes what comes before the first wrong
 * checksum: what was committed after it is lost without a word.
 */
#ifndef RCPTGUARD_WAL_CHECK_H
#define RCPTGUARD_WAL_CHECK_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the shared memory (-shm) that wal_is_sound reads, and those of its first region. */
#define WAL_INDEX_HEADER 48
#define WAL_INDEX_REGION 32768

/* Reads bytes of the log at an offset: 0, or -1 if they are not all there. */
typedef int (*wal_read)(void *log, void *bytes, size_t length, gint64 offset);

/*
 * Whether the log holds all that the header of the shared memory says.  For who has the lock of the writer, so that
 * neither changes.
 */
bool wal_is_sound(wal_read read, void *log, const unsigned char index[WAL_INDEX_HEADER]);

/*
 * Whether who looks for a page in the log finds it by the shared memory: each frame of its first region (4,062 of them)
 * is in the hash table.  SQLite does not look, and a page that is not found is read as it was in the database.  For who
 * has the lock of the writer; costs some microseconds for a thousand frames.
 */
bool wal_index_is_sound(const unsigned char index[WAL_INDEX_REGION]);

/*
 * Whether a log that nobody has open lost commits: its header is wrong, or after a wrong frame comes what is no
 * frame at all, or more than one commit that continue each other.  One commit alone can be what a power failure or a
 * sync that failed has left: nobody was told that it was done.
 */
bool wal_lost_commits(wal_read read, void *log, gint64 size);

#endif
