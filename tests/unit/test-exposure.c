/* test-exposure - the counts of one message per class */

#include "policy/exposure/exposure.h"
#include "unit.h"

#define CLASSES                                                                                                        \
    UNIT_HEAD                                                                                                          \
    "class partner { domain \"partner.example\" }\n"                                                                   \
    "class lab { domain \"lab.split.example\" }\n"                                                                     \
    "class freemail { domain \"free1.test\", \"free2.test\" individuals }\n"                                           \
    "class hosting { domain \".tenant1.example\", \".tenant2.example\" separate }\n"                                   \
    "default accept\n"

static class_mask mask_of(struct policy *policy, const char *name)
{
    if (strcmp(name, "external") == 0)
        return CLASS_EXTERNAL;
    if (strcmp(name, "all") == 0)
        return CLASS_ALL;
    for (unsigned i = 0; i < policy_class_count(policy); i++)
        if (strcmp(policy_class_name(policy, i), name) == 0)
            return (class_mask)1 << i;
    g_assert_not_reached();
}

/* The five counts of a class: "visible parties domains recipients hidden". */
static char *counts(struct policy *policy, const struct exposure *exposure, const char *name)
{
    class_mask mask = mask_of(policy, name);

    return g_strdup_printf("%u %u %u %u %u", exposure_count(exposure, COUNT_VISIBLE, mask),
                           exposure_count(exposure, COUNT_PARTIES, mask), exposure_count(exposure, COUNT_DOMAINS, mask),
                           exposure_count(exposure, COUNT_RECIPIENTS, mask),
                           exposure_count(exposure, COUNT_HIDDEN, mask));
}

/* The counts of several classes at once, a message from `sender` to the header `to` and the envelope,
 * or NULL if that is not known. */
static void check(const char *sender, const char *to, const char *bcc, bool bcc_visible, const char *envelope,
                  const char *const *want)
{
    struct policy *policy = policy_of(CLASSES);
    auto_free(message) message = message_of(sender, to);
    g_auto(GStrv) recipients = g_strsplit(envelope != NULL ? envelope : "", " ", -1);
    struct verdict *verdict;

    if (bcc != NULL)
        message_add_header(message, "Bcc", bcc);
    message->bcc_visible = bcc_visible;
    message->envelope_unknown = envelope == NULL;
    for (unsigned i = 0; recipients[i] != NULL; i++)
        message_add_recipient(message, recipients[i]);
    verdict = evaluate_at(policy, message, 0);
    for (; *want != NULL; want += 2) {
        g_autofree char *got = counts(policy, verdict->exposure, want[0]);
        g_test_message("%s", want[0]);
        g_assert_cmpstr(got, ==, want[1]);
    }
    verdict_free(verdict);
    policy_unref(policy);
}
#define CHECK(sender, to, bcc, bcc_visible, envelope, ...)                                                             \
    check(sender, to, bcc, bcc_visible, envelope, (const char *const[]){__VA_ARGS__, NULL})

static void test_classes(void)
{
    CHECK("care@me.example",
          "a@me.example, b@mail.me.example, c@partner.example, d@other.example, e@mail.other.example", NULL, false,
          "a@me.example c@partner.example", "internal", "2 1 2 1 0", "partner", "1 1 1 1 0", "other", "2 1 2 0 0",
          "external", "3 2 3 1 0", "all", "5 3 5 2 0", "freemail", "0 0 0 0 0");
}

/* Thirty people of one organisation are one party; private mailboxes are one each. */
static void test_parties(void)
{
    CHECK("care@me.example", "a@x.acme.co.uk, b@acme.co.uk, c@y.acme.co.uk, d@other.co.uk", NULL, false,
          "a@x.acme.co.uk", "other", "4 2 4 1 0");
    CHECK("care@me.example", "a@free1.test, b@free1.test, a@free2.test, A@FREE2.test, b+x@free2.test", NULL, false,
          "a@free1.test", "freemail", "4 4 2 1 0", "external", "4 4 2 1 0");
    CHECK("care@me.example", "a@[192.0.2.1], b@[192.0.2.1], c@[192.0.2.2], d@co.uk, e@co.uk", NULL, false,
          "a@[192.0.2.1]", "other", "5 3 3 1 0");
}

/* A party with domains in several classes is one party of each, and one of all. */
static void test_spanning(void)
{
    CHECK("care@me.example", "a@lab.split.example, b@split.example, c@x.split.example", NULL, false,
          "a@lab.split.example", "lab", "1 1 1 1 0", "other", "2 1 2 0 0", "external", "3 1 3 1 0", "all", "3 1 3 1 0");
}

