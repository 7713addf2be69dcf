/* held_record - see held_record.h */

#include "milter/daemon/held_record.h"

#include "milter/ledger/ledger_bell.h"
#include "policy/base/keyed_hash.h"
#include "policy/engine/kept_policy.h"
#include "policy/exposure/exposure.h"
#include "policy/message/header_text.h"
#include "policy/message/message_id.h"
#include "policy/state/state_keys.h"

#include <string.h>

/* Bytes of a raw subject that are decoded: enough for 80 characters in any encoding. */
#define SUBJECT_READ 4096

/* ---- texts */

/* Valid UTF-8 of a bounded length; NULL of NULL and of an empty text. */
static char *keep(const char *text, size_t length)
{
    if (text == NULL || length == 0)
        return NULL;
    char *valid = g_utf8_make_valid(text, (gssize)MIN(length, HOLD_TEXT_LIMIT));
    if (strlen(valid) > HOLD_TEXT_LIMIT) {
        const char *end = g_utf8_find_prev_char(valid, valid + HOLD_TEXT_LIMIT + 1);
        valid[end == NULL ? 0 : end - valid] = '\0';
    }
    return valid;
}

static char *keep_text(const char *text)
{
    return keep(text, text == NULL ? 0 : strlen(text));
}

/* Decoded, so that a person can read it. */
static char *keep_subject(const struct message *message)
{
    const struct header *header = message_find_header(message, "Subject");
    if (header == NULL)
        return NULL;
    g_autofree char *start = g_strndup(header->value, SUBJECT_READ);
    g_autofree char *text = decode_header(start, NULL);
    return g_utf8_strlen(text, -1) > LEDGER_SUBJECT_LIMIT ? g_utf8_substring(text, 0, LEDGER_SUBJECT_LIMIT)
                                                          : g_steal_pointer(&text);
}

static char *keep_message_id(const struct message *message)
{
    const struct header *header = message_find_header(message, "Message-ID");
    size_t length = 0;
    const char *id = header == NULL ? NULL : message_id_find(header->value, &length);
    return keep(id, length);
}

/* Who can be told of the message: an internal address, or nobody. */
static char *find_author(struct policy *policy, const struct message *message)
{
    const char *user = message->user;
    if (user != NULL && strchr(user, '@') != NULL && policy_is_internal(policy, message, user))
        return keep_text(user);
    return policy_is_internal(policy, message, message->sender) ? keep_text(message->sender) : NULL;
}

/* ---- mail that no person waits for (RFC 3834, section 2): an answer to it could be answered, for ever */

/* The first word of a value, such as `auto-replied` of "auto-replied; owner-email=...". */
static bool begins_with(const struct header *header, const char *word)
{
    const char *value = header->value;
    while (g_ascii_isspace(*value))
        value++;
    size_t length = strlen(word);
    return g_ascii_strncasecmp(value, word, length) == 0 && !g_ascii_isalnum(value[length]) && value[length] != '-';
}

