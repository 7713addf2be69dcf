/*
 * test-reconcile - the ledger and a queue that the test makes up: who is who, what has
 * left, what is untracked, and queue ids that are used again.
 */

#include "milter/postfix/postfix.h"
#include "milter/queue/queue_holds.h"
#include "milter/queue/reconcile.h"
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

/* The clock of the tests, in seconds. */
#define START       G_GINT64_CONSTANT(1790000000)
#define US(seconds) ((seconds)*G_USEC_PER_SEC)

/* ---- a queue that is a list */

struct made_up {
    const char *id;
    gint64 arrival;
    const char *sender, *message_id;
};

static const struct made_up *queue_now; /* ended by an id that is NULL */
static bool queue_fails;
static gint64 queue_size; /* of each message, in bytes */

static int list_made_up(struct queue *queue, GPtrArray *entries, char **error)
{
    (void)queue;
    if (queue_fails) {
        *error = g_strdup("the queue cannot be read");
        return -1;
    }
    for (const struct made_up *one = queue_now; one->id != NULL; one++) {
        struct queue_entry *entry = g_new0(struct queue_entry, 1);
        entry->id = g_strdup(one->id);
        entry->sender = g_strdup(one->sender == NULL ? "care@me.example" : one->sender);
        entry->arrival = one->arrival;
        entry->size = queue_size;
        g_ptr_array_add(entries, entry);
    }
    return 0;
}

static enum queue_answer read_made_up(struct queue *queue, const char *id, bool body, program_take take, void *data,
                                      char **error)
{
    (void)queue;
    (void)body;
    (void)error;
    for (const struct made_up *one = queue_now; one->id != NULL; one++) {
        if (strcmp(one->id, id) != 0)
            continue;
        g_autofree char *text =
            g_strdup_printf("sender: care@me.example\n*** MESSAGE CONTENTS hold/%s ***\nMessage-ID: <%s>\n", id,
                            one->message_id == NULL ? "none@me.example" : one->message_id);
        take(data, text, strlen(text));
        return QUEUE_DONE;
    }
    return QUEUE_ABSENT;
}

static char *hurried;

static void hurry_made_up(struct queue *queue, const struct queue_entry *entry, gint64 now)
{
    (void)queue;
    g_free(hurried);
    hurried = g_strdup_printf("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, entry->id, entry->arrival, now);
}

static bool any_id(const char *id)
{
    return id[0] != '\0';
}

/* As long ids are; the others here are short ones. */
static bool long_id(const char *id)
{
    return id[0] == 'L';
}

static const struct queue_driver made_up_driver = {.mta = MTA_POSTFIX,
                                                   .name = "made up",
                                                   .id_is_sound = any_id,
                                                   .id_is_unique = long_id,
                                                   .held = list_made_up,
                                                   .raw = read_made_up,
                                                   .hurry = hurry_made_up};

/* What the process that reads messages knows. */
static const struct queue_driver *const readable[] = {&postfix_queue_driver, NULL};

/* ---- a ledger in memory */

struct fixture {
    struct ledger *ledger;
    struct queue queue;
    struct message_reader reader;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
    struct database_error error;
    (void)data;
    queue_fails = false;
    queue_size = 700;
    fixture->ledger = ledger_open(":memory:", geteuid(), DATABASE_CREATE, &error);
    g_assert_nonnull(fixture->ledger);
    fixture->queue = (struct queue){.driver = &made_up_driver, .unread = g_ptr_array_new()};
    fixture->reader = (struct message_reader){.user = "nobody", .given = geteuid() == 0};
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    ledger_close(fixture->ledger);
    g_ptr_array_unref(fixture->queue.unread);
}

static void hold(struct fixture *fixture, const char *id, gint64 began, gint64 judged, const char *message_id)
{
    const struct ledger_message message = {.queue_id = (char *)id,
                                           .mta = MTA_POSTFIX,
                                           .began = US(began),
                                           .judged = US(judged),
                                           .message_id = (char *)message_id,
                                           .sender = (char *)"care@me.example",
                                           .rule = (char *)"wide",
                                           .policy = (char *)"0123456789abcdef",
                                           .approvals = 1};
    g_autoptr(GPtrArray) parties = g_ptr_array_new();
    const struct ledger_hold held = {.message = &message, .parties = parties, .policy_text = "version 1\n"};
    struct database_error error;
    if (ledger_hold(fixture->ledger, &held, &error) == -1)
        g_error("%s", error.text);
}

/* One round at a time: "ID state on-hold" of each item in its order, with commas between. */
static char *round_at(struct fixture *fixture, gint64 now, const struct made_up *entries)
{
    const struct reconciling reconciling = {
        .ledger = fixture->ledger, .queue = &fixture->queue, .reader = &fixture->reader, .now = US(now)};
    g_autofree char *error = NULL;
    queue_now = entries;
    auto_free(view) view = reconcile(&reconciling, &error);
    if (view == NULL)
        return g_steal_pointer(&error);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < view->items->len; i++) {
        const struct view_item *item = g_ptr_array_index(view->items, i);
        g_string_append_printf(
            out, "%s%s %s %d", i > 0 ? ", " : "", item->row != NULL ? item->row->message.queue_id : item->entry->id,
            item->row != NULL ? ledger_state_name(item->row->state) : "untracked", item->entry != NULL);
    }
    return g_string_free(out, FALSE);
}

