/*
 * login_watch - rules that test `user` and meet no login, although mail of the address that they list goes out: the MTA
 * may write its logins otherwise than the policy does.  `rcptguardq doctor` says which.
 *
 * Any thread may use it, and none waits longer than a look-up takes.  It is never freed: see service.h.
 */
#ifndef RCPTGUARD_LOGIN_WATCH_H
#define RCPTGUARD_LOGIN_WATCH_H

#include "policy/engine/policy.h"

struct login_watch;

struct login_watch *login_watch_new(struct policy *policy);

/* Begins anew with a policy that has come in force. */
void login_watch_begin(struct login_watch *watch, struct policy *policy);

/* A message that was evaluated by a policy; of one that is no longer in force nothing is noted. */
void login_watch_note(struct login_watch *watch, struct policy *policy, const struct message *message);

/* Whether there is something new since the last time that this was asked. */
bool login_watch_changed(struct login_watch *watch);

/* Names of the rules, "boss, crm"; NULL if there are none.  For g_free. */
char *login_watch_missed(struct login_watch *watch);

#endif
