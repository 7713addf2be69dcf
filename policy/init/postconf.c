/* postconf - see postconf.h */

#include "policy/init/postconf.h"

#include "policy/cli/run_program.h"
#include "policy/init/discover.h"

#include <string.h>

char *postconf_output(const char *folder, const char *const *words, bool callers, char **error)
{
    g_autoptr(GPtrArray) arguments = program_words(ASK_POSTFIX, "-c", folder, words);
    const struct program program = {.arguments = (const char *const *)arguments->pdata,
                                    .seconds = callers ? ASK_POSTFIX_SECONDS : 0,
                                    .callers = callers};

    return program_output(&program, error);
}

bool postconf_is_loopback(const char *service)
{
    return g_str_has_prefix(service, "127.") || g_str_has_prefix(service, "localhost:") ||
           g_str_has_prefix(service, "[::1]:") || g_str_has_prefix(service, "::1:");
}

GPtrArray *postconf_words(const char *list)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    for (const char *end = list;; list = end) {
        int depth = 0;
        list += strspn(list, POSTCONF_BLANKS);
        if (*list == '\0')
            return words;
        for (end = list; *end != '\0' && (depth > 0 || strchr(POSTCONF_BLANKS, *end) == NULL); end++)
            depth += (*end == '{') - (*end == '}');
        g_ptr_array_add(words, g_strndup(list, (gsize)(end - list)));
    }
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
