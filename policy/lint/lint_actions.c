/*
 * lint_actions - rules whose action does not go with what they test or where they
 * are: one that stops mail with few recipients and lets more pass, an exemption
 * from nothing, one that only holds what a later rule would refuse, a text that says
 * another count than its rule has tested, a release or an override that cannot happen
 * or should not.
 */

#include "policy/conditions/condition_count.h"
#include "policy/conditions/condition_header.h"
#include "policy/conditions/condition_subject.h"
#include "policy/lint/lint.h"
#include "policy/logic/expression_ways.h"
#include "policy/syntax/template.h"

/* At most this many rules that stop mail are compared with each other. */
#define COMPARED_LIMIT 100u

/* ---- mail that is stopped because it shows few */

/*
 * Ways in which an expression comes out true: see expression_ways.h.  A way has a count that
 * must be small, one that must be large, both, or neither.  That there is none
 * at all is asked for its own sake, as where all recipients are hidden.
 */
#define WAY_FEW  WAY_ONE
#define WAY_MANY WAY_OTHER

static enum way way_of(const struct test *test, bool holds)
{
    const struct count_test *count = count_test_of(test);
    unsigned number = count == NULL ? 0 : count->comparison.number;

    if (count == NULL)
        return WAY_NEITHER;
    switch (count->comparison.comparison) {
    case AT_LEAST:
        return holds && number > 0 ? WAY_MANY : number <= 1 ? WAY_NEITHER : WAY_FEW;
    case MORE:
        return holds ? WAY_MANY : number == 0 ? WAY_NEITHER : WAY_FEW;
    case AT_MOST:
        return !holds ? WAY_MANY : number == 0 ? WAY_NEITHER : WAY_FEW;
    case LESS:
        return !holds ? WAY_MANY : number <= 1 ? WAY_NEITHER : WAY_FEW;
    case EXACTLY:
        return holds && number > 0 ? WAY_FEW : WAY_NEITHER;
    }
    return WAY_NEITHER;
}

/* The first test of a way that asks for few. */
static const struct test *test_of_few(const struct expression *expression, bool holds, bool *negated)
{
    bool inverts = expression->kind == EXPRESSION_NOT;

    if (expression->test != NULL) {
        *negated = !holds;
        return way_of(expression->test, holds) == WAY_FEW ? expression->test : NULL;
    }
    for (unsigned i = 0; i < expression->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(expression->parts, i);
        const struct test *test = (expression_ways(part, holds != inverts, way_of) & WAY_FEW) != 0
                                      ? test_of_few(part, holds != inverts, negated)
                                      : NULL;
        if (test != NULL)
            return test;
    }
    return NULL;
}

static void lint_few(const struct lint *lint, const struct rule *rule)
{
    unsigned ways = expression_ways(rule->when, true, way_of);
    bool negated = false;
    const struct test *test = (ways & (WAY_FEW | WAY_MANY)) == WAY_FEW ? test_of_few(rule->when, true, &negated) : NULL;

    if (test != NULL)
        lint_warn(lint, LINT_STOPS_FEW, test->offset,
                  "rule `%s` stops mail by `%s%s`, and lets pass what shows more; at least is written `>=`",
                  rule->name->text, negated ? "not " : "", test->text);
}

/* ---- texts that say another count than their rule has tested */

/* The first test of that count; NULL if there is none, or if one is of just those classes. */
static const struct count_test *other_test(const struct expression *expression, const struct text_count *shown,
                                           class_mask relevant, bool *same)
{
    const struct count_test *test = count_test_of(expression->test), *first = NULL;

    if (expression->test != NULL) {
        if (test == NULL || test->count != shown->count)
            return NULL;
        *same = *same || (test->mask & relevant) == (shown->mask & relevant);
        return test;
    }
    for (unsigned i = 0; i < expression->parts->len; i++) {
        const struct count_test *found = other_test(g_ptr_array_index(expression->parts, i), shown, relevant, same);
        first = first != NULL ? first : found;
    }
    return first;
}

static void lint_shown(const struct lint *lint, const struct rule *rule, const struct text_count *shown)
{
    const char *word = count_name(shown->count);
    bool same = false;
    const struct count_test *test = other_test(rule->when, shown, classes_which(lint->policy->classes, false), &same);
    g_autofree char *instead = NULL;

    if (test == NULL || same)
        return;
    if (test->classes->len == 1 || expression_first_count(rule->when) == NULL)
        instead = g_strdup_printf("%s %s", word, ((const struct item *)g_ptr_array_index(test->classes, 0))->text);
    else
        instead = g_strdup("count");
    lint_warn(lint, LINT_TEXT_COUNT, shown->offset,
              "`{%s}` is the count of `%s`, and the rule tests `%s`; did you mean `{%s}`?", word,
              shown->mask == CLASS_ALL ? "all" : "external", test->test.text, instead);
}

