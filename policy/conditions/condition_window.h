/*
 * condition_window - how many recipients, parties or domains of some classes an author has shown to each other within
 * a time.  Private to the library.
 */
#ifndef RCPTGUARD_CONDITION_WINDOW_H
#define RCPTGUARD_CONDITION_WINDOW_H

#include "policy/conditions/condition_count.h"

/* Seconds that a window may be long. */
#define WINDOW_LEAST 10u
#define WINDOW_MOST  (24u * 60 * 60)

/* A count with a time: it begins as one, so that whatever parses or prints a count does so for it. */
struct window_test {
    struct count_test count;
    struct duration within;
    bool alike;
    unsigned window; /* index of the policy's window */
};

/* NULL if a test is of another kind, or no test. */
const struct window_test *window_test_of(const struct test *test);

/* The first in the order of writing that is not within `not`; NULL if there is none. */
const struct window_test *expression_first_window(const struct expression *expression);

/* What a message has in it, and whether it is in it: see history.h. */
int window_value(struct evaluation *evaluation, const struct window_test *window, guint32 *value);
bool window_has_message(struct evaluation *evaluation, const struct window_test *window);

/* Of what it counts: "parties(external)", the names in one order whatever they are written in; for g_free. */
char *window_signature(const struct window_test *window);

#endif
