/* command_counts - `rcptguardq counts`: how much waits, and what was held and decided; see rcptguardq(8) */

#include "milter/ledger/ledger_hours.h"
#include "milter/metrics/metrics_read.h"
#include "milter/places/places_bell.h"
#include "milter/rcptguardq/commands.h"
#include "milter/review/held_summary.h"
#include "milter/review/message_filter.h"
#include "policy/base/time_text.h"
#include "policy/cli/json.h"
#include "policy/cli/terminal.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *newer_option = NULL;
static gboolean follow_option = FALSE;

#define NEWER_DEFAULT "7d"
#define NEWER_LONGEST (90 * G_TIME_SPAN_DAY)

/* What waits for longer is late. */
#define LATE G_TIME_SPAN_DAY

/* All time zones begin their days at a whole number of these, in UTC. */
#define QUARTER (G_TIME_SPAN_HOUR / 4)

/* With --follow: seconds between two looks at the queue at most; at first, while a message is not yet in it. */
#define LONGEST_WAIT  60u
#define SHORTEST_WAIT 1u

/* A look may take this part of the time: a long queue is read less often. */
#define SHARE 10

/* Columns of the text. */
enum { RULE_WIDTH = 32, NUMBER_WIDTH = 10, DAY_WIDTH = 12 };

static int check(void)
{
    gint64 span = newer_option == NULL ? 0 : selection_span(newer_option);
    if (span == -1)
        return tool_usage_error("--newer: expected a time such as 90s, 15m, 2h or 3d, not `%s`", newer_option);
    if (span > NEWER_LONGEST)
        return tool_usage_error("--newer: expected at most 90d, not `%s`", newer_option);
    return EXITS_DONE;
}

/* ---- what there is */

struct waiting_rule {
    const char *rule; /* of a row of the view */
    unsigned waiting;
    gint64 oldest;
};

struct counts {
    struct places *places;
    unsigned waiting, late, untracked;
    unsigned pending; /* of the ledger, and not on hold yet */
    gint64 oldest;    /* 0: nothing waits */
    GArray *rules;    /* struct waiting_rule, the largest first */
    gint64 since;     /* start of the first hour */
    GArray *hours;    /* struct ledger_hour, by hour */
    GArray *quarters; /* the same by QUARTER, from which days are made */
    gint64 first_day; /* of them */
    struct metrics_verdicts verdicts;
    char *no_verdicts; /* why there are none, or NULL */
};

static void counts_clear(struct counts *counts)
{
    places_free(counts->places);
    g_clear_pointer(&counts->rules, g_array_unref);
    g_clear_pointer(&counts->hours, g_array_unref);
    g_clear_pointer(&counts->quarters, g_array_unref);
    g_free(counts->no_verdicts);
}

static struct waiting_rule *find_rule(GArray *rules, const char *name)
{
    const struct waiting_rule fresh = {.rule = name};
    for (guint i = 0; i < rules->len; i++) {
        struct waiting_rule *rule = &g_array_index(rules, struct waiting_rule, i);
        if (strcmp(rule->rule, name) == 0)
            return rule;
    }
    g_array_append_val(rules, fresh);
    return &g_array_index(rules, struct waiting_rule, rules->len - 1);
}

static gint64 earlier(gint64 oldest, gint64 time)
{
    return oldest == 0 || time < oldest ? time : oldest;
}

static void count_item(struct counts *counts, const struct view_item *item, gint64 now)
{
    gint64 time = view_arrival(item);
    if (item->row == NULL) {
        counts->untracked++;
        return;
    }
    counts->pending += item->at == NULL && item->row->state == LEDGER_PENDING;
    if (item->entry == NULL || item->row->state != LEDGER_HELD)
        return;
    struct waiting_rule *rule = find_rule(counts->rules, item->row->message.rule);
    counts->waiting++;
    counts->late += now - time > LATE;
    counts->oldest = earlier(counts->oldest, time);
    rule->waiting++;
    rule->oldest = earlier(rule->oldest, time);
}

/* Of those that wait, how many are in one place. */
static unsigned waiting_at(const struct counts *counts, const struct tool *tool)
{
    const struct view *view = counts->places->view;
    unsigned waiting = 0;
    for (guint i = 0; i < view->items->len; i++) {
        const struct view_item *item = g_ptr_array_index(view->items, i);
        waiting += tool_at(counts->places->home, item) == tool && item->row != NULL && item->entry != NULL &&
                   item->row->state == LEDGER_HELD;
    }
    return waiting;
}

