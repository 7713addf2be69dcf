/* test-ledger - what is kept of held messages, what becomes of them, and two at a time */

#include "milter/ledger/schema.h"
#include "policy/engine/kept_policy.h"

#include "ledger_unit.h"

#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#define SECOND G_USEC_PER_SEC
#define HOUR   G_TIME_SPAN_HOUR
#define DAY    G_TIME_SPAN_DAY
#define NOON   (G_GINT64_CONSTANT(1790000000) * SECOND)

static const struct ledger_person ann = {"ann", 1001}, bob = {"bob", 1002}, eve = {"eve", 1003};

/* ---- a ledger in a folder */

struct place {
    char *folder;
    char *path;
    struct ledger *ledger;
};

static struct place place_new(void)
{
    struct place place;
    place.folder = folder_new();
    g_assert_cmpint(chmod(place.folder, 0700), ==, 0);
    place.path = g_build_filename(place.folder, "ledger.db", NULL);
    place.ledger = ledger_at(place.path, DATABASE_CREATE);
    return place;
}

static void place_clear(struct place *place)
{
    ledger_close(place->ledger);
    folder_free(place->folder);
    g_free(place->path);
}

static const struct ledger_message plain = {
    .queue_id = (char *)"4XyZ1",
    .mta = MTA_POSTFIX,
    .began = NOON,
    .judged = NOON + SECOND,
    .message_id = (char *)"17@me.example",
    .sender = (char *)"care@me.example",
    .user = (char *)"care",
    .client = (char *)"10.1.2.3",
    .subject = (char *)"Gr\303\274\303\237e",
    .rule = (char *)"wide-cc",
    .line = 12,
    .text = (char *)"wide Cc: 62 addresses",
    .policy = (char *)"3f9a1c2b7d10aaaa",
    .counts.visible = 62,
    .counts.parties = 41,
    .counts.domains = 17,
    .counts.internal = 3,
    .counts.hidden = 5,
    .counts.recipients = 70,
    .counts.defects = 3,
    .approvals = 1,
    .author = (char *)"care@me.example",
};

static struct ledger_party some_parties[] = {
    {(char *)"internal", (char *)"me.example", false, 30, 1},
    {(char *)"other", (char *)"acme.example", false, 2, 1},
    {(char *)"freemail", (char *)"free1.example", true, 9, 9},
    {(char *)"other", NULL, false, 40, 38},
};

static int try_hold(struct ledger *ledger, const struct ledger_message *message, bool notice,
                    struct database_error *why)
{
    g_autoptr(GPtrArray) parties = g_ptr_array_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(some_parties); i++)
        g_ptr_array_add(parties, &some_parties[i]);
    struct ledger_hold kept = {message, parties, "version 1\n", notice, NULL, NULL, NULL, 0};
    return ledger_hold(ledger, &kept, why);
}

/* Holds a message that differs from the plain one in these; gives the id of its row. */
static gint64 hold_as(struct ledger *ledger, const char *queue_id, gint64 judged, const char *sender, const char *rule)
{
    struct ledger_message message = plain;
    message.queue_id = (char *)queue_id;
    message.began = judged - SECOND;
    message.judged = judged;
    message.sender = (char *)sender;
    message.rule = (char *)rule;
    DONE(try_hold(ledger, &message, true, &error));
    g_autoptr(GPtrArray) rows = ledger_find(ledger, queue_id, &error);
    return ((struct ledger_row *)g_ptr_array_index(rows, 0))->id;
}

static gint64 hold(struct ledger *ledger, const char *queue_id)
{
    return hold_as(ledger, queue_id, NOON, "care@me.example", "wide-cc");
}

static struct ledger_row *get(struct ledger *ledger, gint64 id)
{
    struct ledger_row *row = ledger_get(ledger, id, &error);
    if (row == NULL)
        g_error("row %" G_GINT64_FORMAT ": %s", id, error.text);
    return row;
}

static enum ledger_state state_of(struct ledger *ledger, gint64 id)
{
    auto_free(ledger_row) row = get(ledger, id);
    return row->state;
}

static void see(struct ledger *ledger, gint64 id, enum ledger_state state, gint64 arrival)
{
    g_autoptr(GArray) sights = g_array_new(FALSE, FALSE, sizeof(struct ledger_sight));
    struct ledger_sight sight = {id, state, arrival, 0, NULL, NULL};
    g_array_append_val(sights, sight);
    DONE(ledger_sighted(ledger, sights, NOON + HOUR, &error));
}

/* The history of a row as "who action reason detail", one a line. */
static char *history_of(struct ledger *ledger, gint64 id)
{
    g_autoptr(GPtrArray) events = ledger_history(ledger, id, 0, &error);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < events->len; i++) {
        const struct ledger_event *event = g_ptr_array_index(events, i);
        g_string_append_printf(text, "%s%s %s %s %s", i == 0 ? "" : "\n", event->who == NULL ? "-" : event->who,
                               event->action, event->reason == NULL ? "-" : event->reason,
                               event->detail == NULL ? "-" : event->detail);
    }
    return g_string_free(text, FALSE);
}

#define ASSERT_HISTORY(ledger, id, want)                                                                               \
    do {                                                                                                               \
        g_autofree char *history = history_of(ledger, id);                                                             \
        g_assert_cmpstr(history, ==, want);                                                                            \
    } while (0)

/* ---- what is kept */

