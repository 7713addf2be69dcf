/* answer_text - see answer_text.h */

#include "milter/notify/answer_text.h"

#include "milter/notify/mail_compose.h"
#include "policy/base/time_text.h"
#include "policy/message/disposition.h"

/* What the subject of an answer begins with: the reason is after it. */
#define SUBJECT "?subject=Reason:%20"

static void append_address(GString *out, const struct answer_site *site, const struct ledger_row *row,
                           const char *login, enum answer_kind kind)
{
    g_autofree char *address = answer_address_for(site, row, login, kind);
    g_string_append_printf(out, "    mailto:%s%s\n", address, SUBJECT);
}

static void append_sender(GString *out, const struct answer_site *site, const struct ledger_row *row, bool with_reason)
{
    const struct ledger_message *message = &row->message;
    g_autofree char *date = time_text_mail(message->judged);
    g_autofree char *id = letter_line(message->queue_id);
    g_autofree char *shown = letter_shown(&message->counts, &message->inside);
    g_autofree char *limit = action_time_text(site->review->sender_release);
    g_string_append_printf(out,
                           "\nYour mail of %s (%s):\n"
                           "%s\n"
                           "You can decide yourself within %s, with the login that you sent it with, by a mail\n"
                           "to one of these addresses alone.\n\n"
                           "To send it as it is%s:\n\n",
                           date, id, shown, limit, with_reason ? ", with your reason in the subject" : "");
    append_address(out, site, row, message->user, ANSWER_GO);
    g_string_append(out, "\nTo have it back, sent to nobody:\n\n");
    append_address(out, site, row, message->user, ANSWER_CANCEL);
}

static void append_stop(GString *out, const struct answer_site *site, const struct ledger_row *row)
{
    g_autofree char *date = time_text_mail(row->message.judged);
    g_autofree char *id = letter_line(row->message.queue_id);
    g_string_append_printf(out,
                           "\nYour mail of %s (%s):\n"
                           "To stop it and have it back, sent to nobody, write to this address alone, with the\n"
                           "login that you sent it with:\n\n",
                           date, id);
    append_address(out, site, row, row->message.user, ANSWER_CANCEL);
}

char *answer_text_sender(const struct answer_site *site, const GPtrArray *rows)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; site->review->answers != NULL && i < rows->len; i++) {
        const struct ledger_row *row = g_ptr_array_index((GPtrArray *)rows, i);
        bool with_reason;
        if (answer_sender_may(site, row, &with_reason))
            append_sender(out, site, row, with_reason);
        else if (answer_sender_may_stop(site, row))
            append_stop(out, site, row);
    }
    return g_string_free(out, FALSE);
}

char *answer_text_reviewer(const struct answer_site *site, const struct ledger_row *row, const char *login,
                           unsigned actions)
{
    static const struct {
        enum ledger_action action;
        enum answer_kind kind;
    } kinds[] = {{LEDGER_RELEASE, ANSWER_RELEASE}, {LEDGER_RETURN, ANSWER_RETURN}, {LEDGER_DELETE, ANSWER_DELETE}};
    GString *out = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if ((actions & 1u << kinds[i].action) == 0)
            continue;
        g_string_append_printf(out, "  %s:\n", ledger_action_name(kinds[i].action));
        append_address(out, site, row, login, kinds[i].kind);
    }
    return g_string_free(out, FALSE);
}
