/* replay_text - a replay for people, on a terminal or in a pipe; see replay.h */

#include "policy/replay/replay.h"

#include "policy/address/address.h"
#include "policy/cli/terminal.h"

#include <string.h>

/* Columns of the numbers; what has no fixed length is after them. */
enum { NUMBER = 11, SHARE = 9, VERDICT = 18, BIN = 11 };

/* Parties of a message that are named. */
#define PARTIES_SHOWN 3u

/* Of bars and of lines that are broken; only what is cut knows that a pipe has no end. */
static unsigned width_of(const struct replay *replay)
{
    return replay->width == 0 ? 80 : replay->width;
}

static void append_title(GString *out, const struct replay *replay, const char *title)
{
    g_string_append_printf(out, "\n%s%s%s\n", terminal_begin(replay->colours, STYLE_STRONG), title,
                           terminal_end(replay->colours));
}

/* A word at the left end of that many columns, in the colour of a verdict. */
static void append_verdict(GString *out, const struct replay *replay, const char *word, enum disposition disposition,
                           unsigned columns)
{
    g_string_append_printf(out, "%s%s%s", terminal_begin(replay->colours, terminal_verdict(disposition)), word,
                           terminal_end(replay->colours));
    terminal_append_blanks(out, (unsigned)strlen(word), columns);
}

/* Text from a message, to the end of the line: cut on a terminal, whole in a pipe. */
static void append_rest(GString *out, const struct replay *replay, const char *text, unsigned used)
{
    if (replay->width == 0)
        terminal_append_plain(out, text);
    else
        terminal_append_within(out, text, replay->width > used ? replay->width - used : 1);
    g_string_append_c(out, '\n');
}

static void append_sender(GString *out, const struct replay *replay, const char *sender, unsigned used)
{
    g_autofree char *shown = address_display(sender);

    append_rest(out, replay, shown[0] != '\0' ? shown : "<>", used);
}

/* ---- one message */

/* When, who, how many and of whom: what there is to say of a message besides its verdict. */
static void append_details(GString *out, const struct replay *replay, const struct replayed *replayed, unsigned indent)
{
    g_autofree char *sender = address_display(replayed->sender);
    g_autoptr(GString) details = g_string_new(NULL);

    g_string_append_printf(details, "%s%s%s: parties %u, visible %u, hidden %u", replayed->date,
                           replayed->date[0] != '\0' ? ", " : "", sender[0] != '\0' ? sender : "<>",
                           replayed->counts[COUNT_PARTIES], replayed->counts[COUNT_VISIBLE],
                           replayed->counts[COUNT_HIDDEN]);
    if (replayed->parties->len > 0) {
        g_string_append(details, "; ");
        replay_append_parties(details, replayed, PARTIES_SHOWN);
    }
    if (replay->recipients && replayed->visible > 0) {
        g_string_append(details, "; to ");
        replay_append_recipients(details, replayed);
    }
    if (replayed->id[0] != '\0')
        g_string_append_printf(details, "; <%s>", replayed->id);
    terminal_append_blanks(out, 0, indent);
    terminal_append_wrapped(out, details->str, indent, width_of(replay));
    g_string_append_c(out, '\n');
}

static void append_ruling(GString *out, const struct replay *replay, const struct ruling *ruling)
{
    g_string_append(out, terminal_begin(replay->colours, terminal_verdict(ruling->disposition)));
    replay_append_ruling(out, ruling);
    g_string_append(out, terminal_end(replay->colours));
}

void replay_append_message_text(GString *out, const struct replay *replay, const struct replayed *replayed)
{
    g_autoptr(GString) place = g_string_new(NULL);

    replay_append_place(place, replayed);
    terminal_append_plain(out, place->str);
    g_string_append(out, ": ");
    if (replay->tally->against != NULL && replayed_changed(replayed)) {
        append_ruling(out, replay, &replayed->old);
        g_string_append(out, " -> ");
    }
    append_ruling(out, replay, &replayed->ruling);
    for (char **would = replayed->ruling.would; would != NULL && *would != NULL; would++)
        g_string_append_printf(out, ", would %s", *would);
    g_string_append_c(out, '\n');
    append_details(out, replay, replayed, 2);
}

