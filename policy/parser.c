/*
 * parser - from words to the tree of language.h.
 *
 * A mistake is reported once: after it the parser goes on at the next word that
 * can begin something, so that all mistakes of a file are found in one pass.
 */

#include "language.h"
#include "lexer.h"
#include "tree.h"

#include <stdarg.h>
#include <string.h>

/* Parentheses and `not` within each other. */
#define DEPTH_LIMIT 50

struct parser {
    struct policy *policy;
    struct lexer lexer;
    struct token token;
    struct diags *diags;
    unsigned depth;
    bool default_seen;
};

static const char *const top_words[] = {"class", "outbound", "contact", "expect", "rule", "default", NULL};
static const char *const class_words[] = {"domain", "match", "domains", "individuals", "separate", NULL};
static const char *const rule_words[] = {"monitor", "when", "accept", "tag", "quarantine", "reject", "tempfail", NULL};

static void advance(struct parser *parser)
{
    token_clear(&parser->token);
    parser->token = lexer_next(&parser->lexer);
}

static bool is(const struct parser *parser, enum token_kind kind)
{
    return parser->token.kind == kind;
}

static bool is_word(const struct parser *parser, const char *word)
{
    return is(parser, TOKEN_NAME) && strcmp(parser->token.value, word) == 0;
}

static bool is_one_of(const struct parser *parser, const char *const *words)
{
    return is(parser, TOKEN_NAME) && language_word(words, parser->token.value) >= 0;
}

static void G_GNUC_PRINTF(3, 4) fail_at(struct parser *parser, size_t offset, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    source_diag(parser->policy->source, offset, parser->diags, DIAG_ERROR, "%s", message);
}

/* "expected X, not Y", with the nearest of the words that could stand here. */
static void fail_expected(struct parser *parser, const char *expected, const char *const *candidates)
{
    g_autofree char *found = token_describe(&parser->token);
    const char *nearest = NULL;

    if (is(parser, TOKEN_ERROR))
        return;
    if (is(parser, TOKEN_NAME) && candidates != NULL)
        nearest = diag_nearest(parser->token.value, candidates);
    if (nearest != NULL && strcmp(nearest, parser->token.value) != 0)
        fail_at(parser, parser->token.offset, "expected %s, not %s; did you mean `%s`?", expected, found, nearest);
    else
        fail_at(parser, parser->token.offset, "expected %s, not %s", expected, found);
}

static bool take(struct parser *parser, enum token_kind kind, const char *expected)
{
    if (!is(parser, kind)) {
        fail_expected(parser, expected, NULL);
        return false;
    }
    advance(parser);
    return true;
}

static bool take_word(struct parser *parser, const char *word)
{
    const char *const candidates[] = {word, NULL};
    g_autofree char *expected = g_strdup_printf("`%s`", word);

    if (!is_word(parser, word)) {
        fail_expected(parser, expected, candidates);
        return false;
    }
    advance(parser);
    return true;
}

static bool skip_word(struct parser *parser, const char *word)
{
    if (!is_word(parser, word))
        return false;
    advance(parser);
    return true;
}

/* The value of a token of that kind with its place, or NULL. */
static struct item *take_item(struct parser *parser, enum token_kind kind, const char *expected)
{
    struct item *item;

    if (!is(parser, kind)) {
        fail_expected(parser, expected, NULL);
        return NULL;
    }
    item = item_new(parser->token.value, parser->token.offset);
    advance(parser);
    return item;
}

static struct item *take_string(struct parser *parser, const char *expected)
{
    return take_item(parser, TOKEN_STRING, expected);
}

/* A name that the policy gives to something: no keyword. */
static struct item *take_name(struct parser *parser, const char *expected)
{
    if (is(parser, TOKEN_NAME) && language_word(language_keywords, parser->token.value) >= 0) {
        fail_at(parser, parser->token.offset, "expected %s, not the keyword `%s`", expected, parser->token.value);
        return NULL;
    }
    return take_item(parser, TOKEN_NAME, expected);
}

