/* test-condition-solver - which conditions can be true together: never denied of what a message shows, and known where
 * it can be
 */

#include "policy/logic/condition_solver.h"
#include "policy/syntax/ast.h"
#include "unit.h"

#define CLASSES                                                                                                        \
    UNIT_HEAD "class free { domain \"free.example\", \".free.example\" individuals }\n"                                \
              "class shop { domain \".shop.example\" }\n"                                                              \
              "class tenants { domain \"t1.example\", \"t2.example\" separate }\n"

/* ---- what every message shows is possible */

static const char *const texts[] = {
    "authenticated",
    "local",
    "syntax",
    "malformed",
    "sender = \"ann@me.example\"",
    "sender in \"ann@me.example\", \"bob@free.example\"",
    "sender in \"ann+x@me.example\", \"bob@me.example\"",
    "sender = \"ann+x@me.example\"",
    "sender in \"me.example\"",
    "sender = \"i@t1.example\"",
    "from in \"t1.example\"",
    "sender in \".shop.example\", \"\"",
    "sender in internal",
    "sender in internal, shop",
    "sender in free",
    "sender in tenants",
    "sender in other, tenants",
    "sender =~ /ann@.*/",
    "from = \"ann@me.example\"",
    "from in \"me.example\", \".shop.example\"",
    "from in internal",
    "from in free, other",
    "from =~ /.*@free\\.example/",
    "user = \"ann\"",
    "user in \"ann\", \"BOB\"",
    "user = \"eve@free.example\"",
    "user in \"ann@me.example\", \"bob@free.example\"",
    "user = \"bob\"",
    "user in free",
    "client = \"10.1.2.3\"",
    "client in \"10.1.0.0/16\"",
    "client in \"10.0.0.0/8\", \"::1\"",
    "client in \"2001:db8::/32\"",
    "listener = \"bulk\"",
    "listener in \"BULK\", \"other\"",
    "header(\"X-A\")",
    "header(\"x-a\")",
    "header(\"X-A\") = \"one\"",
    "header(\"X-A\") = \"two\"",
    "header(\"X-B\") =~ /o.*/",
};

static const char *const counts[] = {"visible", "parties", "domains", "recipients", "hidden"};
static const char *const sets[] = {"internal",
                                   "external",
                                   "all",
                                   "free",
                                   "shop",
                                   "other",
                                   "free, shop",
                                   "internal, other",
                                   "external, not shop",
                                   "all, not free, not internal"};
static const char *const signs[] = {">=", ">", "<=", "<", "="};
static const char *const people[] = {"ann@me.example",     "ann+x@me.example", "bob@me.example",   "eve@www.me.example",
                                     "a@free.example",     "b@free.example",   "c@x.free.example", "d@shop.example",
                                     "e@www.shop.example", "f@one.test",       "g@two.test",       "h@www.two.test",
                                     "i@t1.example",       "j@t2.example",     "k@[192.0.2.1]",    "noone"};
static const char *const senders[] = {"ann@me.example", "bob@free.example", "", "d@shop.example", "i@t1.example",
                                      "root",           "x@y.test"};
static const char *const clients[] = {"10.1.2.3", "10.2.3.4", "::1", "2001:db8::5", "192.0.2.1", NULL};
static const char *const users[] = {
    "ann", "bob", "eve@free.example", "ann@me.example", "bob@free.example", "bob@www.me.example", NULL};
static const char *const listeners[] = {"BULK", "x", NULL};
static const char *const values[] = {"one", "two", "other", NULL};

static const char *any(GRand *random, const char *const *words, unsigned count)
{
    return words[g_rand_int_range(random, 0, (gint32)count)];
}
#define ANY(words) any(random, words, G_N_ELEMENTS(words))