/* ---- figures */

static void append_partial(GString *out, const struct replay *replay)
{
    if (replay->partial)
        g_string_append_printf(out, "%sInterrupted: these are the figures of what was read until then.%s\n",
                               terminal_begin(replay->colours, STYLE_RED), terminal_end(replay->colours));
}

static void append_notices(GString *out, const struct replay *replay)
{
    g_auto(GStrv) notices = replay_notices(replay);

    for (char **notice = notices; *notice != NULL; notice++) {
        terminal_append_wrapped(out, *notice, 0, width_of(replay));
        g_string_append_c(out, '\n');
    }
}

static void append_head(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;
    g_autofree char *days = replay_days(tally);

    replay_append_messages(out, tally->messages);
    if (days[0] != '\0')
        g_string_append_printf(out, ", %s", days);
    if (tally->evaluated < tally->messages) {
        g_string_append(out, ", ");
        replay_append_number(out, tally->messages - tally->evaluated, 0);
        g_string_append(out, " of them not outbound");
    }
    g_string_append(out, "; policy ");
    terminal_append_plain(out, policy_path(tally->policy));
    g_string_append_printf(out, ", %.*s\n", POLICY_DIGEST_SHOWN, policy_digest(tally->policy));
}

static enum disposition disposition_of(const char *verdict)
{
    for (unsigned i = 0; i < DISPOSITIONS; i++)
        if (strcmp(disposition_name((enum disposition)i), verdict) == 0)
            return (enum disposition)i;
    return DISPOSITION_QUARANTINE; /* "fault" */
}

static void append_rules(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;

    append_title(out, replay, "   Messages     Share  Verdict           Rule");
    for (unsigned i = 0; i < tally->rules->len; i++) {
        const struct rule_tally *rule = g_ptr_array_index(tally->rules, i);
        g_autofree char *verdict = g_strconcat(rule->monitor ? "would " : "", rule->verdict, NULL);
        if (!rule->present)
            continue;
        replay_append_number(out, rule->messages, NUMBER);
        replay_append_share(out, rule->messages, tally->evaluated, SHARE + 1);
        g_string_append(out, "  ");
        append_verdict(out, replay, verdict, disposition_of(rule->verdict), VERDICT);
        g_string_append(out, rule->rule);
        if (rule->line > 0)
            g_string_append_printf(out, ", line %u", rule->line);
        g_string_append_c(out, '\n');
    }
}

/* The numbers of one sender, and how many columns they take. */
static unsigned append_sender_numbers(GString *out, const struct replay *replay, const struct sender_tally *sender)
{
    unsigned used = NUMBER;

    replay_append_number(out, sender->messages, NUMBER);
    for (unsigned i = DISPOSITION_TAG; i < DISPOSITIONS; i++) {
        if (replay->tally->by[i] == 0)
            continue;
        replay_append_number(out, sender->by[i], NUMBER);
        used += NUMBER;
    }
    g_string_append(out, "  ");
    return used + 2;
}

static void append_senders(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;
    struct sender_tally rest;
    g_autoptr(GPtrArray) senders = tally_senders(tally, SENDERS_SHOWN, &rest);
    g_autoptr(GString) title = g_string_new("   Messages");

    for (unsigned i = DISPOSITION_TAG; i < DISPOSITIONS; i++)
        if (tally->by[i] > 0)
            g_string_append_printf(title, "%*s", NUMBER, disposition_name((enum disposition)i));
    g_string_append(title, "  Sender");
    append_title(out, replay, title->str);
    for (unsigned i = 0; i < senders->len; i++) {
        const struct sender_tally *sender = g_ptr_array_index(senders, i);
        unsigned used = append_sender_numbers(out, replay, sender);
        append_sender(out, replay, sender->sender, used);
    }
    if (rest.messages > 0) {
        append_sender_numbers(out, replay, &rest);
        g_string_append(out, "others\n");
    }
}

/* ---- plots */

