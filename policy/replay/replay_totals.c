/* replay_totals - see replay_totals.h */

#include "policy/replay/replay_totals.h"

#include "policy/base/keyed_hash.h"

#include <string.h>

static char *keep_name(struct tally *tally, const char *name)
{
    return name != NULL ? g_string_chunk_insert(tally->names, name) : NULL;
}

/* ---- rules */

/* The figures of a rule; made if it is new. */
static struct rule_tally *find_rule(struct tally *tally, const char *verdict, const char *name, bool monitor)
{
    g_autofree char *key = g_strconcat(monitor ? "would " : "", verdict, ":", name, NULL);
    struct rule_tally *rule = g_hash_table_lookup(tally->rule_index, key);

    if (rule == NULL) {
        rule = g_new0(struct rule_tally, 1);
        rule->verdict = keep_name(tally, verdict);
        rule->rule = keep_name(tally, name);
        rule->monitor = monitor;
        g_ptr_array_add(tally->rules, rule);
        g_hash_table_insert(tally->rule_index, g_steal_pointer(&key), rule);
    }
    return rule;
}

/* Every rule has its line in a report, whether it matches or not: one that never does is worth knowing. */
static void add_rules_of_policy(struct tally *tally)
{
    unsigned count = policy_rule_count(tally->policy);

    for (unsigned i = 0; i <= count; i++) {
        struct rule_facts facts = i < count ? policy_rule(tally->policy, i) : policy_default(tally->policy);
        struct rule_tally *rule = find_rule(tally, disposition_name(facts.disposition), facts.name, facts.monitor);
        rule->line = facts.line;
        rule->present = true;
    }
}

static void count_ruling(struct tally *tally, const struct ruling *ruling, bool old)
{
    if (ruling->rule == NULL)
        return;
    struct rule_tally *rule = find_rule(tally, disposition_name(ruling->disposition), ruling->rule, false);
    if (!old) {
        rule->line = ruling->line;
        rule->present = true;
    }
    ++*(old ? &rule->old : &rule->messages);
    for (char **would = ruling->would; *would != NULL; would++) {
        const char *colon = strchr(*would, ':');
        g_autofree char *verdict = g_strndup(*would, (size_t)(colon - *would));
        rule = find_rule(tally, verdict, colon + 1, true);
        rule->present = rule->present || !old;
        ++*(old ? &rule->old : &rule->messages);
    }
}

/* ---- senders */

static void count_sender(struct tally *tally, const struct replayed *replayed)
{
    struct sender_tally *sender = g_hash_table_lookup(tally->senders, replayed->sender);

    if (sender == NULL && g_hash_table_size(tally->senders) < TALLY_SENDERS) {
        sender = g_new0(struct sender_tally, 1);
        sender->sender = keep_name(tally, replayed->sender);
        g_hash_table_insert(tally->senders, sender->sender, sender);
    }
    if (sender == NULL)
        sender = &tally->others;
    sender->messages++;
    sender->by[replayed->ruling.disposition]++;
}

guint64 tally_stopped(const guint64 by[DISPOSITIONS])
{
    guint64 stopped = 0;

    for (unsigned i = 0; i < DISPOSITIONS; i++)
        if (disposition_stops((enum disposition)i))
            stopped += by[i];
    return stopped;
}

static int compare_numbers(guint64 a, guint64 b)
{
    return (a < b) - (a > b);
}

static int compare_senders(gconstpointer a, gconstpointer b)
{
    const struct sender_tally *x = *(const struct sender_tally *const *)a;
    const struct sender_tally *y = *(const struct sender_tally *const *)b;
    int order = compare_numbers(tally_stopped(x->by), tally_stopped(y->by));

    if (order == 0)
        order = compare_numbers(x->messages, y->messages);
    return order != 0 ? order : strcmp(x->sender, y->sender);
}

