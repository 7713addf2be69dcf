/* test-inside - what is counted inside parts and header fields, what was not read, and mail without its body */

#include "policy/engine/policy.h"
#include "policy/exposure/parts_exposure.h"
#include "unit.h"

#define LAST "default accept\n"

/* A message with a body of that type. */
static struct message *with_body(const char *to, const char *type, const char *body)
{
    struct message *message = message_of("care@me.example", to);

    message_add_header(message, "Content-Type", type);
    message_set_body(message, message_body_of(body, strlen(body), false));
    return message;
}

/* "quarantine:a: text | would ..."; for g_free. */
static char *judge(struct policy *policy, const struct message *message, const struct body_parts *parts)
{
    const struct evaluate_options options = {
        .on_fault = DISPOSITION_QUARANTINE, .outbound = OUTBOUND_YES, .parts = parts};
    auto_free(verdict) verdict = policy_evaluate(policy, message, &options);
    GString *text = g_string_new(NULL);

    g_string_printf(text, "%s:%s", disposition_name(verdict->disposition), verdict->rule);
    if (verdict->text != NULL)
        g_string_append_printf(text, ": %s", verdict->text);
    for (unsigned i = 0; i < verdict->would->len; i++)
        g_string_append_printf(text, " | %s", (const char *)g_ptr_array_index(verdict->would, i));
    return g_string_free(text, FALSE);
}

/* Takes the message. */
static void check(const char *rules, struct message *message, const char *want)
{
    g_autofree char *text = g_strconcat(UNIT_HEAD, rules, LAST, NULL);
    struct policy *policy = policy_of(text);
    g_autofree char *got = judge(policy, message, NULL);

    if (strcmp(got, want) != 0)
        UNIT_FAIL("%s\ngave `%s`, want `%s`", rules, got, want);
    message_free(message);
    policy_unref(policy);
}

#define CSV "name;mail\nAnn;ann@a.example\nBob;bob@b.example\nBob;bob2@b.example\nCarl;carl@c.example\n"

static struct message *table(const char *to)
{
    return with_body(to, "text/csv", CSV);
}

static void test_counts(void)
{
    check("rule a { when visible(external) inside table >= 4 tag \"{inside}\" }\n", table("x@x.example"), "tag:a: 4");
    check("rule a { when parties(external) inside table >= 4 tag \"x\" }\n", table("x@x.example"), "accept:default");
    check("rule a { when parties(external) inside table >= 3 tag \"{inside}\" }\n", table("x@x.example"), "tag:a: 3");
    check("rule a { when domains(external) inside table, calendar = 3 tag \"{inside}\" }\n", table("x@x.example"),
          "tag:a: 3");
    check("rule a { when visible(external) inside calendar, contacts, forwarded, text >= 1 tag \"x\" }\n",
          table("x@x.example"), "accept:default");
    check("rule a { when visible(internal) inside table >= 1 tag \"x\" }\n", table("x@x.example"), "accept:default");
}

/* Whom the recipient headers show does not count again; whom Bcc or the envelope has, does. */
static void test_header(void)
{
    struct message *message = table("ann@a.example");

    message_add_header(message, "Bcc", "bob@b.example");
    message_add_recipient(message, "carl@c.example");
    check("rule a { when visible(external) inside table >= 1 tag \"{inside}\" }\n", message, "tag:a: 3");
}

/* Only the first that was true and is not within `not`; where none was needed, the first that there is. */
static void test_variable(void)
{
    check("rule a { when not visible(external) inside text >= 1 and (visible(external) inside table >= 9 or "
          "visible(external) inside table >= 2) tag \"{inside}\" }\n",
          table("x@x.example"), "tag:a: 4");
    check("rule a { when visible(external) >= 1 or domains(external) inside table >= 1 tag \"{count} {inside}\" }\n",
          table("x@x.example"), "tag:a: 1 3");
    check("rule a { when visible(external) inside table >= 1 and parties(external) inside table >= 1 tag \"{inside}\" "
          "}\n",
          table("x@x.example"), "tag:a: 4");
}

/* Named fields need no body, count together with the parts, and each person once. */
static void test_fields(void)
{
    const char *rule = "rule a { when visible(external) inside header(\"Reply-To\"), header(\"x-all\") >= 1 tag "
                       "\"{inside}\" }\n";
    struct message *message = message_of("care@me.example", "x@x.example");
    struct message *both = table("x@x.example");

    check(rule, message_of("care@me.example", "x@x.example"), "accept:default");
    message_add_header(message, "Reply-To", "Ann <ann@a.example>, x@x.example");
    message_add_header(message, "X-All", "bob@b.example, ann@a.example");
    message_add_header(message, "X-Other", "carl@c.example");
    check(rule, message, "tag:a: 2");
    message_add_header(both, "X-All", "bob@b.example, dan@d.example, eve@b.example");
    check("rule a { when visible(external) inside table, header(\"X-All\") >= 1 tag \"{inside}\" }\n",
          message_copy(both), "tempfail:error:a: the body of the message was not read; try again later");
    check("rule a { when visible(external) inside table, header(\"X-All\") >= 1 tag \"{inside}\" }\n"
          "rule b { when parties(external) inside header(\"X-All\") >= 1 tag \"x\" }\n",
          both, "tag:a: 6");
    both = table("x@x.example");
    message_add_header(both, "X-All", "bob@b.example, dan@d.example, eve@b.example");
    check("rule a { when visible(external) inside table, header(\"X-All\") >= 99 tag \"x\" }\n"
          "rule b { when domains(external) inside header(\"X-All\"), table >= 1 tag \"{inside}\" }\n",
          both, "tag:b: 4");
}

