/* address_set - see address_set.h */

#include "policy/address/address_set.h"

#include "policy/base/keyed_hash.h"

#include <string.h>

/* Up to here, looking at each is cheaper than hashing. */
#define FEW 8

/* The first table; at most every second slot is taken. */
#define SLOTS_LEAST 32

/* Bytes of the first block and of the largest; one for a longer address is as long as that. */
#define BLOCK_LEAST 512
#define BLOCK_MOST  65536

struct address_block {
    struct address_block *next;
    size_t used, size;
    char bytes[];
};

void addresses_init(struct addresses *addresses)
{
    *addresses = (struct addresses){0};
}

void addresses_clear(struct addresses *addresses)
{
    addresses_empty(addresses);
    g_clear_pointer(&addresses->entries, g_free);
    addresses->size = 0;
}

unsigned addresses_count(const struct addresses *addresses)
{
    return addresses->count;
}

const char *addresses_get(const struct addresses *addresses, unsigned place)
{
    return addresses->entries[place].address;
}

static bool is_same(const struct address_entry *entry, const char *address, size_t length)
{
    return entry->length == length && memcmp(entry->address, address, length) == 0;
}

/* The slot of an address, or the free one where it would be. */
static guint *slot_of(const struct addresses *addresses, const char *address, size_t length, guint hash)
{
    for (guint i = hash & addresses->mask;; i = (i + 1) & addresses->mask) {
        guint *slot = &addresses->slots[i];
        if (*slot == 0)
            return slot;
        const struct address_entry *entry = &addresses->entries[*slot - 1];
        if (entry->hash == hash && is_same(entry, address, length))
            return slot;
    }
}

static int find_among_few(const struct addresses *addresses, const char *address, size_t length)
{
    for (unsigned i = 0; i < addresses->count; i++)
        if (is_same(&addresses->entries[i], address, length))
            return (int)i;
    return -1;
}

int addresses_find(const struct addresses *addresses, const char *address)
{
    if (addresses->count == 0)
        return -1;
    size_t length = strlen(address);
    if (addresses->slots == NULL)
        return find_among_few(addresses, address, length);
    return (int)*slot_of(addresses, address, length, hash_bytes(address, length)) - 1;
}

/* Makes a table for at least twice the addresses; no two of them are the same. */
static void make_table(struct addresses *addresses)
{
    guint slots = addresses->slots == NULL ? SLOTS_LEAST : 2 * (addresses->mask + 1);

    for (unsigned i = 0; addresses->slots == NULL && i < addresses->count; i++)
        addresses->entries[i].hash = hash_bytes(addresses->entries[i].address, addresses->entries[i].length);
    g_free(addresses->slots);
    addresses->slots = g_new0(guint, slots);
    addresses->mask = slots - 1;
    for (unsigned i = 0; i < addresses->count; i++) {
        guint at = addresses->entries[i].hash & addresses->mask;
        while (addresses->slots[at] != 0)
            at = (at + 1) & addresses->mask;
        addresses->slots[at] = i + 1;
    }
}

static char *copy(struct addresses *addresses, const char *address, size_t length)
{
    struct address_block *block = addresses->blocks;

    if (block == NULL || length >= block->size - block->used) {
        size_t size = block == NULL ? BLOCK_LEAST : MIN(2 * block->size, BLOCK_MOST);
        size = MAX(size, length + 1);
        block = g_malloc(sizeof *block + size);
        *block = (struct address_block){.next = addresses->blocks, .size = size};
        addresses->blocks = block;
    }
    char *to = block->bytes + block->used;
    block->used += length + 1;
    memcpy(to, address, length);
    to[length] = '\0';
    return to;
}

/* Appends an address that is not there; its place. */
static int append(struct addresses *addresses, const char *address, size_t length, guint hash)
{
    if (addresses->count == addresses->size) {
        addresses->size = MAX(2 * FEW, 2 * addresses->size);
        addresses->entries = g_renew(struct address_entry, addresses->entries, addresses->size);
    }
    addresses->entries[addresses->count++] =
        (struct address_entry){.address = addresses->borrows ? address : copy(addresses, address, length),
                               .length = (guint)length,
                               .hash = hash};
    return (int)addresses->count - 1;
}

int addresses_put(struct addresses *addresses, const char *address, size_t length, unsigned limit, bool *added)
{
    guint *slot = NULL, hash = 0;
    int place;

    *added = false;
    if (addresses->slots == NULL ? addresses->count >= FEW : 2 * addresses->count > addresses->mask)
        make_table(addresses);
    if (addresses->slots == NULL) {
        place = find_among_few(addresses, address, length);
    } else {
        hash = hash_bytes(address, length);
        slot = slot_of(addresses, address, length, hash);
        place = (int)*slot - 1;
    }
    if (place >= 0 || addresses->count >= limit)
        return place;
    *added = true;
    place = append(addresses, address, length, hash);
    if (slot != NULL)
        *slot = (guint)place + 1;
    return place;
}

int addresses_add(struct addresses *addresses, char *address)
{
    bool added;

    if (address == NULL)
        return -1;
    int place = addresses_put(addresses, address, strlen(address), G_MAXUINT, &added);
    g_free(address);
    return place;
}

void addresses_join(struct addresses *addresses, struct addresses *others)
{
    bool added;

    for (unsigned i = 0; i < others->count; i++)
        addresses_put(addresses, others->entries[i].address, others->entries[i].length, G_MAXUINT, &added);
    addresses_empty(others);
}

void addresses_empty(struct addresses *addresses)
{
    while (addresses->blocks != NULL) {
        struct address_block *block = addresses->blocks;
        addresses->blocks = block->next;
        g_free(block);
    }
    addresses->count = 0;
    g_clear_pointer(&addresses->slots, g_free);
}
