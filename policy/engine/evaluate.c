/*
 * evaluate - what the policy says of a message; see policy.h.
 *
 * A test gives yes, no, or a fault: a pattern hit its limit, a count rests on one
 * that did, or a header holds more than is read.  A fault is never "no": it ends
 * the evaluation of its rule.
 */

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/conditions/body_facts.h"
#include "policy/conditions/condition_count.h"
#include "policy/conditions/condition_inside.h"
#include "policy/conditions/condition_subject.h"
#include "policy/conditions/condition_window.h"
#include "policy/conditions/history.h"
#include "policy/engine/override.h"
#include "policy/engine/policy.h"
#include "policy/syntax/template.h"

static int run_test(struct evaluation *evaluation, const struct test *test)
{
    int result = test->kind->evaluate(evaluation, test);

    if (evaluation->trace != NULL) {
        g_autofree char *value = test->kind->value(evaluation, test);
        evaluation->trace->test(evaluation->trace->data, test->text, value, result);
    }
    return result;
}

static void group_begin(const struct evaluation *evaluation, const struct expression *expression)
{
    if (evaluation->trace != NULL && evaluation->trace->group != NULL)
        evaluation->trace->group(evaluation->trace->data, expression->kind == EXPRESSION_NOT   ? "not"
                                                          : expression->kind == EXPRESSION_AND ? "and"
                                                                                               : "or");
}

static void group_end(const struct evaluation *evaluation)
{
    if (evaluation->trace != NULL && evaluation->trace->group_end != NULL)
        evaluation->trace->group_end(evaluation->trace->data);
}

/* Tells of tests that were not needed to decide. */
static void skip(const struct evaluation *evaluation, const struct expression *expression)
{
    if (evaluation->trace == NULL)
        return;
    if (expression->test != NULL) {
        evaluation->trace->test(evaluation->trace->data, expression->test->text, NULL, TEST_NO);
        return;
    }
    group_begin(evaluation, expression);
    for (unsigned i = 0; i < expression->parts->len; i++)
        skip(evaluation, g_ptr_array_index(expression->parts, i));
    group_end(evaluation);
}

/* A test that was true: what it counted, if it is the first of its kind. */
static void note_counted(struct evaluation *evaluation, const struct test *test)
{
    struct deciding *deciding = &evaluation->deciding;

    if (deciding->counted == NULL)
        deciding->counted = count_test_of(test);
    if (deciding->windowed == NULL)
        deciding->windowed = window_test_of(test);
    if (deciding->inside == NULL)
        deciding->inside = inside_test_of(test);
}

/* From left to right, as far as is needed. */
static int run(struct evaluation *evaluation, const struct expression *expression)
{
    int deciding = expression->kind == EXPRESSION_OR ? TEST_YES : TEST_NO;
    int result = !deciding;
    bool decided = false;
    const struct deciding before = evaluation->deciding;

    if (expression->kind == EXPRESSION_TEST) {
        result = run_test(evaluation, expression->test);
        if (result == TEST_YES)
            note_counted(evaluation, expression->test);
        return result;
    }
    group_begin(evaluation, expression);
    if (expression->kind == EXPRESSION_NOT) {
        result = run(evaluation, g_ptr_array_index(expression->parts, 0));
        evaluation->deciding = before;
        group_end(evaluation);
        return result < 0 ? result : !result;
    }
    for (unsigned i = 0; i < expression->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(expression->parts, i);
        if (decided) {
            skip(evaluation, part);
            continue;
        }
        result = run(evaluation, part);
        decided = result < 0 || result == deciding;
    }
    if (result != TEST_YES)
        evaluation->deciding = before;
    group_end(evaluation);
    return result;
}

/* ---- outbound */

/* What `outbound` means where the policy does not say: rcptguard-policy(5). */
static int outbound_by_default(struct evaluation *evaluation)
{
    const struct message *message = evaluation->message;

    if (message->authenticated)
        return TEST_YES;
    const char *sender = evaluation_sender(evaluation);
    if (sender[0] == '\0' || !(message->local || client_is_loopback(message->client)))
        return TEST_NO;
    return evaluation_in_classes(evaluation, sender, (class_mask)1 << CLASS_INTERNAL);
}

