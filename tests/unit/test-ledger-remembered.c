/* test-ledger-remembered - what held messages have to do with the state, when it is due, and what is forgotten of it */

#include "ledger_unit.h"

#include <sys/stat.h>

#define SECOND G_USEC_PER_SEC
#define NOON   (G_GINT64_CONSTANT(1790000000) * SECOND)

static const struct ledger_person ann = {"ann", 1001};
/* Hashes from a list that ends with 0; NULL of an empty one. */
static GArray *hashes_of(const state_hash *list)
{
    GArray *hashes = g_array_new(FALSE, FALSE, sizeof(state_hash));
    for (unsigned i = 0; list[i] != 0; i++)
        g_array_append_val(hashes, list[i]);
    if (hashes->len > 0)
        return hashes;
    g_array_unref(hashes);
    return NULL;
}

/* Holds a message with such a part in the state; the id of its row. */
static gint64 hold(struct ledger *ledger, const char *queue_id, const struct ledger_remembered *remembered)
{
    const struct ledger_message message = message_held_at(queue_id, NOON);
    return hold_all(ledger, &(const struct ledger_hold){.message = &message, .remembered = remembered});
}

static gint64 hold_set(struct ledger *ledger, const char *queue_id, state_hash record, state_hash scope,
                       const state_hash *list)
{
    g_autoptr(GArray) parties = hashes_of(list);
    const struct ledger_remembered remembered = {.record = record, .scope = scope, .parties = parties};
    return hold(ledger, queue_id, &remembered);
}

/* "record scope [parties] known counted within", or "-". */
static char *text_of(const struct ledger_remembered *remembered)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "%" G_GINT64_MODIFIER "x %" G_GINT64_MODIFIER "x [", remembered->record,
                           remembered->scope);
    for (guint i = 0; remembered->parties != NULL && i < remembered->parties->len; i++)
        g_string_append_printf(out, "%s%" G_GINT64_MODIFIER "x", i > 0 ? " " : "",
                               g_array_index(remembered->parties, state_hash, i));
    g_string_append_printf(out, "] %u %s ", remembered->known, remembered->counted ? remembered->counted : "-");
    if (remembered->answered)
        g_string_append_printf(out, "%u", remembered->within);
    else
        g_string_append_c(out, '-');
    return g_string_free(out, FALSE);
}

static char *kept_of(struct ledger *ledger, gint64 id)
{
    auto_free(ledger_remembered) remembered = ledger_remembered(ledger, id, &error);
    if (remembered == NULL)
        g_assert_cmpint(error.failure, ==, DATABASE_NONE);
    return remembered == NULL ? g_strdup("-") : text_of(remembered);
}

#define CHECK_KEPT(ledger, id, wanted)                                                                                 \
    do {                                                                                                               \
        g_autofree char *kept_text = kept_of(ledger, id);                                                              \
        g_assert_cmpstr(kept_text, ==, wanted);                                                                        \
    } while (0)

/* What is due, as "4A learn, 4B withdraw". */
static char *due_of(struct ledger *ledger)
{
    g_autoptr(GPtrArray) rows = ledger_untold(ledger, 0, 100, &error);
    GString *out = g_string_new(NULL);
    g_assert_nonnull(rows);
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_untold *untold = g_ptr_array_index(rows, i);
        g_string_append_printf(out, "%s%s %s", i > 0 ? ", " : "", untold->queue_id,
                               untold->learn ? "learn" : "withdraw");
    }
    return g_string_free(out, FALSE);
}

#define CHECK_DUE(ledger, wanted)                                                                                      \
    do {                                                                                                               \
        g_autofree char *due_text = due_of(ledger);                                                                    \
        g_assert_cmpstr(due_text, ==, wanted);                                                                         \
    } while (0)

static void claim(struct ledger *ledger, gint64 id, enum ledger_action action, bool learn)
{
    const struct ledger_act act = {.id = id, .now = NOON + SECOND, .person = &ann, .learn = learn};
    DONE(ledger_claim(ledger, action, &act, NULL, &error));
}

static void finish(struct ledger *ledger, gint64 id)
{
    DONE(ledger_finish(ledger, id, NULL, NULL, NOON + 2 * SECOND, NULL, &error));
}

/* ---- */

static const state_hash none[] = {0}, three[] = {1, G_MAXUINT64, 0x8000000000000000u, 0}, two[] = {1, 5, 0};