/* Goes on at the next statement of the file. */
static void recover_top(struct parser *parser)
{
    unsigned braces = 0;

    while (!is(parser, TOKEN_END)) {
        if (is(parser, TOKEN_OPEN))
            braces++;
        else if (is(parser, TOKEN_CLOSE) && braces > 0)
            braces--;
        else if (is(parser, TOKEN_CLOSE)) {
            advance(parser);
            return;
        } else if (braces == 0 && is_one_of(parser, top_words))
            return;
        advance(parser);
    }
}

/* Goes on at the next statement of a block, at its end, or where the next block begins. */
static void recover_block(struct parser *parser, const char *const *words)
{
    while (!is(parser, TOKEN_END) && !is(parser, TOKEN_CLOSE) && !is_one_of(parser, words) &&
           !is_word(parser, "class") && !is_word(parser, "rule") && !is_word(parser, "default"))
        advance(parser);
}

/* The closing brace of a named block; if something else stands there, goes on behind the block. */
static void close_block(struct parser *parser, const char *what, const struct item *name)
{
    if (is(parser, TOKEN_CLOSE)) {
        advance(parser);
        return;
    }
    if (!is(parser, TOKEN_ERROR)) {
        g_autofree char *found = token_describe(&parser->token);
        fail_at(parser, parser->token.offset, "expected `}` to end the %s `%s` of line %u, not %s", what, name->text,
                source_line(parser->policy->source, name->offset), found);
    }
    recover_top(parser);
}

/* ---- expressions */

static struct expression *parse_expression(struct parser *parser);

static GPtrArray *parse_class_names(struct parser *parser)
{
    GPtrArray *names = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);

    do {
        struct item *name = take_name(parser, "the name of a class");
        if (name == NULL) {
            g_ptr_array_unref(names);
            return NULL;
        }
        g_ptr_array_add(names, name);
        if (!is(parser, TOKEN_COMMA))
            return names;
        advance(parser);
    } while (true);
}

static GPtrArray *parse_strings(struct parser *parser, const char *expected)
{
    GPtrArray *strings = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);

    do {
        struct item *string = take_string(parser, expected);
        if (string == NULL) {
            g_ptr_array_unref(strings);
            return NULL;
        }
        g_ptr_array_add(strings, string);
        if (!is(parser, TOKEN_COMMA))
            return strings;
        advance(parser);
    } while (true);
}

static bool parse_count(struct parser *parser, struct test *test)
{
    static const enum token_kind comparisons[] = {TOKEN_GREATER_EQUAL, TOKEN_GREATER, TOKEN_LESS_EQUAL, TOKEN_LESS,
                                                  TOKEN_EQUAL};
    unsigned i;

    test->kind = TEST_COUNT;
    test->count = (enum count)language_word(language_counts, parser->token.value);
    advance(parser);
    if (!take(parser, TOKEN_LEFT, "`(` and the name of a class"))
        return false;
    test->classes = parse_class_names(parser);
    if (test->classes == NULL || !take(parser, TOKEN_RIGHT, "`)` or `,`"))
        return false;
    for (i = 0; i < G_N_ELEMENTS(comparisons) && !is(parser, comparisons[i]); i++)
        ;
    if (i == G_N_ELEMENTS(comparisons)) {
        fail_expected(parser, "`>=`, `>`, `<=`, `<` or `=` and a number", NULL);
        return false;
    }
    test->comparison = (enum comparison)i;
    advance(parser);
    if (!is(parser, TOKEN_NUMBER)) {
        fail_expected(parser, "a number", NULL);
        return false;
    }
    test->number = (unsigned)g_ascii_strtoull(parser->token.value, NULL, 10);
    advance(parser);
    return true;
}

