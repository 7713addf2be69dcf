/* template - see template.h */

#include "policy/syntax/template.h"

#include "policy/base/braces.h"

#include "policy/base/escape.h"
#include "policy/base/source.h"
#include "policy/base/suggest.h"
#include "policy/state/state.h"
#include "policy/syntax/class_names.h"

#include <string.h>

enum variable {
    VARIABLE_LITERAL,
    VARIABLE_COUNT,
    VARIABLE_COUNTED,
    VARIABLE_WITHIN,
    VARIABLE_INSIDE,
    VARIABLE_RULE,
    VARIABLE_SENDER,
    VARIABLE_USER,
    VARIABLE_QUEUE_ID,
    VARIABLE_CONTACT,
    VARIABLE_OVERRIDE,
};

struct template_part {
    enum variable variable;
    char *literal;
    enum count count;
    class_mask mask;
    bool names_class;
    size_t offset; /* of a count, in the source */
};

struct text {
    GArray *parts; /* struct template_part */
};

static const char *const variable_names[] = {"visible", "parties", "domains", "recipients", "hidden",
                                             "count",   "rule",    "sender",  "user",       "queue-id",
                                             "contact", "within",  "inside",  "override",   NULL};

/* What is needed while a template is parsed. */
struct template_parser {
    const char *template;
    const struct template_scope *scope;
    size_t offset;
    struct diags *diags;
    bool failed;
    struct text *text;
};

/* Where the byte `index` of the string's value is in the source: after the quote, each escape two bytes long. */
static size_t raw_offset(const struct template_parser *parser, size_t index)
{
    const char *raw = parser->scope->source->text + parser->offset + 1;
    const char *p = raw;

    for (size_t i = 0; i < index && *p != '\0'; i++)
        p += *p == '\\' ? 2 : 1;
    return parser->offset + 1 + (size_t)(p - raw);
}

static void G_GNUC_PRINTF(3, 4) fail(struct template_parser *parser, const char *where, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    source_diag(parser->scope->source, raw_offset(parser, (size_t)(where - parser->template)), parser->diags,
                DIAG_ERROR, "%s", message);
    parser->failed = true;
}

static void add_literal(struct text *text, const char *from, size_t length)
{
    struct template_part part = {.variable = VARIABLE_LITERAL};

    if (length == 0)
        return;
    part.literal = g_strndup(from, length);
    g_array_append_val(text->parts, part);
}

static bool count_variable(const char *word, enum count *count)
{
    for (unsigned i = 0; i < COUNT_KINDS; i++) {
        if (strcmp(count_name((enum count)i), word) == 0) {
            *count = (enum count)i;
            return true;
        }
    }
    return false;
}

static void add_count(struct template_parser *parser, const char *where, enum count count, const char *class_name)
{
    /* Visible ones are those outside unless a class is named; hidden and envelope ones are all. */
    struct template_part part = {
        .variable = VARIABLE_COUNT,
        .count = count,
        .names_class = class_name != NULL,
        .offset = raw_offset(parser, (size_t)(where - parser->template)),
    };
    g_autofree char *wrong = NULL;

    part.mask = count == COUNT_HIDDEN || count == COUNT_RECIPIENTS ? CLASS_ALL : CLASS_EXTERNAL;
    if (class_name != NULL && !class_names_find_counted(parser->scope->class_names, class_name, &part.mask, &wrong)) {
        if (wrong != NULL)
            fail(parser, where, "%s", wrong);
        return;
    }
    g_array_append_val(parser->text->parts, part);
}

/* Why a variable has no value there, or NULL. */
static const char *refusal_of(const struct template_scope *scope, enum variable variable)
{
    if (variable == VARIABLE_CONTACT && !scope->has_contact)
        return "`{contact}` needs a statement such as `contact \"postmaster@corp.example\"`";
    if (variable == VARIABLE_COUNTED && !scope->has_count)
        return "`{count}` is what the rule counted, and there is no count here, or none without `not`";
    if (variable == VARIABLE_WITHIN && !scope->has_window)
        return "`{within}` is what the rule counted within a time, and there is no such count here, or none without "
               "`not`";
    if (variable == VARIABLE_INSIDE && !scope->has_inside)
        return "`{inside}` is what the rule counted inside parts, and there is no such count here, or none without "
               "`not`";
    if (variable == VARIABLE_OVERRIDE && !scope->has_override)
        return "`{override}` is where to send the message again, and needs `override 15m` after the text";
    return NULL;
}

/* What is between braces: NAME or COUNT CLASS. */
static void add_variable(struct template_parser *parser, const char *where, const char *content)
{
    static const struct {
        const char *name;
        enum variable variable;
    } simple[] = {
        {"count", VARIABLE_COUNTED}, {"rule", VARIABLE_RULE},         {"sender", VARIABLE_SENDER},
        {"user", VARIABLE_USER},     {"queue-id", VARIABLE_QUEUE_ID}, {"contact", VARIABLE_CONTACT},
        {"within", VARIABLE_WITHIN}, {"inside", VARIABLE_INSIDE},     {"override", VARIABLE_OVERRIDE},
    };
    g_auto(GStrv) words = g_strsplit(content, " ", -1);
    unsigned length = g_strv_length(words);
    enum count count;

    if (length >= 1 && length <= 2 && count_variable(words[0], &count)) {
        add_count(parser, where, count, words[1]);
        return;
    }
    for (unsigned i = 0; length == 1 && i < G_N_ELEMENTS(simple); i++) {
        struct template_part part = {.variable = simple[i].variable};
        if (strcmp(simple[i].name, content) != 0)
            continue;
        const char *refusal = refusal_of(parser->scope, part.variable);
        if (refusal != NULL)
            fail(parser, where, "%s", refusal);
        else
            g_array_append_val(parser->text->parts, part);
        return;
    }
    const char *nearest = diag_nearest(length > 0 ? words[0] : content, variable_names);
    if (nearest != NULL)
        fail(parser, where, "there is no variable `{%s}`; did you mean `{%s}`?", content, nearest);
    else
        fail(parser, where, "there is no variable `{%s}`; a brace is written `{{`", content);
}

