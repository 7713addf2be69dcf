/* keyed_hash - see keyed_hash.h */

#include "policy/base/keyed_hash.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

static uint64_t key[2];

/* Before any thread is there, since a table that one has filled must be read with the same key. */
static void __attribute__((constructor)) key_make(void)
{
    if (getentropy(key, sizeof key) == 0)
        return;
    /* Where the kernel has none to give: where it put the program and its stack is not known outside either. */
    key[0] = (uintptr_t)key;
    key[1] = (uintptr_t)__builtin_frame_address(0);
}

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline void __attribute__((always_inline)) mix(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* Up to seven bytes at the end of a text, as a number. */
static inline uint64_t tail_of(const char *text, size_t length)
{
    size_t rest = length % 8;
    uint64_t word = 0;

    if (length >= 8 && rest > 0) {
        memcpy(&word, text + length - 8, sizeof word);
        return GUINT64_FROM_LE(word) >> 8 * (8 - rest);
    }
    for (size_t i = 0; i < rest; i++)
        word |= (uint64_t)(unsigned char)text[length - rest + i] << 8 * i;
    return word;
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), with one round a word and three at the end. */
guint hash_bytes(const char *text, size_t length)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    uint64_t word;

    for (const char *p = text, *whole = text + (length & ~(size_t)7); p < whole; p += sizeof word) {
        memcpy(&word, p, sizeof word);
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
    }
    word = (uint64_t)length << 56 | tail_of(text, length);
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        mix(v);
    word = v[0] ^ v[1] ^ v[2] ^ v[3];
    return (guint)(word ^ word >> 32);
}

guint hash_string(gconstpointer string)
{
    return hash_bytes(string, strlen(string));
}
