/*
 * evaluate - what the policy says of a message; see policy.h.
 *
 * A test gives yes, no, or a fault: a pattern hit its limit, a count rests on one
 * that did, or a header holds more than is read.  A fault is never "no": it ends
 * the evaluation of its rule.
 */

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/engine/policy.h"
#include "policy/message/header_text.h"
#include "policy/message/recipients.h"
#include "policy/syntax/ast.h"
#include "policy/syntax/lexer.h"
#include "policy/syntax/template.h"

#include <string.h>

enum { NO = 0, YES = 1, FAULT = -1 };

struct evaluation {
    struct policy *policy;
    const struct message *message;
    const struct trace *trace;
    struct pattern_budget *budget;
    struct exposure *exposure; /* NULL at MAIL FROM */
    char *sender;              /* normalised; "" is the null sender */
    GPtrArray *authors;        /* when a test has asked for them */
    bool authors_whole;
    GInetAddress *client;       /* likewise */
    GHashTable *decoded;        /* struct header * -> its value, decoded; NULL beyond the limit of words */
    unsigned words;             /* that were decoded for it */
    const struct test *counted; /* the first count of the rule at hand that was true, within parts that were */
};

static void evaluation_start(struct evaluation *evaluation, struct policy *policy, const struct message *message)
{
    *evaluation = (struct evaluation){.policy = policy, .message = message};
    evaluation->budget = pattern_budget_new();
    evaluation->sender = address_normalise_envelope(message->sender);
}

static void evaluation_end(struct evaluation *evaluation)
{
    pattern_budget_free(evaluation->budget);
    g_free(evaluation->sender);
    if (evaluation->authors != NULL)
        g_ptr_array_unref(evaluation->authors);
    g_clear_object(&evaluation->client);
    if (evaluation->decoded != NULL)
        g_hash_table_unref(evaluation->decoded);
}

/* ---- tests of addresses */

/* Whether an address is of one of the classes.  The null sender has none; a bare local part is internal. */
static int in_classes(struct evaluation *evaluation, const char *address, class_mask mask)
{
    struct classes *classes = evaluation->policy->classes;
    const char *domain = address_domain(address);
    const char *sender_domain = address_domain(evaluation->sender);
    struct domain_facts *facts;
    class_mask belongs;
    bool fault;

    if (address[0] == '\0')
        return NO;
    if (domain == NULL)
        return (mask & ((class_mask)1 << CLASS_INTERNAL)) != 0;
    facts = classes_find(classes, domain, evaluation->budget);
    belongs = (class_mask)1 << facts->class_index;
    fault = facts->fault;
    if (classes_separate(classes, (unsigned)facts->class_index)) {
        /* Named by its own name, and besides that internal or other as the sender is. */
        bool same = sender_domain != NULL &&
                    strcmp(suffixes_organisation(classes_suffixes(classes), sender_domain), facts->organisation) == 0;
        belongs |= (class_mask)1 << (same ? CLASS_INTERNAL : CLASS_OTHER);
    }
    domain_facts_unref(facts);
    return fault ? FAULT : (belongs & mask) != 0;
}

static int test_address(struct evaluation *evaluation, const struct test *test, const char *address)
{
    switch (test->relation) {
    case RELATION_IN_CLASSES:
        return in_classes(evaluation, address, test->mask);
    case RELATION_MATCHES:
        return pattern_match(test->pattern, address, evaluation->budget);
    default:
        return table_has_mailbox(test->table, address);
    }
}

/* With several authors, a pattern needs one and everything else all. */
static int test_authors(struct evaluation *evaluation, const struct test *test)
{
    int wanted = test->relation == RELATION_MATCHES ? YES : NO;

    if (evaluation->authors == NULL)
        evaluation->authors = recipients_authors(evaluation->message, &evaluation->authors_whole);
    if (!evaluation->authors_whole)
        return FAULT;
    if (evaluation->authors->len == 0)
        return NO;
    for (unsigned i = 0; i < evaluation->authors->len; i++) {
        int result = test_address(evaluation, test, g_ptr_array_index(evaluation->authors, i));
        if (result == FAULT || result == wanted)
            return result;
    }
    return !wanted;
}

/* ---- tests of other facts */

static int match_lower(struct evaluation *evaluation, const struct test *test, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    g_autofree char *lower = g_utf8_strdown(valid, -1);

    return pattern_match(test->pattern, lower, evaluation->budget);
}