#define ROUND(now, wanted, ...)                                                                                        \
    do {                                                                                                               \
        const struct made_up made_up_entries[] = {__VA_ARGS__};                                                        \
        g_autofree char *made_up_view = round_at(fixture, now, made_up_entries);                                       \
        g_assert_cmpstr(made_up_view, ==, wanted);                                                                     \
    } while (0)

#define END                                                                                                            \
    {                                                                                                                  \
        NULL, 0, NULL, NULL                                                                                            \
    }

/* The states of all rows of an id, the newest first. */
static char *states_of(struct fixture *fixture, const char *id)
{
    struct database_error error;
    g_autoptr(GPtrArray) rows = ledger_find(fixture->ledger, id, &error);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index(rows, i);
        g_string_append_printf(out, "%s%s", i > 0 ? " " : "", ledger_state_name(row->state));
    }
    return g_string_free(out, FALSE);
}

static void assert_states(struct fixture *fixture, const char *id, const char *wanted)
{
    g_autofree char *states = states_of(fixture, id);
    g_assert_cmpstr(states, ==, wanted);
}

/* ---- tests */

static void test_life(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    hold(fixture, "AAAA2", START + 10, START + 11, "2@x");
    hold(fixture, "AAAA3", START + 20, START + 21, "3@x");
    ROUND(START + 30, "AAAA3 pending 0, AAAA2 held 1, AAAA1 held 1", {"AAAA1", START, NULL, NULL},
          {"AAAA2", START + 10, NULL, NULL}, END);
    /* Only what was seen can leave; what never was, is waited for. */
    ROUND(START + 40, "AAAA3 pending 0, AAAA2 held 1", {"AAAA2", START + 10, NULL, NULL}, END);
    assert_states(fixture, "AAAA1", "left");
    ROUND(START + 21 + 15 * 60, "AAAA3 pending 0, AAAA2 held 1", {"AAAA2", START + 10, NULL, NULL}, END);
    ROUND(START + 22 + 15 * 60, "AAAA2 held 1", {"AAAA2", START + 10, NULL, NULL}, END);
    assert_states(fixture, "AAAA3", "left");
    /* A mistake is taken back. */
    ROUND(START + 2000, "AAAA3 held 1, AAAA2 held 1, AAAA1 held 1", {"AAAA1", START, NULL, NULL},
          {"AAAA2", START + 10, NULL, NULL}, {"AAAA3", START + 21, NULL, NULL}, END);
    ROUND(START + 2001, "", END);
    assert_states(fixture, "AAAA1", "left");
    assert_states(fixture, "AAAA2", "left");
    assert_states(fixture, "AAAA3", "left");
}