static bool is_list_field(const char *name)
{
    static const char *const names[] = {"List-Id",        "List-Post",  "List-Help",   "List-Unsubscribe",
                                        "List-Subscribe", "List-Owner", "List-Archive"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_ascii_strcasecmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool is_bulk(const struct header *header)
{
    return g_ascii_strcasecmp(header->name, "Precedence") == 0 &&
           (begins_with(header, "bulk") || begins_with(header, "list") || begins_with(header, "junk"));
}

static const char *find_untold(const struct message *message)
{
    if (message->sender[0] == '\0')
        return "its sender is the null sender";
    for (guint i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (g_ascii_strcasecmp(header->name, "Auto-Submitted") == 0 && !begins_with(header, "no"))
            return "a program sent it (Auto-Submitted)";
        if (is_list_field(header->name) || is_bulk(header))
            return "it is mail of a list (List- fields, Precedence)";
    }
    return NULL;
}

/* ---- parties */

static struct ledger_party *party_new(const char *class_name, const char *name, bool individuals)
{
    struct ledger_party *party = g_new0(struct ledger_party, 1);
    party->class_name = g_strdup(class_name);
    party->name = g_strdup(name);
    party->individuals = individuals;
    return party;
}

/*
 * The row that a visible recipient counts for.  A party that is a mailbox is an
 * individual, of whom the domain is kept.
 */
static struct ledger_party *find_party(GHashTable *known, GPtrArray *parties, const struct exposed *exposed)
{
    const char *at = strrchr(exposed->party, '@');
    const char *name = at == NULL ? exposed->party : at + 1;
    g_autofree char *key = g_strdup_printf("%u %s%s", exposed->class_index, at == NULL ? "" : "@", name);
    struct ledger_party *party = g_hash_table_lookup(known, key);
    if (party == NULL) {
        party = party_new(exposed->class_name, name, at != NULL);
        g_ptr_array_add(parties, party);
        g_hash_table_insert(known, g_steal_pointer(&key), party);
    }
    return party;
}

/* The largest first; the rest in the order of their names, so that it is the same each time. */
static gint compare_parties(gconstpointer a, gconstpointer b)
{
    const struct ledger_party *first = *(const struct ledger_party *const *)a;
    const struct ledger_party *second = *(const struct ledger_party *const *)b;
    if (first->people != second->people)
        return first->people > second->people ? -1 : 1;
    int order = strcmp(first->name, second->name);
    return order != 0 ? order : strcmp(first->class_name, second->class_name);
}

/* What is beyond the limit becomes one row without a name for each class. */
static void bound_parties(GPtrArray *parties)
{
    g_autoptr(GHashTable) rests = g_hash_table_new(hash_string, g_str_equal);
    guint all = parties->len;
    for (guint i = LEDGER_PARTIES_LIMIT; i < all; i++) {
        const struct ledger_party *party = g_ptr_array_index(parties, i);
        struct ledger_party *rest = g_hash_table_lookup(rests, party->class_name);
        if (rest == NULL) {
            rest = party_new(party->class_name, NULL, false);
            g_ptr_array_add(parties, rest);
            g_hash_table_insert(rests, rest->class_name, rest);
        }
        rest->people += party->people;
        rest->parties += party->parties;
    }
    if (all > LEDGER_PARTIES_LIMIT)
        g_ptr_array_remove_range(parties, LEDGER_PARTIES_LIMIT, all - LEDGER_PARTIES_LIMIT);
}

/* In a class of individuals each address is its own party. */
static GPtrArray *read_parties(const struct exposure *exposure)
{
    GPtrArray *parties = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_party_free);
    g_autoptr(GHashTable) known = g_hash_table_new_full(hash_string, g_str_equal, g_free, NULL);
    for (unsigned i = 0; exposure != NULL && i < exposure_visible(exposure); i++) {
        struct ledger_party *party = find_party(known, parties, exposure_get(exposure, i));
        party->people++;
        party->parties = party->individuals ? party->people : 1;
    }
    g_ptr_array_sort(parties, compare_parties);
    bound_parties(parties);
    return parties;
}

/* ---- the state */

/* The window of the rule that holds it; NULL if it has none. */
static const struct verdict_window *find_window(const struct verdict *verdict)
{
    const GArray *windows = verdict->state.windows;
    const char *colon = strchr(verdict->rule, ':'); /* of "error:NAME" */
    const char *rule = colon == NULL ? verdict->rule : colon + 1;
    for (guint i = 0; windows != NULL && i < windows->len; i++) {
        const struct verdict_window *window = &g_array_index(windows, struct verdict_window, i);
        if (strcmp(window->rule, rule) == 0)
            return window;
    }
    return NULL;
}

static void read_state(struct hold *hold, const struct verdict *verdict)
{
    const struct verdict_state *state = &verdict->state;
    const struct verdict_window *window = find_window(verdict);
    hold->remembers = state->record != 0 || state->parties != NULL || state->known != KNOWN_NOT_ASKED || window != NULL;
    hold->remembered = (struct ledger_remembered){
        .record = state->record,
        .scope = state->scope,
        .parties = state->parties == NULL ? NULL : g_array_ref(state->parties),
        .known = state->known,
    };
    if (window == NULL)
        return;
    hold->window = verdict->error || verdict->fault ? 0 : window->seconds;
    hold->remembered.counted = window->counted;
    hold->remembered.within = window->value;
    hold->remembered.answered = window->known;
}

/* ---- the whole */

/* As the windows see him. */
static char *author_text(const struct message *message)
{
    g_autofree char *text = state_author_text(message);
    return keep_text(text);
}

struct hold *hold_new(struct policy *policy, const struct message *message, const struct verdict *verdict,
                      bool with_subject, gint64 began, gint64 judged)
{
    struct hold *hold = g_new0(struct hold, 1);
    char *sender = keep_text(message->sender);
    hold->message = (struct ledger_message){
        .queue_id = keep_text(message->queue_id),
        .mta = message->mta,
        .instance = keep_text(message->instance),
        .began = began,
        .judged = judged,
        .message_id = keep_message_id(message),
        .sender = sender != NULL ? sender : g_strdup(""),
        .user = keep_text(message->user),
        .client = keep_text(message->client),
        .subject = with_subject ? keep_subject(message) : NULL,
        .rule = g_strdup(verdict->rule),
        .line = verdict->line,
        .text = keep_text(verdict->text),
        .policy = g_strdup(policy_digest(policy)),
        .counts = exposure_counts(verdict->exposure),
        .inside = verdict->body.counts,
        .approvals = verdict->approvals,
        .terms = verdict->terms,
        .sent_by = author_text(message),
        .author = find_author(policy, message),
    };
    hold->parties = read_parties(verdict->exposure);
    hold->inside = kept_policy_inside(policy, verdict);
    hold->policy = policy_ref(policy);
    hold->policy_text = policy_text(policy);
    hold->untold = find_untold(message);
    read_state(hold, verdict);
    return hold;
}

static bool has_delays(const struct policy *policy)
{
    bool has = policy_default(policy).terms.release == RELEASE_AFTER;
    for (unsigned i = 0; i < policy_rule_count(policy) && !has; i++)
        has = policy_rule(policy, i).terms.release == RELEASE_AFTER;
    return has;
}

/* Whether a window of many messages holds or refuses it, and the policy has a rule that delays. */
static bool ends_delays(const struct policy *policy, const struct verdict *verdict)
{
    const struct verdict_window *window = find_window(verdict);
    return window != NULL && strcmp(window->rule, verdict->rule) == 0 && !verdict->error && !verdict->fault &&
           has_delays(policy);
}

struct ledger_trip *hold_trip(const struct policy *policy, const struct message *message, const struct verdict *verdict,
                              gint64 judged)
{
    if (!ends_delays(policy, verdict))
        return NULL;
    struct ledger_trip *trip = g_new0(struct ledger_trip, 1);
    *trip = (struct ledger_trip){author_text(message), g_strdup(verdict->rule), judged, find_window(verdict)->seconds};
    return trip;
}

void hold_free(struct hold *hold)
{
    if (hold == NULL)
        return;
    ledger_message_clear(&hold->message);
    g_ptr_array_unref(hold->parties);
    g_array_unref(hold->inside);
    if (hold->remembered.parties != NULL)
        g_array_unref(hold->remembered.parties);
    policy_unref(hold->policy);
    g_free(hold);
}

void hold_wake(const char *ledger, const struct policy *policy, const struct verdict *verdict)
{
    enum release_way release = verdict->terms.release;
    if (release == RELEASE_AFTER || ends_delays(policy, verdict))
        bell_ring(ledger, BELL_AGENT);
    else if (release != RELEASE_BY_REVIEWER)
        bell_ring(ledger, BELL_NOTICE);
}
