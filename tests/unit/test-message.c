/* test-message - what the MTA gave, kept within limits */

#include "policy/message/message.h"
#include "unit.h"

static void test_envelope(void)
{
    static const char *const cases[][2] = {
        {"<ann@x.example>", "ann@x.example"},
        {"ann@x.example", "ann@x.example"},
        {"<>", ""},
        {"", ""},
        {"<ann", "<ann"},
        {">", ">"},
        {"<", "<"},
        {"<<a@x>>", "<a@x>"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(message) message = message_new();
        message_set_sender(message, cases[i][0]);
        message_add_recipient(message, cases[i][0]);
        g_assert_cmpstr(message->sender, ==, cases[i][1]);
        g_assert_cmpstr(g_ptr_array_index(message->recipients, 0), ==, cases[i][1]);
    }
}

/* Setting a thing to itself, to another, to nothing. */
static void test_set(void)
{
    auto_free(message) message = message_new();

    g_assert_cmpstr(message->sender, ==, "");
    g_assert_false(message->authenticated);
    message_set_user(message, "care");
    g_assert_true(message->authenticated);
    message_set_user(message, message->user);
    g_assert_cmpstr(message->user, ==, "care");
    message_set_user(message, NULL);
    g_assert_null(message->user);
    g_assert_false(message->authenticated);
    message_set_sender(message, "<a@x.example>");
    message_set_sender(message, message->sender);
    g_assert_cmpstr(message->sender, ==, "a@x.example");
    message_set_client(message, "192.0.2.1");
    message_set_client(message, NULL);
    g_assert_null(message->client);
    message_set_listener(message, "ORIGINATING");
    message_set_queue_id(message, "4XyZ");
    g_assert_cmpstr(message->listener, ==, "ORIGINATING");
    g_assert_cmpstr(message->queue_id, ==, "4XyZ");
    message_free(NULL);
}

static void test_headers(void)
{
    auto_free(message) message = message_new();

    message_add_header(message, "To", "a");
    message_add_header(message, "CC \t", "b");
    message_add_header_length(message, "ToXXX", 2, "cYYY", 1);
    message_add_header(message, "", "");
    g_assert_cmpuint(message->headers->len, ==, 4);
    g_assert_cmpstr(message_find_header(message, "to")->value, ==, "a");
    g_assert_cmpstr(message_find_header(message, "Cc")->value, ==, "b");
    g_assert_cmpstr(((struct header *)g_ptr_array_index(message->headers, 2))->name, ==, "To");
    g_assert_cmpstr(((struct header *)g_ptr_array_index(message->headers, 2))->value, ==, "c");
    g_assert_null(message_find_header(message, "Subject"));
    g_assert_false(message->overflow);
}

/* To the last byte, and not one more; what is too much leaves the rest sound. */
static void test_byte_limit(void)
{
    auto_free(message) message = message_new();
    g_autofree char *half = g_strnfill(MESSAGE_HEADER_LIMIT / 2 - 1, 'a');

    message_add_header(message, "X", half);
    message_add_header(message, "X", half);
    g_assert_cmpuint(message->header_bytes, ==, MESSAGE_HEADER_LIMIT);
    g_assert_false(message->overflow);
    message_add_header(message, "X", "");
    g_assert_true(message->overflow);
    g_assert_cmpuint(message->headers->len, ==, 2);
}

static void test_count_limits(void)
{
    auto_free(message) message = message_new();

    for (unsigned n = 0; n < MESSAGE_HEADER_COUNT_LIMIT; n++)
        message_add_header(message, "X", "a");
    g_assert_false(message->overflow);
    message_add_header(message, "X", "a");
    g_assert_true(message->overflow);
    g_assert_cmpuint(message->headers->len, ==, MESSAGE_HEADER_COUNT_LIMIT);
    message->overflow = false;
    for (unsigned n = 0; n < MESSAGE_RECIPIENT_LIMIT; n++)
        message_add_recipient(message, "a");
    g_assert_false(message->overflow);
    message_add_recipient(message, "a");
    g_assert_true(message->overflow);
    g_assert_cmpuint(message->recipients->len, ==, MESSAGE_RECIPIENT_LIMIT);
}

static void test_loopback(void)
{
    static const struct {
        const char *client;
        bool want;
    } cases[] = {
        {NULL, false},   {"127.0.0.1", true},   {"127.1.2.3", true}, {"::1", true},        {"192.0.2.127", false},
        {"::10", false}, {"1270.0.0.1", false}, {"", false},         {"128.0.0.1", false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(client_is_loopback(cases[i].client), ==, cases[i].want);
}

/* What Postfix says of itself, with the name of an instance where setup has put it. */
static void test_instance(void)
{
    static const struct {
        const char *version, *instance;
    } cases[] = {
        {NULL, NULL},
        {"", NULL},
        {"Postfix 3.7.11", NULL},
        {"Postfix 3.7.11 instance=postfix-out", "postfix-out"},
        {"Postfix instance=a_b.c more", "a_b.c"},
        {"Postfix 3.7.11 instance=", NULL},
        {"Postfix 3.7.11 instance=/etc/postfix", NULL},
        {"Postfix 3.7.11 instance=a\tb", NULL},
        {"Postfix 3.7.11 Instance=a", NULL},
        {"instance=a", NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = mta_instance(cases[i].version);
        g_assert_cmpstr(found, ==, cases[i].instance);
    }
    g_autofree char *longest = g_strnfill(MTA_INSTANCE_LIMIT, 'x'),
                    *version = g_strconcat("P instance=", longest, NULL);
    g_autofree char *longer = g_strconcat(version, "x", NULL), *found = mta_instance(version);
    g_assert_cmpstr(found, ==, longest);
    g_assert_null(mta_instance(longer));
    auto_free(message) message = message_new();
    message_set_instance(message, "out");
    auto_free(message) copy = message_copy(message);
    g_assert_cmpstr(copy->instance, ==, "out");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message/envelope", test_envelope);
    g_test_add_func("/message/set", test_set);
    g_test_add_func("/message/headers", test_headers);
    g_test_add_func("/message/byte-limit", test_byte_limit);
    g_test_add_func("/message/count-limits", test_count_limits);
    g_test_add_func("/message/loopback", test_loopback);
    g_test_add_func("/message/instance", test_instance);
    return g_test_run();
}
