/* metrics_read - see metrics_read.h */

#include "milter/metrics/metrics_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file */

static char *failed(const char *path, const char *why)
{
    return g_strdup_printf("%s: %s", path, why);
}

/* Why what was read is not the whole of a text, or NULL: each line of one has its end. */
static const char *incomplete(const char *text, size_t length)
{
    if (length == METRICS_READ_LIMIT)
        return "is too long";
    if (strlen(text) != length)
        return "is no text";
    return length > 0 && text[length - 1] != '\n' ? "is cut off within a line" : NULL;
}

/* All of a regular file, which need not be ours: nothing waits for a pipe. */
static char *read_text(const char *path, char **error)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor == -1) {
        *error = failed(path, g_strerror(errno));
        return NULL;
    }
    g_autofree char *text = g_malloc(METRICS_READ_LIMIT + 1);
    size_t length = 0;
    ssize_t piece = 0;
    bool regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    while (regular && length < METRICS_READ_LIMIT &&
           (piece = read(descriptor, text + length, METRICS_READ_LIMIT - length)) > 0)
        length += (size_t)piece;
    text[length] = '\0';
    if (!regular)
        *error = failed(path, "is not a regular file");
    else if (piece == -1)
        *error = failed(path, g_strerror(errno));
    else if (incomplete(text, length) != NULL)
        *error = failed(path, incomplete(text, length));
    close(descriptor);
    return *error == NULL ? g_steal_pointer(&text) : NULL;
}

/* ---- lines */

/* What is after the labels of a sample, in which a quote may be escaped; `text` is after the name. */
static const char *value_of(const char *text)
{
    bool quoted = false;
    if (*text != '{')
        return *text == ' ' ? text + 1 : NULL;
    for (text++; *text != '\0' && (quoted || *text != '}'); text++) {
        if (quoted && *text == '\\' && text[1] != '\0')
            text++;
        else if (*text == '"')
            quoted = !quoted;
    }
    return text[0] == '}' && text[1] == ' ' ? text + 2 : NULL;
}

/* The value of a sample of that name, or NULL. */
static const char *sample(const char *line, const char *name)
{
    return g_str_has_prefix(line, name) ? value_of(line + strlen(name)) : NULL;
}

static gint64 time_of(const char *value)
{
    double seconds = g_ascii_strtod(value, NULL);
    return seconds > 0 && seconds < 1e11 ? (gint64)(seconds * G_USEC_PER_SEC) : 0;
}

/* The label is ours, and so has no character that would be escaped. */
static void add_messages(struct metrics_verdicts *verdicts, const char *line, const char *value)
{
    for (unsigned i = 0; i < DISPOSITIONS; i++) {
        g_autofree char *label = g_strdup_printf("verdict=\"%s\",", disposition_name((enum disposition)i));
        const char *found = line;
        guint64 messages = 0;
        do
            found = strstr(found + 1, label);
        while (found != NULL && found[-1] != '{' && found[-1] != ',');
        if (found != NULL && found < value && g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, &messages, NULL))
            verdicts->messages[i] += messages;
    }
}

static void take_line(struct metrics_verdicts *verdicts, const char *line)
{
    const char *value = sample(line, "rcptguard_messages_total");
    if (value != NULL)
        add_messages(verdicts, line, value);
    if ((value = sample(line, "rcptguard_start_time_seconds")) != NULL)
        verdicts->started = time_of(value);
    if ((value = sample(line, "rcptguard_metrics_timestamp_seconds")) != NULL)
        verdicts->written = time_of(value);
}

int metrics_read(const char *path, struct metrics_verdicts *verdicts, char **error)
{
    *verdicts = (struct metrics_verdicts){0};
    *error = NULL;
    g_autofree char *text = read_text(path, error);
    if (text == NULL)
        return -1;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        take_line(verdicts, *line);
    if (verdicts->started != 0 && verdicts->written != 0)
        return 0;
    *error = failed(path, "has no metrics of rcptguardd");
    return -1;
}
