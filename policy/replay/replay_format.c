/* replay_format - the words and numbers that a replay is told with, for people and on a page; see replay.h */

#include "policy/replay/replay.h"

#include "policy/address/address.h"

#include <string.h>

static void append_right(GString *out, const char *text, unsigned columns)
{
    for (size_t length = strlen(text); length < columns; length++)
        g_string_append_c(out, ' ');
    g_string_append(out, text);
}

void replay_append_number(GString *out, guint64 number, unsigned columns)
{
    char digits[24], text[32];
    size_t length = (size_t)g_snprintf(digits, sizeof digits, "%" G_GUINT64_FORMAT, number), used = 0;

    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    append_right(out, text, columns);
}

void replay_append_messages(GString *out, guint64 messages)
{
    replay_append_number(out, messages, 0);
    g_string_append(out, messages == 1 ? " message" : " messages");
}

static void append_unknown(GString *out, const struct replay *replay)
{
    g_autofree char *words = g_strjoinv(", ", replay->unknown);

    g_string_append_printf(out, "%u rule%s what a mailbox does not say: %s", replay->unknown_rules,
                           replay->unknown_rules == 1 ? " tests" : "s test", words);
    if (g_strv_contains((const char *const *)replay->unknown, "user"))
        g_string_append(out, "; --user-from=From takes the login from the author");
    g_string_append(out, ".\n");
}

/* What the state has changed, and in which order it was played. */
static void append_played(GString *out, const struct replay *replay)
{
    const struct play_figures *played = &replay->played;

    if (played->known) {
        g_string_append(out, "`known` would have spared ");
        replay_append_number(out, played->spared, 0);
        g_string_append(out, " of ");
        replay_append_number(out, played->without_known, 0);
        g_string_append(out, " messages that are stopped without it.\n");
    }
    if (played->windows) {
        g_string_append(out, "Windows would have stopped ");
        replay_append_messages(out, played->added);
        g_string_append(out, " more.\n");
    }
    if (replay->out_of_order > 0) {
        replay_append_messages(out, replay->out_of_order);
        g_string_append(out, replay->out_of_order == 1 ? " is" : " are");
        g_string_append(out, " not in the order of the dates, by which windows and sets were played.\n");
    }
    if (replay->undated > 0) {
        replay_append_messages(out, replay->undated);
        g_string_append(out, replay->undated == 1 ? " has" : " have");
        g_string_append(out, " no date, and played as if as old as the message before.\n");
    }
}

char **replay_notices(const struct replay *replay)
{
    g_autoptr(GString) out = g_string_new(NULL);

    if (replay->unknown_rules > 0)
        append_unknown(out, replay);
    if (replay->passed > 0) {
        replay_append_number(out, replay->passed, 0);
        g_string_append(out, replay->passed == 1 ? " file that is no mail was passed over.\n"
                                                 : " files that are no mail were passed over.\n");
    }
    if (replay->repeated > 0) {
        replay_append_messages(out, replay->repeated);
        g_string_append(out, replay->repeated == 1 ? " was there before and is not counted again.\n"
                                                   : " were there before and are not counted again.\n");
    }
    append_played(out, replay);
    g_string_truncate(out, out->len > 0 ? out->len - 1 : 0);
    return g_strsplit(out->str, "\n", -1);
}

char *replay_days(const struct tally *tally)
{
    if (strncmp(tally->first, tally->last, 10) == 0)
        return g_strndup(tally->first, 10);
    return g_strdup_printf("%.10s to %.10s", tally->first, tally->last);
}

/* One digit after the point, and two where one would make a part nothing, or the whole. */
static int share_digits(double percent)
{
    if (percent >= 100)
        return 0;
    return percent < 1 || percent >= 99.95 ? 2 : 1;
}

void replay_append_share(GString *out, guint64 part, guint64 whole, unsigned columns)
{
    char text[32] = "-";

    if (part > 0 && whole > 0) {
        double percent = 100.0 * (double)part / (double)whole;
        if (percent < 0.01)
            g_strlcpy(text, "< 0.01 %", sizeof text);
        else if (part < whole && percent > 99.99)
            g_strlcpy(text, "> 99.99 %", sizeof text);
        else
            g_snprintf(text, sizeof text, "%.*f %%", share_digits(percent), percent);
    }
    append_right(out, text, columns);
}

void replay_append_edge(GString *out, const struct policy *policy, const struct edge *edge)
{
    g_string_append_printf(out, "%u:", edge->number);
    for (unsigned i = 0; i < edge->thresholds->len; i++) {
        const struct threshold *threshold = policy_threshold(policy, g_array_index(edge->thresholds, unsigned, i));
        struct rule_facts rule = policy_rule(policy, threshold->rule);
        g_string_append_printf(out, "%s %s, %s%s%s", i > 0 ? ";" : "", rule.name, rule.monitor ? "would " : "",
                               disposition_name(rule.disposition), threshold->alone ? "" : " if other tests hold too");
    }
}

void replay_append_place(GString *out, const struct replayed *replayed)
{
    g_string_append(out, replayed->file);
    if (replayed->index > 0)
        g_string_append_printf(out, " [%u]", replayed->index);
}

void replay_append_ruling(GString *out, const struct ruling *ruling)
{
    if (ruling->rule == NULL)
        g_string_append(out, "accept, not outbound");
    else
        g_string_append_printf(out, "%s by %s", disposition_name(ruling->disposition), ruling->rule);
}

void replay_append_parties(GString *out, const struct replayed *replayed, unsigned limit)
{
    unsigned shown = MIN(replayed->parties->len, limit);
    unsigned more = replayed->parties->len - shown + replayed->more_parties;

    for (unsigned i = 0; i < shown; i++) {
        g_string_append(out, i > 0 ? ", " : "");
        parties_append(out, &g_array_index(replayed->parties, struct party_sum, i));
    }
    if (more > 0)
        g_string_append_printf(out, ", %u more", more);
}

void replay_append_recipients(GString *out, const struct replayed *replayed)
{
    unsigned shown = 0;

    for (; replayed->recipients != NULL && replayed->recipients[shown] != NULL; shown++) {
        g_autofree char *address = address_display(replayed->recipients[shown]);
        g_string_append_printf(out, "%s%s", shown > 0 ? ", " : "", address);
    }
    if (replayed->visible > shown)
        g_string_append_printf(out, ", %u more", replayed->visible - shown);
}