/* What follows `in`. */
static bool parse_set(struct parser *parser, struct test *test)
{
    if (is_word(parser, "from")) {
        advance(parser);
        test->operator= OPERATOR_IN_TABLE;
        test->operand = take_string(parser, "the name of a table's file");
        return test->operand != NULL;
    }
    if (is(parser, TOKEN_STRING)) {
        test->operator= OPERATOR_IN_TABLE;
        test->items = parse_strings(parser, "a string");
        return test->items != NULL;
    }
    if (is(parser, TOKEN_NAME) && language_word(language_keywords, parser->token.value) < 0) {
        test->operator= OPERATOR_IN_CLASSES;
        test->classes = parse_class_names(parser);
        return test->classes != NULL;
    }
    fail_expected(parser, "the name of a class, a string, or `from` and a file", NULL);
    return false;
}

/* `= S`, `=~ RE`, and for a subject `in SET`. */
static bool parse_comparison(struct parser *parser, struct test *test, bool with_in)
{
    if (is(parser, TOKEN_EQUAL)) {
        advance(parser);
        test->operator= OPERATOR_EQUALS;
        test->operand = take_string(parser, "a string");
        return test->operand != NULL;
    }
    if (is(parser, TOKEN_MATCHES)) {
        advance(parser);
        test->operator= OPERATOR_MATCHES;
        test->operand = take_item(parser, TOKEN_REGEX, "a regular expression such as /.*@corp\\.example/");
        return test->operand != NULL;
    }
    if (with_in && skip_word(parser, "in"))
        return parse_set(parser, test);
    if (!with_in)
        return true; /* header("X") alone: present */
    fail_expected(parser, "`=`, `=~` or `in`", (const char *const[]){"in", NULL});
    return false;
}

static bool parse_header(struct parser *parser, struct test *test)
{
    test->kind = TEST_HEADER;
    test->operator= OPERATOR_PRESENT;
    advance(parser);
    if (!take(parser, TOKEN_LEFT, "`(` and the name of a header field"))
        return false;
    test->header = take_string(parser, "the name of a header field in double quotes");
    if (test->header == NULL || !take(parser, TOKEN_RIGHT, "`)`"))
        return false;
    return parse_comparison(parser, test, false);
}

static bool parse_test_into(struct parser *parser, struct test *test)
{
    static const char *const words[] = {"visible", "parties", "domains", "recipients", "hidden", "sender", "from",
                                        "user", "client", "listener", "header", "authenticated", "local", "syntax",
                                        "malformed", "truncated", "not", NULL};
    int word = -1;

    if (is(parser, TOKEN_NAME) && (word = language_word(language_flags, parser->token.value)) >= 0) {
        test->kind = TEST_FLAG;
        test->flag = (enum flag)word;
        advance(parser);
        return true;
    }
    if (is_one_of(parser, language_counts))
        return parse_count(parser, test);
    if (is_word(parser, "header"))
        return parse_header(parser, test);
    if (is(parser, TOKEN_NAME) && (word = language_word(language_subjects, parser->token.value)) >= 0) {
        test->kind = TEST_SUBJECT;
        test->subject = (enum subject)word;
        advance(parser);
        return parse_comparison(parser, test, true);
    }
    fail_expected(parser, "a test such as `parties(external) >= 10`, `sender in ...` or `authenticated`", words);
    return false;
}

static struct expression *parse_test(struct parser *parser)
{
    struct expression *expression = expression_new(EXPRESSION_TEST, parser->token.offset);

    expression->test = g_new0(struct test, 1);
    expression->test->offset = parser->token.offset;
    if (parse_test_into(parser, expression->test))
        return expression;
    expression_free(expression);
    return NULL;
}

static struct expression *parse_term(struct parser *parser)
{
    struct expression *expression = NULL;
    size_t offset = parser->token.offset;

