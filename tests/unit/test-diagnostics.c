/* test-diagnostics - where a diagnostic points, how it looks, and what was meant */

#include "policy/base/diagnostics.h"
#include "policy/base/source.h"
#include "policy/base/suggest.h"
#include "unit.h"

#include <glib/gstdio.h>
#include <stdatomic.h>
#include <stdio.h>

/* The formatted diagnostic at the first `^` of a text, which is taken out. */
static char *point(const char *marked)
{
    auto_free(diags) diags = diags_new();
    const char *mark = strchr(marked, '^');
    size_t offset = (size_t)(mark - marked);
    g_autofree char *text = g_strconcat("", NULL);
    struct source *source;
    char *formatted;

    g_free(text);
    text = g_strdup_printf("%.*s%s", (int)offset, marked, mark + 1);
    source = source_from_memory("f", text, strlen(text), diags);
    g_assert_nonnull(source);
    source_diag(source, offset, diags, DIAG_ERROR, "here");
    formatted = diag_format(diags_get(diags, 0));
    source_free(source);
    return formatted;
}

static void test_caret(void)
{
    static const char *const cases[][2] = {
        {"^abc", "f:1:1: error: here\n    abc\n    ^\n"},
        {"ab^c", "f:1:3: error: here\n    abc\n      ^\n"},
        {"abc^", "f:1:4: error: here\n    abc\n       ^\n"},
        {"a\nb^c\nd", "f:2:2: error: here\n    bc\n     ^\n"},
        {"a\r\nb^c\r\nd", "f:2:2: error: here\n    bc\n     ^\n"},
        {"a\n^", "f:2:1: error: here\n"}, /* of an empty line there is nothing to show */
        {"^", "f:1:1: error: here\n"},
        /* Characters are counted, not bytes. */
        {"\xc3\xbc\xc3\xbc^x", "f:1:3: error: here\n    \xc3\xbc\xc3\xbcx\n      ^\n"},
        /* Tabs stay tabs. */
        {"\ta\t^x", "f:1:4: error: here\n    \ta\tx\n    \t \t^\n"},
        /* Wide characters take two columns of a terminal. */
        {"\xe6\x97\xa5\xe6\x9c\xac^x", "f:1:3: error: here\n    \xe6\x97\xa5\xe6\x9c\xacx\n        ^\n"},
        /* A combining mark takes none. */
        {"e\xcc\x81^x", "f:1:3: error: here\n    e\xcc\x81x\n     ^\n"},
        /* What would move the cursor does not, and neither does another line. */
        {"a\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae^x", "f:1:5: error: here\n    a???x\n        ^\n"},
        {"a\033[31m^x", "f:1:7: error: here\n    a?[31mx\n          ^\n"},
        {"a\xe2\x80\xae^x", "f:1:3: error: here\n    a?x\n      ^\n"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = point(cases[i][0]);
        if (strcmp(got, cases[i][1]) != 0)
            UNIT_FAIL("`%s` gave\n%s, want\n%s", cases[i][0], got, cases[i][1]);
    }
}

/* Of a very long line a piece is shown, or nothing; never megabytes. */
static void test_long_lines(void)
{
    g_autofree char *dots = g_strnfill(1000000, 'a');
    g_autofree char *near = g_strconcat("ab^", dots, NULL);
    g_autofree char *far = g_strconcat(dots, "^b", NULL);
    g_autofree char *of_near = point(near);
    g_autofree char *of_far = point(far);

    g_assert_cmpuint(strlen(of_near), <, 1000);
    g_assert_true(g_str_has_suffix(of_near, "\n      ^\n"));
    g_assert_cmpstr(of_far, ==, "f:1:1000001: error: here\n");
}

/* A message quotes what stands in a file; on a terminal and in a log it must stay text of a sane length. */
static void test_quoted(void)
{
    auto_free(diags) diags = diags_new();
    g_autofree char *folder = folder_new();
    g_autofree char *long_item = g_strnfill(100000, '!');
    g_autofree char *table = g_strconcat("\033[2Jx\n", long_item, "\n", NULL);
    g_autofree char *path = g_build_filename(folder, "policy", NULL);

    folder_put(folder, "t", table);
    folder_put(folder, "policy", UNIT_HEAD "class bad { domains from \"t\" }\ndefault accept\n");
    g_assert_null(policy_load(path, diags));
    for (unsigned i = 0; i < diags_count(diags); i++) {
        g_autofree char *text = diag_format(diags_get(diags, i));
        if (strchr(text, '\033') != NULL)
            UNIT_FAIL("an escape reaches the terminal: %s", text);
        if (strlen(text) > 4000)
            UNIT_FAIL("a diagnostic of %zu bytes", strlen(text));
    }
    folder_remove(folder);
}

/* The wrong file for a table must not give a million diagnostics. */
static void test_flood(void)
{
    auto_free(diags) diags = diags_new();
    g_autofree char *folder = folder_new();
    g_autofree char *path = g_build_filename(folder, "policy", NULL);
    GString *table = g_string_new(NULL);

    for (unsigned n = 0; n < 20000; n++)
        g_string_append(table, "no domain!\n");
    folder_put(folder, "t", table->str);
    folder_put(folder, "policy", UNIT_HEAD "class bad { domains from \"t\" }\ndefault accept\n");
    g_assert_null(policy_load(path, diags));
    if (diags_count(diags) > 1000)
        UNIT_FAIL("%u diagnostics of one table", diags_count(diags));
    g_string_free(table, TRUE);
    folder_remove(folder);
}

static void test_file_errors(void)
{
    auto_free(diags) diags = diags_new();
    g_autofree char *got = NULL;

    diags_file_error(diags, "f", "is %s", "gone");
    got = diag_format(diags_get(diags, 0));
    g_assert_cmpstr(got, ==, "f: error: is gone\n");
    g_assert_cmpuint(diags_errors(diags), ==, 1);
}

static void test_levels(void)
{
    auto_free(diags) diags = diags_new();
    auto_free(source) source = source_from_memory("f", "ab", 2, diags);
    g_autofree char *got = NULL;

    source_diag(source, 1, diags, DIAG_WARNING, "odd");
    got = diag_format_line(diags_get(diags, 0));
    g_assert_cmpstr(got, ==, "f:1:2: warning: odd");
    g_assert_cmpuint(diags_count(diags), ==, 1);
    g_assert_cmpuint(diags_errors(diags), ==, 0);
}

static void test_encoding(void)
{
    static const struct {
        const char *text;
        size_t length;
        const char *want;
    } cases[] = {
        {"a\n\xc3\xbc\xff", 5, "2:2: byte 0xff is not UTF-8; expected text in UTF-8"},
        {"a\0b", 3, "1:2: a NUL byte; expected text in UTF-8"},
        {"\xc3", 1, "1:1: byte 0xc3 is not UTF-8; expected text in UTF-8"},
        {"\xed\xa0\x80", 3, "1:1: byte 0xed is not UTF-8; expected text in UTF-8"},
        {"abc", 3, ""},
        {"", 0, ""},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(diags) diags = diags_new();
        auto_free(source) source = source_from_memory("f", cases[i].text, cases[i].length, diags);
        g_autofree char *got = diags_lines(diags);
        g_assert_cmpstr(got, ==, cases[i].want);
        g_assert_true((source == NULL) == (cases[i].want[0] != '\0'));
    }
}

static void test_lines(void)
{
    auto_free(diags) diags = diags_new();
    auto_free(source) source = source_from_memory("f", "a\n\nb\n", 5, diags);

    g_assert_cmpuint(source_line(source, 0), ==, 1);
    g_assert_cmpuint(source_line(source, 1), ==, 1);
    g_assert_cmpuint(source_line(source, 2), ==, 2);
    g_assert_cmpuint(source_line(source, 3), ==, 3);
    g_assert_cmpuint(source_line(source, 5), ==, 4);
}

/* Notes stand below, and in a log behind; those of what there was no room for go nowhere. */
static void test_notes(void)
{
    auto_free(diags) diags = diags_new();
    auto_free(diags) others = diags_new();
    struct source *source = source_from_memory("f", "abc", 3, diags);
    g_autofree char *shown = NULL;
    g_autofree char *line = NULL;

    diags_note(diags, "about nothing");
    source_diag(source, 1, diags, DIAG_ERROR, "here");
    diags_note(diags, "since %d", 17);
    diags_note(diags, "  a\033b");
    shown = diag_format(diags_get(diags, 0));
    line = diag_format_line(diags_get(diags, 0));
    g_assert_cmpstr(shown, ==, "f:1:2: error: here\n    abc\n     ^\n    since 17\n      a?b\n");
    g_assert_cmpstr(line, ==, "f:1:2: error: here; since 17; a?b");
    diags_move(others, diags);
    diags_note(diags, "about what is gone");
    diags_note(others, "about what came");
    g_assert_cmpuint(diags_get(others, 0)->notes->len, ==, 3);
    for (unsigned i = 0; i < 2 * DIAGS_LIMIT; i++) {
        diags_file_error(others, "g", "there");
        diags_note(others, "one");
    }
    g_assert_cmpuint(diags_get(others, DIAGS_LIMIT - 1)->notes->len, ==, 1);
    source_free(source);
}

static void test_nearest(void)
{
    static const char *const candidates[] = {"internal", "external", "other", "all", "tag", NULL};
    static const char *const cases[][2] = {
        {"extern", "external"},
        {"externl", "external"},
        {"Internal", "internal"},
        {"othr", "other"},
        {"al", "all"},
        {"tga", "tag"},
        {"freemail", NULL},
        {"", NULL},
        {"x", NULL},
        {"internal", "internal"},
        {"intrenal", "internal"},
        {"gta", NULL},
        {"ohter", "other"},
        {"a", NULL},
        {"t", NULL},
    };
    g_autofree char *long_word = g_strnfill(100000, 'a');

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(diag_nearest(cases[i][0], candidates), ==, cases[i][1]);
    g_assert_null(diag_nearest(long_word, candidates));
}

static void test_nearest_file(void)
{
    char *folder = folder_new();
    static const char *const cases[][2] = {
        {"freemial.domains", "freemail.domains"},
        {"freemail.domain", "freemail.domains"},
        {"x", NULL},
        {"partners", NULL},
        {"below/freemail.domains", NULL},
        {"polizy", "policy"},
    };

    folder_put(folder, "freemail.domains", "");
    folder_put(folder, "policy", "");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(folder, cases[i][0], NULL);
        g_autofree char *nearest = diag_nearest_file(path);
        g_assert_cmpstr(nearest, ==, cases[i][1]);
    }
    folder_free(folder);
}

