/* braces - see braces.h */

#include "policy/base/braces.h"

#include <string.h>

struct brace_piece braces_next(const char **rest)
{
    const char *from = *rest;
    struct brace_piece piece = {.kind = BRACE_TEXT, .from = from, .length = strcspn(from, "{")};

    if (*from == '\0') {
        piece.kind = BRACE_END;
    } else if (piece.length > 0) {
        *rest += piece.length;
    } else if (from[1] == '{') {
        piece.length = 1;
        *rest += 2;
    } else {
        piece.from = from + 1;
        piece.length = strcspn(from + 1, "}\n");
        if (piece.from[piece.length] == '}') {
            piece.kind = BRACE_VARIABLE;
            *rest = piece.from + piece.length + 1;
        } else {
            piece = (struct brace_piece){.kind = BRACE_OPEN, .from = from, .length = 1};
            *rest += 1;
        }
    }
    return piece;
}
