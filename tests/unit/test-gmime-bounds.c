/* test-gmime-bounds - which header values GMime gets to see */

#include "policy/message/gmime_bounds.h"

#include <string.h>

/* A value of its own message. */
static bool shown(const char *value)
{
    struct parsable parsable = {0};

    return parsable_show(&parsable, value, strlen(value));
}

/* `head`, `count` times `piece`, `tail`. */
static bool shown_repeated(const char *head, const char *piece, unsigned count, const char *tail)
{
    g_autoptr(GString) value = g_string_new(head);

    for (unsigned i = 0; i < count; i++)
        g_string_append(value, piece);
    g_string_append(value, tail);
    return shown(value->str);
}

static void test_limits(void)
{
    g_assert_true(shown(""));
    g_assert_true(shown("Ann <ann@x.example>"));
    g_assert_true(shown_repeated("", "x", GMIME_BYTES_LIMIT, ""));
    g_assert_false(shown_repeated("x", "x", GMIME_BYTES_LIMIT, ""));
    g_assert_true(shown_repeated("", "@", GMIME_MARKS_LIMIT, ""));
    g_assert_false(shown_repeated(":", "@", GMIME_MARKS_LIMIT, ""));
    g_assert_true(shown_repeated("", ":", GMIME_COLONS_LIMIT, ""));
    g_assert_false(shown_repeated("", ":", GMIME_COLONS_LIMIT + 1, ""));
    g_assert_true(shown_repeated("@", ",", GMIME_BARE_LIMIT + 2, ""));
    g_assert_false(shown_repeated("@", ",", GMIME_BARE_LIMIT + 3, ""));
    g_assert_true(shown_repeated("", "(", GMIME_OPEN_LIMIT, ""));
    g_assert_true(shown_repeated("", "(x)", 10 * GMIME_OPEN_LIMIT, ""));
    g_assert_false(shown_repeated("", "(", GMIME_OPEN_LIMIT + 1, ""));
    g_assert_true(shown_repeated("", "a@[1] (x), ", GMIME_LITERAL_LIMIT, ""));
    g_assert_false(shown_repeated("", "a@[1] (x), ", GMIME_LITERAL_LIMIT + 1, ""));
    g_assert_true(shown_repeated("", "a@[1], ", 10 * GMIME_LITERAL_LIMIT, ""));
}

/* The bounds of a message hold for all its headers together. */
static void test_message(void)
{
    static const char half[] = "a@x, b@x";
    struct parsable parsable = {0};

    for (unsigned i = 0; i < GMIME_MARKS_LIMIT / 2; i++)
        g_assert_true(parsable_show(&parsable, half, strlen(half)));
    g_assert_false(parsable_show(&parsable, half, strlen(half)));
    g_assert_false(parsable_show(&parsable, "a@x", 3));
}

/* Behind a domain literal a comment that is never closed costs memory, in whatever else the literal stands. */
static void test_literals(void)
{
    static const char *const lost[] = {
        "a@[1](",           "a@[1] (b",    "a@[1]\r\n\t(b",     "a@[1](b\\)",          "a@[1](b(c)", "a@[](",
        "a@[\"](\"",        "a@[(](",      "a@[)](\"(",         "a@[\"](\\)\"",        "a@ [1](",    "a@(b)[1](",
        "a@\r\n\t(b) [1](", "g: a@[1](x;", "a@[1](b), c@[2](d", "\"a\" <b@x>, c@[1](", "a@[1 2](",   "a@[@](",
    };
    static const char *const kept[] = {
        "a@[1]",
        "a@[192.0.2.1] (Ann)",
        "a@[192.0.2.1] (Ann (Lee) \\) \\( \"Bo\")",
        "a@[1](b)(c",
        "a@[1], b@x (c",
        "a@[1 (",
        "\"[Team] (:\" <a@x.example>",
        "Ann [Team] (: <a@x.example>",
        "\"Ann @ [Team\" (a@x",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(lost); i++) {
        g_test_message("%s", lost[i]);
        g_assert_false(shown(lost[i]));
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_test_message("%s", kept[i]);
        g_assert_true(shown(kept[i]));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parsable/limits", test_limits);
    g_test_add_func("/parsable/message", test_message);
    g_test_add_func("/parsable/literals", test_literals);
    return g_test_run();
}