static void append_bar(GString *out, const struct replay *replay, const struct bin *bin, unsigned length)
{
    unsigned parts[DISPOSITIONS];

    if (length == 0)
        return;
    histogram_parts(bin, length, parts);
    for (unsigned i = 0; i < DISPOSITIONS; i++) {
        if (parts[i] == 0)
            continue;
        g_string_append(out, terminal_begin(replay->colours, terminal_verdict((enum disposition)i)));
        for (unsigned j = 0; j < parts[i]; j++)
            g_string_append(out, terminal_block((enum disposition)i));
        g_string_append(out, terminal_end(replay->colours));
    }
}

static void append_legend(GString *out, const struct replay *replay)
{
    for (unsigned i = 0; i < DISPOSITIONS; i++) {
        if (replay->tally->by[i] == 0)
            continue;
        g_string_append_printf(
            out, "  %s%s%s %s", terminal_begin(replay->colours, terminal_verdict((enum disposition)i)),
            terminal_block((enum disposition)i), terminal_end(replay->colours), disposition_name((enum disposition)i));
    }
    g_string_append(out, "   (the length of a bar is logarithmic)\n");
}

/* The line of a threshold, between the bins that it parts. */
static void append_edge(GString *out, const struct replay *replay, const struct edge *edge)
{
    unsigned width = width_of(replay);
    g_autoptr(GString) name = g_string_new(NULL);

    replay_append_edge(name, replay->tally->policy, edge);
    g_string_append_printf(out, "%s  --- ", terminal_begin(replay->colours, STYLE_STRONG));
    g_string_append(name, " ");
    for (unsigned i = 6 + terminal_append_within(out, name->str, width - 6); i < width; i++)
        g_string_append_c(out, '-');
    g_string_append_printf(out, "%s\n", terminal_end(replay->colours));
}

static void append_histogram(GString *out, const struct replay *replay, const char *title, enum count count,
                             const struct spread *spread)
{
    unsigned width = width_of(replay);
    g_autoptr(GArray) edges = histogram_edges(replay->tally->policy, count);
    g_autoptr(GArray) bins = histogram_bins(spread, edges);
    guint64 fullest = histogram_fullest(bins);

    append_title(out, replay, title);
    append_legend(out, replay);
    for (unsigned i = 0, next_edge = 0; i < bins->len; i++) {
        const struct bin *bin = &g_array_index(bins, struct bin, i);
        char range[24];
        if (next_edge < edges->len && g_array_index(edges, struct edge, next_edge).number == bin->from)
            append_edge(out, replay, &g_array_index(edges, struct edge, next_edge++));
        g_snprintf(range, sizeof range, bin->from == bin->to ? "%u" : "%u-%u", bin->from, bin->to);
        g_string_append_printf(out, "%*s", BIN, range);
        replay_append_number(out, bin->messages, NUMBER);
        g_string_append(out, bin->messages > 0 ? "  " : "");
        append_bar(out, replay, bin, histogram_length(bin->messages, fullest, width - BIN - NUMBER - 2));
        g_string_append_c(out, '\n');
    }
}

static void append_ladder(GString *out, const struct replay *replay, const char *unit, enum count count,
                          const struct spread *spread)
{
    g_autoptr(GArray) edges = histogram_edges(replay->tally->policy, count);
    g_autoptr(GArray) ladder = histogram_ladder(spread, edges);
    g_autofree char *title = g_strdup_printf("If the number of %s alone decided%s", unit,
                                             edges->len > 0 ? " (*: a number of the policy)" : "");

    append_title(out, replay, title);
    for (unsigned i = 0; i < ladder->len; i++) {
        const struct rung *rung = &g_array_index(ladder, struct rung, i);
        g_string_append_printf(out, "%s at ", rung->edge ? "*" : " ");
        replay_append_number(out, rung->number, 6);
        g_string_append_printf(out, " %s you would have held ", unit);
        replay_append_number(out, rung->messages, 0);
        g_string_append(out, " of ");
        replay_append_number(out, replay->tally->evaluated, 0);
        g_string_append(out, rung->messages > 0 ? ", " : "");
        if (rung->messages > 0)
            replay_append_share(out, rung->messages, replay->tally->evaluated, 0);
        g_string_append_c(out, '\n');
    }
}

/* ---- thresholds */

