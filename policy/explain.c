/* explain - see explain.h */

#include "explain.h"

#include "address.h"
#include "exposure.h"
#include "json.h"
#include "recipients.h"
#include "terminal.h"

#include <string.h>

/* Up to here each recipient is shown, beyond it they are summed by party. */
#define RECIPIENTS_SHOWN 20

struct told_test {
    char *test;
    char *value; /* NULL: not needed to decide */
    int result;
};

struct told_rule {
    char *name;
    unsigned line;
    bool monitor;
    bool expired;
    int matched;
    GArray *tests; /* struct told_test */
};

/* All that is known of one message when its evaluation is over. */
struct told {
    struct policy *policy;
    const struct message *message;
    const char *file;
    unsigned index;
    bool outbound;
    struct verdict *verdict;
    GArray *rules; /* struct told_rule */
};

static void on_rule(void *data, const char *rule, unsigned line, bool monitor, bool expired)
{
    struct told *told = data;
    struct told_rule entry = {.name = g_strdup(rule), .line = line, .monitor = monitor, .expired = expired};

    entry.tests = g_array_new(FALSE, FALSE, sizeof(struct told_test));
    g_array_append_val(told->rules, entry);
}

static struct told_rule *last_rule(struct told *told)
{
    return &g_array_index(told->rules, struct told_rule, told->rules->len - 1);
}

static void on_test(void *data, const char *test, const char *value, int result)
{
    struct told_test entry = {.test = g_strdup(test), .value = g_strdup(value), .result = result};

    g_array_append_val(last_rule(data)->tests, entry);
}

static void on_rule_end(void *data, int matched)
{
    last_rule(data)->matched = matched;
}

static void told_free(struct told *told)
{
    for (unsigned i = 0; i < told->rules->len; i++) {
        struct told_rule *rule = &g_array_index(told->rules, struct told_rule, i);
        for (unsigned j = 0; j < rule->tests->len; j++) {
            g_free(g_array_index(rule->tests, struct told_test, j).test);
            g_free(g_array_index(rule->tests, struct told_test, j).value);
        }
        g_array_unref(rule->tests);
        g_free(rule->name);
    }
    g_array_unref(told->rules);
    verdict_free(told->verdict);
}

/* ---- JSON: the keys are a contract, rcptguard(1) */

static void json_counts(JsonBuilder *json, const struct told *told)
{
    const struct exposure *exposure = told->verdict->exposure;

    json_builder_set_member_name(json, "counts");
    json_builder_begin_object(json);
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++) {
        json_builder_set_member_name(json, count_name((enum count)kind));
        json_builder_begin_object(json);
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
    json_builder_set_member_name(json, "defects");
    json_builder_begin_array(json);
    for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1)
        if (defects & bit)
            json_builder_add_string_value(json, defect_name((enum defect)bit));
    json_builder_end_array(json);
    json_boolean(json, "malformed", (defects & (DEFECT_LIMIT | DEFECT_UNPARSED)) != 0);
    json_boolean(json, "truncated", (defects & DEFECT_CUT) != 0);
}

