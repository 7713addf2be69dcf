/* test-ledger-time - what counts of the time since an announcement, and who is told that a delay has ended */

#include "milter/ledger/ledger_time.h"

#include "ledger_unit.h"

#define NOON   (G_GINT64_CONSTANT(1790000000) * G_USEC_PER_SEC)
#define SECOND G_TIME_SPAN_SECOND
#define MINUTE G_TIME_SPAN_MINUTE
#define HOUR   G_TIME_SPAN_HOUR
#define DAY    G_TIME_SPAN_DAY

/* A message on delay; the id of its row. */
static gint64 hold(struct ledger *ledger, const char *queue_id, gint64 when)
{
    struct ledger_message message = message_held_at(queue_id, when);
    message.author = (char *)"care@me.example";
    message.sent_by = (char *)"care";
    message.rule = (char *)"slow";
    message.terms = (struct action_terms){.release = RELEASE_AFTER, .release_after = 600};
    return hold_all(ledger, &(const struct ledger_hold){.message = &message, .notice = true});
}

static GArray *one(gint64 id)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof id);
    g_array_append_val(ids, id);
    return ids;
}

/* ---- announcements */

/* When a row was announced, after the agent ran at these times (a list that ends with 0). */
static gint64 announced(gint64 at, const gint64 *runs)
{
    struct ledger *ledger = open_private();
    struct ledger_agent agent;
    gint64 id = hold(ledger, "A", NOON - 10 * DAY);
    g_autoptr(GArray) ids = one(id);
    DONE(ledger_agent_run(ledger, NOON, &agent, &error));
    DONE(ledger_announced(ledger, ids, agent.steady, at, &error));
    for (unsigned i = 0; runs[i] != 0; i++)
        DONE(ledger_agent_run(ledger, runs[i], &agent, &error));
    auto_free(ledger_row) row = ledger_get(ledger, id, &error);
    gint64 result = row->announced < agent.steady ? 0 : row->announced;
    ledger_close(ledger);
    return result;
}

