/* test-replay-totals - figures of made-up messages: by rule, by sender, by count, next to thresholds, between policies
 */

#include "policy/replay/replay_totals.h"
#include "unit.h"

#define RULES                                                                                                          \
    UNIT_HEAD "rule never { when visible(all) >= 9000 reject \"x\" }\n"                                                \
              "rule wide { when parties(external) >= 10 quarantine \"x\" }\n"                                          \
              "rule trial { monitor when parties(external) >= 5 reject \"x\" }\n"                                      \
              "default accept\n"
#define OLD UNIT_HEAD "rule wide { when parties(external) >= 8 quarantine \"x\" }\ndefault accept\n"

/* One message to so many parties. */
static struct replayed *message_to(struct policy *policy, struct policy *against, const char *sender, unsigned people,
                                   const char *date)
{
    struct replayed_options options = {.policy = policy, .against = against, .always_outbound = true};
    g_autofree char *to = people_of(people, "c{n}@x{n}.example");
    auto_free(message) message = message_of(sender, to);

    if (date != NULL)
        message_add_header(message, "Date", date);
    return replayed_new(message, "box", people, &options);
}

static const struct rule_tally *rule_of(const struct tally *tally, unsigned index, const char *verdict,
                                        const char *name)
{
    const struct rule_tally *rule = g_ptr_array_index(tally->rules, index);

    g_assert_cmpstr(rule->verdict, ==, verdict);
    g_assert_cmpstr(rule->rule, ==, name);
    return rule;
}

static void test_rules(void)
{
    struct policy *policy = policy_of(RULES);
    auto_free(tally) tally = tally_new(policy, NULL);

    for (unsigned people = 0; people < 20; people++)
        tally_add(tally, message_to(policy, NULL, "care@me.example", people, NULL));
    g_assert_cmpuint(tally->messages, ==, 20);
    g_assert_cmpuint(tally->evaluated, ==, 20);
    g_assert_cmpuint(tally->by[DISPOSITION_QUARANTINE], ==, 10);
    g_assert_cmpuint(tally_stopped(tally->by), ==, 10);
    /* Every rule, in the order of the policy, those without a message too; `default` is the last. */
    g_assert_cmpuint(tally->rules->len, ==, 4);
    g_assert_cmpuint(rule_of(tally, 0, "reject", "never")->messages, ==, 0);
    g_assert_cmpuint(rule_of(tally, 1, "quarantine", "wide")->messages, ==, 10);
    /* What an earlier rule decided did not come to the monitor rule. */
    g_assert_cmpuint(rule_of(tally, 2, "reject", "trial")->messages, ==, 5);
    g_assert_true(rule_of(tally, 2, "reject", "trial")->monitor);
    g_assert_cmpuint(rule_of(tally, 3, "accept", "default")->messages, ==, 10);
    g_assert_cmpuint(rule_of(tally, 3, "accept", "default")->line, ==, 7);
    policy_unref(policy);
}

static void test_dates(void)
{
    struct policy *policy = policy_of(RULES);
    auto_free(tally) tally = tally_new(policy, NULL);

    g_assert_cmpstr(tally->first, ==, "");
    tally_add(tally, message_to(policy, NULL, "care@me.example", 1, "Mon, 23 Nov 2026 18:34:00 +0100"));
    tally_add(tally, message_to(policy, NULL, "care@me.example", 1, NULL));
    tally_add(tally, message_to(policy, NULL, "care@me.example", 1, "1 Jan 2026 08:00:00 +0100"));
    tally_add(tally, message_to(policy, NULL, "care@me.example", 1, "2 Feb 2026 08:00:00 +0100"));
    g_assert_cmpstr(tally->first, ==, "2026-01-01 08:00");
    g_assert_cmpstr(tally->last, ==, "2026-11-23 18:34");
    policy_unref(policy);
}

