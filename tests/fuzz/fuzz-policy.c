/*
 * fuzz-policy - the policy language; the input is the file.
 *
 * A policy that loads prints as text that loads again to the same policy, and
 * both say the same of a message.  What a lint calls impossible does not happen.
 */

#include "fuzz.h"

#include "policy/engine/policy.h"
#include "policy/exposure/exposure.h"
#include "policy/message/message.h"
#include "policy/state/state_memory.h"

#include <string.h>

const char fuzz_target[] = "policy";

/* So many numbers and assertions are tried; with more, an input tests the patience only. */
#define NUMBERS_LIMIT    2000u
#define ASSERTIONS_LIMIT 10u

/* The time, for `until`. */
#define NOW 1795000000

static void files_write(void)
{
    static const char domains[] = "freemail.example # one\n.partner.example\n\n";
    static const char mail[] = "From: care@corp.example\nTo: a@x.example, b@y.example\n\nbody\n";
    static const char addresses[] = "ann@corp.example\ncare@corp.example\n";
    static const char words[] = "10.0.0.0/8\n";
    static bool written;

    if (written)
        return;
    written = true;
    g_free(fuzz_file("a.domains", domains, sizeof domains - 1));
    g_free(fuzz_file("b.addresses", addresses, sizeof addresses - 1));
    g_free(fuzz_file("c.networks", words, sizeof words - 1));
    g_free(fuzz_file("m.eml", mail, sizeof mail - 1));
}

/* Whether it names files that are none of ours. */
static bool leaves_folder(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++)
        if ((data[i] == '"' && (data[i + 1] == '/' || data[i + 1] == '\\')) || (data[i] == '.' && data[i + 1] == '.'))
            return memchr(data, '/', size) != NULL;
    return false;
}

static unsigned sum_of_numbers(const uint8_t *data, size_t size)
{
    guint64 sum = 0, number = 0;

    for (size_t i = 0; i <= size; i++) {
        if (i < size && g_ascii_isdigit(data[i])) {
            number = MIN(number * 10 + (data[i] - '0'), NUMBERS_LIMIT + 1);
        } else {
            sum += number;
            number = 0;
        }
    }
    return (unsigned)MIN(sum, NUMBERS_LIMIT + 1);
}

static struct message *fixed_message(unsigned which)
{
    static const char body[] = "To: ann@a.example, bob@b.example\nSubject: x\n\ncarl@c.example\n";
    struct message *message = message_new();

    message->mta = MTA_POSTFIX;
    message_set_client(message, which == 0 ? "10.1.2.3" : which == 1 ? "2001:db8::1" : NULL);
    message_set_listener(message, which == 0 ? "ORIGINATING" : NULL);
    message_set_body(message, message_body_of(body, which == 1 ? 0 : sizeof body - 1, which == 2));
    message_set_user(message, which == 2 ? NULL : "care");
    message_set_sender(message, which == 2 ? "" : "care@corp.example");
    message_set_queue_id(message, "4XyZ1234");
    message_add_header(message, "From", "Care <care@corp.example>");
    message_add_header(message, "To",
                       "a@x.example, b@y.example, c@freemail.example, d@a.partner.example, ann@corp.example");
    message_add_header(message, "Cc",
                       "e@b\xc3\xbc"
                       "cher.example, f@x.co.uk, g@[192.0.2.1], h@");
    message_add_header(message, "Subject", "=?utf-8?q?=C3=BCber?= aaaaaaaaaaaaaaaaaaaaaaaa!");
    message_add_header(message, "List-Id", "<list.corp.example>");
    message_add_recipient(message, "a@x.example");
    message_add_recipient(message, "hidden@z.example");
    message_add_recipient(message, "bob");
    return message;
}

/* ---- what is told while a message is judged */

struct told {
    unsigned rules, ends, tests;
    unsigned depth; /* of groups */
    const struct policy *policy;
};

static void told_rule(void *data, const char *rule, unsigned line, bool monitor, bool expired)
{
    struct told *told = data;

    (void)monitor;
    (void)expired;
    fuzz_check(rule[0] != '\0' && line > 0 && told->rules == told->ends, "rule `%s` in line %u within another", rule,
               line);
    told->rules++;
}

static void told_group(void *data, const char *word)
{
    struct told *told = data;

    fuzz_check(strcmp(word, "and") == 0 || strcmp(word, "or") == 0 || strcmp(word, "not") == 0, "a group `%s`", word);
    told->depth++;
}