static void test_untracked(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    ROUND(START + 30, "BBBB1 untracked 1, AAAA1 held 1", {"BBBB1", START + 20, NULL, NULL},
          {"AAAA1", START, NULL, NULL}, END);
    assert_states(fixture, "BBBB1", "");
}

/* A message that arrived later than the row was judged is another one, whatever its id. */
static void test_reused(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    ROUND(START + 2, "AAAA1 held 1", {"AAAA1", START, NULL, NULL}, END);
    ROUND(START + 100, "AAAA1 untracked 1", {"AAAA1", START + 50, NULL, "2@x"}, END);
    assert_states(fixture, "AAAA1", "left");
    /* With its own row it is held, and the old one stays as it was. */
    hold(fixture, "AAAA1", START + 50, START + 51, "2@x");
    ROUND(START + 101, "AAAA1 held 1", {"AAAA1", START + 50, NULL, "2@x"}, END);
    assert_states(fixture, "AAAA1", "held left");
    ROUND(START + 102, "", END);
    assert_states(fixture, "AAAA1", "left left");
}

/* The clock was set back between the arrival and the verdict, before MAIL FROM or after it. */
static void test_clock_set_back(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "LLLL1", START - 2, START - 2, "1@x");
    hold(fixture, "LLLL2", START + 1, START - 2, NULL);
    hold(fixture, "LLLL3", START - 86400 * 366, START - 86400 * 365, "3@x");
    hold(fixture, "AAAA1", START - 2, START - 2, "1@x");
    hold(fixture, "AAAA2", START - 2, START - 2, "2@x");
    hold(fixture, "AAAA3", START - 2, START - 2, "3@x");
    hold(fixture, "AAAA4", START - 2, START - 2, NULL);
    ROUND(START + 1,
          "AAAA2 untracked 1, AAAA3 untracked 1, AAAA4 untracked 1, AAAA4 pending 0, AAAA3 pending 0, "
          "AAAA2 pending 0, AAAA1 held 1, LLLL2 held 1, LLLL1 held 1, LLLL3 held 1",
          {"LLLL1", START, NULL, "another@x"}, {"LLLL2", START, NULL, NULL}, {"LLLL3", START, NULL, "3@x"},
          {"AAAA1", START, NULL, "1@x"}, {"AAAA2", START, NULL, "another@x"}, {"AAAA3", START, "eve@me.example", "3@x"},
          {"AAAA4", START, NULL, NULL}, END);
    assert_states(fixture, "AAAA1", "held");
    assert_states(fixture, "LLLL1", "held");
}

/* Who reads no message takes a later one with a short id for another one, until its row has its time. */
static void test_onhold(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    static const struct {
        const char *id;
        bool before, after;
    } cases[] = {{"AAAA1", true, true},   {"AAAA2", true, true}, {"AAAA3", false, true},
                 {"AAAA4", false, false}, {"LLLL1", true, true}, {"AAAA5", false, false}};
    static const struct made_up entries[] = {{"AAAA1", START, NULL, "1@x"},      {"AAAA2", START - 300, NULL, "1@x"},
                                             {"AAAA3", START + 10, NULL, "1@x"}, {"AAAA4", START + 10, NULL, "2@x"},
                                             {"LLLL1", START + 10, NULL, "1@x"}, END};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        hold(fixture, cases[i].id, START, START + 1, "1@x");
    for (unsigned round = 0; round < 2; round++) {
        struct database_error failure;
        g_autofree char *error = NULL;
        queue_now = entries;
        auto_free(onhold) onhold = onhold_look(&fixture->queue, &error);
        g_assert_cmpuint(onhold_count(onhold), ==, 5);
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
            g_autoptr(GPtrArray) rows = ledger_find(fixture->ledger, cases[i].id, &failure);
            bool found = onhold_has(onhold, g_ptr_array_index(rows, 0));
            if (found != (round == 0 ? cases[i].before : cases[i].after))
                UNIT_FAIL("%s, round %u: %d", cases[i].id, round, found);
        }
        g_free(round_at(fixture, START + 20, entries));
    }
}