static void test_round(void)
{
    struct place place = place_new();
    DONE(try_hold(place.ledger, &plain, true, &error));
    g_autoptr(GPtrArray) rows = ledger_find(place.ledger, "4XyZ1", &error);
    g_assert_cmpuint(rows->len, ==, 1);
    const struct ledger_row *row = g_ptr_array_index(rows, 0);
    const struct ledger_message *got = &row->message;
    const char *const strings[][2] = {
        {got->queue_id, plain.queue_id}, {got->message_id, plain.message_id},
        {got->sender, plain.sender},     {got->user, plain.user},
        {got->client, plain.client},     {got->subject, plain.subject},
        {got->rule, plain.rule},         {got->text, plain.text},
        {got->policy, plain.policy},     {got->author, plain.author},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(strings); i++)
        g_assert_cmpstr(strings[i][0], ==, strings[i][1]);
    const gint64 numbers[][2] = {
        {got->mta, plain.mta},
        {got->began, plain.began},
        {got->judged, plain.judged},
        {got->line, plain.line},
        {got->counts.visible, plain.counts.visible},
        {got->counts.parties, plain.counts.parties},
        {got->counts.domains, plain.counts.domains},
        {got->counts.internal, plain.counts.internal},
        {got->counts.hidden, plain.counts.hidden},
        {got->counts.defects, plain.counts.defects},
        {got->approvals, plain.approvals},
        {got->counts.recipients, plain.counts.recipients},
        {row->state, LEDGER_PENDING},
        {row->changed, plain.judged},
        {row->arrival, 0},
        {row->since, 0},
        {row->granted, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++)
        g_assert_cmpint(numbers[i][0], ==, numbers[i][1]);
    g_assert_null(row->who);
    ASSERT_HISTORY(place.ledger, row->id, "");
    place_clear(&place);
}

/* What a stranger left out, or put in. */
static void test_strange(void)
{
    struct place place = place_new();
    const struct ledger_message bare = {.queue_id = (char *)"'; DROP TABLE held; --",
                                        .mta = MTA_SENDMAIL,
                                        .sender = (char *)"",
                                        .subject = (char *)"\033[2J\n\001%s\342\200\256",
                                        .rule = (char *)"default",
                                        .policy = (char *)"0123456789ab"};
    DONE(try_hold(place.ledger, &bare, true, &error));
    g_autoptr(GPtrArray) rows = ledger_find(place.ledger, bare.queue_id, &error);
    g_assert_cmpuint(rows->len, ==, 1);
    const struct ledger_row *row = g_ptr_array_index(rows, 0);
    g_assert_cmpint(row->message.mta, ==, MTA_SENDMAIL);
    g_assert_cmpstr(row->message.subject, ==, bare.subject);
    g_assert_cmpstr(row->message.sender, ==, "");
    g_assert_null(row->message.user);
    g_assert_null(row->message.author);
    g_assert_cmpuint(row->message.approvals, ==, 1);
    place_clear(&place);
}

/* What a message shows beside its recipient headers comes back as it was; without a question nothing. */
static void test_inside(void)
{
    struct place place = place_new();
    struct ledger_message message = plain;
    const struct kept_inside kept[] = {{g_strdup("visible(external) inside calendar"), 45},
                                       {g_strdup("parties(external) inside header(\"X-To\")"), 0}};
    g_autoptr(GPtrArray) parties = g_ptr_array_new();
    g_autoptr(GArray) inside = kept_inside_new();
    g_array_append_vals(inside, kept, G_N_ELEMENTS(kept));
    message.inside = (struct inside_counts){
        .asked = INSIDE_READ, .places = {[0] = {45, 43}, [INSIDE_HEADER] = {2, 1}}, .opaque = OPAQUE_TYPES};
    const struct ledger_hold held = {.message = &message, .parties = parties, .policy_text = "v", .inside = inside};
    DONE(ledger_hold(place.ledger, &held, &error));
    g_autoptr(GPtrArray) rows = ledger_find(place.ledger, plain.queue_id, &error);
    const struct ledger_row *row = g_ptr_array_index(rows, 0);
    g_assert_cmpmem(&row->message.inside, sizeof message.inside, &message.inside, sizeof message.inside);
    g_autoptr(GArray) got = ledger_inside(place.ledger, row->id, &error);
    g_assert_cmpuint(got->len, ==, G_N_ELEMENTS(kept));
    for (unsigned i = 0; i < got->len; i++) {
        g_assert_cmpstr(g_array_index(got, struct kept_inside, i).test, ==, kept[i].test);
        g_assert_cmpuint(g_array_index(got, struct kept_inside, i).value, ==, kept[i].value);
    }

    gint64 other = hold(place.ledger, "A1");
    auto_free(ledger_row) without = get(place.ledger, other);
    g_assert_cmpint(without->message.inside.asked, ==, INSIDE_NOT_ASKED);
    g_autoptr(GArray) nothing = ledger_inside(place.ledger, other, &error);
    g_assert_cmpuint(nothing->len, ==, 0);
    place_clear(&place);
}

/* External classes first, the largest first, what has no name last. */
static void test_parties(void)
{
    struct place place = place_new();
    gint64 id = hold(place.ledger, "A1");
    g_autoptr(GPtrArray) parties = ledger_parties(place.ledger, id, &error);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < parties->len; i++) {
        const struct ledger_party *party = g_ptr_array_index(parties, i);
        g_string_append_printf(text, "%s %s %d %u %u;", party->class_name, party->name == NULL ? "-" : party->name,
                               party->individuals, party->people, party->parties);
    }
    g_assert_cmpstr(
        text->str, ==,
        "freemail free1.example 1 9 9;other acme.example 0 2 1;other - 0 40 38;internal me.example 0 30 1;");
    place_clear(&place);
}

static void test_policies(void)
{
    struct place place = place_new();
    hold(place.ledger, "A1");
    DONE(ledger_keep_policy(place.ledger, "ffff0000ffff0000", "another\n", NOON, &error));
    g_autofree char *whole = ledger_policy_text(place.ledger, plain.policy, &error);
    g_autofree char *start = ledger_policy_text(place.ledger, "ffff0000ffff", &error);
    g_assert_cmpstr(whole, ==, "version 1\n");
    g_assert_cmpstr(start, ==, "another\n");
    const char *const none[] = {"ffff0000fff", "", "%", "eeee0000eeee0000", "ffff0000ffff00001"};
    for (unsigned i = 0; i < G_N_ELEMENTS(none); i++) {
        g_assert_null(ledger_policy_text(place.ledger, none[i], &error));
        g_assert_cmpint(error.failure, ==, DATABASE_NONE);
    }
    place_clear(&place);
}

/* ---- reading */

/* The queue ids that a filter takes, with blanks. */
static char *listed(struct ledger *ledger, struct ledger_filter filter)
{
    g_autoptr(GPtrArray) rows = ledger_list(ledger, &filter, &error);
    GString *ids = g_string_new(NULL);
    if (rows == NULL)
        g_error("%s", error.text);
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index(rows, i);
        g_string_append_printf(ids, "%s%s", i == 0 ? "" : " ", row->message.queue_id);
    }
    unsigned count;
    gint64 oldest;
    DONE(ledger_count(ledger, &filter, &count, &oldest, &error));
    if (filter.limit == 0)
        g_assert_cmpuint(count, ==, rows->len);
    return g_string_free(ids, FALSE);
}

#define ASSERT_LISTED(want, ...)                                                                                       \
    do {                                                                                                               \
        g_autofree char *got = listed(place.ledger, (struct ledger_filter){__VA_ARGS__});                              \
        g_assert_cmpstr(got, ==, want);                                                                                \
    } while (0)

