/* condition_subject - see condition_subject.h */

#include "policy/conditions/condition_subject.h"

#include "policy/address/address.h"
#include "policy/base/suggest.h"
#include "policy/conditions/condition_flag.h"
#include "policy/message/recipients.h"
#include "policy/syntax/vocabulary.h"

#include <string.h>

/* Larger sets are compared with nothing. */
#define SET_LIMIT 64u

/* In the order of enum subject. */
static const char *const subject_words[] = {"sender", "from", "user", "client", "listener", NULL};

const struct subject_test *subject_test_of(const struct test *test)
{
    return test != NULL && test->kind == &condition_subject ? (const struct subject_test *)test : NULL;
}

bool subject_is_address(enum subject subject)
{
    return subject == SUBJECT_SENDER || subject == SUBJECT_FROM;
}

/* ---- parsed */

/* Names of classes; but `in form "x"` is a table whose `from` is misspelt. */
static bool parse_class_set(struct parser *parser, struct subject_test *test)
{
    const char *const words[] = {"from", NULL};
    size_t offset = parser->token.offset;

    test->comparison.relation = RELATION_IN_CLASSES;
    test->classes = condition_parse_classes(parser);
    if (test->classes == NULL)
        return false;
    if (parser_is(parser, TOKEN_STRING) && test->classes->len == 1) {
        const struct item *name = g_ptr_array_index(test->classes, 0);
        bool near = diag_nearest(name->text, words) != NULL;
        return parser_fail_at(parser, offset,
                              "expected the names of classes, or `from` and a file, not `%s` and a string%s",
                              name->text, near ? "; did you mean `from`?" : "");
    }
    return true;
}

/* What follows `in`. */
static bool parse_set(struct parser *parser, struct subject_test *test)
{
    if (parser_skip_word(parser, "from")) {
        test->comparison.relation = RELATION_IN_TABLE;
        return parser_take_string(parser, "the name of a table's file", &test->comparison.operand);
    }
    if (parser_is(parser, TOKEN_STRING)) {
        test->comparison.relation = RELATION_IN_TABLE;
        test->items = condition_parse_strings(parser, "a string");
        return test->items != NULL;
    }
    if (parser_is(parser, TOKEN_NAME) && language_word(language_keywords, parser->token.value) < 0)
        return parse_class_set(parser, test);
    return parser_fail_expected(parser, "the name of a class, a string, or `from` and a file", NULL);
}

/* Whether `contains` can be asked of it. */
static bool has_words(enum subject subject)
{
    return subject_is_address(subject) || subject == SUBJECT_USER;
}

static bool parse(struct parser *parser, struct test *test, unsigned word)
{
    struct subject_test *subject = (struct subject_test *)test;

    subject->subject = (enum subject)word;
    if (!text_comparison_parse(parser, &subject->comparison))
        return false;
    if (subject->comparison.relation != RELATION_PRESENT)
        return true;
    if (parser_skip_word(parser, "in"))
        return parse_set(parser, subject);
    if (has_words(subject->subject))
        parser_fail_expected(parser, "`=`, `=~`, `in` or `contains`", (const char *const[]){"in", "contains", NULL});
    else
        parser_fail_expected(parser, "`=`, `=~` or `in`", (const char *const[]){"in", NULL});
    return false;
}

/* ---- resolved and printed */

static enum table_kind table_kind_of(enum subject subject)
{
    if (subject == SUBJECT_CLIENT)
        return TABLE_NETWORKS;
    return subject_is_address(subject) ? TABLE_MAILBOXES : TABLE_WORDS;
}

static void add_item(struct resolver *resolver, struct table *table, const struct item *item)
{
    g_autofree char *wrong = table_add(table, item->text, 0);

    if (wrong != NULL)
        resolver_fail(resolver, item->offset, "%s", wrong);
}

static void resolve_equals(struct resolver *resolver, struct subject_test *test)
{
    const struct item *operand = test->comparison.operand;
    enum table_kind kind = table_kind_of(test->subject);

    test->table = table_new(kind == TABLE_MAILBOXES ? TABLE_ADDRESSES : kind);
    if (kind == TABLE_MAILBOXES && operand->text[0] != '\0' && strchr(operand->text, '@') == NULL)
        resolver_fail(resolver, operand->offset, "expected an address, or `in` before a domain");
    else if (kind == TABLE_NETWORKS && strchr(operand->text, '/') != NULL)
        resolver_fail(resolver, operand->offset, "expected an IP address, or `in` before a network");
    else
        add_item(resolver, test->table, operand);
}

