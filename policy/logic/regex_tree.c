/* regex_tree - see regex_tree.h */

#include "policy/logic/regex_tree.h"

#include "policy/base/pattern.h"

#include <string.h>

/* What a set is asked for, the likelier first. */
static const char candidates[] = "xa0.-_@ bcdefghijklmnopqrstuvwyz123456789!#$%&'*+/=?^`{|}~,;:()<>[]\"\\";

/* At most this many nodes are written for one text, which an empty group may be told to repeat without end. */
#define NODES_LIMIT 20000u

struct regex_reader {
    const char *pattern;
    const char *next;
    struct regex *regex;
    struct pattern_budget *budget;
};

static void read_branches(struct regex_reader *reader, GPtrArray *branches);

static void node_free(struct regex_node *node)
{
    if (node->branches != NULL)
        g_ptr_array_unref(node->branches);
    g_free(node);
}

static struct regex_node *node_new(struct regex_reader *reader, enum regex_kind kind)
{
    struct regex_node *node = g_new0(struct regex_node, 1);

    node->kind = kind;
    node->offset = (size_t)(reader->next - reader->pattern);
    node->least = node->most = 1;
    g_ptr_array_add(reader->regex->nodes, node);
    return node;
}

/* ---- sets */

/* After the set that begins here: a bracket at its start belongs to it, and so do [:classes:]. */
static const char *set_end(const char *p)
{
    p++;
    p += *p == '^';
    p += *p == ']';
    while (*p != '\0' && *p != ']') {
        if (p[0] == '[' && p[1] == ':' && strstr(p, ":]") != NULL)
            p = strstr(p, ":]") + 2;
        else if (g_str_has_prefix(p, "\\Q") && strstr(p, "\\E") != NULL)
            p = strstr(p, "\\E") + 2;
        else
            p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
    }
    return *p == ']' ? p + 1 : p;
}

/* Asks PCRE2 what is in a set. */
static void fill_set(struct regex_reader *reader, struct regex_node *node)
{
    g_autofree char *text = g_strndup(reader->pattern + node->offset, node->length);
    g_autofree char *message = NULL;
    size_t offset;
    auto_free(pattern) pattern = pattern_compile(text, &offset, &message);

    for (const char *p = candidates; pattern != NULL && node->character == 0 && *p != '\0'; p++) {
        const char subject[] = {*p, '\0'};
        if (pattern_match(pattern, subject, reader->budget) == PATTERN_YES)
            node->character = (gunichar)*p;
    }
    node->letters = node->character == 'x';
}

/* ---- escapes */

/* After `{...}`, `<...>` or `'...'` that begins here, or here. */
static const char *over_braces(const char *p)
{
    const char *ends[][2] = {{"{", "}"}, {"<", ">"}, {"'", "'"}};

    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        const char *end = *p == ends[i][0][0] ? strchr(p + 1, ends[i][1][0]) : NULL;
        if (end != NULL)
            return end + 1;
    }
    return p;
}

/* Between \Q and \E every character is itself; `next` is at either. */
static void read_quoted(struct regex_reader *reader, GPtrArray *branch, bool begins)
{
    const char *end = begins ? strstr(reader->next, "\\E") : NULL;

    reader->next += 2;
    while (begins && *reader->next != '\0' && reader->next != end) {
        struct regex_node *node = node_new(reader, REGEX_CHARACTER);
        node->character = g_utf8_get_char(reader->next);
        reader->next = g_utf8_next_char(reader->next);
        node->length = (size_t)(reader->next - reader->pattern) - node->offset;
        g_ptr_array_add(branch, node);
    }
    if (end != NULL)
        reader->next = end + 2;
}

/* `next` is at the backslash. */
static void read_escape(struct regex_reader *reader, GPtrArray *branch)
{
    const char *start = reader->next, *p = start + 2;
    char c = start[1];
    struct regex_node *node;

    if (c == '\0') {
        reader->next = start + 1;
        return;
    }
    if (c == 'Q' || c == 'E') {
        read_quoted(reader, branch, c == 'Q');
        return;
    }
    if ((guchar)c >= 0x80 || !g_ascii_isalnum(c)) {
        node = node_new(reader, REGEX_CHARACTER);
        node->character = g_utf8_get_char(start + 1);
        p = g_utf8_next_char(start + 1);
    } else if (strchr("dDwWsShHvVNpPxonrtfea", c) != NULL) {
        node = node_new(reader, REGEX_SET);
        if (strchr("pP", c) != NULL)
            p = *p == '{' ? over_braces(p) : *p != '\0' ? p + 1 : p;
        else if (c == 'x' && *p != '{')
            p += strspn(p, "0123456789abcdefABCDEF") > 1 ? 2 : strspn(p, "0123456789abcdefABCDEF");
        else if (strchr("xoN", c) != NULL)
            p = over_braces(p);
    } else {
        node = node_new(reader, REGEX_OTHER);
        if (strchr("gkc", c) != NULL)
            p = over_braces(p) != p ? over_braces(p) : *p != '\0' ? p + 1 : p;
        else if (g_ascii_isdigit(c))
            p += strspn(p, "0123456789");
    }
    node->length = (size_t)(p - start);
    reader->next = p;
    if (node->kind == REGEX_SET)
        fill_set(reader, node);
    g_ptr_array_add(branch, node);
}