static void json_recipients(JsonBuilder *json, const struct exposure *exposure)
{
    json_builder_set_member_name(json, "recipients");
    json_builder_begin_array(json);
    for (unsigned i = 0; i < exposure_visible(exposure); i++) {
        const struct exposed *exposed = exposure_get(exposure, i);
        g_autofree char *address = address_display(exposed->address);
        g_autofree char *party = address_display(exposed->party);
        json_builder_begin_object(json);
        json_string(json, "address", address);
        json_string(json, "class", exposed->class_name);
        json_string(json, "party", party);
        json_builder_set_member_name(json, "fields");
        json_builder_begin_array(json);
        for (unsigned bit = FIELD_TO; bit <= FIELD_APPARENTLY_TO; bit <<= 1)
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
    json_builder_set_member_name(json, "rules");
    json_builder_begin_array(json);
    for (unsigned i = 0; i < told->rules->len; i++) {
        const struct told_rule *rule = &g_array_index(told->rules, struct told_rule, i);
        json_builder_begin_object(json);
        json_string(json, "rule", rule->name);
        json_number(json, "line", rule->line);
        json_result(json, "matched", rule->matched, true);
        json_boolean(json, "monitor", rule->monitor);
        json_boolean(json, "expired", rule->expired);
        json_builder_set_member_name(json, "tests");
        json_builder_begin_array(json);
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

static void append_json(GString *out, const struct told *told)
{
    const struct verdict *verdict = told->verdict;
    g_autofree char *normal = address_normalise_text(told->message->sender);
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
    json_boolean(json, "outbound", told->outbound);
    json_string(json, "sender", sender);
    json_builder_set_member_name(json, "would");
    json_builder_begin_array(json);
    for (unsigned i = 0; told->outbound && i < verdict->would->len; i++)
        json_builder_add_string_value(json, g_ptr_array_index(verdict->would, i));
    json_builder_end_array(json);
    json_counts(json, told);
    json_defects(json, exposure_defects(verdict->exposure));
    json_recipients(json, verdict->exposure);
    json_rules(json, told);
    json_string(json, "policy", digest);
    json_builder_end_object(json);
    json_append_line(out, json);
}

/* ---- for people */

static const char *word_of(int result)
{
    return result == 1 ? "yes" : result == 0 ? "no" : "limit";
}

static void append_head(GString *out, const struct told *told)
{
    const struct verdict *verdict = told->verdict;

    terminal_append_plain(out, told->file);
    if (told->index > 0)
        g_string_append_printf(out, " [%u]", told->index);
    if (!told->outbound) {
        g_string_append(out, ": accept, not outbound\n");
        return;
    }
    g_string_append_printf(out, ": %s by %s, line %u\n", disposition_name(verdict->disposition), verdict->rule,
                           verdict->line);
    if (verdict->text != NULL) {
        g_string_append(out, "  \"");
        terminal_append_plain(out, verdict->text);
        g_string_append(out, "\"\n");
    }
    for (unsigned i = 0; i < verdict->would->len; i++)
        g_string_append_printf(out, "  would %s\n", (const char *)g_ptr_array_index(verdict->would, i));
}

static void append_counts_of(GString *out, const struct exposure *exposure, const char *name, class_mask mask)
{
    g_string_append_printf(out, "  %-16s", name);
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++)
        g_string_append_printf(out, " %10u", exposure_count(exposure, (enum count)kind, mask));
    g_string_append_c(out, '\n');
}

static void append_counts(GString *out, const struct told *told)
{
    const struct exposure *exposure = told->verdict->exposure;

    g_string_append_printf(out, "\n  %-16s", "");
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++)
        g_string_append_printf(out, " %10s", count_name((enum count)kind));
    g_string_append_c(out, '\n');
    append_counts_of(out, exposure, "external", CLASS_EXTERNAL);
    for (unsigned i = 0; i < policy_class_count(told->policy); i++)
        append_counts_of(out, exposure, policy_class_name(told->policy, i), (class_mask)1 << i);
    if (exposure_defects(exposure) != 0) {
        g_string_append(out, "  defects:");
        for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1)
            if (exposure_defects(exposure) & bit)
                g_string_append_printf(out, " %s", defect_name((enum defect)bit));
        g_string_append_c(out, '\n');
    }
}

static void append_each_recipient(GString *out, const struct exposure *exposure)
{
    for (unsigned i = 0; i < exposure_visible(exposure); i++) {
        const struct exposed *exposed = exposure_get(exposure, i);
        g_autofree char *address = address_display(exposed->address);
        g_autofree char *party = address_display(exposed->party);
        g_string_append_printf(out, "  %-16s ", exposed->class_name);
        terminal_append_plain(out, address);
        if (strcmp(address, party) != 0) {
            g_string_append(out, " of ");
            terminal_append_plain(out, party);
        }
        g_string_append_c(out, '\n');
    }
}

struct sum {
    char *class_name;
    char *party;
    unsigned people;
};

static int compare_sums(gconstpointer a, gconstpointer b)
{
    const struct sum *x = a, *y = b;
    int order = (x->people < y->people) - (x->people > y->people);

    return order != 0 ? order : strcmp(x->party, y->party);
}

