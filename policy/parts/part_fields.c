/* part_fields - see part_fields.h */

#include "policy/parts/part_fields.h"

#include "policy/message/header_text.h"

#include <string.h>

/* Parameters of one field that are read, and pieces of one of them. */
#define PARAMETERS_LIMIT 32u

/* ---- fields */

static const char *line_end(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));

    return newline == NULL ? end : newline + 1;
}

static bool is_empty(const char *line, const char *end)
{
    return line == end || line[0] == '\n' || (line[0] == '\r' && (line + 1 == end || line[1] == '\n'));
}

bool part_field_next(const char **at, const char *end, struct part_field *field, bool *broken)
{
    const char *line = *at, *next = line_end(line, end);

    if (is_empty(line, end)) {
        *at = next;
        return false;
    }
    const char *colon = memchr(line, ':', (size_t)(next - line));
    size_t length = colon == NULL ? 0 : (size_t)(colon - line);
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    for (size_t i = 0; i < length; i++)
        if (g_ascii_isspace(line[i]))
            length = 0;
    if (length == 0) {
        *broken = true;
        return false;
    }
    while (next < end && (next[0] == ' ' || next[0] == '\t'))
        next = line_end(next, end);
    *field = (struct part_field){line, colon + 1, length, (size_t)(next - colon - 1)};
    *at = next;
    return true;
}

/* ---- values: tokens, quoted strings, comments */

/* Over blanks and comments (RFC 5322 section 3.2.2). */
static const char *over_blanks(const char *p)
{
    unsigned depth = 0;

    for (; *p != '\0'; p++) {
        if (*p == '(')
            depth++;
        else if (*p == ')' && depth > 0)
            depth--;
        else if (*p == '\\' && depth > 0 && p[1] != '\0')
            p++;
        else if (depth == 0 && !g_ascii_isspace(*p))
            break;
    }
    return p;
}

static const char *take_quoted(const char *p, GString *out)
{
    for (p++; *p != '\0' && *p != '"'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        if (*p != '\r' && *p != '\n')
            g_string_append_c(out, *p);
    }
    return *p == '"' ? p + 1 : p;
}

/* A value: a quoted string, or all up to the next semicolon, without blanks at its ends. */
static const char *take_value(const char *p, GString *out)
{
    if (*p == '"')
        return take_quoted(p, out);
    size_t length = strcspn(p, ";");
    g_string_append_len(out, p, (gssize)length);
    while (out->len > 0 && g_ascii_isspace(out->str[out->len - 1]))
        g_string_truncate(out, out->len - 1);
    return p + length;
}

/* ---- parameters */

/* Of one field: each by its name in lower case, with the marks of RFC 2231 still in it. */
struct part_parameter {
    char *name, *value;
};

static void parameter_clear(gpointer data)
{
    struct part_parameter *parameter = data;

    g_free(parameter->name);
    g_free(parameter->value);
}

static GArray *parameters_of(const char *p, bool *doubtful)
{
    GArray *parameters = g_array_new(FALSE, FALSE, sizeof(struct part_parameter));

    g_array_set_clear_func(parameters, parameter_clear);
    while (*p != '\0') {
        if (parameters->len == PARAMETERS_LIMIT) {
            *doubtful = true;
            break;
        }
        p = over_blanks(p);
        if (*p == ';') {
            p++;
            continue;
        }
        size_t length = strcspn(p, "=; \t\r\n");
        const char *sign = over_blanks(p + length);
        if (length == 0 || *sign != '=') {
            *doubtful = *doubtful || *p != '\0';
            p += length > 0 ? length : *p != '\0';
            continue;
        }
        g_autofree char *name = g_ascii_strdown(p, (gssize)length);
        GString *value = g_string_new(NULL);
        p = take_value(over_blanks(sign + 1), value);
        struct part_parameter parameter = {g_steal_pointer(&name), g_string_free(value, FALSE)};
        g_array_append_val(parameters, parameter);
    }
    return parameters;
}

static const char *parameter_named(const GArray *parameters, const char *name)
{
    for (unsigned i = 0; i < parameters->len; i++) {
        const struct part_parameter *parameter = &g_array_index(parameters, struct part_parameter, i);
        if (strcmp(parameter->name, name) == 0)
            return parameter->value;
    }
    return NULL;
}

/* Two of one name that are not the same: programs differ in which one they take. */
static bool is_doubtful(const GArray *parameters, const char *name)
{
    const char *first = parameter_named(parameters, name);

    for (unsigned i = 0; first != NULL && i < parameters->len; i++) {
        const struct part_parameter *parameter = &g_array_index(parameters, struct part_parameter, i);
        if (strcmp(parameter->name, name) == 0 && strcmp(parameter->value, first) != 0)
            return true;
    }
    return false;
}

