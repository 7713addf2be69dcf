/* defects - see defects.h */

#include "policy/message/defects.h"

#include <stddef.h>

const char *defect_name(enum defect defect)
{
    switch (defect) {
    case DEFECT_SYNTAX:
        return "syntax";
    case DEFECT_LIMIT:
        return "limit";
    case DEFECT_UNPARSED:
        return "unparsed";
    case DEFECT_CUT:
        return "cut";
    }
    return NULL;
}
