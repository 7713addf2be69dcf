/* test-hold-reasons - the rule that held a message, with what the message had */

#include "milter/review/hold_reasons.h"
#include "policy/exposure/exposure.h"
#include "unit.h"

static struct ledger_message example(const char *rule)
{
    return (struct ledger_message){
        .rule = (char *)rule,
        .counts.visible = 62,
        .counts.parties = 41,
        .counts.domains = 17,
        .counts.internal = 3,
        .counts.hidden = 5,
        .counts.recipients = 70,
        .counts.defects = DEFECT_CUT,
    };
}

static const struct ledger_party parties[] = {
    {.class_name = (char *)"freemail",
     .name = (char *)"free.example",
     .individuals = true,
     .people = 24,
     .parties = 24},
    {.class_name = (char *)"other", .name = (char *)"a.example", .people = 12, .parties = 1},
    {.class_name = (char *)"other", .name = NULL, .people = 26, .parties = 16},
    {.class_name = (char *)"internal", .name = (char *)"me.example", .people = 3, .parties = 1},
};

/* What the row has beside the message. */
static const struct ledger_remembered *remembered;

static const GArray *inside;
static struct inside_counts shown;

/* "condition = has", one a line. */
static char *lines_of(const char *rule, const char *policy)
{
    struct ledger_message message = example(rule);
    message.inside = shown;
    g_autoptr(GPtrArray) array = g_ptr_array_new();
    GString *out = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(parties); i++)
        g_ptr_array_add(array, (gpointer)&parties[i]);
    g_autoptr(GPtrArray) why = hold_reasons(&message, array, remembered, inside, policy);
    for (guint i = 0; i < why->len; i++) {
        const struct kept_line *line = g_ptr_array_index(why, i);
        g_string_append_printf(out, "%s%s = %s", i > 0 ? "\n" : "", line->condition, line->has ? line->has : "-");
    }
    return g_string_free(out, FALSE);
}

/* The lines are those of the canonical text, as the policy module prints it. */
static void check(const char *rule, const char *condition, const char *wanted)
{
    g_autofree char *text = g_strdup_printf(UNIT_HEAD "class freemail { domain \"free.example\" individuals }\n"
                                                      "rule before { when local quarantine \"rule %s {{ when x }\" }\n"
                                                      "rule %s { when %s quarantine \"no\" }\n"
                                                      "rule behind { when visible(all) >= 1 quarantine \"no\" }\n"
                                                      "default accept\n",
                                            rule, rule, condition);
    auto_free(policy) policy = policy_of(text);
    g_autofree char *lines = lines_of(rule, policy_text(policy));
    g_assert_cmpstr(lines, ==, wanted);
}

static void test_counts(void)
{
    check("one", "parties(external) >= 10", "parties(external) >= 10 = 41");
    check("wide", "visible(external) >= 40 or parties(external) >= 10",
          "visible(external) >= 40 = 62\nor parties(external) >= 10 = 41");
    check("more", "domains(external) > 3 and visible(internal) = 3 and hidden(all) < 6 and recipients(all) <= 70",
          "domains(external) > 3 = 17\nand visible(internal) = 3 = 3\nand hidden(all) < 6 = 5\n"
          "and recipients(all) <= 70 = 70");
    check("classes", "visible(freemail) >= 1 or parties(freemail, other) >= 1 or visible(all) >= 1",
          "visible(freemail) >= 1 = 24\nor parties(freemail, other) >= 1 = 41\nor visible(all) >= 1 = 65");
    check("away", "parties(external, not freemail) >= 1 and visible(all, not internal, not other) >= 1",
          "parties(external, not freemail) >= 1 = 17\nand visible(all, not internal, not other) >= 1 = 24");
    check("unknown", "hidden(external) >= 1 or domains(freemail) >= 1 or parties(other) >= 1",
          "hidden(external) >= 1 = ?\nor domains(freemail) >= 1 = ?\nor parties(other) >= 1 = 17");
}

static void test_flags(void)
{
    check("flags", "(malformed or truncated) and (visible(external) >= 1 or recipients(external) >= 1)",
          "(malformed or truncated) = no, yes\n"
          "and (visible(external) >= 1 or recipients(external) >= 1) = 62, ?");
    check("login", "authenticated and not syntax", "authenticated = no\nand not syntax = no");
}

static void test_others(void)
{
    check("who", "sender in \"clinic@me.example\" and parties(external) >= 2",
          "sender in \"clinic@me.example\" = -\nand parties(external) >= 2 = 41");
    g_autofree char *fallback =
        lines_of("default", "version 1\n\nrule a {\n    when local\n}\n\ndefault quarantine \"x\"\n");
    g_assert_cmpstr(fallback, ==, "");
    g_autofree char *unknown = lines_of("fault:a", "version 1\n\nrule a {\n    when local\n}\n");
    g_assert_cmpstr(unknown, ==, "");
    g_autofree char *none = lines_of("a", NULL);
    g_assert_cmpstr(none, ==, "");
}

