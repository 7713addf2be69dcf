/* parser - see parser.h */

#include "policy/language/parser.h"

#include "policy/base/source.h"
#include "policy/language/allow_comments.h"
#include "policy/language/parse_action.h"
#include "policy/language/parse_condition.h"
#include "policy/syntax/parser_tokens.h"
#include "policy/syntax/vocabulary.h"

#include <string.h>

/* Words that may be where one of them is wrong, for "did you mean". */
static const char *const fact_words[] = {"client",  "listener", "user",   "sender", "local",   "class", "outbound",
                                         "contact", "remember", "expect", "rule",   "default", NULL};
static const char *const outbound_words[] = {"and",      "or",     "class", "outbound", "contact",
                                             "remember", "expect", "rule",  "default",  NULL};

/* The statements: parse_statement has its functions in this order. */
static const char *const top_words[] = {"class", "outbound", "contact", "remember", "expect", "rule", "default", NULL};
static const char *const class_words[] = {"domain", "match", "domains", "individuals", "separate", NULL};

/* Whether nothing but blanks is before the token on its line. */
static bool begins_line(const struct parser *parser)
{
    const char *text = parser->policy->source->text;
    size_t offset = parser->token.offset;

    while (offset > 0 && (text[offset - 1] == ' ' || text[offset - 1] == '\t'))
        offset--;
    return offset == 0 || text[offset - 1] == '\n';
}

/* Goes on at the next statement of the file: a word that begins one and a line, for the words are elsewhere too. */
static void recover_top(struct parser *parser)
{
    unsigned braces = 0;

    while (!parser_is(parser, TOKEN_END)) {
        if (parser_is(parser, TOKEN_OPEN))
            braces++;
        else if (parser_is(parser, TOKEN_CLOSE) && braces > 0)
            braces--;
        else if (parser_skip(parser, TOKEN_CLOSE) ||
                 (braces == 0 && parser_is_one_of(parser, top_words) && begins_line(parser)))
            return;
        parser_advance(parser);
    }
}

/* Goes on at the next statement of a block, at its end, or where the next block begins. */
static void recover_block(struct parser *parser, const char *const *words)
{
    while (!parser_is(parser, TOKEN_END) && !parser_is(parser, TOKEN_CLOSE) && !parser_is_one_of(parser, words) &&
           !parser_is_one_of(parser, top_words))
        parser_advance(parser);
}

/*
 * The closing brace of a named block; if something else is there, goes on
 * after the block.  `words`, or NULL, may be before the brace.
 */
static void close_block(struct parser *parser, const char *what, const struct item *name, unsigned errors,
                        const char *const *words)
{
    if (parser_skip(parser, TOKEN_CLOSE))
        return;
    /* An error within the block, as of a string that nothing closes, may have swallowed its end. */
    if (!parser_is(parser, TOKEN_ERROR) && diags_errors(parser->diags) == errors) {
        g_autofree char *expected = g_strdup_printf("`}` to end the %s `%s` of line %u", what, name->text,
                                                    source_line(parser->policy->source, name->offset));
        parser_fail_expected(parser, expected, words);
    }
    recover_top(parser);
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

    if (parser_skip_word(parser, "individuals")) {
        class->individuals = true;
    } else if (parser_skip_word(parser, "separate")) {
        class->separate = true;
    } else if (parser_skip_word(parser, "match")) {
        if (!parser_take_item(parser, TOKEN_REGEX, "a regular expression such as /(.+\\.)?corp\\.example/", &item))
            return false;
        add_class_item(class, CLASS_MATCH, item);
    } else if (parser_skip_word(parser, "domains")) {
        if (!parser_take_word(parser, "from") || !parser_take_string(parser, "the name of a table's file", &item))
            return false;
        add_class_item(class, CLASS_DOMAINS_FROM, item);
    } else if (parser_skip_word(parser, "domain")) {
        do {
            if (!parser_take_string(parser, "a domain in double quotes", &item))
                return false;
            add_class_item(class, CLASS_DOMAIN, item);
        } while (parser_skip(parser, TOKEN_COMMA));
    } else {
        return parser_fail_expected(parser, "`domain`, `match`, `domains from`, `individuals`, `separate` or `}`",
                                    class_words);
    }
    return true;
}

/* The name of a class or a rule. */
static struct item *take_new_name(struct parser *parser, const char *expected)
{
    struct item *name = NULL;

    parser_advance(parser);
    if (!parser_take_name(parser, expected, &name))
        parser->policy->names_lost = true;
    return name;
}

