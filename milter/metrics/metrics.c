/* metrics - see metrics.h */

#include <config.h>

#include "milter/metrics/metrics.h"

#include "milter/metrics/metrics_text.h"
#include "policy/base/keyed_hash.h"

#include <pthread.h>
#include <string.h>

/* What means a rule that the policy no longer has: no rule can be called so. */
#define GONE "-"

/* What the rule of a verdict begins with if it is a fault. */
#define FAULT_LEAD    "fault:"
#define ERROR_LEAD    "error:"
#define OVERRIDE_LEAD "override:"

/* What a count is named by: a rule, or a word of ours. */
struct metrics_row {
    const char *name;  /* the policy's or a constant */
    unsigned verdicts; /* bits of enum disposition: those that are there from the beginning */
    bool monitor;      /* `would` does so, too, for the one that is here: */
    enum disposition action;
    bool acts;   /* it may give a verdict, which then may fail to be carried out */
    bool faults; /* it may run into a limit */

    guint64 messages[DISPOSITIONS];
    guint64 would[DISPOSITIONS];
    guint64 fault_count;
    guint64 error_count;
};

/* The rows of one policy, which owns their names. */
struct metrics_table {
    struct policy *policy;
    GArray *rows;      /* struct metrics_row, in the order of the policy */
    GHashTable *index; /* name: index + 1 */
};

/* All that is a number and no row. */
struct totals {
    gint64 started; /* this and the next since 1970 */
    gint64 policy_loaded;
    gint64 policy_changed;
    bool reload_good; /* of the last one */
    guint64 reloads_done;
    guint64 reloads_failed;

    guint64 judged;
    guint64 not_outbound;
    guint64 defects[4];
    guint64 ledger_errors[METRICS_LEDGER_KINDS];
    guint64 no_memory[METRICS_MEMORY_KINDS];
    guint64 state_errors[STATE_OPERATIONS];
    guint64 known, unknown;
    guint64 inside[INSIDE_PLACES], inside_nobody, inside_away;
    guint64 opaque[OPAQUE_KINDS];
    guint64 overrides[METRICS_OVERRIDE_KINDS];
    guint64 answers[METRICS_ANSWER_KINDS];
    struct metrics_histogram windows;
    struct metrics_histogram parties;
    struct metrics_histogram judging;
    struct metrics_histogram ledger;
};

/* A POSIX lock and not GLib's, which a thread sanitizer does not see through. */
struct metrics {
    const char *instance; /* of all samples, or NULL */
    pthread_mutex_t lock; /* of what follows */
    struct metrics_table table;
    struct totals totals;
};

static const enum defect defects[] = {DEFECT_SYNTAX, DEFECT_LIMIT, DEFECT_UNPARSED, DEFECT_CUT};
G_STATIC_ASSERT(G_N_ELEMENTS(defects) == G_N_ELEMENTS(((struct totals *)NULL)->defects));

/* Rules say `>= 10`, and buckets `<= 9`: so how many there were from 10 on can be read off.  As replay draws them. */
static const struct metrics_scale parties_scale = {
    1,
    {{"0", 0},
     {"1", 1},
     {"2", 2},
     {"4", 4},
     {"9", 9},
     {"19", 19},
     {"49", 49},
     {"99", 99},
     {"199", 199},
     {"499", 499},
     {"999", 999},
     {NULL, 0}},
};

static const struct metrics_scale judging_scale = {
    G_USEC_PER_SEC,
    {{"0.00005", 50},
     {"0.0001", 100},
     {"0.00025", 250},
     {"0.0005", 500},
     {"0.001", 1000},
     {"0.0025", 2500},
     {"0.01", 10000},
     {"0.1", 100000},
     {"1", 1000000},
     {"10", 10000000},
     {NULL, 0}},
};