GPtrArray *tally_senders(const struct tally *tally, unsigned limit, struct sender_tally *rest)
{
    GPtrArray *senders = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer sender;

    g_hash_table_iter_init(&iterator, tally->senders);
    while (g_hash_table_iter_next(&iterator, NULL, &sender))
        g_ptr_array_add(senders, sender);
    g_ptr_array_sort(senders, compare_senders);
    *rest = tally->others;
    for (unsigned i = limit; i < senders->len; i++) {
        const struct sender_tally *one = g_ptr_array_index(senders, i);
        rest->messages += one->messages;
        for (unsigned j = 0; j < DISPOSITIONS; j++)
            rest->by[j] += one->by[j];
    }
    if (senders->len > limit)
        g_ptr_array_set_size(senders, (int)limit);
    return senders;
}

/* ---- counts */

static void spread_add(struct spread *spread, unsigned value, enum disposition disposition)
{
    value = MIN(value, SPREAD_VALUES - 1);
    spread->messages[value][disposition]++;
    spread->most = MAX(spread->most, value);
}

guint64 spread_at(const struct spread *spread, unsigned value)
{
    guint64 messages = 0;

    for (unsigned i = 0; i < DISPOSITIONS; i++)
        messages += spread->messages[value][i];
    return messages;
}

guint64 spread_from(const struct spread *spread, unsigned least)
{
    guint64 messages = 0;

    for (unsigned value = least; value <= spread->most; value++)
        messages += spread_at(spread, value);
    return messages;
}

/* ---- thresholds */

/* Keeps a message if it is nearer than the last that is kept.  `side` has the nearest first. */
static void keep_near(struct near *side, unsigned *kept, struct replayed *replayed, unsigned count, unsigned threshold)
{
    unsigned distance = count < threshold ? threshold - count : count - threshold;
    unsigned place = *kept;

    while (place > 0) {
        unsigned other = side[place - 1].count;
        if (distance >= (other < threshold ? threshold - other : other - threshold))
            break;
        place--;
    }
    if (place == TALLY_NEAR)
        return;
    if (*kept == TALLY_NEAR)
        replayed_unref(side[--*kept].message);
    memmove(&side[place + 1], &side[place], (*kept - place) * sizeof *side);
    side[place] = (struct near){.message = replayed_ref(replayed), .count = count};
    ++*kept;
}

static void count_thresholds(struct tally *tally, struct replayed *replayed)
{
    for (unsigned i = 0; i < replayed->hanging->len; i++) {
        struct hanging hanging = g_array_index(replayed->hanging, struct hanging, i);
        struct near_tally *near = &tally->near[hanging.threshold];
        unsigned number = policy_threshold(tally->policy, hanging.threshold)->number;
        if (hanging.count < number) {
            near->below_messages++;
            keep_near(near->below, &near->below_count, replayed, hanging.count, number);
        } else {
            near->above_messages++;
            keep_near(near->above, &near->above_count, replayed, hanging.count, number);
        }
    }
}

/* ---- two policies */

static struct change_tally *find_change(struct tally *tally, const struct ruling *old, const struct ruling *now)
{
    g_autofree char *key =
        g_strdup_printf("%s:%s %s:%s", disposition_name(old->disposition), old->rule != NULL ? old->rule : "",
                        disposition_name(now->disposition), now->rule != NULL ? now->rule : "");
    struct change_tally *change = g_hash_table_lookup(tally->change_index, key);

    if (change == NULL && tally->changes->len < TALLY_CHANGES) {
        change = g_new0(struct change_tally, 1);
        change->old = old->disposition;
        change->now = now->disposition;
        change->old_rule = keep_name(tally, old->rule);
        change->rule = keep_name(tally, now->rule);
        g_ptr_array_add(tally->changes, change);
        g_hash_table_insert(tally->change_index, g_steal_pointer(&key), change);
    }
    return change;
}

