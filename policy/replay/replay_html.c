/* replay_html - a replay as a page: the same figures, tables and plots; see replay.h */

#include <config.h>

#include "policy/replay/replay.h"

#include "policy/address/address.h"
#include "policy/replay/html_page.h"

#include <string.h>

/* Diagnostics that are listed on a page. */
#define WARNINGS_SHOWN 20u

/* ---- cells */

static void append_count_cell(GString *out, guint64 number)
{
    g_string_append(out, "<td class=\"n\">");
    replay_append_number(out, number, 0);
    g_string_append(out, "</td>");
}

static void append_share(GString *out, guint64 part, guint64 whole)
{
    g_autoptr(GString) share = g_string_new(NULL);

    replay_append_share(share, part, whole, 0);
    page_append_text(out, share->str);
}

static void append_share_cell(GString *out, guint64 part, guint64 whole)
{
    g_string_append(out, "<td class=\"n\">");
    append_share(out, part, whole);
    g_string_append(out, "</td>");
}

static void append_address(GString *out, const char *address)
{
    g_autofree char *shown = address_display(address);

    page_append_isolated(out, shown[0] != '\0' ? shown : "<>");
}

static void append_ruling(GString *out, const struct ruling *ruling)
{
    g_autoptr(GString) words = g_string_new(NULL);

    replay_append_ruling(words, ruling);
    g_string_append_printf(out, "<span class=\"v %s\">", disposition_name(ruling->disposition));
    page_append_text(out, words->str);
    g_string_append(out, "</span>");
}

static void append_small(GString *out, const char *lead, const char *text)
{
    g_string_append_printf(out, "<span class=\"small\">%s", lead);
    page_append_isolated(out, text);
    g_string_append(out, "</span>");
}

/* What is said of a message below its verdict. */
static void append_message_details(GString *out, const struct replay *replay, const struct replayed *replayed)
{
    g_autoptr(GString) words = g_string_new(NULL);

    replay_append_place(words, replayed);
    g_string_append_printf(words, ", parties %u, visible %u, hidden %u", replayed->counts[COUNT_PARTIES],
                           replayed->counts[COUNT_VISIBLE], replayed->counts[COUNT_HIDDEN]);
    append_small(out, "", words->str);
    if (replayed->parties->len > 0) {
        g_string_truncate(words, 0);
        replay_append_parties(words, replayed, REPLAYED_PARTIES);
        append_small(out, "", words->str);
    }
    if (replay->recipients && replayed->visible > 0) {
        g_string_truncate(words, 0);
        replay_append_recipients(words, replayed);
        append_small(out, "to ", words->str);
    }
    if (replayed->id[0] != '\0')
        append_small(out, "Message-ID ", replayed->id);
}

/* ---- head */

static void append_warnings(GString *out, const struct replay *replay)
{
    unsigned count = diags_count(replay->diags);
    g_auto(GStrv) notices = replay_notices(replay);

    if (replay->partial)
        g_string_append(out,
                        "<p class=\"notice\">Interrupted: these are the figures of what was read until then.</p>\n");
    for (char **notice = notices; *notice != NULL; notice++) {
        g_string_append(out, "<p class=\"notice\">");
        page_append_text(out, *notice);
        g_string_append(out, "</p>\n");
    }
    if (count == 0)
        return;
    g_string_append(out, "<div class=\"notice\">Not everything could be read:\n<ul>\n");
    for (unsigned i = 0; i < MIN(count, WARNINGS_SHOWN); i++) {
        const struct diag *diag = diags_get(replay->diags, i);
        g_string_append(out, "<li>");
        page_append_isolated(out, diag->file);
        if (diag->line > 0)
            g_string_append_printf(out, ":%u", diag->line);
        g_string_append(out, ": ");
        page_append_isolated(out, diag->message);
        g_string_append(out, "</li>\n");
    }
    if (count > WARNINGS_SHOWN)
        g_string_append_printf(out, "<li>and %u more</li>\n", count - WARNINGS_SHOWN);
    g_string_append(out, "</ul></div>\n");
}