    if (++parser->depth > DEPTH_LIMIT) {
        fail_at(parser, offset, "more than %d parentheses and `not` within each other", DEPTH_LIMIT);
    } else if (skip_word(parser, "not")) {
        /* `not not` has no meaning of its own; parentheses say what is meant. */
        struct expression *part = is_word(parser, "not") ? NULL : parse_term(parser);
        if (is_word(parser, "not"))
            fail_at(parser, parser->token.offset, "expected a test or `(` behind `not`");
        if (part != NULL) {
            expression = expression_new(EXPRESSION_NOT, offset);
            g_ptr_array_add(expression->parts, part);
        }
    } else if (is(parser, TOKEN_LEFT)) {
        advance(parser);
        expression = parse_expression(parser);
        if (expression != NULL && !take(parser, TOKEN_RIGHT, "`)`, `and` or `or`")) {
            expression_free(expression);
            expression = NULL;
        }
    } else {
        expression = parse_test(parser);
    }
    parser->depth--;
    return expression;
}

static struct expression *parse_expression(struct parser *parser)
{
    struct expression *first = parse_term(parser);
    struct expression *joined = NULL;
    const char *word = is_word(parser, "and") ? "and" : "or";
    bool mixed = false;

    while (first != NULL && (is_word(parser, "and") || is_word(parser, "or"))) {
        struct expression *next;
        if (!is_word(parser, word) && !mixed) {
            fail_at(parser, parser->token.offset, "`and` and `or` are mixed; say with parentheses which belongs together");
            mixed = true; /* what follows may hold other mistakes */
        }
        advance(parser);
        if (joined == NULL) {
            joined = expression_new(strcmp(word, "and") == 0 ? EXPRESSION_AND : EXPRESSION_OR, first->offset);
            g_ptr_array_add(joined->parts, first);
        }
        next = parse_term(parser);
        if (next == NULL) {
            expression_free(joined);
            return NULL;
        }
        g_ptr_array_add(joined->parts, next);
    }
    return joined != NULL ? joined : first;
}

/* ---- statements */

static bool parse_action(struct parser *parser, struct action *action)
{
    int word = is(parser, TOKEN_NAME) ? language_word(language_dispositions, parser->token.value) : -1;

    if (word < 0) {
        fail_expected(parser, "`accept`, `tag`, `quarantine`, `reject` or `tempfail`", language_dispositions);
        return false;
    }
    action->disposition = (enum disposition)word;
    advance(parser);
    if (action->disposition == DISPOSITION_ACCEPT)
        return true;
    action->text = take_string(parser, "a text in double quotes");
    return action->text != NULL;
}

static void add_class_item(struct class_statement *class, enum class_item_kind kind, struct item *item)
{
    struct class_item *entry = g_new(struct class_item, 1);

    entry->kind = kind;
    entry->item = item;
    g_ptr_array_add(class->items, entry);
}

static bool parse_class_item(struct parser *parser, struct class_statement *class)
{
    struct item *item;

    if (skip_word(parser, "individuals")) {
        class->individuals = true;
        return true;
    }
    if (skip_word(parser, "separate")) {
        class->separate = true;
        return true;
    }
    if (skip_word(parser, "match")) {
        item = take_item(parser, TOKEN_REGEX, "a regular expression such as /(.+\\.)?corp\\.example/");
        if (item != NULL)
            add_class_item(class, CLASS_MATCH, item);
        return item != NULL;
    }
    if (skip_word(parser, "domains")) {
        if (!take_word(parser, "from"))
            return false;
        item = take_string(parser, "the name of a table's file");
        if (item != NULL)
            add_class_item(class, CLASS_DOMAINS_FROM, item);
        return item != NULL;
    }
    if (skip_word(parser, "domain")) {
        do {
            item = take_string(parser, "a domain in double quotes");
            if (item == NULL)
                return false;
            add_class_item(class, CLASS_DOMAIN, item);
            if (!is(parser, TOKEN_COMMA))
                return true;
            advance(parser);
        } while (true);
    }
    fail_expected(parser, "`domain`, `match`, `domains from`, `individuals`, `separate` or `}`", class_words);
    return false;
}