static void test_filters(void)
{
    struct place place = place_new();
    gint64 first = hold_as(place.ledger, "A1", NOON, "care@me.example", "wide-cc");
    hold_as(place.ledger, "A2", NOON + HOUR, "CARE@me.EXAMPLE", "clinic");
    hold_as(place.ledger, "A3", NOON + DAY, "", "wide-cc");
    hold_as(place.ledger, "A4", NOON + DAY, "ann@notme.example", "wide");
    see(place.ledger, first, LEDGER_HELD, NOON);

    ASSERT_LISTED("A4 A3 A2 A1", .limit = 0);
    ASSERT_LISTED("A1 A2 A3 A4", .oldest_first = true);
    ASSERT_LISTED("A4 A3", .limit = 2);
    ASSERT_LISTED("A2 A1", .sender = "care@ME.example");
    ASSERT_LISTED("A2 A1", .sender = "@me.example");
    ASSERT_LISTED("A3", .sender = "");
    ASSERT_LISTED("", .sender = "are@me.example");
    ASSERT_LISTED("", .sender = "%");
    ASSERT_LISTED("A4", .rule = "wide");
    ASSERT_LISTED("A2 A1", .until = NOON + DAY);
    ASSERT_LISTED("A4 A3 A2", .since = NOON + HOUR);
    ASSERT_LISTED("A2", .since = NOON + HOUR, .until = NOON + HOUR + 1);
    ASSERT_LISTED("A1", .states = LEDGER_BIT(LEDGER_HELD));
    ASSERT_LISTED("A4 A3 A2 A1", .states = LEDGER_OPEN);
    ASSERT_LISTED("", .states = LEDGER_CLOSED);
    ASSERT_LISTED("A1", .rule = "wide-cc", .sender = "@me.example", .states = LEDGER_WAITING);

    unsigned count;
    gint64 oldest;
    DONE(ledger_count(place.ledger, &(struct ledger_filter){.rule = "clinic"}, &count, &oldest, &error));
    g_assert_cmpint(oldest, ==, NOON + HOUR);
    DONE(ledger_count(place.ledger, &(struct ledger_filter){.rule = "none"}, &count, &oldest, &error));
    g_assert_cmpint(oldest, ==, 0);
    place_clear(&place);
}

/* One that leaves by itself after ten seconds; a window of a minute holds it if it is not 0. */
static gint64 hold_delayed(struct ledger *ledger, const char *queue_id, gint64 judged, const char *sent_by,
                           unsigned window)
{
    struct ledger_message message = plain;
    message.queue_id = (char *)queue_id;
    message.judged = judged;
    message.sent_by = (char *)sent_by;
    message.terms = (struct action_terms){.release = RELEASE_AFTER, .release_after = 10};
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    const struct ledger_hold kept = {
        .message = &message, .parties = none, .policy_text = "version 1\n", .window = window};
    DONE(ledger_hold(ledger, &kept, &error));
    g_autoptr(GPtrArray) rows = ledger_find(ledger, queue_id, &error);
    return ((struct ledger_row *)g_ptr_array_index(rows, 0))->id;
}

/* The time claims nothing whose delay is not over, or was ended by a window that held another message. */
static void test_delay(void)
{
    struct place place = place_new();
    const struct ledger_person nobody = {NULL, 0};
    gint64 old = hold_delayed(place.ledger, "A1", NOON - 61 * SECOND, "login:ann", 0);
    gint64 first = hold_delayed(place.ledger, "A2", NOON, "login:ann", 0);
    gint64 other = hold_delayed(place.ledger, "A3", NOON, "login:bob", 0);
    struct ledger_act act = {
        .id = first, .now = NOON + 9 * SECOND, .person = &nobody, .way = LEDGER_BY_DELAY, .needed = 1};
    g_assert_cmpint(ledger_claim(place.ledger, LEDGER_RELEASE, &act, NULL, &error), ==, LEDGER_STOPPED);
    gint64 last = hold_delayed(place.ledger, "A4", NOON + 5 * SECOND, "login:ann", 60);

    auto_free(ledger_row) ended = get(place.ledger, first);
    g_assert_cmpint(ended->leaves, ==, 0);
    g_assert_cmpstr(ended->stopped, ==, "wide-cc");
    act.now = NOON + 20 * SECOND;
    g_assert_cmpint(ledger_claim(place.ledger, LEDGER_RELEASE, &act, NULL, &error), ==, LEDGER_STOPPED);
    const gint64 others[] = {old, other, last};
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        act.id = others[i];
        g_assert_cmpint(ledger_claim(place.ledger, LEDGER_RELEASE, &act, NULL, &error), ==, LEDGER_DONE);
    }
    place_clear(&place);
}

/* Short queue ids come again: each has its row, the newest first; an id that a release gave leads to its row. */
static void test_reused(void)
{
    struct place place = place_new();
    gint64 old = hold_as(place.ledger, "A1", NOON, "care@me.example", "wide-cc");
    gint64 new = hold_as(place.ledger, "A1", NOON + DAY, "ann@me.example", "wide-cc");
    g_assert_cmpint(old, !=, new);
    see(place.ledger, new, LEDGER_HELD, NOON + DAY);
    g_assert_cmpint(state_of(place.ledger, old), ==, LEDGER_PENDING);

    DONE(ledger_claim(place.ledger, LEDGER_RELEASE,
                      &(struct ledger_act){.id = old, .now = NOON, .person = &ann, .needed = 1}, NULL, &error));
    DONE(ledger_finish(place.ledger, old, "B7", NULL, NOON, NULL, &error));
    g_autoptr(GPtrArray) rows = ledger_find(place.ledger, "A1", &error);
    g_assert_cmpuint(rows->len, ==, 2);
    g_assert_cmpint(((struct ledger_row *)g_ptr_array_index(rows, 0))->id, ==, new);
    g_autoptr(GPtrArray) moved = ledger_find(place.ledger, "B7", &error);
    g_assert_cmpuint(moved->len, ==, 1);
    g_assert_cmpint(((struct ledger_row *)g_ptr_array_index(moved, 0))->id, ==, old);
    g_autoptr(GPtrArray) none = ledger_find(place.ledger, "A", &error);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_null(ledger_get(place.ledger, 999, &error));
    g_assert_cmpint(error.failure, ==, DATABASE_NONE);
    place_clear(&place);
}

/* ---- following the queue */

