/* expect_reasons - see expect_reasons.h */

#include "policy/engine/expect_reasons.h"

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/language/print_policy.h"
#include "policy/message/recipients.h"

#include <string.h>

/* At most this many rules are told of that might have decided, and that many tests of each. */
#define RULES_LIMIT 5u
#define TESTS_LIMIT 20u

/* Bytes of a value, and of a whole condition. */
#define VALUE_LIMIT     100
#define CONDITION_LIMIT 300

/* ---- what a test saw */

/* Who is in a recipient header is nobody's business here. */
static bool shows_recipients(const char *test)
{
    for (unsigned bit = FIELD_TO; bit <= FIELD_LAST; bit <<= 1) {
        g_autofree char *begin = g_strdup_printf("header(\"%s\")", recipient_field_name((enum recipient_field)bit));
        if (g_ascii_strncasecmp(test, begin, strlen(begin)) == 0)
            return true;
    }
    return false;
}

static char *cut(const char *text, size_t limit)
{
    const char *end = text + MIN(strlen(text), limit);

    /* No character is cut in half. */
    while (end > text && ((guchar)*end & 0xc0) == 0x80)
        end--;
    return *end == '\0' ? g_strdup(text) : g_strdup_printf("%.*s...", (int)(end - text), text);
}

static char *test_line(const char *test, const char *value, int result)
{
    const char *word = result == 1 ? "yes" : result == 0 ? "no" : result == -1 ? "limit" : "away";

    if (value == NULL)
        return g_strdup_printf("  %-5s %s, not needed", "-", test);
    if (strcmp(value, word) == 0 || shows_recipients(test))
        return g_strdup_printf("  %-5s %s", word, test);
    g_autofree char *shown = cut(value, VALUE_LIMIT);
    return g_strdup_printf("  %-5s %s, which is %s", word, test, shown);
}

/* ---- rules */

struct telling {
    const struct policy *policy;
    const struct verdict *verdict;
    const struct wanted *wanted;
    struct diags *diags;
    unsigned rules; /* told of */
    bool tells;     /* of the rule at hand */
    bool wanted_asked;
    char *head; /* of that rule */
    GPtrArray *lines;
    unsigned left_out; /* tests */
};

static const struct rule *find_rule(const struct policy *policy, const char *name)
{
    for (unsigned i = 0; name != NULL && i < policy->rules->len; i++) {
        const struct rule *rule = g_ptr_array_index(policy->rules, i);
        if (strcmp(rule->name->text, name) == 0)
            return rule;
    }
    return NULL;
}

/* Whether a rule decided, was to decide, or might have given what was wanted. */
static bool concerns(const struct telling *telling, const struct rule *rule)
{
    const char *decided = telling->verdict->rule;
    const char *prefix = "fault:";
    const char *name = rule->name->text;

    if (strcmp(decided, name) == 0 ||
        (g_str_has_prefix(decided, prefix) && strcmp(decided + strlen(prefix), name) == 0))
        return true;
    if (telling->wanted->rule != NULL)
        return strcmp(telling->wanted->rule, name) == 0;
    return !rule->monitor && rule->action.disposition == telling->wanted->disposition && telling->rules < RULES_LIMIT;
}

/* A condition whose parts are not just a list. */
static bool is_nested(const struct expression *expression)
{
    bool nested = expression->kind == EXPRESSION_NOT;

    for (unsigned i = 0; expression->test == NULL && i < expression->parts->len; i++)
        nested = nested || ((const struct expression *)g_ptr_array_index(expression->parts, i))->test == NULL;
    return nested;
}

static void on_rule(void *data, const char *name, unsigned line, bool monitor, bool expired)
{
    struct telling *telling = data;
    const struct rule *rule = find_rule(telling->policy, name);

    telling->tells = rule != NULL && concerns(telling, rule);
    telling->wanted_asked = telling->wanted_asked || g_strcmp0(name, telling->wanted->rule) == 0;
    if (!telling->tells)
        return;
    telling->rules++;
    telling->left_out = 0;
    g_free(telling->head);
    telling->head = g_strdup_printf("rule %s, line %u%s%s", name, line, monitor ? ", monitor" : "",
                                    expired ? ", is over: its last day has passed" : "");
    if (!expired && is_nested(rule->when)) {
        g_autofree char *condition = expression_print(rule->when);
        g_autofree char *shown = cut(condition, CONDITION_LIMIT);
        g_ptr_array_add(telling->lines, g_strdup_printf("  when  %s", shown));
    }
}

static void on_test(void *data, const char *test, const char *value, int result)
{
    struct telling *telling = data;

    if (!telling->tells)
        return;
    if (telling->lines->len >= TESTS_LIMIT)
        telling->left_out++;
    else
        g_ptr_array_add(telling->lines, test_line(test, value, result));
}

static void on_rule_end(void *data, int matched)
{
    struct telling *telling = data;

    if (!telling->tells)
        return;
    bool asked = telling->lines->len > 0;
    diags_note(telling->diags, "%s%s", telling->head,
               !asked         ? ""
               : matched == 1 ? ", matches"
               : matched == 0 ? ", does not match"
                              : ", could not be evaluated");
    for (unsigned i = 0; i < telling->lines->len; i++)
        diags_note(telling->diags, "%s", (const char *)g_ptr_array_index(telling->lines, i));
    if (telling->left_out > 0)
        diags_note(telling->diags, "  and %u tests more", telling->left_out);
    g_ptr_array_set_size(telling->lines, 0);
}