static bool parse_class(struct parser *parser)
{
    struct class_statement *class;
    struct item *name;

    advance(parser);
    name = take_name(parser, "a name for the class");
    if (name == NULL)
        return false;
    class = class_statement_new(name);
    g_ptr_array_add(parser->policy->statements, class);
    if (!take(parser, TOKEN_OPEN, "`{`"))
        return false;
    while (!is(parser, TOKEN_CLOSE) && !is(parser, TOKEN_END) && !is_word(parser, "class") && !is_word(parser, "rule") &&
           !is_word(parser, "default")) {
        if (!parse_class_item(parser, class)) {
            /* One step at least, unless the word that stopped us begins something. */
            if (!is_one_of(parser, class_words) && !is(parser, TOKEN_CLOSE) && !is(parser, TOKEN_END))
                advance(parser);
            recover_block(parser, class_words);
        }
    }
    close_block(parser, "class", name);
    return true;
}

static bool parse_rule_body(struct parser *parser, struct rule *rule)
{
    if (is_word(parser, "monitor")) {
        rule->monitor = true;
        advance(parser);
    }
    if (!is_word(parser, "when")) {
        fail_expected(parser, rule->monitor ? "`when`" : "`monitor` or `when`", rule_words);
        recover_block(parser, rule_words);
        if (!is_word(parser, "when"))
            return false;
    }
    advance(parser);
    rule->when = parse_expression(parser);
    if (rule->when == NULL)
        return false;
    if (!is_one_of(parser, language_dispositions)) {
        fail_expected(parser, "`and`, `or`, or an action: `accept`, `tag`, `quarantine`, `reject` or `tempfail`",
                      rule_words);
        return false;
    }
    return parse_action(parser, &rule->action);
}

static bool parse_rule(struct parser *parser)
{
    struct rule *rule;
    struct item *name;

    advance(parser);
    name = take_name(parser, "a name for the rule");
    if (name == NULL)
        return false;
    rule = rule_new(name, source_line(parser->policy->source, name->offset));
    g_ptr_array_add(parser->policy->rules, rule);
    if (skip_word(parser, "until")) {
        if (is(parser, TOKEN_DATE)) {
            rule->until_text = g_strdup(parser->token.value);
            rule->until = language_date(rule->until_text) + 24 * 60 * 60;
        } else {
            fail_expected(parser, "a date such as 2027-06-30", NULL);
        }
        if (!is(parser, TOKEN_OPEN))
            advance(parser);
    }
    if (!is(parser, TOKEN_OPEN)) {
        fail_expected(parser, rule->until_text == NULL ? "`until` or `{`" : "`{`", (const char *const[]){"until", NULL});
        return false;
    }
    advance(parser);
    if (!parse_rule_body(parser, rule)) {
        /* What stands behind the mistake may hold another: a second try at the action. */
        recover_block(parser, language_dispositions);
        if (is_one_of(parser, language_dispositions) && rule->action.text == NULL) {
            parse_action(parser, &rule->action);
            recover_block(parser, top_words);
        }
    }
    close_block(parser, "rule", name);
    return true;
}

static GPtrArray *parse_people(struct parser *parser)
{
    GPtrArray *people = g_ptr_array_new_with_free_func((GDestroyNotify)people_free);

    for (;;) {
        struct people *some = g_new0(struct people, 1);
        g_ptr_array_add(people, some);
        some->count = 1;
        if (is(parser, TOKEN_NUMBER)) {
            some->count = (unsigned)g_ascii_strtoull(parser->token.value, NULL, 10);
            if (some->count == 0 || some->count > 100000)
                fail_at(parser, parser->token.offset, "expected a number from 1 to 100000");
            advance(parser);
            if (!take_word(parser, "of"))
                break;
        }
        some->address = take_string(parser, "an address, or a number, `of` and an address");
        if (some->address == NULL)
            break;
        if (!is(parser, TOKEN_COMMA))
            return people;
        advance(parser);
    }
    g_ptr_array_unref(people);
    return NULL;
}