static void append_policy(GString *out, const struct policy *policy)
{
    g_string_append(out, "<bdi><code>");
    page_append_text(out, policy_path(policy));
    g_string_append_printf(out, "</code></bdi> (%.*s)", POLICY_DIGEST_SHOWN, policy_digest(policy));
}

static void append_tile(GString *out, const struct tally *tally, enum disposition disposition)
{
    const char *name = disposition_name(disposition);

    g_string_append_printf(out, "<li class=\"%s\">%s <b>", name, name);
    replay_append_number(out, tally->by[disposition], 0);
    g_string_append(out, "</b> <span>");
    append_share(out, tally->by[disposition], tally->evaluated);
    g_string_append(out, "</span></li>\n");
}

static void append_head(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;
    g_autofree char *days = replay_days(tally);

    g_string_append(out, "<header>\n<h1>What the policy would have done</h1>\n<p class=\"soft\">");
    replay_append_messages(out, tally->messages);
    if (days[0] != '\0')
        g_string_append_printf(out, ", <span class=\"d\">%s</span>", days);
    if (tally->evaluated < tally->messages) {
        g_string_append(out, ", ");
        replay_append_number(out, tally->messages - tally->evaluated, 0);
        g_string_append(out, " of them not outbound");
    }
    g_string_append(out, ". Policy ");
    append_policy(out, tally->policy);
    if (tally->against != NULL) {
        g_string_append(out, ", compared with ");
        append_policy(out, tally->against);
    }
    g_string_append(out, ".</p>\n");
    append_warnings(out, replay);
    g_string_append(out, "<ul class=\"tiles\">\n");
    for (unsigned i = 0; i < DISPOSITIONS; i++)
        if (tally->by[i] > 0 || i == DISPOSITION_ACCEPT || i == DISPOSITION_QUARANTINE || i == DISPOSITION_REJECT)
            append_tile(out, tally, (enum disposition)i);
    g_string_append(out, "</ul>\n</header>\n");
}

/* ---- rules and senders */

static void append_rule(GString *out, const struct tally *tally, const struct rule_tally *rule)
{
    g_string_append_printf(out, "<tr%s><td class=\"w\">%s", rule->messages + rule->old == 0 ? " class=\"none\"" : "",
                           rule->rule);
    if (rule->line > 0)
        g_string_append_printf(out, ", line %u", rule->line);
    g_string_append_printf(out, "</td><td><span class=\"v %s\">%s%s</span></td>",
                           strcmp(rule->verdict, "fault") == 0 ? "tempfail" : rule->verdict,
                           rule->monitor ? "would " : "", rule->verdict);
    append_count_cell(out, rule->messages);
    append_share_cell(out, rule->messages, tally->evaluated);
    if (tally->against != NULL)
        append_count_cell(out, rule->old);
    g_string_append(out, "</tr>\n");
}

static void append_rules(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;

    g_string_append_printf(
        out,
        "<section>\n<h2>By rule</h2>\n<table class=\"rules\">\n<thead><tr><th>Rule</th><th>Verdict</th>"
        "<th class=\"n\">Messages</th><th class=\"n\">Share</th>%s</tr></thead>\n<tbody>\n",
        tally->against != NULL ? "<th class=\"n\">Old</th>" : "");
    for (unsigned i = 0; i < tally->rules->len; i++)
        append_rule(out, tally, g_ptr_array_index(tally->rules, i));
    g_string_append(out, "</tbody></table>\n</section>\n");
}

static void append_sender_cells(GString *out, const struct tally *tally, const struct sender_tally *sender)
{
    append_count_cell(out, sender->messages);
    for (unsigned i = DISPOSITION_TAG; i < DISPOSITIONS; i++)
        if (tally->by[i] > 0)
            append_count_cell(out, sender->by[i]);
    g_string_append(out, "</tr>\n");
}

