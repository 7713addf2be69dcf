/* test-address-greedy - the longest address around each `@` of a clean text */

#include "policy/address/address_greedy.h"
#include "unit.h"

/* For each `@`: "same", "nobody", "unread", or LOCAL|DOMAIN and, if the item holds more, [LOCAL|DOMAIN] of all of it.
 */
static char *read_text(const char *text, bool prose)
{
    g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(struct scan_hit));
    GString *out = g_string_new(NULL);
    struct greedy_address read;
    struct greedy_at at = {0};
    struct greedy greedy;
    unsigned next = 0;

    scan_text(text, strlen(text), G_MAXUINT, hits);
    greedy_start(&greedy, text, strlen(text), prose);
    greedy_address_init(&read);
    for (const char *p = text; (p = strchr(p, '@')) != NULL; p++, at.number++) {
        const struct scan_hit *hit = next < hits->len ? &g_array_index(hits, struct scan_hit, next) : NULL;
        at.place = (size_t)(p - text);
        if (hit != NULL && hit->at != at.place)
            hit = NULL;
        next += hit != NULL;
        if (out->len > 0)
            g_string_append_c(out, ' ');
        switch (greedy_read(&greedy, &at, hit, &read)) {
        case GREEDY_SAME:
            g_string_append(out, "same");
            break;
        case GREEDY_NOBODY:
            g_string_append(out, "nobody");
            break;
        case GREEDY_UNREAD:
            g_string_append(out, "unread");
            break;
        case GREEDY_SHOWN:
            g_string_append(out, "shown");
            break;
        case GREEDY_LONGER:
            g_string_append_printf(out, "%s|%s", read.local->str, read.domain->str);
            if (read.cut)
                g_string_append(out, "[cut]");
            else if (read.wider)
                g_string_append_printf(out, "[%s|%s]", read.wide_local->str, read.wide_domain->str);
            break;
        }
        at.floor = read.end;
    }
    greedy_address_clear(&read);
    greedy_end(&greedy);
    return g_string_free(out, FALSE);
}

struct row {
    const char *text, *want;
};

static void check(const struct row *rows, size_t count, bool prose)
{
    bool failed = false;

    for (size_t i = 0; i < count; i++) {
        g_autofree char *got = read_text(rows[i].text, prose);
        if (strcmp(got, rows[i].want) == 0)
            continue;
        failed = true;
        g_test_message("%s: got `%s`, want `%s`", rows[i].text, got, rows[i].want);
    }
    if (failed)
        g_test_fail();
}

static void test_alone(void)
{
    static const struct row rows[] = {
        {"ann@x.example", "same"},
        {"ann@x.example, Bob <bob@y.example>; c@z.example", "same same same"},
        {"\"Lee, Ann\" <ann@x.example>, bob@y.example", "same same"},
        {"ann@[192.0.2.1]", "same"},
    };

    check(rows, G_N_ELEMENTS(rows), false);
}

static void test_longer(void)
{
    static const struct row rows[] = {
        /* Comments, blanks, quotes, brackets. */
        {"u(x)@y.example", "\"u\"|y.example"},
        {"u@(x(y))z.example", "\"u\"|z.example"},
        {"u . a @ d . example", "\"u.a\"|d.example"},
        {"<some one @ host . example>", "\"someone\"|host.example"},
        {"<u\"\"@d.example>", "\"u\"|d.example"},
        {"bob[@x.example", "\"bob\"|x.example"},
        {"<bob>@x.example", "\"bob\"|x.example"},
        {"bob@<x.example>", "\"bob\"|x.example"},
        {"(ann)@x.example", "\"ann\"|x.example"},
        {"\"a b\"(x)@y.example", "\"a b\"|y.example"},
        {"u@(x)[192.0.2.1]", "\"u\"|[192.0.2.1]"},
        {"\"\"@x.example", "\"\"|x.example"},
        /* A part of a domain before a blank or a comment. */
        {"<p@gmail. com>", "\"p\"|gmail.com"},
        {"<p@gmail .com>", "\"p\"|gmail.com"},
        {"x@d.(c)e", "\"x\"|d.e"},
        {"a@x.d .e", "\"a\"|x.d.e"},
        /* What an MTA may take for parts of it. */
        {"Ann ann@x.example", "\"ann\"|x.example[\"Annann\"|x.example]"},
        {"<c\"d\"@x.example>", "\"d\"|x.example[\"cd\"|x.example]"},
        {"a@x.example/home", "\"a\"|x.example[\"a\"|x.example/home]"},
        {"\"u (x) b@x.example\"", "\"b\"|x.example[\"ub\"|x.example]"},
        {"<u:b@x.example>", "\"b\"|x.example[\"ub\"|x.example]"},
        /* Not what is another's. */
        {"ann@x.example bob@y.example", "\"ann\"|x.example \"bob\"|y.example"},
        {"G: ann@x.example", "\"ann\"|x.example"},
    };

    check(rows, G_N_ELEMENTS(rows), false);
}

static void test_nobody(void)
{
    static const struct row rows[] = {
        {"<@r.example:ann@x.example>", "nobody \"ann\"|x.example"},
        {"<@route@route2:user@domain>", "nobody nobody \"user\"|domain"},
        {"<@r(:),@s:@[IPv6:1::2]:ann@x.example>", "nobody nobody nobody \"ann\"|x.example"},
        {"\"Lunch @ noon\" <ann@x.example>", "nobody same"},
        {"Lunch @ noon <ann@x.example>", "nobody same"},
        {"(Lunch @ noon) ann@x.example", "nobody \"ann\"|x.example"},
        {"\"Lunch @ noon\": ann@x.example;", "nobody \"ann\"|x.example"},
        /* None of it is proved where an MTA reads. */
        {"@", "unread"},
        {"user@", "unread"},
        {"@x.example", "unread"},
        {"<@x.example>", "unread"},
    };

    check(rows, G_N_ELEMENTS(rows), false);
}

static void test_prose(void)
{
    static const struct row rows[] = {
        {"Lunch @ noon. Bring cake", "nobody"},     {"write to Dr. ann@x.example. Bob knows", "shown"},
        {"u (x) @ d . example", "\"u\"|d.example"}, {"@ann", "nobody"},
        {"=?utf-8?q?ann?= @ x.example", "nobody"},
    };

    check(rows, G_N_ELEMENTS(rows), true);
}

/* A long item is read as far as it may be, and says so. */
static void test_steps(void)
{
    g_autofree char *names = g_strnfill(2 * GREEDY_STEPS, 'n');
    g_autofree char *before = g_strconcat(names, " ann@x.example", NULL);
    g_autofree char *behind = g_strconcat("ann@x.example ", names, NULL);
    g_autofree char *got_before = read_text(before, false);
    g_autofree char *got_behind = read_text(behind, false);

    g_assert_cmpstr(got_before, ==, "\"ann\"|x.example[cut]");
    g_assert_cmpstr(got_behind, ==, "\"ann\"|x.example[cut]");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/greedy/alone", test_alone);
    g_test_add_func("/greedy/longer", test_longer);
    g_test_add_func("/greedy/nobody", test_nobody);
    g_test_add_func("/greedy/prose", test_prose);
    g_test_add_func("/greedy/steps", test_steps);
    return g_test_run();
}
