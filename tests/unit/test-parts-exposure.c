/* test-parts-exposure - the counts of a body by class and kind, without those whom the header shows */

#include "policy/exposure/inside_counts.h"
#include "policy/exposure/parts_exposure.h"
#include "policy/syntax/ast.h"
#include "unit.h"

#define CLASSES                                                                                                        \
    UNIT_HEAD                                                                                                          \
    "class freemail { domain \"free1.test\", \"free2.test\" individuals }\n"                                           \
    "class hosting { domain \".tenant1.example\", \".tenant2.example\" separate }\n"                                   \
    "default accept\n"

/* A message from `sender` with a header, an envelope of one more, and a body. */
static struct parts_exposure *read_parts(struct policy *policy, const char *sender, const char *to, const char *body,
                                         struct body_parts **parts, struct exposure **exposure)
{
    auto_free(message) message = message_of(sender, to);
    struct pattern_budget *budget = pattern_budget_new();

    message_add_recipient(message, "bcc@first.example");
    message_add_header(message, "Bcc", "hidden@second.example");
    *parts = body_parts_read(&(struct body_source){.message = message, .body = body, .length = strlen(body)});
    *exposure = exposure_read(policy->classes, message, budget);
    const struct parts_source source = {.parts = *parts};
    struct parts_exposure *read = parts_exposure_read(policy->classes, message, *exposure, &source, budget);
    pattern_budget_free(budget);
    return read;
}

/* "visible parties domains" */
static void check_counts(const char *sender, const char *to, const char *body, class_mask mask, unsigned kinds,
                         const char *want)
{
    struct policy *policy = policy_of(CLASSES);
    struct body_parts *parts;
    struct exposure *exposure;
    auto_free(parts_exposure) read = read_parts(policy, sender, to, body, &parts, &exposure);
    g_autofree char *got = g_strdup_printf("%u %u %u", parts_exposure_count(read, COUNT_VISIBLE, mask, kinds),
                                           parts_exposure_count(read, COUNT_PARTIES, mask, kinds),
                                           parts_exposure_count(read, COUNT_DOMAINS, mask, kinds));

    g_assert_cmpstr(got, ==, want);
    g_assert_false(parts_exposure_fault(read));
    body_parts_free(parts);
    exposure_free(exposure);
    policy_unref(policy);
}

static void test_counts(void)
{
    static const char body[] = "To: ann@first.example, bob@mail.first.example, carl@second.example\n"
                               "Subject: x\n\ndan@third.example care@me.example\n";

    check_counts("care@me.example", "one@last.example", body, CLASS_EXTERNAL, PART_TEXT, "4 3 4");
    check_counts("care@me.example", "one@last.example", body, CLASS_EXTERNAL, PART_FORWARDED, "3 2 3");
    check_counts("care@me.example", "one@last.example", body, CLASS_ALL, PART_TEXT | PART_FORWARDED, "5 4 5");
    check_counts("care@me.example", "one@last.example", body, CLASS_EXTERNAL, PART_TABLE, "0 0 0");
    check_counts("care@me.example", "one@last.example", body, (class_mask)1 << CLASS_INTERNAL, PART_TEXT, "1 1 1");
}

/* Who is visible in the header does not count again; who is in the envelope or in Bcc alone does. */
static void test_header(void)
{
    static const char body[] = "ann@first.example bcc@first.example hidden@second.example";

    check_counts("care@me.example", "Ann@First.example", body, CLASS_EXTERNAL, PART_TEXT, "2 2 2");
    check_counts("care@me.example", "one@last.example", body, CLASS_EXTERNAL, PART_TEXT, "3 2 2");
}

static void test_parties(void)
{
    check_counts("care@me.example", "one@last.example", "a@free1.test b@free1.test a@free2.test", CLASS_EXTERNAL,
                 PART_TEXT, "3 3 2");
    check_counts("x@one.tenant1.example", "one@last.example", "a@two.tenant1.example b@tenant2.example", CLASS_EXTERNAL,
                 PART_TEXT, "1 1 1");
    check_counts("x@me.example", "one@last.example", "a@two.tenant1.example b@tenant2.example", CLASS_EXTERNAL,
                 PART_TEXT, "2 2 2");
}

static void test_people(void)
{
    struct policy *policy = policy_of(CLASSES);
    struct body_parts *parts;
    struct exposure *exposure;
    auto_free(parts_exposure) read =
        read_parts(policy, "care@me.example", "one@last.example", "b@x.first.example", &parts, &exposure);

    g_assert_cmpuint(parts_exposure_visible(read), ==, 1);
    const struct part_exposed *shown = parts_exposure_get(read, 0);
    g_assert_cmpstr(shown->address, ==, "b@x.first.example");
    g_assert_cmpstr(shown->party, ==, "first.example");
    g_assert_cmpstr(shown->class_name, ==, "other");
    g_assert_cmpuint(shown->kinds, ==, PART_TEXT);
    g_assert_cmpuint(parts_exposure_opaque(read), ==, 0);
    body_parts_free(parts);
    exposure_free(exposure);
    policy_unref(policy);
}

