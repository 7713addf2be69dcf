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

const char *release_way_name(enum release_way way)
{
    static const char *const names[] = {"reviewer", "sender", "sender with reason", "time"};

    return names[way];
}

const char *expire_way_name(enum expire_way way)
{
    static const char *const names[] = {NULL, "return", "delete"};

    return names[way];
}

char *action_time_text(unsigned seconds)
{
    const unsigned minute = 60, hour = 60 * minute, day = 24 * hour;

    if (seconds % day == 0)
        return g_strdup_printf("%ud", seconds / day);
    if (seconds % hour == 0)
        return g_strdup_printf("%uh", seconds / hour);
    if (seconds % minute == 0)
        return g_strdup_printf("%um", seconds / minute);
    return g_strdup_printf("%us", seconds);
}

char *action_terms_text(const struct action_terms *terms)
{
    static const char *const released[] = {"", " release by sender", " release by sender with reason",
                                           " release after "};
    GString *text = g_string_new(released[terms->release]);
    g_autofree char *after = action_time_text(terms->release_after);
    g_autofree char *expires = action_time_text(terms->expire_after);
    g_autofree char *override = action_time_text(terms->override);

    if (terms->release == RELEASE_AFTER)
        g_string_append(text, after);
    if (terms->expire != EXPIRE_AS_CONFIGURED)
        g_string_append_printf(text, " expire %s %s", expires, expire_way_name(terms->expire));
    if (terms->override > 0)
        g_string_append_printf(text, " override %s", override);
    if (text->len > 0)
        g_string_erase(text, 0, 1);
    return g_string_free(text, FALSE);
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
