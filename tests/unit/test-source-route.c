/* test-source-route - see policy/address/source_route.h */

#include "policy/address/address.h"
#include "policy/address/source_route.h"
#include "unit.h"

static void test_address(void)
{
    /* Each was delivered so by a real Sendmail. */
    static const struct {
        const char *given, *wanted;
    } cases[] = {
        {"", ""},
        {"care", "care"},
        {"care@me.example", "care@me.example"},
        {"@a.example:care@me.example", "care@me.example"},
        {"@a.example,@b.example:care@me.example", "care@me.example"},
        {"@[IPv6:2001:db8::1]:care@me.example", "care@me.example"},
        {"@a.example", "@a.example"},
        {"care(x)@me.example", "care@me.example"},
        {"care@(x (y\\) z))me.example", "care@me.example"},
        {"care@me.example(x)", "care@me.example"},
        {"care(@me.example", "care(@me.example"},
        {" care @ me.example ", "care@me.example"},
        {"\"ca re\"@me.example", "\"ca re\"@me.example"},
        {"\"ca(x)re\"@me.example", "\"ca(x)re\"@me.example"},
        {"\"a\\\"(b\"@me.example", "\"a\\\"(b\"@me.example"},
        {"ca\\ re@me.example", "ca\\ re@me.example"},
        {"ann%x.example", "ann@x.example"},
        {"ann % x.example", "ann@x.example"},
        {"a%b.example%x.example", "a%b.example@x.example"},
        {"ann%x.example@y.example", "ann%x.example@y.example"},
        {"x.example!ann", "ann@x.example"},
        {"x.example!y.example!ann", "y.example!ann@x.example"},
        {"x.example!a%b", "a%b@x.example"},
        {"x.example!ann@y.example", "x.example!ann@y.example"},
        {"\"ann%x.example\"", "ann@x.example"},
        {"host!ann", "host!ann"},
        {"ann%host", "ann%host"},
        {"x.example!", "x.example!"},
        {"%x.example", "%x.example"},
        {"50%", "50%"},
        {"(", "("},
        {"\"", "\""},
        {"\\", "\\"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = route_address(cases[i].given);
        g_assert_cmpstr(found, ==, cases[i].wanted);
    }
}

static void test_normalise(void)
{
    g_autofree char *found = address_normalise_envelope("@Relay.Example:\"Care\"(x)@ME.example.");
    g_assert_cmpstr(found, ==, "care@me.example");
    g_autofree char *bare = address_normalise_envelope("Bob");
    g_assert_cmpstr(bare, ==, "bob");
    g_autofree char *null = address_normalise_envelope("");
    g_assert_cmpstr(null, ==, "");
}

static void collect(void *data, const char *local, const char *domain)
{
    g_string_append_printf(data, "%s@%s ", local, domain);
}

static void test_list(void)
{
    static const struct {
        const char *list, *wanted;
    } cases[] = {
        {"", ""},
        {"ann@x.example, 100%@y.example", ""},
        {"a%x.example, y.example!b", "a@x.example b@y.example "},
        {"<a%x.example>,\n\tName <y.example!b>", "a@x.example b@y.example "},
        {"a%x.example; b%y.example", "a@x.example b@y.example "},
        {"group: a%x.example, b%y.example;", "a@x.example b@y.example "},
        {"a % x.example, b(c)%y.example, c%z .example", "a@x.example b@y.example c@z.example "},
        {"50%off.example <a@x.example>", ""},
        {"50%off.example: a@x.example;", ""},
        {"\"a%x.example\", (b%y.example) c", ""},
        {"bang!user, 50%off", ""},
        {"a%[192.0.2.1]", "a@[192.0.2.1] "},
        {"(a%x.example", "(a@x.example "},
        {"(a%x.example, b(c)%y.example", "(a@x.example b(c)@y.example "},
        {"\"a%x.example", ""},
        {"a\\%x.example", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) found = g_string_new(NULL);
        route_list(cases[i].list, collect, found);
        g_assert_cmpstr(found->str, ==, cases[i].wanted);
    }
}

/* As much as a header may hold, of what might be looked at again and again, which would take hours. */
static void test_cost(void)
{
    static const char *const shapes[] = {"(", "\"", "\\", "%", "!", "a%", "(\\", "(a)", ",(", "<", "@:"};
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(GString) list = g_string_new("%");
        g_autoptr(GString) found = g_string_new(NULL);
        while (list->len < 1000000)
            g_string_append(list, shapes[i]);
        gint64 begin = g_get_monotonic_time();
        route_list(list->str, collect, found);
        g_free(route_address(list->str));
        g_assert_cmpint(g_get_monotonic_time() - begin, <, 30 * G_USEC_PER_SEC);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/route/address", test_address);
    g_test_add_func("/route/normalise", test_normalise);
    g_test_add_func("/route/list", test_list);
    g_test_add_func("/route/cost", test_cost);
    return g_test_run();
}
