/* state_operation - see state_operation.h */

#include "milter/state/state_operation.h"

const char *state_operation_name(enum state_operation operation)
{
    static const char *const names[] = {"window", "known", "withdraw", "learn", "expire", "permit", "claim", "share"};
    return names[operation];
}
