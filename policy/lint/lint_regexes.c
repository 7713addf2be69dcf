/*
 * lint_regexes - regular expressions that match more than they say.  Whether
 * they do is tried: a text is made up and handed to the expression itself.  How
 * long they may take is tried in lint_slow.c.
 */

#include "policy/lint/lint.h"

#include "policy/address/address.h"
#include "policy/conditions/condition_header.h"
#include "policy/conditions/condition_subject.h"
#include "policy/lint/lint_regex.h"

#include <string.h>

/* At most this many bytes of regular expressions are looked at in one policy; a list of names belongs into a table. */
#define REGEXES_LIMIT (32u * 1024)

/* What an expression is matched with. */
enum values { OF_DOMAINS, OF_ADDRESSES, OF_USERS, OF_OTHERS, OF_HEADERS };

/* The longest value that can be chosen by who sends a message; 0 where the MTA chooses. */
static const unsigned longest_values[] = {
    [OF_DOMAINS] = LINT_LONGEST_DOMAIN, [OF_ADDRESSES] = LINT_LONGEST_ADDRESS,
    [OF_USERS] = LINT_LONGEST_DOMAIN,   [OF_OTHERS] = 0,
    [OF_HEADERS] = LINT_LONGEST_HEADER,
};

/* What is at hand while one is looked at. */
struct regex_search {
    const struct lint *lint;
    struct lint_regex regex;
    enum values values;
    const struct test *test; /* NULL of a class */
    bool said;
};

static bool matches(const struct regex_search *looking, const char *text)
{
    auto_free(pattern_budget) budget = pattern_budget_new();
    return pattern_match(looking->regex.pattern, text, budget) == PATTERN_YES;
}

/* Once for each expression: what is fixed in one place is looked at again. */
static void G_GNUC_PRINTF(4, 5)
    warn(struct regex_search *looking, enum lint_name name, const struct regex_node *node, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    lint_warn(looking->lint, name, policy_pattern_offset(looking->lint->policy, looking->regex.item, node->offset),
              "%s", message);
    looking->said = true;
}

/* ---- a dot that means any character */

static bool is_single_dot(const struct regex_node *node)
{
    return node->kind == REGEX_ANY && node->least == 1 && node->most == 1;
}

/* A neighbour that tells that the dot is meant: `mail.\.corp`, `x..y`, `.@corp`. */
static bool tells(const struct regex_node *node)
{
    return is_single_dot(node) || ((node->kind == REGEX_CHARACTER || node->kind == REGEX_SET) &&
                                   (node->character == '.' || node->character == '@'));
}

static void lint_dots(struct regex_search *looking, const GPtrArray *branch)
{
    for (unsigned i = 0; !looking->said && i < branch->len; i++) {
        const struct regex_node *node = g_ptr_array_index(branch, i);
        const struct regex_node *before = i > 0 ? g_ptr_array_index(branch, i - 1) : NULL;
        const struct regex_node *behind = i + 1 < branch->len ? g_ptr_array_index(branch, i + 1) : NULL;
        g_autoptr(GString) text = g_string_new(NULL);
        size_t place;
        for (unsigned j = 0; node->branches != NULL && j < node->branches->len; j++)
            lint_dots(looking, g_ptr_array_index(node->branches, j));
        if (looking->said || !is_single_dot(node) || (before == NULL && behind == NULL) ||
            (before != NULL && tells(before)) || (behind != NULL && tells(behind)))
            continue;
        if (regex_text(looking->regex.parts, text, node, "x", &place) && text->len < 80 && matches(looking, text->str))
            warn(looking, LINT_UNESCAPED_DOT, node,
                 "this `.` matches any character, so \"%s\" matches as well; a dot is written `\\.`", text->str);
        else
            warn(looking, LINT_UNESCAPED_DOT, node, "this `.` matches any character; a dot is written `\\.`");
    }
}

/* ---- names that anyone can register */

/* A text that matches, with the node so filled, and where it is a domain that anyone can register. */
struct trial {
    GString *text;
    bool matches; /* and is a domain, or an address */
    bool open;    /* the same, and the last character of the filling is part of what is registered */
    char behind;  /* what follows the filling */
};

static struct trial try(const struct regex_search *looking, const struct regex_node *node, const char *filling)
{
    struct trial trial = {.text = g_string_new(NULL)};
    size_t place;

    if (!regex_text(looking->regex.parts, trial.text, node, filling, &place))
        return trial;
    const char *domain = looking->values == OF_ADDRESSES ? strrchr(trial.text->str, '@') : trial.text->str - 1;
    if (domain == NULL || !domain_is_name(++domain) || !matches(looking, trial.text->str))
        return trial;
    trial.matches = true;
    trial.behind = trial.text->str[place + strlen(filling)];
    const char *organisation = suffixes_organisation(classes_suffixes(looking->lint->policy->classes), domain);
    trial.open = trial.text->str + place + strlen(filling) - 1 >= organisation &&
                 (looking->values != OF_ADDRESSES || strchr(domain, '.') != NULL);
    return trial;
}

static bool has_at(const struct regex_search *looking, const struct regex_node *node)
{
    g_autoptr(GString) text = g_string_new(NULL);
    size_t place;

    regex_text(looking->regex.parts, text, node, "", &place);
    return strchr(text->str, '@') != NULL;
}

