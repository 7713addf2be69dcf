/* test-ledger-record - records of held messages in a mirror, and which of them the database of a fleet lacks */

#include "milter/ledger/ledger_decisions.h"
#include "milter/ledger/ledger_record.h"
#include "milter/ledger/ledger_unpublished.h"
#include "policy/engine/kept_policy.h"

#include "ledger_unit.h"

#include <string.h>

#define SECOND G_USEC_PER_SEC
#define NOON   (G_GINT64_CONSTANT(1790000000) * SECOND)
#define DIGEST "3f9a1c2b7d10aaaa"

static const struct ledger_person ann = {"ann", 1001}, bob = {"bob", 1002};
static struct ledger *open_mirror(void)
{
    struct ledger *mirror = ledger_open_mirror(&error);
    if (mirror == NULL)
        g_error("%s", error.text);
    return mirror;
}

/* A message with something in every table. */
static gint64 hold(struct ledger *ledger, const char *queue_id)
{
    static struct ledger_party party = {(char *)"other", (char *)"acme.example", false, 2, 1};
    state_hash hashes[] = {11, 22};
    g_autoptr(GArray) taught = g_array_new(FALSE, FALSE, sizeof(state_hash));
    g_autoptr(GArray) inside = kept_inside_new();
    const struct kept_inside kept = {g_strdup("visible inside header"), 3};
    const struct ledger_remembered remembered = {5, 6, taught, KNOWN_NO, "parties", 180, true};
    struct ledger_message message = message_held_at(queue_id, NOON + SECOND);
    message.began = NOON;
    message.subject = (char *)"Gr\303\274\303\237e \"und\" \\ \001 mehr";
    message.counts.visible = 62;
    message.approvals = 2;
    g_autoptr(GPtrArray) parties = g_ptr_array_new();
    g_array_append_vals(taught, hashes, G_N_ELEMENTS(hashes));
    g_array_append_val(inside, kept);
    g_ptr_array_add(parties, &party);
    return hold_all(ledger, &(const struct ledger_hold){
                                .message = &message, .parties = parties, .remembered = &remembered, .inside = inside});
}

static void approve(struct ledger *ledger, gint64 id, const struct ledger_person *person, const char *node)
{
    const struct ledger_act act = {
        .id = id, .now = NOON + 2 * SECOND, .person = person, .way = LEDGER_BY_COMMAND, .reason = "so", .node = node};
    DONE(ledger_approve(ledger, &act, NULL, &error));
}

static void release(struct ledger *ledger, gint64 id)
{
    const struct ledger_act act = {
        .id = id, .now = NOON + 3 * SECOND, .person = &bob, .way = LEDGER_BY_COMMAND, .needed = 2, .node = "mx2"};
    DONE(ledger_claim(ledger, LEDGER_RELEASE, &act, NULL, &error));
    DONE(ledger_finish(ledger, id, "9XyZ", NULL, NOON + 4 * SECOND, NULL, &error));
}

/* ---- records */

static char *record_of(struct ledger *ledger, gint64 id)
{
    char *record = ledger_record_export(ledger, id, &error);
    if (record == NULL)
        g_error("%s", error.text);
    return record;
}