static bool parse_class(struct parser *parser)
{
    unsigned errors = diags_errors(parser->diags);
    struct item *name = take_new_name(parser, "a name for the class");

    if (name == NULL)
        return false;
    struct class_statement *class = class_statement_new(name);
    g_ptr_array_add(parser->policy->statements, class);
    if (!parser_take(parser, TOKEN_OPEN, "`{`"))
        return false;
    while (!parser_is(parser, TOKEN_CLOSE) && !parser_is(parser, TOKEN_END) && !parser_is_one_of(parser, top_words)) {
        if (!parse_class_item(parser, class)) {
            /* One step at least, unless the word that stopped us begins something. */
            if (!parser_is_one_of(parser, class_words) && !parser_is(parser, TOKEN_CLOSE) &&
                !parser_is(parser, TOKEN_END))
                parser_advance(parser);
            recover_block(parser, class_words);
        }
    }
    close_block(parser, "class", name, errors, NULL);
    return true;
}

static bool parse_rule_body(struct parser *parser, struct rule *rule)
{
    if (parser_is_word(parser, "monitor")) {
        rule->monitor = true;
        parser_advance(parser);
    }
    if (!parser_is_word(parser, "when")) {
        g_autofree const char **words = words_with_dispositions("monitor", "when");
        parser_fail_expected(parser, rule->monitor ? "`when`" : "`monitor` or `when`", words);
        recover_block(parser, words);
        if (!parser_is_word(parser, "when"))
            return false;
    }
    parser_advance(parser);
    rule->when = parser_expression(parser);
    if (rule->when == NULL)
        return false;
    if (!parser_is_one_of(parser, disposition_names)) {
        g_autofree const char **words = words_with_dispositions("and", "or");
        return parser_fail_action(parser, "`and`, `or`, or an action: ", words);
    }
    return parser_action(parser, &rule->action);
}

static bool parse_rule(struct parser *parser)
{
    unsigned errors = diags_errors(parser->diags);
    struct item *name = take_new_name(parser, "a name for the rule");

    if (name == NULL)
        return false;
    struct rule *rule = rule_new(name, source_line(parser->policy->source, name->offset));
    g_ptr_array_add(parser->policy->rules, rule);
    if (parser_skip_word(parser, "until")) {
        if (parser_is(parser, TOKEN_DATE)) {
            rule->until_text = g_strdup(parser->token.value);
            rule->until_offset = parser->token.offset;
            rule->until = language_date(rule->until_text) + 24 * 60 * 60;
        } else {
            parser_fail_expected(parser, "a date such as 2027-06-30", NULL);
        }
        if (!parser_is(parser, TOKEN_OPEN))
            parser_advance(parser);
    }
    if (!parser_is(parser, TOKEN_OPEN))
        return parser_fail_expected(parser, rule->until_text == NULL ? "`until` or `{`" : "`{`",
                                    (const char *const[]){"until", NULL});
    parser_advance(parser);
    if (!parse_rule_body(parser, rule)) {
        /* What is after the mistake may hold another: a second try at the action. */
        recover_block(parser, disposition_names);
        if (parser_is_one_of(parser, disposition_names) && rule->action.text == NULL) {
            parser_action(parser, &rule->action);
            recover_block(parser, top_words);
        }
    }
    close_block(parser, "rule", name, errors, parser_action_words(&rule->action));
    return true;
}

/* After a statement that may go on, another one is; a word that begins none is a mistake of this one. */
static bool ends_statement(struct parser *parser, const char *expected, const char *const *candidates)
{
    if (!parser_is(parser, TOKEN_NAME) || parser_is_one_of(parser, top_words))
        return true;
    return parser_fail_expected(parser, expected, candidates);
}

static GPtrArray *parse_people(struct parser *parser)
{
    g_autoptr(GPtrArray) people = g_ptr_array_new_with_free_func((GDestroyNotify)people_free);

    do {
        struct people *some = g_new0(struct people, 1);
        g_ptr_array_add(people, some);
        some->count = 1;
        if (parser_is(parser, TOKEN_NUMBER)) {
            some->count = (unsigned)g_ascii_strtoull(parser->token.value, NULL, 10);
            if (some->count == 0 || some->count > 100000)
                parser_fail_at(parser, parser->token.offset, "expected a number from 1 to 100000");
            parser_advance(parser);
            if (!parser_take_word(parser, "of"))
                return NULL;
        }
        if (!parser_take_string(parser, "an address, or a number, `of` and an address", &some->address))
            return NULL;
    } while (parser_skip(parser, TOKEN_COMMA));
    return g_steal_pointer(&people);
}