static bool parse_gives(struct parser *parser, struct expect *expect)
{
    int word;

    if (!take_word(parser, "gives"))
        return false;
    word = is(parser, TOKEN_NAME) ? language_word(language_dispositions, parser->token.value) : -1;
    if (word < 0) {
        fail_expected(parser, "`accept`, `tag`, `quarantine`, `reject` or `tempfail`", language_dispositions);
        return false;
    }
    expect->disposition = (enum disposition)word;
    advance(parser);
    if (!skip_word(parser, "by"))
        return true;
    if (is_word(parser, "default")) {
        expect->rule = item_new("default", parser->token.offset);
        advance(parser);
        return true;
    }
    expect->rule = take_name(parser, "the name of a rule, or `default`");
    return expect->rule != NULL;
}

static bool parse_expect_outbound(struct parser *parser, struct expect *expect)
{
    struct {
        const char *word;
        const char *expected;
        struct item **where;
    } facts[] = {
        {"client", "an IP address", &expect->client},
        {"listener", "the name of a listener", &expect->listener},
        {"user", "a login name", &expect->user},
        {"sender", "an address", &expect->sender},
    };

    expect->kind = EXPECT_OUTBOUND;
    advance(parser);
    for (;;) {
        unsigned i;
        if (skip_word(parser, "local")) {
            expect->local = true;
            continue;
        }
        for (i = 0; i < G_N_ELEMENTS(facts) && !is_word(parser, facts[i].word); i++)
            ;
        if (i == G_N_ELEMENTS(facts))
            return true;
        if (*facts[i].where != NULL) {
            fail_at(parser, parser->token.offset, "`%s` is said twice", facts[i].word);
            return false;
        }
        advance(parser);
        *facts[i].where = take_string(parser, facts[i].expected);
        if (*facts[i].where == NULL)
            return false;
    }
}

static bool parse_expect_message(struct parser *parser, struct expect *expect)
{
    expect->kind = EXPECT_MESSAGE;
    advance(parser);
    if (!take_word(parser, "from"))
        return false;
    expect->sender = take_string(parser, "the sender's address");
    if (expect->sender == NULL)
        return false;
    if (skip_word(parser, "user")) {
        expect->user = take_string(parser, "a login name");
        if (expect->user == NULL)
            return false;
    }
    if (!take_word(parser, "to"))
        return false;
    expect->to = parse_people(parser);
    if (expect->to == NULL)
        return false;
    if (skip_word(parser, "bcc")) {
        expect->bcc = parse_people(parser);
        if (expect->bcc == NULL)
            return false;
    }
    if (skip_word(parser, "at")) {
        if (!is(parser, TOKEN_DATE)) {
            fail_expected(parser, "a date such as 2027-06-30", NULL);
            return false;
        }
        expect->at = g_strdup(parser->token.value);
        advance(parser);
    }
    return parse_gives(parser, expect);
}

static bool parse_expect(struct parser *parser)
{
    static const char *const words[] = {"not", "outbound", "message", "file", NULL};
    struct expect *expect = expect_new(parser->token.offset);

    g_ptr_array_add(parser->policy->expects, expect);
    advance(parser);
    if (is(parser, TOKEN_STRING)) {
        expect->kind = EXPECT_CLASS;
        expect->domain = take_string(parser, "a domain");
        if (!take_word(parser, "is"))
            return false;
        expect->class_name = take_name(parser, "the name of a class");
        return expect->class_name != NULL;
    }
    if (skip_word(parser, "not")) {
        expect->negated = true;
        if (!is_word(parser, "outbound")) {
            fail_expected(parser, "`outbound`", words);
            return false;
        }
    }
    if (is_word(parser, "outbound"))
        return parse_expect_outbound(parser, expect);
    if (is_word(parser, "message"))
        return parse_expect_message(parser, expect);
    if (skip_word(parser, "file")) {
        expect->kind = EXPECT_FILE;
        expect->file = take_string(parser, "the name of a message's file");
        return expect->file != NULL && parse_gives(parser, expect);
    }
    fail_expected(parser, "a domain in double quotes, `outbound`, `not outbound`, `message` or `file`", words);
    return false;
}

