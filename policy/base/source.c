/* source - see source.h */

#include "policy/base/source.h"

#include "policy/base/suggest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bytes up to the end, or -1 with errno; EFBIG beyond the limit. */
static int descriptor_read(int fd, size_t limit, char **text, size_t *length)
{
    GByteArray *bytes = g_byte_array_new();

    for (;;) {
        guint8 block[8192];
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            break;
        if (got > 0 && bytes->len + (size_t)got > limit) {
            errno = EFBIG;
            got = -1;
        }
        if (got < 0) {
            int saved = errno;
            g_byte_array_unref(bytes);
            errno = saved;
            return -1;
        }
        g_byte_array_append(bytes, block, (guint)got);
    }
    *length = bytes->len;
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    *text = (char *)g_byte_array_free(bytes, FALSE);
    return 0;
}

/* Whether a file was written to, or another one put in its place, between two looks at it. */
static bool has_changed(const struct stat *before, const struct stat *after)
{
    return before->st_dev != after->st_dev || before->st_ino != after->st_ino || before->st_size != after->st_size ||
           before->st_mtim.tv_sec != after->st_mtim.tv_sec || before->st_mtim.tv_nsec != after->st_mtim.tv_nsec;
}

/* The same of a regular file; EINVAL for what is none, EBUSY for one that was written to meanwhile. */
static int file_read(const char *path, size_t limit, char **text, size_t *length)
{
    struct stat status, after;
    int result = -1, saved;
    /* O_NONBLOCK: a FIFO must not hold us for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0) {
        if (S_ISREG(status.st_mode))
            result = descriptor_read(fd, limit, text, length);
        else
            errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    }
    /* By the path: a new file that was renamed over this one is the one to read. */
    if (result == 0 && (stat(path, &after) != 0 || has_changed(&status, &after))) {
        g_free(*text);
        errno = EBUSY;
        result = -1;
    }
    saved = errno;
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

/* Why it cannot be read, by errno. */
static void source_fail(const char *path, const char *expected, size_t limit, struct diags *diags)
{
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
    case EBUSY:
        diags_file_error(diags, path, "was changed while it was read; write a new file and rename it over this one");
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
}

struct source *source_read(const char *path, const char *expected, size_t limit, struct diags *diags)
{
    char *text;
    size_t length;

    if (file_read(path, limit, &text, &length) == 0)
        return source_take(path, text, length, diags);
    source_fail(path, expected, limit, diags);
    return NULL;
}

struct source *source_read_standard(const char *expected, size_t limit, struct diags *diags)
{
    char *text;
    size_t length;

    if (descriptor_read(STDIN_FILENO, limit, &text, &length) == 0)
        return source_take("-", text, length, diags);
    source_fail("-", expected, limit, diags);
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

void source_diag_list(const struct source *source, size_t offset, struct diags *diags, enum diag_level level,
                      const char *lint, const char *format, va_list arguments)
{
    unsigned index = source_line_index(source, offset);
    size_t start = g_array_index(source->lines, size_t, index);
    /* No more of a line than will be shown, be it a megabyte long. */
    size_t length = strnlen(source->text + start, 4 * DIAG_SHOWN_LINE);
    g_autofree char *piece = g_strndup(source->text + start, length);

    if (diags_full(diags, level))
        return;
    struct diag *diag = g_new0(struct diag, 1);
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

void source_diag(const struct source *source, size_t offset, struct diags *diags, enum diag_level level,
                 const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    source_diag_list(source, offset, diags, level, NULL, format, arguments);
    va_end(arguments);
}
