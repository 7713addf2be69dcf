/* explain_json - an explanation as one line of JSON, whose keys are a contract: rcptguard(1); see explain.h */

#include "policy/explain/explain.h"

#include "policy/base/time_text.h"

#include "policy/address/address.h"
#include "policy/cli/json.h"
#include "policy/exposure/exposure.h"
#include "policy/exposure/parts_exposure.h"
#include "policy/message/recipients.h"

static void json_counts(JsonBuilder *json, const struct explanation *explanation)
{
    const struct exposure *exposure = explanation->verdict->exposure;

    json_begin_object(json, "counts");
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++) {
        json_begin_object(json, count_name((enum count)kind));
        json_number(json, "external", exposure_count(exposure, (enum count)kind, CLASS_EXTERNAL));
        json_number(json, "all", exposure_count(exposure, (enum count)kind, CLASS_ALL));
        for (unsigned i = 0; i < policy_class_count(explanation->policy); i++)
            json_number(json, policy_class_name(explanation->policy, i),
                        exposure_count(exposure, (enum count)kind, (class_mask)1 << i));
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
}

static void json_defects(JsonBuilder *json, unsigned defects)
{
    json_begin_array(json, "defects");
    for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1)
        if (defects & bit)
            json_builder_add_string_value(json, defect_name((enum defect)bit));
    json_builder_end_array(json);
    json_boolean(json, "malformed", (defects & (DEFECT_LIMIT | DEFECT_UNPARSED)) != 0);
    json_boolean(json, "truncated", (defects & DEFECT_CUT) != 0);
}