static void test_sights(void)
{
    static const struct {
        enum ledger_state from, seen, want;
        const char *history;
    } cases[] = {
        {LEDGER_PENDING, LEDGER_HELD, LEDGER_HELD, ""},
        {LEDGER_PENDING, LEDGER_LEFT, LEDGER_LEFT, "- left - it was never seen on hold"},
        {LEDGER_HELD, LEDGER_HELD, LEDGER_HELD, ""},
        {LEDGER_HELD, LEDGER_LEFT, LEDGER_LEFT, "- left - -"},
        {LEDGER_LEFT, LEDGER_HELD, LEDGER_HELD,
         "- left - it was never seen on hold\n- held - it is in the queue after all"},
        {LEDGER_LEFT, LEDGER_LEFT, LEDGER_LEFT, "- left - it was never seen on hold"},
    };
    struct place place = place_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 id = hold(place.ledger, "A1");
        if (cases[i].from != LEDGER_PENDING)
            see(place.ledger, id, cases[i].from, NOON);
        see(place.ledger, id, cases[i].seen, NOON + 1);
        g_test_message("%s seen as %s", ledger_state_name(cases[i].from), ledger_state_name(cases[i].seen));
        g_assert_cmpint(state_of(place.ledger, id), ==, cases[i].want);
        ASSERT_HISTORY(place.ledger, id, cases[i].history);
    }
    see(place.ledger, 999, LEDGER_HELD, NOON); /* pruned meanwhile */
    place_clear(&place);
}

/* What a reviewer is at, or has decided, does not change by what is seen. */
static void test_sight_of_decided(void)
{
    struct place place = place_new();
    gint64 id = hold(place.ledger, "A1");
    DONE(ledger_claim(place.ledger, LEDGER_DELETE,
                      &(struct ledger_act){.id = id, .now = NOON, .person = &ann, .reason = "spam", .needed = 1}, NULL,
                      &error));
    see(place.ledger, id, LEDGER_LEFT, 0);
    see(place.ledger, id, LEDGER_HELD, NOON);
    g_assert_cmpint(state_of(place.ledger, id), ==, LEDGER_DELETING);
    DONE(ledger_finish(place.ledger, id, NULL, NULL, NOON, NULL, &error));
    see(place.ledger, id, LEDGER_LEFT, 0);
    see(place.ledger, id, LEDGER_HELD, NOON);
    g_assert_cmpint(state_of(place.ledger, id), ==, LEDGER_DELETED);
    place_clear(&place);
}

/* 10,000 rows are followed in one transaction, and listed, well below a second. */
static void test_many(void)
{
    struct place place = place_new();
    g_autoptr(GArray) sights = g_array_new(FALSE, FALSE, sizeof(struct ledger_sight));
    const unsigned many = UNIT_SANITIZED ? 1000 : 10000;
    for (unsigned i = 0; i < many; i++) {
        g_autofree char *queue_id = g_strdup_printf("Q%u", i);
        struct ledger_message message = plain;
        message.queue_id = queue_id;
        DONE(try_hold(place.ledger, &message, false, &error));
        struct ledger_sight sight = {i + 1, LEDGER_HELD, NOON, 0, NULL, NULL};
        g_array_append_val(sights, sight);
    }
    /* By the time of the processor, of which others leave us an unknown share. */
    clock_t start = clock();
    DONE(ledger_sighted(place.ledger, sights, NOON, &error));
    clock_t followed = clock();
    g_autoptr(GPtrArray) rows = ledger_list(place.ledger, &(struct ledger_filter){.states = LEDGER_OPEN}, &error);
    clock_t end = clock();
    g_assert_cmpuint(rows->len, ==, many);
    g_test_message("%u rows: followed in %.0f ms, listed in %.0f ms", many,
                   1e3 * (double)(followed - start) / CLOCKS_PER_SEC, 1e3 * (double)(end - followed) / CLOCKS_PER_SEC);
    g_assert_cmpint(end - start, <, CLOCKS_PER_SEC);
    for (guint i = 0; i < rows->len; i++)
        g_assert_cmpint(((struct ledger_row *)g_ptr_array_index(rows, i))->state, ==, LEDGER_HELD);
    place_clear(&place);
}

/* ---- deciding */

static void test_decisions(void)
{
    static const struct {
        enum ledger_action action;
        const char *name, *requeued, *detail, *history;
        enum ledger_state claimed, done;
    } cases[] = {
        {LEDGER_RELEASE, "release", "B1", NULL, "ann release fine as B1", LEDGER_RELEASING, LEDGER_RELEASED},
        {LEDGER_RETURN, "return", NULL, "told", "ann return fine told", LEDGER_RETURNING, LEDGER_RETURNED},
        {LEDGER_DELETE, "delete", NULL, NULL, "ann delete fine -", LEDGER_DELETING, LEDGER_DELETED},
    };
    struct place place = place_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        auto_free(ledger_row) claimed = NULL;
        auto_free(ledger_row) done = NULL;
        auto_free(ledger_row) late = NULL;
        gint64 id = hold(place.ledger, "A1");
        g_assert_cmpstr(ledger_action_name(cases[i].action), ==, cases[i].name);
        DONE(
            ledger_claim(place.ledger, cases[i].action,
                         &(struct ledger_act){.id = id, .now = NOON + 1, .person = &ann, .reason = "fine", .needed = 1},
                         &claimed, &error));
        g_assert_cmpint(claimed->state, ==, cases[i].claimed);
        g_assert_cmpint(claimed->process, ==, getpid());
        g_assert_cmpint(claimed->since, ==, NOON + 1);
        ASSERT_HISTORY(place.ledger, id, "");
        DONE(ledger_finish(place.ledger, id, cases[i].requeued, cases[i].detail, NOON + 2, &done, &error));
        g_assert_cmpint(done->state, ==, cases[i].done);
        g_assert_cmpstr(done->who, ==, "ann");
        g_assert_cmpuint(done->uid, ==, 1001);
        g_assert_cmpint(done->since, ==, NOON + 2);
        g_assert_cmpstr(done->reason, ==, "fine");
        g_assert_cmpstr(done->requeued, ==, cases[i].requeued);
        g_assert_cmpint(done->process, ==, 0);
        ASSERT_HISTORY(place.ledger, id, cases[i].history);
        /* Whoever comes behind is told by whom and when, and changes nothing. */
        g_assert_cmpint(ledger_claim(place.ledger, LEDGER_DELETE,
                                     &(struct ledger_act){.id = id, .now = NOON + 3, .person = &bob, .needed = 1},
                                     &late, &error),
                        ==, LEDGER_NOT_WAITING);
        g_assert_cmpint(late->state, ==, cases[i].done);
        g_assert_cmpstr(late->who, ==, "ann");
        g_assert_cmpint(ledger_finish(place.ledger, id, NULL, NULL, NOON, NULL, &error), ==, LEDGER_NOT_WAITING);
        g_assert_cmpint(ledger_abandon(place.ledger, id, NULL, NOON, NULL, &error), ==, LEDGER_NOT_WAITING);
        g_assert_cmpint(
            ledger_approve(place.ledger, &(struct ledger_act){.id = id, .now = NOON, .person = &bob}, NULL, &error), ==,
            LEDGER_NOT_WAITING);
        ASSERT_HISTORY(place.ledger, id, cases[i].history);
    }
    place_clear(&place);
}