static void count_change(struct tally *tally, struct replayed *replayed)
{
    struct change_tally *change = find_change(tally, &replayed->old, &replayed->ruling);

    ++*(replayed->old.disposition != replayed->ruling.disposition ? &tally->changed : &tally->moved);
    ++*(change != NULL ? &change->messages : &tally->unlisted);
    if (tally->kept->len < TALLY_CHANGED)
        g_ptr_array_add(tally->kept, replayed_ref(replayed));
}

/* ---- the whole */

struct tally *tally_new(struct policy *policy, struct policy *against)
{
    struct tally *tally = g_new0(struct tally, 1);

    tally->policy = policy_ref(policy);
    tally->against = against != NULL ? policy_ref(against) : NULL;
    tally->names = g_string_chunk_new(1024);
    tally->rules = g_ptr_array_new_with_free_func(g_free);
    tally->rule_index = g_hash_table_new_full(hash_string, g_str_equal, g_free, NULL);
    tally->senders = g_hash_table_new_full(hash_string, g_str_equal, NULL, g_free);
    tally->changes = g_ptr_array_new_with_free_func(g_free);
    tally->change_index = g_hash_table_new_full(hash_string, g_str_equal, g_free, NULL);
    tally->kept = g_ptr_array_new_with_free_func((GDestroyNotify)replayed_unref);
    tally->near_count = MIN(policy_threshold_count(policy), REPLAYED_THRESHOLDS);
    tally->near = g_new0(struct near_tally, tally->near_count);
    tally->parties.messages = g_malloc0_n(SPREAD_VALUES, sizeof *tally->parties.messages);
    tally->visible.messages = g_malloc0_n(SPREAD_VALUES, sizeof *tally->visible.messages);
    add_rules_of_policy(tally);
    return tally;
}

void tally_free(struct tally *tally)
{
    if (tally == NULL)
        return;
    for (unsigned i = 0; i < tally->near_count; i++) {
        for (unsigned j = 0; j < tally->near[i].below_count; j++)
            replayed_unref(tally->near[i].below[j].message);
        for (unsigned j = 0; j < tally->near[i].above_count; j++)
            replayed_unref(tally->near[i].above[j].message);
    }
    g_free(tally->near);
    g_free(tally->parties.messages);
    g_free(tally->visible.messages);
    g_ptr_array_unref(tally->rules);
    g_ptr_array_unref(tally->changes);
    g_ptr_array_unref(tally->kept);
    g_hash_table_unref(tally->rule_index);
    g_hash_table_unref(tally->change_index);
    g_hash_table_unref(tally->senders);
    g_string_chunk_free(tally->names);
    policy_unref(tally->policy);
    if (tally->against != NULL)
        policy_unref(tally->against);
    g_free(tally);
}

static void note_date(struct tally *tally, const char *date)
{
    if (date[0] == '\0')
        return;
    if (tally->first[0] == '\0' || strcmp(date, tally->first) < 0)
        g_strlcpy(tally->first, date, sizeof tally->first);
    if (strcmp(date, tally->last) > 0)
        g_strlcpy(tally->last, date, sizeof tally->last);
}

void tally_add(struct tally *tally, struct replayed *replayed)
{
    tally->messages++;
    note_date(tally, replayed->date);
    if (replayed->ruling.rule != NULL) {
        enum disposition disposition = replayed->ruling.disposition;
        tally->evaluated++;
        tally->by[disposition]++;
        spread_add(&tally->parties, replayed->counts[COUNT_PARTIES], disposition);
        spread_add(&tally->visible, replayed->counts[COUNT_VISIBLE], disposition);
        count_sender(tally, replayed);
        count_thresholds(tally, replayed);
    }
    count_ruling(tally, &replayed->ruling, false);
    if (tally->against != NULL) {
        count_ruling(tally, &replayed->old, true);
        if (replayed_changed(replayed))
            count_change(tally, replayed);
    }
    replayed_unref(replayed);
}
