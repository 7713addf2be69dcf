/* test-answer-address - the addresses that people answer to, and the codes in them */

#include "milter/answers/answer_address.h"
#include "milter/answers/answer_code.h"
#include "unit.h"

#include <string.h>

#define OWN  "rcptguard@corp.example"
#define CODE "abcdefghijklm"

static const struct review review = {.answers = (char *)OWN, .answers_delimiter = (char *)"+"};

static void test_read(void)
{
    static const struct {
        const char *text;
        enum answer_kind kind;
        gint64 row;
        bool code;
    } cases[] = {
        {"<rcptguard+o-" CODE "@corp.example>", ANSWER_OVERRIDE, 0, true},
        {"rcptguard+g-1-" CODE "@corp.example", ANSWER_GO, 1, true},
        {"rcptguard+c-42-" CODE "@corp.example", ANSWER_CANCEL, 42, true},
        {"rcptguard+r-42-" CODE "@corp.example", ANSWER_RELEASE, 42, true},
        {"rcptguard+b-42-" CODE "@corp.example", ANSWER_RETURN, 42, true},
        {"rcptguard+d-9999999999999999-" CODE "@corp.example", ANSWER_DELETE, G_GINT64_CONSTANT(9999999999999999),
         true},
        {"<RCPTGUARD+G-1-ABCDEFGHIJKLM@CORP.EXAMPLE>", ANSWER_GO, 1, true},
        /* The MTA adds its own domain to one without. */
        {"rcptguard+g-1-" CODE, ANSWER_GO, 1, true},
        {"<rcptguard+o-" CODE ">", ANSWER_OVERRIDE, 0, true},
        /* With a source route: it can be answered to, but not be removed. */
        {"<@a.example,@b.example:rcptguard+g-1-" CODE "@corp.example>", ANSWER_GO, 1, true},
        {"<@a.example:rcptguard+o-" CODE "@corp.example>", ANSWER_OVERRIDE, 0, false},
        {"@a.example:rcptguard+o-" CODE "@corp.example", ANSWER_OVERRIDE, 0, false},
        /* Ours, and no code. */
        {"rcptguard+g-1-abcdefghijkl@corp.example", ANSWER_GO, 1, false},
        {"rcptguard+g-1-abcdefghijklmn@corp.example", ANSWER_GO, 1, false},
        {"rcptguard+g-1-abcdefghijkl1@corp.example", ANSWER_GO, 1, false},
        {"rcptguard+g-1-qbcdefghijklm@corp.example", ANSWER_GO, 1, false}, /* more than 64 bits */
        {"rcptguard+g-1-aaaaaaaaaaaaa@corp.example", ANSWER_GO, 1, false},
        {"rcptguard+g-01-" CODE "@corp.example", ANSWER_GO, 0, false},
        {"rcptguard+g--1-" CODE "@corp.example", ANSWER_GO, 0, false},
        {"rcptguard+g-10000000000000000-" CODE "@corp.example", ANSWER_GO, 0, false},
        {"rcptguard+g-" CODE "@corp.example", ANSWER_GO, 0, false},
        {"rcptguard+g-1@corp.example", ANSWER_GO, 0, false},
        {"rcptguard+g-@corp.example", ANSWER_GO, 0, false},
        {"rcptguard+o-@corp.example", ANSWER_OVERRIDE, 0, false},
        /* Ours, with no kind: a recipient as any other. */
        {OWN, ANSWER_NONE, 0, false},
        {"rcptguard+@corp.example", ANSWER_NONE, 0, false},
        {"rcptguard+x-1-" CODE "@corp.example", ANSWER_NONE, 0, false},
        /* Others. */
        {"rcptguardg-1-" CODE "@corp.example", ANSWER_NONE, 0, false},
        {"rcptguard-g-1-" CODE "@corp.example", ANSWER_NONE, 0, false},
        {"xrcptguard+g-1-" CODE "@corp.example", ANSWER_NONE, 0, false},
        {"rcptguard+g-1-" CODE "@sub.corp.example", ANSWER_NONE, 0, false},
        {"@corp.example", ANSWER_NONE, 0, false},
        {"<>", ANSWER_NONE, 0, false},
        {"", ANSWER_NONE, 0, false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].text);
        const struct answer_address answer = answer_address_read(&review, cases[i].text);
        g_assert_cmpint(answer.kind, ==, cases[i].kind);
        g_assert_cmpint(answer.row, ==, cases[i].row);
        g_assert_cmpint(answer.code != 0, ==, cases[i].code);
    }
}

static void test_none_without_a_setting(void)
{
    const struct review empty = {.answers_delimiter = (char *)"+"};
    g_assert_cmpint(answer_address_read(&empty, OWN).kind, ==, ANSWER_NONE);
}

/* What is made is read again, with any delimiter, and fits into a local part. */
static void test_round(void)
{
    static const guint64 codes[] = {1, 0x0123456789abcdef, G_MAXUINT64};
    static const char *const delimiters[] = {"+", "-", "=", "_"};
    for (unsigned d = 0; d < G_N_ELEMENTS(delimiters); d++) {
        const struct review other = {.answers = (char *)"abcdefghijklmnopqrstuvwxyz-_.9@x.example",
                                     .answers_delimiter = (char *)delimiters[d]};
        for (unsigned kind = ANSWER_OVERRIDE; kind <= ANSWER_DELETE; kind++) {
            const gint64 row = answer_is_decision((enum answer_kind)kind) ? G_GINT64_CONSTANT(9999999999999999) : 0;
            const struct answer_address want = {(enum answer_kind)kind, codes[kind % G_N_ELEMENTS(codes)], row};
            g_autofree char *text = answer_address_make(&other, &want);
            const struct answer_address got = answer_address_read(&other, text);
            g_assert_cmpuint(strcspn(text, "@"), <=, 64);
            g_assert_cmpint(got.kind, ==, want.kind);
            g_assert_cmpuint(got.code, ==, want.code);
            g_assert_cmpint(got.row, ==, want.row);
        }
    }
}