static const struct metrics_scale ledger_scale = {
    G_USEC_PER_SEC,
    {{"0.0005", 500},
     {"0.001", 1000},
     {"0.0025", 2500},
     {"0.005", 5000},
     {"0.01", 10000},
     {"0.025", 25000},
     {"0.05", 50000},
     {"0.1", 100000},
     {"0.25", 250000},
     {"0.5", 500000},
     {"1", 1000000},
     {NULL, 0}},
};

/* ---- rows */

static struct metrics_row *row_find(const struct metrics_table *table, const char *name)
{
    guint index = GPOINTER_TO_UINT(g_hash_table_lookup(table->index, name));
    return index == 0 ? NULL : &g_array_index(table->rows, struct metrics_row, index - 1);
}

/* A rule may be named as one of our words is: they share the row then. */
static struct metrics_row *row_make(struct metrics_table *table, const char *name)
{
    struct metrics_row *row = row_find(table, name);
    if (row != NULL)
        return row;
    const struct metrics_row none = {.name = name};
    g_array_append_val(table->rows, none);
    g_hash_table_insert(table->index, (gpointer)name, GUINT_TO_POINTER(table->rows->len));
    return &g_array_index(table->rows, struct metrics_row, table->rows->len - 1);
}

static void add_verdict(struct metrics_table *table, const char *name, enum disposition disposition)
{
    row_make(table, name)->verdicts |= 1u << disposition;
}

static void add_rule(struct metrics_table *table, const struct rule_facts *rule)
{
    struct metrics_row *row = row_make(table, rule->name);
    row->action = rule->disposition;
    row->monitor = rule->monitor;
    row->acts = !rule->monitor;
    row->faults = true;
    if (!rule->monitor)
        row->verdicts |= 1u << rule->disposition;
}

static struct metrics_table table_new(struct policy *policy, const struct config *config)
{
    struct metrics_table table = {
        .policy = policy_ref(policy),
        .rows = g_array_new(FALSE, TRUE, sizeof(struct metrics_row)),
        .index = g_hash_table_new(hash_string, g_str_equal),
    };
    for (unsigned i = 0; i < policy_rule_count(policy); i++) {
        struct rule_facts rule = policy_rule(policy, i);
        add_rule(&table, &rule);
    }
    add_verdict(&table, "default", policy_default(policy).disposition);
    row_make(&table, "default")->acts = true;
    add_verdict(&table, "fault", config->on_fault);
    add_verdict(&table, "error", config->on_error);
    row_make(&table, "outbound")->faults = true; /* the statement; the word is no rule's name */
    row_make(&table, GONE);
    return table;
}

static void table_clear(struct metrics_table *table)
{
    policy_unref(table->policy);
    g_array_unref(table->rows);
    if (table->index != NULL)
        g_hash_table_unref(table->index);
}

/* Goes on counting where the rows of the policy before were. */
static void table_take_over(struct metrics_table *table, const struct metrics_table *before)
{
    for (guint i = 0; i < table->rows->len; i++) {
        struct metrics_row *row = &g_array_index(table->rows, struct metrics_row, i);
        const struct metrics_row *old = row_find(before, row->name);
        if (old == NULL)
            continue;
        memcpy(row->messages, old->messages, sizeof row->messages);
        memcpy(row->would, old->would, sizeof row->would);
        row->fault_count = old->fault_count;
        row->error_count = old->error_count;
    }
}

struct metrics *metrics_new(const struct config *config, struct policy *policy, gint64 now)
{
    struct metrics *metrics = g_new0(struct metrics, 1);
    metrics->instance = config->instance; /* the first configuration stays for as long as the process */
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->table = table_new(policy, config);
    metrics->totals = (struct totals){.started = now, .policy_loaded = now, .policy_changed = now, .reload_good = true};
    return metrics;
}

/* ---- counting */

/* The row of a rule, or that of all that are gone. */
static struct metrics_row *row_of(struct metrics *metrics, const char *name)
{
    struct metrics_row *row = row_find(&metrics->table, name);
    return row != NULL ? row : row_find(&metrics->table, GONE);
}

