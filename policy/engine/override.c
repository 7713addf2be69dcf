/* override - see override.h */

#include "policy/engine/override.h"

#include "policy/address/address.h"
#include "policy/base/keyed_hash.h"
#include "policy/exposure/exposure.h"
#include "policy/state/state_keys.h"

static bool has_state(const struct evaluation *evaluation)
{
    const struct state *state = evaluation->history.state;

    return state != NULL && state->functions != NULL && state->key != NULL;
}

/* ---- who would get to know what */

static void add_address(const struct evaluation *evaluation, GHashTable *seen, GArray *hashes, const char *address)
{
    if (g_hash_table_contains(seen, address))
        return;
    const state_hash hash = state_hash_text(evaluation->history.state->key, STATE_VISIBLE, address);
    g_hash_table_add(seen, g_strdup(address));
    g_array_append_val(hashes, hash);
}

/* All whom the message shows, and all who get it: a rule may have counted either. */
static GArray *people_of(const struct evaluation *evaluation)
{
    const GPtrArray *envelope = evaluation->message->recipients;
    GArray *hashes = g_array_new(FALSE, FALSE, sizeof(state_hash));
    g_autoptr(GHashTable) seen = g_hash_table_new_full(hash_string, g_str_equal, g_free, NULL);

    for (unsigned i = 0; i < exposure_visible(evaluation->exposure); i++)
        add_address(evaluation, seen, hashes, exposure_get(evaluation->exposure, i)->address);
    for (unsigned i = 0; i < envelope->len && hashes->len <= STATE_PERMIT_LIMIT; i++) {
        g_autofree char *address = address_normalise_envelope(g_ptr_array_index(envelope, i));
        add_address(evaluation, seen, hashes, address);
    }
    return hashes;
}

/* Of a header that could not be read whole nobody can say that it shows no more. */
static bool is_whole(const struct evaluation *evaluation)
{
    const unsigned unreadable = DEFECT_LIMIT | DEFECT_UNPARSED | DEFECT_CUT;

    return (exposure_defects(evaluation->exposure) & unreadable) == 0 && !exposure_fault(evaluation->exposure);
}

/* ---- a refusal */

enum state_outcome override_permit(struct evaluation *evaluation, const char *rule, unsigned seconds, state_hash *code)
{
    const struct state *state = evaluation->history.state;

    *code = 0;
    if (!is_whole(evaluation))
        return STATE_BOUND;
    if (!has_state(evaluation))
        return STATE_AWAY;
    g_autoptr(GArray) people = people_of(evaluation);
    struct state_permit permit = {
        .rule = state_hash_text(state->key, STATE_RULE, rule),
        .author = state_author(state->key, evaluation->message),
        .visible = (const state_hash *)(gpointer)people->data,
        .count = people->len,
        .time = state_time(evaluation->history.now),
        .until = state_time(evaluation->history.now) + seconds,
    };
    if (permit.count > STATE_PERMIT_LIMIT)
        return STATE_BOUND;
    permit.code = state_permit_code(state->key, evaluation->message, &permit);
    enum state_outcome outcome = state->functions->permit(state->data, &permit);
    *code = outcome == STATE_OK ? permit.code : 0;
    return outcome;
}

void override_set_away(struct verdict *verdict, const char *rule, unsigned line)
{
    g_free(verdict->rule);
    g_free(verdict->text);
    verdict->disposition = DISPOSITION_TEMPFAIL;
    verdict->rule = g_strconcat("error:", rule, NULL);
    verdict->line = line;
    verdict->text = g_strdup("the record of earlier messages could not be asked; try again later");
    verdict->approvals = 0;
    verdict->terms = (struct action_terms){0};
    verdict->state.away = true;
}

/* ---- sent again */

static void refuse(struct verdict *verdict, const char *why, const char *text)
{
    verdict->disposition = DISPOSITION_REJECT;
    verdict->rule = g_strconcat("override:", why, NULL);
    verdict->text = g_strdup(text);
}

static void refuse_claimed(struct verdict *verdict, enum state_claimed claimed)
{
    static const char *const words[][2] = {
        [CLAIM_UNKNOWN] = {"unknown", "the address that overrides a refusal is not valid; send the message without it"},
        [CLAIM_AUTHOR] = {"author", "the address that overrides a refusal was given to another sender; send the "
                                    "message without it"},
        [CLAIM_LATE] = {"late", "the time to override the refusal is over; send the message without that address to "
                                "get another one"},
        [CLAIM_USED] = {"used", "the address that overrides a refusal was used already, and is good for one message; "
                                "send this one without it"},
        [CLAIM_LARGER] = {"larger", "the refusal was of a message to fewer people; send this one without the address "
                                    "that overrides it"},
    };

    refuse(verdict, words[claimed][0], words[claimed][1]);
}

static bool claim(struct evaluation *evaluation, struct verdict *verdict, state_hash code)
{
    const struct state *state = evaluation->history.state;
    enum state_claimed claimed = CLAIM_UNKNOWN;

    if (!has_state(evaluation)) {
        /* Where none is kept, because the policy needs none, there are no permits. */
        if (policy_remembers(evaluation->policy))
            override_set_away(verdict, "override", 0);
        else
            refuse_claimed(verdict, CLAIM_UNKNOWN);
        return false;
    }
    g_autoptr(GArray) people = people_of(evaluation);
    const struct state_claim claim = {
        .code = code,
        .author = state_author(state->key, evaluation->message),
        .message = state_message_id(state->key, evaluation->message),
        .visible = (const state_hash *)(gpointer)people->data,
        .count = people->len,
        .time = state_time(evaluation->history.now),
    };
    if (!is_whole(evaluation) || claim.count > STATE_PERMIT_LIMIT) {
        refuse_claimed(verdict, CLAIM_LARGER);
        return false;
    }
    if (state->functions->claim(state->data, &claim, &claimed, &verdict->override.rule) == STATE_AWAY) {
        override_set_away(verdict, "override", 0);
        return false;
    }
    if (claimed != CLAIM_TAKEN) {
        refuse_claimed(verdict, claimed);
        return false;
    }
    verdict->override.taken = code;
    verdict->override.message = claim.message;
    return true;
}

bool override_claim(struct evaluation *evaluation, struct verdict *verdict, const struct evaluate_options *options)
{
    if (options->override == NULL)
        return true;
    if (exposure_shows_answer(evaluation->exposure))
        refuse(verdict, "shown", "put the address that overrides a refusal into Bcc, not into To or Cc");
    else if (evaluation->message->recipients->len == 0)
        refuse(verdict, "alone",
               "the address that overrides a refusal belongs into Bcc of the message itself, which "
               "has to come in one piece; it can still be used");
    else if (options->override->code == 0)
        refuse_claimed(verdict, CLAIM_UNKNOWN);
    else
        return claim(evaluation, verdict, options->override->code);
    return false;
}

bool override_skips(const struct evaluation *evaluation, const struct verdict *verdict, const char *rule)
{
    return verdict->override.taken != 0 &&
           state_hash_text(evaluation->history.state->key, STATE_RULE, rule) == verdict->override.rule;
}