/* Tenants are colleagues to themselves and strangers to each other. */
static void test_separate(void)
{
    CHECK("ann@tenant1.example", "bob@mail.tenant1.example, c@tenant2.example, d@me.example", NULL, false,
          "c@tenant2.example", "internal", "2 2 2 0 0", "other", "1 1 1 1 0", "external", "1 1 1 1 0", "hosting",
          "0 0 0 0 0");
    CHECK("care@me.example", "bob@tenant1.example, c@tenant2.example", NULL, false, "", "internal", "0 0 0 0 0",
          "other", "2 2 2 0 0");
    CHECK("", "bob@tenant1.example", NULL, false, "bob@tenant1.example", "internal", "0 0 0 0 0", "other", "1 1 1 1 0");
}

/* Envelope recipients that nobody can see; duplicates of the envelope are one. */
static void test_hidden(void)
{
    CHECK("care@me.example", "care@me.example", NULL, false, "a@x.example B@y.example b@Y.example. care@me.example",
          "external", "0 0 0 2 2", "internal", "1 1 1 1 0", "all", "1 1 1 3 2");
    /* A bare name is internal. */
    CHECK("care@me.example", "ann", NULL, false, "ann root", "internal", "0 0 0 2 2", "external", "0 0 0 0 0");
    /* As bracketed as an MTA gives them; U-label in the header, A-label in the envelope. */
    CHECK("<care@me.example>",
          "a@b\xc3\xbc"
          "cher.example",
          NULL, false, "<A@XN--BCHER-KVA.example>", "external", "1 1 1 1 0");
}

/* Bcc counts where it is delivered, and nowhere else. */
static void test_bcc(void)
{
    CHECK("care@me.example", "a@x.example", "b@y.example, a@x.example", false, "a@x.example b@y.example", "external",
          "1 1 1 2 1");
    CHECK("care@me.example", "a@x.example", "b@y.example, a@x.example", true, "a@x.example b@y.example", "external",
          "2 2 2 2 0");
}

/* Offline, whoever stands in the headers is in the envelope, once; the Bcc is hidden where it is not delivered. */
static void test_unknown_envelope(void)
{
    CHECK("care@me.example", "a@x.example, A@X.example, c@me.example", "b@y.example, a@x.example", false, NULL,
          "external", "1 1 1 2 1", "internal", "1 1 1 1 0", "all", "2 2 2 3 1");
    CHECK("care@me.example", "a@x.example", "b@y.example", true, NULL, "external", "2 2 2 2 0");
    CHECK("care@me.example", "undisclosed-recipients:;", NULL, false, NULL, "all", "0 0 0 0 0");
}

/* Whoever is in From besides the author is visible, not hidden, and no recipient unless the envelope says so. */
static void test_from(void)
{
    static const struct {
        bool unknown;
        const char *want;
    } cases[] = {{false, "2 2 2 2 1"}, {true, "2 2 2 0 0"}};

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct policy *policy = policy_of(CLASSES);
        auto_free(message) message = message_new();
        message_set_sender(message, "care@me.example");
        message_add_header(message, "From", "a@x.example, Care <care@me.example>, b@y.example");
        message->envelope_unknown = cases[i].unknown;
        for (unsigned n = 0; !cases[i].unknown && n < 2; n++)
            message_add_recipient(message, n == 0 ? "b@y.example" : "c@z.example");
        struct verdict *verdict = evaluate_at(policy, message, 0);
        g_autofree char *external = counts(policy, verdict->exposure, "external");
        g_autofree char *internal = counts(policy, verdict->exposure, "internal");
        g_assert_cmpstr(external, ==, cases[i].want);
        g_assert_cmpstr(internal, ==, "0 0 0 0 0");
        verdict_free(verdict);
        policy_unref(policy);
    }
}