/* Each of them is another code. */
static void test_codes(void)
{
    unsigned char key[ANSWER_KEY_SIZE] = {1}, other_key[ANSWER_KEY_SIZE] = {2};
    const struct answer_subject subjects[] = {
        {1, 5, "ann", ANSWER_GO}, {2, 5, "ann", ANSWER_GO},     {1, 6, "ann", ANSWER_GO},
        {1, 5, "Ann", ANSWER_GO}, {1, 5, "ann", ANSWER_CANCEL}, {1, 5, "ann", ANSWER_RELEASE},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(subjects); i++) {
        g_assert_cmpuint(answer_code(key, &subjects[i]), ==, answer_code(key, &subjects[i]));
        g_assert_cmpuint(answer_code(key, &subjects[i]), !=, answer_code(other_key, &subjects[i]));
        for (unsigned j = 0; j < i; j++)
            g_assert_cmpuint(answer_code(key, &subjects[i]), !=, answer_code(key, &subjects[j]));
    }
}

static struct review site_of(const char *answers, const char *delimiter)
{
    return (struct review){.answers = (char *)answers, .answers_delimiter = (char *)delimiter};
}

static void test_there_and_back(void)
{
    static const guint64 codes[] = {1, 31, 32, G_MAXUINT64, G_MAXUINT64 - 1, 1ull << 63, 0x0123456789abcdef};
    static const char *const delimiters[] = {"+", "-", "=", "_"};

    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(delimiters); j++) {
            const struct review own = site_of("Rcpt-Guard@Corp.example", delimiters[j]);
            const struct answer_address answer = {.kind = ANSWER_OVERRIDE, .code = codes[i]};
            g_autofree char *address = answer_address_make(&own, &answer);
            g_autofree char *capitals = g_ascii_strup(address, -1);
            g_autofree char *bracketed = g_strdup_printf("<%s>", address);
            const char *const spellings[] = {address, capitals, bracketed};
            for (unsigned k = 0; k < G_N_ELEMENTS(spellings); k++) {
                const struct answer_address got = answer_address_read(&own, spellings[k]);
                g_assert_cmpint(got.kind, ==, ANSWER_OVERRIDE);
                g_assert_cmpuint(got.code, ==, codes[i]);
            }
        }
    }
}

static void test_length(void)
{
    const struct review own = site_of("rcptguard@corp.example", "+");
    g_autofree char *address =
        answer_address_make(&own, &(struct answer_address){.kind = ANSWER_OVERRIDE, .code = G_MAXUINT64});
    g_assert_cmpstr(address, ==, "rcptguard+o-p777777777777@corp.example");
}

/* Of our form, with a code that is none. */
static void test_no_code(void)
{
    static const char *const addresses[] = {
        "guard+o-@corp.example",
        "guard+o-aaaaaaaaaaaaa@corp.example", /* 0, which no refusal has */
        "guard+o-aaaaaaaaaaaa@corp.example",
        "guard+o-aaaaaaaaaaaaaa@corp.example",
        "guard+o-q777777777777@corp.example", /* more than 64 bits */
        "guard+o-a8aaaaaaaaaaa@corp.example",
        "guard+o-aaaaaaa aaaaa@corp.example",
        "guard+o-aaaaaaaaaaaaa+x@corp.example",
    };
    const struct review own = site_of("guard@corp.example", "+");

    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        const struct answer_address got = answer_address_read(&own, addresses[i]);
        if (got.kind != ANSWER_OVERRIDE || got.code != 0)
            UNIT_FAIL("%s: %d, %u", addresses[i], (int)got.kind, (unsigned)got.code);
    }
}

static void test_others(void)
{
    static const char *const addresses[] = {
        "",
        "<>",
        "guard",
        "guard+x-b777777777777",
        "guard@corp.example",
        "guard+@corp.example",
        "guard+o@corp.example",
        "guard+x-b777777777777@corp.example",
        "guard-o-b777777777777@corp.example",
        "guards+o-b777777777777@corp.example",
        "xguard+o-b777777777777@corp.example",
        "guard+o-b777777777777@mail.corp.example",
        "guard+o-b777777777777@corp.example.evil.example",
        "guard+o-b777777777777@corp",
        "guard++o-b777777777777@corp.example",
        "guard+o-b777777777777@corp.example@x.example",
    };
    const struct review own = site_of("guard@corp.example", "+"), none = site_of(NULL, "+");

    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++)
        if (answer_address_read(&own, addresses[i]).kind != ANSWER_NONE)
            UNIT_FAIL("%s is taken", addresses[i]);
    g_assert_cmpint(answer_address_read(&none, "guard+o-b777777777777@corp.example").kind, ==, ANSWER_NONE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/answer-address/read", test_read);
    g_test_add_func("/answer-address/none-without-a-setting", test_none_without_a_setting);
    g_test_add_func("/answer-address/round", test_round);
    g_test_add_func("/answer-address/codes", test_codes);
    g_test_add_func("/answer-address/there-and-back", test_there_and_back);
    g_test_add_func("/answer-address/length", test_length);
    g_test_add_func("/answer-address/no-code", test_no_code);
    g_test_add_func("/answer-address/others", test_others);
    return g_test_run();
}