static void append_expression(GRand *random, GString *text, unsigned depth)
{
    unsigned parts = depth == 0 ? 1 : (unsigned)g_rand_int_range(random, 1, 4);
    const char *word = g_rand_boolean(random) ? " and " : " or ";

    for (unsigned i = 0; i < parts; i++) {
        g_string_append(text, i > 0 ? word : "");
        if (g_rand_int_range(random, 0, 4) == 0)
            g_string_append(text, "not ");
        if (parts > 1 && depth > 0 && g_rand_boolean(random)) {
            g_string_append_c(text, '(');
            append_expression(random, text, depth - 1);
            g_string_append_c(text, ')');
        } else if (g_rand_int_range(random, 0, 3) == 0) {
            g_string_append(text, ANY(texts));
        } else {
            g_string_append_printf(text, "%s(%s) %s %d", ANY(counts), ANY(sets), ANY(signs),
                                   g_rand_int_range(random, 0, 5));
        }
    }
}

static struct message *random_message(GRand *random)
{
    struct message *message = message_new();
    GString *to = g_string_new(NULL);

    message_set_sender(message, ANY(senders));
    message_set_client(message, ANY(clients));
    message_set_listener(message, ANY(listeners));
    message_set_user(message, ANY(users));
    message->local = g_rand_boolean(random);
    for (int i = g_rand_int_range(random, 0, 7); i > 0; i--) {
        const char *one = ANY(people);
        g_string_append_printf(to, "%s%s", to->len > 0 ? ", " : "", one);
        if (g_rand_boolean(random))
            message_add_recipient(message, one);
    }
    for (int i = g_rand_int_range(random, 0, 4); i > 0; i--)
        message_add_recipient(message, ANY(people));
    message_add_header(message, "To", to->str);
    for (int i = g_rand_int_range(random, 0, 3); i > 0; i--)
        message_add_header(message, "From", ANY(people));
    for (int i = g_rand_int_range(random, 0, 3); i > 0; i--) {
        const char *value = ANY(values);
        if (value != NULL)
            message_add_header(message, g_rand_boolean(random) ? "X-A" : "X-B", value);
    }
    g_string_free(to, TRUE);
    return message;
}

/* All rules are on trial, so each is evaluated, and what matched is told. */
static void try_message(GRand *random, struct policy *policy, struct logic *logic)
{
    auto_free(message) message = random_message(random);
    auto_free(verdict) verdict = evaluate_at(policy, message, 0);
    struct claim *claims = g_new(struct claim, policy->rules->len);

    for (unsigned i = 0; i < policy->rules->len; i++) {
        const struct rule *rule = g_ptr_array_index(policy->rules, i);
        g_autofree char *would = g_strconcat("tag:", rule->name->text, NULL);
        claims[i] =
            (struct claim){rule->when, g_ptr_array_find_with_equal_func(verdict->would, would, g_str_equal, NULL)};
    }
    if (!logic_possible(logic, claims, policy->rules->len))
        UNIT_FAIL("a message does what is called impossible in\n%s", policy_text(policy));
    g_free(claims);
}

static void test_sound(void)
{
    GRand *random = g_rand_new_with_seed(17);
    unsigned impossible = 0, policies = UNIT_SANITIZED ? 60 : 400;

    for (unsigned i = 0; i < policies && !g_test_failed(); i++) {
        GString *text = g_string_new(CLASSES);
        struct policy *policy;
        struct logic *logic;
        for (unsigned rule = 0; rule < 6; rule++) {
            g_string_append_printf(text, "rule r%u { monitor when ", rule);
            append_expression(random, text, 2);
            g_string_append(text, " tag \"x\" }\n");
        }
        policy = policy_of(g_string_append(text, "default accept\n")->str);
        logic = logic_new(policy);
        for (unsigned message = 0; message < 40; message++)
            try_message(random, policy, logic);
        /* Some are impossible, or this test would prove nothing. */
        for (unsigned rule = 0; rule + 1 < policy->rules->len; rule++) {
            const struct rule *one = g_ptr_array_index(policy->rules, rule);
            const struct rule *other = g_ptr_array_index(policy->rules, rule + 1);
            const struct claim claims[] = {{one->when, true}, {other->when, true}};
            impossible += !logic_possible(logic, claims, 2);
        }
        logic_free(logic);
        policy_unref(policy);
        g_string_free(text, TRUE);
    }
    g_assert_cmpuint(impossible, >, policies / 8);
    g_rand_free(random);
}

/* ---- what is known to be impossible */

