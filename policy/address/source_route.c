/* source_route - see source_route.h */

#include "policy/address/source_route.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/*
 * Where what begins here ends: a quoted string, a comment, an escaped character or one
 * character.  After a parenthesis that nothing closes, none begins a comment: looking for
 * the end of each would be quadratic.
 */
static const char *over_piece(const char *p, bool *unclosed)
{
    unsigned depth = 0;
    const char *start = p;

    if (*p == '"') {
        for (p++; *p != '\0' && *p != '"'; p++)
            p += *p == '\\' && p[1] != '\0';
        return p + (*p == '"');
    }
    if (*p == '\\' && p[1] != '\0')
        return p + 2;
    if (*p != '(' || *unclosed)
        return p + 1;
    for (; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '(')
            depth++;
        else if (*p == ')' && --depth == 0)
            return p + 1;
    }
    *unclosed = true;
    return start + 1;
}

/* Whether it is none of an address: a comment, or a blank. */
static bool is_between(const char *piece, const char *end)
{
    return g_ascii_isspace(*piece) || (*piece == '(' && end - piece > 1);
}

/*
 * Makes `ann%x.example` and `x.example!ann`, without an `@`, what they mean: `local`
 * and `domain` point into the text, which is cut.  Of several `%` the last counts, of
 * several `!` the first.
 */
static bool split(char *text, const char **local, const char **domain)
{
    char *bang = strchr(text, '!'), *percent = strrchr(text, '%');
    char *mark = bang != NULL ? bang : percent;

    if (mark == NULL || strchr(text, '@') != NULL)
        return false;
    *local = bang != NULL ? mark + 1 : text;
    *domain = bang != NULL ? text : mark + 1;
    *mark = '\0';
    if ((*local)[0] != '\0' && strchr(*domain, '.') != NULL)
        return true;
    *mark = bang != NULL ? '!' : '%'; /* a host without a dot is one of ours */
    return false;
}

/* After `@a.example,@b.example:`, if the address begins so. */
static const char *over_route(const char *address)
{
    bool literal = false;

    if (address[0] != '@')
        return address;
    for (const char *p = address; *p != '\0'; p++) {
        literal = *p == '[' || (literal && *p != ']');
        if (*p == ':' && !literal)
            return p + 1;
    }
    return address;
}

/* "ann%x.example" in quotes is the same to an MTA. */
static void unquote(GString *address)
{
    if (address->len > 2 && address->str[0] == '"' &&
        strchr(address->str + 1, '"') == address->str + address->len - 1 && strpbrk(address->str, "\\@ ") == NULL) {
        g_string_truncate(address, address->len - 1);
        g_string_erase(address, 0, 1);
    }
}

char *route_address(const char *argument)
{
    g_autoptr(GString) address = g_string_new(NULL);
    bool unclosed = false;
    const char *local, *domain;

    if (argument[0] != '@' && strpbrk(argument, " \t\r\n\"\\(!%") == NULL)
        return g_strdup(argument);
    for (const char *p = argument, *end; *p != '\0'; p = end) {
        end = over_piece(p, &unclosed);
        if (!is_between(p, end))
            g_string_append_len(address, p, end - p);
    }
    g_string_erase(address, 0, over_route(address->str) - address->str);
    if (strpbrk(address->str, "!%") != NULL) {
        g_autoptr(GString) plain = g_string_new(address->str);
        unquote(plain);
        if (split(plain->str, &local, &domain))
            return g_strconcat(local, "@", domain, NULL);
    }
    return g_strdup(address->str);
}

void route_list(const char *list, route_take take, void *data)
{
    g_autoptr(GString) item = g_string_new(NULL);
    bool quoted = false, unclosed = false;
    const char *local, *domain;

    if (strpbrk(list, "!%") == NULL)
        return;
    for (const char *p = list, *end;; p = end) {
        if (*p == '\0' || strchr(",;:<>", *p) != NULL) {
            /* What is before `<` or `:` is a name. */
            if (*p != '<' && *p != ':' && !quoted && split(item->str, &local, &domain))
                take(data, local, domain);
            g_string_truncate(item, 0);
            quoted = false;
            if (*p == '\0')
                return;
            end = p + 1;
            continue;
        }
        end = over_piece(p, &unclosed);
        quoted = quoted || *p == '"' || *p == '\\';
        if (!is_between(p, end))
            g_string_append_len(item, p, end - p);
    }
}
