/* explain_rules - each rule that was asked, with its tests, their values and their results; see explain.h */

#include "policy/explain/explain.h"

#include "policy/base/time_text.h"

#include <string.h>

/* Where results, rules and tests begin. */
enum { RESULT_COLUMN = 2, RULE_COLUMN = 12, TEST_COLUMN = 14 };

/* A value beside its test begins here at the latest; one that does not fit is below. */
#define VALUE_COLUMN(width) ((width)*5 / 8)

/* More of a value is not shown to people. */
#define VALUE_LINES 4u

/* ---- tests */

/* A test as it is shown: with the words around it, of which a `not` that is its own turns its result. */
struct line {
    char *opening; /* its own line before it: what a `not (` begins has no result yet; or NULL */
    char *text;
    unsigned begin; /* column */
    int result;
};

static void line_clear(struct line *line)
{
    g_free(line->opening);
    g_free(line->text);
}

static struct line line_of(const struct explained_test *test)
{
    static const char negated[] = "not (";
    struct line line = {.begin = TEST_COLUMN + 2 * test->depth, .result = test->result};
    const char *lead = test->lead;
    const char *last = g_strrstr(lead, negated);

    if (last != NULL) {
        line.opening = g_strndup(lead, (size_t)(last - lead) + strlen(negated));
        lead = last + strlen(negated);
        line.begin += 2;
    }
    if (g_str_has_suffix(lead, "not ") && test->result >= 0)
        line.result = !test->result;
    line.text = g_strconcat(lead, test->test, test->tail, NULL);
    return line;
}

/* Where the values of all tests begin. */
static unsigned value_column(const GArray *rules, const struct explain_look *look)
{
    unsigned column = TEST_COLUMN + 16;

    for (unsigned i = 0; i < rules->len; i++) {
        const struct explained_rule *rule = &g_array_index(rules, struct explained_rule, i);
        for (unsigned j = 0; j < rule->tests->len; j++) {
            struct line line = line_of(&g_array_index(rule->tests, struct explained_test, j));
            unsigned end = line.begin + terminal_columns(line.text) + 2;
            if (end <= VALUE_COLUMN(look->width))
                column = MAX(column, end);
            line_clear(&line);
        }
    }
    return column;
}

static char *value_text(const struct explained_test *test, const struct explain_look *look)
{
    GString *shown = g_string_new(NULL);

    if (test->value == NULL)
        return g_string_free(g_string_append(shown, "not needed"), FALSE);
    g_string_append(shown, "is ");
    terminal_append_within(shown, test->value, VALUE_LINES * look->width / 2);
    return g_string_free(shown, FALSE);
}

static void append_result(GString *out, const struct explain_look *look, enum terminal_style style, const char *word)
{
    terminal_append_blanks(out, 0, RESULT_COLUMN);
    terminal_append_blanks(out, RESULT_COLUMN + explain_styled(out, look, style, word), RULE_COLUMN);
}

static void append_test_result(GString *out, const struct explain_look *look, bool needed, int result)
{
    if (!needed)
        append_result(out, look, STYLE_FAINT, "  -");
    else if (result < 0)
        append_result(out, look, STYLE_RED, result == -1 ? "  limit" : "  away");
    else if (result == 1)
        append_result(out, look, STYLE_GREEN, "  yes");
    else
        append_result(out, look, STYLE_PLAIN, "  no");
}

static void append_test(GString *out, const struct explain_look *look, const struct explained_test *test,
                        unsigned values)
{
    struct line line = line_of(test);
    g_autofree char *value = value_text(test, look);
    bool needed = test->value != NULL;

    if (line.opening != NULL) {
        terminal_append_blanks(out, 0, line.begin - 2);
        g_string_append_printf(out, "%s\n", line.opening);
    }
    append_test_result(out, look, needed, line.result);
    terminal_append_blanks(out, RULE_COLUMN, line.begin);
    g_string_append(out, needed ? "" : terminal_begin(look->colours, STYLE_FAINT));
    unsigned column = terminal_append_wrapped(out, line.text, line.begin, look->width);
    if (column + 2 > values || values + terminal_columns(value) > look->width) {
        g_string_append_c(out, '\n');
        column = 0;
        values = line.begin + 4;
    }
    terminal_append_blanks(out, column, values);
    terminal_append_wrapped(out, value, values, look->width);
    g_string_append(out, needed ? "" : terminal_end(look->colours));
    g_string_append_c(out, '\n');
    line_clear(&line);
}

