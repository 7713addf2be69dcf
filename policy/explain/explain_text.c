/* explain_text - an explanation for people: the message, the counts, the defects, the verdict; see explain.h */

#include "policy/explain/explain.h"

#include "policy/address/address.h"
#include "policy/base/escape.h"
#include "policy/exposure/exposure.h"
#include "policy/message/header_text.h"

#include <string.h>

/* Where labels begin, and what they are for. */
enum { LABEL_COLUMN = 2, TEXT_COLUMN = 12 };

/* A header of the message gets at most that many lines. */
#define HEADER_LINES 2u

static void append_label(GString *out, const struct explain_look *look, const char *label)
{
    terminal_append_blanks(out, 0, LABEL_COLUMN);
    terminal_append_blanks(out, LABEL_COLUMN + explain_styled(out, look, STYLE_FAINT, label), TEXT_COLUMN);
}

static void append_wrapped(GString *out, const struct explain_look *look, const char *text)
{
    terminal_append_wrapped(out, text, TEXT_COLUMN, look->width);
    g_string_append_c(out, '\n');
}

static void append_paragraph(GString *out, const struct explain_look *look, const char *text)
{
    terminal_append_blanks(out, 0, TEXT_COLUMN);
    append_wrapped(out, look, text);
}

/* ---- the message */

static void append_verdict_line(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    const struct verdict *verdict = explanation->verdict;
    enum disposition disposition = explanation->outbound ? verdict->disposition : DISPOSITION_ACCEPT;

    explain_styled(out, look, terminal_verdict(disposition), disposition_name(disposition));
    if (!explanation->outbound)
        g_string_append(out, ", not outbound");
    else
        g_string_append_printf(out, " by %s", verdict->rule);
    if (explanation->outbound && verdict->line > 0)
        g_string_append_printf(out, ", line %u", verdict->line);
    g_string_append_c(out, '\n');
}

static void append_title(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    explain_styled(out, look, STYLE_STRONG, explanation->file);
    if (explanation->index > 0)
        g_string_append_printf(out, " [%u]", explanation->index);
    g_string_append(out, ": ");
    append_verdict_line(out, explanation, look);
}

/* Every occurrence of a header field, decoded, cut to a few lines. */
static void append_header(GString *out, const struct explanation *explanation, const struct explain_look *look,
                          const char *name)
{
    g_autoptr(GString) values = g_string_new(NULL);
    g_autoptr(GString) shown = g_string_new(NULL);

    for (unsigned i = 0; i < explanation->message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(explanation->message->headers, i);
        if (g_ascii_strcasecmp(header->name, name) != 0)
            continue;
        g_autofree char *value = decode_header(header->value, NULL);
        g_string_append_printf(values, "%s%s", values->len > 0 ? ", " : "", value);
    }
    append_label(out, look, name);
    terminal_append_within(shown, values->len > 0 ? values->str : "none", HEADER_LINES * (look->width - TEXT_COLUMN));
    append_wrapped(out, look, shown->str);
}

static void append_envelope(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    const struct exposure *exposure = explanation->verdict->exposure;
    unsigned recipients = exposure_count(exposure, COUNT_RECIPIENTS, CLASS_ALL);
    g_autofree char *normal = address_normalise_envelope(explanation->message->sender);
    g_autofree char *sender = address_display(normal);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "from %s to ", sender[0] != '\0' ? sender : "<>");
    g_string_append_printf(text, "%u recipient%s, %u hidden", recipients, recipients == 1 ? "" : "s",
                           exposure_count(exposure, COUNT_HIDDEN, CLASS_ALL));
    append_label(out, look, "Envelope");
    append_wrapped(out, look, text->str);
}

static void add_fact(GString *text, const char *name, const char *value)
{
    if (value != NULL)
        g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", name, value);
}

/* What the command line explanation of the session. */
static void append_session(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    g_autoptr(GString) text = g_string_new(NULL);

    add_fact(text, "user", explanation->message->user);
    add_fact(text, "client", explanation->message->client);
    add_fact(text, "listener", explanation->message->listener);
    if (explanation->message->local)
        g_string_append_printf(text, "%slocal", text->len > 0 ? ", " : "");
    if (text->len == 0)
        return;
    append_label(out, look, "Session");
    append_wrapped(out, look, text->str);
}