static void test_senders(void)
{
    struct policy *policy = policy_of(RULES);
    auto_free(tally) tally = tally_new(policy, NULL);
    struct sender_tally rest;
    g_autoptr(GPtrArray) senders = NULL;
    const struct sender_tally *first;

    for (unsigned i = 0; i < 5; i++)
        tally_add(tally, message_to(policy, NULL, "many@me.example", 1, NULL));
    for (unsigned i = 0; i < 2; i++)
        tally_add(tally, message_to(policy, NULL, "held@me.example", 10, NULL));
    tally_add(tally, message_to(policy, NULL, "b@me.example", 1, NULL));
    tally_add(tally, message_to(policy, NULL, "A@me.example", 1, NULL));
    senders = tally_senders(tally, 3, &rest);
    g_assert_cmpuint(senders->len, ==, 3);
    first = g_ptr_array_index(senders, 0);
    g_assert_cmpstr(first->sender, ==, "held@me.example");
    g_assert_cmpuint(first->by[DISPOSITION_QUARANTINE], ==, 2);
    g_assert_cmpstr(((const struct sender_tally *)g_ptr_array_index(senders, 1))->sender, ==, "many@me.example");
    g_assert_cmpstr(((const struct sender_tally *)g_ptr_array_index(senders, 2))->sender, ==, "a@me.example");
    g_assert_cmpuint(rest.messages, ==, 1);
    g_assert_cmpuint(rest.by[DISPOSITION_ACCEPT], ==, 1);
    policy_unref(policy);
}

/* Exact up to the limit; beyond it no message is lost, only its name. */
static void test_many_senders(void)
{
    struct policy *policy = policy_of(RULES);
    auto_free(tally) tally = tally_new(policy, NULL);
    struct sender_tally rest;
    g_autoptr(GPtrArray) senders = NULL;
    guint64 sum = 0;

    for (unsigned i = 0; i < TALLY_SENDERS + 50; i++) {
        g_autofree char *sender = g_strdup_printf("s%u@me.example", i);
        tally_add(tally, message_to(policy, NULL, sender, 1, NULL));
    }
    tally_add(tally, message_to(policy, NULL, "s0@me.example", 1, NULL));
    senders = tally_senders(tally, TALLY_SENDERS, &rest);
    g_assert_cmpuint(senders->len, ==, TALLY_SENDERS);
    g_assert_cmpuint(rest.messages, ==, 50);
    for (unsigned i = 0; i < senders->len; i++)
        sum += ((const struct sender_tally *)g_ptr_array_index(senders, i))->messages;
    g_assert_cmpuint(sum + rest.messages, ==, tally->messages);
    policy_unref(policy);
}

static void test_spread(void)
{
    struct policy *policy = policy_of(RULES);
    auto_free(tally) tally = tally_new(policy, NULL);

    for (unsigned people = 0; people < 12; people++)
        for (unsigned i = 0; i <= people % 3; i++)
            tally_add(tally, message_to(policy, NULL, "care@me.example", people, NULL));
    g_assert_cmpuint(tally->parties.most, ==, 11);
    g_assert_cmpuint(spread_from(&tally->parties, 0), ==, tally->messages);
    g_assert_cmpuint(spread_from(&tally->parties, 10), ==, 5);
    g_assert_cmpuint(spread_from(&tally->parties, 11), ==, 3);
    g_assert_cmpuint(spread_from(&tally->parties, 12), ==, 0);
    g_assert_cmpuint(spread_at(&tally->parties, 9), ==, 1);
    g_assert_cmpuint(tally->parties.messages[10][DISPOSITION_QUARANTINE], ==, 2);
    policy_unref(policy);
}

static void test_near(void)
{
    static const unsigned people[] = {1, 9, 3, 12, 7, 10, 9, 8, 200, 2, 10, 30, 11, 6, 40};
    static const unsigned below[] = {9, 9, 8, 7, 6}, above[] = {10, 10, 11, 12, 30};
    struct policy *policy = policy_of(RULES);
    auto_free(tally) tally = tally_new(policy, NULL);
    const struct near_tally *near;

    for (unsigned i = 0; i < G_N_ELEMENTS(people); i++)
        tally_add(tally, message_to(policy, NULL, "care@me.example", people[i], NULL));
    g_assert_cmpuint(tally->near_count, ==, 3);
    near = &tally->near[1];
    g_assert_cmpuint(near->below_messages, ==, 8);
    g_assert_cmpuint(near->above_messages, ==, 7);
    g_assert_cmpuint(near->below_count, ==, TALLY_NEAR);
    g_assert_cmpuint(near->above_count, ==, TALLY_NEAR);
    for (unsigned i = 0; i < TALLY_NEAR; i++) {
        g_assert_cmpuint(near->below[i].count, ==, below[i]);
        g_assert_cmpuint(near->above[i].count, ==, above[i]);
        g_assert_cmpuint(near->above[i].message->counts[COUNT_PARTIES], ==, above[i]);
    }
    /* No message came near to this one. */
    g_assert_cmpuint(tally->near[0].above_count, ==, 0);
    g_assert_cmpuint(tally->near[0].below_messages, ==, 15);
    policy_unref(policy);
}

