/* message_id - see message_id.h */

#include "policy/message/message_id.h"

#include <glib.h>
#include <string.h>

const char *message_id_find(const char *value, size_t *length_found)
{
    const char *start = value == NULL ? "" : value;
    start += strspn(start, " \t\r\n");
    size_t length = strlen(start);
    const char *open = strchr(start, '<');
    const char *close = open == NULL ? NULL : strchr(open, '>');
    if (close != NULL) {
        start = open + 1;
        length = (size_t)(close - start);
    }
    while (length > 0 && g_ascii_isspace(start[length - 1]))
        length--;
    *length_found = length;
    return start;
}

char *message_id_copy(const char *value)
{
    size_t length;
    const char *id = message_id_find(value, &length);

    return g_strndup(id, length);
}