/* ---- the counts */

/* The names are as wide as they are, the numbers have their columns. */
static unsigned name_width(const struct policy *policy)
{
    size_t width = TEXT_COLUMN;

    for (unsigned i = 0; i < policy_class_count(policy); i++)
        width = MAX(width, strlen(policy_class_name(policy, i)));
    return (unsigned)width;
}

static const int number_widths[COUNT_KINDS] = {8, 8, 8, 10, 7};

static bool is_empty(const struct exposure *exposure, class_mask mask)
{
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++)
        if (exposure_count(exposure, (enum count)kind, mask) > 0)
            return false;
    return true;
}

static void append_counts_of(GString *out, const struct exposure *exposure, const char *name, unsigned width,
                             class_mask mask)
{
    g_string_append_printf(out, "  %-*s", (int)width, name);
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++)
        g_string_append_printf(out, " %*u", number_widths[kind], exposure_count(exposure, (enum count)kind, mask));
    g_string_append_c(out, '\n');
}

static void append_counts(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    const struct exposure *exposure = explanation->verdict->exposure;
    unsigned width = name_width(explanation->policy);
    g_autoptr(GString) empty = g_string_new(NULL);

    g_string_append_c(out, '\n');
    terminal_append_blanks(out, explain_styled(out, look, STYLE_STRONG, "Counts"), width + 2);
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++)
        g_string_append_printf(out, " %*s", number_widths[kind], count_name((enum count)kind));
    g_string_append_c(out, '\n');
    append_counts_of(out, exposure, "external", width, CLASS_EXTERNAL);
    for (unsigned i = 0; i < policy_class_count(explanation->policy); i++) {
        const char *name = policy_class_name(explanation->policy, i);
        if (is_empty(exposure, (class_mask)1 << i))
            g_string_append_printf(empty, "%s%s", empty->len > 0 ? ", " : "", name);
        else
            append_counts_of(out, exposure, name, width, (class_mask)1 << i);
    }
    append_counts_of(out, exposure, "all", width, CLASS_ALL);
    if (empty->len > 0) {
        append_label(out, look, "nobody in");
        append_wrapped(out, look, empty->str);
    }
}

/* ---- the defects */

static const char *defect_words(enum defect defect)
{
    switch (defect) {
    case DEFECT_SYNTAX:
        return "syntax: a recipient header can be read in two ways; who is read in either is counted";
    case DEFECT_LIMIT:
        return "limit, so malformed: a recipient header is larger or more nested than is read; the counts are a lower "
               "bound";
    case DEFECT_UNPARSED:
        return "unparsed, so malformed: a recipient header has something in it that cannot be read; the counts are a "
               "lower bound";
    case DEFECT_CUT:
        return "cut, so truncated: the header is so long that an MTA cuts it; the counts are a lower bound";
    }
    return NULL;
}

static void append_defects(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    unsigned defects = exposure_defects(explanation->verdict->exposure);

    for (unsigned bit = DEFECT_SYNTAX; bit <= DEFECT_CUT; bit <<= 1) {
        if ((defects & bit) == 0)
            continue;
        terminal_append_blanks(out, 0, LABEL_COLUMN);
        terminal_append_blanks(out, LABEL_COLUMN + explain_styled(out, look, STYLE_YELLOW, "defect"), TEXT_COLUMN);
        append_wrapped(out, look, defect_words((enum defect)bit));
    }
}

/* ---- the verdict */

/* Who may end the hold, and what happens if nobody does. */
static char *outcome_of_hold(const struct action_terms *terms)
{
    GString *text = g_string_new("The message is taken and held until a person releases, returns or deletes it");
    g_autofree char *after = action_time_text(terms->release_after);
    g_autofree char *expires = action_time_text(terms->expire_after);

    if (terms->release == RELEASE_AFTER)
        g_string_append_printf(text, ", and otherwise released after %s", after);
    if (terms->release == RELEASE_BY_SENDER || terms->release == RELEASE_BY_SENDER_WITH_REASON)
        g_string_append_printf(text, "; its sender may release it%s",
                               terms->release == RELEASE_BY_SENDER ? "" : " and has to give a reason");
    if (terms->expire != EXPIRE_AS_CONFIGURED)
        g_string_append_printf(text, "; if nobody does, it is %s after %s",
                               terms->expire == EXPIRE_RETURN ? "returned" : "deleted", expires);
    g_string_append(text, ". Its sender hears of it only where a notice is configured (rcptguardq notify). For that "
                          "person:");
    return g_string_free(text, FALSE);
}