static void json_recipients(JsonBuilder *json, const struct exposure *exposure)
{
    json_begin_array(json, "recipients");
    for (unsigned i = 0; i < exposure_visible(exposure); i++) {
        const struct exposed *exposed = exposure_get(exposure, i);
        g_autofree char *address = address_display(exposed->address);
        g_autofree char *party = address_display(exposed->party);
        json_builder_begin_object(json);
        json_string(json, "address", address);
        json_string(json, "class", exposed->class_name);
        json_string(json, "party", party);
        json_begin_array(json, "fields");
        for (unsigned bit = FIELD_TO; bit <= FIELD_LAST; bit <<= 1)
            if (exposed->fields & bit)
                json_builder_add_string_value(json, recipient_field_name((enum recipient_field)bit));
        json_builder_end_array(json);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

/* A fault is neither true nor false. */
static void json_result(JsonBuilder *json, const char *key, int result, bool known)
{
    json_builder_set_member_name(json, key);
    if (!known || result < 0)
        json_builder_add_null_value(json);
    else
        json_builder_add_boolean_value(json, result == 1);
}

static void json_rules(JsonBuilder *json, const struct explanation *explanation)
{
    json_begin_array(json, "rules");
    for (unsigned i = 0; i < explanation->rules->len; i++) {
        const struct explained_rule *rule = &g_array_index(explanation->rules, struct explained_rule, i);
        json_builder_begin_object(json);
        json_string(json, "rule", rule->name);
        json_number(json, "line", rule->line);
        json_result(json, "matched", rule->matched, true);
        json_boolean(json, "monitor", rule->monitor);
        json_boolean(json, "expired", rule->expired);
        json_begin_array(json, "tests");
        for (unsigned j = 0; j < rule->tests->len; j++) {
            const struct explained_test *test = &g_array_index(rule->tests, struct explained_test, j);
            json_builder_begin_object(json);
            json_string(json, "test", test->test);
            json_string(json, "value", test->value);
            json_result(json, "result", test->result, test->value != NULL);
            json_builder_end_object(json);
        }
        json_builder_end_array(json);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

/* What was known of earlier mail; null if the policy does not ask, or the message is not evaluated. */
static void json_state(JsonBuilder *json, const struct explanation *explanation)
{
    const struct verdict_state *state = &explanation->verdict->state;
    struct policy_state needs = policy_state(explanation->policy);
    g_autofree char *when = state->known_when != 0 ? time_text_json(state->known_when * G_USEC_PER_SEC) : NULL;

    if ((needs.windows == 0 && needs.remember == 0) || !explanation->outbound) {
        json_string(json, "state", NULL);
        return;
    }
    json_begin_object(json, "state");
    json_boolean(json, "asked", !explanation->alone);
    json_boolean(json, "away", state->away);
    json_result(json, "known", state->known == KNOWN_YES, state->known != KNOWN_NOT_ASKED);
    json_string(json, "known_when", when);
    json_begin_array(json, "windows");
    for (unsigned i = 0; i < state->windows->len; i++) {
        const struct verdict_window *window = &g_array_index(state->windows, struct verdict_window, i);
        bool more = window->value == STATE_WINDOW_MANY;
        json_builder_begin_object(json);
        json_string(json, "rule", window->rule);
        json_number(json, "line", window->line);
        if (window->known)
            json_number(json, "value", more ? STATE_WINDOW_LIMIT : window->value);
        else
            json_string(json, "value", NULL);
        json_boolean(json, "more", more);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
}

/* Times are seconds. */
static void json_time(JsonBuilder *json, const char *key, unsigned seconds)
{
    if (seconds > 0)
        json_number(json, key, seconds);
    else
        json_string(json, key, NULL);
}

/* What may follow a hold or a refusal; `verdict` is NULL of mail that is not evaluated. */
static void json_terms(JsonBuilder *json, const struct verdict *verdict)
{
    const struct action_terms none = {0}, *terms = verdict != NULL ? &verdict->terms : &none;
    bool held = verdict != NULL && verdict->disposition == DISPOSITION_QUARANTINE;

    json_string(json, "release", held ? release_way_name(terms->release) : NULL);
    json_time(json, "release_after", terms->release_after);
    json_string(json, "expire", expire_way_name(terms->expire));
    json_time(json, "expire_after", terms->expire_after);
    json_time(json, "override", terms->override);
}

static void json_bits(JsonBuilder *json, const char *key, unsigned bits, char *(*names_of)(unsigned bits))
{
    g_autofree char *names = names_of(bits);
    g_auto(GStrv) words = g_strsplit(names, ", ", -1);

    json_begin_array(json, key);
    for (char **word = words; *word != NULL; word++)
        json_builder_add_string_value(json, *word);
    json_builder_end_array(json);
}

static void json_parts(JsonBuilder *json, const struct body_parts *parts, bool people)
{
    json_begin_array(json, "parts");
    for (unsigned i = 0; parts != NULL && i < body_parts_accounts(parts); i++) {
        const struct part_account *account = body_parts_account(parts, i);
        json_builder_begin_object(json);
        json_string(json, "part", account->path);
        json_string(json, "type", account->type);
        json_string(json, "name", people ? account->name : NULL);
        json_bits(json, "kinds", account->kinds, explain_part_names);
        json_bits(json, "opaque", account->opaque, explain_opaque_names);
        json_number(json, "addresses", account->addresses);
        json_number(json, "size", (gint64)account->size);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_fields(JsonBuilder *json, const struct explanation *explanation)
{
    const GPtrArray *fields = policy_part_fields(explanation->policy);

    json_begin_array(json, "fields");
    for (unsigned i = 0; i < fields->len; i++) {
        json_builder_begin_object(json);
        json_string(json, "field", g_ptr_array_index(fields, i));
        json_number(json, "addresses", explain_field_count(explanation, i));
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_people(JsonBuilder *json, const struct parts_exposure *exposure)
{
    json_begin_array(json, "people");
    for (unsigned i = 0; i < parts_exposure_visible(exposure); i++) {
        const struct part_exposed *person = parts_exposure_get(exposure, i);
        g_autofree char *address = address_display(person->address), *party = address_display(person->party);
        json_builder_begin_object(json);
        json_string(json, "address", address);
        json_string(json, "class", person->class_name);
        json_string(json, "party", party);
        json_bits(json, "kinds", person->kinds, explain_part_names);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

/* What is shown beside the recipient headers; null if no rule that was tried asked. */
static void json_inside(JsonBuilder *json, const struct explanation *explanation, bool people)
{
    const struct verdict_body *body = &explanation->verdict->body;

    if (body->exposure == NULL) {
        json_string(json, "inside", NULL);
        return;
    }
    json_begin_object(json, "inside");
    json_begin_object(json, "external");
    for (unsigned kind = COUNT_VISIBLE; kind <= COUNT_DOMAINS; kind++)
        json_number(json, count_name((enum count)kind),
                    parts_exposure_count(body->exposure, (enum count)kind, CLASS_EXTERNAL, G_MAXUINT));
    json_builder_end_object(json);
    json_bits(json, "opaque", parts_exposure_opaque(body->exposure), explain_opaque_names);
    json_parts(json, body->parts, people);
    json_fields(json, explanation);
    if (people)
        json_people(json, body->exposure);
    json_builder_end_object(json);
}

void explain_json(GString *out, const struct explanation *explanation, bool people)
{
    const struct verdict *verdict = explanation->verdict;
    g_autofree char *normal = address_normalise_envelope(explanation->message->sender);
    g_autofree char *sender = address_display(normal);
    g_autofree char *digest = g_strndup(policy_digest(explanation->policy), POLICY_DIGEST_SHOWN);
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_string(json, "file", explanation->file);
    json_number(json, "index", explanation->index);
    json_string(json, "verdict", explanation->outbound ? disposition_name(verdict->disposition) : "accept");
    json_string(json, "rule", explanation->outbound ? verdict->rule : NULL);
    if (explanation->outbound)
        json_number(json, "line", verdict->line);
    else
        json_string(json, "line", NULL);
    json_string(json, "text", explanation->outbound ? verdict->text : NULL);
    json_number(json, "approvals", explanation->outbound ? verdict->approvals : 0);
    json_terms(json, explanation->outbound ? verdict : NULL);
    json_boolean(json, "outbound", explanation->outbound);
    json_string(json, "sender", sender);
    json_strings(json, "would", explanation->outbound ? verdict->would : NULL);
    json_counts(json, explanation);
    json_defects(json, exposure_defects(verdict->exposure));
    json_recipients(json, verdict->exposure);
    json_rules(json, explanation);
    json_state(json, explanation);
    json_inside(json, explanation, people);
    json_string(json, "policy", digest);
    json_builder_end_object(json);
    json_append_line(out, json);
}