static void told_group_end(void *data)
{
    struct told *told = data;

    fuzz_check(told->depth > 0, "the end of a group that did not begin");
    told->depth--;
}

static void told_test(void *data, const char *test, const char *value, int result)
{
    struct told *told = data;

    fuzz_check(test[0] != '\0' && g_utf8_validate(test, -1, NULL), "a test is told as `%s`", test);
    fuzz_check(value == NULL || g_utf8_validate(value, -1, NULL), "the value of `%s` is not UTF-8", test);
    fuzz_check(result >= -1 && result <= 1, "the result of `%s` is %d", test, result);
    told->tests++;
}

static void told_end(void *data, int matched)
{
    struct told *told = data;

    fuzz_check(matched >= -1 && matched <= 1, "matched %d", matched);
    fuzz_check(told->depth == 0, "%u groups without an end", told->depth);
    told->ends++;
}

static void check_text(const struct verdict *verdict)
{
    fuzz_check((verdict->text == NULL) == (verdict->disposition == DISPOSITION_ACCEPT), "%s with the text `%s`",
               disposition_name(verdict->disposition), verdict->text);
    if (verdict->text == NULL)
        return;
    fuzz_check(g_utf8_validate(verdict->text, -1, NULL), "a text is not UTF-8: `%s`", verdict->text);
    for (const char *p = verdict->text; *p != '\0'; p = g_utf8_next_char(p))
        fuzz_check(!g_unichar_iscntrl(g_utf8_get_char(p)), "a control character in the text `%s`", verdict->text);
}

static struct verdict *judge(struct policy *policy, const struct message *message, enum outbound outbound, bool traced)
{
    struct told told = {.policy = policy};
    const struct trace trace = {told_rule, told_group, told_group_end, told_test, told_end, &told};
    struct state_scratch scratch;
    state_scratch_open(&scratch);
    const struct evaluate_options options = {
        .now = NOW,
        .state = &scratch.state,
        .on_fault = DISPOSITION_QUARANTINE,
        .outbound = outbound,
        .trace = traced ? &trace : NULL,
    };
    struct verdict *verdict = policy_evaluate(policy, message, &options);

    verdict_settle(verdict, &scratch.state, verdict_end_of(verdict->disposition), NOW);
    state_scratch_close(&scratch);
    fuzz_check(verdict->rule != NULL && verdict->exposure != NULL, "a verdict without a rule");
    fuzz_check(told.rules == told.ends && told.rules <= policy_rule_count(policy), "%u rules told, %u ended",
               told.rules, told.ends);
    fuzz_check(verdict->would->len <= policy_rule_count(policy), "%u monitors", verdict->would->len);
    check_text(verdict);
    return verdict;
}

static void check_same(const struct verdict *a, const struct verdict *b)
{
    fuzz_check(a->disposition == b->disposition && a->fault == b->fault && strcmp(a->rule, b->rule) == 0 &&
                   g_strcmp0(a->text, b->text) == 0 && a->would->len == b->would->len,
               "`%s` by `%s` and `%s` by `%s`", disposition_name(a->disposition), a->rule,
               disposition_name(b->disposition), b->rule);
    for (unsigned i = 0; i < a->would->len; i++)
        fuzz_check(strcmp(g_ptr_array_index(a->would, i), g_ptr_array_index(b->would, i)) == 0,
                   "another monitor matches");
}

/* Whether a lint says so, with a message that begins like this. */
static bool is_told(const struct diags *lints, const char *lint, const char *begin)
{
    for (unsigned i = 0; i < diags_count(lints); i++) {
        const struct diag *diag = diags_get(lints, i);
        if (diag->lint != NULL && strcmp(diag->lint, lint) == 0 && g_str_has_prefix(diag->message, begin))
            return true;
    }
    return false;
}

/* What happens to mail that is outbound is not what a lint says to be impossible. */
static void check_lints(const struct verdict *verdict, const struct diags *lints)
{
    bool stops = verdict->disposition != DISPOSITION_ACCEPT && verdict->disposition != DISPOSITION_TAG;
    g_autofree char *rule = g_strdup_printf("rule `%s` ", verdict->rule);

    fuzz_check(!is_told(lints, "rule-unreachable", rule), "rule `%s` is called unreachable and decides", verdict->rule);
    fuzz_check(!stops || verdict->fault || !is_told(lints, "nothing-held", "this policy"),
               "rule `%s` stops a message and nothing is said to do so", verdict->rule);
    for (unsigned i = 0; i < verdict->would->len; i++) {
        const char *would = strchr(g_ptr_array_index(verdict->would, i), ':');
        g_autofree char *monitor = g_strdup_printf("rule `%s` ", would + 1);
        fuzz_check(!is_told(lints, "rule-unreachable", monitor) ||
                       g_str_has_prefix(g_ptr_array_index(verdict->would, i), "fault:"),
                   "monitor `%s` is called unreachable and matches", would + 1);
    }
}

