/*
 * lint_regex - one regular expression of a policy, as its lints look at it.
 * Private to the library.
 */
#ifndef RCPTGUARD_LINT_REGEX_H
#define RCPTGUARD_LINT_REGEX_H

#include "policy/lint/lint.h"
#include "policy/logic/regex_tree.h"
#include "policy/logic/regex_values.h"

/*
 * So long the values are that are tried: a name of the DNS, an address (RFC 5321
 * section 4.5.3.1), a line of a header (RFC 5322 section 2.1.1).
 */
#define LINT_LONGEST_DOMAIN  253u
#define LINT_LONGEST_ADDRESS 320u
#define LINT_LONGEST_HEADER  998u

/* Backtracking points that all trials of a policy may take. */
#define LINT_SLOW_LIMIT 10000000u

struct lint_regex {
    const struct item *item;
    struct regex *parts;
    struct pattern *pattern;
    unsigned longest; /* value that it can meet; 0 if nobody can choose the value */
};

struct lint_slow {
    const struct lint *lint;
    guint64 left; /* of LINT_SLOW_LIMIT */
};

/* Warns if no value of the class, or of the test, is as the expression wants it, or hardly any; returns whether it has.
 */
bool lint_whole_value(const struct lint *lint, const struct lint_regex *regex, const struct test *test);

/* Warns if a value can take the expression beyond the limit of a match. */
void lint_slow_regex(struct lint_slow *slow, const struct lint_regex *regex);

#endif
