/* simple_list - see simple_list.h */

#include "policy/address/simple_list.h"

#include <glib.h>
#include <string.h>

/* Blanks and folds; a line's end that no blank follows is no fold. */
static const char *over_blanks(const char *p)
{
    for (;;) {
        if (*p == ' ' || *p == '\t')
            p++;
        else if (*p == '\n' && (p[1] == ' ' || p[1] == '\t'))
            p += 2;
        else if (*p == '\r' && p[1] == '\n' && (p[2] == ' ' || p[2] == '\t'))
            p += 3;
        else
            return p;
    }
}

/* After words of letters and digits joined by single marks, or NULL. */
static const char *over_words(const char *p, const char *marks)
{
    for (;;) {
        if (!g_ascii_isalnum(*p))
            return NULL;
        while (g_ascii_isalnum(*p))
            p++;
        if (*p == '\0' || strchr(marks, *p) == NULL)
            return p;
        p++;
    }
}

/* After a domain of two labels at least, none of them an A-label; or NULL. */
static const char *over_domain(const char *p)
{
    const char *end = p;
    bool dot = false;

    for (;;) {
        if (g_ascii_strncasecmp(end, "xn--", 4) == 0)
            return NULL;
        end = over_words(end, "-");
        if (end == NULL || *end != '.')
            return end != NULL && dot ? end : NULL;
        dot = true;
        end++;
    }
}

static const char *over_address(const char *p)
{
    p = over_words(p, "._+-");
    return p != NULL && *p == '@' ? over_domain(p + 1) : NULL;
}

/* After a quoted string without escapes, `@` and what begins an encoded-word; or NULL. */
static const char *over_quoted(const char *p)
{
    for (p++; *p != '"'; p++)
        if (*p < ' ' || *p > '~' || strchr("\\@=", *p) != NULL)
            return NULL;
    return p + 1;
}

/* After `NAME <ADDRESS>` or `ADDRESS`, or NULL. */
static const char *over_mailbox(const char *p)
{
    const char *end;

    if (*p == '"') {
        p = over_quoted(p);
        if (p == NULL)
            return NULL;
        p = over_blanks(p);
    } else {
        end = over_address(p);
        if (end != NULL)
            return end;
        while (g_ascii_isalnum(*p) || *p == '-' || *p == '_' || over_blanks(p) != p)
            p = over_blanks(p) != p ? over_blanks(p) : p + 1;
    }
    if (*p != '<')
        return NULL;
    end = over_address(p + 1);
    return end != NULL && *end == '>' ? end + 1 : NULL;
}

bool plain_list(const char *value)
{
    for (;;) {
        value = over_mailbox(over_blanks(value));
        if (value == NULL)
            return false;
        value = over_blanks(value);
        if (*value == '\0')
            return true;
        if (*value != ',')
            return false;
        value++;
    }
}