static void append_percent(GString *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '%' && g_ascii_isxdigit(text[1]) && g_ascii_isxdigit(text[2])) {
            g_string_append_c(out, (char)(g_ascii_xdigit_value(text[1]) << 4 | g_ascii_xdigit_value(text[2])));
            text += 2;
        } else {
            g_string_append_c(out, *text);
        }
    }
}

/* The value of an extended parameter after its character set and language (RFC 2231 section 4). */
static const char *after_language(const char *value)
{
    const char *first = strchr(value, '\'');
    const char *second = first == NULL ? NULL : strchr(first + 1, '\'');

    return second == NULL ? value : second + 1;
}

/* A parameter in any of its forms: name=, name*=, name*0=, name*0*=; NULL if there is none. */
static char *parameter_value(const GArray *parameters, const char *name)
{
    g_autofree char *extended = g_strdup_printf("%s*", name);
    const char *value = parameter_named(parameters, extended);
    GString *out = g_string_new(NULL);
    bool found = value != NULL;

    if (found)
        append_percent(out, after_language(value));
    for (unsigned piece = 0; value == NULL && piece < PARAMETERS_LIMIT; piece++) {
        g_autofree char *plain = g_strdup_printf("%s*%u", name, piece);
        g_autofree char *encoded = g_strdup_printf("%s*%u*", name, piece);
        const char *text = parameter_named(parameters, encoded);
        if (text != NULL)
            append_percent(out, piece == 0 ? after_language(text) : text);
        else if ((text = parameter_named(parameters, plain)) != NULL)
            g_string_append(out, text);
        else
            break;
        found = true;
    }
    if (!found && (value = parameter_named(parameters, name)) != NULL) {
        found = true;
        g_string_append(out, value);
    }
    return g_string_free(out, !found);
}

/* ---- what is kept */

static void keep(struct part_fields *fields, char **where, char *value)
{
    if (value == NULL)
        return;
    if (*where == NULL) {
        *where = value;
        return;
    }
    fields->doubtful = fields->doubtful || strcmp(*where, value) != 0;
    g_free(value);
}

/* A file's name for a person: encoded-words, which are not allowed there, are found there. */
static char *name_of(const GArray *parameters, const char *parameter)
{
    g_autofree char *raw = parameter_value(parameters, parameter);

    return raw == NULL ? NULL : decode_header(raw, NULL);
}

static void take_type(struct part_fields *fields, const char *value)
{
    const char *begin = over_blanks(value);
    size_t length = strcspn(begin, "; \t\r\n(");
    g_autofree char *type = g_ascii_strdown(begin, (gssize)length);
    char *slash = strchr(type, '/');

    if (fields->type != NULL) {
        fields->doubtful = true;
        return;
    }
    g_autoptr(GArray) parameters = parameters_of(begin + length, &fields->doubtful);
    fields->doubtful = fields->doubtful || is_doubtful(parameters, "boundary");
    /* "text" alone, or nothing: a program takes it for text. */
    fields->type = slash != NULL && slash > type && slash[1] != '\0' ? g_steal_pointer(&type) : g_strdup("text/plain");
    fields->charset = parameter_value(parameters, "charset");
    if (fields->charset != NULL) /* "us-ascii (plain text)" */
        fields->charset[strcspn(fields->charset, " \t(")] = '\0';
    fields->boundary = parameter_value(parameters, "boundary");
    fields->smime = parameter_value(parameters, "smime-type");
    fields->name = name_of(parameters, "name");
}

static void take_disposition(struct part_fields *fields, const char *value)
{
    const char *begin = over_blanks(value);
    bool ignored = false;
    g_autoptr(GArray) parameters = parameters_of(begin + strcspn(begin, ";"), &ignored);

    fields->doubtful = fields->doubtful || is_doubtful(parameters, "filename");
    keep(fields, &fields->file, name_of(parameters, "filename"));
}

void part_fields_add(struct part_fields *fields, const char *name, size_t name_length, const char *value, size_t length)
{
    static const char *const names[] = {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition"};
    size_t which = 0;

    if (name_length < 12 || g_ascii_strncasecmp(name, "Content-", 8) != 0)
        return;
    while (which < G_N_ELEMENTS(names) &&
           (strlen(names[which]) != name_length || g_ascii_strncasecmp(names[which], name, name_length) != 0))
        which++;
    if (which == G_N_ELEMENTS(names))
        return;
    fields->doubtful = fields->doubtful || length > PART_FIELD_LIMIT;
    g_autofree char *text = g_strndup(value, MIN(length, PART_FIELD_LIMIT));
    if (which == 0)
        take_type(fields, text);
    else if (which == 1)
        keep(fields, &fields->encoding, g_strdup(g_strstrip(text)));
    else
        take_disposition(fields, text);
}

void part_fields_clear(struct part_fields *fields)
{
    g_free(fields->type);
    g_free(fields->charset);
    g_free(fields->boundary);
    g_free(fields->smime);
    g_free(fields->name);
    g_free(fields->file);
    g_free(fields->encoding);
    *fields = (struct part_fields){0};
}