static bool both_possible(const char *one, const char *other)
{
    g_autofree char *text = g_strdup_printf(
        CLASSES "rule a { when %s tag \"x\" }\nrule b { when %s tag \"x\" }\ndefault accept\n", one, other);
    struct policy *policy = policy_of(text);
    struct logic *logic = logic_new(policy);
    const struct rule *a = g_ptr_array_index(policy->rules, 0), *b = g_ptr_array_index(policy->rules, 1);
    const struct claim claims[] = {{a->when, true}, {b->when, true}};
    bool possible = logic_possible(logic, claims, 2);

    g_assert_cmpint(logic_possible(logic, claims, 2), ==, possible); /* nothing is left of a question */
    logic_free(logic);
    policy_unref(policy);
    return possible;
}

static void test_known(void)
{
    static const char *const impossible[][2] = {
        {"parties(external) >= 10", "parties(external) < 10"},
        {"parties(external) >= 10", "visible(external) < 10"},
        {"parties(free) >= 10", "visible(all) <= 9"},
        {"domains(free, shop) >= 3", "visible(external) = 2"},
        {"parties(shop) >= 2", "domains(shop) < 2"},
        {"visible(free) > 0", "domains(external) = 0"},
        {"visible(free) = 1", "parties(free) = 0"},
        {"hidden(shop) >= 3", "recipients(external) < 3"},
        {"recipients(external) >= 5", "visible(external) < 3 and hidden(external) < 3"},
        {"visible(all) = 3", "not visible(all) = 3"},
        {"visible(all) >= 3 and visible(all) <= 5",
         "not (visible(all) = 3 or visible(all) = 5) and not visible(all) = 4"},
        {"local and not syntax", "syntax or not local"},
        {"user = \"ann\"", "not authenticated"},
        {"parties(external, not shop) >= 3", "parties(external) < 3"},
        {"visible(external, not shop) >= 1", "visible(all, not internal, not shop) = 0"},
        {"user = \"ann@me.example\"", "not user in \"ann\", \"eve\""},
        {"user = \"ann@free.example\"", "user = \"ann\""},
        {"sender = \"ann+x@me.example\"", "not sender in \"ann@me.example\""},
        {"sender in \"ann+x@me.example\"", "sender = \"ann@me.example\""},
        {"user = \"ann\"", "user in \"bob\", \"eve\""},
        {"user = \"ann\"", "not user in \"ANN\", \"eve\""},
        {"client = \"10.1.2.3\"", "not client in \"10.0.0.0/8\""},
        {"client in \"10.1.0.0/16\"", "client in \"10.2.0.0/16\", \"2001:db8::/32\""},
        {"sender = \"ann@me.example\"", "not sender in internal"},
        {"sender in \"ann@me.example\"", "sender = \"bob@me.example\""},
        {"sender = \"ann@me.example\"", "not sender in \"me.example\""},
        {"sender in \"www.me.example\"", "not sender in \".me.example\""},
        {"sender in internal", "sender in free, other"},
        {"sender in shop", "not sender in shop, tenants"},
        {"from in \"ann@me.example\"", "from in free"},
        {"header(\"X\") = \"a\"", "not header(\"x\")"},
        {"(local or syntax) and (not local or syntax) and (local or not syntax)", "not local or not syntax"},
        {"not (parties(external) >= 10 or visible(external) >= 40)", "parties(free) >= 12 and local"},
    };
    static const char *const possible[][2] = {
        {"parties(free) >= 10", "domains(free) = 1"}, /* individuals */
        {"visible(external) >= 40", "parties(external) = 1"},
        {"parties(internal) >= 2", "domains(free) = 0"},
        {"domains(external) >= 5", "parties(external) = 1"},
        {"visible(free) >= 5", "visible(internal) = 0"},
        {"recipients(all) = 0", "visible(all) >= 100"},
        {"visible(all) = 0", "hidden(all) = 100"},
        {"not visible(all) = 3", "not visible(all) = 4"},
        {"authenticated", "not user =~ /.*/"},
        {"sender in tenants", "sender in internal"},
        {"sender in tenants", "sender in other"},
        {"sender = \"i@t1.example\"", "not sender in other"},
        {"sender = \"i@t1.example\"", "sender in internal"},
        {"from = \"i@t1.example\"", "from in other"},
        {"sender in \".me.example\"", "sender in free"}, /* below it, another class may have a name */
        {"from =~ /a.*/", "from =~ /b.*/"},
        {"header(\"X\") = \"a\"", "header(\"X\") = \"b\""},
        {"client in \"10.0.0.0/8\"", "not client in \"10.1.0.0/16\""},
        {"user =~ /a/", "user =~ /b/"},
        {"recipients(all) > 20000", "hidden(external) > 20000"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(impossible); i++)
        if (both_possible(impossible[i][0], impossible[i][1]))
            UNIT_FAIL("%s, and %s: cannot be, and is not known", impossible[i][0], impossible[i][1]);
    for (unsigned i = 0; i < G_N_ELEMENTS(possible); i++)
        if (!both_possible(possible[i][0], possible[i][1]))
            UNIT_FAIL("%s, and %s: can be, and is denied", possible[i][0], possible[i][1]);
}

/* What does not matter does not get in the way: a hundred rules about others, each with a choice. */
static void test_among_others(void)
{
    GString *text = g_string_new(CLASSES);
    struct policy *policy;
    struct logic *logic;
    GArray *claims = g_array_new(FALSE, FALSE, sizeof(struct claim));

    for (unsigned i = 0; i < 100; i++)
        g_string_append_printf(
            text, "rule r%u { when (user = \"u%u\" or header(\"X%u\")) and parties(external) >= %u tag \"x\" }\n", i, i,
            i, i % 7 + 1);
    g_string_append(text, "rule a { when parties(external) >= 10 and local tag \"x\" }\n"
                          "rule b { when parties(external) >= 10 and not local tag \"x\" }\n"
                          "rule c { when parties(external) >= 20 tag \"x\" }\ndefault accept\n");
    policy = policy_of(text->str);
    logic = logic_new(policy);
    for (unsigned i = 0; i < policy->rules->len; i++) {
        const struct claim claim = {((const struct rule *)g_ptr_array_index(policy->rules, i))->when,
                                    i + 1 == policy->rules->len};
        g_array_append_val(claims, claim);
    }
    g_assert_false(logic_possible(logic, (const struct claim *)(void *)claims->data, claims->len));
    g_assert_false(logic_is_tired(logic));
    g_array_unref(claims);
    logic_free(logic);
    policy_unref(policy);
    g_string_free(text, TRUE);
}

/* A question that would take for ever has an end, and its answer is that everything is possible. */
static void test_tired(void)
{
    GString *text = g_string_new(CLASSES "rule a { when ");
    struct policy *policy;
    struct logic *logic;
    struct claim claim = {.holds = true};

    /* Pigeons and holes: nine into eight. */
    for (unsigned pigeon = 0; pigeon < 9; pigeon++) {
        g_string_append(text, pigeon > 0 ? " and (" : "(");
        for (unsigned hole = 0; hole < 8; hole++)
            g_string_append_printf(text, "%sheader(\"X%u-%u\")", hole > 0 ? " or " : "", pigeon, hole);
        g_string_append_c(text, ')');
    }
    for (unsigned hole = 0; hole < 8; hole++)
        for (unsigned one = 0; one < 9; one++)
            for (unsigned other = one + 1; other < 9; other++)
                g_string_append_printf(text, " and not (header(\"X%u-%u\") and header(\"X%u-%u\"))", one, hole, other,
                                       hole);
    policy = policy_of(g_string_append(text, " tag \"x\" }\ndefault accept\n")->str);
    logic = logic_new(policy);
    claim.expression = ((const struct rule *)g_ptr_array_index(policy->rules, 0))->when;
    for (unsigned i = 0; i < 1000 && !logic_is_tired(logic); i++)
        g_assert_true(logic_possible(logic, &claim, 1));
    g_assert_true(logic_is_tired(logic));
    logic_free(logic);
    policy_unref(policy);
    g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/logic/sound", test_sound);
    g_test_add_func("/logic/known", test_known);
    g_test_add_func("/logic/among-others", test_among_others);
    g_test_add_func("/logic/tired", test_tired);
    return g_test_run();
}