/* Who claims first has it; then it is given back, and the next may. */
static void test_claimed(void)
{
    struct place place = place_new();
    auto_free(ledger_row) taken = NULL;
    auto_free(ledger_row) back = NULL;
    gint64 id = hold(place.ledger, "A1");
    see(place.ledger, id, LEDGER_HELD, NOON);
    DONE(ledger_claim(place.ledger, LEDGER_RELEASE,
                      &(struct ledger_act){.id = id, .now = NOON + 5, .person = &ann, .needed = 1}, NULL, &error));
    g_assert_cmpint(ledger_claim(place.ledger, LEDGER_DELETE,
                                 &(struct ledger_act){.id = id, .now = NOON, .person = &bob, .needed = 1}, &taken,
                                 &error),
                    ==, LEDGER_TAKEN);
    g_assert_cmpstr(taken->who, ==, "ann");
    g_assert_cmpint(taken->since, ==, NOON + 5);
    g_assert_cmpint(taken->state, ==, LEDGER_RELEASING);
    g_assert_cmpint(
        ledger_approve(place.ledger, &(struct ledger_act){.id = id, .now = NOON, .person = &bob}, NULL, &error), ==,
        LEDGER_TAKEN);
    DONE(ledger_abandon(place.ledger, id, "postsuper failed", NOON + 6, &back, &error));
    g_assert_cmpint(back->state, ==, LEDGER_HELD);
    g_assert_null(back->who);
    g_assert_null(back->reason);
    ASSERT_HISTORY(place.ledger, id, "ann abandon - postsuper failed");
    DONE(ledger_claim(place.ledger, LEDGER_DELETE,
                      &(struct ledger_act){.id = id, .now = NOON, .person = &bob, .needed = 1}, NULL, &error));
    place_clear(&place);
}

static struct ledger_row *row_of(struct ledger *ledger, const char *queue_id)
{
    g_autoptr(GPtrArray) rows = ledger_find(ledger, queue_id, &error);
    g_assert_cmpuint(rows->len, ==, 1);
    return g_ptr_array_steal_index(rows, 0);
}

/* A claim that was read is settled; one that came in its place is its owner's. */
static void test_settled(void)
{
    struct place place = place_new();
    gint64 id = hold(place.ledger, "A1");
    see(place.ledger, id, LEDGER_HELD, NOON);
    DONE(ledger_claim(place.ledger, LEDGER_RELEASE,
                      &(struct ledger_act){.id = id, .now = NOON + 5, .person = &ann, .needed = 1}, NULL, &error));
    auto_free(ledger_row) first = row_of(place.ledger, "A1");
    auto_free(ledger_row) now = NULL;
    DONE(ledger_settle(place.ledger, first, true, NOON + 6, &now, &error));
    g_assert_cmpint(now->state, ==, LEDGER_HELD);
    ASSERT_HISTORY(place.ledger, id, "ann abandon - interrupted; it is still on hold");
    g_clear_pointer(&now, ledger_row_free);
    g_assert_cmpint(ledger_settle(place.ledger, first, true, NOON + 6, &now, &error), ==, LEDGER_TAKEN);
    g_assert_cmpint(now->state, ==, LEDGER_HELD);
    g_clear_pointer(&now, ledger_row_free);
    DONE(ledger_claim(place.ledger, LEDGER_RELEASE,
                      &(struct ledger_act){.id = id, .now = NOON + 7, .person = &bob, .needed = 1}, NULL, &error));
    for (int on_hold = 0; on_hold < 2; on_hold++) {
        g_assert_cmpint(ledger_settle(place.ledger, first, on_hold, NOON + 8, &now, &error), ==, LEDGER_TAKEN);
        g_assert_cmpint(now->state, ==, LEDGER_RELEASING);
        g_assert_cmpstr(now->who, ==, "bob");
        g_clear_pointer(&now, ledger_row_free);
    }
    auto_free(ledger_row) second = row_of(place.ledger, "A1");
    DONE(ledger_settle(place.ledger, second, false, NOON + 9, &now, &error));
    g_assert_cmpint(now->state, ==, LEDGER_RELEASED);
    g_assert_cmpstr(now->who, ==, "bob");
    place_clear(&place);
}

/* What is not there, and what is not claimed. */
static void test_nothing(void)
{
    struct place place = place_new();
    auto_free(ledger_row) row = NULL;
    g_assert_cmpint(ledger_claim(place.ledger, LEDGER_RELEASE,
                                 &(struct ledger_act){.id = 7, .now = NOON, .person = &ann, .needed = 1}, &row, &error),
                    ==, LEDGER_UNKNOWN);
    g_assert_null(row);
    g_assert_cmpint(
        ledger_approve(place.ledger, &(struct ledger_act){.id = 7, .now = NOON, .person = &ann}, &row, &error), ==,
        LEDGER_UNKNOWN);
    g_assert_cmpint(ledger_finish(place.ledger, 7, NULL, NULL, NOON, &row, &error), ==, LEDGER_UNKNOWN);
    g_assert_cmpint(ledger_abandon(place.ledger, 7, NULL, NOON, &row, &error), ==, LEDGER_UNKNOWN);
    gint64 id = hold(place.ledger, "A1");
    g_assert_cmpint(ledger_finish(place.ledger, id, NULL, NULL, NOON, &row, &error), ==, LEDGER_FAILED);
    g_assert_cmpint(ledger_abandon(place.ledger, id, NULL, NOON, &row, &error), ==, LEDGER_FAILED);
    g_assert_null(row);
    g_assert_cmpint(state_of(place.ledger, id), ==, LEDGER_PENDING);
    /* The transaction is over: others can write. */
    DONE(ledger_claim(place.ledger, LEDGER_RELEASE,
                      &(struct ledger_act){.id = id, .now = NOON, .person = &ann, .needed = 1}, NULL, &error));
    place_clear(&place);
}