static bool parse_outbound(struct parser *parser)
{
    struct policy *policy = parser->policy;
    struct expression *expression;
    size_t offset = parser->token.offset;

    advance(parser);
    if (!take_word(parser, "when"))
        return false;
    expression = parse_expression(parser);
    if (expression == NULL)
        return false;
    if (policy->outbound != NULL) {
        fail_at(parser, offset, "`outbound` is said twice; first in line %u",
                source_line(policy->source, policy->outbound_offset));
        expression_free(expression);
        return true;
    }
    policy->outbound = expression;
    policy->outbound_offset = offset;
    return true;
}

static bool parse_contact(struct parser *parser)
{
    struct policy *policy = parser->policy;
    struct item *contact;
    size_t offset = parser->token.offset;

    advance(parser);
    contact = take_string(parser, "an address or another way to reach you, in double quotes");
    if (contact == NULL)
        return false;
    if (policy->contact != NULL) {
        fail_at(parser, offset, "`contact` is said twice; first in line %u",
                source_line(policy->source, policy->contact->offset));
        item_free(contact);
        return true;
    }
    policy->contact = contact;
    return true;
}

static bool parse_default(struct parser *parser)
{
    struct policy *policy = parser->policy;

    policy->fallback_line = source_line(policy->source, parser->token.offset);
    parser->default_seen = true;
    advance(parser);
    if (!parse_action(parser, &policy->fallback))
        return false;
    if (!is(parser, TOKEN_END) && !is(parser, TOKEN_ERROR)) {
        fail_expected(parser, "the end of the file behind `default`, which comes last", NULL);
        while (!is(parser, TOKEN_END))
            advance(parser);
    }
    return true;
}

static bool parse_statement(struct parser *parser)
{
    if (is_word(parser, "class"))
        return parse_class(parser);
    if (is_word(parser, "rule"))
        return parse_rule(parser);
    if (is_word(parser, "expect"))
        return parse_expect(parser);
    if (is_word(parser, "outbound"))
        return parse_outbound(parser);
    if (is_word(parser, "contact"))
        return parse_contact(parser);
    if (is_word(parser, "default"))
        return parse_default(parser);
    fail_expected(parser, "`class`, `outbound`, `contact`, `expect`, `rule` or `default`", top_words);
    advance(parser);
    return false;
}

static void parse_version(struct parser *parser)
{
    if (!is_word(parser, "version")) {
        fail_expected(parser, "`version 1` at the start of a policy", (const char *const[]){"version", NULL});
        if (!is_one_of(parser, top_words))
            recover_top(parser);
        return;
    }
    advance(parser);
    if (!is(parser, TOKEN_NUMBER)) {
        fail_expected(parser, "the number 1 behind `version`", NULL);
        return;
    }
    if (strcmp(parser->token.value, "1") != 0)
        fail_at(parser, parser->token.offset, "this program knows version 1 of the policy language, not %s",
                parser->token.value);
    advance(parser);
}

void policy_parse(struct policy *policy, struct diags *diags)
{
    struct parser parser = {
        .policy = policy,
        .lexer = {.source = policy->source, .diags = diags},
        .diags = diags,
    };

    advance(&parser);
    parse_version(&parser);
    while (!is(&parser, TOKEN_END))
        if (!parse_statement(&parser))
            recover_top(&parser);
    if (!parser.default_seen)
        fail_at(&parser, parser.token.offset, "expected `default` and an action: what happens to mail that no rule matches");
    token_clear(&parser.token);
}
