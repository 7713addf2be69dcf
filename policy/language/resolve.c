/* resolve - see resolve.h */

#include "policy/language/resolve.h"

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/base/suggest.h"
#include "policy/conditions/condition_count.h"
#include "policy/conditions/condition_header.h"
#include "policy/conditions/condition_inside.h"
#include "policy/conditions/condition_window.h"
#include "policy/syntax/resolve_context.h"
#include "policy/syntax/template.h"

#include <gio/gio.h>
#include <string.h>

/* ---- names */

static void declare(struct resolver *resolver, struct item *name)
{
    const struct item *first = g_hash_table_lookup(resolver->names, name->text);

    if (first != NULL)
        resolver_fail(resolver, name->offset, "the name `%s` is taken; first in line %u", name->text,
                      source_line(resolver->policy->source, first->offset));
    else
        g_hash_table_insert(resolver->names, name->text, name);
}

/* ---- classes */

static void add_domain(struct resolver *resolver, const struct item *item, unsigned index)
{
    g_autofree char *wrong = table_add(resolver->domains, item->text, index);

    if (wrong != NULL)
        resolver_fail(resolver, item->offset, "%s", wrong);
}

static void fill_class(struct resolver *resolver, const struct class_statement *class, unsigned index)
{
    for (unsigned i = 0; i < class->items->len; i++) {
        const struct class_item *entry = g_ptr_array_index(class->items, i);
        struct pattern *pattern;
        switch (entry->kind) {
        case CLASS_DOMAIN:
            add_domain(resolver, entry->item, index);
            break;
        case CLASS_DOMAINS_FROM:
            resolver_read_table(resolver, resolver->domains, entry->item, index);
            break;
        case CLASS_MATCH:
            pattern = resolver_compile(resolver, entry->item);
            if (pattern != NULL)
                classes_add_pattern(resolver->policy->classes, index, pattern);
            break;
        }
    }
}

static bool is_reserved(const char *name)
{
    return strcmp(name, "external") == 0 || strcmp(name, "other") == 0 || strcmp(name, "all") == 0;
}

static void add_class(struct resolver *resolver, const struct class_statement *class)
{
    struct classes *classes = resolver->policy->classes;
    unsigned index;

    if (strcmp(class->name->text, "internal") == 0)
        index = CLASS_INTERNAL;
    else
        index = classes_add(classes, class->name->text, class->individuals, class->separate);
    g_hash_table_insert(resolver->class_indexes, class->name->text, GUINT_TO_POINTER(index));
    g_ptr_array_add(resolver->candidates, class->name->text);
}

static const struct class_statement *find_statement(const struct policy *policy, const char *name)
{
    for (unsigned i = 0; i < policy->statements->len; i++) {
        const struct class_statement *class = g_ptr_array_index(policy->statements, i);
        if (strcmp(class->name->text, name) == 0)
            return class;
    }
    return NULL;
}

static void resolve_classes(struct resolver *resolver)
{
    struct policy *policy = resolver->policy;
    const struct class_statement *internal = find_statement(policy, "internal");

    classes_add(policy->classes, "internal", internal != NULL && internal->individuals, false);
    classes_add(policy->classes, "other", false, false);
    g_hash_table_insert(resolver->class_indexes, (gpointer) "other", GUINT_TO_POINTER(CLASS_OTHER));
    g_ptr_array_add(resolver->candidates, (gpointer) "external");
    g_ptr_array_add(resolver->candidates, (gpointer) "other");
    g_ptr_array_add(resolver->candidates, (gpointer) "all");
    for (unsigned i = 0; i < policy->statements->len; i++) {
        const struct class_statement *class = g_ptr_array_index(policy->statements, i);
        declare(resolver, class->name);
        if (is_reserved(class->name->text))
            resolver_fail(resolver, class->name->offset,
                          "`%s` has a special meaning; choose another name for this class", class->name->text);
        else if (classes_count(policy->classes) >= CLASS_LIMIT && class != internal)
            resolver_fail(resolver, class->name->offset, "a policy has at most %d classes", CLASS_LIMIT - 2);
        else
            add_class(resolver, class);
    }
    g_ptr_array_add(resolver->candidates, NULL);
    resolver->class_names = (struct class_names){
        .classes = policy->classes,
        .candidates = (const char *const *)resolver->candidates->pdata,
        .names_lost = policy->names_lost,
    };
    if (internal == NULL && !policy->names_lost)
        resolver_fail(resolver, 0, "expected a class `internal`, such as `class internal { domain \"corp.example\" }`");
    else if (internal != NULL && internal->separate)
        resolver_fail(resolver, internal->name->offset,
                      "`internal` cannot be `separate`; give the tenants a class of their own");
    for (unsigned i = 0; i < policy->statements->len; i++) {
        const struct class_statement *class = g_ptr_array_index(policy->statements, i);
        gpointer index;
        if (g_hash_table_lookup_extended(resolver->class_indexes, class->name->text, NULL, &index))
            fill_class(resolver, class, GPOINTER_TO_UINT(index));
    }
}

