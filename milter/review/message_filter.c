/* message_filter - see message_filter.h */

#include "milter/review/message_filter.h"

#include "milter/common/duration.h"
#include "policy/address/address.h"
#include "policy/base/pattern.h"

#include <string.h>

char *selection_sender, *selection_rule, *selection_subject, *selection_party, *selection_user;
char *selection_older, *selection_newer;

struct selection {
    struct ledger_filter filter;
    char *sender;            /* without angle brackets, or NULL */
    struct pattern *subject; /* finds it anywhere, or NULL */
    char *party;             /* a normalised domain, or NULL */
    char *user;              /* in folded case, or NULL */
};

bool selection_given(void)
{
    return selection_sender != NULL || selection_rule != NULL || selection_subject != NULL || selection_party != NULL ||
           selection_user != NULL || selection_older != NULL || selection_newer != NULL;
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
static char *bare_sender(void)
{
    size_t length = selection_sender == NULL ? 0 : strlen(selection_sender);
    if (length < 2 || selection_sender[0] != '<' || selection_sender[length - 1] != '>')
        return g_strdup(selection_sender);
    return g_strndup(selection_sender + 1, length - 2);
}

/*
 * Patterns are about whole values; who looks for a subject knows a part of it.  First it has to be right by
 * itself: brackets that do not belong together could with those around them.
 */
static struct pattern *read_subject(char **error)
{
    size_t offset;
    g_autofree char *message = NULL;
    struct pattern *alone = pattern_compile(selection_subject, &offset, &message);
    g_autofree char *searching = g_strdup_printf(".*?(?:%s).*", selection_subject);
    struct pattern *pattern = alone == NULL ? NULL : pattern_compile(searching, &offset, &message);
    if (pattern == NULL)
        *error = g_strdup_printf("--subject: %s", message);
    pattern_free(alone);
    return pattern;
}

static int read_party(struct selection *selection, char **error)
{
    const char *domain = selection_party + (selection_party[0] == '@');
    selection->party = domain_normalise(domain, strlen(domain));
    if (selection->party[0] != '\0' && strchr(selection->party, '@') == NULL)
        return 0;
    *error = g_strdup_printf("--party: expected a domain such as customer.example, not `%s`", selection_party);
    return -1;
}

struct selection *selection_new(gint64 now, char **error)
{
    auto_free(selection) selection = g_new0(struct selection, 1);
    gint64 older, newer;
    if (read_span("older", selection_older, &older, error) == -1 ||
        read_span("newer", selection_newer, &newer, error) == -1)
        return NULL;
    if (selection_subject != NULL) {
        selection->subject = read_subject(error);
        if (selection->subject == NULL)
            return NULL;
    }
    if (selection_party != NULL && read_party(selection, error) == -1)
        return NULL;
    selection->user = selection_user == NULL ? NULL : g_utf8_casefold(selection_user, -1);
    selection->sender = bare_sender();
    selection->filter = (struct ledger_filter){
        .sender = selection->sender,
        .rule = selection_rule,
        .since = selection_newer != NULL ? now - newer : 0,
        .until = selection_older != NULL ? now - older : 0,
    };
    return g_steal_pointer(&selection);
}

void selection_free(struct selection *selection)
{
    if (selection == NULL)
        return;
    g_free(selection->sender);
    pattern_free(selection->subject);
    g_free(selection->party);
    g_free(selection->user);
    g_free(selection);
}

const struct ledger_filter *selection_filter(const struct selection *selection)
{
    return &selection->filter;
}

/* ---- one message */

static char *folded(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return g_utf8_casefold(valid, -1);
}

static bool is_sender(const char *wanted, const char *sender)
{
    g_autofree char *a = folded(wanted), *b = folded(sender);
    const char *at = strrchr(b, '@');
    return strcmp(a, wanted[0] == '@' ? (at == NULL ? "" : at) : b) == 0;
}

static bool is_user(const struct selection *selection, const struct ledger_message *message)
{
    g_autofree char *user = message == NULL || message->user == NULL ? NULL : folded(message->user);
    return g_strcmp0(user, selection->user) == 0;
}

static int has_subject(const struct selection *selection, const struct ledger_message *message, char **error)
{
    if (message == NULL || message->subject == NULL)
        return 0;
    struct pattern_budget *budget = pattern_budget_new();
    enum pattern_result result = pattern_match(selection->subject, message->subject, budget);
    pattern_budget_free(budget);
    if (result != PATTERN_LIMIT)
        return result == PATTERN_YES;
    *error = g_strdup_printf("--subject: the regular expression needs too many steps for the subject of %s",
                             message->queue_id);
    return -1;
}

/* A host of an organisation belongs to its party. */
static bool is_party(const char *wanted, const char *name)
{
    return name != NULL && (strcmp(wanted, name) == 0 ||
                            (g_str_has_suffix(wanted, name) && wanted[strlen(wanted) - strlen(name) - 1] == '.'));
}

static int has_party(const struct selection *selection, struct ledger *ledger, const struct ledger_row *row,
                     char **error)
{
    struct database_error failure;
    if (row == NULL)
        return 0;
    g_autoptr(GPtrArray) parties = ledger_parties(ledger, row->id, &failure);
    if (parties == NULL) {
        *error = g_strdup(failure.text);
        return -1;
    }
    for (guint i = 0; i < parties->len; i++) {
        const struct ledger_party *party = g_ptr_array_index(parties, i);
        if (is_party(selection->party, party->name))
            return 1;
    }
    return 0;
}

int selection_has(struct selection *selection, struct ledger *ledger, const struct view_item *item, char **error)
{
    const struct ledger_filter *filter = &selection->filter;
    const struct ledger_message *message = item->row == NULL ? NULL : &item->row->message;
    gint64 arrival = view_arrival(item);
    if (filter->sender != NULL && !is_sender(filter->sender, message != NULL ? message->sender : item->entry->sender))
        return 0;
    if (filter->rule != NULL && (message == NULL || strcmp(filter->rule, message->rule) != 0))
        return 0;
    if ((filter->since != 0 && arrival < filter->since) || (filter->until != 0 && arrival >= filter->until))
        return 0;
    if (selection->user != NULL && !is_user(selection, message))
        return 0;
    int has = selection->subject == NULL ? 1 : has_subject(selection, message, error);
    return has != 1 || selection->party == NULL ? has : has_party(selection, ledger, item->row, error);
}
