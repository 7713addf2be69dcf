/* diag - see diag.h */

#include "policy/base/diagnostics.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Characters of a source line that are shown. */
#define SHOWN_LINE_LIMIT 400

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

void diags_promote(struct diags *diags)
{
    for (unsigned i = 0; i < diags->all->len; i++)
        ((struct diag *)g_ptr_array_index(diags->all, i))->level = DIAG_ERROR;
    diags->errors = MAX(diags->errors, diags->all->len);
}

void diags_demote(struct diags *diags)
{
    for (unsigned i = 0; i < diags->all->len; i++)
        ((struct diag *)g_ptr_array_index(diags->all, i))->level = DIAG_WARNING;
    diags->errors = 0;
}

/* Counts what there is no room for; true then. */
static bool diags_full(struct diags *diags, enum diag_level level)
{
    if (diags->all->len < DIAGS_LIMIT)
        return false;
    diags->last = NULL;
    diags->errors += level == DIAG_ERROR;
    return true;
}

static void diags_take(struct diags *diags, struct diag *diag)
{
    if (diags_full(diags, diag->level)) {
        diag_free(diag);
        return;
    }
    diags->errors += diag->level == DIAG_ERROR;
    if (diags->all->len + 1 == DIAGS_LIMIT) {
        g_free(diag->message);
        diag->message = g_strdup_printf("there is more than this; mend what stands above, then look again");
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
    return c == '\t' || (g_unichar_isprint(c) && g_unichar_type(c) != G_UNICODE_FORMAT) ? c : '?';
}

static void append_shown(GString *text, const char *from, unsigned characters)
{
    for (; *from != '\0' && characters > 0; characters--, from = g_utf8_next_char(from))
        g_string_append_unichar(text, shown(g_utf8_get_char(from)));
}

/* The first line, without what stands below it. */
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
    const char *p;

    if (diag->source == NULL || diag->source[0] == '\0' || diag->column == 0 || diag->column > SHOWN_LINE_LIMIT)
        return;
    g_string_append(text, "    ");
    append_shown(text, diag->source, SHOWN_LINE_LIMIT);
    g_string_append(text, "\n    ");
    /* A tab stays a tab, so that the caret stands below its character. */
    p = diag->source;
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

/* The bytes of a regular file, or -1 with errno; EFBIG beyond the limit, EINVAL for what is no regular file. */
static int file_read(const char *path, size_t limit, char **text, size_t *length)
{
    struct stat status;
    GByteArray *bytes = NULL;
    int result = -1, saved;
    /* O_NONBLOCK: a FIFO must not hold us for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) < 0)
        goto out;
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        goto out;
    }
    bytes = g_byte_array_new();
    for (;;) {
        guint8 block[8192];
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            goto out;
        if (got == 0)
            break;
        if (bytes->len + (size_t)got > limit) {
            errno = EFBIG;
            goto out;
        }
        g_byte_array_append(bytes, block, (guint)got);
    }
    *length = bytes->len;
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    *text = (char *)g_byte_array_free(bytes, FALSE);
    bytes = NULL;
    result = 0;
out:
    saved = errno;
    if (bytes != NULL)
        g_byte_array_unref(bytes);
    close(fd);
    errno = saved;
    return result;
}

static struct source *source_take(const char *name, char *text, size_t length, struct diags *diags)
{
    struct source *source = g_new0(struct source, 1);
    const char *bad;
    size_t offset = 0;

    /* Some editors begin a file with a byte order mark, which is none of its text. */
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        length -= 3;
        memmove(text, text + 3, length + 1);
    }
    source->name = g_strdup(name);
    source->text = text;
    source->length = length;
    source->lines = g_array_new(FALSE, FALSE, sizeof(size_t));
    g_array_append_val(source->lines, offset);
    for (const char *p = text; (p = memchr(p, '\n', length - (size_t)(p - text))) != NULL; p++) {
        offset = (size_t)(p - text) + 1;
        g_array_append_val(source->lines, offset);
        if (offset == length)
            break;
    }
    if (!g_utf8_validate_len(text, length, &bad)) {
        offset = (size_t)(bad - text);
        if (*bad == '\0')
            source_diag(source, offset, diags, DIAG_ERROR, "a NUL byte; expected text in UTF-8");
        else
            source_diag(source, offset, diags, DIAG_ERROR, "byte 0x%02x is not UTF-8; expected text in UTF-8",
                        (unsigned char)*bad);
        source_free(source);
        return NULL;
    }
    return source;
}

struct source *source_read(const char *path, const char *expected, size_t limit, struct diags *diags)
{
    char *text;
    size_t length;