/* ---- tests */

/* `at_mail`: the test is made at MAIL FROM, when headers and recipients are not there yet. */
static void resolve_expression(struct resolver *resolver, struct expression *expression, bool at_mail)
{
    struct test *test = expression->test;

    if (test == NULL) {
        for (unsigned i = 0; i < expression->parts->len; i++)
            resolve_expression(resolver, g_ptr_array_index(expression->parts, i), at_mail);
        return;
    }
    if (test->kind->resolve != NULL)
        test->kind->resolve(resolver, test);
    test->text = test_print(test);
    if (at_mail && (test->kind->at_mail == NULL || !test->kind->at_mail(test)))
        resolver_fail(
            resolver, test->offset,
            "`outbound` is decided at MAIL FROM; expected `authenticated`, `local`, `client`, `listener`, `user` or "
            "`sender`");
}

/* `when` is NULL of `default`, and after an error in a rule. */
static void resolve_action(struct resolver *resolver, struct action *action, const struct expression *when, bool rule)
{
    struct template_scope scope = {
        .source = resolver->policy->source,
        .class_names = &resolver->class_names,
        .has_contact = resolver->policy->contact != NULL,
        .has_count = rule && (when == NULL || expression_first_count(when) != NULL),
        .has_window = rule && (when == NULL || expression_first_window(when) != NULL),
        .has_inside = rule && (when == NULL || expression_first_inside(when) != NULL),
        .has_override = action->override.text != NULL,
    };

    if (action->text == NULL)
        return;
    if (action->text->text[strspn(action->text->text, " ")] == '\0')
        resolver_fail(resolver, action->text->offset, "an empty text; expected words that tell a person what happened");
    action->template = text_parse(action->text->text, &scope, action->text->offset, resolver->diags);
    if (!scope.has_override)
        return;
    if (!rule)
        resolver_fail(resolver, action->override.offset,
                      "`override` skips one rule, and `default` is none; give this refusal a rule");
    else if (action->template != NULL && !text_names_override(action->template))
        resolver_fail(resolver, action->override.offset,
                      "`override` needs `{override}` in the text: the address that the sender adds in Bcc");
}

static void resolve_rules(struct resolver *resolver)
{
    struct policy *policy = resolver->policy;

    for (unsigned i = 0; i < policy->rules->len; i++) {
        struct rule *rule = g_ptr_array_index(policy->rules, i);
        declare(resolver, rule->name);
        if (is_reserved(rule->name->text))
            resolver_fail(resolver, rule->name->offset,
                          "`%s` is the name of classes; choose another name for this rule", rule->name->text);
        if (rule->when != NULL)
            resolve_expression(resolver, rule->when, false);
        resolve_action(resolver, &rule->action, rule->when, true);
    }
    resolve_action(resolver, &policy->fallback, NULL, false);
}

/* ---- assertions */

static void check_address(struct resolver *resolver, const struct item *item, bool may_be_null)
{
    if (item == NULL || (may_be_null && item->text[0] == '\0'))
        return;
    g_auto(GStrv) pieces = g_strsplit(item->text, "{n}", -1);
    g_autofree char *numbered = g_strjoinv("1", pieces);
    if (strchr(numbered, '@') == NULL || strpbrk(numbered, "{}") != NULL) {
        resolver_fail(resolver, item->offset,
                      "expected an address, such as \"ann@corp.example\" or \"c{n}@mail{n}.example\"");
        return;
    }
    auto_free(table) table = table_new(TABLE_MAILBOXES);
    g_autofree char *wrong = table_add(table, numbered, 0);
    if (wrong != NULL)
        resolver_fail(resolver, item->offset, "%s", wrong);
}

static void check_people(struct resolver *resolver, const GPtrArray *people)
{
    for (unsigned i = 0; people != NULL && i < people->len; i++) {
        const struct people *some = g_ptr_array_index(people, i);
        check_address(resolver, some->address, false);
    }
}