/* Up to 62 classes, the last bit included. */
static void test_many_classes(void)
{
    GString *text = g_string_new("version 1\nclass internal { domain \"me.example\" }\n");
    GString *to = g_string_new(NULL);
    struct policy *policy;
    struct verdict *verdict;

    for (unsigned n = 1; n <= CLASS_LIMIT - 2; n++) {
        g_string_append_printf(text, "class c%u { domain \"c%u.example\" }\n", n, n);
        g_string_append_printf(to, "a@c%u.example, ", n);
    }
    g_string_append(text,
                    "rule r { when visible(external) >= 60 reject \"{visible c60} of {visible}\" }\ndefault accept\n");
    policy = policy_of(text->str);
    {
        auto_free(message) message = message_of("care@me.example", to->str);
        verdict = evaluate_at(policy, message, 0);
    }
    g_assert_cmpuint(exposure_count(verdict->exposure, COUNT_VISIBLE, CLASS_EXTERNAL), ==, 60);
    g_assert_cmpuint(exposure_count(verdict->exposure, COUNT_VISIBLE, (class_mask)1 << 61), ==, 1);
    g_assert_cmpstr(verdict->text, ==, "1 of 60");
    verdict_free(verdict);
    policy_unref(policy);
    g_string_free(text, TRUE);
    g_string_free(to, TRUE);
}

/*
 * Beyond the limit of domains whoever is of another one still counts: as an outsider, and as
 * a party of his own.  An envelope of any length is looked up whole.  (Without an `@`, no
 * other limit is near.)
 */
static void test_many_domains(void)
{
    struct policy *policy = policy_of(CLASSES);

    for (unsigned more = 0; more < 2; more++) {
        auto_free(message) message = message_of("care@me.example", NULL);
        struct verdict *verdict;
        g_autofree char *external = NULL;
        g_autofree char *internal = NULL;
        for (unsigned n = 0; n < DOMAINS_LIMIT - 1 + more; n++) {
            g_autofree char *address = g_strdup_printf("a%%c%u.b%u.example", n % 2, n / 2);
            message_add_header(message, "To", address);
            message_add_recipient(message, address);
        }
        message_add_header(message, "Cc", "a@mail.me.example, b@mail.me.example");
        message_add_header(message, "Cc", "a@c0.b0.example");
        for (unsigned n = 0; n < 3; n++) {
            g_autofree char *address = g_strdup_printf("bcc@x%u.me.example", n);
            message_add_recipient(message, address);
        }
        verdict = evaluate_at(policy, message, 0);
        external = counts(policy, verdict->exposure, "external");
        internal = counts(policy, verdict->exposure, "internal");
        if (more == 0) {
            g_assert_cmpstr(external, ==, "3999 2000 3999 3999 0");
            g_assert_cmpstr(internal, ==, "2 1 1 3 3");
        } else {
            g_assert_cmpstr(external, ==, "4002 2001 4001 4000 0");
            g_assert_cmpstr(internal, ==, "0 0 0 3 3");
        }
        g_assert_cmpuint(exposure_defects(verdict->exposure) & DEFECT_LIMIT, ==, more == 0 ? 0 : DEFECT_LIMIT);
        verdict_free(verdict);
    }
    policy_unref(policy);
}

static void test_visible(void)
{
    struct policy *policy = policy_of(CLASSES);
    auto_free(message) message = message_of("care@me.example", "Ann@X.example");
    struct verdict *verdict;
    const struct exposed *exposed;

    message_add_header(message, "Bcc", "ann@x.example, hidden@y.example");
    message_add_header(message, "Cc", "p@free1.test");
    verdict = evaluate_at(policy, message, 0);
    g_assert_cmpuint(exposure_visible(verdict->exposure), ==, 2);
    exposed = exposure_get(verdict->exposure, 0);
    g_assert_cmpstr(exposed->address, ==, "ann@x.example");
    g_assert_cmpstr(exposed->class_name, ==, "other");
    g_assert_cmpstr(exposed->party, ==, "x.example");
    exposed = exposure_get(verdict->exposure, 1);
    g_assert_cmpstr(exposed->class_name, ==, "freemail");
    g_assert_cmpstr(exposed->party, ==, "p@free1.test");
    g_assert_false(exposure_fault(verdict->exposure));
    g_assert_cmpuint(exposure_defects(verdict->exposure), ==, 0);
    verdict_free(verdict);
    policy_unref(policy);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exposure/classes", test_classes);
    g_test_add_func("/exposure/parties", test_parties);
    g_test_add_func("/exposure/spanning", test_spanning);
    g_test_add_func("/exposure/separate", test_separate);
    g_test_add_func("/exposure/hidden", test_hidden);
    g_test_add_func("/exposure/bcc", test_bcc);
    g_test_add_func("/exposure/from", test_from);
    g_test_add_func("/exposure/unknown-envelope", test_unknown_envelope);
    g_test_add_func("/exposure/many-classes", test_many_classes);
    g_test_add_func("/exposure/many-domains", test_many_domains);
    g_test_add_func("/exposure/visible", test_visible);
    return g_test_run();
}