/* "reject:trial", "fault:trial" */
static void count_would(struct metrics *metrics, const char *would)
{
    const char *colon = strchr(would, ':');
    if (colon == NULL)
        return;
    struct metrics_row *row = row_of(metrics, colon + 1);
    if (g_str_has_prefix(would, FAULT_LEAD)) {
        row->fault_count++;
        return;
    }
    if (g_str_has_prefix(would, ERROR_LEAD)) {
        row->error_count++;
        return;
    }
    for (unsigned i = 0; i < DISPOSITIONS; i++) {
        const char *name = disposition_name((enum disposition)i);
        if (strncmp(would, name, (size_t)(colon - would)) == 0 && name[colon - would] == '\0')
            row->would[i]++;
    }
}

static void count_verdict(struct metrics *metrics, const struct metrics_message *message)
{
    const struct verdict *verdict = message->verdict;
    const char *rule = verdict->rule;
    if (verdict->fault && g_str_has_prefix(rule, FAULT_LEAD)) {
        rule += strlen(FAULT_LEAD);
        row_of(metrics, rule)->fault_count++;
    }
    const bool away = g_str_has_prefix(rule, ERROR_LEAD);
    if (away)
        rule += strlen(ERROR_LEAD);
    if (message->failed)
        row_of(metrics, rule)->error_count++;
    const char *name = message->failed || away ? "error" : verdict->fault ? "fault" : rule;
    row_of(metrics, name)->messages[message->disposition]++;
}

static void count_state(struct totals *totals, const struct verdict_state *state)
{
    for (guint i = 0; state->windows != NULL && i < state->windows->len; i++) {
        const struct verdict_window *window = &g_array_index(state->windows, struct verdict_window, i);
        if (window->known)
            metrics_histogram_add(&totals->windows, &parties_scale, window->value);
    }
    totals->known += state->known == KNOWN_YES;
    totals->unknown += state->known == KNOWN_NO;
}

/* A message counts for each place where somebody outside is. */
static void count_inside(struct totals *totals, const struct inside_counts *counts)
{
    for (unsigned i = 0; i < INSIDE_PLACES; i++)
        totals->inside[i] += counts->places[i].people > 0;
    totals->inside_nobody += counts->asked == INSIDE_READ && !inside_counts_any(counts);
    totals->inside_away += counts->asked == INSIDE_AWAY;
    for (unsigned i = 0; i < OPAQUE_KINDS; i++)
        totals->opaque[i] += (counts->opaque & 1u << i) != 0;
}

static void count_override(struct totals *totals, const struct metrics_message *message)
{
    const struct verdict *verdict = message->verdict;
    bool passed = disposition_reply(message->disposition) == NULL;

    totals->overrides[METRICS_OVERRIDE_GIVEN] += verdict->override.reply != NULL;
    totals->overrides[METRICS_OVERRIDE_TAKEN] += verdict->override.skipped && passed;
    totals->overrides[METRICS_OVERRIDE_REFUSED] += g_str_has_prefix(verdict->rule, OVERRIDE_LEAD);
}

