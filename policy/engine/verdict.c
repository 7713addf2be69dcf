/* verdict - see verdict.h */

#include "policy/engine/verdict.h"

#include "policy/exposure/exposure.h"

void verdict_free(struct verdict *verdict)
{
    if (verdict == NULL)
        return;
    g_free(verdict->rule);
    g_free(verdict->text);
    if (verdict->would != NULL)
        g_ptr_array_unref(verdict->would);
    exposure_free(verdict->exposure);
    g_free(verdict);
}
