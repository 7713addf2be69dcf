/* test-state-keys - what is kept instead of names: authors, subjects, ids */

#include "policy/state/state_keys.h"
#include "unit.h"

static void test_senders(void)
{
    static const char *const cases[][2] = {
        {"ann@corp.example", "ann@corp.example"},
        {"Ann@CORP.example", "ann@corp.example"},
        {"ann+offers@corp.example", "ann@corp.example"},
        {"+ann@corp.example", "+ann@corp.example"},
        {"prvs=1234abcdef=ann@corp.example", "ann@corp.example"},
        {"prvs=ann=1234abcdef@corp.example", "ann@corp.example"},
        {"prvs=ann/1234abcdef@corp.example", "ann@corp.example"},
        {"prvs=1234abcdef=ann+x@corp.example", "ann@corp.example"},
        {"btv1==0123abcd==ann@corp.example", "ann@corp.example"},
        {"news-17-bob=x.example@corp.example", "news@corp.example"},
        {"news-18-eve=y.example@corp.example", "news@corp.example"},
        {"news+bob=x.example@corp.example", "news@corp.example"},
        {"news=bob@corp.example", "news@corp.example"},
        {"front-desk@corp.example", "front-desk@corp.example"},
        {"prvs=@corp.example", "prvs=@corp.example"},
        {"ann", "ann"},
        {"", ""},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = state_sender(cases[i][0]);
        if (strcmp(got, cases[i][1]) != 0)
            UNIT_FAIL("%s: %s instead of %s", cases[i][0], got, cases[i][1]);
    }
}

static void test_subjects(void)
{
    static const char *const cases[][2] = {
        {"Part 3/20", "part"},
        {"Re: AW: Part 4/20", "part"},
        {"RE[2]: Fwd: part", "part"},
        {"Fw : Part", "part"},
        {"Aw\xef\xbc\x9a Part", "part"}, /* a full-width colon */
        {"\xef\xbc\xb0\xef\xbd\x81rt (5)", "part"},
        {"STRASSE", "strasse"},
        {"Stra\xc3\x9f"
         "e",
         "strasse"},
        {"Refund: 3", "refund"},
        {"Region: north", "regionnorth"},
        {"\xe5\x9b\x9e\xe5\xa4\x8d: \xe9\x80\x9a\xe7\x9f\xa5 7", "\xe9\x80\x9a\xe7\x9f\xa5"},
        {"2/20 \xf0\x9f\x8e\x89", ""},
        {"Re:", ""},
        {"", ""},
        {"\xff\xfe", ""},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = state_subject_text(cases[i][0]);
        if (strcmp(got, cases[i][1]) != 0)
            UNIT_FAIL("%s: %s instead of %s", cases[i][0], got, cases[i][1]);
    }
}

static state_hash subject_of(const struct state_key *key, const char *first, const char *second)
{
    auto_free(message) message = message_new();

    if (first != NULL)
        message_add_header(message, "Subject", first);
    if (second != NULL)
        message_add_header(message, "subject", second);
    return state_subject(key, message);
}

static void test_subject_headers(void)
{
    auto_free(state_key) key = state_key_new("k", 1);

    g_assert_cmphex(subject_of(key, "Part 1", NULL), ==, subject_of(key, "=?utf-8?q?Re=3A_PART_2?=", NULL));
    g_assert_cmphex(subject_of(key, "Part 1", NULL), !=, subject_of(key, "Party 1", NULL));
    g_assert_cmphex(subject_of(key, "Part 1", NULL), !=, 0);
    g_assert_cmphex(subject_of(key, NULL, NULL), ==, 0);
    g_assert_cmphex(subject_of(key, " 1/2 ", NULL), ==, 0);
    /* Which of two a reader sees is not known: alike to every other. */
    g_assert_cmphex(subject_of(key, "Part 1", "x"), ==, 0);
}

static state_hash author_of(const struct state_key *key, const char *user, const char *sender, const char *client)
{
    auto_free(message) message = message_new();

    message_set_user(message, user);
    message_set_sender(message, sender);
    message_set_client(message, client);
    return state_author(key, message);
}

