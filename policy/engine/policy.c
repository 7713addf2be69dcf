/* policy - the life of a policy; see policy.h */

#include "policy/engine/policy.h"

#include "policy/base/source.h"
#include "policy/language/parser.h"
#include "policy/language/print_policy.h"
#include "policy/language/resolve.h"
#include "policy/language/windows.h"
#include "policy/syntax/ast.h"

#include <string.h>

static struct policy *policy_new(const char *path)
{
    struct policy *policy = g_new0(struct policy, 1);

    policy->references = 1;
    policy->path = g_strdup(path);
    policy->statements = g_ptr_array_new_with_free_func((GDestroyNotify)class_statement_free);
    policy->allows = g_ptr_array_new_with_free_func((GDestroyNotify)allow_free);
    policy->expects = g_ptr_array_new_with_free_func((GDestroyNotify)expect_free);
    policy->rules = g_ptr_array_new_with_free_func((GDestroyNotify)rule_free);
    policy->thresholds = g_array_new(FALSE, FALSE, sizeof(struct threshold));
    policy->windows = g_array_new(FALSE, FALSE, sizeof(struct window));
    policy->signatures = g_array_new(FALSE, FALSE, sizeof(struct signature));
    g_array_set_clear_func(policy->signatures, signature_clear);
    policy->part_fields = g_ptr_array_new_with_free_func(g_free);
    return policy;
}

static void policy_free(struct policy *policy)
{
    g_free(policy->path);
    g_free(policy->text);
    g_free(policy->digest);
    g_ptr_array_unref(policy->allows);
    g_ptr_array_unref(policy->statements);
    g_ptr_array_unref(policy->expects);
    g_ptr_array_unref(policy->rules);
    expression_free(policy->outbound);
    item_free(policy->contact);
    action_clear(&policy->fallback);
    g_array_unref(policy->thresholds);
    g_array_unref(policy->windows);
    g_array_unref(policy->signatures);
    g_ptr_array_unref(policy->part_fields);
    g_free(policy->remember.text);
    classes_free(policy->classes);
    source_free(policy->source);
    if (policy->tables != NULL)
        g_checksum_free(policy->tables);
    g_free(policy);
}

/* The canonical text and the digest, once there are no errors. */
static void seal(struct policy *policy)
{
    const struct suffixes *suffixes = classes_suffixes(policy->classes);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    policy->text = policy_print(policy, false);
    g_checksum_update(sum, (const guchar *)policy->text, (gssize)strlen(policy->text) + 1);
    g_checksum_update(sum, (const guchar *)g_checksum_get_string(policy->tables), -1);
    g_checksum_update(sum, (const guchar *)suffixes_version(suffixes), -1);
    policy->digest = g_strdup(g_checksum_get_string(sum));
}

/* Takes the source, or NULL if it could not be read. */
static struct policy *load(const char *path, struct source *source, unsigned before, unsigned first,
                           struct diags *diags)
{
    struct policy *policy = policy_new(path);

    policy->source = source;
    if (policy->source != NULL) {
        policy_parse(policy, diags);
        policy_resolve(policy, diags);
    }
    diags_sort(diags, first, path);
    if (diags_errors(diags) > before) {
        policy_free(policy);
        return NULL;
    }
    policy_find_thresholds(policy);
    policy_find_windows(policy);
    seal(policy);
    return policy;
}

struct policy *policy_read_kept(const char *text)
{
    auto_free(diags) diags = diags_new();
    struct policy *policy = policy_new("kept");

    policy->source = source_from_memory("kept", text, strlen(text), diags);
    if (policy->source != NULL)
        policy_parse(policy, diags);
    return policy;
}

struct policy *policy_load(const char *path, struct diags *diags)
{
    unsigned before = diags_errors(diags), first = diags_count(diags);
    struct source *source = source_read(path, "a policy", POLICY_SIZE_LIMIT, diags);

    return load(path, source, before, first, diags);
}