static void append_near(GString *out, const struct replay *replay, const struct near *near)
{
    const struct replayed *replayed = near->message;
    g_autoptr(GString) place = g_string_new(NULL);

    replay_append_number(out, near->count, 7);
    g_string_append(out, "  ");
    append_ruling(out, replay, &replayed->ruling);
    g_string_append(out, ": ");
    replay_append_place(place, replayed);
    terminal_append_plain(out, place->str);
    g_string_append_c(out, '\n');
    append_details(out, replay, replayed, 9);
}

static void append_threshold(GString *out, const struct replay *replay, unsigned index)
{
    const struct tally *tally = replay->tally;
    const struct near_tally *near = &tally->near[index];
    const struct threshold *threshold = policy_threshold(tally->policy, index);
    struct rule_facts rule = policy_rule(tally->policy, threshold->rule);
    g_autofree char *title = g_strdup_printf("Next to `%s` of %s, line %u: %s%s", threshold->text, rule.name, rule.line,
                                             rule.monitor ? "would " : "", disposition_name(rule.disposition));

    append_title(out, replay, title);
    if (near->below_messages + near->above_messages == 0) {
        g_string_append(out, "  No message hangs on this number.\n");
        return;
    }
    g_string_append(out, "  ");
    replay_append_number(out, near->below_messages, 0);
    g_string_append(out, " below and ");
    replay_append_number(out, near->above_messages, 0);
    g_string_append(out, " from it on hang on this number.\n");
    for (unsigned i = near->below_count; i-- > 0;)
        append_near(out, replay, &near->below[i]);
    g_string_append_printf(out, "%s  --- %u%s\n", terminal_begin(replay->colours, STYLE_STRONG), threshold->number,
                           terminal_end(replay->colours));
    for (unsigned i = 0; i < near->above_count; i++)
        append_near(out, replay, &near->above[i]);
}

/* ---- two policies */

static void append_changes(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;

    g_string_append(out, tally->changed + tally->moved > 0 ? "\n" : "");
    replay_append_messages(out, tally->messages);
    g_string_append(out, ": another verdict for ");
    replay_append_number(out, tally->changed, 0);
    g_string_append(out, ", the same by another rule for ");
    replay_append_number(out, tally->moved, 0);
    g_string_append_c(out, '\n');
    for (unsigned i = 0; i < tally->changes->len; i++) {
        const struct change_tally *change = g_ptr_array_index(tally->changes, i);
        struct ruling old = {.disposition = change->old, .rule = change->old_rule};
        struct ruling now = {.disposition = change->now, .rule = change->rule};
        replay_append_number(out, change->messages, NUMBER);
        g_string_append(out, "  ");
        append_ruling(out, replay, &old);
        g_string_append(out, " -> ");
        append_ruling(out, replay, &now);
        g_string_append_c(out, '\n');
    }
    if (tally->unlisted > 0) {
        replay_append_number(out, tally->unlisted, NUMBER);
        g_string_append(out, "  others\n");
    }
    /* What only watches changes no verdict, and yet a new policy often begins with it. */
    for (unsigned i = 0; i < tally->rules->len; i++) {
        const struct rule_tally *rule = g_ptr_array_index(tally->rules, i);
        if (!rule->monitor || rule->messages == rule->old)
            continue;
        g_string_append_printf(out, "  would %s by %s: ", rule->verdict, rule->rule);
        replay_append_number(out, rule->old, 0);
        g_string_append(out, " -> ");
        replay_append_number(out, rule->messages, 0);
        g_string_append_c(out, '\n');
    }
}

void replay_append_text(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;

    append_partial(out, replay);
    append_notices(out, replay);
    if (tally->against != NULL) {
        append_changes(out, replay);
        return;
    }
    append_head(out, replay);
    append_rules(out, replay);
    if (tally->evaluated == 0)
        return;
    append_senders(out, replay);
    append_histogram(out, replay, "Messages by parties outside", COUNT_PARTIES, &tally->parties);
    append_histogram(out, replay, "Messages by visible recipients outside", COUNT_VISIBLE, &tally->visible);
    append_ladder(out, replay, "parties", COUNT_PARTIES, &tally->parties);
    append_ladder(out, replay, "recipients", COUNT_VISIBLE, &tally->visible);
    for (unsigned i = 0; i < tally->near_count; i++)
        append_threshold(out, replay, i);
}