/* Parties with how many each; single mailboxes of a domain are summed, since a list of them is what nobody reads. */
static void append_summed_recipients(GString *out, const struct exposure *exposure)
{
    g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GArray *sums = g_array_new(FALSE, FALSE, sizeof(struct sum));

    for (unsigned i = 0; i < exposure_visible(exposure); i++) {
        const struct exposed *exposed = exposure_get(exposure, i);
        bool individual = exposed->party == exposed->address;
        g_autofree char *party = address_display(individual ? address_domain(exposed->address) : exposed->party);
        g_autofree char *shown = g_strconcat(party, individual ? " (individuals)" : "", NULL);
        char *key = g_strconcat(exposed->class_name, " ", shown, NULL);
        gpointer place;
        if (g_hash_table_lookup_extended(places, key, NULL, &place)) {
            g_array_index(sums, struct sum, GPOINTER_TO_UINT(place)).people++;
            g_free(key);
        } else {
            struct sum sum = {.class_name = g_strdup(exposed->class_name), .party = g_strdup(shown), .people = 1};
            g_hash_table_insert(places, key, GUINT_TO_POINTER(sums->len));
            g_array_append_val(sums, sum);
        }
    }
    g_array_sort(sums, compare_sums);
    for (unsigned i = 0; i < sums->len; i++) {
        struct sum *sum = &g_array_index(sums, struct sum, i);
        if (i < RECIPIENTS_SHOWN) {
            g_string_append_printf(out, "  %-16s ", sum->class_name);
            terminal_append_plain(out, sum->party);
            g_string_append_printf(out, ": %u\n", sum->people);
        } else if (i == RECIPIENTS_SHOWN) {
            g_string_append_printf(out, "  ... and %u parties more\n", sums->len - i);
        }
        g_free(sum->class_name);
        g_free(sum->party);
    }
    g_array_unref(sums);
}

static void append_rules(GString *out, const struct told *told)
{
    for (unsigned i = 0; i < told->rules->len; i++) {
        const struct told_rule *rule = &g_array_index(told->rules, struct told_rule, i);
        g_string_append_printf(out, "  %-5s rule %s, line %u%s%s\n", rule->expired ? "over" : word_of(rule->matched),
                               rule->name, rule->line, rule->monitor ? ", monitor" : "",
                               rule->expired ? ", its last day has passed" : "");
        for (unsigned j = 0; j < rule->tests->len; j++) {
            const struct told_test *test = &g_array_index(rule->tests, struct told_test, j);
            g_string_append_printf(out, "        %-5s %s", test->value == NULL ? "-" : word_of(test->result),
                                   test->test);
            if (test->value != NULL) {
                g_string_append(out, "    (");
                terminal_append_plain(out, test->value);
                g_string_append_c(out, ')');
            }
            g_string_append_c(out, '\n');
        }
    }
}

static void append_text(GString *out, const struct told *told)
{
    append_head(out, told);
    append_counts(out, told);
    if (exposure_visible(told->verdict->exposure) > 0)
        g_string_append_c(out, '\n');
    if (exposure_visible(told->verdict->exposure) <= RECIPIENTS_SHOWN)
        append_each_recipient(out, told->verdict->exposure);
    else
        append_summed_recipients(out, told->verdict->exposure);
    if (told->rules->len > 0)
        g_string_append_c(out, '\n');
    append_rules(out, told);
}

void explain_message(GString *out, struct policy *policy, const struct message *message, const char *file,
                     unsigned index, const struct explain_options *options)
{
    struct told told = {
        .policy = policy,
        .message = message,
        .file = file,
        .index = index,
        .rules = g_array_new(FALSE, FALSE, sizeof(struct told_rule)),
    };
    struct trace trace = {.rule = on_rule, .test = on_test, .rule_end = on_rule_end, .data = &told};
    enum outbound outbound = options->outbound < 0 ? policy_outbound(policy, message)
                             : options->outbound   ? OUTBOUND_YES
                                                   : OUTBOUND_NO;
    struct judge_options judge = {
        .now = options->now,
        .on_fault = DISPOSITION_QUARANTINE,
        .outbound = outbound == OUTBOUND_NO ? OUTBOUND_YES : outbound,
    };

    /* Of mail that is not judged the counts are still worth seeing, the rules are not. */
    told.outbound = outbound != OUTBOUND_NO;
    judge.trace = told.outbound ? &trace : NULL;
    told.verdict = policy_judge(policy, message, &judge);
    if (options->json)
        append_json(out, &told);
    else
        append_text(out, &told);
    told_free(&told);
}