static int outbound_as_written(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct trace *trace = evaluation->trace;

    if (trace != NULL)
        trace->rule(trace->data, "outbound", source_line(policy->source, policy->outbound_offset), false, false);
    int result = run(evaluation, policy->outbound);
    if (trace != NULL)
        trace->rule_end(trace->data, result);
    return result;
}

enum outbound policy_outbound_traced(struct policy *policy, const struct message *message, const struct trace *trace)
{
    struct evaluation evaluation;

    evaluation_start(&evaluation, policy, message);
    evaluation.trace = trace;
    int result = policy->outbound != NULL ? outbound_as_written(&evaluation) : outbound_by_default(&evaluation);
    evaluation_end(&evaluation);
    return result == TEST_FAULT ? OUTBOUND_FAULT : result == TEST_YES ? OUTBOUND_YES : OUTBOUND_NO;
}

enum outbound policy_outbound(struct policy *policy, const struct message *message)
{
    return policy_outbound_traced(policy, message, NULL);
}

/* ---- the verdict */

#define STATE_AWAY_TEXT "the record of earlier messages could not be asked; try again later"
#define BODY_AWAY_TEXT  "the body of the message was not read; try again later"

static void set_fault(struct verdict *verdict, const char *name, unsigned line, enum disposition on_fault,
                      unsigned approvals)
{
    verdict->disposition = on_fault;
    verdict->fault = true;
    verdict->rule = g_strconcat("fault:", name, NULL);
    verdict->line = line;
    verdict->text =
        g_strdup_printf("the policy could not be evaluated: a test needed by %s went beyond its limit", name);
    /* What a rule asks for is not lost with it. */
    verdict->approvals = on_fault != DISPOSITION_QUARANTINE ? 0 : MAX(approvals, 1);
}

/* The state was needed and gave no answer, or the body was, and was not read: a retry may help. */
static void set_error(struct verdict *verdict, const char *name, unsigned line, const struct evaluate_options *options,
                      const char *text)
{
    g_free(verdict->rule);
    g_free(verdict->text);
    verdict->disposition = options->accept_on_error ? DISPOSITION_ACCEPT : DISPOSITION_TEMPFAIL;
    verdict->error = true;
    verdict->rule = g_strconcat("error:", name, NULL);
    verdict->line = line;
    verdict->text = g_strdup(text);
    verdict->approvals = 0;
    verdict->terms = (struct action_terms){0};
}

static void set_action(struct evaluation *evaluation, struct verdict *verdict, const struct action *action,
                       const char *name, unsigned line)
{
    const struct deciding *deciding = &evaluation->deciding;
    struct text_values values = {
        .exposure = verdict->exposure,
        .message = evaluation->message,
        .rule = name,
        .contact = policy_contact(evaluation->policy),
    };

    if (deciding->counted != NULL) {
        values.counted = deciding->counted->count;
        values.counted_mask = deciding->counted->mask;
    }
    if (deciding->windowed != NULL)
        values.has_within = window_value(evaluation, deciding->windowed, &values.within) == TEST_YES;
    if (deciding->inside != NULL)
        values.has_inside = inside_value(evaluation, deciding->inside, &values.inside) == TEST_YES;
    verdict->disposition = action->disposition;
    verdict->rule = g_strdup(name);
    verdict->line = line;
    verdict->text = action->template != NULL ? text_expand(action->template, &values) : NULL;
    verdict->approvals = action->approvals;
    verdict->terms = action_terms(action);
    if (verdict->override.code == 0)
        return;
    const char place[] = {VERDICT_OVERRIDE_PLACE, '\0'};
    values.override = place;
    verdict->override.reply = text_expand(action->template, &values);
}

/* ---- windows of a rule */

struct windows_of_rule {
    struct evaluation *evaluation;
    struct verdict_window window;
    bool any;
    bool in; /* the message is in one of them */
};