static void append_senders(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;
    struct sender_tally rest;
    g_autoptr(GPtrArray) senders = tally_senders(tally, SENDERS_LISTED, &rest);

    g_string_append(out,
                    "<section>\n<h2>By sender</h2>\n<table>\n<thead><tr><th>Sender</th><th class=\"n\">Messages</th>");
    for (unsigned i = DISPOSITION_TAG; i < DISPOSITIONS; i++)
        if (tally->by[i] > 0)
            g_string_append_printf(out, "<th class=\"n\">%s</th>", disposition_name((enum disposition)i));
    g_string_append(out, "</tr></thead>\n<tbody>\n");
    for (unsigned i = 0; i < senders->len; i++) {
        const struct sender_tally *sender = g_ptr_array_index(senders, i);
        g_string_append(out, "<tr><td class=\"w\">");
        append_address(out, sender->sender);
        g_string_append(out, "</td>");
        append_sender_cells(out, tally, sender);
    }
    if (rest.messages > 0) {
        g_string_append(out, "<tr class=\"none\"><td class=\"w\">others</td>");
        append_sender_cells(out, tally, &rest);
    }
    g_string_append(out, "</tbody></table>\n</section>\n");
}

/* ---- counts */

static void append_legend(GString *out, const struct tally *tally)
{
    g_string_append(out, "<div class=\"legend\">");
    for (unsigned i = 0; i < DISPOSITIONS; i++)
        if (tally->by[i] > 0)
            g_string_append_printf(out, "<span class=\"v %s\">%s</span>", disposition_name((enum disposition)i),
                                   disposition_name((enum disposition)i));
    g_string_append(out, "<span>The length of a bar is logarithmic.</span></div>\n");
}

static void append_edge(GString *out, const struct policy *policy, const struct edge *edge)
{
    g_autoptr(GString) name = g_string_new(NULL);

    replay_append_edge(name, policy, edge);
    g_string_append(out, "<tr class=\"edge\"><td colspan=\"3\"><span>");
    page_append_text(out, name->str);
    g_string_append(out, "</span></td></tr>\n");
}

static void append_histogram(GString *out, const struct tally *tally, const GArray *bins, const GArray *edges,
                             const char *of)
{
    guint64 fullest = histogram_fullest(bins);

    append_legend(out, tally);
    g_string_append_printf(out,
                           "<table class=\"bars\">\n<thead><tr><th class=\"n\">%s</th><th class=\"n\">Messages</th>"
                           "<th class=\"w\"></th></tr></thead>\n<tbody>\n",
                           of);
    for (unsigned i = 0, next_edge = 0; i < bins->len; i++) {
        const struct bin *bin = &g_array_index(bins, struct bin, i);
        if (next_edge < edges->len && g_array_index(edges, struct edge, next_edge).number == bin->from)
            append_edge(out, tally->policy, &g_array_index(edges, struct edge, next_edge++));
        g_string_append_printf(out, "<tr><td class=\"n\">%u", bin->from);
        if (bin->to > bin->from)
            g_string_append_printf(out, "&#8211;%u", bin->to);
        g_string_append(out, "</td>");
        append_count_cell(out, bin->messages);
        g_string_append(out, "<td class=\"w\">");
        page_append_bar(out, bin, fullest);
        g_string_append(out, "</td></tr>\n");
    }
    g_string_append(out, "</tbody></table>\n");
}

static void append_ladder(GString *out, const struct tally *tally, const GArray *ladder)
{
    g_string_append_printf(
        out, "<table class=\"ladder\">\n<thead><tr><th class=\"w\">At</th><th class=\"n\">you would have held</th>"
             "<th class=\"n\">of ");
    replay_append_number(out, tally->evaluated, 0);
    g_string_append(out, "</th></tr></thead>\n<tbody>\n");
    for (unsigned i = 0; i < ladder->len; i++) {
        const struct rung *rung = &g_array_index(ladder, struct rung, i);
        g_string_append_printf(out, "<tr%s><td class=\"w\">%u</td>", rung->edge ? " class=\"at\"" : "", rung->number);
        append_count_cell(out, rung->messages);
        append_share_cell(out, rung->messages, tally->evaluated);
        g_string_append(out, "</tr>\n");
    }
    g_string_append(out, "</tbody></table>\n");
}

