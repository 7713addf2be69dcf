/* test-ledger-hours - when messages were held and decided, by hour and by quarter of an hour */

#include "milter/ledger/ledger_hours.h"

#include "ledger_unit.h"

#define SECOND G_TIME_SPAN_SECOND
#define HOUR   G_TIME_SPAN_HOUR
#define NOON   (G_GINT64_CONSTANT(497222) * HOUR) /* a whole hour */

static const struct ledger_person ann = {"ann", 1001};
/* Holds a message at a time; the id of its row. */
static gint64 hold(struct ledger *ledger, const char *queue_id, gint64 when)
{
    struct ledger_message message = message_held_at(queue_id, when);
    message.began = when - 2 * HOUR; /* it does not count */
    message.author = (char *)"care@me.example";
    message.sent_by = (char *)"care";
    message.terms = (struct action_terms){.release = RELEASE_AFTER, .release_after = 600};
    return hold_all(ledger, &(const struct ledger_hold){.message = &message});
}

static void claim(struct ledger *ledger, gint64 id, enum ledger_action action, enum ledger_way way, gint64 now)
{
    const bool time = way == LEDGER_BY_EXPIRY || way == LEDGER_BY_DELAY;
    const struct ledger_person nobody = {NULL, 0};
    const struct ledger_act act = {.id = id, .now = now, .person = time ? &nobody : &ann, .way = way};
    DONE(ledger_claim(ledger, action, &act, NULL, &error));
}

/* It is under way for an hour before it is done. */
static void decide(struct ledger *ledger, gint64 id, enum ledger_action action, enum ledger_way way, gint64 done)
{
    claim(ledger, id, action, way, done - HOUR);
    DONE(ledger_finish(ledger, id, NULL, NULL, done, NULL, &error));
}

/* "start: held released returned deleted expired" with the start in seconds after noon. */
static char *hours_of(struct ledger *ledger, gint64 since, gint64 length)
{
    g_autoptr(GArray) hours = ledger_hours(ledger, since, length, &error);
    GString *out = g_string_new(NULL);
    g_assert_nonnull(hours);
    for (guint i = 0; i < hours->len; i++) {
        const struct ledger_hour *hour = &g_array_index(hours, struct ledger_hour, i);
        g_string_append_printf(out, "%s%" G_GINT64_FORMAT ": %u", i > 0 ? ", " : "", (hour->start - NOON) / SECOND,
                               hour->held);
        for (unsigned j = 0; j < LEDGER_OUTCOMES; j++)
            g_string_append_printf(out, " %u", hour->outcomes[j]);
    }
    return g_string_free(out, FALSE);
}

#define CHECK_HOURS(ledger, since, length, wanted)                                                                     \
    do {                                                                                                               \
        g_autofree char *hours_text = hours_of(ledger, since, length);                                                 \
        g_assert_cmpstr(hours_text, ==, wanted);                                                                       \
    } while (0)

static void test_empty(void)
{
    auto_free(ledger) ledger = open_private();
    CHECK_HOURS(ledger, 0, HOUR, "");
    CHECK_HOURS(ledger, NOON, HOUR / 4, "");
}

/* The first microsecond of an hour is in it, the last of the one before is not. */
static void test_bounds(void)
{
    auto_free(ledger) ledger = open_private();
    hold(ledger, "4A", NOON - 1);
    hold(ledger, "4B", NOON);
    hold(ledger, "4C", NOON + HOUR / 4 - 1);
    hold(ledger, "4D", NOON + HOUR / 4);
    hold(ledger, "4E", NOON + HOUR - 1);
    CHECK_HOURS(ledger, 0, HOUR, "-3600: 1 0 0 0 0, 0: 4 0 0 0 0");
    CHECK_HOURS(ledger, 0, HOUR / 4, "-900: 1 0 0 0 0, 0: 2 0 0 0 0, 900: 1 0 0 0 0, 2700: 1 0 0 0 0");
    /* From the start of the hour that the time is in. */
    CHECK_HOURS(ledger, NOON + HOUR - 1, HOUR, "0: 4 0 0 0 0");
    CHECK_HOURS(ledger, NOON + HOUR / 4 + 1, HOUR / 4, "900: 1 0 0 0 0, 2700: 1 0 0 0 0");
    CHECK_HOURS(ledger, NOON + HOUR, HOUR, "");
    CHECK_HOURS(ledger, NOON - 1, HOUR, "-3600: 1 0 0 0 0, 0: 4 0 0 0 0");
}

