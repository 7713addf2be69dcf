/*
 * lint_rules - rules that no message comes to, because those before them match
 * all that they would match; and policies that let everything pass.
 */

#include "policy/lint/lint.h"

/* Among that many earlier rules, those are looked for that do it together. */
#define TOGETHER_LIMIT 100u

/* At most this many of them are named. */
#define NAMED_LIMIT 4u

/* What is known of a message that comes to a rule. */
struct premise {
    struct claim claim;
    int owner; /* index of a rule; -1 is `outbound` */
};

static GArray *premises_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(struct premise));
}

static void premises_add(GArray *premises, const struct expression *expression, bool holds, int owner)
{
    const struct premise premise = {{expression, holds}, owner};

    g_array_append_val(premises, premise);
}

static const struct premise *premise_at(const GArray *premises, unsigned index)
{
    return &g_array_index(premises, struct premise, index);
}

/* It is outbound, and no earlier rule that decides matched, unless that one ends before this rule does, or can be
 * overridden. */
static void premises_before(const struct lint *lint, GArray *premises, unsigned index)
{
    gint64 until = index < lint->policy->rules->len ? lint_rule(lint, index)->until : G_MAXINT64;

    if (lint->policy->outbound != NULL)
        premises_add(premises, lint->policy->outbound, true, -1);
    for (unsigned i = 0; i < index; i++) {
        const struct rule *rule = lint_rule(lint, i);
        if (!rule->monitor && rule->until >= until && rule->action.override.text == NULL)
            premises_add(premises, rule->when, false, (int)i);
    }
}

/* Whether something can be true under the premises; without the one at `but`. */
static bool possible_but(const struct lint *lint, const GArray *premises, const struct expression *subject, int but)
{
    g_autoptr(GArray) claims = g_array_sized_new(FALSE, FALSE, sizeof(struct claim), premises->len + 1);
    const struct claim claim = {subject, true};

    if (subject != NULL)
        g_array_append_val(claims, claim);
    for (unsigned i = 0; i < premises->len; i++)
        if ((int)i != but)
            g_array_append_val(claims, premise_at(premises, i)->claim);
    return logic_possible(lint->logic, (const struct claim *)(void *)claims->data, claims->len);
}

static bool possible(const struct lint *lint, const GArray *premises, const struct expression *subject)
{
    return possible_but(lint, premises, subject, -1);
}

/* Leaves one premise if that does it alone, else those that only do it together. */
static void premises_reduce(const struct lint *lint, GArray *premises, const struct expression *subject)
{
    for (unsigned i = 0; i < premises->len; i++) {
        const struct premise premise = *premise_at(premises, i);
        const struct claim claims[] = {{subject, true}, premise.claim};
        if (logic_possible(lint->logic, claims, G_N_ELEMENTS(claims)))
            continue;
        g_array_set_size(premises, 0);
        g_array_append_val(premises, premise);
        return;
    }
    for (unsigned i = premises->len; premises->len <= TOGETHER_LIMIT && i-- > 0;)
        if (!possible_but(lint, premises, subject, (int)i))
            g_array_remove_index(premises, i);
}

/* "rule `a` in line 12 matches", "the rules `a`, `b` match"; NULL if it is `outbound` alone. */
static char *who_matches(const struct lint *lint, const GArray *premises)
{
    GString *names = g_string_new(NULL);
    unsigned count = 0;
    int last = -1;

    for (unsigned i = 0; i < premises->len; i++) {
        int owner = premise_at(premises, i)->owner;
        if (owner < 0)
            continue;
        last = owner;
        if (count++ < NAMED_LIMIT)
            g_string_append_printf(names, "%s`%s`", names->len > 0 ? ", " : "",
                                   lint_rule(lint, (unsigned)owner)->name->text);
    }
    if (count == 1)
        g_string_printf(names, "rule `%s` in line %u matches", lint_rule(lint, (unsigned)last)->name->text,
                        lint_rule(lint, (unsigned)last)->line);
    else
        g_string_append_printf(g_string_prepend(names, "the rules "), "%s match",
                               count > NAMED_LIMIT ? " and others" : "");
    return g_string_free(names, count == 0);
}