static void test_round(void)
{
    auto_free(ledger) ledger = open_private();
    g_autoptr(GArray) parties = hashes_of(three);
    const struct {
        struct ledger_remembered remembered;
        const char *wanted;
    } cases[] = {
        {{G_MAXUINT64, 7, parties, KNOWN_NO, "parties", 27, true},
         "ffffffffffffffff 7 [1 ffffffffffffffff 8000000000000000] 1 parties 27"},
        {{0, 0, parties, KNOWN_YES, NULL, 0, false}, "0 0 [1 ffffffffffffffff 8000000000000000] 2 - -"},
        {{3, 0, NULL, KNOWN_NOT_ASKED, "visible", STATE_WINDOW_MANY, true}, "3 0 [] 0 visible 4294967295"},
        {{3, 0, NULL, KNOWN_NOT_ASKED, "domains", 0, true}, "3 0 [] 0 domains 0"},
        {{0, 0, NULL, KNOWN_NOT_ASKED, "domains", 9, false}, "0 0 [] 0 domains -"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *queue_id = g_strdup_printf("4A%u", i);
        CHECK_KEPT(ledger, hold(ledger, queue_id, &cases[i].remembered), cases[i].wanted);
    }
    CHECK_KEPT(ledger, hold(ledger, "4B", NULL), "-");
}

/* It goes with its row. */
static void test_pruned(void)
{
    auto_free(ledger) ledger = open_private();
    gint64 id = hold_set(ledger, "4A", 1, 0, two);
    unsigned removed;
    claim(ledger, id, LEDGER_RELEASE, true);
    finish(ledger, id);
    DONE(ledger_prune(ledger, NOON + 60 * SECOND, "", &removed, &error));
    g_assert_cmpuint(removed, ==, 1);
    CHECK_KEPT(ledger, id, "-");
    CHECK_DUE(ledger, "");
}

/* With the other rows of its group, or not at all. */
static void test_group(void)
{
    auto_free(ledger) ledger = open_private();
    const struct ledger_message message = {.queue_id = (char *)"4A",
                                           .mta = MTA_POSTFIX,
                                           .sender = (char *)"",
                                           .rule = (char *)"split",
                                           .policy = (char *)"3f9a1c2b7d10aaaa"};
    g_autoptr(GPtrArray) parties = g_ptr_array_new();
    const struct ledger_remembered remembered = {.record = 9};
    const struct ledger_hold kept = {
        .message = &message, .parties = parties, .policy_text = "version 1\n", .remembered = &remembered};
    gint64 id;
    DONE(ledger_group_begin(ledger, &error));
    DONE(ledger_group_add(ledger, &kept, &id, &error));
    ledger_group_cancel(ledger);
    CHECK_KEPT(ledger, id, "-");
    DONE(ledger_group_begin(ledger, &error));
    DONE(ledger_group_add(ledger, &kept, &id, &error));
    DONE(ledger_group_end(ledger, &error));
    CHECK_KEPT(ledger, id, "9 0 [] 0 - -");
}

/* What each decision means, once it is recorded and not before. */
static void test_due(void)
{
    static const struct {
        enum ledger_action action;
        bool learn;
        state_hash record;
        const state_hash *parties;
        const char *due;
    } cases[] = {{LEDGER_RELEASE, true, 1, two, "4A learn"},
                 {LEDGER_RELEASE, true, 0, two, "4A learn"},
                 {LEDGER_RELEASE, false, 1, two, ""},
                 {LEDGER_RELEASE, true, 1, none, ""},
                 {LEDGER_RETURN, true, 1, two, "4A withdraw"},
                 {LEDGER_RETURN, false, 1, none, "4A withdraw"},
                 {LEDGER_RETURN, true, 0, two, ""},
                 {LEDGER_DELETE, true, 1, two, "4A withdraw"},
                 {LEDGER_DELETE, false, 1, none, "4A withdraw"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(ledger) ledger = open_private();
        gint64 id = hold_set(ledger, "4A", cases[i].record, 0, cases[i].parties);
        CHECK_DUE(ledger, "");
        claim(ledger, id, cases[i].action, cases[i].learn);
        CHECK_DUE(ledger, "");
        finish(ledger, id);
        CHECK_DUE(ledger, cases[i].due);
        g_autoptr(GPtrArray) rows = ledger_untold(ledger, id, 1, &error);
        if (rows->len == 0)
            continue;
        const struct ledger_untold *untold = g_ptr_array_index(rows, 0);
        g_assert_cmpint(untold->since, ==, NOON + 2 * SECOND);
        g_assert_cmpuint(untold->remembered.record, ==, cases[i].record);
        DONE(ledger_told(ledger, untold, &error));
        CHECK_DUE(ledger, "");
    }
}

/* Nothing came of it: a later decision says what is due. */
static void test_abandoned(void)
{
    auto_free(ledger) ledger = open_private();
    gint64 id = hold_set(ledger, "4A", 1, 0, two);
    claim(ledger, id, LEDGER_RETURN, true);
    DONE(ledger_abandon(ledger, id, "it is on hold", NOON + 2 * SECOND, NULL, &error));
    CHECK_DUE(ledger, "");
    claim(ledger, id, LEDGER_RELEASE, false);
    finish(ledger, id);
    CHECK_DUE(ledger, "");
}

/* Whoever finds an interrupted claim knows what its reviewer meant. */
static void test_interrupted(void)
{
    for (unsigned i = 0; i < 4; i++) {
        auto_free(ledger) ledger = open_private();
        bool learn = i % 2 == 0, on_hold = i >= 2;
        gint64 id = hold_set(ledger, "4A", 1, 0, two);
        claim(ledger, id, LEDGER_RELEASE, learn);
        auto_free(ledger_row) row = ledger_get(ledger, id, &error);
        DONE(ledger_settle(ledger, row, on_hold, NOON + 2 * SECOND, NULL, &error));
        CHECK_DUE(ledger, learn && !on_hold ? "4A learn" : "");
    }
}

/* What left by hand teaches nothing; what is on hold again was not released. */
static void test_left(void)
{
    auto_free(ledger) ledger = open_private();
    gint64 id = hold_set(ledger, "4A", 1, 0, two), again = hold_set(ledger, "4B", 2, 0, two);
    const struct ledger_sight sight = {.id = id, .state = LEDGER_LEFT};
    const struct ledger_arrival arrival = {"4C", NOON, 100, NULL};
    g_autoptr(GArray) sights = g_array_new(FALSE, FALSE, sizeof sight);
    g_array_append_val(sights, sight);
    DONE(ledger_sighted(ledger, sights, NOON + SECOND, &error));
    CHECK_DUE(ledger, "");

    claim(ledger, again, LEDGER_RELEASE, true);
    finish(ledger, again);
    g_autoptr(GPtrArray) rows = ledger_untold(ledger, again, 1, &error);
    auto_free(ledger_row) row = ledger_get(ledger, again, &error);
    DONE(ledger_adopt(ledger, row, &arrival, NOON + 3 * SECOND, NULL, &error));
    CHECK_DUE(ledger, "");

    /* Of another decision it is still due. */
    const struct ledger_act act = {.id = again, .now = NOON + 4 * SECOND, .person = &ann};
    DONE(ledger_claim(ledger, LEDGER_DELETE, &act, NULL, &error));
    DONE(ledger_finish(ledger, again, NULL, NULL, NOON + 5 * SECOND, NULL, &error));
    DONE(ledger_told(ledger, g_ptr_array_index(rows, 0), &error));
    CHECK_DUE(ledger, "4C withdraw");
}

static void test_forget(void)
{
    auto_free(ledger) ledger = open_private();
    const state_hash gone[] = {5, 77}, unknown[] = {99};
    static const state_hash four[] = {5, 6, 7, 8, 0}, last[] = {5, 6, 0}, other[] = {6, 7, 0};
    gint64 ids[] = {
        hold_set(ledger, "4A", 1, 9, four),   hold_set(ledger, "4B", 2, 9, last), hold_set(ledger, "4C", 3, 0, other),
        hold_set(ledger, "4D", 4, 77, other), hold_set(ledger, "4E", 5, 5, none),
    };
    unsigned count;
    claim(ledger, ids[1], LEDGER_RELEASE, true);
    finish(ledger, ids[1]);
    CHECK_DUE(ledger, "4B learn");

    DONE(ledger_forget(ledger, unknown, 1, &count, &error));
    g_assert_cmpuint(count, ==, 0);
    DONE(ledger_forget(ledger, gone, G_N_ELEMENTS(gone), &count, &error));
    g_assert_cmpuint(count, ==, 3);
    CHECK_KEPT(ledger, ids[0], "1 9 [8 6 7] 0 - -");
    CHECK_KEPT(ledger, ids[1], "2 0 [] 0 - -");
    CHECK_KEPT(ledger, ids[2], "3 0 [6 7] 0 - -");
    CHECK_KEPT(ledger, ids[3], "4 0 [] 0 - -");
    CHECK_DUE(ledger, "");
    DONE(ledger_forget(ledger, gone, G_N_ELEMENTS(gone), &count, &error));
    g_assert_cmpuint(count, ==, 0);
}

/* More rows than one step reads. */
static void test_forget_many(void)
{
    auto_free(ledger) ledger = open_private();
    static const state_hash many[] = {1, 2, 3, 0}, gone[] = {2};
    unsigned count;
    for (unsigned i = 0; i < 2001; i++) {
        g_autofree char *queue_id = g_strdup_printf("4A%u", i);
        hold_set(ledger, queue_id, 1, 0, many);
    }
    DONE(ledger_forget(ledger, gone, 1, &count, &error));
    g_assert_cmpuint(count, ==, 2001);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/remembered/round", test_round);
    g_test_add_func("/remembered/pruned", test_pruned);
    g_test_add_func("/remembered/group", test_group);
    g_test_add_func("/remembered/due", test_due);
    g_test_add_func("/remembered/abandoned", test_abandoned);
    g_test_add_func("/remembered/interrupted", test_interrupted);
    g_test_add_func("/remembered/left", test_left);
    g_test_add_func("/remembered/forget", test_forget);
    g_test_add_func("/remembered/forget-many", test_forget_many);
    return g_test_run();
}