/* Two rows of one id within a second: the Message-ID tells. */
static void test_ambiguous(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "AAAA1", START, START, "1@x");
    hold(fixture, "AAAA1", START + 1, START + 1, "2@x");
    ROUND(START + 2, "AAAA1 held 1, AAAA1 pending 0", {"AAAA1", START + 1, NULL, "2@x"}, END);
    assert_states(fixture, "AAAA1", "held pending");
    ROUND(START + 3, "AAAA1 held 1, AAAA1 pending 0", {"AAAA1", START + 1, NULL, "2@x"}, END);
    /* One whose Message-ID is neither's is a third. */
    hold(fixture, "AAAA2", START, START, "1@x");
    hold(fixture, "AAAA2", START + 1, START + 1, "2@x");
    ROUND(START + 3, "AAAA2 untracked 1, AAAA2 pending 0, AAAA2 pending 0, AAAA1 pending 0",
          {"AAAA2", START + 1, NULL, "3@x"}, END);
}

/* sendmail(1): the message waited before it was judged. */
static void test_waited(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    hold(fixture, "AAAA2", START, START + 1, "2@x");
    hold(fixture, "AAAA3", START, START + 1, NULL);
    hold(fixture, "AAAA4", START, START + 1, NULL);
    ROUND(START + 2,
          "AAAA4 pending 0, AAAA3 held 1, AAAA2 pending 0, AAAA1 held 1, AAAA2 untracked 1, AAAA4 untracked 1",
          {"AAAA1", START - 300, NULL, "1@x"}, {"AAAA2", START - 300, NULL, "other@x"},
          {"AAAA3", START - 300, "care@me.example", "given.by@the.mta"}, {"AAAA4", START - 300, "eve@me.example", NULL},
          END);
}

/* The process of a claim is gone: the queue says what came of it. */
static void test_interrupted(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    const struct ledger_person ann = {.login = "ann", .uid = 1000};
    static const char *const ids[] = {"AAAA1", "AAAA2"};
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++)
        hold(fixture, ids[i], START, START + 1, "1@x");
    ROUND(START + 2, "AAAA2 held 1, AAAA1 held 1", {"AAAA1", START, NULL, NULL}, {"AAAA2", START, NULL, NULL}, END);
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        struct database_error error;
        g_autoptr(GPtrArray) rows = ledger_find(fixture->ledger, ids[i], &error);
        const struct ledger_row *row = g_ptr_array_index(rows, 0);
        g_assert_cmpint(
            ledger_claim(
                fixture->ledger, LEDGER_RELEASE,
                &(struct ledger_act){.id = row->id, .now = US(START + 3), .person = &ann, .reason = "ok", .needed = 1},
                NULL, &error),
            ==, LEDGER_DONE);
    }
    /* This process claimed them and lives: nobody touches them, in the queue or not. */
    ROUND(START + 4, "AAAA2 releasing 0, AAAA1 releasing 1", {"AAAA1", START, NULL, NULL}, END);
    /* No command takes as long as this. */
    ROUND(START + 3 + 601, "AAAA1 held 1", {"AAAA1", START, NULL, NULL}, END);
    assert_states(fixture, "AAAA1", "held");
    assert_states(fixture, "AAAA2", "released");
    g_autofree char *wanted =
        g_strdup_printf("AAAA2 %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, (gint64)START, (gint64)START + 3 + 601);
    g_assert_cmpstr(hurried, ==, wanted); /* the one who released it did not come to that */
    g_clear_pointer(&hurried, g_free);
}