/* A file that somebody writes to, from a thread, until it is told to stop. */
struct written {
    const char *path;
    bool renamed; /* a new file each time, and not in place */
    atomic_bool stop;
};

#define WRITTEN_SIZE (8u * 1024 * 1024)

static gpointer write_on(gpointer data)
{
    struct written *written = data;
    g_autofree char *text = g_strnfill(WRITTEN_SIZE, 'x');

    while (!atomic_load(&written->stop)) {
        if (written->renamed) {
            g_assert_true(g_file_set_contents_full(written->path, text, WRITTEN_SIZE, G_FILE_SET_CONTENTS_CONSISTENT,
                                                   0600, NULL));
            continue;
        }
        FILE *file = fopen(written->path, "w");
        g_assert_nonnull(file);
        for (unsigned i = 0; i < 64; i++)
            g_assert_cmpuint(fwrite(text, 1, WRITTEN_SIZE / 64, file), ==, WRITTEN_SIZE / 64);
        fclose(file);
    }
    return NULL;
}

/* Half a file is not what it says: it is an error, and never taken for the whole. */
static void test_changed(void)
{
    g_autofree char *folder = g_dir_make_tmp("rcptguard-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "table", NULL);
    g_autofree char *text = g_strnfill(WRITTEN_SIZE, 'x');

    for (unsigned renamed = 0; renamed < 2; renamed++) {
        struct written written = {.path = path, .renamed = renamed};
        unsigned changed = 0;
        g_assert_true(g_file_set_contents(path, text, WRITTEN_SIZE, NULL));
        GThread *thread = g_thread_new("writer", write_on, &written);
        gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
        while (changed < 5 && g_get_monotonic_time() < end) {
            auto_free(diags) diags = diags_new();
            auto_free(source) source = source_read(path, "a table", WRITTEN_SIZE, diags);
            changed += source == NULL;
            if (source == NULL)
                g_assert_nonnull(strstr(diags_get(diags, 0)->message, "changed while it was read"));
            else if (renamed)
                g_assert_cmpuint(source->length, ==, WRITTEN_SIZE);
        }
        g_assert_cmpuint(changed, ==, 5);
        atomic_store(&written.stop, true);
        g_thread_join(thread);
        auto_free(diags) diags = diags_new();
        auto_free(source) source = source_read(path, "a table", WRITTEN_SIZE, diags);
        g_assert_nonnull(source);
        g_assert_cmpuint(source->length, ==, WRITTEN_SIZE);
    }
    g_unlink(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diag/caret", test_caret);
    g_test_add_func("/diag/long-lines", test_long_lines);
    g_test_add_func("/diag/quoted", test_quoted);
    g_test_add_func("/diag/flood", test_flood);
    g_test_add_func("/diag/file-errors", test_file_errors);
    g_test_add_func("/diag/levels", test_levels);
    g_test_add_func("/diag/encoding", test_encoding);
    g_test_add_func("/diag/lines", test_lines);
    g_test_add_func("/diag/notes", test_notes);
    g_test_add_func("/diag/nearest", test_nearest);
    g_test_add_func("/diag/nearest-file", test_nearest_file);
    g_test_add_func("/diag/changed", test_changed);
    return g_test_run();
}
