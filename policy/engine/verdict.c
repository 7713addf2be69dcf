/* verdict - see verdict.h */

#include "policy/engine/verdict.h"

#include "policy/exposure/exposure.h"
#include "policy/exposure/parts_exposure.h"

void verdict_free(struct verdict *verdict)
{
    if (verdict == NULL)
        return;
    g_free(verdict->rule);
    g_free(verdict->text);
    g_free(verdict->override.reply);
    if (verdict->would != NULL)
        g_ptr_array_unref(verdict->would);
    exposure_free(verdict->exposure);
    parts_exposure_free(verdict->body.exposure);
    body_parts_free(verdict->body.own);
    if (verdict->state.windows != NULL)
        g_array_unref(verdict->state.windows);
    if (verdict->state.parties != NULL)
        g_array_unref(verdict->state.parties);
    g_free(verdict);
}

enum verdict_end verdict_end_of(enum disposition disposition)
{
    switch (disposition) {
    case DISPOSITION_QUARANTINE:
        return VERDICT_HELD;
    case DISPOSITION_REJECT:
    case DISPOSITION_TEMPFAIL:
        return VERDICT_REFUSED;
    default:
        return VERDICT_PASSED;
    }
}

bool verdict_would_stop(const struct verdict *verdict)
{
    for (unsigned i = 0; i < verdict->would->len; i++) {
        const char *would = g_ptr_array_index(verdict->would, i);
        if (!g_str_has_prefix(would, "accept:") && !g_str_has_prefix(would, "tag:"))
            return true;
    }
    return false;
}

enum state_outcome verdict_settle(const struct verdict *verdict, const struct state *state, enum verdict_end end,
                                  gint64 now)
{
    const struct verdict_state *kept = &verdict->state;
    const struct state_set set = {kept->scope,
                                  kept->parties != NULL ? (const state_hash *)(gpointer)kept->parties->data : NULL,
                                  kept->parties != NULL ? kept->parties->len : 0};

    if (state == NULL || state->functions == NULL)
        return STATE_AWAY;
    const struct verdict_override *override = &verdict->override;
    if (override->taken != 0 && (end == VERDICT_REFUSED || !override->skipped))
        state->functions->unclaim(state->data, override->taken, override->message);
    if (end == VERDICT_REFUSED && kept->record != 0)
        return state->functions->withdraw(state->data, kept->record);
    if (end == VERDICT_PASSED && kept->teaches)
        return state->functions->learn(state->data, &set, state_time(now));
    return STATE_OK;
}
