/* replay_json - a replay for machines: the keys are a contract, rcptguard(1); see replay.h */

#include "policy/replay/replay.h"

#include "policy/address/address.h"
#include "policy/cli/json.h"

/* ---- one message */

static void json_ruling(JsonBuilder *json, const struct ruling *ruling)
{
    json_string(json, "verdict", disposition_name(ruling->disposition));
    json_string(json, "rule", ruling->rule);
    json_begin_array(json, "would");
    for (char **would = ruling->would; would != NULL && *would != NULL; would++)
        json_builder_add_string_value(json, *would);
    json_builder_end_array(json);
}

static void json_address(JsonBuilder *json, const char *key, const char *address)
{
    g_autofree char *shown = address_display(address);

    json_string(json, key, shown);
}

static void json_parties(JsonBuilder *json, const struct replayed *replayed)
{
    json_begin_array(json, "parties");
    for (unsigned i = 0; i < replayed->parties->len; i++) {
        const struct party_sum *sum = &g_array_index(replayed->parties, struct party_sum, i);
        json_builder_begin_object(json);
        json_address(json, "party", sum->name);
        json_boolean(json, "individuals", sum->individuals);
        json_number(json, "people", sum->people);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_number(json, "more_parties", replayed->more_parties);
}

static void json_recipients(JsonBuilder *json, const struct replayed *replayed)
{
    json_begin_array(json, "recipients");
    for (char **recipient = replayed->recipients; recipient != NULL && *recipient != NULL; recipient++) {
        g_autofree char *shown = address_display(*recipient);
        json_builder_add_string_value(json, shown);
    }
    json_builder_end_array(json);
}

/* The members of the object of one message. */
static void json_message(JsonBuilder *json, const struct replay *replay, const struct replayed *replayed)
{
    json_string(json, "file", replayed->file);
    json_number(json, "index", replayed->index);
    json_string(json, "date", replayed->date[0] != '\0' ? replayed->date : NULL);
    json_string(json, "message_id", replayed->id[0] != '\0' ? replayed->id : NULL);
    json_address(json, "sender", replayed->sender);
    json_boolean(json, "outbound", replayed->ruling.rule != NULL);
    json_ruling(json, &replayed->ruling);
    json_begin_object(json, "counts");
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++)
        json_number(json, count_name((enum count)kind), replayed->counts[kind]);
    json_builder_end_object(json);
    json_begin_array(json, "defects");
    for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1)
        if (replayed->defects & bit)
            json_builder_add_string_value(json, defect_name((enum defect)bit));
    json_builder_end_array(json);
    json_parties(json, replayed);
    if (replay->recipients)
        json_recipients(json, replayed);
    if (replay->tally->against != NULL) {
        json_begin_object(json, "old");
        json_ruling(json, &replayed->old);
        json_builder_end_object(json);
    }
}

void replay_append_message_json(GString *out, const struct replay *replay, const struct replayed *replayed)
{
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_message(json, replay, replayed);
    json_builder_end_object(json);
    json_append_line(out, json);
}

/* ---- figures */

static void json_by(JsonBuilder *json, const guint64 by[DISPOSITIONS])
{
    for (unsigned i = 0; i < DISPOSITIONS; i++)
        json_number(json, disposition_name((enum disposition)i), (gint64)by[i]);
}

static void json_digest(JsonBuilder *json, const char *key, const struct policy *policy)
{
    g_autofree char *digest = policy != NULL ? g_strndup(policy_digest(policy), POLICY_DIGEST_SHOWN) : NULL;

    json_string(json, key, digest);
}

