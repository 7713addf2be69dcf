/* gmime_bounds - see gmime_bounds.h */

#include "policy/message/gmime_bounds.h"

#include <string.h>

/* Whether a comment begins at `text`, blanks before it or not; `*closed`: and ends. */
static bool comment_begins(const char *text, bool *closed)
{
    const char *p = text + strspn(text, " \t\r\n");
    unsigned depth = 0;

    *closed = true;
    if (*p != '(')
        return false;
    do {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '(')
            depth++;
        else if (*p == ')')
            depth--;
    } while (*++p != '\0' && depth > 0);
    *closed = depth == 0;
    return true;
}

/*
 * GMime up to 3.2.14 loses memory where the comment after a domain literal is
 * never closed.  Whatever else it would take the signs for: a literal is after
 * an `@` or a comment.
 */
static bool literals_end(const char *value, size_t length)
{
    char last = '\0'; /* that is no blank */
    bool literal = false, closed;
    unsigned comments = 0;

    for (size_t i = 0; i < length; i++) {
        if (value[i] == '[')
            literal = last == '@' || last == ')';
        else if (value[i] == ']' && literal && comment_begins(value + i + 1, &closed) &&
                 (!closed || ++comments > GMIME_LITERAL_LIMIT))
            return false;
        if (strchr(" \t\r\n", value[i]) == NULL)
            last = value[i];
    }
    return true;
}

bool parsable_show(struct parsable *shown, const char *value, size_t length)
{
    unsigned ats = 0, colons = 0, separators = 0, open = 0;

    shown->bytes += length;
    if (shown->bytes > GMIME_BYTES_LIMIT)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = value[i];
        ats += c == '@';
        colons += c == ':';
        separators += c == ',' || c == ';';
        if (c == '(' || c == ')')
            open = c == '(' ? open + 1 : open > 0 ? open - 1 : 0;
    }
    shown->marks += ats + colons;
    shown->bare += separators > 2 * ats ? separators - 2 * ats : 0;
    return colons <= GMIME_COLONS_LIMIT && shown->marks <= GMIME_MARKS_LIMIT && shown->bare <= GMIME_BARE_LIMIT &&
           open <= GMIME_OPEN_LIMIT && literals_end(value, length);
}
