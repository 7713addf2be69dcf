/* named_fields - see named_fields.h */

#include "policy/parts/named_fields.h"

static bool is_named(const char *field, const char *const *names)
{
    for (; *names != NULL; names++)
        if (g_ascii_strcasecmp(field, *names) == 0)
            return true;
    return false;
}

struct recipients *named_fields_read(const struct message *message, const char *const *names)
{
    auto_free(message) named = message_new();

    named->mta = message->mta;
    named->overflow = message->overflow;
    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (is_named(header->name, names))
            message_add_header(named, "To", header->value);
    }
    return recipients_read(named);
}
