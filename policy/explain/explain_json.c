/* explain_json - an explanation as one line of JSON, whose keys are a contract: rcptguard(1); see explain.h */

#include "policy/explain/explain.h"

#include "policy/address/address.h"
#include "policy/cli/json.h"
#include "policy/exposure/exposure.h"
#include "policy/message/recipients.h"

static void json_counts(JsonBuilder *json, const struct told *told)
{
    const struct exposure *exposure = told->verdict->exposure;

    json_begin_object(json, "counts");
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++) {
        json_begin_object(json, count_name((enum count)kind));
        json_number(json, "external", exposure_count(exposure, (enum count)kind, CLASS_EXTERNAL));
        json_number(json, "all", exposure_count(exposure, (enum count)kind, CLASS_ALL));
        for (unsigned i = 0; i < policy_class_count(told->policy); i++)
            json_number(json, policy_class_name(told->policy, i),
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

static void json_rules(JsonBuilder *json, const struct told *told)
{
    json_begin_array(json, "rules");
    for (unsigned i = 0; i < told->rules->len; i++) {
        const struct told_rule *rule = &g_array_index(told->rules, struct told_rule, i);
        json_builder_begin_object(json);
        json_string(json, "rule", rule->name);
        json_number(json, "line", rule->line);
        json_result(json, "matched", rule->matched, true);
        json_boolean(json, "monitor", rule->monitor);
        json_boolean(json, "expired", rule->expired);
        json_begin_array(json, "tests");
        for (unsigned j = 0; j < rule->tests->len; j++) {
            const struct told_test *test = &g_array_index(rule->tests, struct told_test, j);
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

void explain_json(GString *out, const struct told *told)
{
    const struct verdict *verdict = told->verdict;
    g_autofree char *normal = address_normalise_envelope(told->message->sender);
    g_autofree char *sender = address_display(normal);
    g_autofree char *digest = g_strndup(policy_digest(told->policy), POLICY_DIGEST_SHOWN);
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_string(json, "file", told->file);
    json_number(json, "index", told->index);
    json_string(json, "verdict", told->outbound ? disposition_name(verdict->disposition) : "accept");
    json_string(json, "rule", told->outbound ? verdict->rule : NULL);
    if (told->outbound)
        json_number(json, "line", verdict->line);
    else
        json_string(json, "line", NULL);
    json_string(json, "text", told->outbound ? verdict->text : NULL);
    json_number(json, "approvals", told->outbound ? verdict->approvals : 0);
    json_boolean(json, "outbound", told->outbound);
    json_string(json, "sender", sender);
    json_strings(json, "would", told->outbound ? verdict->would : NULL);
    json_counts(json, told);
    json_defects(json, exposure_defects(verdict->exposure));
    json_recipients(json, verdict->exposure);
    json_rules(json, told);
    json_string(json, "policy", digest);
    json_builder_end_object(json);
    json_append_line(out, json);
}
