/*
 * keyed_hash - a hash of strings that strangers choose.
 *
 * g_str_hash is the same for each of as many strings as one likes ("ar" and "c0"
 * are two of them): a message of such addresses takes ten seconds to count.  This
 * one has a key that nobody knows.
 */
#ifndef RCPTGUARD_KEYED_HASH_H
#define RCPTGUARD_KEYED_HASH_H

#include <glib.h>
#include <stddef.h>

/* A GHashFunc for strings: SipHash-1-3 with a key of this process. */
guint hash_string(gconstpointer string);

/* The same of a text of `length` bytes, which need not end with a NUL. */
guint hash_bytes(const char *text, size_t length);

#endif