static void resolve_in_classes(struct resolver *resolver, struct subject_test *test)
{
    test->mask = condition_resolve_classes(resolver, test->classes);
    if (test->subject == SUBJECT_CLIENT)
        resolver_fail(resolver, test->test.offset,
                      "`client` has no class; expected networks in double quotes, or `from` and a file");
    if (test->subject == SUBJECT_LISTENER)
        resolver_fail(resolver, test->test.offset,
                      "`listener` has no class; expected names in double quotes, or `from` and a file");
}

static void resolve_in_table(struct resolver *resolver, struct subject_test *test)
{
    test->table = table_new(table_kind_of(test->subject));
    if (test->items == NULL)
        resolver_read_table(resolver, test->table, test->comparison.operand, 0);
    for (unsigned i = 0; test->items != NULL && i < test->items->len; i++)
        add_item(resolver, test->table, g_ptr_array_index(test->items, i));
}

static void resolve(struct resolver *resolver, struct test *test)
{
    struct subject_test *subject = (struct subject_test *)test;

    text_comparison_resolve(resolver, &subject->comparison);
    if (subject->comparison.relation == RELATION_CONTAINS && !has_words(subject->subject))
        resolver_fail(resolver, test->offset,
                      "`%s` is not searched for words; expected `=`, `=~` or `in` (`contains` is for `sender`, `from`, "
                      "`user` and `header`)",
                      subject_words[subject->subject]);
    if (subject->comparison.relation == RELATION_EQUALS)
        resolve_equals(resolver, subject);
    else if (subject->comparison.relation == RELATION_IN_CLASSES)
        resolve_in_classes(resolver, subject);
    else if (subject->comparison.relation == RELATION_IN_TABLE)
        resolve_in_table(resolver, subject);
}

static void print(GString *out, const struct test *test)
{
    const struct subject_test *subject = subject_test_of(test);

    g_string_append(out, subject_words[subject->subject]);
    text_comparison_print(out, &subject->comparison);
    if (subject->comparison.relation == RELATION_IN_CLASSES) {
        g_string_append(out, " in ");
        condition_print_items(out, subject->classes, false);
    } else if (subject->items != NULL) {
        g_string_append(out, " in ");
        condition_print_items(out, subject->items, true);
    } else if (subject->comparison.relation == RELATION_IN_TABLE) {
        g_string_append(out, " in from ");
        lexer_append_string(out, subject->comparison.operand->text);
    }
}

/* ---- evaluated */

/* In its normalised form, and with its domain as people write it. */
static int search_address(struct evaluation *evaluation, const struct subject_test *test, const char *address)
{
    int result = text_comparison_search(evaluation, &test->comparison, address);

    if (result != TEST_NO || strstr(address, "xn--") == NULL)
        return result;
    g_autofree char *display = address_display(address);
    return text_comparison_search(evaluation, &test->comparison, display);
}

static int evaluate_address(struct evaluation *evaluation, const struct subject_test *test, const char *address)
{
    switch (test->comparison.relation) {
    case RELATION_IN_CLASSES:
        return evaluation_in_classes(evaluation, address, test->mask);
    case RELATION_MATCHES:
        return pattern_match(test->comparison.pattern, address, evaluation->budget);
    case RELATION_CONTAINS:
        return search_address(evaluation, test, address);
    default:
        return table_has_mailbox(test->table, address);
    }
}

/* With several authors, a pattern and words need one and everything else all. */
static int evaluate_authors(struct evaluation *evaluation, const struct subject_test *test)
{
    bool one = test->comparison.relation == RELATION_MATCHES || test->comparison.relation == RELATION_CONTAINS;
    int wanted = one ? TEST_YES : TEST_NO;

    if (evaluation->authors == NULL)
        evaluation->authors = recipients_authors(evaluation->message, &evaluation->authors_whole);
    if (!evaluation->authors_whole)
        return TEST_FAULT;
    if (evaluation->authors->len == 0)
        return TEST_NO;
    for (unsigned i = 0; i < evaluation->authors->len; i++) {
        int result = evaluate_address(evaluation, test, g_ptr_array_index(evaluation->authors, i));
        if (result == TEST_FAULT || result == wanted)
            return result;
    }
    return !wanted;
}

static int match_lower(struct evaluation *evaluation, const struct subject_test *test, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    g_autofree char *lower = g_utf8_strdown(valid, -1);

    return pattern_match(test->comparison.pattern, lower, evaluation->budget);
}

static int search_word(struct evaluation *evaluation, const struct subject_test *test, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    return text_comparison_search(evaluation, &test->comparison, valid);
}