/* Only the time counts in which the agent ran. */
static void test_gaps(void)
{
    const struct {
        gint64 at;
        gint64 runs[4];
        gint64 want; /* 0: it does not count any more */
    } cases[] = {
        {NOON + 1, {NOON + MINUTE, NOON + 4 * MINUTE, 0}, NOON + 1},
        {NOON + 1, {NOON + HOUR, 0}, NOON + HOUR},
        {NOON, {NOON + MINUTE, NOON + 2 * HOUR, NOON + 2 * HOUR + MINUTE, 0}, NOON + 2 * HOUR - MINUTE},
        {NOON, {NOON + HOUR, NOON + 3 * HOUR, 0}, NOON + 3 * HOUR},
        {NOON, {NOON + DAY, 0}, NOON + DAY},
        {NOON, {NOON + DAY + 1, 0}, 0},
        {NOON, {NOON + 366 * DAY, 0}, 0},
        {NOON + 30 * MINUTE, {NOON + HOUR, 0}, NOON + HOUR},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(announced(cases[i].at, cases[i].runs), ==, cases[i].want);
}

/* What is over does not hide what comes. */
static void test_next(void)
{
    struct ledger *ledger = open_private();
    gint64 next;
    DONE(ledger_next_leaving(ledger, NOON, &next, &error));
    g_assert_cmpint(next, ==, 0);
    hold(ledger, "A", NOON - HOUR);
    DONE(ledger_next_leaving(ledger, NOON, &next, &error));
    g_assert_cmpint(next, ==, 0);
    hold(ledger, "B", NOON);
    hold(ledger, "C", NOON + SECOND);
    DONE(ledger_next_leaving(ledger, NOON, &next, &error));
    g_assert_cmpint(next, ==, NOON + 600 * SECOND);
    DONE(ledger_next_leaving(ledger, next, &next, &error));
    g_assert_cmpint(next, ==, NOON + 601 * SECOND);
    ledger_close(ledger);
}

/* ---- notices of delays that end */

static const struct ledger_trip trip = {(char *)"care", (char *)"split", NOON, 600};

static unsigned wanted(struct ledger *ledger)
{
    g_autoptr(GPtrArray) rows = ledger_notices(ledger, &error);
    g_assert_nonnull(rows);
    return rows->len;
}

static unsigned sent_since(struct ledger *ledger, gint64 since)
{
    unsigned count = 0;
    DONE(ledger_notices_sent(ledger, "care@me.example", since, &count, &error));
    return count;
}

/* The mail of before counts among those that the author had, and its codes stay good. */
static void test_told(void)
{
    struct ledger *ledger = open_private();
    gint64 id = hold(ledger, "A", NOON - MINUTE), at;
    g_autoptr(GArray) ids = one(id);
    DONE(ledger_notices_begin(ledger, ids, NOON - 30 * SECOND, &error));
    DONE(ledger_notices_end(ledger, ids, true, NOON - 30 * SECOND, &error));
    g_assert_cmpuint(wanted(ledger), ==, 0);
    DONE(ledger_end_delays(ledger, &trip, 0, &error));
    g_assert_cmpuint(wanted(ledger), ==, 1);
    g_assert_cmpuint(sent_since(ledger, NOON - MINUTE), ==, 1);
    DONE(ledger_notice_time(ledger, id, NOON, &at, &error));
    g_assert_cmpint(at, ==, NOON - 30 * SECOND);
    DONE(ledger_end_delays(ledger, &trip, 0, &error)); /* again: nothing is on delay any more */
    DONE(ledger_notices_begin(ledger, ids, NOON + MINUTE, &error));
    DONE(ledger_notices_end(ledger, ids, true, NOON + MINUTE, &error));
    g_assert_cmpuint(wanted(ledger), ==, 0);
    DONE(ledger_end_delays(ledger, &trip, 0, &error));
    g_assert_cmpuint(wanted(ledger), ==, 0);
    ledger_close(ledger);
}

/* The delay ends while the mail goes out that says when it is over: that mail does not end the matter, sent or not. */
static void test_while_it_is_told(void)
{
    for (unsigned sent = 0; sent < 2; sent++) {
        struct ledger *ledger = open_private();
        gint64 id = hold(ledger, "A", NOON - MINUTE);
        g_autoptr(GArray) ids = one(id);
        DONE(ledger_notices_begin(ledger, ids, NOON, &error));
        DONE(ledger_end_delays(ledger, &trip, 0, &error));
        DONE(ledger_notices_end(ledger, ids, sent == 1, NOON + SECOND, &error));
        g_assert_cmpuint(wanted(ledger), ==, 1);
        g_assert_cmpuint(sent_since(ledger, NOON - MINUTE), ==, 1);
        for (unsigned i = 0; i < LEDGER_NOTICE_TRIES; i++) {
            DONE(ledger_notices_begin(ledger, ids, NOON, &error));
            g_assert_cmpuint(ids->len, ==, 1);
        }
        ledger_close(ledger);
    }
}

/* Of another author, before the window, or the message itself: as they were. */
static void test_others(void)
{
    struct ledger *ledger = open_private();
    gint64 early = hold(ledger, "A", NOON - HOUR), itself = hold(ledger, "B", NOON - MINUTE);
    const struct ledger_trip other = {(char *)"bob", (char *)"split", NOON, 600};
    g_autoptr(GArray) ids = one(early);
    g_array_append_val(ids, itself);
    DONE(ledger_notices_begin(ledger, ids, NOON, &error));
    DONE(ledger_notices_end(ledger, ids, true, NOON, &error));
    DONE(ledger_end_delays(ledger, &other, 0, &error));
    DONE(ledger_end_delays(ledger, &trip, itself, &error));
    g_assert_cmpuint(wanted(ledger), ==, 0);
    ledger_close(ledger);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ledger-time/gaps", test_gaps);
    g_test_add_func("/ledger-time/next", test_next);
    g_test_add_func("/ledger-time/told", test_told);
    g_test_add_func("/ledger-time/while-it-is-told", test_while_it_is_told);
    g_test_add_func("/ledger-time/others", test_others);
    return g_test_run();
}
