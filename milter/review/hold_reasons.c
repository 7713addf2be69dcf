/* hold_reasons - see hold_reasons.h */

#include "milter/review/hold_reasons.h"

GPtrArray *hold_reasons(const struct ledger_message *message, const GPtrArray *parties, const char *policy)
{
    g_autofree struct kept_party *kept = g_new(struct kept_party, parties->len);
    auto_free(policy) read = policy_read_kept(policy != NULL ? policy : "");
    for (guint i = 0; i < parties->len; i++) {
        const struct ledger_party *party = g_ptr_array_index((GPtrArray *)parties, i);
        kept[i] = (struct kept_party){party->class_name, party->people, party->parties};
    }
    const struct kept_facts facts = {&message->counts, message->user != NULL, kept, parties->len};
    return kept_policy_condition(read, message->rule, &facts);
}