/* Recipients of all messages of a series, so that an assertion takes a bounded time. */
#define SERIES_RECIPIENTS 100000u

static unsigned count_people(const GPtrArray *people)
{
    unsigned count = 0;

    for (unsigned i = 0; people != NULL && i < people->len; i++)
        count += ((const struct people *)g_ptr_array_index(people, i))->count;
    return count;
}

static void check_series(struct resolver *resolver, const struct expect *expect)
{
    guint64 each = (guint64)count_people(expect->to) + count_people(expect->bcc);

    if (expect->messages * each > SERIES_RECIPIENTS)
        resolver_fail(resolver, expect->offset, "the messages of this expectation have more than %u recipients",
                      SERIES_RECIPIENTS);
    if (expect->known && resolver->policy->remember.text == NULL && !resolver->policy->names_lost)
        resolver_fail(resolver, expect->offset, "`known` needs a statement such as `remember 90d`");
}

static bool is_rule(const struct policy *policy, const char *name)
{
    for (unsigned i = 0; i < policy->rules->len; i++) {
        const struct rule *rule = g_ptr_array_index(policy->rules, i);
        if (strcmp(rule->name->text, name) == 0)
            return true;
    }
    return strcmp(name, "default") == 0;
}

static void check_rule(struct resolver *resolver, const struct item *name)
{
    struct policy *policy = resolver->policy;

    if (name == NULL || is_rule(policy, name->text))
        return;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (unsigned i = 0; i < policy->rules->len; i++)
        g_ptr_array_add(names, ((const struct rule *)g_ptr_array_index(policy->rules, i))->name->text);
    g_ptr_array_add(names, (gpointer) "default");
    g_ptr_array_add(names, NULL);
    const char *nearest = diag_nearest(name->text, (const char *const *)names->pdata);
    if (nearest != NULL)
        resolver_fail(resolver, name->offset, "there is no rule `%s`; did you mean `%s`?", name->text, nearest);
    else if (!policy->names_lost)
        resolver_fail(resolver, name->offset, "there is no rule `%s`", name->text);
}

static void check_client(struct resolver *resolver, const struct item *client)
{
    if (client == NULL)
        return;
    GInetAddress *address = g_inet_address_new_from_string(client->text);
    if (address == NULL)
        resolver_fail(resolver, client->offset, "expected an IP address, such as \"192.0.2.1\"");
    else
        g_object_unref(address);
}

static void resolve_expects(struct resolver *resolver)
{
    struct policy *policy = resolver->policy;

    for (unsigned i = 0; i < policy->expects->len; i++) {
        const struct expect *expect = g_ptr_array_index(policy->expects, i);
        if (expect->class_name != NULL)
            resolver_class(resolver, expect->class_name, false);
        if (expect->domain != NULL) {
            g_autofree char *domain = domain_normalise(expect->domain->text, strlen(expect->domain->text));
            if (!domain_is_name(domain) && !domain_is_literal(domain))
                resolver_fail(resolver, expect->domain->offset, "expected a domain, such as \"mail.corp.example\"");
        }
        check_client(resolver, expect->client);
        check_address(resolver, expect->sender, true);
        check_people(resolver, expect->to);
        check_people(resolver, expect->bcc);
        for (unsigned j = 0; expect->fields != NULL && j < expect->fields->len; j++) {
            const struct expect_field *field = g_ptr_array_index(expect->fields, j);
            if (field->name != NULL)
                header_name_check(resolver, field->name);
        }
        check_rule(resolver, expect->rule);
        check_series(resolver, expect);
    }
}

void policy_resolve(struct policy *policy, struct diags *diags)
{
    struct resolver resolver = {
        .policy = policy,
        .diags = diags,
        .names = g_hash_table_new(g_str_hash, g_str_equal),
        .class_indexes = g_hash_table_new(g_str_hash, g_str_equal),
        .candidates = g_ptr_array_new(),
        .domains = table_new(TABLE_DOMAINS),
    };

    policy->classes = classes_new(suffixes_open(), resolver.domains);
    policy->tables = g_checksum_new(G_CHECKSUM_SHA256);
    resolve_classes(&resolver);
    if (policy->outbound != NULL)
        resolve_expression(&resolver, policy->outbound, true);
    resolve_rules(&resolver);
    resolve_expects(&resolver);
    g_hash_table_unref(resolver.names);
    g_hash_table_unref(resolver.class_indexes);
    g_ptr_array_unref(resolver.candidates);
}
