/* message_filter - see message_filter.h */

#include "milter/review/message_filter.h"

#include "milter/common/duration.h"

#include <string.h>

char *selection_sender, *selection_rule, *selection_older, *selection_newer;

bool selection_given(void)
{
    return selection_sender != NULL || selection_rule != NULL || selection_older != NULL || selection_newer != NULL;
}

static const struct {
    char letter;
    const char *name;
    gint64 seconds;
} units[] = {{'d', "d", 86400}, {'h', "h", 3600}, {'m', "min", 60}, {'s', "s", 1}};

gint64 selection_span(const char *text)
{
    gint64 seconds = duration_read(text, "smhd", '\0');
    return seconds == -1 ? -1 : seconds * G_USEC_PER_SEC;
}

char *selection_age(gint64 microseconds)
{
    gint64 seconds = MAX(microseconds, 0) / G_USEC_PER_SEC;
    size_t i = 0;
    while (i + 1 < G_N_ELEMENTS(units) && seconds < units[i].seconds)
        i++;
    return g_strdup_printf("%" G_GINT64_FORMAT " %s", seconds / units[i].seconds, units[i].name);
}

static int read_span(const char *option, const char *text, gint64 *span, char **error)
{
    *span = text == NULL ? 0 : selection_span(text);
    if (*span != -1)
        return 0;
    *error = g_strdup_printf("--%s: expected a time such as 90s, 15m, 2h or 3d, not `%s`", option, text);
    return -1;
}

/* Senders can be written as they are in the log of an MTA: `<>`, `<ann@corp.example>`. */
static const char *bare_sender(void)
{
    static char *bare;
    size_t length = selection_sender == NULL ? 0 : strlen(selection_sender);
    if (length < 2 || selection_sender[0] != '<' || selection_sender[length - 1] != '>')
        return selection_sender;
    g_free(bare);
    bare = g_strndup(selection_sender + 1, length - 2);
    return bare;
}

int selection_filter(struct ledger_filter *filter, gint64 now, char **error)
{
    gint64 older, newer;
    if (read_span("older", selection_older, &older, error) == -1 ||
        read_span("newer", selection_newer, &newer, error) == -1)
        return -1;
    *filter = (struct ledger_filter){
        .sender = bare_sender(),
        .rule = selection_rule,
        .since = selection_newer != NULL ? now - newer : 0,
        .until = selection_older != NULL ? now - older : 0,
    };
    return 0;
}

static bool is_sender(const char *wanted, const char *sender)
{
    g_autofree char *a = g_utf8_casefold(wanted, -1);
    g_autofree char *valid = g_utf8_make_valid(sender, -1);
    g_autofree char *b = g_utf8_casefold(valid, -1);
    const char *at = strrchr(b, '@');
    return strcmp(a, wanted[0] == '@' ? (at == NULL ? "" : at) : b) == 0;
}

bool selection_has(const struct ledger_filter *filter, const struct view_item *item)
{
    const struct ledger_message *message = item->row == NULL ? NULL : &item->row->message;
    gint64 arrival = view_arrival(item);
    if (filter->sender != NULL && !is_sender(filter->sender, message != NULL ? message->sender : item->entry->sender))
        return false;
    if (filter->rule != NULL && (message == NULL || strcmp(filter->rule, message->rule) != 0))
        return false;
    return (filter->since == 0 || arrival >= filter->since) && (filter->until == 0 || arrival < filter->until);
}