/* The one who claimed them died a moment ago: what is on hold, the MTA may be at still. */
static void test_orphans(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    char *folder = folder_new();
    g_autofree char *path = g_build_filename(folder, "ledger.db", NULL);
    struct database_error error;
    ledger_close(fixture->ledger);
    fixture->ledger = ledger_open(path, geteuid(), DATABASE_CREATE, &error);
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    hold(fixture, "AAAA2", START, START + 1, "1@x");
    ROUND(START + 2, "AAAA2 held 1, AAAA1 held 1", {"AAAA1", START, NULL, NULL}, {"AAAA2", START, NULL, NULL}, END);
    pid_t child = fork();
    if (child == 0) {
        const struct ledger_person ann = {.login = "ann", .uid = 1000};
        struct ledger *ledger = ledger_open(path, geteuid(), DATABASE_EXISTING, &error);
        int failed = ledger == NULL;
        for (gint64 row = 1; !failed && row <= 2; row++)
            failed = ledger_claim(ledger, LEDGER_RELEASE,
                                  &(struct ledger_act){
                                      .id = row, .now = US(START + 3), .person = &ann, .reason = "ok", .needed = 1},
                                  NULL, &error) != LEDGER_DONE;
        _exit(failed);
    }
    int status = -1;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    ROUND(START + 13, "AAAA1 releasing 1", {"AAAA1", START, NULL, NULL}, END);
    assert_states(fixture, "AAAA2", "released");
    ROUND(START + 14, "AAAA1 held 1", {"AAAA1", START, NULL, NULL}, END);
    g_clear_pointer(&hurried, g_free);
    ledger_close(fixture->ledger);
    fixture->ledger = ledger_open(":memory:", geteuid(), DATABASE_CREATE, &error);
    folder_free(folder);
}

/* The history of all rows: "ACTION DETAIL", with commas between. */
static char *history_of(struct fixture *fixture)
{
    struct database_error error;
    g_autoptr(GPtrArray) events = ledger_history(fixture->ledger, 0, 0, &error);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < events->len; i++) {
        const struct ledger_event *event = g_ptr_array_index(events, i);
        g_string_append_printf(out, "%s%s %s", i > 0 ? ", " : "", event->action,
                               event->detail == NULL ? "-" : event->detail);
    }
    return g_string_free(out, FALSE);
}

static void assert_history(struct fixture *fixture, const char *wanted)
{
    g_autofree char *history = history_of(fixture);
    g_assert_cmpstr(history, ==, wanted);
}

/* A queue id changed: on hold as before, seen there or not, or after it was taken for left; it is found by both ids. */
static void test_renamed(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    hold(fixture, "AAAA2", START + 10, START + 11, "2@x");
    hold(fixture, "AAAA3", START + 20, START + 21, "3@x");
    ROUND(START + 100, "AAAA3 pending 0, AAAA2 held 1, AAAA1 held 1", {"AAAA1", START, NULL, NULL},
          {"AAAA2", START + 10, NULL, NULL}, END);
    ROUND(START + 101, "AAAA3 pending 0, BBBB1 held 1", {"BBBB1", START, NULL, "1@x"}, END);
    assert_states(fixture, "AAAA2", "left");
    ROUND(START + 102, "BBBB3 held 1, BBBB2 held 1, BBBB1 held 1", {"BBBB1", START, NULL, "1@x"},
          {"BBBB2", START + 10, NULL, "2@x"}, {"BBBB3", START + 21, NULL, "3@x"}, END);
    ROUND(START + 103, "BBBB3 held 1, BBBB2 held 1, CCCC1 held 1", {"CCCC1", START, NULL, "1@x"},
          {"BBBB2", START + 10, NULL, "2@x"}, {"BBBB3", START + 21, NULL, "3@x"}, END);
    assert_history(fixture, "adopt its queue id was AAAA1, left -, adopt its queue id was AAAA2, "
                            "adopt its queue id was AAAA3, adopt its queue id was BBBB1");
    assert_states(fixture, "AAAA1", "held");
    assert_states(fixture, "CCCC1", "held");
}