static void json_rules(JsonBuilder *json, const struct tally *tally)
{
    json_begin_array(json, "rules");
    for (unsigned i = 0; i < tally->rules->len; i++) {
        const struct rule_tally *rule = g_ptr_array_index(tally->rules, i);
        json_builder_begin_object(json);
        json_string(json, "rule", rule->rule);
        if (rule->line > 0)
            json_number(json, "line", rule->line);
        else
            json_string(json, "line", NULL);
        json_string(json, "verdict", rule->verdict);
        json_boolean(json, "monitor", rule->monitor);
        json_number(json, "messages", (gint64)rule->messages);
        if (tally->against != NULL)
            json_number(json, "old", (gint64)rule->old);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_senders(JsonBuilder *json, const struct tally *tally)
{
    struct sender_tally rest;
    g_autoptr(GPtrArray) senders = tally_senders(tally, SENDERS_LISTED, &rest);

    json_begin_array(json, "senders");
    for (unsigned i = 0; i < senders->len; i++) {
        const struct sender_tally *sender = g_ptr_array_index(senders, i);
        json_builder_begin_object(json);
        json_address(json, "sender", sender->sender);
        json_number(json, "messages", (gint64)sender->messages);
        json_by(json, sender->by);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_begin_object(json, "other_senders");
    json_number(json, "messages", (gint64)rest.messages);
    json_by(json, rest.by);
    json_builder_end_object(json);
}

/* Histogram and ladder of one count. */
static void json_spread(JsonBuilder *json, const struct policy *policy, enum count count, const struct spread *spread)
{
    g_autoptr(GArray) edges = histogram_edges(policy, count);
    g_autoptr(GArray) bins = histogram_bins(spread, edges);
    g_autoptr(GArray) ladder = histogram_ladder(spread, edges);

    json_begin_object(json, count_name(count));
    json_begin_array(json, "bins");
    for (unsigned i = 0; i < bins->len; i++) {
        const struct bin *bin = &g_array_index(bins, struct bin, i);
        json_builder_begin_object(json);
        json_number(json, "from", bin->from);
        json_number(json, "to", bin->to);
        json_number(json, "messages", (gint64)bin->messages);
        json_by(json, bin->by);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_begin_array(json, "ladder");
    for (unsigned i = 0; i < ladder->len; i++) {
        const struct rung *rung = &g_array_index(ladder, struct rung, i);
        json_builder_begin_object(json);
        json_number(json, "at", rung->number);
        json_number(json, "held", (gint64)rung->messages);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
}

static void json_side(JsonBuilder *json, const struct replay *replay, const char *key, const struct near *side,
                      unsigned kept)
{
    json_begin_array(json, key);
    for (unsigned i = 0; i < kept; i++) {
        json_builder_begin_object(json);
        json_number(json, "value", side[i].count);
        json_message(json, replay, side[i].message);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_thresholds(JsonBuilder *json, const struct replay *replay)
{
    const struct tally *tally = replay->tally;

    json_begin_array(json, "thresholds");
    for (unsigned i = 0; i < tally->near_count; i++) {
        const struct threshold *threshold = policy_threshold(tally->policy, i);
        const struct near_tally *near = &tally->near[i];
        struct rule_facts rule = policy_rule(tally->policy, threshold->rule);
        json_builder_begin_object(json);
        json_string(json, "test", threshold->text);
        json_number(json, "number", threshold->number);
        json_string(json, "rule", rule.name);
        json_number(json, "line", rule.line);
        json_string(json, "verdict", disposition_name(rule.disposition));
        json_boolean(json, "monitor", rule.monitor);
        json_boolean(json, "alone", threshold->alone);
        json_number(json, "below_messages", (gint64)near->below_messages);
        json_number(json, "above_messages", (gint64)near->above_messages);
        json_side(json, replay, "below", near->below, near->below_count);
        json_side(json, replay, "above", near->above, near->above_count);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_changes(JsonBuilder *json, const struct tally *tally)
{
    json_number(json, "changed", (gint64)tally->changed);
    json_number(json, "moved", (gint64)tally->moved);
    json_begin_array(json, "changes");
    for (unsigned i = 0; i < tally->changes->len; i++) {
        const struct change_tally *change = g_ptr_array_index(tally->changes, i);
        json_builder_begin_object(json);
        json_string(json, "old_verdict", disposition_name(change->old));
        json_string(json, "old_rule", change->old_rule);
        json_string(json, "verdict", disposition_name(change->now));
        json_string(json, "rule", change->rule);
        json_number(json, "messages", (gint64)change->messages);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_number(json, "other_changes", (gint64)tally->unlisted);
}

static void json_state(JsonBuilder *json, const struct replay *replay)
{
    const struct play_figures *played = &replay->played;

    if (!played->known && !played->windows) {
        json_string(json, "state", NULL);
        return;
    }
    json_begin_object(json, "state");
    json_number(json, "stopped", (gint64)played->stopped);
    if (played->known) {
        json_number(json, "stopped_without_known", (gint64)played->without_known);
        json_number(json, "spared_by_known", (gint64)played->spared);
    }
    if (played->windows)
        json_number(json, "added_by_windows", (gint64)played->added);
    json_number(json, "out_of_order", (gint64)replay->out_of_order);
    json_number(json, "undated", (gint64)replay->undated);
    json_builder_end_object(json);
}

void replay_append_json(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_number(json, "messages", (gint64)tally->messages);
    json_number(json, "judged", (gint64)tally->evaluated);
    json_boolean(json, "partial", replay->partial);
    json_number(json, "warnings", diags_count(replay->diags));
    json_number(json, "passed_over", (gint64)replay->passed);
    json_number(json, "repeated", (gint64)replay->repeated);
    json_begin_array(json, "unknown_tests");
    for (char **word = replay->unknown; *word != NULL; word++)
        json_builder_add_string_value(json, *word);
    json_builder_end_array(json);
    json_number(json, "unknown_rules", replay->unknown_rules);
    json_state(json, replay);
    json_string(json, "first", tally->first[0] != '\0' ? tally->first : NULL);
    json_string(json, "last", tally->last[0] != '\0' ? tally->last : NULL);
    json_digest(json, "policy", tally->policy);
    json_digest(json, "against", tally->against);
    json_begin_object(json, "verdicts");
    json_by(json, tally->by);
    json_builder_end_object(json);
    json_rules(json, tally);
    json_senders(json, tally);
    json_begin_object(json, "spread");
    json_spread(json, tally->policy, COUNT_PARTIES, &tally->parties);
    json_spread(json, tally->policy, COUNT_VISIBLE, &tally->visible);
    json_builder_end_object(json);
    json_thresholds(json, replay);
    if (tally->against != NULL)
        json_changes(json, tally);
    json_builder_end_object(json);
    json_append_line(out, json);
}
