/*
 * terminal - what moves no cursor, how wide it is, where it is cut and broken;
 * and on a real pseudo-terminal: its width and whether it gets colour.
 */

#include "policy/cli/terminal.h"

#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void test_plain(void)
{
    static const struct {
        const char *text, *want;
        unsigned columns;
    } texts[] = {
        {"", "", 0},
        {"ann@x.example", "ann@x.example", 13},
        {"a\tb", "a\\u0009b", 8},
        {"\x1b[2J", "\\u001b[2J", 9},
        {"a\r\n\bb\x7f", "a\\u000d\\u000a\\u0008b\\u007f", 26},
        {"\xc2\x9b"
         "2J",
         "\\u009b2J", 8}, /* CSI as one character */
        {"\xe2\x80\xae"
         "gnp",
         "\\u202egnp", 9}, /* written from right to left */
        {"a\xe2\x80\x8b"
         "b",
         "a\\u200bb", 8}, /* of no width */
        {"a\xe2\x80\xa8"
         "b\xe2\x80\xa9",
         "a\\u2028b\\u2029", 14},            /* separators of lines and paragraphs */
        {"\xf3\xa0\x80\xa0", "\\ue0020", 7}, /* a tag */
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b",
         3},
        {"M\xc3\xbcller", "M\xc3\xbcller", 6},
        {"u\xcc\x88", "u\xcc\x88", 1},
        {"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac", 4},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        GString *out = g_string_new("> ");
        unsigned columns = terminal_append_plain(out, texts[i].text);
        g_assert_cmpstr(out->str + 2, ==, texts[i].want);
        g_assert_cmpuint(columns, ==, texts[i].columns);
        g_string_free(out, TRUE);
    }
}

static void test_within(void)
{
    static const struct {
        const char *text;
        unsigned room;
        const char *want;
        unsigned columns;
    } texts[] = {
        {"abcdef", 6, "abcdef", 6},
        {"abcdefg", 6, "abc...", 6},
        {"abcdefg", 3, "...", 3},
        {"abcdefg", 2, "..", 2},
        {"abcdefg", 0, "", 0},
        {"", 0, "", 0},
        {"ab\x1b"
         "cdef",
         8, "ab...", 5}, /* no escape is cut in half */
        {"\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5", 6, "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5", 6},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5", 5, "\xe6\x97\xa5...", 5},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac", 6, "\xe6\x97\xa5...", 5},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        GString *out = g_string_new("> ");
        unsigned columns = terminal_append_within(out, texts[i].text, texts[i].room);
        g_assert_cmpstr(out->str + 2, ==, texts[i].want);
        g_assert_cmpuint(columns, ==, texts[i].columns);
        g_string_free(out, TRUE);
    }
}

static void test_wrapped(void)
{
    static const struct {
        const char *text;
        unsigned indent, width;
        const char *want;
    } texts[] = {
        {"", 4, 10, ""},
        {"one", 4, 10, "one"},
        {"one two", 4, 11, "one two"},
        {"one two", 4, 10, "one\n    two"},
        {"one two three", 2, 7, "one\n  two\n  three"},
        {"much-too-long-a-word x", 2, 7, "much-\n  too-l\n  ong-a\n  -word\n  x"},
        {"x much-too", 2, 7, "x\n  much-\n  too"},
        {"x\x1b\x1b", 2, 8, "x\n  \\u001b\n  \\u001b"}, /* no escape is cut in half */
        {"a\nb\x1b[A", 2, 80, "a\\u000ab\\u001b[A"},
        {"\xe6\x97\xa5\xe6\x9c\xac \xe6\x97\xa5\xe6\x9c\xac", 0, 8,
         "\xe6\x97\xa5\xe6\x9c\xac\n\xe6\x97\xa5\xe6\x9c\xac"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        GString *out = g_string_new(NULL);
        unsigned column = terminal_append_wrapped(out, texts[i].text, texts[i].indent, texts[i].width);
        const char *last = strrchr(out->str, '\n');
        g_assert_cmpstr(out->str, ==, texts[i].want);
        if (g_str_is_ascii(out->str))
            g_assert_cmpuint(column, ==, last != NULL ? strlen(last + 1) : texts[i].indent + strlen(out->str));
        g_string_free(out, TRUE);
    }
}

static void test_styles(void)
{
    for (int style = STYLE_STRONG; style <= STYLE_MAGENTA; style++) {
        g_assert_cmpstr(terminal_begin(false, (enum terminal_style)style), ==, "");
        g_assert_true(g_str_has_prefix(terminal_begin(true, (enum terminal_style)style), "\033["));
    }
    g_assert_cmpstr(terminal_end(false), ==, "");
    g_assert_cmpstr(terminal_end(true), ==, "\033[0m");
    for (int i = DISPOSITION_ACCEPT; i <= DISPOSITION_TEMPFAIL; i++)
        for (int j = DISPOSITION_ACCEPT; j < i; j++)
            g_assert_cmpint(terminal_verdict((enum disposition)i), !=, terminal_verdict((enum disposition)j));
}

/* ---- on a pseudo-terminal, and on what is none */

static FILE *open_terminal(int *controller)
{
    FILE *stream;
    int end;

    g_assert_cmpint(openpty(controller, &end, NULL, NULL, NULL), ==, 0);
    stream = fdopen(end, "w");
    g_assert_nonnull(stream);
    return stream;
}

static void test_width(void)
{
    static const unsigned short sizes[][2] = {{0, 80}, {10, 40}, {40, 40}, {80, 80}, {200, 200}, {9999, 1000}};
    int controller;
    FILE *stream = open_terminal(&controller);
    FILE *file = tmpfile();

    g_assert_true(terminal_is(stream));
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct winsize size = {.ws_row = 24, .ws_col = sizes[i][0]};
        g_assert_cmpint(ioctl(controller, TIOCSWINSZ, &size), ==, 0);
        g_assert_cmpuint(terminal_width(stream), ==, sizes[i][1]);
    }
    g_assert_false(terminal_is(file));
    g_assert_cmpuint(terminal_width(file), ==, 80);
    fclose(file);
    fclose(stream);
    close(controller);
}

static void test_colours(void)
{
    static const struct {
        const char *type, *none;
        bool want;
    } cases[] = {
        {"xterm-256color", NULL, true}, {"xterm", "", true}, {"xterm", "1", false}, {"xterm", "0", false},
        {"dumb", NULL, false},          {NULL, NULL, false}, {"", NULL, false},
    };
    int controller;
    FILE *stream = open_terminal(&controller);
    FILE *file = tmpfile();

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (cases[i].type == NULL)
            g_unsetenv("TERM");
        else
            g_setenv("TERM", cases[i].type, TRUE);
        if (cases[i].none == NULL)
            g_unsetenv("NO_COLOR");
        else
            g_setenv("NO_COLOR", cases[i].none, TRUE);
        g_assert_cmpint(terminal_colours(stream), ==, cases[i].want);
        g_assert_false(terminal_colours(file));
    }
    fclose(file);
    fclose(stream);
    close(controller);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/terminal/plain", test_plain);
    g_test_add_func("/terminal/within", test_within);
    g_test_add_func("/terminal/wrapped", test_wrapped);
    g_test_add_func("/terminal/styles", test_styles);
    g_test_add_func("/terminal/width", test_width);
    g_test_add_func("/terminal/colours", test_colours);
    return g_test_run();
}