static gint compare_rules(gconstpointer a, gconstpointer b)
{
    const struct waiting_rule *one = a, *other = b;
    return one->waiting != other->waiting ? (one->waiting < other->waiting) - (one->waiting > other->waiting)
                                          : strcmp(one->rule, other->rule);
}

/* Midnight before that time, where the clock of the machine is. */
static gint64 day_of(gint64 time)
{
    g_autofree char *text = tool_time_text(time);
    text[strcspn(text, " ")] = '\0';
    gint64 day = time;
    return tool_time_parse(text, &day) ? day : time;
}

static gint compare_hours(gconstpointer a, gconstpointer b)
{
    const struct ledger_hour *one = a, *other = b;
    return (one->start > other->start) - (one->start < other->start);
}

/* One after the other, each time once. */
static GArray *merge_hours(GArray *hours)
{
    guint last = 0;
    g_array_sort(hours, compare_hours);
    for (guint i = 1; i < hours->len; i++) {
        const struct ledger_hour hour = g_array_index(hours, struct ledger_hour, i);
        struct ledger_hour *before = &g_array_index(hours, struct ledger_hour, last);
        if (hour.start != before->start) {
            g_array_index(hours, struct ledger_hour, ++last) = hour;
            continue;
        }
        before->held += hour.held;
        for (unsigned j = 0; j < LEDGER_OUTCOMES; j++)
            before->outcomes[j] += hour.outcomes[j];
    }
    g_array_set_size(hours, MIN(hours->len, last + 1));
    return hours;
}

/* Of all places; NULL after an error was reported. */
static GArray *find_hours(const struct places *places, gint64 since, gint64 length, int *status)
{
    struct database_error error;
    GArray *all = g_array_new(FALSE, FALSE, sizeof(struct ledger_hour));
    for (guint i = 0; i < places->tools->len; i++) {
        const struct tool *tool = g_ptr_array_index(places->tools, i);
        g_autoptr(GArray) hours = ledger_hours(tool->ledger, since, length, &error);
        if (hours == NULL) {
            g_array_unref(all);
            *status = tool_ledger_error(&error);
            return NULL;
        }
        g_array_append_vals(all, hours->data, hours->len);
    }
    return merge_hours(all);
}

static int count_hours(struct counts *counts)
{
    int status = EXITS_DONE;
    counts->hours = find_hours(counts->places, counts->since, G_TIME_SPAN_HOUR, &status);
    if (counts->hours != NULL)
        counts->quarters = find_hours(counts->places, counts->first_day, QUARTER, &status);
    return status;
}

static void count_verdicts(struct counts *counts, const struct tool *tool)
{
    if (tool->config->metrics == NULL)
        counts->no_verdicts = g_strdup("[metrics] in the configuration names no path");
    else
        (void)metrics_read(tool->config->metrics, &counts->verdicts, &counts->no_verdicts);
}

/* An exit code. */
static int count(struct counts *counts, struct tool *tool)
{
    int status = EXITS_DONE;
    gint64 now = tool_now(), since = now - selection_span(newer_option == NULL ? NEWER_DEFAULT : newer_option);
    counts->since = since / G_TIME_SPAN_HOUR * G_TIME_SPAN_HOUR;
    counts->first_day = day_of(since);
    const struct places_wish wish = {
        .view = true, .states = LEDGER_OPEN, .since = MIN(counts->since, counts->first_day), .parts = FLEET_HISTORY};
    counts->rules = g_array_new(FALSE, FALSE, sizeof(struct waiting_rule));
    counts->places = places_open(tool, &wish, &status);
    if (counts->places == NULL)
        return status;
    const struct view *view = counts->places->view;
    for (guint i = 0; i < view->items->len; i++)
        count_item(counts, g_ptr_array_index(view->items, i), now);
    g_array_sort(counts->rules, compare_rules);
    if (g_ptr_array_find(counts->places->tools, tool, NULL))
        count_verdicts(counts, tool);
    else
        counts->no_verdicts = g_strdup("another node's metrics are on that node");
    return count_hours(counts);
}

/* ---- JSON: the keys are a contract, rcptguardq(8) */

static void json_time(JsonBuilder *json, const char *key, gint64 microseconds)
{
    g_autofree char *text = microseconds == 0 ? NULL : time_text_json(microseconds);
    json_string(json, key, text);
}