/* What can be as long as it likes, and hold any letter. */
static bool is_wild(const struct regex_node *node)
{
    return node->most == REGEX_NO_BOUND && (node->kind == REGEX_ANY || (node->kind == REGEX_SET && node->letters));
}

static void lint_wild(struct regex_search *looking, const struct regex_node *node)
{
    bool domains = looking->values == OF_DOMAINS;
    bool local = !domains && !has_at(looking, node);
    struct trial plain = try(looking, node, local ? "x@x" : "x");
    struct trial dotted = try(looking, node, local ? "x@x." : "x.");
    bool first = node == g_ptr_array_index(looking->regex.parts->nodes, 0);

    if (plain.open && g_ascii_isalnum(plain.behind) && dotted.matches)
        warn(
            looking, LINT_MISSING_BOUNDARY, node,
            "not only \"%s\" matches, but \"%s\" too, which anyone can register; %s", dotted.text->str, plain.text->str,
            domains ? "write `(.+\\.)?`, or name the domain with a leading dot" : "put `\\.` or `@` before the domain");
    else if (plain.open && domains && first && node->kind == REGEX_ANY)
        warn(looking, LINT_LEADING_WILDCARD, node,
             "this in front may be any name: anyone can register one that matches, such as \"%s\"", plain.text->str);
    else if (plain.open && domains)
        warn(looking, LINT_OPEN_DOMAIN, node,
             "this may be any name: anyone can register one that matches, such as \"%s\"", plain.text->str);
    g_string_free(plain.text, TRUE);
    g_string_free(dotted.text, TRUE);
}

/* `.*` before a dot: it may be nothing, and many labels. */
static void lint_front(struct regex_search *looking)
{
    const GPtrArray *nodes = looking->regex.parts->nodes;
    const struct regex_node *node = nodes->len > 0 ? g_ptr_array_index(nodes, 0) : NULL;

    if (node != NULL && node->kind == REGEX_ANY && node->least == 0 && node->most == REGEX_NO_BOUND)
        warn(looking, LINT_LEADING_WILDCARD, node,
             "`.*` in front matches nothing, and also several labels; `domain` with a leading dot, or "
             "`(.+\\.)?`, says which names are meant");
}

/* ---- */

static void look(struct lint_slow *slow, struct regex_search looking)
{
    g_autofree char *message = NULL;
    size_t offset;
    bool names = looking.values == OF_DOMAINS || looking.values == OF_ADDRESSES;

    looking.regex.pattern = pattern_compile(looking.regex.item->text, &offset, &message);
    looking.regex.parts = regex_parse(looking.regex.item->text);
    const GPtrArray *nodes = looking.regex.parts->nodes;
    const GPtrArray *branches = looking.regex.parts->branches;
    looking.said = lint_whole_value(looking.lint, &looking.regex, looking.test);
    for (unsigned i = 0; !looking.said && looking.values != OF_HEADERS && i < branches->len; i++)
        lint_dots(&looking, g_ptr_array_index(branches, i));
    for (unsigned i = 0; !looking.said && names && i < nodes->len; i++)
        if (is_wild(g_ptr_array_index(nodes, i)))
            lint_wild(&looking, g_ptr_array_index(nodes, i));
    if (!looking.said && looking.values == OF_DOMAINS)
        lint_front(&looking);
    lint_slow_regex(slow, &looking.regex);
    regex_free(looking.regex.parts);
    pattern_free(looking.regex.pattern);
}

struct regexes {
    const struct lint *lint;
    struct lint_slow slow;
    size_t left; /* of REGEXES_LIMIT */
};

static void look_at(struct regexes *regexes, const struct item *item, const struct test *test, enum values values)
{
    struct regex_search looking = {
        .lint = regexes->lint,
        .regex = {.item = item, .longest = longest_values[values]},
        .values = values,
        .test = test,
    };
    size_t size = strlen(item->text);

    if (size > regexes->left) {
        regexes->left = 0;
        return;
    }
    regexes->left -= size;
    look(&regexes->slow, looking);
}

static void look_at_test(void *data, const struct test *test)
{
    const struct header_test *header = header_test_of(test);
    const struct subject_test *subject = subject_test_of(test);

    if (header != NULL && header->comparison.relation == RELATION_MATCHES)
        look_at(data, header->comparison.operand, test, OF_HEADERS);
    if (subject != NULL && subject->comparison.relation == RELATION_MATCHES)
        look_at(data, subject->comparison.operand, test,
                subject_is_address(subject->subject) ? OF_ADDRESSES
                : subject->subject == SUBJECT_USER   ? OF_USERS
                                                     : OF_OTHERS);
}

void lint_regexes(const struct lint *lint)
{
    const struct policy *policy = lint->policy;
    struct regexes regexes = {.lint = lint, .slow = {.lint = lint, .left = LINT_SLOW_LIMIT}, .left = REGEXES_LIMIT};

    for (unsigned i = 0; i < policy->statements->len; i++) {
        const struct class_statement *class = g_ptr_array_index(policy->statements, i);
        for (unsigned j = 0; j < class->items->len; j++) {
            const struct class_item *entry = g_ptr_array_index(class->items, j);
            if (entry->kind == CLASS_MATCH)
                look_at(&regexes, entry->item, NULL, OF_DOMAINS);
        }
    }
    policy_each_test(policy, look_at_test, &regexes);
}