/* The lints of both have the same to say, wherever it stands; a comment that allows it may allow more when printed. */
static struct diags *lint(const struct policy *policy, const struct policy *again)
{
    struct diags *lints = diags_new();
    auto_free(diags) others = diags_new();
    g_autofree char *commented = policy_text_with_allows(policy);
    bool allows = strcmp(commented, policy_text(policy)) != 0;

    policy_lint(policy, NOW, lints);
    policy_lint(again, NOW, others);
    fuzz_check_diags(lints);
    fuzz_check(diags_errors(lints) == 0, "a lint makes an error");
    fuzz_check(allows || diags_count(lints) == diags_count(others), "%u warnings, and %u of what it prints",
               diags_count(lints), diags_count(others));
    return lints;
}

static void check_verdicts(struct policy *policy, struct policy *again, const struct diags *lints)
{
    for (unsigned which = 0; which < 3; which++) {
        auto_free(message) message = fixed_message(which);
        enum outbound outbound = policy_outbound(policy, message);
        auto_free(verdict) first = NULL;
        auto_free(verdict) traced = NULL;
        auto_free(verdict) other = NULL;
        fuzz_check(policy_outbound(again, message) == outbound, "the text loads again to another `outbound`");
        first = judge(policy, message, outbound == OUTBOUND_NO ? OUTBOUND_YES : outbound, false);
        if (outbound == OUTBOUND_YES)
            check_lints(first, lints);
        outbound = outbound == OUTBOUND_NO ? OUTBOUND_YES : outbound;
        traced = judge(policy, message, outbound, true);
        other = judge(again, message, outbound, false);
        check_same(first, traced);
        check_same(first, other);
    }
}

static struct policy *load_again(const struct policy *policy)
{
    const char *text = policy_text(policy);
    g_autofree char *commented = policy_text_with_allows(policy);
    g_autofree char *commented_again = NULL;
    auto_free(diags) diags = diags_new();
    g_autofree char *path = fuzz_file("policy.again", commented, strlen(commented));
    struct policy *again = policy_load(path, diags);

    if (again == NULL) {
        g_autofree char *why = diag_format_line(diags_get(diags, 0));
        fuzz_fail("what it prints does not load: %s", why);
    }
    fuzz_check(strcmp(policy_text(again), text) == 0, "what it prints loads to another text:\n%s\n%s", text,
               policy_text(again));
    commented_again = policy_text_with_allows(again);
    fuzz_check(strcmp(commented_again, commented) == 0, "its comments are printed in another way:\n%s\n%s", commented,
               commented_again);
    fuzz_check(strcmp(policy_digest(again), policy_digest(policy)) == 0, "another digest");
    fuzz_check(policy_rule_count(again) == policy_rule_count(policy) &&
                   policy_class_count(again) == policy_class_count(policy) &&
                   policy_assertions(again) == policy_assertions(policy),
               "other counts");
    return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free(diags) diags = diags_new();
    auto_free(diags) lints = NULL;
    auto_free(policy) policy = NULL;
    auto_free(policy) again = NULL;
    g_autofree char *path = NULL;

    if (leaves_folder(data, size))
        return 0;
    files_write();
    path = fuzz_file("policy", data, size);
    policy = policy_load(path, diags);
    fuzz_check_diags(diags);
    fuzz_check((policy == NULL) == (diags_errors(diags) > 0), "%s policy with %u errors", policy == NULL ? "no" : "a",
               diags_errors(diags));
    if (policy == NULL)
        return 0;
    again = load_again(policy);
    lints = lint(policy, again);
    if (policy_assertions(policy) <= ASSERTIONS_LIMIT && sum_of_numbers(data, size) <= NUMBERS_LIMIT) {
        auto_free(diags) others = diags_new();
        unsigned failed = policy_assert(policy, diags);
        fuzz_check(failed <= policy_assertions(policy), "%u assertions fail", failed);
        fuzz_check(policy_assert(again, others) == failed, "what it prints keeps other assertions");
        fuzz_check_diags(diags);
    }
    check_verdicts(policy, again, lints);
    return 0;
}
