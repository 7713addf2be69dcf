/* test-replay-once - messages that were there before, by Message-ID and size */

#include "policy/replay/replay_once.h"
#include "unit.h"

static struct once_key key_of(const char *id, guint64 size)
{
    auto_free(message) message = message_new();

    message_add_header(message, "From", "ann@x.example");
    if (id != NULL)
        message_add_header(message, "message-id", id);
    return once_key(message, size);
}

static void test_seen(void)
{
    static const struct {
        const char *id;
        guint64 size;
        bool seen;
    } cases[] = {
        {"<1@x.example>", 10, false},
        {"<1@x.example>", 10, true},
        {"\r\n <1@x.example>\t", 10, true}, /* folded otherwise */
        {"<1@x.example>", 11, false},
        {"<2@x.example>", 10, false},
        {"<1@X.example>", 10, false},
        /* Without one, nothing says that it is the same. */
        {NULL, 10, false},
        {NULL, 10, false},
        {"", 10, false},
        {" \t", 10, false},
        {"<2@x.example>", 10, true},
    };
    auto_free(once) once = once_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct once_key key = key_of(cases[i].id, cases[i].size);
        if (once_seen(once, &key) != cases[i].seen)
            UNIT_FAIL("%s, %u bytes: want %d", cases[i].id, (unsigned)cases[i].size, cases[i].seen);
    }
}

static void test_many(void)
{
    auto_free(once) once = once_new();

    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 20000; i++) {
            g_autofree char *id = g_strdup_printf("<%u@x.example>", i);
            struct once_key key = key_of(id, i % 3);
            g_assert_true(once_seen(once, &key) == (round == 1));
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/once/seen", test_seen);
    g_test_add_func("/once/many", test_many);
    return g_test_run();
}