static void lint_text(const struct lint *lint, const struct rule *rule)
{
    struct text_count shown;

    for (unsigned i = 0; rule->action.template != NULL && text_plain_count(rule->action.template, i, &shown); i++)
        lint_shown(lint, rule, &shown);
}

/* ---- exemptions from nothing */

/* From the end, as long as nothing is left from which a rule could be an exemption. */
static void lint_last(const struct lint *lint)
{
    if (lint->policy->fallback.disposition != DISPOSITION_ACCEPT)
        return;
    for (unsigned i = lint->policy->rules->len; i-- > 0;) {
        const struct rule *rule = lint_rule(lint, i);
        if (lint_rule_is_over(lint, rule))
            continue;
        if (rule->action.disposition != DISPOSITION_ACCEPT)
            return;
        lint_warn(lint, LINT_EXEMPTION_LAST, rule->name->offset,
                  "rule `%s` changes nothing: what comes to it passes by `default` as well; put it before the rules "
                  "from which it exempts",
                  rule->name->text);
    }
}

/* ---- the stricter rule after the milder one */

/* 0: not compared with others. */
static unsigned strictness(const struct action *action)
{
    return action->disposition == DISPOSITION_REJECT ? 3 : action->approvals;
}

/* Adds that every test of who sends, and of headers, comes out as the expression wants it. */
static void claim_who(GArray *claims, const struct expression *expression, bool holds)
{
    const struct claim claim = {expression, holds};
    bool inverts = expression->kind == EXPRESSION_NOT;

    if (header_test_of(expression->test) != NULL || subject_test_of(expression->test) != NULL)
        g_array_append_val(claims, claim);
    for (unsigned i = 0; expression->test == NULL && i < expression->parts->len; i++)
        claim_who(claims, g_ptr_array_index(expression->parts, i), holds != inverts);
}

static bool possible(const struct lint *lint, GArray *who, const struct claim *one, const struct claim *other)
{
    unsigned before = who->len;

    g_array_append_vals(who, one, 1);
    g_array_append_vals(who, other, 1);
    bool yes = logic_possible(lint->logic, (const struct claim *)(void *)who->data, who->len);
    g_array_set_size(who, before);
    return yes;
}

/*
 * One rule is of some people's mail, the other of everybody's; and of these
 * people's, the one at `narrow` takes nothing that the one at `wide` leaves.
 */
static bool lies_within(const struct lint *lint, GArray *who, const struct rule *narrow, const struct rule *wide)
{
    const struct claim claims[2][2] = {{{narrow->when, false}, {narrow->when, true}},
                                       {{wide->when, false}, {wide->when, true}}};

    return possible(lint, who, &claims[0][1], &claims[1][1]) && !possible(lint, who, &claims[0][1], &claims[1][0]) &&
           possible(lint, who, &claims[0][0], &claims[1][1]);
}

/*
 * Some people's mail is to be held from two parties on, everybody's to be refused
 * from fifty: theirs is held from fifty on, too.  Or everybody's is to be held from
 * ten on, and theirs to be refused from two: with ten it is only held.
 */
static bool hides(const struct lint *lint, const struct rule *mild, const struct rule *strict)
{
    g_autoptr(GArray) of_mild = g_array_new(FALSE, FALSE, sizeof(struct claim));
    g_autoptr(GArray) of_strict = g_array_new(FALSE, FALSE, sizeof(struct claim));

    claim_who(of_mild, mild->when, true);
    claim_who(of_strict, strict->when, true);
    if (of_mild->len > 0 && of_strict->len == 0)
        return lies_within(lint, of_mild, strict, mild);
    return of_mild->len == 0 && of_strict->len > 0 && lies_within(lint, of_strict, mild, strict);
}

/* What is never reached at all is warned of elsewhere. */
static bool is_reached(const struct lint *lint, const struct rule *mild, const struct rule *strict)
{
    const struct claim claims[] = {{mild->when, false}, {strict->when, true}};

    return logic_possible(lint->logic, claims, G_N_ELEMENTS(claims));
}

static void lint_milder(const struct lint *lint, GPtrArray *stopping)
{
    for (unsigned i = 0; i < stopping->len; i++) {
        const struct rule *strict = g_ptr_array_index(stopping, i);
        for (unsigned j = 0; j < i && !logic_is_tired(lint->logic); j++) {
            const struct rule *mild = g_ptr_array_index(stopping, j);
            if (strictness(&mild->action) >= strictness(&strict->action) || mild->until < strict->until ||
                !is_reached(lint, mild, strict) || !hides(lint, mild, strict))
                continue;
            lint_warn(lint, LINT_MILDER_FIRST, strict->name->offset,
                      "rule `%s` is stricter than rule `%s` in line %u, which decides where both match; put it before "
                      "that",
                      strict->name->text, mild->name->text, mild->line);
            break;
        }
    }
}