struct policy *policy_load_standard(struct diags *diags)
{
    unsigned before = diags_errors(diags), first = diags_count(diags);
    struct source *source = source_read_standard("a policy", POLICY_SIZE_LIMIT, diags);

    return load("-", source, before, first, diags);
}

struct policy *policy_ref(struct policy *policy)
{
    g_atomic_int_inc(&policy->references);
    return policy;
}

void policy_unref(struct policy *policy)
{
    if (g_atomic_int_dec_and_test(&policy->references))
        policy_free(policy);
}

bool policy_is_shared(struct policy *policy)
{
    return g_atomic_int_get(&policy->references) > 1;
}

unsigned policy_assertions(const struct policy *policy)
{
    return policy->expects->len;
}

const char *policy_digest(const struct policy *policy)
{
    return policy->digest;
}

const char *policy_text(const struct policy *policy)
{
    return policy->text;
}

const char *policy_contact(const struct policy *policy)
{
    return policy->contact != NULL ? policy->contact->text : NULL;
}

char *policy_text_with_allows(const struct policy *policy)
{
    return policy_print(policy, true);
}

const char *policy_path(const struct policy *policy)
{
    return policy->path;
}

unsigned policy_class_count(const struct policy *policy)
{
    return classes_count(policy->classes);
}

const char *policy_class_name(const struct policy *policy, unsigned index)
{
    return classes_name(policy->classes, index);
}

unsigned policy_rule_count(const struct policy *policy)
{
    return policy->rules->len;
}

struct rule_facts policy_rule(const struct policy *policy, unsigned index)
{
    const struct rule *rule = g_ptr_array_index(policy->rules, index);

    return (struct rule_facts){
        .name = rule->name->text,
        .line = rule->line,
        .monitor = rule->monitor,
        .disposition = rule->action.disposition,
        .terms = action_terms(&rule->action),
    };
}

struct rule_facts policy_default(const struct policy *policy)
{
    return (struct rule_facts){
        .name = "default",
        .line = policy->fallback_line,
        .disposition = policy->fallback.disposition,
        .terms = action_terms(&policy->fallback),
    };
}

static bool has_test(const struct expression *expression, const char *word)
{
    if (expression->kind == EXPRESSION_TEST)
        return g_str_has_prefix(expression->test->text, word) && !g_ascii_isalpha(expression->test->text[strlen(word)]);
    for (unsigned i = 0; i < expression->parts->len; i++)
        if (has_test(g_ptr_array_index(expression->parts, i), word))
            return true;
    return false;
}

bool policy_rule_tests(const struct policy *policy, unsigned index, const char *word)
{
    const struct rule *rule = g_ptr_array_index(policy->rules, index);

    return has_test(rule->when, word);
}

struct policy_state policy_state(const struct policy *policy)
{
    bool remembers = policy->asks_known || policy->longest > 0;

    struct policy_state needs = {.windows = policy->longest, .remember = remembers ? policy->remember.seconds : 0};

    for (unsigned i = 0; i < policy->rules->len; i++) {
        const struct rule *rule = g_ptr_array_index(policy->rules, i);
        if (rule->action.override.text != NULL && !rule->monitor)
            needs.override = MAX(needs.override, rule->action.override.seconds);
    }
    return needs;
}

bool policy_remembers(const struct policy *policy)
{
    struct policy_state needs = policy_state(policy);
    return needs.windows > 0 || needs.remember > 0 || needs.override > 0;
}

bool policy_asks_body(const struct policy *policy)
{
    return policy->asks_body;
}

const GPtrArray *policy_part_fields(const struct policy *policy)
{
    return policy->part_fields;
}

unsigned policy_threshold_count(const struct policy *policy)
{
    return policy->thresholds->len;
}

const struct threshold *policy_threshold(const struct policy *policy, unsigned index)
{
    return &g_array_index(policy->thresholds, struct threshold, index);
}