static void test_approvals(void)
{
    struct place place = place_new();
    auto_free(ledger_row) row = NULL;
    auto_free(ledger_row) again = NULL;
    auto_free(ledger_row) lacking = NULL;
    struct ledger_message message = plain;
    message.approvals = 2;
    DONE(try_hold(place.ledger, &message, false, &error));
    const gint64 id = 1;
    /* The rule's two count, though the caller asks for one. */
    g_assert_cmpint(ledger_claim(place.ledger, LEDGER_RELEASE,
                                 &(struct ledger_act){.id = id, .now = NOON, .person = &ann, .needed = 1}, &lacking,
                                 &error),
                    ==, LEDGER_NOT_APPROVED);
    g_assert_cmpuint(lacking->granted, ==, 0);
    g_assert_cmpint(lacking->state, ==, LEDGER_PENDING);
    DONE(ledger_approve(place.ledger,
                        &(struct ledger_act){.id = id, .now = NOON, .person = &ann, .reason = "looks right"}, &row,
                        &error));
    g_assert_cmpuint(row->granted, ==, 1);
    DONE(ledger_approve(place.ledger,
                        &(struct ledger_act){.id = id, .now = NOON + 1, .person = &ann, .reason = "still"}, &again,
                        &error));
    g_assert_cmpuint(again->granted, ==, 1);
    g_assert_cmpint(ledger_claim(place.ledger, LEDGER_RELEASE,
                                 &(struct ledger_act){.id = id, .now = NOON, .person = &ann, .needed = 2}, NULL,
                                 &error),
                    ==, LEDGER_NOT_APPROVED);
    DONE(ledger_approve(place.ledger, &(struct ledger_act){.id = id, .now = NOON + 2, .person = &bob}, NULL, &error));
    ASSERT_HISTORY(place.ledger, id, "ann approve looks right -\nbob approve - -");
    /* The caller may ask for more than the rule. */
    g_assert_cmpint(ledger_claim(place.ledger, LEDGER_RELEASE,
                                 &(struct ledger_act){.id = id, .now = NOON, .person = &bob, .needed = 3}, NULL,
                                 &error),
                    ==, LEDGER_NOT_APPROVED);
    g_autoptr(GPtrArray) logins = ledger_approvals(place.ledger, id, &error);
    g_assert_cmpuint(logins->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(logins, 0), ==, "ann");
    g_assert_cmpstr(g_ptr_array_index(logins, 1), ==, "bob");
    DONE(ledger_claim(place.ledger, LEDGER_RELEASE,
                      &(struct ledger_act){.id = id, .now = NOON, .person = &eve, .needed = 2}, NULL, &error));
    place_clear(&place);
}

/* To return or to delete lets nobody see anything: one is enough. */
static void test_approvals_of_others(void)
{
    struct place place = place_new();
    struct ledger_message message = plain;
    message.approvals = 2;
    DONE(try_hold(place.ledger, &message, false, &error));
    DONE(try_hold(place.ledger, &message, false, &error));
    DONE(ledger_claim(place.ledger, LEDGER_RETURN,
                      &(struct ledger_act){.id = 1, .now = NOON, .person = &ann, .needed = 2}, NULL, &error));
    DONE(ledger_claim(place.ledger, LEDGER_DELETE,
                      &(struct ledger_act){.id = 2, .now = NOON, .person = &ann, .needed = 2}, NULL, &error));
    place_clear(&place);
}

/* Many at once: each row is claimed by exactly one. */
#define RACERS 4
#define PRIZES 25

static gpointer race(gpointer data)
{
    const char *path = data;
    struct ledger *ledger = ledger_at(path, DATABASE_EXISTING);
    struct database_error mine;
    guint won = 0;
    database_set_wait(ledger_database(ledger), 60000);
    for (gint64 id = 1; id <= PRIZES; id++) {
        enum ledger_answer answer =
            ledger_claim(ledger, LEDGER_RELEASE,
                         &(struct ledger_act){.id = id, .now = NOON, .person = &ann, .needed = 1}, NULL, &mine);
        if (answer == LEDGER_FAILED)
            g_error("%s", mine.text);
        won += answer == LEDGER_DONE;
        g_assert_true(answer == LEDGER_DONE || answer == LEDGER_TAKEN);
    }
    ledger_close(ledger);
    return GUINT_TO_POINTER(won);
}

static void test_race(void)
{
    struct place place = place_new();
    GThread *threads[RACERS];
    guint won = 0;
    for (unsigned i = 0; i < PRIZES; i++)
        hold(place.ledger, "A1");
    for (unsigned i = 0; i < RACERS; i++)
        threads[i] = g_thread_new("racer", race, place.path);
    for (unsigned i = 0; i < RACERS; i++)
        won += GPOINTER_TO_UINT(g_thread_join(threads[i]));
    g_assert_cmpuint(won, ==, PRIZES);
    place_clear(&place);
}

/* ---- notices */

static GArray *ids_of(gint64 first, gint64 second)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_array_append_val(ids, first);
    if (second != 0)
        g_array_append_val(ids, second);
    return ids;
}

static unsigned wanted_notices(struct ledger *ledger)
{
    g_autoptr(GPtrArray) wanted = ledger_notices(ledger, &error);
    g_assert_nonnull(wanted);
    return wanted->len;
}

