/* address_set - see address_set.h */

#include "policy/address/address_set.h"

#include "policy/base/keyed_hash.h"

#include <string.h>

/* Up to here, looking at each is cheaper than hashing. */
#define FEW 8

void addresses_init(struct addresses *addresses)
{
    addresses->order = g_ptr_array_new_with_free_func(g_free);
    addresses->index = NULL;
}

void addresses_clear(struct addresses *addresses)
{
    if (addresses->index != NULL)
        g_hash_table_unref(addresses->index);
    g_ptr_array_unref(addresses->order);
}

unsigned addresses_count(const struct addresses *addresses)
{
    return addresses->order->len;
}

const char *addresses_get(const struct addresses *addresses, unsigned place)
{
    return g_ptr_array_index(addresses->order, place);
}

int addresses_find(const struct addresses *addresses, const char *address)
{
    gpointer place;

    if (addresses->index != NULL)
        return g_hash_table_lookup_extended(addresses->index, address, NULL, &place) ? GPOINTER_TO_INT(place) : -1;
    for (unsigned i = 0; i < addresses->order->len; i++)
        if (strcmp(g_ptr_array_index(addresses->order, i), address) == 0)
            return (int)i;
    return -1;
}

static void make_index(struct addresses *addresses)
{
    addresses->index = g_hash_table_new(hash_string, g_str_equal);
    for (unsigned i = 0; i < addresses->order->len; i++)
        g_hash_table_insert(addresses->index, g_ptr_array_index(addresses->order, i), GINT_TO_POINTER((int)i));
}

int addresses_add(struct addresses *addresses, char *address)
{
    if (address == NULL)
        return -1;
    int place = addresses_find(addresses, address);
    if (place >= 0) {
        g_free(address);
        return place;
    }
    place = (int)addresses->order->len;
    g_ptr_array_add(addresses->order, address);
    if (addresses->index != NULL)
        g_hash_table_insert(addresses->index, address, GINT_TO_POINTER(place));
    else if (addresses->order->len > FEW)
        make_index(addresses);
    return place;
}

char *addresses_steal(struct addresses *addresses, unsigned place)
{
    return g_steal_pointer(&g_ptr_array_index(addresses->order, place));
}

void addresses_empty(struct addresses *addresses)
{
    g_clear_pointer(&addresses->index, g_hash_table_unref);
    g_ptr_array_set_size(addresses->order, 0);
}