static void check_same(struct ledger *ledger, struct ledger *mirror, gint64 id)
{
    auto_free(ledger_row) here = ledger_get(ledger, id, &error);
    auto_free(ledger_row) there = ledger_get(mirror, id, &error);
    g_assert_nonnull(there);
    g_assert_cmpstr(there->message.queue_id, ==, here->message.queue_id);
    g_assert_cmpstr(there->message.subject, ==, here->message.subject);
    g_assert_null(there->message.message_id);
    g_assert_cmpuint(there->message.counts.visible, ==, 62);
    g_assert_cmpint(there->state, ==, here->state);
    g_assert_cmpstr(there->who, ==, here->who);
    g_assert_cmpstr(there->node, ==, here->node);
    g_assert_cmpstr(there->requeued, ==, here->requeued);
    g_assert_cmpuint(there->granted, ==, here->granted);
    g_autoptr(GPtrArray) parties = ledger_parties(mirror, id, &error);
    g_assert_cmpuint(parties->len, ==, 1);
    g_assert_cmpstr(((struct ledger_party *)g_ptr_array_index(parties, 0))->name, ==, "acme.example");
    g_autoptr(GArray) inside = ledger_inside(mirror, id, &error);
    g_assert_cmpuint(inside->len, ==, 1);
    auto_free(ledger_remembered) remembered = ledger_remembered(mirror, id, &error);
    g_assert_cmpuint(remembered->within, ==, 180);
    g_assert_null(remembered->parties);
    g_autoptr(GPtrArray) decisions = ledger_decisions(mirror, id, &error);
    g_assert_cmpuint(decisions->len, ==, 1);
    const struct ledger_decision *decision = g_ptr_array_index(decisions, 0);
    g_assert_cmpint(decision->fleet, ==, 17);
    g_assert_cmpstr(decision->node, ==, "mx2");
    g_assert_false(decision->sealed);
    g_autoptr(GPtrArray) mine = ledger_history(ledger, id, 0, &error);
    g_autoptr(GPtrArray) events = ledger_history(mirror, id, 0, &error);
    g_assert_cmpuint(events->len, ==, mine->len);
    const struct ledger_event *last = g_ptr_array_index(events, events->len - 1);
    g_assert_cmpstr(last->action, ==, "release");
    g_assert_cmpstr(last->node, ==, "mx2");
}

static struct ledger_decision some_decision(gint64 row)
{
    return (struct ledger_decision){.row = row,
                                    .action = LEDGER_RELEASE,
                                    .way = LEDGER_BY_COMMAND,
                                    .who = (char *)"bob",
                                    .uid = 1002,
                                    .at = NOON,
                                    .sealed = true,
                                    .fleet = 17,
                                    .origin = (char *)"one/17/1",
                                    .node = (char *)"mx2"};
}

static void test_mirror(void)
{
    auto_free(ledger) ledger = open_private();
    auto_free(ledger) mirror = open_mirror();
    gint64 id = hold(ledger, "4XyZ1");
    g_autofree char *before = record_of(ledger, id);
    DONE(ledger_record_import(mirror, before, &error));
    struct ledger_decision decision = some_decision(id);
    g_assert_cmpint(ledger_decide_once(ledger, &decision, &error), ==, 1);
    approve(ledger, id, &ann, NULL);
    approve(ledger, id, &bob, "mx2");
    release(ledger, id);
    g_autofree char *after = record_of(ledger, id);
    DONE(ledger_record_import(mirror, after, &error));
    check_same(ledger, mirror, id);
    g_assert_null(strstr(after, "seal"));
    g_assert_null(strstr(after, "process"));
    g_assert_null(ledger_record_export(ledger, id + 1, &error));
    g_assert_cmpint(error.failure, ==, DATABASE_NONE);
    unsigned count = 1;
    DONE(ledger_unpublished_count(mirror, &count, &error));
    g_assert_cmpuint(count, ==, 0);
}