/* ---- rules */

static void append_rule(GString *out, const struct explanation *explanation, const struct explained_rule *rule,
                        const struct explain_look *look, unsigned values)
{
    bool decides = rule->matched == 1 && !rule->monitor;

    if (rule->expired)
        append_result(out, look, STYLE_FAINT, "over");
    else if (rule->matched < 0)
        append_result(out, look, STYLE_RED, rule->matched == -1 ? "fault" : "error");
    else if (rule->matched == 0)
        append_result(out, look, STYLE_FAINT, "no match");
    else
        append_result(out, look, decides ? terminal_verdict(explanation->verdict->disposition) : STYLE_CYAN, "match");
    g_string_append(out, terminal_begin(look->colours, STYLE_STRONG));
    g_string_append(out, rule->name);
    g_string_append(out, terminal_end(look->colours));
    if (rule->line > 0)
        g_string_append_printf(out, ", line %u", rule->line);
    if (rule->monitor)
        g_string_append(out, ", monitor: the next rule is asked as well");
    if (rule->expired)
        g_string_append(out, ", its last day has passed");
    g_string_append_c(out, '\n');
    for (unsigned i = 0; i < rule->tests->len; i++)
        append_test(out, look, &g_array_index(rule->tests, struct explained_test, i), values);
}

static void append_heading(GString *out, const struct explain_look *look, const char *heading)
{
    g_string_append_c(out, '\n');
    explain_styled(out, look, STYLE_STRONG, heading);
    g_string_append_c(out, '\n');
}

static void append_unasked(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    unsigned rest = policy_rule_count(explanation->policy) - explanation->rules->len;

    if (rest == 0)
        return;
    append_result(out, look, STYLE_FAINT, "-");
    g_string_append_printf(out, "%s%u more rule%s below it, not needed%s\n", terminal_begin(look->colours, STYLE_FAINT),
                           rest, rest == 1 ? "" : "s", terminal_end(look->colours));
}

static void append_default(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(struct explained_test));
    struct explained_rule rule = {
        .name = explanation->verdict->rule, .line = explanation->verdict->line, .matched = 1, .tests = none};

    append_rule(out, explanation, &rule, look, 0);
}

/* What was known of earlier mail, if the policy asks about it. */
static void append_earlier(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    const struct verdict_state *state = &explanation->verdict->state;
    struct policy_state needs = policy_state(explanation->policy);
    g_autofree char *when = state->known_when != 0 ? time_text(state->known_when * G_USEC_PER_SEC, false) : NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    if (needs.windows == 0 && needs.remember == 0)
        return;
    if (explanation->alone)
        g_string_append(text, "was not asked: a window is this message alone, and nobody is known.");
    else if (state->away)
        g_string_append(text, "could not be asked.");
    else if (when != NULL)
        g_string_append_printf(text, "shows these parties together, the last time on %s.", when);
    else
        g_string_append(text, state->known == KNOWN_NO ? "does not show these parties together." : "was asked.");
    append_heading(out, look, "Earlier mail");
    terminal_append_blanks(out, 0, RESULT_COLUMN);
    terminal_append_wrapped(out, text->str, RESULT_COLUMN, look->width);
    g_string_append_c(out, '\n');
}

void explain_rules(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    if (explanation->statement->len > 0) {
        append_heading(out, look, "Outbound");
        append_rule(out, explanation, &g_array_index(explanation->statement, struct explained_rule, 0), look,
                    value_column(explanation->statement, look));
    }
    if (!explanation->outbound || strcmp(explanation->verdict->rule, "fault:outbound") == 0)
        return;
    append_heading(out, look, "Rules");
    for (unsigned i = 0; i < explanation->rules->len; i++)
        append_rule(out, explanation, &g_array_index(explanation->rules, struct explained_rule, i), look,
                    value_column(explanation->rules, look));
    if (strcmp(explanation->verdict->rule, "default") == 0)
        append_default(out, explanation, look);
    else
        append_unasked(out, explanation, look);
    append_earlier(out, explanation, look);
}
