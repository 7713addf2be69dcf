/* replay_once - see replay_once.h */

#include "policy/replay/replay_once.h"

#include <string.h>

/* Keys that there is room for at first. */
#define FIRST_ROOM 1024u

struct once {
    struct once_key *keys; /* by their first word, then in the next free place; zeros are free */
    size_t room;           /* a power of two, at least twice the count */
    size_t count;
};

struct once *once_new(void)
{
    struct once *once = g_new0(struct once, 1);

    once->room = FIRST_ROOM;
    once->keys = g_new0(struct once_key, once->room);
    return once;
}

void once_free(struct once *once)
{
    if (once == NULL)
        return;
    g_free(once->keys);
    g_free(once);
}

/* A sum that nobody can make two messages meet in; blanks, and where a line is folded, are no part of a Message-ID. */
struct once_key once_key(const struct message *message, guint64 size)
{
    const struct header *header = message_find_header(message, "Message-ID");
    struct once_key key = {{0, 0}};
    guint8 digest[32];
    gsize length = sizeof digest;
    bool empty = true;

    if (header == NULL)
        return key;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, (const guchar *)&size, sizeof size);
    for (const char *at = header->value; *at != '\0'; at++) {
        if (strchr(" \t\r\n", *at) != NULL)
            continue;
        g_checksum_update(sum, (const guchar *)at, 1);
        empty = false;
    }
    g_checksum_get_digest(sum, digest, &length);
    g_checksum_free(sum);
    if (!empty)
        memcpy(&key, digest, sizeof key);
    return key;
}

static bool is_free(const struct once_key *key)
{
    return key->words[0] == 0 && key->words[1] == 0;
}

/* Where a key is, or would be. */
static struct once_key *find(const struct once *once, const struct once_key *key)
{
    size_t at = (size_t)key->words[0] & (once->room - 1);

    while (!is_free(&once->keys[at]) && memcmp(&once->keys[at], key, sizeof *key) != 0)
        at = (at + 1) & (once->room - 1);
    return &once->keys[at];
}

static void grow(struct once *once)
{
    struct once larger = {g_new0(struct once_key, once->room * 2), once->room * 2, once->count};

    for (size_t i = 0; i < once->room; i++)
        if (!is_free(&once->keys[i]))
            *find(&larger, &once->keys[i]) = once->keys[i];
    g_free(once->keys);
    *once = larger;
}

bool once_seen(struct once *once, const struct once_key *key)
{
    if (is_free(key))
        return false;
    struct once_key *place = find(once, key);
    if (!is_free(place))
        return true;
    *place = *key;
    if (++once->count * 2 > once->room)
        grow(once);
    return false;
}