/* A login without a domain says nothing of a class. */
static int user_in_classes(struct evaluation *evaluation, const char *user, class_mask mask)
{
    g_autofree char *address = strchr(user, '@') != NULL ? address_normalise_text(user) : NULL;

    return address != NULL ? evaluation_in_classes(evaluation, address, mask) : TEST_NO;
}

/*
 * The name in a login whose realm, after its last `@`, is of class internal: the same person as a login
 * of that name alone.  Not so in a `separate` class, where anyone may have it.  NULL if there is none.
 */
static char *name_of_login(struct classes *classes, const char *login, struct pattern_budget *budget, bool *fault)
{
    const char *at = strrchr(login, '@');
    g_autofree char *realm = at != NULL ? domain_normalise(at + 1, strlen(at + 1)) : NULL;

    *fault = false;
    if (realm == NULL || realm[0] == '\0' || at == login || memchr(login, '@', (size_t)(at - login)) != NULL)
        return NULL;
    auto_free(domain_facts) facts = classes_find(classes, realm, budget);
    bool internal = facts->class_index == CLASS_INTERNAL;
    *fault = facts->fault;
    return internal && !*fault ? g_strndup(login, (gsize)(at - login)) : NULL;
}

/* A string without an `@` also means a login of that name at one's own domains. */
static int has_user(struct evaluation *evaluation, const struct subject_test *test, const char *login)
{
    bool fault;

    if (table_has_word(test->table, login))
        return TEST_YES;
    g_autofree char *valid = g_utf8_make_valid(login, -1);
    g_autofree char *name = name_of_login(evaluation->policy->classes, valid, evaluation->budget, &fault);
    if (fault)
        return TEST_FAULT;
    return name != NULL && table_has_word(test->table, name);
}

/* What the MTA says of a subject that is no address; NULL if it does not say so. */
static const char *word_of(const struct message *message, enum subject subject)
{
    return subject == SUBJECT_USER ? message->user : subject == SUBJECT_CLIENT ? message->client : message->listener;
}

static int evaluate(struct evaluation *evaluation, const struct test *test)
{
    const struct subject_test *subject = (const struct subject_test *)test;

    if (subject->subject == SUBJECT_SENDER)
        return evaluate_address(evaluation, subject, evaluation_sender(evaluation));
    if (subject->subject == SUBJECT_FROM)
        return evaluate_authors(evaluation, subject);
    const char *word = word_of(evaluation->message, subject->subject);
    if (word == NULL)
        return TEST_NO;
    if (subject->comparison.relation == RELATION_MATCHES)
        return match_lower(evaluation, subject, word);
    if (subject->comparison.relation == RELATION_CONTAINS)
        return search_word(evaluation, subject, word);
    if (subject->comparison.relation == RELATION_IN_CLASSES)
        return user_in_classes(evaluation, word, subject->mask);
    if (subject->subject == SUBJECT_CLIENT)
        return table_has_network(subject->table, word);
    if (subject->subject == SUBJECT_USER)
        return has_user(evaluation, subject, word);
    return table_has_word(subject->table, word);
}

bool subject_lists_login(struct evaluation *evaluation, const struct test *test, const char *login)
{
    const struct subject_test *subject = subject_test_of(test);

    return subject != NULL && subject->subject == SUBJECT_USER && subject->table != NULL && login != NULL &&
           has_user(evaluation, subject, login) == TEST_YES;
}

static char *value(struct evaluation *evaluation, const struct test *test)
{
    enum subject subject = subject_test_of(test)->subject;
    const char *word;

    if (subject == SUBJECT_FROM) {
        g_autoptr(GPtrArray) names = recipients_authors(evaluation->message, NULL);
        if (names->len == 0)
            return g_strdup("none");
        g_ptr_array_add(names, NULL);
        return g_strjoinv(", ", (char **)names->pdata);
    }
    if (subject == SUBJECT_SENDER)
        word = evaluation_sender(evaluation)[0] != '\0' ? evaluation_sender(evaluation) : "<>";
    else
        word = word_of(evaluation->message, subject);
    return word == NULL ? g_strdup("none") : g_utf8_make_valid(word, -1);
}

static bool at_mail(const struct test *test)
{
    return subject_test_of(test)->subject != SUBJECT_FROM;
}

/* ---- what follows from it */

static const GPtrArray *classes_of(const struct test *test)
{
    return subject_test_of(test)->classes;
}

static bool has_small_set(const struct subject_test *test)
{
    return test->table != NULL && table_size(test->table) <= SET_LIMIT;
}