/* `unit` is what is counted, with a capital letter. */
static void append_spread(GString *out, const struct replay *replay, const char *unit, enum count count,
                          const struct spread *spread)
{
    const struct tally *tally = replay->tally;
    g_autoptr(GArray) edges = histogram_edges(tally->policy, count);
    g_autoptr(GArray) bins = histogram_bins(spread, edges);
    g_autoptr(GArray) ladder = histogram_ladder(spread, edges);

    g_string_append_printf(
        out, "<section>\n<h2>%s outside</h2>\n<div class=\"two\"><div>\n<h3>How many a message shows</h3>\n", unit);
    append_histogram(out, tally, bins, edges, unit);
    g_string_append(
        out,
        "</div><div>\n<h3>What a number would have held</h3>\n"
        "<p class=\"soft\">Messages that show at least so many. Dashed and bold: the numbers of the policy.</p>\n");
    page_append_curve(out, spread, edges, unit);
    append_ladder(out, tally, ladder);
    g_string_append(out, "</div></div>\n</section>\n");
}

/* ---- thresholds */

static void append_near_rows(GString *out, const struct replay *replay, const struct near *near)
{
    const struct replayed *replayed = near->message;

    g_string_append(out, "<tr>");
    append_count_cell(out, near->count);
    g_string_append(out, "<td>");
    append_ruling(out, &replayed->ruling);
    g_string_append_printf(out, "</td><td class=\"n\">%.10s</td><td class=\"w wide\">", replayed->date);
    append_address(out, replayed->sender);
    append_message_details(out, replay, replayed);
    g_string_append(out, "</td></tr>\n");
}

static void append_side(GString *out, const char *what, guint64 messages)
{
    g_string_append_printf(out, "<tr class=\"side\"><td colspan=\"4\">%s: ", what);
    replay_append_messages(out, messages);
    g_string_append(out, messages == 1 ? " hangs on this number" : " hang on this number");
    g_string_append(out, "</td></tr>\n");
}

static void append_threshold(GString *out, const struct replay *replay, unsigned index)
{
    const struct tally *tally = replay->tally;
    const struct near_tally *near = &tally->near[index];
    const struct threshold *threshold = policy_threshold(tally->policy, index);
    struct rule_facts rule = policy_rule(tally->policy, threshold->rule);

    g_string_append(out, "<h3><code>");
    page_append_text(out, threshold->text);
    g_string_append_printf(out, "</code> of %s</h3>\n<p class=\"soft\">Line %u, <span class=\"v %s\">%s%s</span>.",
                           rule.name, rule.line, disposition_name(rule.disposition), rule.monitor ? "would " : "",
                           disposition_name(rule.disposition));
    if (near->below_messages + near->above_messages == 0) {
        g_string_append(out, " No message hangs on this number.</p>\n");
        return;
    }
    g_string_append_printf(out,
                           "</p>\n<table class=\"cards\">\n<thead><tr><th class=\"n\">%s</th><th>Verdict</th>"
                           "<th>Date</th><th>Sender and message</th></tr></thead>\n<tbody>\n",
                           count_name(threshold->count));
    append_side(out, "Below", near->below_messages);
    for (unsigned i = near->below_count; i-- > 0;)
        append_near_rows(out, replay, &near->below[i]);
    append_side(out, "From it on", near->above_messages);
    for (unsigned i = 0; i < near->above_count; i++)
        append_near_rows(out, replay, &near->above[i]);
    g_string_append(out, "</tbody></table>\n");
}

static void append_thresholds(GString *out, const struct replay *replay)
{
    if (replay->tally->near_count == 0)
        return;
    g_string_append(out, "<section>\n<h2>Next to the thresholds</h2>\n"
                         "<p>The messages that a number of the policy decides: with another number, the rule would say "
                         "otherwise of them. The nearest on both sides are shown.</p>\n");
    for (unsigned i = 0; i < replay->tally->near_count; i++)
        append_threshold(out, replay, i);
    g_string_append(out, "</section>\n");
}

