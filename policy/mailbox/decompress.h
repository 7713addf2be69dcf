/*
 * decompress - the bytes of a file, unpacked if it is packed: gzip, xz, zstd.
 *
 * What a file is, its first bytes say, not its name.  The libraries of the three
 * are called directly: they return the data before a cut or damage, check
 * the sums of gzip too, and can be held to an amount of memory.
 *
 * Ownership: an unpack reads from a descriptor that stays the caller's.
 */
#ifndef RCPTGUARD_DECOMPRESS_H
#define RCPTGUARD_DECOMPRESS_H

#include "policy/base/cleanup.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Memory that unpacking one file may need: what `xz -9` and `zstd --long` use. */
#define UNPACK_MEMORY_LIMIT (128u * 1024 * 1024)

struct unpack;

/*
 * Reads at most `limit` bytes of the file, so that one that grows comes to an end.  `stop` ends the waiting for a
 * pipe or a terminal, as if it had ended; or NULL.
 */
struct unpack *unpack_new(int fd, guint64 limit, const atomic_bool *stop);
void unpack_free(struct unpack *unpack);
AUTO_FREE_DEFINE(unpack, unpack_free)

/* Up to `size` bytes (at least 16) into `buffer`.  0 at the end; -1 if there should be more, see unpack_problem. */
gssize unpack_read(struct unpack *unpack, char *buffer, size_t size);

/* What hindered the reading, as what a file does: "cannot be read to its end: ...". */
const char *unpack_problem(const struct unpack *unpack);

/* Whether it is packed; known after the first read. */
bool unpack_is_packed(const struct unpack *unpack);

/* Bytes of the file that have been read, packed as they are. */
guint64 unpack_position(const struct unpack *unpack);

/* The versions of the libraries, such as "1.2.13". */
const char *unpack_zlib_version(void);
const char *unpack_lzma_version(void);
const char *unpack_zstd_version(void);

#endif
