/* disposition - see disposition.h */

#include "policy/message/disposition.h"

#include <stddef.h>

const char *const disposition_names[] = {"accept", "tag", "quarantine", "reject", "tempfail", NULL};

const char *disposition_name(enum disposition disposition)
{
    return disposition_names[disposition];
}

bool disposition_stops(enum disposition disposition)
{
    return disposition == DISPOSITION_QUARANTINE || disposition == DISPOSITION_REJECT ||
           disposition == DISPOSITION_TEMPFAIL;
}
