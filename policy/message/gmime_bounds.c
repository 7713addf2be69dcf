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

bool parsable_add(struct parsable *shown, const struct parsable_marks *marks)
{
    shown->bytes += marks->bytes;
    if (shown->bytes > GMIME_BYTES_LIMIT)
        return false;
    shown->marks += marks->ats + marks->colons;
    shown->bare += marks->separators > 2 * marks->ats ? marks->separators - 2 * marks->ats : 0;
    return marks->colons <= GMIME_COLONS_LIMIT && shown->marks <= GMIME_MARKS_LIMIT &&
           shown->bare <= GMIME_BARE_LIMIT && marks->open <= GMIME_OPEN_LIMIT;
}

bool parsable_show(struct parsable *shown, const char *value, size_t length)
{
    struct parsable_marks marks = {.bytes = length};
    /* What has too many bytes is not looked at. */
    size_t end = shown->bytes + length <= GMIME_BYTES_LIMIT ? length : 0;

    for (size_t i = 0; i < end; i++) {
        char c = value[i];
        marks.ats += c == '@';
        marks.colons += c == ':';
        marks.separators += c == ',' || c == ';';
        if (c == '(' || c == ')')
            marks.open = c == '(' ? marks.open + 1 : marks.open > 0 ? marks.open - 1 : 0;
    }
    return parsable_add(shown, &marks) && literals_end(value, length);
}
