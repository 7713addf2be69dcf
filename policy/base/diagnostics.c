/* diagnostics - see diagnostics.h */

#include "policy/base/diagnostics.h"

#include "policy/base/unicode.h"

#include <string.h>

struct diags {
    GPtrArray *all;
    unsigned errors;
    struct diag *last; /* added; NULL if there was no room for it */
};

static void diag_free(struct diag *diag)
{
    g_free(diag->file);
    g_free(diag->message);
    g_free(diag->source);
    if (diag->notes != NULL)
        g_ptr_array_unref(diag->notes);
    g_free(diag);
}

struct diags *diags_new(void)
{
    struct diags *diags = g_new0(struct diags, 1);
    diags->all = g_ptr_array_new_with_free_func((GDestroyNotify)diag_free);
    return diags;
}

void diags_free(struct diags *diags)
{
    if (diags == NULL)
        return;
    g_ptr_array_unref(diags->all);
    g_free(diags);
}

unsigned diags_count(const struct diags *diags)
{
    return diags->all->len;
}

unsigned diags_errors(const struct diags *diags)
{
    return diags->errors;
}

const struct diag *diags_get(const struct diags *diags, unsigned index)
{
    return g_ptr_array_index(diags->all, index);
}

static int compare_places(gconstpointer a, gconstpointer b, gpointer data)
{
    const struct diag *x = *(const struct diag *const *)a, *y = *(const struct diag *const *)b;
    const char *file = data;
    bool x_of_file = strcmp(x->file, file) == 0, y_of_file = strcmp(y->file, file) == 0;

    if (x_of_file != y_of_file)
        return x_of_file ? -1 : 1;
    if (x_of_file && x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x_of_file && x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void diags_sort(struct diags *diags, unsigned first, const char *file)
{
    g_autoptr(GPtrArray) part = g_ptr_array_new();

    /* g_sort_array would sort the part in place; GLib has it from 2.82 on, and its older name is deprecated there. */
    for (unsigned i = first; i < diags->all->len; i++)
        g_ptr_array_add(part, g_ptr_array_index(diags->all, i));
    g_ptr_array_sort_with_data(part, compare_places, (gpointer)file);
    for (unsigned i = 0; i < part->len; i++)
        diags->all->pdata[first + i] = part->pdata[i];
}

void diags_promote(struct diags *diags, const char *but)
{
    for (unsigned i = 0; i < diags->all->len; i++) {
        struct diag *diag = g_ptr_array_index(diags->all, i);
        if (diag->level == DIAG_ERROR || (but != NULL && g_strcmp0(diag->lint, but) == 0))
            continue;
        diag->level = DIAG_ERROR;
        diags->errors++;
    }
}

void diags_drop(struct diags *diags, const char *lint)
{
    for (unsigned i = diags->all->len; i-- > 0;) {
        const struct diag *diag = g_ptr_array_index(diags->all, i);
        if (diag->level == DIAG_WARNING && g_strcmp0(diag->lint, lint) == 0)
            g_ptr_array_remove_index(diags->all, i);
    }
    diags->last = NULL;
}

void diags_demote(struct diags *diags)
{
    for (unsigned i = 0; i < diags->all->len; i++)
        ((struct diag *)g_ptr_array_index(diags->all, i))->level = DIAG_WARNING;
    diags->errors = 0;
}

bool diags_full(struct diags *diags, enum diag_level level)
{
    if (diags->all->len < DIAGS_LIMIT)
        return false;
    diags->last = NULL;
    diags->errors += level == DIAG_ERROR;
    return true;
}

void diags_take(struct diags *diags, struct diag *diag)
{
    if (diags_full(diags, diag->level)) {
        diag_free(diag);
        return;
    }
    diags->errors += diag->level == DIAG_ERROR;
    if (diags->all->len + 1 == DIAGS_LIMIT) {
        g_free(diag->message);
        diag->message = g_strdup_printf("there are more errors; fix these first, then check again");
        diag->lint = NULL;
    }
    diag->order = diags->all->len;
    g_ptr_array_add(diags->all, diag);
    diags->last = diag;
}

void diags_note(struct diags *diags, const char *format, ...)
{
    va_list arguments;

    if (diags->last == NULL)
        return;
    if (diags->last->notes == NULL)
        diags->last->notes = g_ptr_array_new_with_free_func(g_free);
    va_start(arguments, format);
    g_ptr_array_add(diags->last->notes, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void diags_hide_lines(struct diags *diags, unsigned first)
{
    for (unsigned i = first; i < diags->all->len; i++) {
        struct diag *diag = g_ptr_array_index(diags->all, i);
        g_clear_pointer(&diag->source, g_free);
    }
}

void diags_move(struct diags *diags, struct diags *from)
{
    while (from->all->len > 0)
        diags_take(diags, g_ptr_array_steal_index(from->all, 0));
    from->errors = 0;
    from->last = NULL;
}

void diags_file_error(struct diags *diags, const char *file, const char *format, ...)
{
    struct diag *diag = g_new0(struct diag, 1);
    va_list arguments;

    va_start(arguments, format);
    diag->file = g_strdup(file);
    diag->message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    diags_take(diags, diag);
}

void diags_line_error(struct diags *diags, const char *file, unsigned line, const char *format, ...)
{
    struct diag *diag = g_new0(struct diag, 1);
    va_list arguments;

    va_start(arguments, format);
    diag->file = g_strdup(file);
    diag->line = line;
    diag->message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    diags_take(diags, diag);
}

/* What is shown must not move the cursor of a terminal. */
static gunichar shown(gunichar c)
{
    return c == '\t' || letter_is_shown(c) ? c : '?';
}

static void append_shown(GString *text, const char *from, unsigned characters)
{
    for (; *from != '\0' && characters > 0; characters--, from = g_utf8_next_char(from))
        g_string_append_unichar(text, shown(g_utf8_get_char(from)));
}

/* The first line, without what is below it. */
static GString *format_head(const struct diag *diag)
{
    GString *text = g_string_new(diag->file);

    if (diag->line > 0)
        g_string_append_printf(text, ":%u", diag->line);
    if (diag->column > 0)
        g_string_append_printf(text, ":%u", diag->column);
    g_string_append(text, diag->level == DIAG_ERROR ? ": error: " : ": warning: ");
    g_autofree char *valid = g_utf8_make_valid(diag->message, -1);
    append_shown(text, valid, G_MAXUINT);
    if (diag->lint != NULL)
        g_string_append_printf(text, " [%s]", diag->lint);
    return text;
}

static void append_note(GString *text, const char *lead, const char *note)
{
    g_autofree char *valid = g_utf8_make_valid(note, -1);

    g_string_append(text, lead);
    append_shown(text, valid, G_MAXUINT);
}

char *diag_format_line(const struct diag *diag)
{
    GString *text = format_head(diag);

    for (unsigned i = 0; diag->notes != NULL && i < diag->notes->len; i++) {
        const char *note = g_ptr_array_index(diag->notes, i);
        append_note(text, "; ", note + strspn(note, " "));
    }
    return g_string_free(text, FALSE);
}

static void append_source(GString *text, const struct diag *diag)
{
    if (diag->source == NULL || diag->source[0] == '\0' || diag->column == 0 || diag->column > DIAG_SHOWN_LINE)
        return;
    g_string_append(text, "    ");
    append_shown(text, diag->source, DIAG_SHOWN_LINE);
    g_string_append(text, "\n    ");
    /* A tab stays a tab, so that the caret is below its character. */
    const char *p = diag->source;
    for (unsigned column = 1; column < diag->column && *p != '\0'; column++, p = g_utf8_next_char(p)) {
        gunichar c = shown(g_utf8_get_char(p));
        g_string_append(text, c == '\t' ? "\t" : g_unichar_iswide(c) ? "  " : g_unichar_iszerowidth(c) ? "" : " ");
    }
    g_string_append(text, "^\n");
}

char *diag_format(const struct diag *diag)
{
    GString *text = format_head(diag);

    g_string_append_c(text, '\n');
    append_source(text, diag);
    for (unsigned i = 0; diag->notes != NULL && i < diag->notes->len; i++) {
        append_note(text, "    ", g_ptr_array_index(diag->notes, i));
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}