/* Each of the four has to be right, and one that a row has as its own is no stray's. */
static void test_not_renamed(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    hold(fixture, "AAAA2", START, START + 1, NULL);
    ROUND(START + 100, "AAAA2 held 1, AAAA1 held 1", {"AAAA1", START, NULL, NULL}, {"AAAA2", START, NULL, NULL}, END);
    ROUND(START + 101, "AAAA1 held 1, BBBB1 untracked 1, BBBB2 untracked 1", {"AAAA1", START, NULL, "1@x"},
          {"BBBB1", START, NULL, "1@x"}, {"BBBB2", START, NULL, "given.by@the.mta"}, END);
    ROUND(START + 102, "BBBB1 untracked 1", {"BBBB1", START + 1, NULL, "1@x"}, END);
    ROUND(START + 103, "BBBB1 untracked 1", {"BBBB1", START, "eve@me.example", "1@x"}, END);
    ROUND(START + 104, "BBBB1 untracked 1", {"BBBB1", START, NULL, "2@x"}, END);
    queue_size++;
    ROUND(START + 105, "BBBB1 untracked 1", {"BBBB1", START, NULL, "1@x"}, END);
    queue_size--;
    ROUND(START + 106, "BBBB1 held 1", {"BBBB1", START, NULL, "1@x"}, END);
}

/* Two messages that could be a row's, or two rows that could be a message's: neither is guessed. */
static void test_several(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    ROUND(START + 100, "AAAA1 held 1", {"AAAA1", START, NULL, NULL}, END);
    ROUND(START + 101, "BBBB1 untracked 1, BBBB2 untracked 1", {"BBBB1", START, NULL, "1@x"},
          {"BBBB2", START, NULL, "1@x"}, END);
    hold(fixture, "AAAA2", START, START + 1, "1@x");
    ROUND(START + 102, "AAAA2 held 1", {"AAAA2", START, NULL, NULL}, END);
    ROUND(START + 103, "BBBB1 untracked 1", {"BBBB1", START, NULL, "1@x"}, END);
    assert_states(fixture, "BBBB1", "");
}

/* Released with its approval, and back in a queue that was restored: it waits again, and nothing of that counts. */
static void test_restored(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    static const char *const ids[] = {"AAAA1", "BBBB1"};
    const struct ledger_person ann = {.login = "ann", .uid = 1000};
    struct database_error error;
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        gint64 now = START + 1000 * (i + 1);
        ROUND(now, i == 0 ? "AAAA1 held 1" : "BBBB1 held 1", {ids[i], START, NULL, "1@x"}, END);
        g_assert_cmpint(
            ledger_claim(fixture->ledger, LEDGER_RELEASE,
                         &(struct ledger_act){.id = 1, .now = US(now + 1), .person = &ann, .reason = "ok", .needed = 1},
                         NULL, &error),
            ==, LEDGER_DONE);
        g_assert_cmpint(ledger_finish(fixture->ledger, 1, NULL, NULL, US(now + 2), NULL, &error), ==, LEDGER_DONE);
        /* What was listed just before the release was done says nothing. */
        ROUND(now + 61, i == 0 ? "AAAA1 untracked 1" : "BBBB1 untracked 1", {ids[i], START, NULL, "1@x"}, END);
    }
    ROUND(START + 3000, "BBBB1 held 1", {"BBBB1", START, NULL, "1@x"}, END);
    auto_free(ledger_row) row = ledger_get(fixture->ledger, 1, &error);
    g_assert_cmpstr(row->former, ==, "AAAA1");
    g_assert_null(row->who);
    g_assert_cmpuint(row->granted, ==, 0);
    assert_history(fixture, "release -, adopt its queue id was AAAA1; that it was released by ann does not count, "
                            "release -, adopt it is on hold again; that it was released by ann does not count");
}