/* What happens to the message; what is explanation with it is after that. */
static char *outcome(const struct explanation *explanation)
{
    switch (explanation->verdict->disposition) {
    case DISPOSITION_ACCEPT:
        return g_strdup("The message passes.");
    case DISPOSITION_TAG:
        return g_strdup_printf("The message passes with the header field `X-Rcptguard: %s`. For the log:",
                               explanation->verdict->rule);
    case DISPOSITION_QUARANTINE:
        return outcome_of_hold(&explanation->verdict->terms);
    case DISPOSITION_REJECT:
        if (explanation->verdict->terms.override > 0) {
            g_autofree char *time = action_time_text(explanation->verdict->terms.override);
            return g_strdup_printf("The message is refused. For %s its sender can send it again and override this: the "
                                   "reply has an address to add in Bcc. The sender gets:",
                                   time);
        }
        return g_strdup("The message is refused. The sender gets:");
    case DISPOSITION_TEMPFAIL:
        return g_strdup("The message is refused for now, and the sender's program tries again. It gets:");
    }
    return NULL;
}

static void append_rule_text(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    const struct verdict *verdict = explanation->verdict;
    const struct disposition_reply *codes = disposition_reply(verdict->disposition);
    g_autofree char *wire = codes != NULL ? text_reply(verdict->text) : NULL;
    g_autofree char *text =
        codes != NULL ? g_strdup_printf("%s %s %s", codes->code, codes->status, wire) : g_strdup(verdict->text);

    g_string_append(out, terminal_begin(look->colours, STYLE_STRONG));
    append_paragraph(out, look, text);
    g_string_append(out, terminal_end(look->colours));
}

/* "reject:trial", "fault:trial" or "error:trial", of a rule that is `monitor` */
static void append_would(GString *out, const struct explain_look *look, const char *would)
{
    g_auto(GStrv) words = g_strsplit(would, ":", 2);
    bool fault = strcmp(words[0], "fault") == 0 || strcmp(words[0], "error") == 0;
    g_autofree char *text = fault ? g_strdup_printf("The monitor rule %s could not be evaluated to its end.", words[1])
                                  : g_strdup_printf("The monitor rule %s would have said %s.", words[1], words[0]);

    append_paragraph(out, look, text);
}

static void append_verdict(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    g_autofree char *what = outcome(explanation);

    g_string_append_c(out, '\n');
    terminal_append_blanks(out, explain_styled(out, look, STYLE_STRONG, "Verdict"), TEXT_COLUMN);
    append_verdict_line(out, explanation, look);
    if (!explanation->outbound) {
        append_paragraph(out, look, "Mail that is not outbound passes; no rule is asked.");
        if (explanation->built_in)
            append_paragraph(out, look, "The policy has no `outbound` statement; what is built in decided.");
        return;
    }
    append_paragraph(out, look, what);
    if (explanation->verdict->text != NULL)
        append_rule_text(out, explanation, look);
    if (explanation->verdict->fault)
        append_paragraph(out, look,
                         "What becomes of such mail is for `on-fault` in rcptguard.conf to say; this is its default.");
    if (explanation->verdict->error)
        append_paragraph(out, look,
                         "What becomes of such mail is for `on-error` in rcptguard.conf to say; this is its default.");
    for (unsigned i = 0; i < explanation->verdict->would->len; i++)
        append_would(out, look, g_ptr_array_index(explanation->verdict->would, i));
}

void explain_text(GString *out, const struct explanation *explanation, const struct explain_look *look)
{
    append_title(out, explanation, look);
    append_header(out, explanation, look, "From");
    append_header(out, explanation, look, "Subject");
    append_header(out, explanation, look, "Date");
    append_envelope(out, explanation, look);
    append_session(out, explanation, look);
    append_counts(out, explanation, look);
    append_defects(out, explanation, look);
    explain_recipients(out, explanation->verdict->exposure, look);
    explain_body(out, explanation, look);
    explain_rules(out, explanation, look);
    append_verdict(out, explanation, look);
}
