/*
 * condition_subject - who a message is from: its sender, author, user, client or listener.  Private to the library.
 */
#ifndef RCPTGUARD_CONDITION_SUBJECT_H
#define RCPTGUARD_CONDITION_SUBJECT_H

#include "policy/conditions/condition.h"

enum subject { SUBJECT_SENDER, SUBJECT_FROM, SUBJECT_USER, SUBJECT_CLIENT, SUBJECT_LISTENER };

struct subject_test {
    struct test test;
    enum subject subject;
    struct text_comparison comparison;
    GPtrArray *classes; /* struct item *: of `in`, or NULL */
    class_mask mask;
    GPtrArray *items; /* struct item *: the strings of a set, or NULL */
    struct table *table;
};

extern const struct condition_kind condition_subject;

/* NULL if a test is of another kind, or no test. */
const struct subject_test *subject_test_of(const struct test *test);

/* Whether it is an address, which anybody with a login can write: `sender`, `from`. */
bool subject_is_address(enum subject subject);

/* Whether a test is `user` with logins that are listed, and this is one of them. */
bool subject_lists_login(struct evaluation *evaluation, const struct test *test, const char *login);

#endif