/* Of equal ones the first are kept. */
static void test_near_first(void)
{
    struct policy *policy = policy_of(RULES);
    auto_free(tally) tally = tally_new(policy, NULL);

    for (unsigned i = 0; i < 9; i++) {
        g_autofree char *sender = g_strdup_printf("s%u@me.example", i);
        tally_add(tally, message_to(policy, NULL, sender, 9, NULL));
    }
    for (unsigned i = 0; i < TALLY_NEAR; i++) {
        g_autofree char *sender = g_strdup_printf("s%u@me.example", i);
        g_assert_cmpstr(tally->near[1].below[i].message->sender, ==, sender);
    }
    policy_unref(policy);
}

static void test_changes(void)
{
    struct policy *policy = policy_of(RULES), *old = policy_of(OLD);
    auto_free(tally) tally = tally_new(policy, old);
    const struct change_tally *change;

    for (unsigned round = 0; round < 150; round++)
        for (unsigned people = 6; people < 12; people++)
            tally_add(tally, message_to(policy, old, "care@me.example", people, NULL));
    g_assert_cmpuint(tally->changed, ==, 300);
    g_assert_cmpuint(tally->moved, ==, 0);
    g_assert_cmpuint(tally->changes->len, ==, 1);
    change = g_ptr_array_index(tally->changes, 0);
    g_assert_cmpint(change->old, ==, DISPOSITION_QUARANTINE);
    g_assert_cmpint(change->now, ==, DISPOSITION_ACCEPT);
    g_assert_cmpstr(change->old_rule, ==, "wide");
    g_assert_cmpstr(change->rule, ==, "default");
    g_assert_cmpuint(change->messages, ==, 300);
    g_assert_cmpuint(tally->kept->len, ==, TALLY_CHANGED);
    g_assert_cmpuint(rule_of(tally, 1, "quarantine", "wide")->messages, ==, 300);
    g_assert_cmpuint(rule_of(tally, 1, "quarantine", "wide")->old, ==, 600);
    policy_unref(policy);
    policy_unref(old);
}

/* The same verdict by a rule of another name is told apart from another verdict. */
static void test_moved(void)
{
    struct policy *policy = policy_of(RULES);
    struct policy *old = policy_of(UNIT_HEAD "rule broad { when parties(external) >= 10 quarantine \"x\" }\n"
                                             "rule gone { when parties(external) >= 9 tag \"x\" }\ndefault accept\n");
    auto_free(tally) tally = tally_new(policy, old);
    const struct rule_tally *gone;

    tally_add(tally, message_to(policy, old, "care@me.example", 10, NULL));
    tally_add(tally, message_to(policy, old, "care@me.example", 9, NULL));
    g_assert_cmpuint(tally->moved, ==, 1);
    g_assert_cmpuint(tally->changed, ==, 1);
    g_assert_cmpuint(tally->changes->len, ==, 2);
    gone = rule_of(tally, tally->rules->len - 1, "tag", "gone");
    g_assert_false(gone->present);
    g_assert_cmpuint(gone->old, ==, 1);
    policy_unref(policy);
    policy_unref(old);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tally/rules", test_rules);
    g_test_add_func("/tally/dates", test_dates);
    g_test_add_func("/tally/senders", test_senders);
    g_test_add_func("/tally/many-senders", test_many_senders);
    g_test_add_func("/tally/spread", test_spread);
    g_test_add_func("/tally/near", test_near);
    g_test_add_func("/tally/near-first", test_near_first);
    g_test_add_func("/tally/changes", test_changes);
    g_test_add_func("/tally/moved", test_moved);
    return g_test_run();
}