/* ---- groups */

/* After what is between the parenthesis and the group's text; `*known` is false if it is no plain group. */
static const char *group_start(const char *p, bool *known)
{
    *known = true;
    if (*p == '*') {
        *known = false;
        return p + 1;
    }
    if (*p != '?')
        return p;
    p++;
    if (*p == ':' || *p == '>' || *p == '|')
        return p + 1;
    if ((*p == 'P' && p[1] == '<') || *p == '\'' || (*p == '<' && p[1] != '=' && p[1] != '!'))
        return over_braces(p + (*p == 'P'));
    if (g_ascii_isalpha(*p) || *p == '^' || *p == '-') {
        const char *end = p + strspn(p, "^-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (*end == ':')
            return end + 1;
    }
    /* A look around, a condition, a comment, an option, a call. */
    *known = false;
    return p;
}

/* Makes of a node one that means nothing. */
static void forget(struct regex_node *node)
{
    node->kind = REGEX_OTHER;
    g_clear_pointer(&node->branches, g_ptr_array_unref);
}

/* `next` is at the parenthesis. */
static void read_group(struct regex_reader *reader, GPtrArray *branch)
{
    unsigned first = reader->regex->nodes->len;
    struct regex_node *node = node_new(reader, REGEX_GROUP);
    bool known;

    if (g_str_has_prefix(reader->next, "(?#")) {
        reader->next += strcspn(reader->next, ")");
        node->kind = REGEX_OTHER;
    } else {
        reader->next = group_start(reader->next + 1, &known);
        node->branches = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
        read_branches(reader, node->branches);
        for (unsigned i = first; !known && i < reader->regex->nodes->len; i++)
            forget(g_ptr_array_index(reader->regex->nodes, i));
    }
    if (*reader->next == ')')
        reader->next++;
    node->length = (size_t)(reader->next - reader->pattern) - node->offset;
    g_ptr_array_add(branch, node);
}

/* ---- how often */

/* {2}, {2,}, {2,3}: false if the brace is a character like any other. */
static bool read_braces(struct regex_reader *reader, unsigned *least, unsigned *most)
{
    const char *first = reader->next + 1, *second = first;
    const char *p = first + strspn(first, "0123456789");

    if (p == first)
        return false;
    if (*p == ',') {
        second = p + 1;
        p = second + strspn(second, "0123456789");
    }
    if (*p != '}')
        return false;
    *least = (unsigned)MIN(g_ascii_strtoull(first, NULL, 10), 65535);
    *most = second == p ? REGEX_NO_BOUND : (unsigned)MIN(g_ascii_strtoull(second, NULL, 10), 65535);
    reader->next = p + 1;
    return true;
}

static void read_often(struct regex_reader *reader, struct regex_node *node)
{
    unsigned least = 1, most = 1;

    switch (*reader->next) {
    case '*':
        least = 0;
        most = REGEX_NO_BOUND;
        break;
    case '+':
        most = REGEX_NO_BOUND;
        break;
    case '?':
        least = 0;
        break;
    case '{':
        if (!read_braces(reader, &least, &most))
            return;
        reader->next--;
        break;
    default:
        return;
    }
    reader->next++;
    /* Lazy or possessive. */
    if (*reader->next == '?' || *reader->next == '+')
        reader->next++;
    node->least = least;
    node->most = most;
}

/* ---- */

static void read_node(struct regex_reader *reader, GPtrArray *branch)
{
    struct regex_node *node;
    unsigned before = branch->len;

    switch (*reader->next) {
    case '\\':
        read_escape(reader, branch);
        break;
    case '(':
        read_group(reader, branch);
        break;
    case '[':
        node = node_new(reader, REGEX_SET);
        reader->next = set_end(reader->next);
        node->length = (size_t)(reader->next - reader->pattern) - node->offset;
        fill_set(reader, node);
        g_ptr_array_add(branch, node);
        break;
    default:
        node = node_new(reader, *reader->next == '.'                           ? REGEX_ANY
                                : *reader->next == '^' || *reader->next == '$' ? REGEX_OTHER
                                                                               : REGEX_CHARACTER);
        node->character = node->kind == REGEX_ANY ? 'x' : g_utf8_get_char(reader->next);
        reader->next = g_utf8_next_char(reader->next);
        node->length = (size_t)(reader->next - reader->pattern) - node->offset;
        g_ptr_array_add(branch, node);
    }
    if (branch->len > before)
        read_often(reader, g_ptr_array_index(branch, branch->len - 1));
}

static void read_branches(struct regex_reader *reader, GPtrArray *branches)
{
    GPtrArray *branch = g_ptr_array_new();

    g_ptr_array_add(branches, branch);
    while (*reader->next != '\0' && *reader->next != ')') {
        if (*reader->next == '|') {
            branch = g_ptr_array_new();
            g_ptr_array_add(branches, branch);
            reader->next++;
        } else {
            read_node(reader, branch);
        }
    }
}

struct regex *regex_parse(const char *pattern)
{
    struct regex *regex = g_new0(struct regex, 1);
    struct regex_reader reader = {.pattern = pattern, .next = pattern, .regex = regex, .budget = pattern_budget_new()};

    regex->nodes = g_ptr_array_new_with_free_func((GDestroyNotify)node_free);
    regex->branches = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    read_branches(&reader, regex->branches);
    pattern_budget_free(reader.budget);
    return regex;
}

void regex_free(struct regex *regex)
{
    g_ptr_array_unref(regex->branches);
    g_ptr_array_unref(regex->nodes);
    g_free(regex);
}

/* ---- texts */

struct writer {
    GString *text;
    const struct regex_node *at;
    const char *filling;
    size_t place;
    unsigned nodes;
};

static void write_branches(struct writer *writer, const GPtrArray *branches, unsigned choice);

/* Whether a node is another, or has it within it; nodes are in the order of their places. */
static bool holds(const struct regex_node *node, const struct regex_node *inner)
{
    return inner != NULL && inner->offset >= node->offset && inner->offset < node->offset + node->length;
}

static bool branch_holds(const GPtrArray *branch, const struct regex_node *inner)
{
    for (unsigned i = 0; i < branch->len; i++)
        if (holds(g_ptr_array_index(branch, i), inner))
            return true;
    return false;
}

static void write_once(struct writer *writer, const struct regex_node *node, unsigned choice)
{
    if (node->kind == REGEX_GROUP)
        write_branches(writer, node->branches, choice);
    else if (node->kind != REGEX_OTHER && node->character != 0)
        g_string_append_unichar(writer->text, node->character);
}

static void write_node(struct writer *writer, const struct regex_node *node)
{
    unsigned times = holds(node, writer->at) ? MAX(node->least, 1) : node->least;

    if (node == writer->at) {
        writer->place = writer->text->len;
        g_string_append(writer->text, writer->filling);
        return;
    }
    for (unsigned i = 0; i < times && writer->text->len <= REGEX_TEXT_LIMIT && writer->nodes++ < NODES_LIMIT; i++)
        write_once(writer, node, 0);
}

static void write_branches(struct writer *writer, const GPtrArray *branches, unsigned choice)
{
    const GPtrArray *branch = g_ptr_array_index(branches, MIN(choice, branches->len - 1));

    for (unsigned i = 0; i < branches->len; i++)
        if (branch_holds(g_ptr_array_index(branches, i), writer->at))
            branch = g_ptr_array_index(branches, i);
    for (unsigned i = 0; i < branch->len; i++)
        write_node(writer, g_ptr_array_index(branch, i));
}

bool regex_text(const struct regex *regex, GString *text, const struct regex_node *at, const char *filling,
                size_t *place)
{
    struct writer writer = {.text = text, .at = at, .filling = filling, .place = G_MAXSIZE};

    write_branches(&writer, regex->branches, 0);
    if (text->len > REGEX_TEXT_LIMIT || writer.nodes > NODES_LIMIT || (at != NULL && writer.place == G_MAXSIZE))
        return false;
    *place = at != NULL ? writer.place : text->len;
    return true;
}

void regex_node_text(const struct regex_node *node, unsigned branch, GString *text)
{
    struct writer writer = {.text = text};

    write_once(&writer, node, branch);
}