static void note_window(void *data, const struct test *test)
{
    struct windows_of_rule *noting = data;
    const struct window_test *window = window_test_of(test);
    guint32 value = 0;

    if (window == NULL)
        return;
    if (!noting->any)
        noting->window.counted = count_name(window->count.count);
    noting->any = true;
    noting->window.seconds = MAX(noting->window.seconds, window->within.seconds);
    noting->in = noting->in || window_has_message(noting->evaluation, window);
    if (window_value(noting->evaluation, window, &value) != TEST_YES)
        noting->window.known = false;
    else
        noting->window.value = MAX(noting->window.value, value);
}

/*
 * Adds what the message has in the windows of a rule that was tried: the value of the one that was true, else the
 * greatest.  Only of a message that is in one of them.
 */
static void note_windows(struct evaluation *evaluation, struct verdict *verdict, const struct rule *rule)
{
    struct windows_of_rule noting = {.evaluation = evaluation,
                                     .window = {.rule = rule->name->text, .line = rule->line, .known = true}};

    if (!evaluation->history.windows_asked)
        return;
    expression_each_test(rule->when, note_window, &noting);
    if (!noting.any || !noting.in)
        return;
    if (evaluation->deciding.windowed != NULL) {
        noting.window.counted = count_name(evaluation->deciding.windowed->count.count);
        window_value(evaluation, evaluation->deciding.windowed, &noting.window.value);
    }
    g_array_append_val(verdict->state.windows, noting.window);
}

/* A text may show a count that was not needed: the first one of its kind, as it would have been. */
static void complete_deciding(struct evaluation *evaluation, const struct rule *rule)
{
    struct deciding *deciding = &evaluation->deciding;
    const struct text *template = rule->action.template;

    if (deciding->counted == NULL)
        deciding->counted = expression_first_count(rule->when);
    if (deciding->windowed == NULL && template != NULL && text_names_window(template))
        deciding->windowed = expression_first_window(rule->when);
    if (deciding->inside == NULL && template != NULL && text_names_inside(template))
        deciding->inside = expression_first_inside(rule->when);
}

/* Whether this rule decides; the verdict is set then. */
static bool evaluate_by_rule(struct evaluation *evaluation, struct verdict *verdict, const struct rule *rule,
                             const struct evaluate_options *options)
{
    const struct trace *trace = options->trace;
    bool expired = options->now >= rule->until;
    int result = TEST_NO;

    if (trace != NULL)
        trace->rule(trace->data, rule->name->text, rule->line, rule->monitor, expired);
    evaluation->deciding = (struct deciding){0};
    if (!expired)
        result = run(evaluation, rule->when);
    if (trace != NULL)
        trace->rule_end(trace->data, result);
    if (!expired)
        note_windows(evaluation, verdict, rule);
    if (result == TEST_NO)
        return false;
    if (rule->monitor) {
        const char *would = result == TEST_FAULT   ? "fault"
                            : result == TEST_ERROR ? "error"
                                                   : disposition_name(rule->action.disposition);
        g_ptr_array_add(verdict->would, g_strconcat(would, ":", rule->name->text, NULL));
        return false;
    }
    if (result == TEST_FAULT) {
        set_fault(verdict, rule->name->text, rule->line, options->on_fault, rule->action.approvals);
        return true;
    }
    if (result == TEST_ERROR) {
        set_error(verdict, rule->name->text, rule->line, options,
                  evaluation->body.away ? BODY_AWAY_TEXT : STATE_AWAY_TEXT);
        return true;
    }
    if (rule->action.override.text != NULL && override_skips(evaluation, verdict, rule->name->text)) {
        verdict->override.skipped = true;
        return false;
    }
    if (rule->action.override.text != NULL && options->permits &&
        override_permit(evaluation, rule->name->text, rule->action.override.seconds, &verdict->override.code) ==
            STATE_AWAY) {
        override_set_away(verdict, rule->name->text, rule->line);
        return true;
    }
    complete_deciding(evaluation, rule);
    set_action(evaluation, verdict, &rule->action, rule->name->text, rule->line);
    return true;
}