/* Whether one of these words is here. */
static bool stands(struct parser *parser, const char *expected, const char *const *candidates)
{
    if (parser_is_one_of(parser, candidates))
        return true;
    return parser_fail_expected(parser, expected, candidates);
}

/* `by` and a rule. */
static bool parse_by(struct parser *parser, struct expect *expect)
{
    if (parser_is_word(parser, "default")) {
        expect->rule = item_new("default", parser->token.offset);
        parser_advance(parser);
        return true;
    }
    return parser_take_name(parser, "the name of a rule, or `default`", &expect->rule);
}

/* The words that may go on after `gives`, of a series or not, and other statements, of which another may follow. */
static bool ends_gives(struct parser *parser, const struct expect *expect)
{
    static const char *const words[] = {"by",       "from",   "class", "outbound", "contact",
                                        "remember", "expect", "rule",  "default",  NULL};
    static const char *const of_one[] = {"by",     "class", "outbound", "contact", "remember",
                                         "expect", "rule",  "default",  NULL};

    if (expect->messages == 0)
        return expect->rule != NULL || ends_statement(parser, "`by` or another statement", of_one);
    return ends_statement(parser,
                          expect->rule != NULL ? "`from` or another statement" : "`by`, `from` or another statement",
                          words + (expect->rule != NULL));
}

static bool parse_gives(struct parser *parser, struct expect *expect)
{
    if (!parser_take_word(parser, "gives") || !parser_disposition(parser, &expect->disposition))
        return false;
    if (parser_skip_word(parser, "by") && !parse_by(parser, expect))
        return false;
    if (!parser_expected_terms(parser, expect))
        return false;
    if (expect->messages == 0 || !parser_skip_word(parser, "from"))
        return ends_gives(parser, expect);
    expect->begins_offset = parser->token.offset;
    if (!parser_is(parser, TOKEN_NUMBER))
        return parser_fail_expected(parser, "the number of the first message that gives it, such as 3", NULL);
    expect->begins = (unsigned)g_ascii_strtoull(parser->token.value, NULL, 10);
    if (expect->begins == 0 || expect->begins > expect->messages)
        parser_fail_at(parser, parser->token.offset, "expected a number from 1 to %u: there are that many messages",
                       expect->messages);
    parser_advance(parser);
    return true;
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
    parser_advance(parser);
    for (;;) {
        unsigned i;
        if (parser_skip_word(parser, "local")) {
            expect->local = true;
            continue;
        }
        for (i = 0; i < G_N_ELEMENTS(facts) && !parser_is_word(parser, facts[i].word); i++)
            ;
        if (i == G_N_ELEMENTS(facts))
            return ends_statement(parser, "`client`, `listener`, `user`, `sender`, `local` or another statement",
                                  fact_words);
        if (*facts[i].where != NULL)
            return parser_fail_at(parser, parser->token.offset, "`%s` is said twice", facts[i].word);
        parser_advance(parser);
        if (!parser_take_string(parser, facts[i].expected, facts[i].where))
            return false;
    }
}

/* `subject STRING` and `header STRING STRING`, in any order. */
static bool parse_fields(struct parser *parser, struct expect *expect)
{
    bool subject = false;

    while (parser_is_word(parser, "subject") || parser_is_word(parser, "header")) {
        struct expect_field *field = g_new0(struct expect_field, 1);
        bool named = parser_is_word(parser, "header");
        if (expect->fields == NULL)
            expect->fields = g_ptr_array_new_with_free_func((GDestroyNotify)expect_field_free);
        g_ptr_array_add(expect->fields, field);
        if (!named && subject)
            return parser_fail_at(parser, parser->token.offset, "`subject` is said twice");
        subject = subject || !named;
        parser_advance(parser);
        if (named && !parser_take_string(parser, "the name of a header field in double quotes", &field->name))
            return false;
        if (!parser_take_string(parser, named ? "the value of the header field" : "the text of the Subject",
                                &field->value))
            return false;
    }
    return true;
}

/* `at DATE`, and after it `known`, or of a series `in DURATION`. */
static bool parse_when(struct parser *parser, struct expect *expect)
{
    const unsigned day = 24 * 60 * 60;

    if (parser_skip_word(parser, "at")) {
        if (!parser_is(parser, TOKEN_DATE))
            return parser_fail_expected(parser, "a date such as 2027-06-30", NULL);
        expect->at = g_strdup(parser->token.value);
        parser_advance(parser);
    }
    if (expect->messages > 0)
        return parser_take_word(parser, "in") && parser_take_duration(parser, 1, day, "5m", &expect->time);
    expect->known = parser_skip_word(parser, "known");
    return true;
}

