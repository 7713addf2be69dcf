/*
 * expression_ways - the ways in which an expression comes out true, by what each rests on.  Private to the library.
 *
 * A way has one property, another one, both or neither: a set of ways is a set of these four bits.
 */
#ifndef RCPTGUARD_EXPRESSION_WAYS_H
#define RCPTGUARD_EXPRESSION_WAYS_H

#include "policy/syntax/ast.h"

enum way { WAY_NEITHER = 1, WAY_ONE = 2, WAY_OTHER = 4, WAY_BOTH = 8 };

/* The way in which a test comes out as `holds`. */
typedef enum way (*way_of_test)(const struct test *test, bool holds);

/* All ways in which the expression does. */
unsigned expression_ways(const struct expression *expression, bool holds, way_of_test way);

#endif
