/* setup - see setup.h */

#include "milter/setup/setup.h"

#include <string.h>

char *setup_undone(struct setup *setup, const struct setup_mta *mta, const char *text, char **error)
{
    g_autofree char *backup = edit_backup(setup->path);
    g_autofree char *without = mta->without(setup, text, error);
    if (without == NULL || strcmp(without, text) == 0 || backup == NULL)
        return g_steal_pointer(&without);
    g_autofree char *ignored = NULL;
    g_autofree char *before = edit_read(backup, &ignored);
    g_autofree char *after = before == NULL ? NULL : mta->with(setup, before, &ignored);
    g_autofree char *reverted = after == NULL ? NULL : edit_revert(text, after, before);
    g_autofree char *checked = reverted == NULL ? NULL : mta->without(setup, reverted, &ignored);
    /* What still has our milter was not the step that put it there. */
    return checked != NULL && strcmp(checked, reverted) == 0 ? g_steal_pointer(&reverted) : g_steal_pointer(&without);
}