static void test_authors(void)
{
    auto_free(state_key) key = state_key_new("k", 1);
    auto_free(state_key) other = state_key_new("j", 1);
    state_hash ann = author_of(key, "ann", "x@corp.example", "192.0.2.1");

    g_assert_cmphex(ann, ==, author_of(key, "Ann", "y@corp.example", "192.0.2.2"));
    g_assert_cmphex(ann, !=, author_of(other, "ann", "x@corp.example", "192.0.2.1"));
    g_assert_cmphex(ann, !=, author_of(key, "bob", "x@corp.example", "192.0.2.1"));
    g_assert_cmphex(ann, !=, author_of(key, NULL, "ann", "192.0.2.1"));
    g_assert_cmphex(author_of(key, NULL, "a+1@corp.example", "192.0.2.1"), ==,
                    author_of(key, "", "a+2@corp.example", "192.0.2.2"));
    g_assert_cmphex(author_of(key, NULL, "", "192.0.2.1"), !=, author_of(key, NULL, "", "192.0.2.2"));
    g_assert_cmphex(author_of(key, NULL, "", NULL), ==, author_of(key, NULL, "", NULL));
}

/* Written down once, so that what sites have kept still means the same. */
static void test_stable(void)
{
    auto_free(state_key) key = state_key_new("0123456789abcdef0123456789abcdef", STATE_KEY_SIZE);

    g_assert_cmphex(state_hash_text(key, STATE_PARTY, "customer.example"), ==, G_GUINT64_CONSTANT(0x762fb67dc4b3bf30));
}

static void test_forget(void)
{
    auto_free(state_key) key = state_key_new("k", 1);
    g_autoptr(GArray) party = state_hashes_of_party(key, "Customer.EXAMPLE.");
    g_autoptr(GArray) address = state_hashes_of_address(key, "Ann@Free1.example");
    g_autoptr(GArray) sender = state_hashes_of_sender(key, "Ann+x@corp.example");

    g_assert_cmphex(g_array_index(party, state_hash, 0), ==, state_hash_text(key, STATE_PARTY, "customer.example"));
    g_assert_cmphex(g_array_index(party, state_hash, 1), ==, state_hash_text(key, STATE_DOMAIN, "customer.example"));
    g_assert_cmphex(g_array_index(address, state_hash, 0), ==,
                    state_hash_text(key, STATE_VISIBLE, "ann@free1.example"));
    g_assert_cmphex(g_array_index(address, state_hash, 1), ==, state_hash_text(key, STATE_PARTY, "ann@free1.example"));
    g_assert_cmphex(g_array_index(sender, state_hash, 1), ==, author_of(key, NULL, "ann@corp.example", NULL));
}

static void test_record_id(void)
{
    auto_free(state_key) key = state_key_new("k", 1);
    auto_free(message) message = message_new();
    const state_hash values[] = {1, 2, 3};
    struct state_values set = {9, values, 2};
    struct state_record record = {.author = 7, .time = 100, .values = &set, .count = 1};
    state_hash first = state_record_id(key, message, &record);

    g_assert_cmphex(first, ==, state_record_id(key, message, &record));
    set.count = 3;
    g_assert_cmphex(first, !=, state_record_id(key, message, &record));
    set.count = 2;
    record.time = 101;
    g_assert_cmphex(first, !=, state_record_id(key, message, &record));
    record.time = 100;
    message_set_queue_id(message, "4XyZ");
    g_assert_cmphex(first, !=, state_record_id(key, message, &record));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/state-keys/senders", test_senders);
    g_test_add_func("/state-keys/subjects", test_subjects);
    g_test_add_func("/state-keys/subject-headers", test_subject_headers);
    g_test_add_func("/state-keys/authors", test_authors);
    g_test_add_func("/state-keys/stable", test_stable);
    g_test_add_func("/state-keys/forget", test_forget);
    g_test_add_func("/state-keys/record-id", test_record_id);
    return g_test_run();
}
