/*
 * condition_solver - whether conditions of a policy can come out in a given way together,
 * in any message at all.  Private to the library.
 *
 * What is known: a test gives one answer throughout a message; a count is at
 * least that of fewer classes, visible recipients are at least as many as their
 * parties and domains, envelope recipients as the hidden ones; one set of
 * addresses, networks or words may lie within another, or apart from it.  What
 * is not known is taken to be possible, so "impossible" is always true.
 *
 * Ownership: logic_free; the policy has to outlive it.
 */
#ifndef RCPTGUARD_CONDITION_SOLVER_H
#define RCPTGUARD_CONDITION_SOLVER_H

#include "policy/syntax/ast.h"

struct logic;

struct logic *logic_new(const struct policy *policy);
void logic_free(struct logic *logic);
AUTO_FREE_DEFINE(logic, logic_free)

/* An expression comes out true, or does not. */
struct claim {
    const struct expression *expression;
    bool holds;
};

/* False if no message makes all the claims true; true if one may, or if that would take too long to find out. */
bool logic_possible(struct logic *logic, const struct claim *claims, unsigned count);

/* So much was asked that everything is possible from now on. */
bool logic_is_tired(const struct logic *logic);

#endif