static void test_notices(void)
{
    struct place place = place_new();
    struct ledger_message message = plain;
    unsigned count;
    DONE(try_hold(place.ledger, &message, false, &error)); /* not configured */
    message.queue_id = (char *)"B";
    DONE(try_hold(place.ledger, &message, true, &error));
    message.queue_id = (char *)"A";
    message.judged -= 1;
    DONE(try_hold(place.ledger, &message, true, &error));
    message.queue_id = (char *)"C";
    message.judged += 2;
    DONE(try_hold(place.ledger, &message, true, &error));
    message.author = NULL;
    DONE(try_hold(place.ledger, &message, true, &error)); /* nobody can be told */
    g_autoptr(GPtrArray) wanted = ledger_notices(place.ledger, &error);
    g_assert_cmpuint(wanted->len, ==, 3);
    const struct ledger_row *first = g_ptr_array_index(wanted, 0);
    const struct ledger_row *second = g_ptr_array_index(wanted, 1);
    const struct ledger_row *third = g_ptr_array_index(wanted, 2);
    g_assert_cmpstr(first->message.queue_id, ==, "A");
    DONE(ledger_notice_skip(place.ledger, third->id, "too late", NOON, &error));
    /* One mail about two messages is one. */
    g_autoptr(GArray) both = ids_of(first->id, second->id);
    DONE(ledger_notices_begin(place.ledger, both, NOON, &error));
    DONE(ledger_notices_end(place.ledger, both, true, NOON + HOUR, &error));
    g_assert_cmpuint(both->len, ==, 2);
    g_assert_cmpuint(wanted_notices(place.ledger), ==, 0);
    DONE(ledger_notices_sent(place.ledger, "CARE@me.example", NOON + HOUR, &count, &error));
    g_assert_cmpuint(count, ==, 1);
    DONE(ledger_notices_sent(place.ledger, "care@me.example", NOON + HOUR + 1, &count, &error));
    g_assert_cmpuint(count, ==, 0);
    /* What is sent or skipped is not begun again. */
    DONE(ledger_notices_begin(place.ledger, both, NOON, &error));
    g_assert_cmpuint(both->len, ==, 0);
    place_clear(&place);
}

/* A try that never ended may have been sent: there is one more.  One that failed for certain does not count. */
static void test_notice_tries(void)
{
    struct place place = place_new();
    DONE(try_hold(place.ledger, &plain, true, &error));
    g_autoptr(GPtrArray) wanted = ledger_notices(place.ledger, &error);
    const struct ledger_row *row = g_ptr_array_index(wanted, 0);
    g_autoptr(GArray) ids = ids_of(row->id, 0);
    for (unsigned i = 0; i < 5; i++) {
        DONE(ledger_notices_begin(place.ledger, ids, NOON, &error));
        g_assert_cmpuint(ids->len, ==, 1);
        DONE(ledger_notices_end(place.ledger, ids, false, NOON, &error));
    }
    for (unsigned i = 0; i < LEDGER_NOTICE_TRIES; i++) {
        DONE(ledger_notices_begin(place.ledger, ids, NOON, &error));
        g_assert_cmpuint(ids->len, ==, 1);
        g_assert_cmpuint(wanted_notices(place.ledger), ==, 1);
    }
    DONE(ledger_notices_begin(place.ledger, ids, NOON, &error));
    g_assert_cmpuint(ids->len, ==, 0);
    g_assert_cmpuint(wanted_notices(place.ledger), ==, 0);
    place_clear(&place);
}

/* ---- pruning */

static void test_prune(void)
{
    struct place place = place_new();
    unsigned removed;
    gint64 open = hold_as(place.ledger, "OPEN", NOON - 200 * DAY, "care@me.example", "wide-cc");
    gint64 claimed = hold_as(place.ledger, "CLAIMED", NOON - 200 * DAY, "care@me.example", "wide-cc");
    gint64 old = hold_as(place.ledger, "OLD", NOON - 200 * DAY, "care@me.example", "wide-cc");
    gint64 new = hold_as(place.ledger, "NEW", NOON - 200 * DAY, "care@me.example", "wide-cc");
    DONE(ledger_claim(place.ledger, LEDGER_RELEASE,
                      &(struct ledger_act){.id = claimed, .now = NOON - 100 * DAY, .person = &ann, .needed = 1}, NULL,
                      &error));
    DONE(ledger_claim(place.ledger, LEDGER_RELEASE,
                      &(struct ledger_act){.id = old, .now = NOON - 91 * DAY, .person = &ann, .needed = 1}, NULL,
                      &error));
    DONE(ledger_finish(place.ledger, old, NULL, NULL, NOON - 91 * DAY, NULL, &error));
    DONE(ledger_claim(place.ledger, LEDGER_DELETE,
                      &(struct ledger_act){.id = new, .now = NOON - 89 * DAY, .person = &ann, .needed = 1}, NULL,
                      &error));
    DONE(ledger_finish(place.ledger, new, NULL, NULL, NOON - 89 * DAY, NULL, &error));
    DONE(ledger_keep_policy(place.ledger, "111111111111", "old", NOON - 200 * DAY, &error));
    DONE(ledger_keep_policy(place.ledger, "222222222222", "in force", NOON - 200 * DAY, &error));
    DONE(ledger_keep_policy(place.ledger, "333333333333", "of late", NOON - 200 * DAY, &error));
    DONE(ledger_keep_policy(place.ledger, "333333333333", "of late", NOON - DAY, &error));

    DONE(ledger_prune(place.ledger, NOON - 90 * DAY, "222222222222", &removed, &error));
    g_assert_cmpuint(removed, ==, 1);
    ASSERT_LISTED("OPEN CLAIMED NEW", .oldest_first = true);
    ASSERT_HISTORY(place.ledger, old, "");
    g_autoptr(GPtrArray) parties = ledger_parties(place.ledger, old, &error);
    g_assert_cmpuint(parties->len, ==, 0);
    g_autoptr(GPtrArray) logins = ledger_approvals(place.ledger, old, &error);
    g_assert_cmpuint(logins->len, ==, 0);
    DONE(database_check_integrity(ledger_database(place.ledger), &error));
    g_assert_null(ledger_policy_text(place.ledger, "111111111111", &error));
    const char *const kept[] = {"222222222222", "333333333333", plain.policy};
    for (unsigned i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_autofree char *text = ledger_policy_text(place.ledger, kept[i], &error);
        g_assert_nonnull(text);
    }
    /* An id is never used again. */
    g_assert_cmpint(hold(place.ledger, "NEXT"), >, new);
    g_assert_cmpint(open, <, new);
    place_clear(&place);
}

/* More than one step's worth: each is short, so that nobody who writes meanwhile waits for long. */
static void test_prune_many(void)
{
    struct place place = place_new();
    unsigned removed;
    g_autoptr(GArray) sights = g_array_new(FALSE, FALSE, sizeof(struct ledger_sight));
    for (unsigned i = 0; i < 450; i++) {
        struct ledger_sight sight = {hold(place.ledger, "A1"), LEDGER_LEFT, 0, 0, NULL, NULL};
        g_array_append_val(sights, sight);
    }
    DONE(ledger_sighted(place.ledger, sights, NOON, &error));
    DONE(ledger_prune(place.ledger, NOON, "", &removed, &error)); /* `before` itself stays */
    g_assert_cmpuint(removed, ==, 0);
    for (unsigned steps = 0; steps < 450 / LEDGER_PRUNE_ROWS; steps++) {
        DONE(ledger_prune(place.ledger, NOON + 1, "", &removed, &error));
        g_assert_cmpuint(removed, ==, LEDGER_PRUNE_ROWS);
    }
    DONE(ledger_prune(place.ledger, NOON + 1, "", &removed, &error));
    g_assert_cmpuint(removed, ==, 450 % LEDGER_PRUNE_ROWS);
    ASSERT_LISTED("", .limit = 0);
    place_clear(&place);
}

