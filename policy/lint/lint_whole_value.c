/*
 * lint_whole_value - regular expressions that were written for a part of a value,
 * as grep, Postfix, rspamd and Sieve take them.  Here an expression covers the
 * whole value, so /clinic@/ matches nobody, and `not sender =~ /clinic@/` is true
 * of everybody.
 */

#include "policy/conditions/condition_header.h"
#include "policy/conditions/condition_subject.h"
#include "policy/lint/lint_regex.h"

#include "policy/syntax/lexer.h"

#include <string.h>

/* How the values of header fields look, where that is known of all of them. */
static const struct {
    const char *name;
    enum regex_values values;
    bool prose; /* words, of which an expression says some */
} fields[] = {
    {"Subject", VALUES_ANY, true},
    {"Thread-Topic", VALUES_ANY, true},
    {"Comments", VALUES_ANY, true},
    {"X-Mailer", VALUES_ANY, true},
    {"User-Agent", VALUES_ANY, true},
    {"Received", VALUES_ANY, true},
    {"Authentication-Results", VALUES_ANY, true},
    {"X-Spam-Status", VALUES_ANY, true},
    {"From", VALUES_ADDRESSES, false},
    {"Sender", VALUES_ADDRESSES, false},
    {"Reply-To", VALUES_ADDRESSES, false},
    {"Return-Path", VALUES_ADDRESSES, false},
    {"Errors-To", VALUES_ADDRESSES, false},
    {"To", VALUES_ADDRESSES, false},
    {"Cc", VALUES_ADDRESSES, false},
    {"Bcc", VALUES_ADDRESSES, false},
    {"Resent-From", VALUES_ADDRESSES, false},
    {"Resent-To", VALUES_ADDRESSES, false},
    {"Resent-Cc", VALUES_ADDRESSES, false},
    {"Delivered-To", VALUES_ADDRESSES, false},
    {"X-Original-To", VALUES_ADDRESSES, false},
    {"List-Id", VALUES_ANGLES, false},
    {"List-Unsubscribe", VALUES_ANGLES, false},
    {"Message-ID", VALUES_ANGLES, false},
    {"In-Reply-To", VALUES_ANGLES, false},
    {"References", VALUES_ANGLES, false},
};

/* What an expression is matched with, and what it looks like. */
struct whole {
    const struct lint *lint;
    const struct lint_regex *regex;
    enum regex_values values;
    const char *field; /* of a header */
    bool prose;
    bool begins, ends; /* with an anchor */
    char *base;        /* the expression without these, in parentheses if it needs them */
    bool has_at;
};

static void learn_subject(struct whole *whole, const struct test *test)
{
    static const enum regex_values subjects[] = {
        [SUBJECT_SENDER] = VALUES_SENDER,  [SUBJECT_FROM] = VALUES_ADDRESS, [SUBJECT_USER] = VALUES_LOGIN,
        [SUBJECT_CLIENT] = VALUES_NETWORK, [SUBJECT_LISTENER] = VALUES_ANY,
    };
    const struct header_test *header = header_test_of(test);
    const struct subject_test *subject = subject_test_of(test);

    whole->values = test == NULL ? VALUES_DOMAIN : subject != NULL ? subjects[subject->subject] : VALUES_ANY;
    whole->field = header != NULL ? header->name->text : NULL;
    for (unsigned i = 0; whole->field != NULL && i < G_N_ELEMENTS(fields); i++)
        if (g_ascii_strcasecmp(fields[i].name, whole->field) == 0) {
            whole->values = fields[i].values;
            whole->prose = fields[i].prose;
        }
}

static bool is_anchor(const char *pattern, const struct regex_node *node, char sign)
{
    return node->kind == REGEX_OTHER && node->length == 1 && pattern[node->offset] == sign;
}

static void learn_form(struct whole *whole)
{
    const char *pattern = whole->regex->item->text;
    const GPtrArray *nodes = whole->regex->parts->nodes, *branches = whole->regex->parts->branches;
    size_t length = strlen(pattern), first, last;

    for (unsigned i = 0; i < nodes->len; i++) {
        const struct regex_node *node = g_ptr_array_index(nodes, i);
        whole->begins = whole->begins || (i == 0 && is_anchor(pattern, node, '^'));
        whole->ends = whole->ends || (i + 1 == nodes->len && is_anchor(pattern, node, '$'));
        whole->has_at = whole->has_at || (node->kind == REGEX_CHARACTER && node->character == '@');
    }
    /* Of `^a|b$` each belongs to one part alone. */
    first = branches->len == 1 && whole->begins ? 1 : 0;
    last = branches->len == 1 && whole->ends && length > first ? length - 1 : length;
    whole->base = g_strndup(pattern + first, last - first);
    if (branches->len > 1) {
        char *inner = whole->base;
        whole->base = g_strdup_printf("(%s)", inner);
        g_free(inner);
    }
}

/* ---- what to write instead */

static bool can_match(const char *pattern, enum regex_values values)
{
    g_autofree char *message = NULL;
    size_t offset;
    auto_free(pattern) compiled = pattern_compile(pattern, &offset, &message);
    auto_free(regex) regex = compiled != NULL ? regex_parse(pattern) : NULL;

    return regex != NULL && regex_can_match(regex, pattern, values);
}

/* `before`, the expression and `after`, if values can be so; else NULL. */
static char *joined(const struct whole *whole, const char *before, const char *base, const char *after)
{
    g_autofree char *pattern = g_strconcat(before, base, after, NULL);

    return can_match(pattern, whole->values) ? g_steal_pointer(&pattern) : NULL;
}