static void tell_counts(const struct exposure *exposure, struct diags *diags)
{
    g_autoptr(GString) line = g_string_new("outside:");

    for (unsigned kind = 0; kind < COUNT_KINDS; kind++)
        g_string_append_printf(line, "%s %s %u", kind > 0 ? "," : "", count_name((enum count)kind),
                               exposure_count(exposure, (enum count)kind, CLASS_EXTERNAL));
    for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1)
        if ((exposure_defects(exposure) & bit) != 0)
            g_string_append_printf(line, ", defect %s", defect_name((enum defect)bit));
    diags_note(diags, "%s", line->str);
}

void reasons_of_verdict(struct policy *policy, const struct message *message, const struct evaluate_options *options,
                        const struct verdict *verdict, const struct wanted *wanted, struct diags *diags)
{
    struct telling telling = {
        .policy = policy,
        .verdict = verdict,
        .wanted = wanted,
        .diags = diags,
        .lines = g_ptr_array_new_with_free_func(g_free),
    };
    const struct trace trace = {.rule = on_rule, .test = on_test, .rule_end = on_rule_end, .data = &telling};
    struct evaluate_options traced = *options;
    const struct rule *rule = find_rule(policy, wanted->rule);

    traced.trace = &trace;
    if (verdict->text != NULL)
        diags_note(diags, "text: %s", verdict->text);
    tell_counts(verdict->exposure, diags);
    verdict_free(policy_evaluate(policy, message, &traced));
    if (rule != NULL && !telling.wanted_asked)
        diags_note(diags, "rule %s, line %u, is not asked: %s decides before it", wanted->rule, rule->line,
                   verdict->rule);
    g_ptr_array_unref(telling.lines);
    g_free(telling.head);
}

/* ---- outbound */

static void on_outbound_test(void *data, const char *test, const char *value, int result)
{
    g_autofree char *line = test_line(test, value, result);

    diags_note(data, "%s", line + 2);
}

static void on_outbound(void *data, const char *name, unsigned line, bool monitor, bool expired)
{
    (void)name;
    (void)monitor;
    (void)expired;
    diags_note(data, "outbound, line %u:", line);
}

static void on_outbound_end(void *data, int matched)
{
    (void)data;
    (void)matched;
}

void reasons_of_outbound(struct policy *policy, const struct message *message, struct diags *diags)
{
    const struct trace trace = {
        .rule = on_outbound, .test = on_outbound_test, .rule_end = on_outbound_end, .data = diags};

    policy_outbound_traced(policy, message, &trace);
    if (policy->outbound == NULL)
        diags_note(diags,
                   "the policy has no `outbound`: mail is then outbound if its sender logged in, or if it is local "
                   "or from the loopback and its sender is internal");
}

/* ---- classes */

/* Whether this is how the class has the domain: by its name, or by a suffix of at least that length. */
static bool names(const struct class_item *entry, const char *domain, size_t *longest)
{
    bool below = entry->item->text[0] == '.';
    g_autofree char *name = domain_normalise(entry->item->text + below, strlen(entry->item->text + below));
    size_t length = strlen(domain), size = strlen(name);

    if (entry->kind != CLASS_DOMAIN || size > length || strcmp(domain + length - size, name) != 0)
        return false;
    if (size == length)
        size = below ? size : G_MAXSIZE; /* the name itself beats every suffix */
    else if (!below || domain[length - size - 1] != '.')
        return false;
    if (size < *longest)
        return false;
    *longest = size;
    return true;
}

static bool matches(const char *text, const char *domain)
{
    g_autofree char *message = NULL;
    size_t offset;
    auto_free(pattern) pattern = pattern_compile(text, &offset, &message);
    auto_free(pattern_budget) budget = pattern_budget_new();
    return pattern != NULL && pattern_match(pattern, domain, budget) == PATTERN_YES;
}

static void tell_item(const struct policy *policy, const struct class_statement *class, const struct class_item *entry,
                      struct diags *diags)
{
    g_autofree char *text = cut(entry->item->text, VALUE_LIMIT);

    diags_note(diags,
               entry->kind == CLASS_MATCH ? "class %s has it by `match /%s/` in line %u"
                                          : "class %s has it by `domain \"%s\"` in line %u",
               class->name->text, text, source_line(policy->source, entry->item->offset));
}

void reasons_of_class(const struct policy *policy, const char *domain, unsigned class_index, struct diags *diags)
{
    const struct table *domains = classes_domains(policy->classes);
    bool by_name = table_find_domain(domains, domain) >= 0;
    const char *name = classes_name(policy->classes, class_index);

    if (class_index == CLASS_OTHER) {
        diags_note(diags, "no class names it");
        return;
    }
    for (unsigned i = 0; i < policy->statements->len; i++) {
        const struct class_statement *class = g_ptr_array_index(policy->statements, i);
        const struct class_item *found = NULL;
        size_t longest = 0;
        for (unsigned j = 0; strcmp(class->name->text, name) == 0 && j < class->items->len; j++) {
            const struct class_item *entry = g_ptr_array_index(class->items, j);
            if (by_name ? names(entry, domain, &longest)
                        : found == NULL && entry->kind == CLASS_MATCH && matches(entry->item->text, domain))
                found = entry;
        }
        if (found != NULL) {
            tell_item(policy, class, found, diags);
            return;
        }
    }
    diags_note(diags, "class %s has it by one of its tables", name);
}
