/* allow_comments - see allow_comments.h */

#include "policy/language/allow_comments.h"

#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz-"
#define BLANKS          " \t\r"

/* Whether something of the policy is before the comment on its line. */
static bool stands_behind(const char *text, size_t offset)
{
    while (offset > 0 && text[offset - 1] != '\n')
        if (strchr(BLANKS, text[--offset]) == NULL)
            return true;
    return false;
}

/* The first name of a comment that has nothing but names; NULL of any other. */
static const char *first_name(const char *comment)
{
    const char *p = comment + 1 + strspn(comment + 1, BLANKS), *first;

    if (!g_str_has_prefix(p, "allow"))
        return NULL;
    p += strlen("allow");
    p += strspn(p, BLANKS);
    if (*p != ':')
        return NULL;
    p++;
    first = p + strspn(p, BLANKS);
    for (p = first;; p += strspn(p, BLANKS)) {
        size_t length = strspn(p, NAME_CHARACTERS);
        if (length == 0)
            return NULL;
        p += length;
        p += strspn(p, BLANKS);
        if (*p == '\0' || *p == '\n')
            return first;
        if (*p++ != ',')
            return NULL;
    }
}

static void add_names(struct policy *policy, const char *name, const struct span *statement)
{
    const char *text = policy->source->text;

    while (*name != '\0' && *name != '\n') {
        struct allow *allow = g_new0(struct allow, 1);
        size_t length = strspn(name, NAME_CHARACTERS);
        allow->name = g_strndup(name, length);
        allow->offset = (size_t)(name - text);
        allow->begin = statement->begin;
        allow->end = statement->end;
        g_ptr_array_add(policy->allows, allow);
        name += length;
        name += strspn(name, BLANKS ",");
    }
}

void allow_comments_gather(struct policy *policy, const GArray *comments, const GArray *statements)
{
    for (unsigned i = 0, j = 0; i < comments->len; i++) {
        size_t offset = g_array_index(comments, size_t, i);
        const char *name = first_name(policy->source->text + offset);
        while (j + 1 < statements->len && g_array_index(statements, struct span, j).end <= offset)
            j++;
        if (name != NULL && j < statements->len && stands_behind(policy->source->text, offset))
            add_names(policy, name, &g_array_index(statements, struct span, j));
    }
}

bool allow_comment_covers(const struct policy *policy, const struct allow *allow, size_t offset)
{
    unsigned line = source_line(policy->source, allow->offset);

    return source_line(policy->source, offset) == line ||
           (source_line(policy->source, allow->begin) == line && offset >= allow->begin && offset < allow->end);
}

void allow_comments_print(GString *out, const struct policy *policy, size_t offset)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (unsigned i = 0; i < policy->allows->len; i++) {
        const struct allow *allow = g_ptr_array_index(policy->allows, i);
        if (offset < allow->begin || offset >= allow->end ||
            g_ptr_array_find_with_equal_func(names, allow->name, g_str_equal, NULL))
            continue;
        g_string_append_printf(out, "%s%s", names->len == 0 ? " # allow: " : ", ", allow->name);
        g_ptr_array_add(names, allow->name);
    }
}