/* ---- the file */

/* What was removed is not on the disk any more, in none of the files. */
static void test_removed(void)
{
    struct place place = place_new();
    struct ledger_message message = plain;
    unsigned removed;
    message.subject = (char *)"a-subject-that-nobody-else-has";
    DONE(try_hold(place.ledger, &message, false, &error));
    see(place.ledger, 1, LEDGER_LEFT, 0);
    DONE(ledger_prune(place.ledger, NOON + DAY, "", &removed, &error));
    g_assert_cmpuint(removed, ==, 1);
    ledger_close(place.ledger); /* the last one to close empties the write-ahead log */
    g_autofree char *content = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(place.path, &content, &length, NULL));
    g_assert_null(g_strstr_len(content, (gssize)length, message.subject));
    place.ledger = ledger_at(place.path, DATABASE_EXISTING);
    place_clear(&place);
}

static void test_mode(void)
{
    struct place place = place_new();
    const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm"};
    hold(place.ledger, "A1");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(place.folder, names[i], NULL);
        struct stat status;
        g_assert_cmpint(stat(path, &status), ==, 0);
        g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    }
    place_clear(&place);
}

/* A file that is gone, or another in its place: nothing is written into what has no name. */
static void test_replaced(void)
{
    const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        struct place place = place_new();
        g_autofree char *path = g_build_filename(place.folder, names[i], NULL);
        hold(place.ledger, "A1");
        g_assert_cmpint(unlink(path), ==, 0);
        g_assert_cmpint(try_hold(place.ledger, &plain, false, &error), ==, -1);
        g_assert_cmpint(error.failure, ==, DATABASE_REPLACED);
        folder_put(place.folder, names[i], "");
        g_assert_cmpint(database_check_files(ledger_database(place.ledger), &error), ==, -1);
        g_assert_cmpint(error.failure, ==, DATABASE_REPLACED);
        place_clear(&place);
    }
}

/* ---- versions */

static void put_version(const char *path, unsigned version, unsigned application)
{
    auto_free(database) database = database_open(path, geteuid(), DATABASE_CREATE, 500, &error);
    g_autofree char *sql =
        g_strdup_printf("PRAGMA user_version = %u; PRAGMA application_id = %u;", version, application);
    g_assert_nonnull(database);
    DONE(database_run(database, sql, &error));
}

static void test_version(void)
{
    struct place place = place_new();
    unsigned version = 0;
    DONE(schema_version(ledger_database(place.ledger), &version, &error));
    g_assert_cmpuint(version, ==, SCHEMA_VERSION);
    /* A newer one is left alone, with all that is in it. */
    hold(place.ledger, "A1");
    ledger_close(place.ledger);
    put_version(place.path, 99, SCHEMA_APPLICATION);
    g_assert_null(ledger_open(place.path, geteuid(), DATABASE_CREATE, &error));
    g_assert_cmpint(error.failure, ==, DATABASE_FOREIGN);
    g_assert_nonnull(strstr(error.text, "version 99"));
    put_version(place.path, SCHEMA_VERSION, SCHEMA_APPLICATION);
    place.ledger = ledger_at(place.path, DATABASE_EXISTING);
    ASSERT_LISTED("A1", .limit = 0);
    place_clear(&place);
}

/* A file without tables gets them; one of another program is left alone. */
static void test_foreign(void)
{
    char *folder = folder_new();
    g_assert_cmpint(chmod(folder, 0700), ==, 0);
    g_autofree char *empty = folder_write(folder, "empty.db", "", 0);
    ledger_close(ledger_at(empty, DATABASE_EXISTING));

    g_autofree char *other = g_build_filename(folder, "other.db", NULL);
    {
        auto_free(database) database = database_open(other, geteuid(), DATABASE_CREATE, 500, &error);
        g_assert_nonnull(database);
        DONE(database_run(database, "CREATE TABLE held (x)", &error));
    }
    g_assert_null(ledger_open(other, geteuid(), DATABASE_CREATE, &error));
    g_assert_cmpint(error.failure, ==, DATABASE_FOREIGN);

    g_autofree char *marked = g_build_filename(folder, "marked.db", NULL);
    put_version(marked, 1, 17);
    g_assert_null(ledger_open(marked, geteuid(), DATABASE_CREATE, &error));
    g_assert_cmpint(error.failure, ==, DATABASE_FOREIGN);
    folder_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ledger/round", test_round);
    g_test_add_func("/ledger/strange", test_strange);
    g_test_add_func("/ledger/parties", test_parties);
    g_test_add_func("/ledger/inside", test_inside);
    g_test_add_func("/ledger/policies", test_policies);
    g_test_add_func("/ledger/filters", test_filters);
    g_test_add_func("/ledger/reused", test_reused);
    g_test_add_func("/ledger/delay", test_delay);
    g_test_add_func("/ledger/sights", test_sights);
    g_test_add_func("/ledger/sight-of-decided", test_sight_of_decided);
    g_test_add_func("/ledger/many", test_many);
    g_test_add_func("/ledger/decisions", test_decisions);
    g_test_add_func("/ledger/claimed", test_claimed);
    g_test_add_func("/ledger/settled", test_settled);
    g_test_add_func("/ledger/nothing", test_nothing);
    g_test_add_func("/ledger/approvals", test_approvals);
    g_test_add_func("/ledger/approvals-of-others", test_approvals_of_others);
    g_test_add_func("/ledger/race", test_race);
    g_test_add_func("/ledger/notices", test_notices);
    g_test_add_func("/ledger/notice-tries", test_notice_tries);
    g_test_add_func("/ledger/prune", test_prune);
    g_test_add_func("/ledger/prune-many", test_prune_many);
    g_test_add_func("/ledger/removed", test_removed);
    g_test_add_func("/ledger/mode", test_mode);
    g_test_add_func("/ledger/replaced", test_replaced);
    g_test_add_func("/ledger/version", test_version);
    g_test_add_func("/ledger/foreign", test_foreign);
    return g_test_run();
}
