/* terminal - see terminal.h */

#include "policy/cli/terminal.h"

#include "policy/base/unicode.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 40, WIDTH_MOST = 1000 };

/* What means what was cut, and its columns. */
#define ELLIPSIS         "..."
#define ELLIPSIS_COLUMNS (sizeof ELLIPSIS - 1)

bool terminal_is(FILE *stream)
{
    return isatty(fileno(stream)) == 1;
}

unsigned terminal_width(FILE *stream)
{
    struct winsize size;

    if (!terminal_is(stream) || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return CLAMP(size.ws_col, WIDTH_LEAST, WIDTH_MOST);
}

bool terminal_colours(FILE *stream)
{
    const char *type = getenv("TERM");
    const char *none = getenv("NO_COLOR");

    return terminal_is(stream) && type != NULL && type[0] != '\0' && strcmp(type, "dumb") != 0 &&
           (none == NULL || none[0] == '\0');
}

/* ---- styles: ECMA-48, select graphic rendition; each terminal's own eight colours, which its user has chosen */

const char *terminal_begin(bool colours, enum terminal_style style)
{
    static const char *const begins[] = {
        [STYLE_PLAIN] = "",         [STYLE_STRONG] = "\033[1m",  [STYLE_FAINT] = "\033[2m",
        [STYLE_GREEN] = "\033[32m", [STYLE_CYAN] = "\033[36m",   [STYLE_YELLOW] = "\033[33m",
        [STYLE_RED] = "\033[31m",   [STYLE_MAGENTA] = "\033[35m"};

    return colours ? begins[style] : "";
}

const char *terminal_end(bool colours)
{
    return colours ? "\033[0m" : "";
}

/* By disposition.  The blocks are U+2591 to U+2593, U+2588 and U+259A. */
static const struct {
    enum terminal_style style;
    const char *block;
} verdicts[] = {
    [DISPOSITION_ACCEPT] = {STYLE_GREEN, "\xe2\x96\x91"},      [DISPOSITION_TAG] = {STYLE_CYAN, "\xe2\x96\x92"},
    [DISPOSITION_QUARANTINE] = {STYLE_YELLOW, "\xe2\x96\x93"}, [DISPOSITION_REJECT] = {STYLE_RED, "\xe2\x96\x88"},
    [DISPOSITION_TEMPFAIL] = {STYLE_MAGENTA, "\xe2\x96\x9a"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(verdicts) == DISPOSITIONS);

enum terminal_style terminal_verdict(enum disposition disposition)
{
    return verdicts[disposition].style;
}

const char *terminal_block(enum disposition disposition)
{
    return verdicts[disposition].block;
}

/* ---- text */

/* Appends one character as it can be there; returns its columns. */
static unsigned append_character(GString *out, gunichar c)
{
    size_t before = out->len;

    if (letter_is_shown(c)) {
        g_string_append_unichar(out, c);
        return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    g_string_append_printf(out, "\\u%04x", c);
    return (unsigned)(out->len - before);
}

unsigned terminal_append_plain(GString *out, const char *text)
{
    return terminal_append_within(out, text, G_MAXUINT);
}

unsigned terminal_columns(const char *text)
{
    g_autoptr(GString) plain = g_string_new(NULL);

    return terminal_append_plain(plain, text);
}

unsigned terminal_append_within(GString *out, const char *text, unsigned columns)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    size_t start = out->len, fits = start;
    unsigned used = 0, used_fitting = 0;

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        used += append_character(out, g_utf8_get_char(p));
        if (used <= columns - MIN(columns, ELLIPSIS_COLUMNS)) {
            fits = out->len;
            used_fitting = used;
        }
        if (used > columns) {
            g_string_truncate(out, fits);
            g_string_append_len(out, ELLIPSIS, (gssize)MIN(columns, ELLIPSIS_COLUMNS));
            return used_fitting + (unsigned)MIN(columns, ELLIPSIS_COLUMNS);
        }
    }
    return used;
}

static unsigned new_line(GString *out, unsigned indent)
{
    g_string_append_c(out, '\n');
    terminal_append_blanks(out, 0, indent);
    return indent;
}

/* A word that is longer than a line: nothing of it shall be where a line begins. */
static unsigned append_broken(GString *out, const char *word, unsigned column, unsigned indent, unsigned width)
{
    g_autofree char *valid = g_utf8_make_valid(word, -1);

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        g_autoptr(GString) character = g_string_new(NULL);
        unsigned columns = append_character(character, g_utf8_get_char(p));
        if (column + columns > width && column > indent)
            column = new_line(out, indent);
        g_string_append_len(out, character->str, (gssize)character->len);
        column += columns;
    }
    return column;
}

unsigned terminal_append_wrapped(GString *out, const char *text, unsigned indent, unsigned width)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    unsigned column = indent;

    for (unsigned i = 0; words[i] != NULL; i++) {
        g_autoptr(GString) word = g_string_new(NULL);
        unsigned columns = terminal_append_plain(word, words[i]);
        if (i > 0 && column + 1 + columns > width && column > indent) {
            column = new_line(out, indent);
        } else if (i > 0) {
            g_string_append_c(out, ' ');
            column++;
        }
        if (column + columns > width) {
            column = append_broken(out, words[i], column, indent, width);
        } else {
            g_string_append_len(out, word->str, (gssize)word->len);
            column += columns;
        }
    }
    return column;
}

void terminal_append_blanks(GString *out, unsigned from, unsigned to)
{
    for (unsigned column = from; column < to; column++)
        g_string_append_c(out, ' ');
}