/* Whether an expression comes out as this test of it does: everything beside it leaves that open. */
static bool hangs_on(struct evaluation *evaluation, const struct expression *expression, const struct test *test)
{
    int open = expression->kind == EXPRESSION_OR ? TEST_NO : TEST_YES;
    bool found = false;

    if (expression->kind == EXPRESSION_TEST)
        return expression->test == test;
    for (unsigned i = 0; i < expression->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(expression->parts, i);
        if (!found && hangs_on(evaluation, part, test))
            found = true;
        else if (run(evaluation, part) != open)
            return false;
    }
    return found;
}

/*
 * Tells of the thresholds of the first `reached` rules.  The verdict is given by
 * then: what is tried here takes nothing from the budget that it was given with.
 */
static void watch_thresholds(struct evaluation *evaluation, const struct evaluate_options *options, unsigned reached)
{
    const struct policy *policy = evaluation->policy;

    evaluation->trace = NULL;
    for (unsigned i = 0; i < policy->thresholds->len && !exposure_fault(evaluation->exposure); i++) {
        const struct threshold *threshold = &g_array_index(policy->thresholds, struct threshold, i);
        const struct rule *rule = g_ptr_array_index(policy->rules, threshold->rule);
        if (threshold->rule < reached && options->now < rule->until &&
            hangs_on(evaluation, rule->when, threshold->test))
            options->watch->hangs(options->watch->data, i,
                                  exposure_count(evaluation->exposure, threshold->count, threshold->classes));
    }
}

/* The first of these rules that is in force and no trial, and in one of whose windows the message belongs; or NULL. */
static const struct rule *first_with_window(struct evaluation *evaluation, unsigned reached, gint64 now)
{
    for (unsigned i = 0; i < reached; i++) {
        const struct rule *rule = g_ptr_array_index(evaluation->policy->rules, i);
        struct windows_of_rule noting = {.evaluation = evaluation};
        if (rule->monitor || now >= rule->until)
            continue;
        expression_each_test(rule->when, note_window, &noting);
        if (noting.in)
            return rule;
    }
    return NULL;
}

/*
 * Sees to it that a message which is not refused is in the windows.  If the state did not take it, what passed the
 * rules that have windows does not pass: those that come after it would be counted without it.
 */
static void keep_record(struct evaluation *evaluation, struct verdict *verdict, unsigned reached,
                        const struct evaluate_options *options)
{
    if (evaluation->policy->windows->len == 0 || verdict_end_of(verdict->disposition) == VERDICT_REFUSED ||
        verdict->error || history_record(evaluation) || verdict_end_of(verdict->disposition) != VERDICT_PASSED)
        return;
    const struct rule *rule = first_with_window(evaluation, reached, options->now);
    if (rule != NULL)
        set_error(verdict, rule->name->text, rule->line, options, STATE_AWAY_TEXT);
}

/*
 * What was learned within a hundredth of the time for which it is remembered is not learned again: a thread with twenty
 * answers in a day is written once.
 */
static bool is_fresh(const struct evaluation *evaluation)
{
    const struct history *history = &evaluation->history;
    gint64 age = state_time(history->now) - history->known_when;
    return history->known && age < policy_state(evaluation->policy).remember / 100;
}

/* What the state said, and what it is to learn: only of what passed although every rule was tried. */
static void set_state(struct evaluation *evaluation, struct verdict *verdict, bool all_tried)
{
    const struct history *history = &evaluation->history;
    struct verdict_state *state = &verdict->state;
    struct history_set *set = NULL;

    state->known = !history->known_asked ? KNOWN_NOT_ASKED : history->known ? KNOWN_YES : KNOWN_NO;
    state->known_when = history->known_when;
    state->away = history->away;
    state->bound = history->bound;
    state->record = history->record;
    if (policy_state(evaluation->policy).remember > 0)
        set = history_learnable(evaluation);
    if (set != NULL) {
        state->scope = set->scope;
        state->parties = g_array_ref(set->parties);
        state->teaches = all_tried && !verdict->override.skipped && !verdict_would_stop(verdict) && !verdict->fault &&
                         !verdict->error && verdict_end_of(verdict->disposition) == VERDICT_PASSED &&
                         !is_fresh(evaluation);
    }
    history_set_free(set);
}

