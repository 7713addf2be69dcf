/* state-tables - prints the statements that make the tables of [state] in a database, for tests of these alone */

#include "milter/state/state_schema.h"

#include <stdio.h>

int main(void)
{
    for (const char *const *statement = state_schema; *statement != NULL; statement++)
        printf("%s;\n", *statement);
    return 0;
}
