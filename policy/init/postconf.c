/* postconf - see postconf.h */

#include "policy/init/postconf.h"

#include "policy/cli/run_program.h"
#include "policy/init/discover.h"

#include <string.h>

char *postconf_output(const char *folder, const char *const *words, bool callers, char **error)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    struct program program = {.seconds = callers ? ASK_POSTFIX_SECONDS : 0, .callers = callers};

    g_ptr_array_add(arguments, (gpointer)ASK_POSTFIX);
    if (folder != NULL) {
        g_ptr_array_add(arguments, (gpointer) "-c");
        g_ptr_array_add(arguments, (gpointer)folder);
    }
    for (; *words != NULL; words++)
        g_ptr_array_add(arguments, (gpointer)*words);
    g_ptr_array_add(arguments, NULL);
    program.arguments = (const char *const *)arguments->pdata;
    return program_output(&program, error);
}

bool postconf_next(char **rest, const char **name, const char **value)
{
    while (**rest != '\0') {
        char *line = *rest;
        char *end = line + strcspn(line, "\n");

        *rest = *end == '\0' ? end : end + 1;
        *end = '\0';
        char *equals = strstr(line, " =");
        if (equals == NULL)
            continue;
        *equals = '\0';
        *name = line;
        *value = g_strstrip(equals + 2);
        return true;
    }
    return false;
}
