/* test-sendmail-control - see milter/sendmail/sendmail_control.h */

#include "milter/sendmail/sendmail_control.h"

#include "unit.h"

/* As Sendmail 8.17 writes it. */
static const char held[] = "V8\nT1795825704\nK1795825704\nN0\nP30270\nqwide-cc: wide Cc: 12 addresses\nFbs\n"
                           "$_localhost [127.0.0.1]\n$rESMTP\nS<care@me.example>\nrRFC822; ann@x.example\n"
                           "RPFD:<ann@x.example>\nRPFD:<b\xff\x81n@y.example>\n"
                           "H?P?Return-Path: <\x81g>\nH??Received: from a\n\tby b\n"
                           "H??To: ann@x.example,\n        ben@y.example\nH??Bcc: eve@z.example,\n\tfay@z.example\n"
                           "H??Resent-Bcc : gus@z.example\nH?D?Subject: Gr\xc3\xff\x9f\xff\xff\n.\n";

static void test_read(void)
{
    struct control control;

    control_read(held, sizeof held - 1, &control);
    g_assert_cmpint(control.arrival, ==, 1795825704);
    g_assert_cmpstr(control.sender, ==, "care@me.example");
    g_assert_cmpuint(control.recipients, ==, 2);
    g_assert_true(strncmp(held + control.arrival_at, "1795825704\n", 11) == 0);
    g_assert_true(strncmp(held + control.header, "H?P?Return-Path", 15) == 0);
    g_assert_cmpstr(held + control.header + control.header_length, ==, ".\n");
    control_clear(&control);
}

static void test_header(void)
{
    g_autoptr(GString) header = g_string_new(NULL);
    struct control control;

    control_read(held, sizeof held - 1, &control);
    control_append_header(header, held, &control);
    g_assert_cmpstr(header->str, ==,
                    "Received: from a\n\tby b\nTo: ann@x.example,\n        ben@y.example\nSubject: Gr\xc3\x9f\xff\n");
    control_clear(&control);
}

/* A name may hold a quoted byte, a line may be empty, and one that begins with a blank goes on. */
static void test_left_out(void)
{
    static const char text[] = "H??Bcc: a@x.example\nH?M? b@x.example\nH??\nH??B\xff"
                               "cc:\n\tc@x.example\nH??Bcc without a colon\nH??To: d@x.example\n.\n";
    g_autoptr(GString) header = g_string_new(NULL);
    struct control control;

    control_read(text, sizeof text - 1, &control);
    control_append_header(header, text, &control);
    g_assert_cmpstr(header->str, ==, "Bcc without a colon\nTo: d@x.example\n");
    control_clear(&control);
}

static void test_message(void)
{
    auto_free(message) message = control_message(held, sizeof held - 1);

    g_assert_true(message->mta == MTA_SENDMAIL && !message->bcc_visible);
    g_assert_cmpstr(message->sender, ==, "care@me.example");
    g_assert_cmpuint(message->recipients->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(message->recipients, 1), ==, "b\x81n@y.example");
    g_assert_cmpuint(message->headers->len, ==, 5);
    g_assert_cmpstr(message_find_header(message, "Bcc")->value, ==, "eve@z.example,\n\tfay@z.example");
    g_assert_null(message_find_header(message, "Return-Path"));
}

/* What may be wrong with one: nothing of it is read where it is not. */
static void test_odd(void)
{
    static const struct {
        const char *text;
        gint64 arrival;
        const char *sender;
        unsigned recipients, headers;
    } cases[] = {
        {"", 0, "", 0, 0},
        {"\n\n", 0, "", 0, 0},
        {"T", 0, "", 0, 0},
        {"T-5\nS\nR\n", 0, "", 1, 0},
        {"T12x\nT13\n", 13, "", 0, 0},
        {"T99999999999999999999\n", 0, "", 0, 0},
        {"T5\nT6\nSa@x.example\nSb@x.example\n", 5, "a@x.example", 0, 0},
        {"S<>\nRann@x.example\nR:\n", 0, "", 2, 0},
        {"S<\xff\nR<\xff", 0, "<\xff", 1, 0},
        {"H", 0, "", 0, 0},
        {"H??", 0, "", 0, 0},
        {"H?\nT5\n", 0, "", 0, 0},
        {"H?P?Return-Path: <\x81g>", 0, "", 0, 0},
        {"H?P?Return-Path: <x@y.example>\n", 0, "", 0, 1},
        {"H??To: a@x.example\nT5\nH??Cc: b@x.example\n", 0, "", 0, 1},
        {" To: a@x.example\nH??Cc: b@x.example", 0, "", 0, 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct control control;
        control_read(cases[i].text, strlen(cases[i].text), &control);
        auto_free(message) message = control_message(cases[i].text, strlen(cases[i].text));
        if (control.arrival != cases[i].arrival || strcmp(control.sender, cases[i].sender) != 0 ||
            control.recipients != cases[i].recipients || message->headers->len != cases[i].headers)
            UNIT_FAIL("case %zu: arrival %" G_GINT64_FORMAT ", sender `%s`, %u recipients, %u fields", i,
                      control.arrival, control.sender, control.recipients, message->headers->len);
        control_clear(&control);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/control/read", test_read);
    g_test_add_func("/control/header", test_header);
    g_test_add_func("/control/left-out", test_left_out);
    g_test_add_func("/control/message", test_message);
    g_test_add_func("/control/odd", test_odd);
    return g_test_run();
}
