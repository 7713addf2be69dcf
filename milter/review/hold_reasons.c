/* hold_reasons - see hold_reasons.h */

#include "milter/review/hold_reasons.h"

#include <string.h>

const char *hold_known(const struct ledger_remembered *remembered)
{
    if (remembered == NULL || remembered->known == KNOWN_NOT_ASKED)
        return NULL;
    return remembered->known == KNOWN_YES ? "yes" : "no";
}

/* As history_value_text has it; NULL: there is none. */
static char *window_text(const struct ledger_remembered *remembered)
{
    if (remembered == NULL || remembered->counted == NULL || !remembered->answered)
        return NULL;
    if (remembered->within == STATE_WINDOW_MANY)
        return g_strdup_printf("more than %u", STATE_WINDOW_LIMIT);
    return g_strdup_printf("%u", remembered->within);
}

/* The name in "error:NAME", too. */
static const char *rule_name(const struct ledger_message *message)
{
    const char *colon = strchr(message->rule, ':');
    return colon == NULL ? message->rule : colon + 1;
}

char *hold_within(const struct ledger_message *message, const struct ledger_remembered *remembered)
{
    g_autofree char *value = window_text(remembered);
    if (remembered == NULL || remembered->counted == NULL)
        return NULL;
    return g_strdup_printf("%s: %s %s", rule_name(message), value == NULL ? "unknown number of" : value,
                           remembered->counted);
}

char *hold_within_field(const struct ledger_message *message, const struct ledger_remembered *remembered)
{
    if (remembered == NULL || remembered->counted == NULL)
        return NULL;
    if (!remembered->answered)
        return g_strdup_printf("%s:away", rule_name(message));
    if (remembered->within == STATE_WINDOW_MANY)
        return g_strdup_printf("%s:many", rule_name(message));
    return g_strdup_printf("%s:%u", rule_name(message), remembered->within);
}

static void append_place(GString *text, const struct inside_counts *counts, unsigned place, const char *separator)
{
    const unsigned people = counts->places[place].people, parties = counts->places[place].parties;

    g_string_append_printf(text, "%s%s: %u address%s of %u part%s", text->len > 0 ? separator : "",
                           inside_place_name(place), people, people == 1 ? "" : "es", parties,
                           parties == 1 ? "y" : "ies");
}

char *hold_inside(const struct inside_counts *counts, const char *separator)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (counts->asked == INSIDE_NOT_ASKED)
        return NULL;
    for (unsigned i = 0; i < INSIDE_PLACES; i++)
        if (counts->places[i].people > 0)
            append_place(text, counts, i, separator);
    if (text->len == 0)
        g_string_append(text, counts->asked == INSIDE_AWAY ? "the body was not read" : "nobody outside");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *hold_opaque(const struct inside_counts *counts)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned bit = 1; bit <= OPAQUE_KIND_LAST; bit <<= 1)
        if ((counts->opaque & bit) != 0)
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", opaque_kind_name((enum opaque_kind)bit));
    return text->len == 0 ? NULL : g_string_free(g_steal_pointer(&text), FALSE);
}

GPtrArray *hold_reasons(const struct ledger_message *message, const GPtrArray *parties,
                        const struct ledger_remembered *remembered, const GArray *inside, const char *policy)
{
    g_autofree char *within = window_text(remembered);
    g_autofree struct kept_party *kept = g_new(struct kept_party, parties->len);
    auto_free(policy) read = policy_read_kept(policy != NULL ? policy : "");
    for (guint i = 0; i < parties->len; i++) {
        const struct ledger_party *party = g_ptr_array_index((GPtrArray *)parties, i);
        kept[i] = (struct kept_party){party->class_name, party->people, party->parties};
    }
    const struct kept_facts facts = {
        .counts = &message->counts,
        .authenticated = message->user != NULL,
        .parties = kept,
        .party_count = parties->len,
        .known = hold_known(remembered),
        .within = within,
        .inside = inside == NULL ? NULL : &g_array_index(inside, struct kept_inside, 0),
        .inside_count = inside == NULL ? 0 : inside->len,
        .shown = &message->inside,
    };
    return kept_policy_condition(read, message->rule, &facts);
}
