/*
 * lint_slow - regular expressions that a value can take beyond their limit.
 *
 * What the expression looks like says where to push, no more: values are made
 * up that repeat what it repeats and end in what it cannot match, and are handed
 * to it with the limit that the daemon has.
 */

#include "policy/lint/lint_regex.h"

#include <string.h>

/* At most this many places of one expression are pushed at, that many branches of a group, and that many of its words.
 */
#define PLACES_LIMIT   12u
#define BRANCHES_LIMIT 4u
#define WORDS_LIMIT    8u

/* How much of such a value is shown. */
#define SHOWN_VALUE_LIMIT 30

/* A value: what comes first, what is repeated, what comes last. */
struct push {
    const char *before;
    const char *unit;
    const char *behind;
};

struct pushing {
    struct lint_slow *slow;
    const struct lint_regex *regex;
    const struct regex_node *at;
    bool said;
};

static GString *push_value(const struct push *push, size_t times)
{
    GString *value = g_string_new(push->before);

    for (size_t i = 0; i < times; i++)
        g_string_append(value, push->unit);
    return g_string_append(value, push->behind);
}

static bool is_beyond(struct pushing *pushing, const struct push *push, size_t times)
{
    g_autoptr(GString) value = push_value(push, times);
    auto_free(pattern_budget) budget = pattern_budget_new();
    bool beyond = pattern_match(pushing->regex->pattern, value->str, budget) == PATTERN_LIMIT;

    pushing->slow->left -= MIN(pushing->slow->left, pattern_budget_tried(budget));
    return beyond;
}

static void warn(struct pushing *pushing, const struct push *push, size_t times)
{
    g_autoptr(GString) value = push_value(push, times);
    const struct lint *lint = pushing->slow->lint;
    size_t offset = pushing->at != NULL ? pushing->at->offset : 0;
    glong length = g_utf8_strlen(value->str, -1);
    g_autofree char *shown = g_utf8_substring(value->str, 0, MIN(length, SHOWN_VALUE_LIMIT));

    lint_warn(lint, LINT_SLOW_REGEX, policy_pattern_offset(lint->policy, pushing->regex->item, offset),
              "\"%s%s\", a value of %ld characters, takes this beyond its limit of %u steps, which is a fault", shown,
              length > SHOWN_VALUE_LIMIT ? "..." : "", length, PATTERN_MATCH_LIMIT);
    pushing->said = true;
}

/* Tries the longest value; if that is beyond the limit, looks for the shortest. */
static void try(struct pushing *pushing, const char *before, const char *unit, const char *behind)
{
    const struct push push = {before, unit, behind};
    size_t fixed = strlen(before) + strlen(behind);
    size_t low = 0, high;

    if (pushing->said || pushing->slow->left == 0 || fixed > pushing->regex->longest)
        return;
    high = unit[0] == '\0' ? 0 : (pushing->regex->longest - fixed) / strlen(unit);
    if (!is_beyond(pushing, &push, high))
        return;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (is_beyond(pushing, &push, middle))
            high = middle;
        else
            low = middle;
    }
    warn(pushing, &push, high);
}

/* `rest` is what the expression wants to see after: without it, PCRE2 may not even begin. */
static void try_ends(struct pushing *pushing, const char *before, const char *unit, const char *rest)
{
    g_autofree char *end = g_strconcat(rest, "!", NULL);

    try(pushing, before, unit, end);
    if (rest[0] != '\0')
        try(pushing, before, unit, "!");
    try(pushing, before, unit, "-");
    try(pushing, before, unit, "");
}

/* Repeats what a node repeats, where it is and at the start. */
static void push_node(struct pushing *pushing, const struct regex_node *node)
{
    unsigned branches = node->branches != NULL ? MIN(node->branches->len, BRANCHES_LIMIT) : 1;
    g_autoptr(GString) whole = g_string_new(NULL);
    size_t place;

    pushing->at = node;
    if (!regex_text(pushing->regex->parts, whole, node, "", &place))
        return;
    g_autofree char *before = g_strndup(whole->str, place);
    const char *rest = whole->str + place;
    for (unsigned i = 0; i < branches; i++) {
        g_autoptr(GString) unit = g_string_new(NULL);
        regex_node_text(node, i, unit);
        if (unit->len == 0 || unit->len > REGEX_TEXT_LIMIT)
            continue;
        try_ends(pushing, before, unit->str, rest);
        if (place > 0)
            try_ends(pushing, "", unit->str, rest);
    }
}

/* Characters that are beside each other, from a node on. */
static GString *word_at(const GPtrArray *nodes, unsigned index)
{
    GString *word = g_string_new(NULL);

    for (; index < nodes->len; index++) {
        const struct regex_node *node = g_ptr_array_index(nodes, index);
        if (node->kind != REGEX_CHARACTER || node->least != 1 || node->most != 1)
            break;
        g_string_append_unichar(word, node->character);
    }
    return word;
}

/* Repeats the words of the expression: each one, its first character, and those up to it. */
static void push_words(struct pushing *pushing, const char *rest)
{
    const GPtrArray *nodes = pushing->regex->parts->nodes;
    g_autoptr(GString) together = g_string_new(NULL);
    unsigned words = 0;

    pushing->at = NULL;
    for (unsigned i = 0; i < nodes->len && words < WORDS_LIMIT; i++) {
        g_autoptr(GString) word = word_at(nodes, i);
        if (word->len == 0)
            continue;
        i += (unsigned)g_utf8_strlen(word->str, -1) - 1;
        g_autofree char *first = g_utf8_substring(word->str, 0, 1);
        g_string_append(together, word->str);
        try_ends(pushing, "", first, rest);
        try_ends(pushing, "", word->str, rest);
        if (words++ > 0)
            try_ends(pushing, "", together->str, rest);
    }
}

void lint_slow_regex(struct lint_slow *slow, const struct lint_regex *regex)
{
    struct pushing pushing = {.slow = slow, .regex = regex};
    const GPtrArray *nodes = regex->parts->nodes;
    g_autoptr(GString) whole = g_string_new(NULL);
    unsigned places = 0;
    size_t place;

    if (regex->longest == 0)
        return;
    if (!regex_text(regex->parts, whole, NULL, "", &place))
        return;
    try_ends(&pushing, whole->str, "", "");
    for (unsigned i = 0; i < nodes->len && places < PLACES_LIMIT; i++) {
        const struct regex_node *node = g_ptr_array_index(nodes, i);
        if (node->most <= 1 || node->kind == REGEX_OTHER)
            continue;
        places++;
        push_node(&pushing, node);
    }
    if (places > 0)
        push_words(&pushing, whole->str);
}