/* A domain without what may be before it: an `@`, a dot. */
static const char *bare_domain(const char *base)
{
    const char *at = strrchr(base, '@');
    const char *domain = at != NULL ? at + 1 : base;

    return g_str_has_prefix(domain, "\\.") ? domain + 2 : domain;
}

static char *better_domain(const struct whole *whole)
{
    const char *domain = bare_domain(whole->base);
    bool below = domain >= whole->base + 2 && domain[-1] == '.';

    return joined(whole, below ? "(.+\\.)?" : "", domain, "");
}

static char *better_address(const struct whole *whole)
{
    const char *domain = bare_domain(whole->base);
    char *better = NULL;

    if (!whole->has_at) {
        if (!whole->begins && can_match(domain, VALUES_DOMAIN))
            return joined(whole, ".*@(.+\\.)?", domain, "");
        return joined(whole, whole->begins ? "" : ".*", whole->base, ".*");
    }
    if (!whole->ends)
        better = joined(whole, "", whole->base, ".*");
    if (better == NULL && !whole->begins)
        better = joined(whole, ".*", whole->base, "");
    return better != NULL ? better : joined(whole, ".*", whole->base, ".*");
}

static char *better(const struct whole *whole)
{
    bool part = whole->field != NULL && !whole->prose && whole->values != VALUES_ANY;

    switch (whole->values) {
    case VALUES_DOMAIN:
        return better_domain(whole);
    case VALUES_ADDRESS:
    case VALUES_SENDER:
    case VALUES_LOGIN:
        return better_address(whole);
    case VALUES_NETWORK:
        return joined(whole, "", whole->base, ".*");
    default:
        return joined(whole, whole->begins && !part ? "" : ".*", whole->base, whole->ends && !part ? "" : ".*");
    }
}

/* ---- what is wrong */

static bool matches(const struct whole *whole, const char *value)
{
    auto_free(pattern_budget) budget = pattern_budget_new();
    return pattern_match(whole->regex->pattern, value, budget) != PATTERN_NO;
}

/* Values that are rare, and what an expression may well be for. */
static bool is_for_a_rare_value(const struct whole *whole)
{
    static const char *const values[] = {"", "<>", "localhost", "root", "root@localhost", "undisclosed-recipients:;"};

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        if (matches(whole, values[i]))
            return true;
    return strstr(whole->base, "localhost") != NULL;
}

static bool has_wild(const struct whole *whole)
{
    const GPtrArray *nodes = whole->regex->parts->nodes;

    for (unsigned i = 0; i < nodes->len; i++) {
        const struct regex_node *node = g_ptr_array_index(nodes, i);
        if (node->most == REGEX_NO_BOUND && (node->kind == REGEX_ANY || (node->kind == REGEX_SET && node->letters)))
            return true;
    }
    return false;
}

/* "no domain": what it cannot match; NULL if it can.  To be freed with g_free. */
static char *unmatched(const struct whole *whole)
{
    static const char *const names[] = {
        [VALUES_DOMAIN] = "domain",    [VALUES_ADDRESS] = "address",    [VALUES_SENDER] = "address",
        [VALUES_LOGIN] = "login name", [VALUES_NETWORK] = "IP address",
    };

    if (regex_can_match(whole->regex->parts, whole->regex->item->text, whole->values))
        return NULL;
    if (whole->values == VALUES_ADDRESSES)
        return g_strdup_printf("no `%s` with an address", whole->field);
    if (whole->values == VALUES_ANGLES)
        return g_strdup_printf("no `%s` with its `<` and `>`", whole->field);
    return g_strdup_printf("no %s", names[whole->values]);
}

static bool warn(const struct whole *whole, const char *what)
{
    g_autofree char *instead = better(whole);
    g_autoptr(GString) advice = g_string_new(NULL);

    if (instead != NULL) {
        g_string_append(advice, "; write ");
        lexer_append_regex(advice, instead);
    } else if (whole->values == VALUES_DOMAIN) {
        g_string_append(advice, "; a domain has a dot and no `@`");
    } else if (whole->values == VALUES_NETWORK) {
        g_string_append(advice, "; `client` is never a name");
    }
    lint_warn(whole->lint, LINT_WHOLE_VALUE, policy_pattern_offset(whole->lint->policy, whole->regex->item, 0),
              "this matches %s, since an expression has to match the whole value%s", what, advice->str);
    return true;
}

static bool look(const struct whole *whole)
{
    g_autofree char *what = unmatched(whole);
    bool half = whole->begins != whole->ends;

    if (whole->regex->item->text[0] == '\0' || is_for_a_rare_value(whole))
        return false;
    if (what != NULL)
        return warn(whole, what);
    if (whole->field == NULL || whole->values != VALUES_ANY || (whole->begins && whole->ends))
        return false;
    /* Of prose some words are meant; and who writes one anchor takes the other end to be open. */
    if (!(whole->prose && !has_wild(whole)) &&
        !(half && !(whole->begins ? regex_ends_open : regex_begins_open)(whole->regex->parts)))
        return false;
    g_autofree char *only = g_strdup_printf("`%s` only where it is all of it", whole->field);
    return warn(whole, only);
}

bool lint_whole_value(const struct lint *lint, const struct lint_regex *regex, const struct test *test)
{
    struct whole whole = {.lint = lint, .regex = regex};

    learn_subject(&whole, test);
    learn_form(&whole);
    bool said = look(&whole);
    g_free(whole.base);
    return said;
}