/* Beyond the limit a domain is a party of its own, and that is reported. */
static void test_many_domains(void)
{
    struct policy *policy = policy_of(CLASSES);
    GString *body = g_string_new(NULL);
    struct body_parts *parts;
    struct exposure *exposure;

    for (unsigned i = 0; i <= PARTS_DOMAINS_LIMIT; i++)
        g_string_append_printf(body, "a@d%u.example\n", i);
    auto_free(parts_exposure) read =
        read_parts(policy, "care@me.example", "one@last.example", body->str, &parts, &exposure);
    g_assert_cmpuint(parts_exposure_count(read, COUNT_PARTIES, CLASS_EXTERNAL, PART_TEXT), ==, PARTS_DOMAINS_LIMIT + 1);
    g_assert_cmpuint(parts_exposure_opaque(read), ==, OPAQUE_LIMITS);
    g_assert_cmpuint(body_parts_opaque(parts), ==, 0);
    body_parts_free(parts);
    exposure_free(exposure);
    policy_unref(policy);
    g_string_free(body, TRUE);
}

/* What the log and the ledger keep, and what a ledger gives back. */
static void check_kept(const struct inside_counts *counts, const char *want)
{
    char text[INSIDE_TEXT_SIZE], again[INSIDE_TEXT_SIZE];
    inside_counts_text(counts, text);
    g_assert_cmpstr(text, ==, want);
    const struct inside_counts back = inside_counts_parse(text, counts->opaque);
    inside_counts_text(&back, again);
    g_assert_cmpstr(again, ==, want);
    g_assert_cmpuint(back.opaque, ==, counts->opaque);
    g_assert_cmpint(back.asked, ==, counts->asked);
    g_assert_true(inside_counts_any(&back) == (strchr(want, ':') != NULL));
}

static void test_kept(void)
{
    struct policy *policy = policy_of(CLASSES);
    struct body_parts *parts;
    struct exposure *exposure;
    auto_free(parts_exposure) read = read_parts(policy, "care@me.example", "one@last.example",
                                                "To: ann@first.example, bob@mail.first.example\nSubject: x\n\n"
                                                "dan@third.example care@me.example\n",
                                                &parts, &exposure);
    struct inside_counts counts = inside_counts(read, false);

    check_kept(&counts, "forwarded:2/1,text:3/2");
    counts.opaque = OPAQUE_TYPES | OPAQUE_LIMITS;
    counts.places[INSIDE_HEADER] = (struct inside_place){7, 6};
    check_kept(&counts, "forwarded:2/1,text:3/2,header:7/6");
    for (unsigned i = 0; i < INSIDE_PLACES; i++)
        counts.places[i] = (struct inside_place){G_MAXUINT, G_MAXUINT};
    check_kept(&counts, "calendar:4294967295/4294967295,forwarded:4294967295/4294967295,"
                        "contacts:4294967295/4294967295,table:4294967295/4294967295,text:4294967295/4294967295,"
                        "header:4294967295/4294967295");
    counts = inside_counts(NULL, true);
    check_kept(&counts, "away");
    counts = inside_counts(NULL, false);
    check_kept(&counts, "");
    counts = inside_counts_parse("none", 0);
    check_kept(&counts, "none");
    body_parts_free(parts);
    exposure_free(exposure);
    policy_unref(policy);
}

/* Of a ledger that somebody changed, or a version to come. */
static void test_kept_odd(void)
{
    static const char *const texts[] = {":",         "calendar", "calendar:", "calendar:/",   "calendar:x/y",
                                        "other:4/5", ",,,:,/",   "cal:4/5",   "calendars:4/5"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        const struct inside_counts counts = inside_counts_parse(texts[i], 0);
        g_assert_false(inside_counts_any(&counts));
    }
    const struct inside_counts none = inside_counts_parse(NULL, 0);
    g_assert_cmpint(none.asked, ==, INSIDE_NOT_ASKED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parts-exposure/counts", test_counts);
    g_test_add_func("/parts-exposure/header", test_header);
    g_test_add_func("/parts-exposure/parties", test_parties);
    g_test_add_func("/parts-exposure/people", test_people);
    g_test_add_func("/parts-exposure/many-domains", test_many_domains);
    g_test_add_func("/parts-exposure/kept", test_kept);
    g_test_add_func("/parts-exposure/kept-odd", test_kept_odd);
    return g_test_run();
}