static bool parse_expect_message(struct parser *parser, struct expect *expect)
{
    static const char *const after_to[] = {"bcc", "subject", "header", "at", "gives", "known", NULL};
    static const char *const after_series_to[] = {"bcc", "subject", "header", "at", "in", NULL};
    const bool series = expect->messages > 0;
    const char *const *words = series ? after_series_to : after_to;
    const char *expected =
        series ? "`bcc`, `subject`, `header`, `at` or `in`" : "`bcc`, `subject`, `header`, `at`, `known` or `gives`";

    expect->kind = EXPECT_MESSAGE;
    parser_advance(parser);
    if (!parser_take_word(parser, "from") || !parser_take_string(parser, "the sender's address", &expect->sender) ||
        !stands(parser, "`user` or `to`", (const char *const[]){"user", "to", NULL}))
        return false;
    if (parser_skip_word(parser, "user") && !parser_take_string(parser, "a login name", &expect->user))
        return false;
    if (!parser_take_word(parser, "to"))
        return false;
    expect->to = parse_people(parser);
    if (expect->to == NULL || !stands(parser, expected, words))
        return false;
    expected += strlen("`bcc`, ");
    if (parser_skip_word(parser, "bcc")) {
        expect->bcc = parse_people(parser);
        if (expect->bcc == NULL || !stands(parser, expected, words + 1))
            return false;
    }
    if (!parse_fields(parser, expect) || (expect->fields != NULL && !stands(parser, expected, words + 1)))
        return false;
    return parse_when(parser, expect) && parse_gives(parser, expect);
}

/* The messages of one assertion, and the recipients of all of them. */
#define SERIES_LIMIT 1000u

/* "20 messages from ..." */
static bool parse_expect_series(struct parser *parser, struct expect *expect)
{
    expect->messages = (unsigned)g_ascii_strtoull(parser->token.value, NULL, 10);
    expect->begins = 1;
    if (expect->messages < 2 || expect->messages > SERIES_LIMIT) {
        parser_fail_at(parser, parser->token.offset, "expected a number of messages from 2 to %u", SERIES_LIMIT);
        expect->messages = 2;
    }
    parser_advance(parser);
    if (!parser_is_word(parser, "messages"))
        return parser_fail_expected(parser, "`messages` after their number", (const char *const[]){"messages", NULL});
    return parse_expect_message(parser, expect);
}

static bool parse_expect(struct parser *parser)
{
    static const char *const words[] = {"not", "outbound", "message", "file", NULL};
    struct expect *expect = expect_new(parser->token.offset);

    g_ptr_array_add(parser->policy->expects, expect);
    parser_advance(parser);
    if (parser_is(parser, TOKEN_STRING)) {
        expect->kind = EXPECT_CLASS;
        return parser_take_string(parser, "a domain", &expect->domain) && parser_take_word(parser, "is") &&
               parser_take_name(parser, "the name of a class", &expect->class_name);
    }
    if (parser_skip_word(parser, "not")) {
        expect->negated = true;
        if (!parser_is_word(parser, "outbound"))
            return parser_fail_expected(parser, "`outbound`", words);
    }
    if (parser_is_word(parser, "outbound"))
        return parse_expect_outbound(parser, expect);
    if (parser_is_word(parser, "message"))
        return parse_expect_message(parser, expect);
    if (parser_is(parser, TOKEN_NUMBER))
        return parse_expect_series(parser, expect);
    if (parser_skip_word(parser, "file")) {
        expect->kind = EXPECT_FILE;
        return parser_take_string(parser, "the name of a message's file", &expect->file) && parse_gives(parser, expect);
    }
    return parser_fail_expected(parser, "a domain in double quotes, `outbound`, `not outbound`, `message` or `file`",
                                words);
}

static bool parse_outbound(struct parser *parser)
{
    struct policy *policy = parser->policy;
    size_t offset = parser->token.offset;

    parser_advance(parser);
    if (!parser_take_word(parser, "when"))
        return false;
    struct expression *expression = parser_expression(parser);
    if (expression == NULL)
        return false;
    if (policy->outbound != NULL) {
        parser_fail_at(parser, offset, "`outbound` is said twice; first in line %u",
                       source_line(policy->source, policy->outbound_offset));
        expression_free(expression);
        return true;
    }
    policy->outbound = expression;
    policy->outbound_offset = offset;
    return ends_statement(parser, "`and`, `or` or another statement", outbound_words);
}

