/* disposition - see disposition.h */

#include "policy/message/disposition.h"

#include <glib.h>

const char *const disposition_names[] = {"accept", "tag", "quarantine", "reject", "tempfail", NULL};
G_STATIC_ASSERT(G_N_ELEMENTS(disposition_names) == DISPOSITIONS + 1);

const char *disposition_name(enum disposition disposition)
{
    return disposition_names[disposition];
}

bool disposition_stops(enum disposition disposition)
{
    return disposition == DISPOSITION_QUARANTINE || disposition == DISPOSITION_REJECT ||
           disposition == DISPOSITION_TEMPFAIL;
}

const struct disposition_reply *disposition_reply(enum disposition disposition)
{
    /* RFC 3463: X.7.1 is delivery not authorised, message refused. */
    static const struct disposition_reply replies[DISPOSITIONS] = {
        [DISPOSITION_REJECT] = {"550", "5.7.1"},
        [DISPOSITION_TEMPFAIL] = {"451", "4.7.1"},
    };

    return replies[disposition].code != NULL ? &replies[disposition] : NULL;
}