/* A field that cannot be read whole says so. */
static void test_field_defects(void)
{
    struct message *message = table("x@x.example");
    g_autofree char *deep = g_strnfill(3000, '(');

    message_add_header(message, "X-All", deep);
    check("rule a { when visible(external) inside header(\"X-All\") >= 1 tag \"x\" }\n"
          "rule b { when opaque(limits, broken) tag \"b\" }\n",
          message, "tag:b: b");
}

static void test_opaque(void)
{
    const char *rules = "rule e { when opaque(encrypted) tag \"e\" }\nrule t { when opaque(types) tag \"t\" }\n"
                        "rule l { when opaque(limits) tag \"l\" }\nrule b { when opaque(broken) tag \"b\" }\n";
    struct message *cut = message_of("care@me.example", "x@x.example");

    check(rules, table("x@x.example"), "accept:default");
    check(rules, with_body("x@x.example", "application/pdf", "%PDF-1.4"), "tag:t: t");
    check(rules, with_body("x@x.example", "application/pkcs7-mime; smime-type=enveloped-data", "x"), "tag:e: e");
    check(rules, with_body("x@x.example", "text/plain; charset=x-nothing", "h\xc3\xa9 y"), "tag:b: b");
    message_set_body(cut, message_body_of("text", 4, true));
    check(rules, cut, "tag:l: l");
}

/* Without a body: never accepted by accident; what comes before decides, and a rule on trial only notes it. */
static void test_away(void)
{
    const char *away = "tempfail:error:a: the body of the message was not read; try again later";

    check("rule a { when visible(external) inside table >= 4 tag \"x\" }\n",
          message_of("care@me.example", "x@x.example"), away);
    check("rule a { when not opaque(types) tag \"x\" }\n", message_of("care@me.example", "x@x.example"), away);
    check("rule first { when visible(external) >= 1 tag \"x\" }\n"
          "rule a { when visible(external) inside table >= 4 tag \"x\" }\n",
          message_of("care@me.example", "x@x.example"), "tag:first: x");
    check("rule a { when visible(external) >= 9 and visible(external) inside table >= 4 tag \"x\" }\n",
          message_of("care@me.example", "x@x.example"), "accept:default");
    check("rule a { monitor when visible(external) inside table >= 4 tag \"x\" }\n",
          message_of("care@me.example", "x@x.example"), "accept:default | error:a");
    check("rule a { when visible(external) inside table >= 1 tag \"x\" }\n", with_body("x@x.example", "text/plain", ""),
          "accept:default");
}

/* Parts that were read before are used, and the body is not needed then. */
static void test_parts_given(void)
{
    struct policy *policy =
        policy_of(UNIT_HEAD "rule a { when visible(external) inside table >= 4 tag \"{inside}\" }\n" LAST);
    auto_free(message) message = table("x@x.example");
    auto_free(message) copy = message_copy(message);
    auto_free(body_parts) parts = body_parts_read(&(struct body_source){message, CSV, strlen(CSV), false});
    g_autofree char *got = judge(policy, copy, parts);

    g_assert_null(copy->body);
    g_assert_cmpstr(got, ==, "tag:a: 4");
    policy_unref(policy);
}

/* An address of ours that overrides a refusal counts nowhere. */
static void test_answer(void)
{
    struct message *message = table("x@x.example");

    message_set_answer(message, "Ann@A.example");
    check("rule a { when visible(external) inside table >= 1 tag \"{inside}\" }\n", message, "tag:a: 3");
}

/* Only a policy that asks for a body says so. */
static void test_asks(void)
{
    static const struct {
        const char *rule;
        bool asks;
        unsigned fields;
    } cases[] = {
        {"rule a { when visible(external) >= 4 tag \"x\" }\n", false, 0},
        {"rule a { when visible(external) inside header(\"X\"), header(\"Y\") >= 4 tag \"x\" }\n"
         "rule b { when visible(external) inside header(\"x\") >= 4 tag \"x\" }\n",
         false, 2},
        {"rule a { when visible(external) inside header(\"X\"), text >= 4 tag \"x\" }\n", true, 1},
        {"rule a { monitor when opaque(types) tag \"x\" }\n", true, 0},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(UNIT_HEAD, cases[i].rule, LAST, NULL);
        struct policy *policy = policy_of(text);
        g_assert_cmpint(policy_asks_body(policy), ==, cases[i].asks);
        g_assert_cmpuint(policy_part_fields(policy)->len, ==, cases[i].fields);
        policy_unref(policy);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inside/counts", test_counts);
    g_test_add_func("/inside/header", test_header);
    g_test_add_func("/inside/variable", test_variable);
    g_test_add_func("/inside/fields", test_fields);
    g_test_add_func("/inside/field-defects", test_field_defects);
    g_test_add_func("/inside/opaque", test_opaque);
    g_test_add_func("/inside/away", test_away);
    g_test_add_func("/inside/parts-given", test_parts_given);
    g_test_add_func("/inside/answer", test_answer);
    g_test_add_func("/inside/asks", test_asks);
    return g_test_run();
}