/* A decision counts where it was carried out, whoever made it; what expired is neither returned nor deleted. */
static void test_outcomes(void)
{
    static const struct {
        enum ledger_action action;
        enum ledger_way way;
        const char *wanted;
    } cases[] = {{LEDGER_RELEASE, LEDGER_BY_COMMAND, "0: 1 0 0 0 0, 10800: 0 1 0 0 0"},
                 {LEDGER_RELEASE, LEDGER_BY_AUTHOR, "0: 1 0 0 0 0, 10800: 0 1 0 0 0"},
                 {LEDGER_RELEASE, LEDGER_BY_DELAY, "0: 1 0 0 0 0, 10800: 0 1 0 0 0"},
                 {LEDGER_RETURN, LEDGER_BY_COMMAND, "0: 1 0 0 0 0, 10800: 0 0 1 0 0"},
                 {LEDGER_RETURN, LEDGER_BY_AUTHOR, "0: 1 0 0 0 0, 10800: 0 0 1 0 0"},
                 {LEDGER_RETURN, LEDGER_BY_REVIEWER, "0: 1 0 0 0 0, 10800: 0 0 1 0 0"},
                 {LEDGER_RETURN, LEDGER_BY_EXPIRY, "0: 1 0 0 0 0, 10800: 0 0 0 0 1"},
                 {LEDGER_DELETE, LEDGER_BY_COMMAND, "0: 1 0 0 0 0, 10800: 0 0 0 1 0"},
                 {LEDGER_DELETE, LEDGER_BY_EXPIRY, "0: 1 0 0 0 0, 10800: 0 0 0 0 1"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(ledger) ledger = open_private();
        gint64 id = hold(ledger, "4A", NOON);
        decide(ledger, id, cases[i].action, cases[i].way, NOON + 3 * HOUR);
        CHECK_HOURS(ledger, 0, HOUR, cases[i].wanted);
    }
}

/* Approvals, decisions that came to nothing, and those that are still under way are no outcome. */
static void test_not_decided(void)
{
    auto_free(ledger) ledger = open_private();
    gint64 approved = hold(ledger, "4A", NOON), abandoned = hold(ledger, "4B", NOON),
           claimed = hold(ledger, "4C", NOON);
    const struct ledger_act act = {.id = approved, .now = NOON + SECOND, .person = &ann, .way = LEDGER_BY_COMMAND};
    DONE(ledger_approve(ledger, &act, NULL, &error));
    claim(ledger, abandoned, LEDGER_RELEASE, LEDGER_BY_COMMAND, NOON + SECOND);
    DONE(ledger_abandon(ledger, abandoned, "no disk", NOON + 2 * SECOND, NULL, &error));
    claim(ledger, claimed, LEDGER_RETURN, LEDGER_BY_EXPIRY, NOON + SECOND);
    CHECK_HOURS(ledger, 0, HOUR, "0: 3 0 0 0 0");
}

/* Held and decided in one hour is one hour; each outcome is added up. */
static void test_together(void)
{
    auto_free(ledger) ledger = open_private();
    for (unsigned i = 0; i < 12; i++) {
        g_autofree char *queue_id = g_strdup_printf("4A%u", i);
        gint64 id = hold(ledger, queue_id, NOON + i * SECOND);
        enum ledger_action action = i < 3 ? LEDGER_RELEASE : i < 5 ? LEDGER_RETURN : LEDGER_DELETE;
        decide(ledger, id, action, i < 9 ? LEDGER_BY_COMMAND : LEDGER_BY_EXPIRY, NOON + HOUR / 4 + i);
    }
    CHECK_HOURS(ledger, 0, HOUR, "0: 12 3 2 4 3");
    CHECK_HOURS(ledger, 0, HOUR / 4, "0: 12 0 0 0 0, 900: 0 3 2 4 3");
}

/* What the ledger no longer keeps is not counted. */
static void test_pruned(void)
{
    auto_free(ledger) ledger = open_private();
    unsigned removed;
    decide(ledger, hold(ledger, "4A", NOON), LEDGER_RELEASE, LEDGER_BY_COMMAND, NOON + SECOND);
    hold(ledger, "4B", NOON);
    DONE(ledger_prune(ledger, NOON + HOUR, "", &removed, &error));
    g_assert_cmpuint(removed, ==, 1);
    CHECK_HOURS(ledger, 0, HOUR, "0: 1 0 0 0 0");
}

static void test_names(void)
{
    static const char *const names[] = {"released", "returned", "deleted", "expired"};
    for (unsigned i = 0; i < LEDGER_OUTCOMES; i++)
        g_assert_cmpstr(ledger_outcome_name((enum ledger_outcome)i), ==, names[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ledger-hours/empty", test_empty);
    g_test_add_func("/ledger-hours/bounds", test_bounds);
    g_test_add_func("/ledger-hours/outcomes", test_outcomes);
    g_test_add_func("/ledger-hours/not-decided", test_not_decided);
    g_test_add_func("/ledger-hours/together", test_together);
    g_test_add_func("/ledger-hours/pruned", test_pruned);
    g_test_add_func("/ledger-hours/names", test_names);
    return g_test_run();
}
