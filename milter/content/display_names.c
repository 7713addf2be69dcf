/* display_names - see display_names.h */

#include "milter/content/display_names.h"

#include "policy/address/address.h"
#include "policy/base/keyed_hash.h"
#include "policy/message/gmime_api.h"
#include "policy/message/gmime_bounds.h"
#include "policy/message/header_text.h"
#include "policy/message/recipients.h"

#include <string.h>

/* The names of a list, and of the groups in it; their depth is bounded by what GMime was shown. */
static void take_names(GHashTable *names, InternetAddressList *list)
{
    int count = list == NULL ? 0 : internet_address_list_length(list);
    for (int i = 0; i < count; i++) {
        InternetAddress *each = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_GROUP(each)) {
            take_names(names, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(each)));
            continue;
        }
        const char *name = internet_address_get_name(each);
        const char *address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(each));
        char *normal = address == NULL ? NULL : address_normalise_envelope(address);
        if (normal == NULL || name == NULL || name[0] == '\0' || strcmp(name, address) == 0 ||
            g_hash_table_contains(names, normal)) {
            g_free(normal);
            continue;
        }
        g_autofree char *valid = g_utf8_make_valid(name, -1);
        glong length = g_utf8_strlen(valid, -1);
        g_hash_table_insert(names, normal, g_utf8_substring(valid, 0, MIN(length, (glong)DISPLAY_NAME_LIMIT)));
    }
}

static bool names_recipients(const struct header *header)
{
    for (unsigned bit = FIELD_TO; bit <= FIELD_APPARENTLY_TO; bit <<= 1) {
        if (g_ascii_strcasecmp(header->name, recipient_field_name((enum recipient_field)bit)) == 0)
            return true;
    }
    return false;
}

GHashTable *display_names_read(const struct message *message)
{
    GHashTable *names = g_hash_table_new_full(hash_string, g_str_equal, g_free, g_free);
    struct parsable seen = {0};
    decode_start();
    for (guint i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (!names_recipients(header) || !parsable_show(&seen, header->value, strlen(header->value)))
            continue;
        InternetAddressList *list = internet_address_list_new();
        gmime_append_parse(list, NULL, header->value);
        take_names(names, list);
        g_object_unref(list);
    }
    return names;
}