void metrics_count_message(struct metrics *metrics, const struct metrics_message *message)
{
    if (metrics == NULL)
        return;
    const struct verdict *verdict = message->verdict;
    const struct exposure_counts counts = exposure_counts(verdict->exposure);

    pthread_mutex_lock(&metrics->lock);
    metrics->totals.judged++;
    count_verdict(metrics, message);
    for (guint i = 0; verdict->would != NULL && i < verdict->would->len; i++)
        count_would(metrics, g_ptr_array_index(verdict->would, i));
    for (unsigned i = 0; i < G_N_ELEMENTS(defects); i++)
        metrics->totals.defects[i] += (counts.defects & (unsigned)defects[i]) != 0;
    count_state(&metrics->totals, &verdict->state);
    count_override(&metrics->totals, message);
    count_inside(&metrics->totals, &verdict->body.counts);
    metrics_histogram_add(&metrics->totals.parties, &parties_scale, counts.parties);
    metrics_histogram_add(&metrics->totals.judging, &judging_scale, (guint64)MAX(message->judging, 0));
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_count_not_outbound(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    pthread_mutex_lock(&metrics->lock);
    metrics->totals.not_outbound++;
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_time_ledger(struct metrics *metrics, gint64 duration)
{
    if (metrics == NULL)
        return;
    pthread_mutex_lock(&metrics->lock);
    metrics_histogram_add(&metrics->totals.ledger, &ledger_scale, (guint64)MAX(duration, 0));
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_count_state_error(struct metrics *metrics, enum state_operation operation)
{
    if (metrics == NULL)
        return;
    pthread_mutex_lock(&metrics->lock);
    metrics->totals.state_errors[operation]++;
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_count_override(struct metrics *metrics, enum metrics_override kind)
{
    if (metrics == NULL)
        return;
    pthread_mutex_lock(&metrics->lock);
    metrics->totals.overrides[kind]++;
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_count_answer(struct metrics *metrics, unsigned kind)
{
    if (metrics == NULL)
        return;
    pthread_mutex_lock(&metrics->lock);
    metrics->totals.answers[kind]++;
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_count_ledger_error(struct metrics *metrics, enum metrics_ledger kind)
{
    if (metrics == NULL)
        return;
    pthread_mutex_lock(&metrics->lock);
    metrics->totals.ledger_errors[kind]++;
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_count_no_memory(struct metrics *metrics, enum metrics_memory kind)
{
    if (metrics == NULL)
        return;
    pthread_mutex_lock(&metrics->lock);
    metrics->totals.no_memory[kind]++;
    pthread_mutex_unlock(&metrics->lock);
}

static void count_reload_failed(struct metrics *metrics)
{
    pthread_mutex_lock(&metrics->lock);
    metrics->totals.reloads_failed++;
    metrics->totals.reload_good = false;
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_count_reload(struct metrics *metrics, const struct config *config, struct policy *policy, gint64 now)
{
    if (metrics == NULL)
        return;
    if (policy == NULL) {
        count_reload_failed(metrics);
        return;
    }
    struct metrics_table table = table_new(policy, config);
    pthread_mutex_lock(&metrics->lock);
    struct metrics_table before = metrics->table;
    struct totals *totals = &metrics->totals;
    table_take_over(&table, &before);
    metrics->table = table;
    totals->reloads_done++;
    totals->reload_good = true;
    totals->policy_loaded = now;
    if (strcmp(policy_digest(before.policy), policy_digest(policy)) != 0)
        totals->policy_changed = now;
    pthread_mutex_unlock(&metrics->lock);
    table_clear(&before);
}

/* ---- writing */

/* What is written: a copy, so that nobody who counts waits for it. */
struct picture {
    const struct metrics_text *text;
    struct metrics_table table; /* without its index */
    struct totals totals;
    const struct metrics_held *held;
    gint64 now;
};

static void one_number(const struct picture *picture, const char *name, const char *type, const char *help,
                       guint64 value)
{
    metrics_text_begin(picture->text, name, type, help);
    metrics_text_number(picture->text, name, NULL, value);
}

static void one_time(const struct picture *picture, const char *name, const char *help, gint64 value)
{
    metrics_text_begin(picture->text, name, "gauge", help);
    metrics_text_seconds(picture->text, name, NULL, value);
}

static void one_label(const struct picture *picture, const char *name, const char *label, const char *label_value,
                      guint64 value)
{
    const struct metrics_label labels[] = {{label, label_value}, {NULL, NULL}};
    metrics_text_number(picture->text, name, labels, value);
}

static void by_verdict(const struct picture *picture, const char *name, unsigned disposition, const char *rule,
                       guint64 value)
{
    const struct metrics_label labels[] = {
        {"verdict", disposition_name((enum disposition)disposition)}, {"rule", rule}, {NULL, NULL}};
    metrics_text_number(picture->text, name, labels, value);
}

/* Those of each rule that are more than none, or that may come. */
static void write_by_verdict(const struct picture *picture, const char *name, bool would, const char *help)
{
    metrics_text_begin(picture->text, name, "counter", help);
    for (guint i = 0; i < picture->table.rows->len; i++) {
        const struct metrics_row *row = &g_array_index(picture->table.rows, struct metrics_row, i);
        const guint64 *counts = would ? row->would : row->messages;
        for (unsigned j = 0; j < DISPOSITIONS; j++) {
            bool expected = would ? row->monitor && row->action == j : (row->verdicts & 1u << j) != 0;
            if (counts[j] > 0 || expected)
                by_verdict(picture, name, j, row->name, counts[j]);
        }
    }
}

static void write_troubles(const struct picture *picture, const char *name, bool faults, const char *help)
{
    metrics_text_begin(picture->text, name, "counter", help);
    for (guint i = 0; i < picture->table.rows->len; i++) {
        const struct metrics_row *row = &g_array_index(picture->table.rows, struct metrics_row, i);
        guint64 count = faults ? row->fault_count : row->error_count;
        if ((faults ? row->faults : row->acts) || count > 0)
            one_label(picture, name, "rule", row->name, count);
    }
}

static void write_mail(const struct picture *picture)
{
    static const char defect[] = "rcptguard_defects_total";
    const struct totals *totals = &picture->totals;
    one_number(picture, "rcptguard_judged_messages_total", "counter", "Messages that were evaluated.", totals->judged);
    one_number(picture, "rcptguard_not_outbound_messages_total", "counter",
               "Messages that were not evaluated because they are not outbound.", totals->not_outbound);
    write_by_verdict(picture, "rcptguard_messages_total", false,
                     "Messages that were evaluated, by the reply to the MTA and the rule that decided.");
    write_by_verdict(picture, "rcptguard_monitor_matches_total", true,
                     "Messages that a monitor rule matched, by what it would have done.");
    write_troubles(picture, "rcptguard_faults_total", true,
                   "Evaluations that reached a limit, by rule; on-fault decides the outcome.");
    write_troubles(picture, "rcptguard_errors_total", false,
                   "Verdicts that could not be carried out, by rule; on-error decides the outcome.");
    metrics_text_begin(picture->text, defect, "counter", "Messages whose headers had a defect, by its kind.");
    for (unsigned i = 0; i < G_N_ELEMENTS(defects); i++)
        one_label(picture, defect, "defect", defect_name(defects[i]), totals->defects[i]);
}

static void write_histogram(const struct picture *picture, const char *name, const char *help,
                            const struct metrics_scale *scale, const struct metrics_histogram *histogram)
{
    metrics_text_begin(picture->text, name, "histogram", help);
    metrics_text_histogram(picture->text, name, scale, histogram);
}

static void write_histograms(const struct picture *picture)
{
    const struct totals *totals = &picture->totals;
    write_histogram(picture, "rcptguard_message_parties", "Visible external parties of a message.", &parties_scale,
                    &totals->parties);
    write_histogram(picture, "rcptguard_window_parties",
                    "What a message and those before it have in a window (`within`) of a rule.", &parties_scale,
                    &totals->windows);
    write_histogram(picture, "rcptguard_judging_duration_seconds",
                    "How long the evaluation at the end of a message took.", &judging_scale, &totals->judging);
    write_histogram(picture, "rcptguard_ledger_commit_duration_seconds",
                    "How long a message waited for its row in the ledger to be on the disk.", &ledger_scale,
                    &totals->ledger);
}

static void write_policy(const struct picture *picture)
{
    static const char info[] = "rcptguard_policy_info", reloads[] = "rcptguard_reloads_total";
    const struct totals *totals = &picture->totals;
    g_autofree char *digest = g_strndup(policy_digest(picture->table.policy), POLICY_DIGEST_SHOWN);
    metrics_text_begin(picture->text, info, "gauge", "The policy in force, by the first digits of its digest.");
    one_label(picture, info, "digest", digest, 1);
    one_number(picture, "rcptguard_policy_rules", "gauge", "Rules of the policy in force.",
               policy_rule_count(picture->table.policy));
    one_time(picture, "rcptguard_policy_loaded_timestamp_seconds",
             "When the policy in force was read, at the start or by the last reload that was done.",
             totals->policy_loaded);
    one_time(picture, "rcptguard_policy_changed_timestamp_seconds",
             "Since when this policy is in force: a reload that changes nothing leaves it.", totals->policy_changed);
    metrics_text_begin(picture->text, reloads, "counter", "Reloads, by how they went.");
    one_label(picture, reloads, "result", "ok", totals->reloads_done);
    one_label(picture, reloads, "result", "failed", totals->reloads_failed);
    one_number(picture, "rcptguard_last_reload_successful", "gauge",
               "Whether the last reload was done; 1 if there was none.", totals->reload_good);
}

static void write_ledger(const struct picture *picture)
{
    static const char held[] = "rcptguard_held_messages", oldest[] = "rcptguard_oldest_held_timestamp_seconds",
                      errors[] = "rcptguard_ledger_errors_total";
    static const char *const kinds[METRICS_LEDGER_KINDS] = {"hold", "tidy", "count", "delay"};
    const struct ledger_figures *figures = &picture->held->figures;
    metrics_text_begin(picture->text, held, "gauge", "Messages that wait for a decision, by the ledger.");
    if (picture->held->known)
        metrics_text_number(picture->text, held, NULL, figures->waiting);
    metrics_text_begin(picture->text, oldest, "gauge", "Since when the oldest of them is held; absent if none is.");
    if (picture->held->known && figures->oldest > 0)
        metrics_text_seconds(picture->text, oldest, NULL, figures->oldest);
    metrics_text_begin(picture->text, errors, "counter", "Failures of the ledger, by what was to be done.");
    for (unsigned i = 0; i < METRICS_LEDGER_KINDS; i++)
        one_label(picture, errors, "operation", kinds[i], picture->totals.ledger_errors[i]);
    one_number(picture, "rcptguard_log_lines_lost_total", "counter", "Lines that the log did not take.",
               picture->held->lost_lines);
}

static void write_decisions(const struct picture *picture)
{
    static const char decisions[] = "rcptguard_decisions_total", delayed[] = "rcptguard_delayed_messages",
                      agent[] = "rcptguard_agent_timestamp_seconds";
    const struct ledger_figures *figures = &picture->held->figures;
    metrics_text_begin(picture->text, decisions, "counter", "Decisions about held messages, by way and action.");
    for (unsigned way = LEDGER_BY_NOBODY + 1; way < LEDGER_WAYS; way++) {
        for (unsigned i = 0; i < LEDGER_FIGURES; i++) {
            const struct metrics_label labels[] = {{"way", ledger_way_name((enum ledger_way)way)},
                                                   {"action", ledger_figure_name((enum ledger_figure)i)},
                                                   {NULL, NULL}};
            metrics_text_number(picture->text, decisions, labels, figures->decisions[way][i]);
        }
    }
    metrics_text_begin(picture->text, delayed, "gauge",
                       "Messages that wait, by whether they leave by themselves or a rule has ended that.");
    if (picture->held->known) {
        one_label(picture, delayed, "delay", "running", figures->delayed);
        one_label(picture, delayed, "delay", "ended", figures->stopped);
    }
    metrics_text_begin(picture->text, agent, "gauge", "When rcptguardq agent ran last; 0 if it never has.");
    if (picture->held->known)
        metrics_text_seconds(picture->text, agent, NULL, figures->agent);
}

static void write_memory(const struct picture *picture)
{
    static const char name[] = "rcptguard_memory_deferred_messages_total";
    static const char *const kinds[METRICS_MEMORY_KINDS] = {"all", "sender"};
    metrics_text_begin(picture->text, name, "counter",
                       "Messages that were deferred for want of memory, by whose limit was reached.");
    for (unsigned i = 0; i < METRICS_MEMORY_KINDS; i++)
        one_label(picture, name, "limit", kinds[i], picture->totals.no_memory[i]);
}

static void write_state(const struct picture *picture)
{
    static const char known[] = "rcptguard_known_messages_total", errors[] = "rcptguard_state_errors_total";
    metrics_text_begin(picture->text, known, "counter", "Messages of which `known` was asked, by the answer.");
    one_label(picture, known, "known", "yes", picture->totals.known);
    one_label(picture, known, "known", "no", picture->totals.unknown);
    metrics_text_begin(picture->text, errors, "counter",
                       "Failures of the state (`within` and `known`), by what was to be done.");
    for (unsigned i = 0; i < STATE_OPERATIONS; i++)
        one_label(picture, errors, "operation", state_operation_name((enum state_operation)i),
                  picture->totals.state_errors[i]);
    static const char overrides[] = "rcptguard_overrides_total";
    static const char *const results[METRICS_OVERRIDE_KINDS] = {"given", "taken", "refused"};
    metrics_text_begin(picture->text, overrides, "counter",
                       "Refusals that their sender can override, and messages that came to do so.");
    for (unsigned i = 0; i < METRICS_OVERRIDE_KINDS; i++)
        one_label(picture, overrides, "result", results[i], picture->totals.overrides[i]);
    static const char answers[] = "rcptguard_answers_total";
    static const char *const ends[METRICS_ANSWER_KINDS] = {"taken", "refused", "deferred"};
    metrics_text_begin(picture->text, answers, "counter", "Answers by mail about held messages, by what came of them.");
    for (unsigned i = 0; i < METRICS_ANSWER_KINDS; i++)
        one_label(picture, answers, "result", ends[i], picture->totals.answers[i]);
}

static void write_inside(const struct picture *picture)
{
    static const char inside[] = "rcptguard_inside_messages_total", opaque[] = "rcptguard_opaque_messages_total";
    const struct totals *totals = &picture->totals;
    metrics_text_begin(picture->text, inside, "counter",
                       "Messages of which a rule asked who is inside, by where somebody outside was.");
    for (unsigned i = 0; i < INSIDE_PLACES; i++)
        one_label(picture, inside, "part", inside_place_name(i), totals->inside[i]);
    one_label(picture, inside, "part", "none", totals->inside_nobody);
    one_label(picture, inside, "part", "away", totals->inside_away);
    metrics_text_begin(picture->text, opaque, "counter", "Such messages that were not read completely, by why.");
    for (unsigned i = 0; i < OPAQUE_KINDS; i++)
        one_label(picture, opaque, "kind", opaque_kind_name((enum opaque_kind)(1u << i)), totals->opaque[i]);
}

static void write_daemon(const struct picture *picture)
{
    static const char info[] = "rcptguard_build_info";
    metrics_text_begin(picture->text, info, "gauge", "The version of rcptguardd.");
    one_label(picture, info, "version", PACKAGE_VERSION, 1);
    one_time(picture, "rcptguard_start_time_seconds", "When rcptguardd was started.", picture->totals.started);
    one_time(picture, "rcptguard_metrics_timestamp_seconds", "When these metrics were written.", picture->now);
}

void metrics_append(struct metrics *metrics, GString *text, const struct metrics_held *held, gint64 now)
{
    if (metrics == NULL)
        return;
    const struct metrics_text samples = {.out = text, .instance = metrics->instance};
    struct picture picture = {.text = &samples, .held = held, .now = now};
    pthread_mutex_lock(&metrics->lock);
    picture.totals = metrics->totals;
    picture.table.policy = policy_ref(metrics->table.policy);
    picture.table.rows = g_array_copy(metrics->table.rows);
    pthread_mutex_unlock(&metrics->lock);

    write_mail(&picture);
    write_histograms(&picture);
    write_policy(&picture);
    write_ledger(&picture);
    write_decisions(&picture);
    write_memory(&picture);
    write_state(&picture);
    write_inside(&picture);
    write_daemon(&picture);
    /* To this format a comment, and to OpenMetrics the sign that nothing was cut off. */
    g_string_append(text, "# EOF\n");
    table_clear(&picture.table);
}