static void json_rules(JsonBuilder *json, const struct counts *counts)
{
    json_begin_array(json, "rules");
    for (guint i = 0; i < counts->rules->len; i++) {
        const struct waiting_rule *rule = &g_array_index(counts->rules, struct waiting_rule, i);
        json_builder_begin_object(json);
        json_string(json, "rule", rule->rule);
        json_number(json, "waiting", rule->waiting);
        json_time(json, "oldest", rule->oldest);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_hours(JsonBuilder *json, const struct counts *counts)
{
    json_begin_array(json, "hours");
    for (guint i = 0; counts->hours != NULL && i < counts->hours->len; i++) {
        const struct ledger_hour *hour = &g_array_index(counts->hours, struct ledger_hour, i);
        json_builder_begin_object(json);
        json_time(json, "hour", hour->start);
        json_number(json, "held", hour->held);
        for (unsigned j = 0; j < LEDGER_OUTCOMES; j++)
            json_number(json, ledger_outcome_name((enum ledger_outcome)j), hour->outcomes[j]);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void json_verdicts(JsonBuilder *json, const struct counts *counts)
{
    json_begin_array(json, "verdicts");
    for (unsigned i = 0; counts->no_verdicts == NULL && i < DISPOSITIONS; i++) {
        json_builder_begin_object(json);
        json_string(json, "verdict", disposition_name((enum disposition)i));
        json_number(json, "messages", (gint64)counts->verdicts.messages[i]);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_time(json, "verdicts_since", counts->no_verdicts == NULL ? counts->verdicts.started : 0);
    json_time(json, "verdicts_until", counts->no_verdicts == NULL ? counts->verdicts.written : 0);
    json_string(json, "verdicts_said", counts->no_verdicts);
}

/* Of a fleet: the nodes, and what waits on each. */
static void json_nodes(JsonBuilder *json, const struct counts *counts)
{
    const struct places *places = counts->places;
    if (!places_are_many(places))
        return;
    json_begin_array(json, "nodes");
    for (guint i = 0; i < places->tools->len; i++) {
        const struct tool *tool = g_ptr_array_index(places->tools, i);
        const struct fleet_peer *peer = tool->peer;
        json_builder_begin_object(json);
        json_string(json, "node", peer->name);
        json_string(json, "host", peer->host);
        json_boolean(json, "own", peer->own);
        json_boolean(json, "away", peer->away);
        json_time(json, "seen", peer->away ? peer->seen : 0);
        json_number(json, "waiting", waiting_at(counts, tool));
        json_number(json, "pending", peer->pending->len);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_string(json, "nodes_said", places->unseen);
}

static JsonBuilder *as_json(const struct counts *counts)
{
    JsonBuilder *json = json_builder_new();
    json_builder_begin_object(json);
    json_number(json, "waiting", counts->waiting);
    json_time(json, "oldest", counts->oldest);
    json_number(json, "late", counts->late);
    json_number(json, "untracked", counts->untracked);
    json_rules(json, counts);
    json_time(json, "since", counts->since);
    json_hours(json, counts);
    json_verdicts(json, counts);
    json_nodes(json, counts);
    json_builder_end_object(json);
    return json;
}

/* ---- text */

static void append_waiting(GString *out, const struct counts *counts)
{
    g_autofree char *age = selection_age(tool_now() - counts->oldest);
    g_autofree char *messages = facts_count(counts->waiting, "message waits", "messages wait");
    if (counts->waiting == 0)
        g_string_append(out, "Nothing waits.\n");
    else
        g_string_append_printf(out, "%s, the oldest for %s; %u for more than a day.\n", messages, age, counts->late);
    if (counts->untracked > 0)
        g_string_append_printf(out, "%u more on hold, but not by rcptguard.\n", counts->untracked);
}

static void append_rules(GString *out, const struct counts *counts)
{
    if (counts->rules->len > 0)
        g_string_append_printf(out, "\n%-*s%*s%*s\n", RULE_WIDTH, "RULE", NUMBER_WIDTH, "WAITING", NUMBER_WIDTH,
                               "OLDEST");
    for (guint i = 0; i < counts->rules->len; i++) {
        const struct waiting_rule *rule = &g_array_index(counts->rules, struct waiting_rule, i);
        g_autofree char *age = selection_age(tool_now() - rule->oldest);
        terminal_append_blanks(out, terminal_append_within(out, rule->rule, RULE_WIDTH - 1), RULE_WIDTH);
        g_string_append_printf(out, "%*u%*s\n", NUMBER_WIDTH, rule->waiting, NUMBER_WIDTH, age);
    }
}

static void append_nodes(GString *out, const struct counts *counts)
{
    const struct places *places = counts->places;
    if (places_are_many(places))
        g_string_append_printf(out, "\n%-*s%*s%*s%*s\n", RULE_WIDTH, "NODE", NUMBER_WIDTH, "WAITING", NUMBER_WIDTH,
                               "DECISIONS", NUMBER_WIDTH, "SEEN");
    for (guint i = 0; places_are_many(places) && i < places->tools->len; i++) {
        const struct tool *tool = g_ptr_array_index(places->tools, i);
        g_autofree char *age = tool->peer->age == -1 ? g_strdup("-") : selection_age(tool->peer->age);
        g_autofree char *name = g_strdup_printf("%s%s", tool->peer->name, tool->peer->away ? " (away)" : "");
        terminal_append_blanks(out, terminal_append_within(out, name, RULE_WIDTH - 1), RULE_WIDTH);
        g_string_append_printf(out, "%*u%*u%*s\n", NUMBER_WIDTH, waiting_at(counts, tool), NUMBER_WIDTH,
                               tool->peer->pending->len, NUMBER_WIDTH, age);
    }
}

static void append_numbers(GString *out, const struct ledger_hour *day)
{
    g_autofree char *date = tool_time_text(day->start);
    g_string_append_printf(out, "%-*.10s%*u", DAY_WIDTH, date, NUMBER_WIDTH, day->held);
    for (unsigned i = 0; i < LEDGER_OUTCOMES; i++)
        g_string_append_printf(out, "%*u", NUMBER_WIDTH, day->outcomes[i]);
    g_string_append_c(out, '\n');
}

/* The days of the machine's zone, of which one may have 23 or 25 hours. */
static void append_days(GString *out, const struct counts *counts)
{
    struct ledger_hour day = {0};
    if (counts->quarters->len > 0)
        g_string_append_printf(out, "\n%-*s%*s%*s%*s%*s%*s\n", DAY_WIDTH, "DAY", NUMBER_WIDTH, "HELD", NUMBER_WIDTH,
                               "RELEASED", NUMBER_WIDTH, "RETURNED", NUMBER_WIDTH, "DELETED", NUMBER_WIDTH, "EXPIRED");
    for (guint i = 0; i < counts->quarters->len; i++) {
        const struct ledger_hour *quarter = &g_array_index(counts->quarters, struct ledger_hour, i);
        gint64 start = day_of(quarter->start);
        if (i > 0 && start != day.start)
            append_numbers(out, &day);
        if (i == 0 || start != day.start)
            day = (struct ledger_hour){.start = start};
        day.held += quarter->held;
        for (unsigned j = 0; j < LEDGER_OUTCOMES; j++)
            day.outcomes[j] += quarter->outcomes[j];
    }
    if (counts->quarters->len > 0)
        append_numbers(out, &day);
}

static void append_verdicts(GString *out, const struct counts *counts)
{
    if (counts->no_verdicts != NULL) {
        g_string_append(out, "\nNo verdicts are known: ");
        terminal_append_plain(out, counts->no_verdicts);
        g_string_append(out, "\n");
        return;
    }
    g_autofree char *since = tool_time_text(counts->verdicts.started);
    g_autofree char *until = tool_time_text(counts->verdicts.written);
    g_string_append_printf(out, "\nVerdicts from %s to %s:\n ", since, until);
    for (unsigned i = 0; i < DISPOSITIONS; i++)
        g_string_append_printf(out, " %s %" G_GUINT64_FORMAT "%s", disposition_name((enum disposition)i),
                               counts->verdicts.messages[i], i + 1 < DISPOSITIONS ? "," : "\n");
}

static void append_text(GString *out, const struct counts *counts)
{
    append_waiting(out, counts);
    append_rules(out, counts);
    append_nodes(out, counts);
    append_days(out, counts);
    append_verdicts(out, counts);
}

/* ---- --follow */

/* A second passes: whether nobody reads any more what is printed. */
static bool reader_gone(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    return poll(&output, 1, 1000) == 1 && (output.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

struct following {
    struct places_bell *bell; /* or NULL */
    gint64 version;           /* of the ledger's data */
    char *before;             /* what was printed last, as JSON; ages in the text are no change */
    gint64 look;              /* how long the last look took */
    unsigned wait;            /* seconds to the next one, if the ledger does not change */
    bool changed; /* the ledger has since: an approval is in no count, and whoever follows looks at more than counts */
};

/* Prints the counts if they have changed; an exit code. */
static int follow_once(struct following *following, struct tool *tool)
{
    struct counts counts = {0};
    gint64 began = g_get_monotonic_time();
    int status = count(&counts, tool);
    if (status == EXITS_DONE) {
        g_autoptr(JsonBuilder) json = as_json(&counts);
        g_autoptr(GString) line = g_string_new(NULL), text = g_string_new(NULL);
        json_append_line(line, json);
        if (!tool_json()) {
            g_autofree char *time = tool_time_text(tool_now());
            g_string_append_printf(text, "%s%s\n", following->before == NULL ? "" : "\n", time);
            append_text(text, &counts);
        }
        if (following->changed || g_strcmp0(line->str, following->before) != 0) {
            tool_print(tool_json() ? line : text);
            g_free(following->before);
            following->before = g_strdup(line->str);
        }
    }
    following->changed = false;
    following->wait = counts.pending == 0 ? LONGEST_WAIT : MIN(following->wait * 2, LONGEST_WAIT);
    following->look = g_get_monotonic_time() - began;
    counts_clear(&counts);
    return status;
}

/* Until it is time for another look; an exit code, with `gone` if nobody reads it. */
static int follow_wait(struct following *following, struct tool *tool, bool *gone)
{
    struct database_error error;
    gint64 began = g_get_monotonic_time();
    bool changed = false;
    do {
        *gone = reader_gone();
        if (*gone)
            return EXITS_DONE;
        int answer = ledger_changed(tool->ledger, &following->version, &error);
        if (answer == -1)
            return tool_ledger_error(&error);
        if ((places_bell_rang(following->bell) || answer == 1) && !changed) {
            changed = following->changed = true;
            following->wait = SHORTEST_WAIT;
        }
    } while (g_get_monotonic_time() - began <
             MAX(following->wait * G_TIME_SPAN_SECOND - G_TIME_SPAN_SECOND / 2, following->look * SHARE));
    return EXITS_DONE;
}

static int follow(struct tool *tool)
{
    struct following following = {.bell = places_bell_new(tool), .wait = SHORTEST_WAIT};
    struct database_error error;
    bool gone = false;
    int status =
        ledger_changed(tool->ledger, &following.version, &error) == -1 ? tool_ledger_error(&error) : EXITS_DONE;
    while (status == EXITS_DONE && !gone) {
        status = follow_once(&following, tool);
        if (status == EXITS_DONE && (fflush(stdout) != 0 || ferror(stdout)))
            break; /* rcptguardq.c says so */
        if (status == EXITS_DONE)
            status = follow_wait(&following, tool, &gone);
    }
    g_free(following.before);
    places_bell_free(following.bell);
    return status;
}

/* ---- the command */

static int run(struct tool *tool)
{
    if (follow_option)
        return follow(tool);
    struct counts counts = {0};
    int status = count(&counts, tool);
    if (status == EXITS_DONE && tool_json()) {
        g_autoptr(JsonBuilder) json = as_json(&counts);
        tool_print_json(json);
    } else if (status == EXITS_DONE) {
        g_autoptr(GString) text = g_string_new(NULL);
        append_text(text, &counts);
        tool_print(text);
    }
    counts_clear(&counts);
    return status;
}

static const GOptionEntry entries[] = {
    {"newer", 0, 0, G_OPTION_ARG_STRING, &newer_option, "What was held and decided in this time (7d; up to 90d)",
     "AGE"},
    PLACES_ENTRIES,
    {"follow", 0, 0, G_OPTION_ARG_NONE, &follow_option, "Do not end: print it again when something changes", NULL},
    G_OPTION_ENTRY_NULL,
};

const struct rcptguardq_command command_counts = {
    .command.name = "counts",
    .command.summary = "Show how much waits, and what was held and decided",
    .command.entries = entries,
    .right = REVIEW_LIST,
    .needs = NEED_LEDGER | NEED_QUEUE,
    .command.check = check,
    .command.run = run,
};
