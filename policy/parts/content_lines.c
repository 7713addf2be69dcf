/* content_lines - see content_lines.h */

#include <config.h>

#include "policy/parts/content_lines.h"

#include <string.h>

void content_lines_start(struct content_lines *lines, content_line_taker take, void *data)
{
    *lines = (struct content_lines){.take = take, .data = data, .line = g_string_new(NULL)};
}

void content_lines_clear(struct content_lines *lines)
{
    g_string_free(lines->line, TRUE);
}

static void give(struct content_lines *lines)
{
    GString *line = lines->line;

    if (line->len > 0 && line->str[line->len - 1] == '\r')
        g_string_truncate(line, line->len - 1);
    if (line->len > 0)
        lines->take(lines->data, line->str, line->len, lines->goes_on);
    g_string_truncate(line, 0);
    lines->ended = lines->goes_on = lines->quoted = lines->checked = false;
    lines->looked = 0;
}

/* A line that is too long is given, but for its end. */
static void give_piece(struct content_lines *lines)
{
    GString *line = lines->line;

    lines->take(lines->data, line->str, line->len, lines->goes_on);
    g_string_erase(line, 0, (gssize)(line->len - CONTENT_LINE_OVERLAP));
    lines->goes_on = true;
    lines->looked = 0;
}

static void append(struct content_lines *lines, const char *text, size_t length)
{
    while (lines->line->len + length > CONTENT_LINE_LIMIT) {
        size_t part = CONTENT_LINE_LIMIT - lines->line->len;
        g_string_append_len(lines->line, text, (gssize)part);
        give_piece(lines);
        text += part;
        length -= part;
    }
    g_string_append_len(lines->line, text, (gssize)length);
}

/* Bytes of a line in which the name of its encoding is looked for. */
#define HEAD_LIMIT 1000u

/*
 * Whether the line is one of quoted-printable; its soft ends are `=` at the end, and no blank begins the next. What
 * comes before the colon is looked at once.
 */
static bool is_quoted(struct content_lines *lines)
{
    static const char words[] = "QUOTED-PRINTABLE";
    GString *line = lines->line;

    if (lines->checked || lines->goes_on)
        return lines->quoted;
    const char *colon = memchr(line->str + lines->looked, ':', line->len - lines->looked);
    lines->looked = line->len;
    if (colon == NULL)
        return false;
    size_t head = MIN((size_t)(colon - line->str), HEAD_LIMIT);
    for (size_t i = 0; i + sizeof words - 1 <= head && !lines->quoted; i++)
        lines->quoted = g_ascii_strncasecmp(line->str + i, words, sizeof words - 1) == 0;
    lines->checked = true;
    return lines->quoted;
}

static bool ends_softly(struct content_lines *lines)
{
    GString *line = lines->line;
    size_t length = line->len;

    if (length > 0 && line->str[length - 1] == '\r')
        length--;
    if (length == 0 || line->str[length - 1] != '=' || !is_quoted(lines))
        return false;
    g_string_truncate(line, length - 1);
    return true;
}

void content_lines_take(struct content_lines *lines, const char *text, size_t length)
{
    const char *end = text + length;

    while (text < end && !lines->exhausted) {
        if (lines->ended) {
            bool folded = *text == ' ' || *text == '\t';
            if (folded && lines->line->len > 0 && lines->line->str[lines->line->len - 1] == '\r')
                g_string_truncate(lines->line, lines->line->len - 1);
            if (folded)
                text++;
            else
                give(lines);
            lines->ended = false;
            continue;
        }
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        append(lines, text, (size_t)((newline == NULL ? end : newline) - text));
        if (newline == NULL)
            return;
        text = newline + 1;
        lines->exhausted = ++lines->lines > CONTENT_LINES_LIMIT;
        lines->ended = !ends_softly(lines);
    }
}

void content_lines_end(struct content_lines *lines)
{
    give(lines);
}
