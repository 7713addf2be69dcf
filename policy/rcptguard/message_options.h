/*
 * message_options - facts that an MTA knows of a message and a file does not contain, and how files are read: options
 * that `explain` and `replay` share.
 */
#ifndef RCPTGUARD_MESSAGE_OPTIONS_H
#define RCPTGUARD_MESSAGE_OPTIONS_H

#include "policy/engine/policy.h"
#include "policy/message/message.h"

#include <glib.h>
#include <stdbool.h>

/* For a command's `shared`. */
extern const GOptionEntry given_entries[];

/* EXITS_DONE, or EXITS_USAGE once it has said what is wrong with one of them. */
int given_check(void);

/* The time for `until`: that of --time, or now. */
gint64 given_time(void);

/* Whether it was said how the message came in, so that the policy decides whether it is outbound. */
bool given_way(void);

/*
 * The words of the tests in rules that ask for what no option says and no file knows, such as `user`, ended by NULL and
 * to be freed with g_strfreev; and how many rules have one.
 */
char **given_unknown(const struct policy *policy, unsigned *rules);

/* Names a file that is passed over, with --verbose. */
void given_pass(const char *file);

/* Completes a message from a file; its envelope is another matter. */
void given_apply(struct message *message);

#endif