static int test_user(struct evaluation *evaluation, const struct test *test)
{
    const char *user = evaluation->message->user;
    g_autofree char *address = NULL;

    if (user == NULL)
        return NO;
    if (test->relation == RELATION_MATCHES)
        return match_lower(evaluation, test, user);
    if (test->relation != RELATION_IN_CLASSES)
        return table_has_word(test->table, user);
    /* A login without a domain says nothing of a class. */
    if (strchr(user, '@') == NULL)
        return NO;
    address = address_normalise_text(user);
    return in_classes(evaluation, address, test->mask);
}

static int test_listener(struct evaluation *evaluation, const struct test *test)
{
    const char *listener = evaluation->message->listener;

    if (listener == NULL)
        return NO;
    if (test->relation == RELATION_MATCHES)
        return match_lower(evaluation, test, listener);
    return table_has_word(test->table, listener);
}

static int test_client(struct evaluation *evaluation, const struct test *test)
{
    const char *client = evaluation->message->client;

    if (client == NULL)
        return NO;
    if (test->relation == RELATION_MATCHES)
        return match_lower(evaluation, test, client);
    if (evaluation->client == NULL)
        evaluation->client = g_inet_address_new_from_string(client);
    return evaluation->client != NULL && table_has_network(test->table, evaluation->client);
}

static int test_subject(struct evaluation *evaluation, const struct test *test)
{
    switch (test->subject) {
    case SUBJECT_SENDER:
        return test_address(evaluation, test, evaluation->sender);
    case SUBJECT_FROM:
        return test_authors(evaluation, test);
    case SUBJECT_USER:
        return test_user(evaluation, test);
    case SUBJECT_CLIENT:
        return test_client(evaluation, test);
    case SUBJECT_LISTENER:
        return test_listener(evaluation, test);
    }
    return FAULT;
}

/* Once, however many tests ask for it. */
static const char *decoded(struct evaluation *evaluation, const struct header *header)
{
    gpointer value;

    if (evaluation->decoded == NULL)
        evaluation->decoded = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    if (!g_hash_table_lookup_extended(evaluation->decoded, header, NULL, &value)) {
        value = decode_header(header->value, &evaluation->words);
        g_hash_table_insert(evaluation->decoded, (gpointer)header, value);
    }
    return value;
}

static int test_one_header(struct evaluation *evaluation, const struct test *test, const struct header *header)
{
    const char *value;
    g_autofree char *folded = NULL;

    if (test->relation == RELATION_PRESENT)
        return YES;
    value = decoded(evaluation, header);
    if (value == NULL)
        return FAULT;
    if (test->relation == RELATION_MATCHES)
        return pattern_match(test->pattern, value, evaluation->budget);
    folded = g_utf8_casefold(value, -1);
    return strcmp(folded, test->value) == 0;
}

static int test_header(struct evaluation *evaluation, const struct test *test)
{
    const GPtrArray *headers = evaluation->message->headers;

    for (unsigned i = 0; i < headers->len; i++) {
        const struct header *header = g_ptr_array_index(headers, i);
        int result;
        if (g_ascii_strcasecmp(header->name, test->header->text) != 0)
            continue;
        result = test_one_header(evaluation, test, header);
        if (result != NO)
            return result;
    }
    return NO;
}

static int test_flag(const struct evaluation *evaluation, const struct test *test)
{
    unsigned defects = evaluation->exposure != NULL ? exposure_defects(evaluation->exposure) : 0;

    switch (test->flag) {
    case FLAG_AUTHENTICATED:
        return evaluation->message->authenticated;
    case FLAG_LOCAL:
        return evaluation->message->local;
    case FLAG_SYNTAX:
        return (defects & DEFECT_SYNTAX) != 0;
    case FLAG_MALFORMED:
        return (defects & (DEFECT_LIMIT | DEFECT_UNPARSED)) != 0;
    case FLAG_TRUNCATED:
        return (defects & DEFECT_CUT) != 0;
    }
    return FAULT;
}

static int test_count(const struct evaluation *evaluation, const struct test *test)
{
    unsigned count = exposure_count(evaluation->exposure, test->count, test->mask);

    if (exposure_fault(evaluation->exposure))
        return FAULT;
    switch (test->comparison) {
    case AT_LEAST:
        return count >= test->number;
    case MORE:
        return count > test->number;
    case AT_MOST:
        return count <= test->number;
    case LESS:
        return count < test->number;
    case EXACTLY:
        return count == test->number;
    }
    return FAULT;
}

/* ---- what is told of a test */