    if (file_read(path, limit, &text, &length) == 0)
        return source_take(path, text, length, diags);
    switch (errno) {
    case EISDIR:
        diags_file_error(diags, path, "is a directory; expected %s", expected);
        break;
    case EINVAL:
        diags_file_error(diags, path, "is not a regular file; expected %s", expected);
        break;
    case EFBIG:
        diags_file_error(diags, path, "is larger than %zu kB; expected %s", limit / 1024, expected);
        break;
    case ENOENT: {
        g_autofree char *nearest = diag_nearest_file(path);
        if (nearest != NULL)
            diags_file_error(diags, path, "does not exist; expected %s; did you mean \"%s\"?", expected, nearest);
        else
            diags_file_error(diags, path, "does not exist; expected %s", expected);
        break;
    }
    case EACCES:
        diags_file_error(diags, path, "cannot be read: permission denied; make it readable for user id %ld",
                         (long)geteuid());
        break;
    default:
        diags_file_error(diags, path, "cannot be read: %s", g_strerror(errno));
    }
    return NULL;
}

struct source *source_from_memory(const char *name, const char *text, size_t length, struct diags *diags)
{
    char *copy = g_malloc(length + 1);

    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return source_take(name, copy, length, diags);
}

void source_free(struct source *source)
{
    if (source == NULL)
        return;
    g_free(source->name);
    g_free(source->text);
    g_array_unref(source->lines);
    g_free(source);
}

/* Index into `lines` of the line that holds the offset. */
static unsigned source_line_index(const struct source *source, size_t offset)
{
    unsigned low = 0, high = source->lines->len;

    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        if (g_array_index(source->lines, size_t, middle) <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

unsigned source_line(const struct source *source, size_t offset)
{
    return source_line_index(source, offset) + 1;
}

static void G_GNUC_PRINTF(6, 0)
    source_add(const struct source *source, size_t offset, struct diags *diags, enum diag_level level, const char *lint,
               const char *format, va_list arguments)
{
    struct diag *diag;
    unsigned index = source_line_index(source, offset);
    size_t start = g_array_index(source->lines, size_t, index);
    /* No more of a line than will be shown, be it a megabyte long. */
    size_t length = strnlen(source->text + start, 4 * SHOWN_LINE_LIMIT);
    g_autofree char *piece = g_strndup(source->text + start, length);

    if (diags_full(diags, level))
        return;
    diag = g_new0(struct diag, 1);
    piece[strcspn(piece, "\r\n")] = '\0';
    diag->message = g_strdup_vprintf(format, arguments);
    diag->level = level;
    diag->lint = lint;
    diag->file = g_strdup(source->name);
    diag->line = index + 1;
    diag->column = 1;
    /* Characters, not bytes: what an editor shows.  Up to an invalid byte the text is valid. */
    for (size_t i = start; i < offset; i++)
        diag->column += (source->text[i] & 0xc0) != 0x80;
    diag->source = g_utf8_make_valid(piece, -1);
    diags_take(diags, diag);
}

void source_diag_list(const struct source *source, size_t offset, struct diags *diags, enum diag_level level,
                      const char *format, va_list arguments)
{
    source_add(source, offset, diags, level, NULL, format, arguments);
}

void source_lint_list(const struct source *source, size_t offset, struct diags *diags, const char *lint,
                      const char *format, va_list arguments)
{
    source_add(source, offset, diags, DIAG_WARNING, lint, format, arguments);
}

void source_diag(const struct source *source, size_t offset, struct diags *diags, enum diag_level level,
                 const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    source_diag_list(source, offset, diags, level, format, arguments);
    va_end(arguments);
}

/* How many letters are wrong, missing, too many, or two of them in the wrong order: with that, a word becomes another.
 */
static unsigned distance(const char *a, const char *b)
{
    size_t length = strlen(b);
    g_autofree unsigned *rows = g_new0(unsigned, 3 * (length + 1));
    unsigned *before = rows, *last = rows + length + 1, *row = rows + 2 * (length + 1);

    for (size_t j = 0; j <= length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < length; j++) {
            row[j + 1] = MIN(last[j] + (a[i] != b[j]), MIN(row[j], last[j + 1]) + 1);
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
                row[j + 1] = MIN(row[j + 1], before[j - 1] + 1);
        }
    }
    return row[length];
}

const char *diag_nearest(const char *word, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t length = strlen(word);
    unsigned best;

    if (length == 0 || length > 64)
        return NULL;
    /* A third of the word may be wrong, at least one letter, at most three; but not all of it. */
    best = (unsigned)MIN(CLAMP(length / 3, 1, 3) + 1, length);
    for (; *candidates != NULL; candidates++) {
        unsigned d = distance(word, *candidates);
        if (d < best) {
            best = d;
            nearest = *candidates;
        }
    }
    return nearest;
}

/* So many names of a folder are looked at. */
#define FOLDER_LIMIT 10000u

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *diag_nearest_file(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *word = g_path_get_basename(path);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GDir *entries = g_dir_open(folder, 0, NULL);
    const char *name;

    while (entries != NULL && names->len < FOLDER_LIMIT && (name = g_dir_read_name(entries)) != NULL)
        if (strlen(name) <= strlen(word) + 3)
            g_ptr_array_add(names, g_strdup(name));
    if (entries != NULL)
        g_dir_close(entries);
    /* The order of a folder is that of its disk. */
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return g_strdup(diag_nearest(word, (const char *const *)names->pdata));
}
