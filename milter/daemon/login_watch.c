/* login_watch - see login_watch.h */

#include "milter/daemon/login_watch.h"

#include <stdatomic.h>

/* Of a rule: no login is listed in it; else whether one has been met, and whether a listed sender came without. */
enum { NOT_WATCHED = 1, MET = 2, MISSED = 4 };

struct login_watch {
    GMutex lock;
    struct policy *policy;
    GByteArray *rules;     /* the bits above, in the order of the policy */
    atomic_bool pointless; /* no rule is watched */
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

void login_watch_note(struct login_watch *watch, struct policy *policy, const struct message *message)
{
    if (atomic_load(&watch->pointless))
        return;
    g_mutex_lock(&watch->lock);
    for (unsigned i = 0; watch->policy == policy && i < watch->rules->len; i++) {
        guint8 *bits = &watch->rules->data[i];
        if ((*bits & (NOT_WATCHED | MET)) != 0)
            continue;
        enum login_listed listed = policy_login_listed(policy, i, message);
        guint8 now = *bits | (listed == LOGIN_LISTED ? MET : listed == SENDER_LISTED ? MISSED : 0);
        if (now != *bits)
            atomic_store(&watch->changed, true);
        *bits = now;
    }
    g_mutex_unlock(&watch->lock);
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
