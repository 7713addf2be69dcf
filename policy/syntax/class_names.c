/* class_names - see class_names.h */

#include "policy/syntax/class_names.h"

#include "policy/base/suggest.h"
#include "policy/exposure/classes.h"

#include <string.h>

bool class_names_mask(const struct classes *classes, const char *name, class_mask *mask)
{
    bool all = strcmp(name, "all") == 0, external = strcmp(name, "external") == 0;

    *mask = all ? CLASS_ALL : external ? CLASS_EXTERNAL : 0;
    for (unsigned i = 0; i < classes_count(classes); i++) {
        if (strcmp(classes_name(classes, i), name) == 0)
            *mask = (class_mask)1 << i;
        /* Domains of a `separate` class are internal or other, as the sender is. */
        else if (external && classes_separate(classes, i))
            *mask &= ~((class_mask)1 << i);
    }
    return *mask != 0;
}

bool class_names_find(const struct class_names *names, const char *name, class_mask *mask, char **wrong)
{
    *wrong = NULL;
    if (class_names_mask(names->classes, name, mask))
        return true;
    const char *nearest = diag_nearest(name, names->candidates);
    if (nearest != NULL)
        *wrong = g_strdup_printf("there is no class `%s`; did you mean `%s`?", name, nearest);
    else if (!names->names_lost)
        *wrong = g_strdup_printf("there is no class `%s`", name);
    return false;
}

static bool is_separate(const struct classes *classes, const char *name)
{
    for (unsigned i = 0; i < classes_count(classes); i++)
        if (classes_separate(classes, i) && strcmp(classes_name(classes, i), name) == 0)
            return true;
    return false;
}

bool class_names_find_counted(const struct class_names *names, const char *name, class_mask *mask, char **wrong)
{
    if (!class_names_find(names, name, mask, wrong))
        return false;
    if (!is_separate(names->classes, name))
        return true;
    *wrong = g_strdup_printf("`%s` is `separate`: its domains count as `internal` or `other`; name one of these", name);
    return false;
}