/* ---- two policies */

static void append_kinds_of_change(GString *out, const struct tally *tally)
{
    g_string_append(out, "<table class=\"cards\">\n<thead><tr><th "
                         "class=\"n\">Messages</th><th>Old</th><th>New</th></tr></thead>\n<tbody>\n");
    for (unsigned i = 0; i < tally->changes->len; i++) {
        const struct change_tally *change = g_ptr_array_index(tally->changes, i);
        struct ruling old = {.disposition = change->old, .rule = change->old_rule};
        struct ruling now = {.disposition = change->now, .rule = change->rule};
        g_string_append(out, "<tr>");
        append_count_cell(out, change->messages);
        g_string_append(out, "<td>");
        append_ruling(out, &old);
        g_string_append(out, "</td><td class=\"w wide\">");
        append_ruling(out, &now);
        g_string_append(out, "</td></tr>\n");
    }
    if (tally->unlisted > 0) {
        g_string_append(out, "<tr class=\"none\">");
        append_count_cell(out, tally->unlisted);
        g_string_append(out, "<td colspan=\"2\">others</td></tr>\n");
    }
    g_string_append(out, "</tbody></table>\n");
}

static void append_changed_messages(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;

    g_string_append(
        out, "<h3>The messages</h3>\n<table class=\"cards changed\">\n<thead><tr><th>Old</th><th>New</th><th>Date</th>"
             "<th>Sender and message</th></tr></thead>\n<tbody>\n");
    for (unsigned i = 0; i < tally->kept->len; i++) {
        const struct replayed *replayed = g_ptr_array_index(tally->kept, i);
        g_string_append(out, "<tr><td>");
        append_ruling(out, &replayed->old);
        g_string_append(out, "</td><td>");
        append_ruling(out, &replayed->ruling);
        g_string_append_printf(out, "</td><td class=\"n\">%.10s</td><td class=\"w wide\">", replayed->date);
        append_address(out, replayed->sender);
        append_message_details(out, replay, replayed);
        g_string_append(out, "</td></tr>\n");
    }
    g_string_append(out, "</tbody></table>\n");
    if (tally->changed + tally->moved > tally->kept->len) {
        g_string_append(out, "<p class=\"soft\">These are the first of ");
        replay_append_number(out, tally->changed + tally->moved, 0);
        g_string_append(out, ".</p>\n");
    }
}

static void append_changes(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;

    if (tally->against == NULL)
        return;
    g_string_append(out, "<section>\n<h2>What changes</h2>\n<p>");
    replay_append_messages(out, tally->messages);
    g_string_append(out, ": another verdict for ");
    replay_append_number(out, tally->changed, 0);
    g_string_append(out, ", the same by another rule for ");
    replay_append_number(out, tally->moved, 0);
    g_string_append(out, ".</p>\n");
    if (tally->changes->len > 0) {
        append_kinds_of_change(out, tally);
        append_changed_messages(out, replay);
    }
    g_string_append(out, "</section>\n");
}

void replay_append_html(GString *out, const struct replay *replay)
{
    const struct tally *tally = replay->tally;

    page_begin(out, "What the policy would have done");
    append_head(out, replay);
    append_changes(out, replay);
    append_rules(out, replay);
    if (tally->evaluated > 0) {
        append_spread(out, replay, "Parties", COUNT_PARTIES, &tally->parties);
        append_spread(out, replay, "Visible recipients", COUNT_VISIBLE, &tally->visible);
        append_thresholds(out, replay);
        append_senders(out, replay);
    }
    g_string_append_printf(out, "<footer>rcptguard %s, replay. %s</footer>\n", PACKAGE_VERSION,
                           replay->recipients
                               ? "Recipients are shown, as was asked for: treat this page like the mail itself."
                               : "No recipient's address is on this page; senders and files are.");
    page_end(out);
}