/* Of a newer version, and of an older one. */
static void test_other_versions(void)
{
    auto_free(ledger) mirror = open_mirror();
    DONE(ledger_record_import(mirror,
                              "{\"held\":{\"id\":3,\"queue_id\":\"Q\",\"mta\":\"postfix\",\"began\":1,\"judged\":2,"
                              "\"sender\":\"\",\"rule\":\"r\",\"line\":1,\"policy\":\"p\",\"visible\":1,\"parties\":1,"
                              "\"domains\":1,\"internal\":0,\"hidden\":0,\"recipients\":1,\"defects\":0,\"approvals\":"
                              "1,\"state\":\"in orbit\",\"changed\":2,\"colour\":\"red\"},\"orbit\":[{\"x\":1}],"
                              "\"history\":[{\"id\":1,\"held\":3,\"at\":2,\"action\":\"orbit\"}]}",
                              &error));
    auto_free(ledger_row) row = ledger_get(mirror, 3, &error);
    g_assert_cmpstr(row->message.queue_id, ==, "Q");
    g_assert_cmpint(row->arrival, ==, 0);
    static const char *const bad[] = {
        "", "{", "[]", "7", "{}", "{\"held\":{}}", "{\"held\":{\"id\":4}}", "{\"held\":[1]}", "{\"held\":\"x\"}"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmpint(ledger_record_import(mirror, bad[i], &error), ==, -1);
    const struct ledger_filter all = {.limit = 0};
    g_autoptr(GPtrArray) rows = ledger_list(mirror, &all, &error);
    g_assert_cmpuint(rows->len, ==, 1);
}

static void test_policies(void)
{
    auto_free(ledger) ledger = open_private();
    auto_free(ledger) mirror = open_mirror();
    hold(ledger, "4XyZ1");
    g_autofree char *record = ledger_policy_export(ledger, DIGEST, &error);
    DONE(ledger_policy_import(mirror, record, &error));
    DONE(ledger_policy_import(mirror, record, &error));
    g_autofree char *text = ledger_policy_text(mirror, DIGEST, &error);
    g_assert_cmpstr(text, ==, "version 1\n");
    g_assert_null(ledger_policy_export(ledger, "3f9a", &error));
    g_assert_cmpint(ledger_policy_import(mirror, "{}", &error), ==, -1);
}

/* ---- what is unpublished */

static GPtrArray *lacking(struct ledger *ledger, unsigned wanted)
{
    unsigned count = 0;
    GPtrArray *unpublished = ledger_unpublished(ledger, 100, &error);
    if (unpublished == NULL)
        g_error("%s", error.text);
    DONE(ledger_unpublished_count(ledger, &count, &error));
    g_assert_cmpuint(unpublished->len, ==, wanted);
    g_assert_cmpuint(count, ==, wanted);
    return unpublished;
}

static void publish(struct ledger *ledger, unsigned wanted)
{
    g_autoptr(GPtrArray) unpublished = lacking(ledger, wanted);
    DONE(ledger_published(ledger, unpublished, "today", &error));
}

static void test_changes(void)
{
    auto_free(ledger) ledger = open_private();
    gint64 id = hold(ledger, "4XyZ1"), other = hold(ledger, "4XyZ2");
    publish(ledger, 2);
    publish(ledger, 0);
    approve(ledger, id, &ann, NULL);
    publish(ledger, 1);
    approve(ledger, id, &ann, NULL); /* nothing new */
    publish(ledger, 0);
    struct ledger_decision decision = some_decision(id);
    DONE(ledger_decide(ledger, &decision, &decision.id, &error));
    publish(ledger, 1);
    DONE(ledger_decision_end(ledger, decision.id, 0, "released", NOON, &error));
    publish(ledger, 1);
    const struct ledger_act act = {.id = other, .now = NOON, .person = &ann};
    DONE(ledger_look(ledger, &act, LEDGER_LOOK_MESSAGE, &error));
    g_autoptr(GPtrArray) read = lacking(ledger, 1);
    DONE(ledger_look(ledger, &act, LEDGER_LOOK_MESSAGE, &error)); /* while the one before is being published */
    DONE(ledger_published(ledger, read, "today", &error));
    publish(ledger, 1);
    hold(ledger, "4XyZ3");
    DONE(ledger_group_begin(ledger, &error));
    const struct ledger_void nothing = {other + 1, (char *)"4XyZ3", NOON + SECOND};
    DONE(ledger_group_void(ledger, &nothing, &error));
    DONE(ledger_group_end(ledger, &error));
    publish(ledger, 0);
}

/* Two exchanges at once: the one that read the older record may have written it over the newer one. */
static void test_overtaken(void)
{
    auto_free(ledger) ledger = open_private();
    gint64 id = hold(ledger, "4XyZ1");
    g_autoptr(GPtrArray) older = lacking(ledger, 1);
    approve(ledger, id, &ann, NULL);
    publish(ledger, 1);
    DONE(ledger_published(ledger, older, "today", &error));
    publish(ledger, 1);
    publish(ledger, 0);
}

/* What waits for a decision first. */
static void test_order(void)
{
    auto_free(ledger) ledger = open_private();
    gint64 first = hold(ledger, "4XyZ1"), second = hold(ledger, "4XyZ2");
    approve(ledger, second, &ann, NULL);
    approve(ledger, second, &bob, NULL);
    release(ledger, second);
    g_autoptr(GPtrArray) one = ledger_unpublished(ledger, 1, &error);
    g_assert_cmpuint(one->len, ==, 1);
    g_assert_cmpint(((struct ledger_unpublished *)g_ptr_array_index(one, 0))->row, ==, first);
    g_assert_cmpstr(((struct ledger_unpublished *)g_ptr_array_index(one, 0))->policy, ==, DIGEST);
}

static void test_other_database(void)
{
    auto_free(ledger) ledger = open_private();
    hold(ledger, "4XyZ1");
    g_assert_cmpint(ledger_publish_to(ledger, "one", NULL, &error), ==, 1);
    g_assert_cmpint(ledger_publish_to(ledger, "one", NULL, &error), ==, 0);
    publish(ledger, 1);
    g_assert_cmpint(ledger_publish_to(ledger, "one", "today", &error), ==, 0);
    publish(ledger, 0);
    g_assert_cmpint(ledger_publish_to(ledger, "one", "yesterday", &error), ==, 1);
    publish(ledger, 1);
    g_assert_cmpint(ledger_publish_to(ledger, "other", "today", &error), ==, 1);
    publish(ledger, 1);
}

static void test_compare(void)
{
    auto_free(ledger) ledger = open_private();
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (unsigned i = 0; i < 4; i++)
        hold(ledger, "4XyZ1");
    publish(ledger, 4);
    const gint64 there[] = {2, 4, 7, 9};
    g_array_append_vals(rows, there, G_N_ELEMENTS(there));
    DONE(ledger_compare_published(ledger, 2, G_MAXINT64, rows, gone, &error));
    g_assert_cmpuint(gone->len, ==, 2);
    g_assert_cmpint(g_array_index(gone, gint64, 0), ==, 7);
    g_assert_cmpint(g_array_index(gone, gint64, 1), ==, 9);
    g_autoptr(GPtrArray) unpublished = lacking(ledger, 1);
    g_assert_cmpint(((struct ledger_unpublished *)g_ptr_array_index(unpublished, 0))->row, ==, 3);
}

/* A decision from the database is taken once, whatever else it says then. */
static void test_once(void)
{
    auto_free(ledger) ledger = open_private();
    gint64 id = hold(ledger, "4XyZ1");
    struct ledger_decision first = some_decision(id), again = some_decision(id);
    g_assert_cmpint(ledger_decide_once(ledger, &first, &error), ==, 1);
    DONE(ledger_decision_end(ledger, first.id, 3, "too late", NOON, &error));
    g_assert_cmpint(ledger_decide_once(ledger, &again, &error), ==, 0);
    g_assert_cmpint(again.id, ==, first.id);
    g_assert_cmpint(again.code, ==, 3);
    g_assert_cmpstr(again.words, ==, "too late");
    g_free(again.words);
    auto_free(ledger_decision) found = ledger_decision_of(ledger, "one/17/1", &error);
    g_assert_cmpint(found->id, ==, first.id);
    g_assert_null(ledger_decision_of(ledger, "two/17/1", &error));
    g_assert_cmpint(error.failure, ==, DATABASE_NONE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/mirror", test_mirror);
    g_test_add_func("/record/other-versions", test_other_versions);
    g_test_add_func("/record/policies", test_policies);
    g_test_add_func("/unpublished/changes", test_changes);
    g_test_add_func("/unpublished/overtaken", test_overtaken);
    g_test_add_func("/unpublished/order", test_order);
    g_test_add_func("/unpublished/other-database", test_other_database);
    g_test_add_func("/unpublished/compare", test_compare);
    g_test_add_func("/decision/once", test_once);
    return g_test_run();
}