static void test_state(void)
{
    static const struct {
        struct ledger_remembered remembered;
        const char *rule, *has, *within, *field, *known;
    } cases[] = {
        {{.known = KNOWN_NO, .counted = "parties", .within = 27, .answered = true},
         "split",
         "parties(external) within 10m >= 20 = 27\nand not known = no",
         "split: 27 parties",
         "split:27",
         "no"},
        {{.known = KNOWN_YES, .counted = "parties", .within = STATE_WINDOW_MANY, .answered = true},
         "split",
         "parties(external) within 10m >= 20 = more than 10000\nand not known = yes",
         "split: more than 10000 parties",
         "split:many",
         "yes"},
        {{.known = KNOWN_NOT_ASKED, .counted = "visible"},
         "error:split",
         "",
         "split: unknown number of visible",
         "split:away",
         NULL},
        {{.record = 1}, "split", "parties(external) within 10m >= 20 = ?\nand not known = ?", NULL, NULL, NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct ledger_message message = example(cases[i].rule);
        remembered = &cases[i].remembered;
        g_autofree char *lines = lines_of(cases[i].rule, "version 1\n\nremember 90d\n\nrule split {\n    when "
                                                         "parties(external) within 10m >= 20 and not known\n}\n");
        g_autofree char *within = hold_within(&message, remembered);
        g_autofree char *field = hold_within_field(&message, remembered);
        g_assert_cmpstr(lines, ==, cases[i].has);
        g_assert_cmpstr(within, ==, cases[i].within);
        g_assert_cmpstr(field, ==, cases[i].field);
        g_assert_cmpstr(hold_known(remembered), ==, cases[i].known);
    }
    remembered = &cases[0].remembered;
    g_autofree char *two = lines_of("a", "version 1\n\nrule a {\n    when parties(external) within 10m >= 20 or "
                                         "visible(external) within 1h >= 50\n}\n");
    g_assert_cmpstr(two, ==,
                    "parties(external) within 10m >= 20 = ?\nor visible(external) within 1h >= 50 = ?"); /* which? */
    remembered = NULL;
}

/* What was counted inside parts: what was kept, and of opaque those that the rule asks for. */
static void test_inside(void)
{
    static const char condition[] = "visible(external) inside calendar, header(\"X-To\") >= 10 and parties(external) "
                                    "inside table > 4 and opaque(limits, types)";
    const struct kept_inside kept = {g_strdup("visible(external) inside calendar, header(\"X-To\")"), 45};
    g_autoptr(GArray) values = kept_inside_new();

    check("asked", condition,
          "visible(external) inside calendar, header(\"X-To\") >= 10 = ?\n"
          "and parties(external) inside table > 4 = ?\nand opaque(limits, types) = ?");
    g_array_append_val(values, kept);
    inside = values;
    shown = (struct inside_counts){.asked = INSIDE_READ, .places = {[0] = {45, 43}, [4] = {1, 1}}};
    check("asked", condition,
          "visible(external) inside calendar, header(\"X-To\") >= 10 = 45\n"
          "and parties(external) inside table > 4 = ?\nand opaque(limits, types) = no");
    shown.opaque = OPAQUE_TYPES | OPAQUE_BROKEN;
    check("asked", "opaque(limits, types)", "opaque(limits, types) = types");
    g_autofree char *text = hold_inside(&shown, "; "), *opaque = hold_opaque(&shown);
    g_assert_cmpstr(text, ==, "calendar: 45 addresses of 43 parties; text: 1 address of 1 party");
    g_assert_cmpstr(opaque, ==, "broken, types");

    shown = (struct inside_counts){.asked = INSIDE_AWAY};
    check("asked", "opaque(limits, types)", "opaque(limits, types) = ?");
    g_autofree char *away = hold_inside(&shown, "; "), *none = hold_opaque(&shown);
    g_assert_cmpstr(away, ==, "the body was not read");
    g_assert_null(none);
    shown = (struct inside_counts){.asked = INSIDE_NOT_ASKED};
    g_assert_null(hold_inside(&shown, "; "));
    inside = NULL;
}

/* Words of the language in a string or a pattern are no tests. */
static void test_strings(void)
{
    check("strings", "header(\"Subject\") =~ /syntax|visible(all) >= 1/ or sender = \"truncated@me.example\" or local",
          "header(\"Subject\") =~ /syntax|visible(all) >= 1/ = -\nor sender = \"truncated@me.example\" = -\n"
          "or local = -");
    check("negated", "not (parties(external) >= 2 and not local)", "not (parties(external) >= 2 and not local) = 41");
}

/* A policy of a later version: what it says in words of that version is missing, and the rest is there. */
static void test_later(void)
{
    static const char text[] =
        "version 1\ncontact \"a \\\"b\\\\n\"\n\nrule new {\n    when moon >= 3\n    reject \"x\"\n}\n\n"
        "rule old {\n    when parties(external) >= 2\n    reject \"x\"\n}\n\ndefault accept\n";
    g_autofree char *old = lines_of("old", text);
    g_autofree char *new = lines_of("new", text);
    auto_free(policy) policy = policy_read_kept(text);

    g_assert_cmpstr(old, ==, "parties(external) >= 2 = 41");
    g_assert_cmpstr(new, ==, "");
    g_assert_cmpstr(policy_contact(policy), ==, "a \"b\\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/why/counts", test_counts);
    g_test_add_func("/why/flags", test_flags);
    g_test_add_func("/why/others", test_others);
    g_test_add_func("/why/state", test_state);
    g_test_add_func("/why/inside", test_inside);
    g_test_add_func("/why/strings", test_strings);
    g_test_add_func("/why/later", test_later);
    return g_test_run();
}
