/* login_watch - see login_watch.h */

#include "milter/daemon/login_watch.h"

#include <stdatomic.h>

/* Of a rule: no login is listed in it; else whether one has been met, and whether a listed sender came without. */
enum { NOT_WATCHED = 1, MET = 2, MISSED = 4 };

struct login_watch {
    GMutex lock;
    struct policy *policy;
    GByteArray *rules;     /* the bits above, in the order of the policy */
    atomic_bool pointless; /* no rule is watched any more */
    atomic_bool changed;
};

void login_watch_begin(struct login_watch *watch, struct policy *policy)
{
    bool pointless = true;

    g_mutex_lock(&watch->lock);
    g_clear_pointer(&watch->policy, policy_unref);
    watch->policy = policy_ref(policy);
    g_byte_array_set_size(watch->rules, policy_rule_count(policy));
    for (unsigned i = 0; i < watch->rules->len; i++) {
        watch->rules->data[i] = policy_rule_tests(policy, i, "user") ? 0 : NOT_WATCHED;
        pointless = pointless && watch->rules->data[i] != 0;
    }
    atomic_store(&watch->pointless, pointless);
    g_mutex_unlock(&watch->lock);
}

struct login_watch *login_watch_new(struct policy *policy)
{
    struct login_watch *watch = g_new0(struct login_watch, 1);

    g_mutex_init(&watch->lock);
    watch->rules = g_byte_array_new();
    login_watch_begin(watch, policy);
    return watch;
}

/* The rules' bits; NULL if the policy is no longer in force, or there is nothing left to find out. */
static guint8 *copy_rules(struct login_watch *watch, const struct policy *policy)
{
    guint8 *rules = NULL;
    g_mutex_lock(&watch->lock);
    if (watch->policy == policy) {
        bool pointless = true;
        for (unsigned i = 0; i < watch->rules->len && pointless; i++)
            pointless = (watch->rules->data[i] & (NOT_WATCHED | MET)) != 0;
        atomic_store(&watch->pointless, pointless);
        rules = pointless ? NULL : g_memdup2(watch->rules->data, watch->rules->len);
    }
    g_mutex_unlock(&watch->lock);
    return rules;
}

static void add(struct login_watch *watch, const struct policy *policy, unsigned rule, guint8 bits)
{
    g_mutex_lock(&watch->lock);
    if (watch->policy == policy)
        watch->rules->data[rule] |= bits;
    g_mutex_unlock(&watch->lock);
    atomic_store(&watch->changed, true);
}

/* The tests are evaluated without the lock, so that no message waits for another one. */
void login_watch_note(struct login_watch *watch, struct policy *policy, const struct message *message)
{
    if (atomic_load(&watch->pointless))
        return;
    g_autofree guint8 *rules = copy_rules(watch, policy);
    for (unsigned i = 0; rules != NULL && i < policy_rule_count(policy); i++) {
        if ((rules[i] & (NOT_WATCHED | MET)) != 0)
            continue;
        enum login_listed listed = policy_login_listed(policy, i, message);
        guint8 bits = listed == LOGIN_LISTED ? MET : listed == SENDER_LISTED ? MISSED : 0;
        if ((rules[i] | bits) != rules[i])
            add(watch, policy, i, bits);
    }
}

bool login_watch_changed(struct login_watch *watch)
{
    return atomic_exchange(&watch->changed, false);
}

char *login_watch_missed(struct login_watch *watch)
{
    g_autoptr(GString) names = g_string_new(NULL);

    g_mutex_lock(&watch->lock);
    for (unsigned i = 0; i < watch->rules->len; i++)
        if (watch->rules->data[i] == MISSED)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", policy_rule(watch->policy, i).name);
    g_mutex_unlock(&watch->lock);
    return names->len > 0 ? g_strdup(names->str) : NULL;
}
