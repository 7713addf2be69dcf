/* test-run-program - commands that answer, fail, talk too much, and do not end */

#include "policy/cli/run_program.h"
#include "unit.h"

#include <signal.h>

static int run_shell(const char *script, const char *input, GString *output, bool merged, unsigned seconds,
                     char **error)
{
    const char *const arguments[] = {"sh", "-c", script, NULL};
    const struct program program = {.arguments = arguments,
                                    .input = input,
                                    .input_length = input == NULL ? 0 : strlen(input),
                                    .take = output == NULL ? NULL : program_collect,
                                    .data = output,
                                    .merged = merged,
                                    .seconds = seconds};
    return program_run(&program, error);
}

static void test_output(void)
{
    static const struct {
        const char *script, *input, *output;
        bool merged;
    } cases[] = {
        {"echo one; echo two >&2", NULL, "one\n", false},
        {"echo one; echo two >&2", NULL, "one\ntwo\n", true},
        {"cat", "through\n", "through\n", false},
        {"cat; echo end", "", "end\n", false},
        {"printf %s \"$LC_ALL:$HOME:$PATH\"", NULL, "C:/:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin",
         false},
        {"pwd", NULL, "/\n", false},
        {"printf %s \"${RCPTGUARD_UNIT-nothing}\"", NULL, "nothing", false},
        {"test -t 0 || head -c 10; echo", NULL, "\n", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) output = g_string_new(NULL);
        g_autofree char *error = NULL;
        int result = run_shell(cases[i].script, cases[i].input, output, cases[i].merged, 0, &error);
        g_assert_cmpstr(error, ==, NULL);
        g_assert_cmpint(result, ==, 0);
        g_assert_cmpstr(output->str, ==, cases[i].output);
    }
}

/* Both pipes full at once, and more input than a pipe holds. */
static void test_much(void)
{
    g_autofree char *input = g_strnfill(3 * 1000 * 1000, 'x');
    g_autoptr(GString) output = g_string_new(NULL);
    g_autofree char *error = NULL;
    const char *script = "head -c 1000000 /dev/zero | tr '\\0' y >&2; cat; head -c 1000000 /dev/zero | tr '\\0' z >&2";
    g_assert_cmpint(run_shell(script, input, output, false, 0, &error), ==, 0);
    g_assert_cmpuint(output->len, ==, 3 * 1000 * 1000);
}

static void test_failures(void)
{
    static const struct {
        const char *script, *input, *error;
    } cases[] = {
        {"exit 3", NULL, "sh ended with exit code 3"},
        {"echo out; echo first >&2; echo the last word >&2; exit 69", NULL, "sh: the last word"},
        {"echo 'sh: fatal: no such thing' >&2; exit 1", NULL, "sh: fatal: no such thing"},
        {"printf 'a\\033[2Jb\\n' >&2; exit 1", NULL, "sh: a\\x1B[2Jb"},
        {"kill -KILL $$", NULL, "sh was ended by signal 9"},
        {"echo the last word >&2; kill -ABRT $$", NULL, "sh was ended by signal 6: the last word"},
        {"kill -SYS $$", NULL, "sh was stopped by signal 31: it made a system call that it never needs"},
        {"kill -XCPU $$", NULL, "sh was stopped by signal 24: it took more processor time than it may"},
        {"exit 1", "nobody reads this", "sh ended with exit code 1"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *error = NULL;
        g_assert_cmpint(run_shell(cases[i].script, cases[i].input, NULL, false, 0, &error), ==, -1);
        g_assert_cmpstr(error, ==, cases[i].error);
    }
}

/* What it started keeps the pipes open and is not waited for either. */
static void test_late(void)
{
    g_autofree char *error = NULL;
    gint64 start = g_get_monotonic_time();
    g_assert_cmpint(run_shell("sleep 60 & sleep 60", NULL, NULL, false, 1, &error), ==, -1);
    g_assert_cmpstr(error, ==, "sh did not end within 1 s");
    g_assert_cmpint(g_get_monotonic_time() - start, <, 30 * G_USEC_PER_SEC);
}

static void test_missing(void)
{
    static const char *const arguments[] = {"rcptguard-no-such-command", NULL};
    const struct program program = {.arguments = arguments};
    g_autofree char *error = NULL;
    g_assert_cmpint(program_run(&program, &error), ==, -1);
    g_assert_true(g_str_has_prefix(error, "there is no rcptguard-no-such-command in /usr/sbin:/usr/bin:"));
    g_assert_null(program_find("rcptguard-no-such-command", false));
    g_autofree char *found = program_find("sh", false);
    g_assert_true(g_path_is_absolute(found));
}

/* For himself, a person has the program, the folder and the environment that he wants; and is told which program it
 * was. */
static void test_callers(void)
{
    static const char *const arguments[] = {"sh", NULL}, *const missing[] = {"rcptguard-no-such-command", NULL};
    const struct program program = {.arguments = arguments, .callers = true};
    const struct program absent = {.arguments = missing, .callers = true};
    g_autofree char *error = NULL, *other = NULL;
    g_autofree char *here = g_get_current_dir();
    g_autofree char *expected = g_strdup_printf("a trap in %s, the environment of who calls, C\n", here);
    g_autofree char *output = program_output(&program, &error);
    g_assert_cmpstr(error, ==, NULL);
    g_assert_cmpstr(output, ==, expected);
    g_assert_null(program_output(&absent, &other));
    g_assert_true(g_str_has_prefix(other, "there is no rcptguard-no-such-command in PATH or /usr/sbin:"));
}

static void test_callers_failure(void)
{
    static const char *const arguments[] = {"rcptguard-fails", NULL};
    const struct program program = {.arguments = arguments, .callers = true};
    g_autofree char *error = NULL;
    g_autofree char *path = program_find("rcptguard-fails", true);
    g_autofree char *expected = g_strdup_printf("%s: no idea", path);
    g_assert_null(program_output(&program, &error));
    g_assert_cmpstr(error, ==, expected);
}

/* The caller's PATH has no say, but where he wants it: it leads to another `sh` all the time. */
static char *set_trap(void)
{
    char *folder = folder_new();
    g_autofree char *trap =
        folder_write(folder, "sh", "#!/bin/sh\necho \"a trap in $(/bin/pwd), $RCPTGUARD_UNIT, $LC_ALL\"\n", -1);
    g_autofree char *failing = folder_write(folder, "rcptguard-fails", "#!/bin/sh\necho no idea >&2\nexit 4\n", -1);
    g_chmod(trap, 0755);
    g_chmod(failing, 0755);
    g_setenv("PATH", folder, TRUE);
    g_setenv("RCPTGUARD_UNIT", "the environment of who calls", TRUE);
    return folder;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    char *trap = set_trap();
    g_test_add_func("/program/output", test_output);
    g_test_add_func("/program/much", test_much);
    g_test_add_func("/program/failures", test_failures);
    g_test_add_func("/program/late", test_late);
    g_test_add_func("/program/missing", test_missing);
    g_test_add_func("/program/callers", test_callers);
    g_test_add_func("/program/callers-failure", test_callers_failure);
    int result = g_test_run();
    folder_free(trap);
    return result;
}