/* Each occurrence in quotes; without them: none. */
static char *headers_value(const struct evaluation *evaluation, const char *name)
{
    const GPtrArray *headers = evaluation->message->headers;
    GString *values = g_string_new(NULL);

    for (unsigned i = 0; i < headers->len; i++) {
        const struct header *header = g_ptr_array_index(headers, i);
        g_autofree char *value = NULL;
        if (g_ascii_strcasecmp(header->name, name) != 0)
            continue;
        value = decode_header(header->value, NULL);
        g_string_append(values, values->len > 0 ? ", " : "");
        lexer_append_string(values, value);
    }
    return g_string_free(values->len > 0 ? values : g_string_append(values, "none"), FALSE);
}

static char *test_value(struct evaluation *evaluation, const struct test *test)
{
    const struct message *message = evaluation->message;
    const char *value = NULL;

    switch (test->kind) {
    case TEST_FLAG:
        return g_strdup(test_flag(evaluation, test) == YES ? "yes" : "no");
    case TEST_COUNT:
        return g_strdup_printf("%u", exposure_count(evaluation->exposure, test->count, test->mask));
    case TEST_HEADER:
        return headers_value(evaluation, test->header->text);
    case TEST_SUBJECT:
        if (test->subject == SUBJECT_FROM) {
            g_autoptr(GPtrArray) names = recipients_authors(message, NULL);
            if (names->len == 0)
                return g_strdup("none");
            g_ptr_array_add(names, NULL);
            return g_strjoinv(", ", (char **)names->pdata);
        }
        value = test->subject == SUBJECT_SENDER   ? (evaluation->sender[0] != '\0' ? evaluation->sender : "<>")
                : test->subject == SUBJECT_USER   ? message->user
                : test->subject == SUBJECT_CLIENT ? message->client
                                                  : message->listener;
    }
    return value == NULL ? g_strdup("none") : g_utf8_make_valid(value, -1);
}

static int run_test(struct evaluation *evaluation, const struct test *test)
{
    int result = FAULT;

    switch (test->kind) {
    case TEST_FLAG:
        result = test_flag(evaluation, test);
        break;
    case TEST_COUNT:
        result = test_count(evaluation, test);
        break;
    case TEST_SUBJECT:
        result = test_subject(evaluation, test);
        break;
    case TEST_HEADER:
        result = test_header(evaluation, test);
        break;
    }
    if (evaluation->trace != NULL) {
        g_autofree char *value = test_value(evaluation, test);
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
        evaluation->trace->test(evaluation->trace->data, expression->test->text, NULL, NO);
        return;
    }
    group_begin(evaluation, expression);
    for (unsigned i = 0; i < expression->parts->len; i++)
        skip(evaluation, g_ptr_array_index(expression->parts, i));
    group_end(evaluation);
}

/* From left to right, as far as is needed. */
static int run(struct evaluation *evaluation, const struct expression *expression)
{
    int deciding = expression->kind == EXPRESSION_OR ? YES : NO;
    int result = !deciding;
    bool decided = false;
    const struct test *counted = evaluation->counted;

    if (expression->kind == EXPRESSION_TEST) {
        result = run_test(evaluation, expression->test);
        if (result == YES && counted == NULL && expression->test->kind == TEST_COUNT)
            evaluation->counted = expression->test;
        return result;
    }
    group_begin(evaluation, expression);
    if (expression->kind == EXPRESSION_NOT) {
        result = run(evaluation, g_ptr_array_index(expression->parts, 0));
        evaluation->counted = counted;
        group_end(evaluation);
        return result == FAULT ? FAULT : !result;
    }
    for (unsigned i = 0; i < expression->parts->len; i++) {
        const struct expression *part = g_ptr_array_index(expression->parts, i);
        if (decided) {
            skip(evaluation, part);
            continue;
        }
        result = run(evaluation, part);
        decided = result == FAULT || result == deciding;
    }
    if (result != YES)
        evaluation->counted = counted;
    group_end(evaluation);
    return result;
}

/* ---- outbound */

/* What `outbound` means where the policy does not say: rcptguard-policy(5). */
static int outbound_by_default(struct evaluation *evaluation)
{
    const struct message *message = evaluation->message;

    if (message->authenticated)
        return YES;
    if (evaluation->sender[0] == '\0' || !(message->local || client_is_loopback(message->client)))
        return NO;
    return in_classes(evaluation, evaluation->sender, (class_mask)1 << CLASS_INTERNAL);
}

static int outbound_as_written(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct trace *trace = evaluation->trace;
    int result;

    if (trace != NULL)
        trace->rule(trace->data, "outbound", source_line(policy->source, policy->outbound_offset), false, false);
    result = run(evaluation, policy->outbound);
    if (trace != NULL)
        trace->rule_end(trace->data, result);
    return result;
}