/* What was read of the body goes to the verdict. */
static void set_body(struct evaluation *evaluation, struct verdict *verdict)
{
    struct body_state *state = &evaluation->body;

    verdict->body = (struct verdict_body){state->parts, state->own, state->exposure, state->away,
                                          inside_counts(state->exposure, state->away)};
    state->own = NULL;
    state->exposure = NULL;
}

struct verdict *policy_evaluate(struct policy *policy, const struct message *message,
                                const struct evaluate_options *options)
{
    struct verdict *verdict = g_new0(struct verdict, 1);
    struct evaluation evaluation;
    unsigned reached = 0;
    bool decided = false;

    evaluation_start(&evaluation, policy, message);
    evaluation.trace = options->trace;
    evaluation.body.parts = options->parts;
    evaluation.history = (struct history){
        .state = options->state,
        .now = options->time != 0 ? options->time : options->now,
        .look_only = options->look_only,
        .known_asked = options->no_known,
    };
    verdict->state.windows = g_array_new(FALSE, FALSE, sizeof(struct verdict_window));
    verdict->would = g_ptr_array_new_with_free_func(g_free);
    verdict->exposure = evaluation.exposure = exposure_read(policy->classes, message, evaluation.budget);
    if (options->outbound == OUTBOUND_FAULT) {
        set_fault(verdict, "outbound",
                  policy->outbound != NULL ? source_line(policy->source, policy->outbound_offset) : 0,
                  options->on_fault, 1);
        decided = true;
    }
    decided = decided || !override_claim(&evaluation, verdict, options);
    for (; !decided && reached < policy->rules->len; reached++)
        decided = evaluate_by_rule(&evaluation, verdict, g_ptr_array_index(policy->rules, reached), options);
    if (!decided)
        set_action(&evaluation, verdict, &policy->fallback, "default", policy->fallback_line);
    keep_record(&evaluation, verdict, reached, options);
    set_state(&evaluation, verdict, !decided);
    if (options->watch != NULL)
        watch_thresholds(&evaluation, options, reached);
    set_body(&evaluation, verdict);
    evaluation_end(&evaluation);
    return verdict;
}

bool policy_is_internal(struct policy *policy, const struct message *message, const char *address)
{
    struct evaluation evaluation;
    g_autofree char *normal = address_normalise_envelope(address);

    evaluation_start(&evaluation, policy, message);
    int result = evaluation_in_classes(&evaluation, normal, (class_mask)1 << CLASS_INTERNAL);
    evaluation_end(&evaluation);
    return result == TEST_YES;
}

/* ---- logins */

static enum login_listed listed_in(struct evaluation *evaluation, const struct expression *expression)
{
    enum login_listed found = NOT_LISTED;

    if (expression->kind == EXPRESSION_TEST) {
        if (subject_lists_login(evaluation, expression->test, evaluation->message->user))
            return LOGIN_LISTED;
        return subject_lists_login(evaluation, expression->test, evaluation_sender(evaluation)) ? SENDER_LISTED
                                                                                                : NOT_LISTED;
    }
    for (unsigned i = 0; found != LOGIN_LISTED && i < expression->parts->len; i++) {
        enum login_listed part = listed_in(evaluation, g_ptr_array_index(expression->parts, i));
        found = part != NOT_LISTED ? part : found;
    }
    return found;
}

enum login_listed policy_login_listed(struct policy *policy, unsigned index, const struct message *message)
{
    const struct rule *rule = g_ptr_array_index(policy->rules, index);
    struct evaluation evaluation = {0};

    evaluation_start(&evaluation, policy, message);
    enum login_listed listed = listed_in(&evaluation, rule->when);
    evaluation_end(&evaluation);
    return listed;
}
