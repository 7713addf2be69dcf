/* wal_check - see wal_check.h */

#include "milter/database/wal_check.h"

#include <string.h>

#define HEADER        32
#define FRAME_HEADER  24
#define MAGIC         0x377f0682u /* the last bit: the checksums are of big-endian words */
#define PAGE_LEAST    512u
#define GENERATION_AT 12 /* how often the log was begun anew */
#define PAGE_MOST     65536u

/* In the header of the shared memory, in the byte order of the machine. */
#define INDEX_FRAMES   16
#define INDEX_CHECKSUM 24
#define INDEX_SALT     32

/* In its first region: the page of each frame, and a hash table of 16-bit numbers of frames, from 1 on. */
#define INDEX_PAGES 136
#define INDEX_MOST  4062u
#define INDEX_SLOTS 16384
#define SLOTS       8192u
#define PAGE_FACTOR 383u

struct chain {
    bool big_endian;
    uint32_t page;
    unsigned char salt[8];
    uint32_t sum[2]; /* so far */
};

static uint32_t big_endian_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t word_at(const struct chain *chain, const unsigned char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return chain->big_endian ? GUINT32_FROM_BE(word) : GUINT32_FROM_LE(word);
}

/* `length` is a multiple of 8. */
static void add(struct chain *chain, const unsigned char *bytes, size_t length)
{
    uint32_t first = chain->sum[0], second = chain->sum[1];
    for (size_t i = 0; i < length; i += 8) {
        first += word_at(chain, bytes + i) + second;
        second += word_at(chain, bytes + i + 4) + first;
    }
    chain->sum[0] = first;
    chain->sum[1] = second;
}

static bool sum_is(const struct chain *chain, const unsigned char *bytes)
{
    return chain->sum[0] == big_endian_at(bytes) && chain->sum[1] == big_endian_at(bytes + 4);
}

static bool begin(struct chain *chain, wal_read read, void *log)
{
    unsigned char header[HEADER];
    if (read(log, header, sizeof header, 0) == -1)
        return false;
    uint32_t magic = big_endian_at(header);
    *chain = (struct chain){.big_endian = (magic & 1u) != 0, .page = big_endian_at(header + 8)};
    memcpy(chain->salt, header + 16, sizeof chain->salt);
    if ((magic & ~1u) != MAGIC || chain->page < PAGE_LEAST || chain->page > PAGE_MOST ||
        (chain->page & (chain->page - 1)) != 0)
        return false;
    add(chain, header, 24);
    return sum_is(chain, header + 24);
}

static gint64 frame_at(const struct chain *chain, uint32_t number)
{
    return HEADER + (gint64)number * (FRAME_HEADER + (gint64)chain->page);
}

/* Whether the frame, with its page, is the next one of the chain. */
static bool is_next(struct chain *chain, const unsigned char *frame)
{
    add(chain, frame, 8);
    add(chain, frame + FRAME_HEADER, chain->page);
    return memcmp(frame + 8, chain->salt, sizeof chain->salt) == 0 && sum_is(chain, frame + 16);
}

bool wal_is_sound(wal_read read, void *log, const unsigned char index[WAL_INDEX_HEADER])
{
    struct chain chain;
    uint32_t frames;
    memcpy(&frames, index + INDEX_FRAMES, sizeof frames);
    if (frames == 0)
        return true;
    if (!begin(&chain, read, log) || memcmp(chain.salt, index + INDEX_SALT, sizeof chain.salt) != 0)
        return false;
    g_autofree unsigned char *frame = g_malloc(FRAME_HEADER + chain.page);
    for (uint32_t i = 0; i < frames; i++) {
        if (read(log, frame, FRAME_HEADER + chain.page, frame_at(&chain, i)) == -1 || !is_next(&chain, frame))
            return false;
    }
    return memcmp(chain.sum, index + INDEX_CHECKSUM, sizeof chain.sum) == 0;
}

static bool is_found(const unsigned char *index, uint32_t frame)
{
    uint32_t page;
    uint16_t found = 1;
    memcpy(&page, index + INDEX_PAGES + sizeof page * frame, sizeof page);
    for (uint32_t i = 0, slot = page * PAGE_FACTOR; i < SLOTS && found != 0; i++, slot++) {
        memcpy(&found, index + INDEX_SLOTS + sizeof found * (slot % SLOTS), sizeof found);
        if (found == frame + 1)
            return true;
    }
    return false;
}

bool wal_index_is_sound(const unsigned char index[WAL_INDEX_REGION])
{
    uint32_t frames;
    memcpy(&frames, index + INDEX_FRAMES, sizeof frames);
    for (uint32_t i = 0; i < MIN(frames, INDEX_MOST); i++) {
        if (!is_found(index, i))
            return false;
    }
    return true;
}

/* What follows the first wrong frame, as far as it belongs together. */
struct rest {
    uint32_t generations; /* how often the log was begun anew */
    unsigned commits;     /* of frames that continue each other */
    bool foreign;         /* SQLite never wrote this */
};

/* Frames of an earlier generation have a smaller salt, and some were never written. */
static bool is_old(const struct chain *chain, const struct rest *rest, const unsigned char *frame)
{
    static const unsigned char nothing[FRAME_HEADER] = {0};
    uint32_t before = big_endian_at(chain->salt) - big_endian_at(frame + 8);
    return before <= rest->generations || memcmp(frame, nothing, sizeof nothing) == 0;
}

/* Goes on with the checksum that the frame has, as the next one was written. */
static void look_on(struct chain *chain, struct rest *rest, const unsigned char *frame, bool continues)
{
    bool ours = memcmp(frame + 8, chain->salt, sizeof chain->salt) == 0;
    if (!ours)
        rest->foreign = rest->foreign || !is_old(chain, rest, frame);
    if (!continues)
        rest->commits = 0;
    rest->commits += ours && big_endian_at(frame + 4) != 0;
    chain->sum[0] = big_endian_at(frame + 16);
    chain->sum[1] = big_endian_at(frame + 20);
}

bool wal_lost_commits(wal_read read, void *log, gint64 size)
{
    struct chain chain;
    struct rest rest = {0};
    unsigned char generation[4];
    bool broken = false;
    if (size <= HEADER)
        return false;
    if (!begin(&chain, read, log) || read(log, generation, sizeof generation, GENERATION_AT) == -1)
        return true;
    rest.generations = big_endian_at(generation);
    g_autofree unsigned char *frame = g_malloc(FRAME_HEADER + chain.page);
    for (uint32_t i = 0; frame_at(&chain, i + 1) <= size && rest.commits < 2 && !rest.foreign; i++) {
        if (read(log, frame, FRAME_HEADER + chain.page, frame_at(&chain, i)) == -1)
            break;
        bool continues = is_next(&chain, frame);
        broken = broken || !continues;
        if (broken)
            look_on(&chain, &rest, frame, continues);
    }
    return rest.commits > 1 || rest.foreign;
}