/* ---- releases */

/* Two reviewers are asked for, so neither time nor the sender releases the message. */
static void lint_release(const struct lint *lint, const char *name, const struct action *action)
{
    if (action->release == RELEASE_BY_REVIEWER || action->approvals < 2)
        return;
    lint_warn(lint, LINT_RELEASE_APPROVALS, action->release_offset,
              "`%s` asks for two reviewers, and so nothing else releases its mail: `release %s` does nothing", name,
              action->release == RELEASE_AFTER ? "after" : "by sender");
}

/* ---- overrides */

/* `negated`: within an odd number of `not`; a sender that is exempt is not what a rule is about. */
static bool is_about_senders(const struct expression *expression, bool negated)
{
    const struct subject_test *subject = subject_test_of(expression->test);

    if (expression->test != NULL)
        return !negated && subject != NULL &&
               (subject->subject == SUBJECT_SENDER || subject->subject == SUBJECT_FROM ||
                subject->subject == SUBJECT_USER);
    for (unsigned i = 0; i < expression->parts->len; i++)
        if (is_about_senders(g_ptr_array_index(expression->parts, i), negated != (expression->kind == EXPRESSION_NOT)))
            return true;
    return false;
}

/* Whether the later rule matches all that the rule does. */
static bool matches_too(const struct lint *lint, const struct rule *rule, const struct rule *later)
{
    const struct claim claims[] = {{rule->when, true}, {later->when, false}};

    return !logic_possible(lint->logic, claims, G_N_ELEMENTS(claims));
}

/* What would stop each message again that overrides this rule. */
static void lint_later(const struct lint *lint, unsigned index)
{
    const struct rule *rule = lint_rule(lint, index);
    const size_t offset = rule->action.override.offset;

    for (unsigned i = index + 1; i < lint->policy->rules->len; i++) {
        const struct rule *later = lint_rule(lint, i);
        if (later->monitor || lint_rule_is_over(lint, later) || !matches_too(lint, rule, later))
            continue;
        if (disposition_stops(later->action.disposition))
            lint_warn(lint, LINT_OVERRIDE_STOPPED, offset,
                      "a message that overrides rule `%s` is stopped again by rule `%s` in line %u, which matches all "
                      "that it matches",
                      rule->name->text, later->name->text, later->line);
        return;
    }
    if (disposition_stops(lint->policy->fallback.disposition))
        lint_warn(
            lint, LINT_OVERRIDE_STOPPED, offset,
            "a message that overrides rule `%s` is stopped again by `default` in line %u, unless a rule before it "
            "lets it pass",
            rule->name->text, lint->policy->fallback_line);
}

static void lint_override(const struct lint *lint, unsigned index)
{
    const struct rule *rule = lint_rule(lint, index);
    const size_t offset = rule->action.override.offset;

    if (rule->action.override.text == NULL)
        return;
    if (is_about_senders(rule->when, false))
        lint_warn(lint, LINT_OVERRIDE_SENSITIVE, offset,
                  "rule `%s` is about certain senders, and any of them may override it alone; hold such mail with "
                  "`quarantine`",
                  rule->name->text);
    if (lint->policy->contact == NULL)
        lint_warn(lint, LINT_OVERRIDE_CONTACT, offset,
                  "rule `%s` may be overridden, and whoever cannot has nobody to ask: the policy has no `contact`",
                  rule->name->text);
    lint_later(lint, index);
}

static void lint_terms(const struct lint *lint, unsigned index)
{
    const struct rule *rule = lint_rule(lint, index);

    if (lint_rule_is_over(lint, rule))
        return;
    lint_release(lint, rule->name->text, &rule->action);
    lint_override(lint, index);
}

void lint_actions(const struct lint *lint)
{
    g_autoptr(GPtrArray) stopping = g_ptr_array_new();
    bool stops = false;

    for (unsigned i = 0; i < lint->policy->rules->len; i++) {
        struct rule *rule = g_ptr_array_index(lint->policy->rules, i);
        lint_text(lint, rule);
        lint_terms(lint, i);
        if (!disposition_stops(rule->action.disposition) || lint_rule_is_over(lint, rule))
            continue;
        stops = true;
        lint_few(lint, rule);
        if (stopping->len < COMPARED_LIMIT && !rule->monitor && strictness(&rule->action) > 0)
            g_ptr_array_add(stopping, rule);
    }
    lint_release(lint, "default", &lint->policy->fallback);
    lint_milder(lint, stopping);
    /* Where nothing is stopped, that is warned of elsewhere. */
    if (stops)
        lint_last(lint);
}
