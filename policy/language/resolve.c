/*
 * resolve - gives the parsed tree its meaning: names become classes, files
 * become tables, patterns and texts are compiled.  See language.h.
 */

#include "policy/address/address.h"
#include "policy/base/source.h"
#include "policy/base/suggest.h"
#include "policy/syntax/ast.h"

#include <string.h>

struct resolver {
    struct policy *policy;
    struct diags *diags;
    GHashTable *names;         /* char * -> struct item *: classes and rules share one name space */
    GHashTable *class_indexes; /* char * -> index */
    GPtrArray *class_names;    /* for "did you mean"; ends with NULL */
    struct table *domains;
};

static void G_GNUC_PRINTF(3, 4) fail(struct resolver *resolver, size_t offset, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    source_diag_list(resolver->policy->source, offset, resolver->diags, DIAG_ERROR, format, arguments);
    va_end(arguments);
}

/* ---- files beside the policy */

char *policy_beside(const struct policy *policy, const char *file)
{
    g_autofree char *folder = NULL;

    if (g_path_is_absolute(file))
        return g_strdup(file);
    folder = g_path_get_dirname(policy->path);
    return strcmp(folder, ".") == 0 && strncmp(policy->path, "./", 2) != 0 ? g_strdup(file)
                                                                           : g_build_filename(folder, file, NULL);
}

static void read_table(struct resolver *resolver, struct table *table, const struct item *file, unsigned value)
{
    g_autofree char *path = policy_beside(resolver->policy, file->text);
    auto_free(diags) troubles = diags_new();
    auto_free(source) source = source_read(path, "a table with one item a line", TABLE_SIZE_LIMIT, troubles);

    if (source != NULL) {
        table_add_source(table, source, value, resolver->diags);
        g_checksum_update(resolver->policy->tables, (const guchar *)file->text, (gssize)strlen(file->text) + 1);
        g_checksum_update(resolver->policy->tables, (const guchar *)source->text, (gssize)source->length + 1);
    } else if (diags_get(troubles, 0)->line > 0) {
        diags_move(resolver->diags, troubles);
    } else {
        /* Where the file is named is where it is mended. */
        fail(resolver, file->offset, "%s %s", path, diags_get(troubles, 0)->message);
    }
}

size_t policy_pattern_offset(const struct policy *policy, const struct item *item, size_t index)
{
    const char *raw = policy->source->text + item->offset + 1;
    const char *p = raw;

    for (size_t i = 0; i < index; i++)
        p += p[0] == '\\' && p[1] == '/' ? 2 : 1;
    return item->offset + 1 + (size_t)(p - raw);
}

static struct pattern *compile(struct resolver *resolver, const struct item *item)
{
    g_autofree char *message = NULL;
    size_t offset;
    struct pattern *pattern = pattern_compile(item->text, &offset, &message);

    if (pattern == NULL)
        fail(resolver, policy_pattern_offset(resolver->policy, item, offset), "in this regular expression: %s",
             message);
    return pattern;
}

/* ---- names */

static void declare(struct resolver *resolver, struct item *name)
{
    const struct item *first = g_hash_table_lookup(resolver->names, name->text);

    if (first != NULL)
        fail(resolver, name->offset, "the name `%s` is taken; first in line %u", name->text,
             source_line(resolver->policy->source, first->offset));
    else
        g_hash_table_insert(resolver->names, name->text, name);
}

bool policy_find_class(const struct policy *policy, const char *name, class_mask *mask)
{
    const struct classes *classes = policy->classes;
    bool all = strcmp(name, "all") == 0, external = strcmp(name, "external") == 0;

    *mask = all ? CLASS_ALL : external ? CLASS_EXTERNAL : 0;
    for (unsigned i = 0; i < classes_count(classes); i++) {
        if (strcmp(classes_name(classes, i), name) == 0)
            *mask = (class_mask)1 << i;
        /* Domains of a `separate` class are internal or other, as the sender is. */
        else if (external && classes_separate(classes, i))
            *mask &= ~((class_mask)1 << i);
    }
    return *mask != 0;
}

static const char *const *class_candidates(const struct resolver *resolver)
{
    return (const char *const *)resolver->class_names->pdata;
}