static bool parse_contact(struct parser *parser)
{
    struct policy *policy = parser->policy;
    size_t offset = parser->token.offset;

    parser_advance(parser);
    struct item *contact;
    if (!parser_take_string(parser, "an address or another way to reach you, in double quotes", &contact))
        return false;
    if (policy->contact != NULL) {
        parser_fail_at(parser, offset, "`contact` is said twice; first in line %u",
                       source_line(policy->source, policy->contact->offset));
        item_free(contact);
        return true;
    }
    policy->contact = contact;
    return true;
}

static bool parse_remember(struct parser *parser)
{
    struct policy *policy = parser->policy;
    const unsigned day = 24 * 60 * 60;
    size_t offset = parser->token.offset;
    struct duration remember = {0};

    parser_advance(parser);
    if (!parser_take_duration(parser, day, 400 * day, "90d", &remember))
        return false;
    remember.offset = offset;
    if (policy->remember.text != NULL) {
        parser_fail_at(parser, offset, "`remember` is said twice; first in line %u",
                       source_line(policy->source, policy->remember.offset));
        g_free(remember.text);
        return true;
    }
    policy->remember = remember;
    return true;
}

static bool parse_default(struct parser *parser)
{
    struct policy *policy = parser->policy;

    policy->fallback_offset = parser->token.offset;
    policy->fallback_line = source_line(policy->source, parser->token.offset);
    parser->default_seen = true;
    parser_advance(parser);
    action_clear(&policy->fallback); /* of a `default` that stood before a mistake */
    if (!parser_action(parser, &policy->fallback))
        return false;
    if (!parser_is(parser, TOKEN_END) && !parser_is(parser, TOKEN_ERROR)) {
        parser_fail_expected(parser, "the end of the file after `default`, which comes last",
                             parser_action_words(&policy->fallback));
        policy->names_lost = true;
        while (!parser_is(parser, TOKEN_END))
            parser_advance(parser);
    }
    return true;
}

static bool parse_statement(struct parser *parser)
{
    static bool (*const statements[])(struct parser *) = {parse_class,  parse_outbound, parse_contact, parse_remember,
                                                          parse_expect, parse_rule,     parse_default};
    int word = parser_is(parser, TOKEN_NAME) ? language_word(top_words, parser->token.value) : -1;

    if (word >= 0)
        return statements[word](parser);
    parser_fail_expected(parser, "`class`, `outbound`, `contact`, `remember`, `expect`, `rule` or `default`",
                         top_words);
    parser->policy->names_lost = true;
    parser_advance(parser);
    return false;
}

static void parse_version(struct parser *parser)
{
    if (!parser_is_word(parser, "version")) {
        parser_fail_expected(parser, "`version 1` at the start of a policy", (const char *const[]){"version", NULL});
        parser->policy->names_lost = true;
        if (!parser_is_one_of(parser, top_words))
            recover_top(parser);
        return;
    }
    parser_advance(parser);
    if (!parser_is(parser, TOKEN_NUMBER)) {
        parser_fail_expected(parser, "the number 1 after `version`", NULL);
        if (!parser_is_one_of(parser, top_words))
            parser_advance(parser);
        return;
    }
    if (strcmp(parser->token.value, "1") != 0)
        parser_fail_at(parser, parser->token.offset, "this program knows version 1 of the policy language, not %s",
                       parser->token.value);
    parser_advance(parser);
}

/* A statement that began there and ends before the token at hand. */
static void add_span(GArray *statements, size_t begin, const struct parser *parser)
{
    const struct span span = {begin, parser->token.offset};

    g_array_append_val(statements, span);
}

void policy_parse(struct policy *policy, struct diags *diags)
{
    g_autoptr(GArray) comments = g_array_new(FALSE, FALSE, sizeof(size_t));
    g_autoptr(GArray) statements = g_array_new(FALSE, FALSE, sizeof(struct span));
    struct parser parser = {
        .policy = policy,
        .lexer = {.source = policy->source, .diags = diags, .comments = comments},
        .diags = diags,
    };

    parser_advance(&parser);
    policy->version_offset = parser.token.offset;
    parse_version(&parser);
    add_span(statements, policy->version_offset, &parser);
    while (!parser_is(&parser, TOKEN_END)) {
        size_t begin = parser.token.offset;
        if (!parse_statement(&parser))
            recover_top(&parser);
        add_span(statements, begin, &parser);
    }
    allow_comments_gather(policy, comments, statements);
    if (!parser.default_seen)
        parser_fail_at(&parser, parser.token.offset,
                       "expected `default` and an action: what happens to mail that no rule matches");
    token_clear(&parser.token);
}