static void warn_unreachable(const struct lint *lint, GArray *premises, const struct rule *rule,
                             const struct expression *subject)
{
    bool whole = subject == rule->when;
    size_t offset = whole ? rule->name->offset : subject->offset;

    premises_reduce(lint, premises, subject);
    g_autofree char *who = who_matches(lint, premises);
    if (who == NULL)
        lint_warn(lint, LINT_RULE_UNREACHABLE, offset, "%s `%s` never matches: no such mail is `outbound`",
                  whole ? "rule" : "this part of rule", rule->name->text);
    else
        lint_warn(lint, LINT_RULE_UNREACHABLE, offset,
                  "%s `%s` is never reached: before it, %s all that it would match",
                  whole ? "rule" : "this part of rule", rule->name->text, who);
}

/* Whether a message can come to a rule and match it; else that is told, and of an `or` each part that is idle. */
static bool lint_reach(const struct lint *lint, unsigned index)
{
    const struct rule *rule = lint_rule(lint, index);
    const struct expression *when = rule->when;
    const struct claim alone = {when, true};
    g_autoptr(GArray) premises = premises_new();

    /* What is never true at all is told elsewhere. */
    if (!logic_possible(lint->logic, &alone, 1))
        return false;
    premises_before(lint, premises, index);
    bool reached = premises->len == 0 || possible(lint, premises, when);
    if (!reached)
        warn_unreachable(lint, premises, rule, when);
    for (unsigned i = 0; reached && when->kind == EXPRESSION_OR && i < when->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(when->parts, i);
        const struct claim part_alone = {part, true};
        if (premises->len == 0 || possible(lint, premises, part) || !logic_possible(lint->logic, &part_alone, 1))
            continue;
        warn_unreachable(lint, premises, rule, part);
        g_array_set_size(premises, 0);
        premises_before(lint, premises, index);
    }
    return reached;
}

/* The message is outbound by this part of `outbound` and by no other. */
static void premises_add_way(const struct lint *lint, GArray *premises, const struct expression *way)
{
    const GPtrArray *parts = lint->policy->outbound->parts;

    for (unsigned i = 0; i < parts->len; i++) {
        const struct expression *part = g_ptr_array_index(parts, i);
        premises_add(premises, part, part == way, -1);
    }
}

static bool is_way(const struct lint *lint, const struct expression *part)
{
    g_autoptr(GArray) premises = premises_new();

    premises_add_way(lint, premises, part);
    return possible(lint, premises, NULL);
}

/* Whether mail that is outbound in this way, or in any if NULL, may be stopped, be it on trial. */
static bool may_stop(const struct lint *lint, const struct expression *way)
{
    const struct policy *policy = lint->policy;
    bool stops = false;

    for (unsigned i = 0; !stops && i <= policy->rules->len; i++) {
        const struct rule *rule = i < policy->rules->len ? lint_rule(lint, i) : NULL;
        if (rule == NULL ? !disposition_stops(policy->fallback.disposition)
                         : !disposition_stops(rule->action.disposition) || lint_rule_is_over(lint, rule))
            continue;
        g_autoptr(GArray) premises = premises_new();
        premises_before(lint, premises, i);
        if (way != NULL)
            premises_add_way(lint, premises, way);
        stops = possible(lint, premises, rule == NULL ? NULL : rule->when);
    }
    return stops;
}

static void lint_stopping(const struct lint *lint)
{
    const struct expression *outbound = lint->policy->outbound;

    if (!may_stop(lint, NULL)) {
        lint_warn(
            lint, LINT_NOTHING_HELD, lint->policy->fallback_offset,
            "this policy stops nothing: no rule that quarantines, rejects or defers can match, not even on trial");
        return;
    }
    for (unsigned i = 0; outbound != NULL && outbound->kind == EXPRESSION_OR && i < outbound->parts->len; i++) {
        const struct expression *way = g_ptr_array_index(outbound->parts, i);
        if (is_way(lint, way) && !may_stop(lint, way))
            lint_warn(lint, LINT_NOTHING_HELD, way->offset,
                      "mail that is `outbound` for this reason alone is stopped by nothing: no rule that quarantines, "
                      "rejects or defers can match it");
    }
}

void lint_rules(const struct lint *lint)
{
    for (unsigned i = 0; i < lint->policy->rules->len && !logic_is_tired(lint->logic); i++)
        if (!lint_rule_is_over(lint, lint_rule(lint, i)))
            lint_reach(lint, i);
    lint_stopping(lint);
}
