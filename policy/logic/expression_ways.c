/* expression_ways - see expression_ways.h */

#include "policy/logic/expression_ways.h"

/* One way of each of the two sets, together. */
static unsigned together(unsigned one, unsigned other)
{
    static const unsigned ways[] = {WAY_NEITHER, WAY_ONE, WAY_OTHER, WAY_BOTH};
    unsigned joined = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++)
        for (unsigned j = 0; j < G_N_ELEMENTS(ways); j++)
            if ((one & ways[i]) != 0 && (other & ways[j]) != 0)
                joined |= ways[i | j];
    return joined;
}

unsigned expression_ways(const struct expression *expression, bool holds, way_of_test way)
{
    bool conjunction = (expression->kind == EXPRESSION_AND) == holds;
    unsigned ways = 0;

    if (expression->test != NULL)
        return way(expression->test, holds);
    if (expression->kind == EXPRESSION_NOT)
        return expression_ways(g_ptr_array_index(expression->parts, 0), !holds, way);
    for (unsigned i = 0; i < expression->parts->len; i++) {
        unsigned part = expression_ways(g_ptr_array_index(expression->parts, i), holds, way);
        ways = i == 0 ? part : conjunction ? together(ways, part) : ways | part;
    }
    return ways;
}