enum outbound policy_outbound_traced(struct policy *policy, const struct message *message, const struct trace *trace)
{
    struct evaluation evaluation;
    int result;

    evaluation_start(&evaluation, policy, message);
    evaluation.trace = trace;
    result = policy->outbound != NULL ? outbound_as_written(&evaluation) : outbound_by_default(&evaluation);
    evaluation_end(&evaluation);
    return result == FAULT ? OUTBOUND_FAULT : result == YES ? OUTBOUND_YES : OUTBOUND_NO;
}

enum outbound policy_outbound(struct policy *policy, const struct message *message)
{
    return policy_outbound_traced(policy, message, NULL);
}

/* ---- the verdict */

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

static void set_action(struct evaluation *evaluation, struct verdict *verdict, const struct action *action,
                       const char *name, unsigned line)
{
    struct text_values values = {
        .exposure = verdict->exposure,
        .message = evaluation->message,
        .rule = name,
        .contact = evaluation->policy->contact != NULL ? evaluation->policy->contact->text : NULL,
    };

    if (evaluation->counted != NULL) {
        values.counted = evaluation->counted->count;
        values.counted_mask = evaluation->counted->mask;
    }
    verdict->disposition = action->disposition;
    verdict->rule = g_strdup(name);
    verdict->line = line;
    verdict->text = action->template != NULL ? text_expand(action->template, &values) : NULL;
    verdict->approvals = action->approvals;
}

static void add_would(struct verdict *verdict, const char *what, const char *name)
{
    g_ptr_array_add(verdict->would, g_strconcat(what, ":", name, NULL));
}

/* Whether this rule decides; the verdict is set then. */
static bool judge_by_rule(struct evaluation *evaluation, struct verdict *verdict, const struct rule *rule,
                          const struct judge_options *options)
{
    const struct trace *trace = options->trace;
    bool expired = options->now >= rule->until;
    int result = NO;

    if (trace != NULL)
        trace->rule(trace->data, rule->name->text, rule->line, rule->monitor, expired);
    evaluation->counted = NULL;
    if (!expired)
        result = run(evaluation, rule->when);
    if (trace != NULL)
        trace->rule_end(trace->data, result);
    if (result == NO)
        return false;
    if (rule->monitor) {
        add_would(verdict, result == FAULT ? "fault" : disposition_name(rule->action.disposition), rule->name->text);
        return false;
    }
    if (result == FAULT)
        set_fault(verdict, rule->name->text, rule->line, options->on_fault, rule->action.approvals);
    else {
        if (evaluation->counted == NULL)
            evaluation->counted = expression_first_count(rule->when);
        set_action(evaluation, verdict, &rule->action, rule->name->text, rule->line);
    }
    return true;
}

/* Whether an expression comes out as this test of it does: everything beside it leaves that open. */
static bool hangs_on(struct evaluation *evaluation, const struct expression *expression, const struct test *test)
{
    int open = expression->kind == EXPRESSION_OR ? NO : YES;
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
static void watch_thresholds(struct evaluation *evaluation, const struct judge_options *options, unsigned reached)
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

struct verdict *policy_judge(struct policy *policy, const struct message *message, const struct judge_options *options)
{
    struct verdict *verdict = g_new0(struct verdict, 1);
    struct evaluation evaluation;
    unsigned reached = 0;
    bool decided = false;

    evaluation_start(&evaluation, policy, message);
    evaluation.trace = options->trace;
    verdict->would = g_ptr_array_new_with_free_func(g_free);
    verdict->exposure = evaluation.exposure = exposure_read(policy->classes, message, evaluation.budget);
    if (options->outbound == OUTBOUND_FAULT) {
        set_fault(verdict, "outbound",
                  policy->outbound != NULL ? source_line(policy->source, policy->outbound_offset) : 0,
                  options->on_fault, 1);
        decided = true;
    }
    for (; !decided && reached < policy->rules->len; reached++)
        decided = judge_by_rule(&evaluation, verdict, g_ptr_array_index(policy->rules, reached), options);
    if (!decided)
        set_action(&evaluation, verdict, &policy->fallback, "default", policy->fallback_line);
    if (options->watch != NULL)
        watch_thresholds(&evaluation, options, reached);
    evaluation_end(&evaluation);
    return verdict;
}

bool policy_is_internal(struct policy *policy, const struct message *message, const char *address)
{
    struct evaluation evaluation;
    g_autofree char *normal = address_normalise_envelope(address);

    evaluation_start(&evaluation, policy, message);
    int result = in_classes(&evaluation, normal, (class_mask)1 << CLASS_INTERNAL);
    evaluation_end(&evaluation);
    return result == YES;
}
