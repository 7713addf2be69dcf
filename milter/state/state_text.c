/* state_text - see state_text.h */

#include "milter/state/state_text.h"

struct state_text {
    GPtrArray *values;
    GString *items; /* of the array that has begun */
};

struct state_text *state_text_new(void)
{
    struct state_text *text = g_new0(struct state_text, 1);
    text->values = g_ptr_array_new_with_free_func(g_free);
    text->items = g_string_new("{");
    return text;
}

void state_text_free(struct state_text *text)
{
    if (text == NULL)
        return;
    g_ptr_array_unref(text->values);
    g_string_free(text->items, TRUE);
    g_free(text);
}

void state_text_add(struct state_text *text, const char *value)
{
    g_ptr_array_add(text->values, g_strdup(value));
}

void state_text_add_null(struct state_text *text)
{
    g_ptr_array_add(text->values, NULL);
}

void state_text_add_number(struct state_text *text, gint64 number)
{
    g_ptr_array_add(text->values, g_strdup_printf("%" G_GINT64_FORMAT, number));
}

void state_text_add_hash(struct state_text *text, state_hash hash)
{
    state_text_add_number(text, (gint64)hash);
}

/* By hand: a permit has ten thousand of them. */
static void append_number(GString *out, gint64 number)
{
    char digits[24];
    unsigned at = sizeof digits;
    guint64 rest = number < 0 ? -(guint64)number : (guint64)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[--at] = '-';
    g_string_append_len(out, digits + at, (gssize)(sizeof digits - at));
}

void state_text_add_item(struct state_text *text, gint64 number)
{
    if (text->items->len > 1)
        g_string_append_c(text->items, ',');
    append_number(text->items, number);
}

void state_text_add_items(struct state_text *text, const state_hash *hashes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        state_text_add_item(text, (gint64)hashes[i]);
}

void state_text_end_items(struct state_text *text)
{
    g_string_append_c(text->items, '}');
    g_ptr_array_add(text->values, g_strdup(text->items->str));
    g_string_assign(text->items, "{");
}

unsigned state_text_count(const struct state_text *text)
{
    return text->values->len;
}

const char *const *state_text_values(const struct state_text *text)
{
    return (const char *const *)text->values->pdata;
}

unsigned state_text_read(const char *array, gint64 *numbers, unsigned most)
{
    unsigned count = 0;
    if (array == NULL || array[0] != '{')
        return G_MAXUINT;
    const char *at = array + 1;
    while (*at != '}') {
        char *end;
        gint64 number = g_ascii_strtoll(at, &end, 10);
        if (end == at || count == most || (*end != ',' && *end != '}'))
            return G_MAXUINT;
        numbers[count++] = number;
        at = *end == ',' ? end + 1 : end;
    }
    return count;
}