/* The class of an item of a set of senders or authors; 0 if it is not known, has several, or is none. */
static class_mask class_of_item(struct classes *classes, const char *item, struct pattern_budget *budget)
{
    const char *at = strrchr(item, '@');
    const char *name = at != NULL ? at + 1 : item;
    g_autofree char *domain = domain_normalise(name, strlen(name));

    /* Below a domain with a leading dot there may be other classes; the null sender has none. */
    if (name[0] == '.' || name[0] == '\0')
        return 0;
    auto_free(domain_facts) found = classes_find(classes, domain, budget);
    bool known = !found->fault && !classes_separate(classes, (unsigned)found->class_index);
    return known ? (class_mask)1 << found->class_index : 0;
}

/* Whether the classes of all that a test lists are known and among these. */
static bool is_listed_within(struct classes *classes, const struct subject_test *test, class_mask mask)
{
    unsigned count = test->items != NULL ? test->items->len : 1;
    bool within = true;

    if (!has_small_set(test) || (test->items == NULL && test->comparison.relation != RELATION_EQUALS) ||
        !subject_is_address(test->subject))
        return false;
    auto_free(pattern_budget) budget = pattern_budget_new();
    for (unsigned i = 0; within && i < count; i++) {
        const struct item *item = test->items != NULL ? g_ptr_array_index(test->items, i) : test->comparison.operand;
        within = (class_of_item(classes, item->text, budget) & mask) != 0;
    }
    return within;
}

/* Logins of one set that are counted if they lie within another. */
struct counted_logins {
    struct classes *classes;
    const struct table *outer;
    struct pattern_budget *budget;
    unsigned within;
};

static void count_login(void *data, const char *login)
{
    struct counted_logins *logins = data;
    bool fault;

    if (table_has_word(logins->outer, login)) {
        logins->within++;
        return;
    }
    g_autofree char *name = name_of_login(logins->classes, login, logins->budget, &fault);
    logins->within += name != NULL && table_has_word(logins->outer, name);
}

/* As table_within, which does not know that logins have realms. */
static unsigned set_within(struct classes *classes, const struct subject_test *inner, const struct subject_test *outer)
{
    auto_free(pattern_budget) budget = pattern_budget_new();
    struct counted_logins logins = {.classes = classes, .outer = outer->table, .budget = budget};

    if (inner->subject != SUBJECT_USER)
        return table_within(inner->table, outer->table);
    table_each_name(inner->table, count_login, &logins);
    return logins.within;
}

static bool implies(struct classes *classes, const struct test *first, const struct test *second)
{
    const struct subject_test *one = subject_test_of(first), *other = subject_test_of(second);

    if (one->subject == SUBJECT_USER && condition_is_authenticated(second))
        return true;
    if (other == NULL || one->subject != other->subject)
        return false;
    if (one->classes != NULL && other->classes != NULL)
        return (one->mask & ~other->mask) == 0;
    if (has_small_set(one) && has_small_set(other))
        return set_within(classes, one, other) == table_size(one->table);
    return other->classes != NULL && is_listed_within(classes, one, other->mask);
}

/* Of several authors, all have to be in a set. */
static bool excludes(struct classes *classes, const struct test *first, const struct test *second)
{
    const struct subject_test *one = subject_test_of(first), *other = subject_test_of(second);

    if (other == NULL || one->subject != other->subject)
        return false;
    if (one->classes != NULL && other->classes != NULL)
        /* Who is of a `separate` class is internal or other besides. */
        return (one->mask & other->mask) == 0 && ((one->mask | other->mask) & classes_which(classes, true)) == 0;
    if (one->classes != NULL)
        return is_listed_within(classes, other, ~one->mask);
    if (other->classes != NULL)
        return is_listed_within(classes, one, ~other->mask);
    return has_small_set(one) && has_small_set(other) && set_within(classes, one, other) == 0 &&
           set_within(classes, other, one) == 0;
}

static void clear(struct test *test)
{
    struct subject_test *subject = (struct subject_test *)test;

    text_comparison_clear(&subject->comparison);
    g_clear_pointer(&subject->classes, g_ptr_array_unref);
    g_clear_pointer(&subject->items, g_ptr_array_unref);
    table_free(subject->table);
}

const struct condition_kind condition_subject = {
    .words = subject_words,
    .size = sizeof(struct subject_test),
    .parse = parse,
    .resolve = resolve,
    .print = print,
    .evaluate = evaluate,
    .value = value,
    .at_mail = at_mail,
    .classes = classes_of,
    .implies = implies,
    .excludes = excludes,
    .clear = clear,
};