struct text *text_parse(const char *template, const struct template_scope *scope, size_t offset, struct diags *diags)
{
    struct text *text = g_new0(struct text, 1);
    struct template_parser parser = {
        .template = template,
        .scope = scope,
        .offset = offset,
        .diags = diags,
        .text = text,
    };
    struct brace_piece piece;

    text->parts = g_array_new(FALSE, FALSE, sizeof(struct template_part));
    for (const char *rest = template; (piece = braces_next(&rest)).kind != BRACE_END;) {
        if (piece.kind == BRACE_OPEN) {
            fail(&parser, piece.from, "this `{` has no `}`; a brace is written `{{`");
            break;
        }
        if (piece.kind == BRACE_VARIABLE) {
            g_autofree char *content = g_strndup(piece.from, piece.length);
            add_variable(&parser, piece.from - 1, content);
        } else {
            add_literal(text, piece.from, piece.length);
        }
    }
    if (parser.failed) {
        text_free(text);
        return NULL;
    }
    return text;
}

void text_free(struct text *text)
{
    if (text == NULL)
        return;
    for (unsigned i = 0; i < text->parts->len; i++)
        g_free(g_array_index(text->parts, struct template_part, i).literal);
    g_array_unref(text->parts);
    g_free(text);
}

bool text_names_class(const struct text *text, class_mask class)
{
    for (unsigned i = 0; i < text->parts->len; i++) {
        const struct template_part *part = &g_array_index(text->parts, struct template_part, i);
        if (part->variable == VARIABLE_COUNT && part->mask == class)
            return true;
    }
    return false;
}

static bool has_variable(const struct text *text, enum variable variable)
{
    for (unsigned i = 0; i < text->parts->len; i++)
        if (g_array_index(text->parts, struct template_part, i).variable == variable)
            return true;
    return false;
}

bool text_names_window(const struct text *text)
{
    return has_variable(text, VARIABLE_WITHIN);
}

bool text_names_inside(const struct text *text)
{
    return has_variable(text, VARIABLE_INSIDE);
}

bool text_names_override(const struct text *text)
{
    return has_variable(text, VARIABLE_OVERRIDE);
}

bool text_names_contact(const struct text *text)
{
    return has_variable(text, VARIABLE_CONTACT);
}

bool text_plain_count(const struct text *text, unsigned index, struct text_count *found)
{
    for (unsigned i = 0; i < text->parts->len; i++) {
        const struct template_part *part = &g_array_index(text->parts, struct template_part, i);
        if (part->variable != VARIABLE_COUNT || part->names_class || index-- > 0)
            continue;
        *found = (struct text_count){part->count, part->mask, part->offset};
        return true;
    }
    return false;
}

static void append_within(GString *line, const struct text_values *values)
{
    if (!values->has_within)
        g_string_append_c(line, '?');
    else if (values->within == STATE_WINDOW_MANY)
        g_string_append_printf(line, "more than %u", STATE_WINDOW_LIMIT);
    else
        g_string_append_printf(line, "%u", values->within);
}

static void append_inside(GString *line, const struct text_values *values)
{
    if (values->has_inside)
        g_string_append_printf(line, "%u", values->inside);
    else
        g_string_append_c(line, '?');
}

char *text_expand(const struct text *text, const struct text_values *values)
{
    GString *line = g_string_new(NULL);

    for (unsigned i = 0; i < text->parts->len; i++) {
        const struct template_part *part = &g_array_index(text->parts, struct template_part, i);
        switch (part->variable) {
        case VARIABLE_LITERAL:
            g_string_append(line, part->literal);
            break;
        case VARIABLE_COUNT:
            g_string_append_printf(line, "%u", exposure_count(values->exposure, part->count, part->mask));
            break;
        case VARIABLE_COUNTED:
            g_string_append_printf(line, "%u", exposure_count(values->exposure, values->counted, values->counted_mask));
            break;
        case VARIABLE_WITHIN:
            append_within(line, values);
            break;
        case VARIABLE_INSIDE:
            append_inside(line, values);
            break;
        case VARIABLE_RULE:
            g_string_append(line, values->rule);
            break;
        case VARIABLE_SENDER:
            text_append_cut(line, values->message->sender, TEXT_VALUE_LIMIT);
            break;
        case VARIABLE_USER:
            text_append_cut(line, values->message->user, TEXT_VALUE_LIMIT);
            break;
        case VARIABLE_QUEUE_ID:
            text_append_cut(line, values->message->queue_id, TEXT_VALUE_LIMIT);
            break;
        case VARIABLE_OVERRIDE:
            g_string_append(line, values->override != NULL ? values->override : "-");
            break;
        case VARIABLE_CONTACT:
            /* The policy's own words: what is there is what the reader shall do. */
            g_string_append(line, values->contact);
            break;
        }
    }
    return g_string_free(line, FALSE);
}