/* A ledger with what another MTA held: it is not said that it left that one's queue. */
static void test_other_mta(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    static const struct queue_driver other = {.mta = MTA_SENDMAIL,
                                              .name = "another",
                                              .id_is_sound = any_id,
                                              .id_is_unique = long_id,
                                              .held = list_made_up,
                                              .raw = read_made_up,
                                              .hurry = hurry_made_up};
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    ROUND(START + 2, "AAAA1 held 1", {"AAAA1", START, NULL, NULL}, END);
    fixture->queue.driver = &other;
    ROUND(START + 3, "", END);
    assert_history(fixture, "left it was looked for in the queue of another, which is not where it was held");
    fixture->queue.driver = &made_up_driver;
    ROUND(START + 4, "AAAA1 held 1", {"AAAA1", START, NULL, NULL}, END);
}

static void test_failures(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    hold(fixture, "AAAA1", START, START + 1, "1@x");
    ROUND(START + 2, "AAAA1 held 1", {"AAAA1", START, NULL, NULL}, END);
    queue_fails = true; /* which says nothing of the messages */
    ROUND(START + 3, "the queue cannot be read", END);
    assert_states(fixture, "AAAA1", "held");
}

static void test_match(void)
{
    static const struct {
        gint64 began, judged, seen, arrival;
        int match;
    } cases[] = {
        {100, 105, 0, 100, 1},   {100, 105, 0, 99, 1},   {100, 105, 0, 98, -1},
        {100, 105, 0, 106, 1},   {100, 105, 0, 107, -1}, {100, 105, 100, 100, 1},
        {100, 105, 100, 101, 0}, {100, 105, 40, 40, 1},  {100, 105, 40, 100, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct ledger_row row = {
            .message = {.queue_id = (char *)"A", .began = US(cases[i].began), .judged = US(cases[i].judged)},
            .arrival = US(cases[i].seen)};
        const struct queue_entry entry = {.id = (char *)"A", .arrival = cases[i].arrival};
        const struct queue_entry other = {.id = (char *)"B", .arrival = cases[i].arrival};
        if (reconcile_match(&row, &entry) != cases[i].match)
            UNIT_FAIL("case %u: %d", i, reconcile_match(&row, &entry));
        g_assert_cmpint(reconcile_match(&row, &other), ==, 0);
        struct queue_entry unique = entry;
        unique.unique = true;
        g_assert_cmpint(reconcile_match(&row, &unique), ==, 1);
    }
}

static void test_unique_ids(void)
{
    static const char *const long_ids[] = {"4gJkzp3Sxlz1QK", "3Pt2mN2VXxznjll", "4XyZ1B2CDFz5"};
    static const char *const short_ids[] = {"ABCDE", "0DEADBEEF1", "A1B2C3D4E5F6A7", "4XyZ1", "zzzzz", "ABCDEFGHIz12"};
    for (unsigned i = 0; i < G_N_ELEMENTS(long_ids); i++)
        g_assert_true(postfix_queue_driver.id_is_unique(long_ids[i]));
    for (unsigned i = 0; i < G_N_ELEMENTS(short_ids); i++)
        g_assert_false(postfix_queue_driver.id_is_unique(short_ids[i]));
}

#define ADD(name) g_test_add("/reconcile/" #name, struct fixture, NULL, set_up, test_##name, tear_down)

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], READER_WORD) == 0) /* as rcptguardq does */
        reader_serve(argv + 2, readable);
    g_test_init(&argc, &argv, NULL);
    ADD(life);
    ADD(untracked);
    ADD(reused);
    ADD(clock_set_back);
    ADD(onhold);
    ADD(ambiguous);
    ADD(waited);
    ADD(interrupted);
    ADD(orphans);
    ADD(renamed);
    ADD(not_renamed);
    ADD(several);
    ADD(restored);
    ADD(other_mta);
    ADD(failures);
    g_test_add_func("/reconcile/match", test_match);
    g_test_add_func("/reconcile/unique-ids", test_unique_ids);
    return g_test_run();
}
