/* disposition - see disposition.h */

#include "policy/message/disposition.h"

const char *disposition_name(enum disposition disposition)
{
    static const char *const names[] = {"accept", "tag", "quarantine", "reject", "tempfail"};

    return names[disposition];
}

bool disposition_stops(enum disposition disposition)
{
    return disposition == DISPOSITION_QUARANTINE || disposition == DISPOSITION_REJECT ||
           disposition == DISPOSITION_TEMPFAIL;
}
