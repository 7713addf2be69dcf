/* explanation - see explanation.h */

#include "policy/explain/explanation.h"

#include "policy/state/state_memory.h"

#include <string.h>

/* A listener to one evaluation. */
struct listener {
    GArray *rules;
    GArray *groups; /* struct group: those that have begun, the innermost last */
    GString *lead;  /* for the next test */
    unsigned depth; /* of parentheses */
};

struct group {
    const char *word;
    unsigned parts; /* that have begun */
    bool parentheses;
};

static struct explained_rule *last_rule(struct listener *listener)
{
    return &g_array_index(listener->rules, struct explained_rule, listener->rules->len - 1);
}

static struct group *last_group(struct listener *listener)
{
    unsigned count = listener->groups->len;

    return count > 0 ? &g_array_index(listener->groups, struct group, count - 1) : NULL;
}

static void on_rule(void *data, const char *rule, unsigned line, bool monitor, bool expired)
{
    struct listener *listener = data;
    struct explained_rule entry = {.name = g_strdup(rule), .line = line, .monitor = monitor, .expired = expired};

    entry.tests = g_array_new(FALSE, FALSE, sizeof(struct explained_test));
    g_array_append_val(listener->rules, entry);
}

/* The word between this part of a group and the one before it. */
static void begin_part(struct listener *listener)
{
    struct group *group = last_group(listener);

    if (group != NULL && group->parts++ > 0)
        g_string_append_printf(listener->lead, "%s ", group->word);
}

/* As print_policy.c writes them: parentheses around what has an `and` or `or` and is not the whole, and around a second
 * `not`.
 */
static void on_group(void *data, const char *word)
{
    struct listener *listener = data;
    const struct group *outer = last_group(listener);
    bool negation = strcmp(word, "not") == 0;
    struct group group = {.word = word};

    group.parentheses = outer != NULL && (!negation || strcmp(outer->word, "not") == 0);
    begin_part(listener);
    g_string_append(listener->lead, group.parentheses ? "(" : "");
    g_string_append(listener->lead, negation ? "not " : "");
    g_array_append_val(listener->groups, group);
}

static void on_group_end(void *data)
{
    struct listener *listener = data;
    struct explained_rule *rule = last_rule(listener);

    if (last_group(listener)->parentheses) {
        struct explained_test *test = &g_array_index(rule->tests, struct explained_test, rule->tests->len - 1);
        char *tail = g_strconcat(test->tail, ")", NULL);
        g_free(test->tail);
        test->tail = tail;
        listener->depth--;
    }
    g_array_set_size(listener->groups, listener->groups->len - 1);
}

static void on_test(void *data, const char *test, const char *value, int result)
{
    struct listener *listener = data;
    struct explained_test entry = {
        .test = g_strdup(test),
        .tail = g_strdup(""),
        .depth = listener->depth,
        .value = g_strdup(value),
        .result = result,
    };

    begin_part(listener);
    for (const char *p = listener->lead->str; *p != '\0'; p++)
        listener->depth += *p == '(';
    entry.lead = g_strdup(listener->lead->str);
    g_string_truncate(listener->lead, 0);
    g_array_append_val(last_rule(listener)->tests, entry);
}

static void on_rule_end(void *data, int matched)
{
    last_rule(data)->matched = matched;
}

static void rules_free(GArray *rules)
{
    for (unsigned i = 0; i < rules->len; i++) {
        struct explained_rule *rule = &g_array_index(rules, struct explained_rule, i);
        for (unsigned j = 0; j < rule->tests->len; j++) {
            struct explained_test *test = &g_array_index(rule->tests, struct explained_test, j);
            g_free(test->lead);
            g_free(test->test);
            g_free(test->tail);
            g_free(test->value);
        }
        g_array_unref(rule->tests);
        g_free(rule->name);
    }
    g_array_unref(rules);
}

static enum outbound ask_outbound(struct policy *policy, const struct message *message, int outbound,
                                  const struct trace *trace)
{
    if (outbound < 0)
        return policy_outbound_traced(policy, message, trace);
    return outbound ? OUTBOUND_YES : OUTBOUND_NO;
}

/* With the state at hand, or with an empty one: then it is this message alone. */
static struct verdict *evaluate_with_state(struct explanation *explanation, struct evaluate_options *asking,
                                           const struct state *state)
{
    struct policy_state needs = policy_state(explanation->policy);
    struct state_scratch scratch;

    explanation->alone = state == NULL && (needs.windows > 0 || needs.remember > 0);
    state_scratch_open(&scratch);
    asking->state = state != NULL ? state : &scratch.state;
    asking->look_only = true;
    struct verdict *verdict = policy_evaluate(explanation->policy, explanation->message, asking);
    asking->state = NULL;
    state_scratch_close(&scratch);
    return verdict;
}

struct explanation *explanation_new(struct policy *policy, const struct message *message, const char *file,
                                    unsigned index, const struct explanation_options *options)
{
    struct explanation *explanation = g_new0(struct explanation, 1);
    struct listener listener = {.groups = g_array_new(FALSE, FALSE, sizeof(struct group)), .lead = g_string_new(NULL)};
    struct trace trace = {on_rule, on_group, on_group_end, on_test, on_rule_end, &listener};
    struct evaluate_options asking = {.now = options->now, .on_fault = DISPOSITION_QUARANTINE};

    *explanation = (struct explanation){.policy = policy, .message = message, .file = file, .index = index};
    explanation->rules = g_array_new(FALSE, FALSE, sizeof(struct explained_rule));
    explanation->statement = g_array_new(FALSE, FALSE, sizeof(struct explained_rule));
    listener.rules = explanation->statement;
    asking.outbound = ask_outbound(policy, message, options->outbound, &trace);
    /* Of mail that is not evaluated the counts are still worth seeing, the rules are not. */
    explanation->outbound = asking.outbound != OUTBOUND_NO;
    explanation->built_in = options->outbound < 0 && explanation->statement->len == 0;
    listener.rules = explanation->rules;
    if (explanation->outbound)
        asking.trace = &trace;
    else
        asking.outbound = OUTBOUND_YES;
    explanation->verdict = evaluate_with_state(explanation, &asking, options->state);
    g_array_unref(listener.groups);
    g_string_free(listener.lead, TRUE);
    return explanation;
}

void explanation_free(struct explanation *explanation)
{
    rules_free(explanation->rules);
    rules_free(explanation->statement);
    verdict_free(explanation->verdict);
    g_free(explanation);
}
