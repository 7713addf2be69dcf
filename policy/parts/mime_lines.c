/* mime_lines - see mime_lines.h */

#include <config.h>

#include "policy/parts/mime_lines.h"

#include <string.h>

void mime_lines_find(struct mime_lines *lines, const char *text, size_t length)
{
    const char *end = text + length, *at = text;

    *lines = (struct mime_lines){.text = text, .starts = g_array_new(FALSE, FALSE, sizeof(gsize))};
    if (length > 1 && text[0] == '-' && text[1] == '-')
        g_array_append_val(lines->starts, (gsize){0});
    while ((at = memmem(at, (size_t)(end - at), "\n--", 3)) != NULL) {
        gsize start = (gsize)(at + 1 - text);
        if (lines->starts->len == MIME_LINES_LIMIT) {
            lines->exhausted = true;
            return;
        }
        g_array_append_val(lines->starts, start);
        at += 3;
    }
}

void mime_lines_clear(struct mime_lines *lines)
{
    g_array_unref(lines->starts);
}

/* The first of them from `from` on. */
static unsigned first_from(const struct mime_lines *lines, size_t from)
{
    unsigned low = 0, high = lines->starts->len;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (g_array_index(lines->starts, gsize, middle) < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether only blanks are left of a line; `*after` is then where the next one begins. */
static bool is_rest_blank(const char *p, const char *end, const char **after)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    *after = p < end ? p + 1 : end;
    return p == end || *p == '\n';
}

bool mime_lines_next(const struct mime_lines *lines, const char *boundary, size_t from, size_t end, unsigned *budget,
                     bool *near, struct mime_delimiter *found)
{
    size_t length = strlen(boundary);

    for (unsigned i = first_from(lines, from); i<lines->starts->len && * budget> 0; i++) {
        size_t start = g_array_index(lines->starts, gsize, i);
        const char *name = lines->text + start + 2, *after, *stop = lines->text + end;
        if (start >= end)
            break;
        (*budget)--;
        if ((size_t)(stop - name) < length || memcmp(name, boundary, length) != 0)
            continue;
        bool closes = stop - name >= (gssize)length + 2 && name[length] == '-' && name[length + 1] == '-';
        if (is_rest_blank(name + length + (closes ? 2 : 0), stop, &after)) {
            *found = (struct mime_delimiter){start, (size_t)(after - lines->text), closes};
            return true;
        }
        *near = true;
    }
    return false;
}