static class_mask resolve_class(struct resolver *resolver, const struct item *name)
{
    class_mask mask = 0;
    const char *nearest;

    if (policy_find_class(resolver->policy, name->text, &mask))
        return mask;
    nearest = diag_nearest(name->text, class_candidates(resolver));
    if (nearest != NULL)
        fail(resolver, name->offset, "there is no class `%s`; did you mean `%s`?", name->text, nearest);
    else if (!resolver->policy->names_lost)
        fail(resolver, name->offset, "there is no class `%s`", name->text);
    return 0;
}

static void resolve_class_names(struct resolver *resolver, struct test *test)
{
    for (unsigned i = 0; i < test->classes->len; i++)
        test->mask |= resolve_class(resolver, g_ptr_array_index(test->classes, i));
}

/* ---- classes */

static void add_domain(struct resolver *resolver, const struct item *item, unsigned index)
{
    g_autofree char *wrong = table_add(resolver->domains, item->text, index);

    if (wrong != NULL)
        fail(resolver, item->offset, "%s", wrong);
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
            read_table(resolver, resolver->domains, entry->item, index);
            break;
        case CLASS_MATCH:
            pattern = compile(resolver, entry->item);
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
    g_ptr_array_add(resolver->class_names, class->name->text);
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

bool policy_class_is_separate(const struct policy *policy, const char *name)
{
    const struct class_statement *class = find_statement(policy, name);

    return class != NULL && class->separate;
}

static void resolve_classes(struct resolver *resolver)
{
    struct policy *policy = resolver->policy;
    const struct class_statement *internal = find_statement(policy, "internal");

    classes_add(policy->classes, "internal", internal != NULL && internal->individuals, false);
    classes_add(policy->classes, "other", false, false);
    g_hash_table_insert(resolver->class_indexes, (gpointer) "other", GUINT_TO_POINTER(CLASS_OTHER));
    g_ptr_array_add(resolver->class_names, (gpointer) "external");
    g_ptr_array_add(resolver->class_names, (gpointer) "other");
    g_ptr_array_add(resolver->class_names, (gpointer) "all");
    for (unsigned i = 0; i < policy->statements->len; i++) {
        const struct class_statement *class = g_ptr_array_index(policy->statements, i);
        declare(resolver, class->name);
        if (is_reserved(class->name->text))
            fail(resolver, class->name->offset, "`%s` has a meaning of its own; choose another name for this class",
                 class->name->text);
        else if (classes_count(policy->classes) >= CLASS_LIMIT && class != internal)
            fail(resolver, class->name->offset, "a policy has at most %d classes", CLASS_LIMIT - 2);
        else
            add_class(resolver, class);
    }
    g_ptr_array_add(resolver->class_names, NULL);
    if (internal == NULL && !policy->names_lost)
        fail(resolver, 0, "expected a class `internal`, such as `class internal { domain \"corp.example\" }`");
    else if (internal != NULL && internal->separate)
        fail(resolver, internal->name->offset,
             "`internal` cannot be `separate`; give the tenants a class of their own");
    for (unsigned i = 0; i < policy->statements->len; i++) {
        const struct class_statement *class = g_ptr_array_index(policy->statements, i);
        gpointer index;
        if (g_hash_table_lookup_extended(resolver->class_indexes, class->name->text, NULL, &index))
            fill_class(resolver, class, GPOINTER_TO_UINT(index));
    }
}

/* ---- tests */

static void resolve_count(struct resolver *resolver, struct test *test)
{
    resolve_class_names(resolver, test);
    for (unsigned i = 0; i < test->classes->len; i++) {
        const struct item *name = g_ptr_array_index(test->classes, i);
        if (policy_class_is_separate(resolver->policy, name->text))
            fail(resolver, name->offset, POLICY_SEPARATE_COUNT, name->text);
    }
}

static enum table_kind kind_of(enum subject subject)
{
    switch (subject) {
    case SUBJECT_SENDER:
    case SUBJECT_FROM:
        return TABLE_MAILBOXES;
    case SUBJECT_CLIENT:
        return TABLE_NETWORKS;
    case SUBJECT_USER:
    case SUBJECT_LISTENER:
        break;
    }
    return TABLE_WORDS;
}

static void add_item(struct resolver *resolver, struct table *table, const struct item *item)
{
    g_autofree char *wrong = table_add(table, item->text, 0);

    if (wrong != NULL)
        fail(resolver, item->offset, "%s", wrong);
}

static void resolve_subject(struct resolver *resolver, struct test *test)
{
    enum table_kind kind = kind_of(test->subject);

    switch (test->relation) {
    case RELATION_PRESENT:
        break;
    case RELATION_MATCHES:
        test->pattern = compile(resolver, test->operand);
        break;
    case RELATION_EQUALS:
        test->table = table_new(kind);
        if (kind == TABLE_MAILBOXES && test->operand->text[0] != '\0' && strchr(test->operand->text, '@') == NULL)
            fail(resolver, test->operand->offset, "expected an address, or `in` before a domain");
        else if (kind == TABLE_NETWORKS && strchr(test->operand->text, '/') != NULL)
            fail(resolver, test->operand->offset, "expected an IP address, or `in` before a network");
        else
            add_item(resolver, test->table, test->operand);
        break;
    case RELATION_IN_CLASSES:
        resolve_class_names(resolver, test);
        if (test->subject == SUBJECT_CLIENT)
            fail(resolver, test->offset,
                 "`client` has no class; expected networks in double quotes, or `from` and a file");
        if (test->subject == SUBJECT_LISTENER)
            fail(resolver, test->offset,
                 "`listener` has no class; expected names in double quotes, or `from` and a file");
        break;
    case RELATION_IN_TABLE:
        test->table = table_new(kind);
        if (test->items == NULL)
            read_table(resolver, test->table, test->operand, 0);
        for (unsigned i = 0; test->items != NULL && i < test->items->len; i++)
            add_item(resolver, test->table, g_ptr_array_index(test->items, i));
        break;
    }
}

/* RFC 5322 section 3.6.8: printable ASCII but the colon. */
static bool is_field_name(const char *name)
{
    if (name[0] == '\0')
        return false;
    for (; *name != '\0'; name++)
        if (*name <= 0x20 || *name >= 0x7f || *name == ':')
            return false;
    return true;
}

static void resolve_header(struct resolver *resolver, struct test *test)
{
    if (!is_field_name(test->header->text))
        fail(resolver, test->header->offset,
             "expected the name of a header field, such as \"List-Id\", without a colon");
    if (test->relation == RELATION_MATCHES)
        test->pattern = compile(resolver, test->operand);
    else if (test->relation == RELATION_EQUALS)
        test->value = g_utf8_casefold(test->operand->text, -1);
}

/* `at_mail`: the test is made at MAIL FROM, when headers and recipients are not there yet. */
static void resolve_expression(struct resolver *resolver, struct expression *expression, bool at_mail)
{
    struct test *test = expression->test;

    if (test == NULL) {
        for (unsigned i = 0; i < expression->parts->len; i++)
            resolve_expression(resolver, g_ptr_array_index(expression->parts, i), at_mail);
        return;
    }
    switch (test->kind) {
    case TEST_FLAG:
        break;
    case TEST_COUNT:
        resolve_count(resolver, test);
        break;
    case TEST_SUBJECT:
        resolve_subject(resolver, test);
        break;
    case TEST_HEADER:
        resolve_header(resolver, test);
        break;
    }
    test->text = test_print(test);
    if (at_mail && (test->kind == TEST_COUNT || test->kind == TEST_HEADER ||
                    (test->kind == TEST_SUBJECT && test->subject == SUBJECT_FROM) ||
                    (test->kind == TEST_FLAG && test->flag != FLAG_AUTHENTICATED && test->flag != FLAG_LOCAL)))
        fail(resolver, test->offset,
             "`outbound` is decided at MAIL FROM; expected `authenticated`, `local`, `client`, `listener`, `user` or "
             "`sender`");
}

static void resolve_action(struct resolver *resolver, struct action *action)
{
    if (action->text == NULL)
        return;
    if (action->text->text[strspn(action->text->text, " ")] == '\0')
        fail(resolver, action->text->offset, "an empty text; expected words that tell a person what happened");
    action->template = text_parse(action->text->text, resolver->policy, action->text->offset,
                                  class_candidates(resolver), resolver->diags);
}

static void resolve_rules(struct resolver *resolver)
{
    struct policy *policy = resolver->policy;

    for (unsigned i = 0; i < policy->rules->len; i++) {
        struct rule *rule = g_ptr_array_index(policy->rules, i);
        declare(resolver, rule->name);
        if (is_reserved(rule->name->text))
            fail(resolver, rule->name->offset, "`%s` is the name of classes; choose another name for this rule",
                 rule->name->text);
        if (rule->when != NULL)
            resolve_expression(resolver, rule->when, false);
        resolve_action(resolver, &rule->action);
    }
    resolve_action(resolver, &policy->fallback);
}

/* ---- assertions */

static void check_address(struct resolver *resolver, const struct item *item, bool may_be_null)
{
    auto_free(table) table = NULL;
    g_autofree char *wrong = NULL;
    g_autofree char *numbered = NULL;
    g_auto(GStrv) pieces = NULL;

    if (item == NULL || (may_be_null && item->text[0] == '\0'))
        return;
    pieces = g_strsplit(item->text, "{n}", -1);
    numbered = g_strjoinv("1", pieces);
    if (strchr(numbered, '@') == NULL || strpbrk(numbered, "{}") != NULL) {
        fail(resolver, item->offset, "expected an address, such as \"ann@corp.example\" or \"c{n}@mail{n}.example\"");
        return;
    }
    table = table_new(TABLE_MAILBOXES);
    wrong = table_add(table, numbered, 0);
    if (wrong != NULL)
        fail(resolver, item->offset, "%s", wrong);
}

static void check_people(struct resolver *resolver, const GPtrArray *people)
{
    for (unsigned i = 0; people != NULL && i < people->len; i++) {
        const struct people *some = g_ptr_array_index(people, i);
        check_address(resolver, some->address, false);
    }
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
    g_autoptr(GPtrArray) names = NULL;
    const char *nearest;

    if (name == NULL || is_rule(policy, name->text))
        return;
    names = g_ptr_array_new();
    for (unsigned i = 0; i < policy->rules->len; i++)
        g_ptr_array_add(names, ((const struct rule *)g_ptr_array_index(policy->rules, i))->name->text);
    g_ptr_array_add(names, (gpointer) "default");
    g_ptr_array_add(names, NULL);
    nearest = diag_nearest(name->text, (const char *const *)names->pdata);
    if (nearest != NULL)
        fail(resolver, name->offset, "there is no rule `%s`; did you mean `%s`?", name->text, nearest);
    else if (!policy->names_lost)
        fail(resolver, name->offset, "there is no rule `%s`", name->text);
}

static void check_client(struct resolver *resolver, const struct item *client)
{
    GInetAddress *address;

    if (client == NULL)
        return;
    address = g_inet_address_new_from_string(client->text);
    if (address == NULL)
        fail(resolver, client->offset, "expected an IP address, such as \"192.0.2.1\"");
    else
        g_object_unref(address);
}

static void resolve_expects(struct resolver *resolver)
{
    struct policy *policy = resolver->policy;

    for (unsigned i = 0; i < policy->expects->len; i++) {
        const struct expect *expect = g_ptr_array_index(policy->expects, i);
        if (expect->class_name != NULL)
            resolve_class(resolver, expect->class_name);
        if (expect->domain != NULL) {
            g_autofree char *domain = domain_normalise(expect->domain->text, strlen(expect->domain->text));
            if (!domain_is_name(domain) && !domain_is_literal(domain))
                fail(resolver, expect->domain->offset, "expected a domain, such as \"mail.corp.example\"");
        }
        check_client(resolver, expect->client);
        check_address(resolver, expect->sender, true);
        check_people(resolver, expect->to);
        check_people(resolver, expect->bcc);
        check_rule(resolver, expect->rule);
    }
}

void policy_seal(struct policy *policy)
{
    const struct suffixes *suffixes = classes_suffixes(policy->classes);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);

    policy->text = policy_print(policy);
    g_checksum_update(sum, (const guchar *)policy->text, (gssize)strlen(policy->text) + 1);
    g_checksum_update(sum, (const guchar *)g_checksum_get_string(policy->tables), -1);
    g_checksum_update(sum, (const guchar *)suffixes_version(suffixes), -1);
    policy->digest = g_strdup(g_checksum_get_string(sum));
    g_checksum_free(sum);
}

void policy_resolve(struct policy *policy, struct diags *diags)
{
    struct resolver resolver = {
        .policy = policy,
        .diags = diags,
        .names = g_hash_table_new(g_str_hash, g_str_equal),
        .class_indexes = g_hash_table_new(g_str_hash, g_str_equal),
        .class_names = g_ptr_array_new(),
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
    g_ptr_array_unref(resolver.class_names);
}
